//! Where one packet would go through a router, from its tables alone.
//!
//! Pure: rows in, verdict out. The packet is the first of a new connection ([`visit()`] looks at the later ones and the answers
//! too), whole, and not inside IPsec. A verdict is only certain when every rule that could change it was understood; otherwise
//! it is `unknown` and names the rule. So `accepted` is never a guess.
//!
//! `diagnose.path` shows the way to a person, the audit asks what strangers reach, and a plan asks whether we still get in.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328227/Packet+Flow+in+RouterOS>

mod chain;
mod fit;
mod journey;
mod neighbours;
pub mod net;
mod packet;
pub mod route;
mod visit;

pub use chain::Place;
pub use journey::{Flow, Hop, Journey, trace};
pub use neighbours::discovery;
pub use packet::{Mark, Packet, Port, Truth};
pub use visit::{Leg, Part, Visit, Visited, visit};

use crate::routeros::row::Row;
use crate::routeros::value;

/// The tables of one address family. `None` is a menu that could not be read; one the router lacks is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tables<'a> {
    /// `/ip/address` or `/ipv6/address`.
    pub addresses: &'a [Row],
    /// `/ip/route` or `/ipv6/route`.
    pub routes: &'a [Row],
    /// `/routing/rule`.
    pub rules: Option<&'a [Row]>,
    /// `/ip/arp` or `/ipv6/neighbor`.
    pub neighbours: Option<&'a [Row]>,
    /// `…/firewall/raw`.
    pub raw: Option<&'a [Row]>,
    /// `…/firewall/mangle`.
    pub mangle: Option<&'a [Row]>,
    /// `…/firewall/nat`.
    pub nat: Option<&'a [Row]>,
    /// `…/firewall/filter`.
    pub filter: Option<&'a [Row]>,
    /// `…/firewall/address-list`, at least of the lists that rules name.
    pub address_lists: Option<&'a [Row]>,
    /// `/interface/list`.
    pub lists: Option<&'a [Row]>,
    /// `/interface/list/member`.
    pub members: Option<&'a [Row]>,
    /// `/ip/settings` or `/ipv6/settings`: whether the router forwards at all. Not read is taken for yes.
    pub settings: &'a [Row],
    /// Who comes from `127.0.0.0/8` is somewhere outside all the same, as with a router that is simulated on the caller's own machine.
    pub loopback_outside: bool,
}

/// What becomes of a packet, at one step or in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on to the next step.
    Passed,
    /// It arrives: at the router itself, or at the next hop.
    Accepted,
    /// An address or port of it was changed, and it goes on.
    Translated,
    /// Thrown away without a word.
    Dropped,
    /// Refused with an answer.
    Rejected,
    /// No route leads there.
    NoRoute,
    /// The next hop does not answer.
    Unreachable,
    /// The next hop is in no neighbour table: nothing went there lately.
    NotSeen,
    /// The tables do not tell.
    Unknown,
}

impl Verdict {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Accepted => "accepted",
            Verdict::Translated => "translated",
            Verdict::Dropped => "dropped",
            Verdict::Rejected => "rejected",
            Verdict::NoRoute => "no_route",
            Verdict::Unreachable => "unreachable",
            Verdict::NotSeen => "not_seen",
            Verdict::Unknown => "unknown",
        }
    }

    /// The packet gets no further, for sure.
    pub fn is_end(self) -> bool {
        matches!(self, Verdict::Dropped | Verdict::Rejected | Verdict::NoRoute | Verdict::Unreachable)
    }
}

/// A row that is not in use: disabled, or referring to something that is gone.
fn is_off(row: &Row) -> bool {
    is_on(row, "disabled") || is_on(row, "invalid")
}

/// A flag that is there and not false; without a value it is a yes.
fn is_on(row: &Row, name: &str) -> bool {
    row.get(name).and_then(value::flag) == Some(true)
}

/// Values of these attributes that enabled rules use, without their `!`: which lists have to be read.
pub fn used<'a>(tables: impl IntoIterator<Item = &'a [Row]>, attributes: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in tables.into_iter().flatten().filter(|row| !is_off(row)) {
        for name in attributes.iter().filter_map(|attribute| row.get(attribute)) {
            let name = name.strip_prefix('!').unwrap_or(name);
            if !name.is_empty() && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests;
