//! One table's chain from its first rule to what becomes of the packet.
//!
//! A rule that may fit or not parts the way in two. Both are followed: when they end alike the end is certain, otherwise
//! it is unknown, and the first such rule is named.

use super::fit::{Fit, fit};
use super::packet::{Mark, Packet, Truth};
use super::{Tables, Verdict, is_off};
use crate::routeros::row::Row;
use crate::routeros::value;

/// Deepest jump that is followed; RouterOS's own chains are a handful deep.
const DEEPEST: u8 = 16;
/// Most rules looked at for one packet in one table; jumps can multiply them.
const MOST_RULES: u32 = 100_000;

/// A rule and its number in its menu, from 0, as `print` shows it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// From 0.
    pub position: usize,
    /// As the router told it.
    pub row: &'a Row,
}

/// How a packet left a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Past the last rule, or by `accept`: both let it go on.
    On,
    Drop,
    Reject,
    /// The NAT rule at this position changed it.
    Translate(usize),
    /// An action this build does not know.
    Unclear,
}

/// What a table did with a packet.
#[derive(Debug)]
pub struct Ended<'a> {
    /// `Passed`, `Dropped`, `Rejected`, `Translated` or `Unknown`.
    pub verdict: Verdict,
    /// The rules that decided; none when the packet ran past the last one.
    pub rules: Vec<Place<'a>>,
    /// What could not be evaluated, as `content of rule 7`.
    pub doubt: Option<String>,
}

struct Walk<'a, 'p> {
    rows: &'a [Row],
    tables: &'p Tables<'a>,
    nat: bool,
    looked_at: u32,
    /// Ends that some rule may have brought, with what could not be evaluated: `content of rule 7`.
    maybes: Vec<(End, Place<'a>, String)>,
}

/// Where a chain led.
enum Led<'a> {
    /// To an end, for sure.
    End(End, Place<'a>),
    /// Past its last rule, or back.
    Through,
}

/// Runs a packet through a chain of a table; mangle marks and address lists stay on it. `nat` tables translate.
pub fn run<'a>(rows: Option<&'a [Row]>, chain: &str, nat: bool, packet: &mut Packet, tables: &Tables<'a>) -> Ended<'a> {
    let Some(rows) = rows else {
        return Ended { verdict: Verdict::Unknown, rules: Vec::new(), doubt: Some("the table could not be read".into()) };
    };
    let mut walk = Walk { rows, tables, nat, looked_at: 0, maybes: Vec::new() };
    let led = walk.chain(chain, packet, true, 0);
    if walk.looked_at > MOST_RULES {
        let doubt = Some(format!("more than {MOST_RULES} rules would have to be looked at"));
        return Ended { verdict: Verdict::Unknown, rules: Vec::new(), doubt };
    }
    let (end, at) = match led {
        Led::End(end, place) => (end, Some(place)),
        Led::Through => (End::On, None),
    };
    if let Some((_, place, doubt)) = walk.maybes.iter().find(|(maybe, ..)| *maybe != end) {
        let rules = [Some(*place), at].into_iter().flatten().collect();
        return Ended { verdict: Verdict::Unknown, rules, doubt: Some(doubt.clone()) };
    }
    let verdict = match end {
        End::On => Verdict::Passed,
        End::Drop => Verdict::Dropped,
        End::Reject => Verdict::Rejected,
        End::Translate(_) => Verdict::Translated,
        End::Unclear => Verdict::Unknown,
    };
    let doubt = (end == End::Unclear).then(|| "an action this build does not know".to_owned());
    Ended { verdict, rules: at.into_iter().collect(), doubt }
}

impl<'a> Walk<'a, '_> {
    fn chain(&mut self, chain: &str, packet: &mut Packet, sure: bool, depth: u8) -> Led<'a> {
        // This chain may have been left by a `return` that may fit: what it ends with is then only possible.
        let mut left: Option<String> = None;
        for (position, row) in self.rows.iter().enumerate() {
            if row.get("chain") != Some(chain) || is_off(row) {
                continue;
            }
            self.looked_at += 1;
            if self.looked_at > MOST_RULES {
                return Led::Through;
            }
            let place = Place { position, row };
            // Why it is not sure that the rule takes the packet.
            let (matched, doubt) = match fit(row, packet, self.tables) {
                Fit::No => continue,
                Fit::Yes => (true, left.clone()),
                Fit::Maybe(matcher) => (false, Some(format!("{matcher} of rule {position}"))),
            };
            // An effect is only sure when nothing before may have taken the packet away.
            let certain = sure && doubt.is_none() && self.maybes.is_empty();
            match row.get("action").filter(|action| !action.is_empty()).unwrap_or("accept") {
                "jump" => {
                    let target = row.get("jump-target").unwrap_or_default();
                    let led = if depth < DEEPEST { self.chain(target, packet, certain, depth + 1) } else { Led::End(End::Unclear, place) };
                    if let Led::End(end, at) = led {
                        let Some(doubt) = doubt else { return Led::End(end, at) };
                        self.maybes.push((end, if matched { at } else { place }, doubt));
                    }
                }
                "return" if matched => return Led::Through,
                "return" => left = left.or(doubt),
                action => {
                    let end = self.end(action, place);
                    if end.is_none() {
                        self.effect(action, row, packet, certain);
                        // No other table of the same kind is asked: a mark without `passthrough` is the end of it.
                        if !action.starts_with("mark-") || row.get("passthrough").and_then(value::flag) != Some(false) {
                            continue;
                        }
                    }
                    let Some(doubt) = doubt else { return Led::End(end.unwrap_or(End::On), place) };
                    self.maybes.push((end.unwrap_or(End::On), place, doubt));
                    if matched && end.is_some() {
                        // Either this rule took it, or the packet went back before.
                        return Led::Through;
                    }
                }
            }
        }
        Led::Through
    }

    /// The end an action brings; none for one that lets the packet go on to the next rule.
    fn end(&self, action: &str, place: Place<'a>) -> Option<End> {
        Some(match action {
            "accept" => End::On,
            "drop" | "tarpit" => End::Drop,
            "reject" => End::Reject,
            "dst-nat" | "src-nat" | "masquerade" | "netmap" | "redirect" | "same" | "endpoint-independent-nat" | "socksify" if self.nat => {
                End::Translate(place.position)
            }
            // The first packet of a connection is never on the fast track itself.
            "log" | "passthrough" | "fasttrack-connection" | "notrack" => return None,
            "add-src-to-address-list" | "add-dst-to-address-list" => return None,
            "sniff-pc" | "sniff-tzsp" | "set-priority" | "clear-df" | "strip-ipv4-options" | "route" => return None,
            other if other.starts_with("mark-") || other.starts_with("change-") => return None,
            _ => End::Unclear,
        })
    }

    fn effect(&self, action: &str, row: &Row, packet: &mut Packet, certain: bool) {
        let mark = |name: &str| match row.get(name) {
            Some(mark) if certain && mark != "no-mark" => Mark::Is(mark.to_owned()),
            Some(_) if certain => Mark::None,
            _ => Mark::Maybe,
        };
        let truth = if certain { Truth::Yes } else { Truth::Maybe };
        let list = row.get("address-list").unwrap_or_default().to_owned();
        match action {
            "mark-connection" => packet.connection_mark = mark("new-connection-mark"),
            "mark-packet" => packet.packet_mark = mark("new-packet-mark"),
            "mark-routing" => packet.routing_mark = mark("new-routing-mark"),
            // It names a gateway past all tables.
            "route" => packet.routing_mark = Mark::Maybe,
            "notrack" => packet.untracked = truth,
            "add-src-to-address-list" => packet.listed.push((list, packet.src, truth)),
            "add-dst-to-address-list" => packet.listed.push((list, packet.dst, truth)),
            _ => {}
        }
    }
}
