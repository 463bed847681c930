//! Chains: which rule decides about a packet.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328227/Packet+Flow+in+RouterOS>

use super::rule::{Packet, State, fits};
use super::view::View;
use crate::sim::row::Row;
use std::net::IpAddr;

/// Jumps followed inside each other; the router refuses loops, we end them.
const DEPTH: u8 = 16;

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// A rule let it through, or none stopped it.
    Passes,
    /// Nothing comes back.
    Dropped(String),
    /// The sender is told.
    Rejected(String),
    /// It goes to another address or port.
    Steered(Option<IpAddr>, Option<u64>, String),
}

/// Sends a packet through a chain of a table: `/ip/firewall/filter`, `input`.
pub(super) fn walk(view: &View<'_>, path: &str, chain: &str, packet: &mut Packet) -> End {
    inside(view, path, chain, packet, DEPTH).unwrap_or(End::Passes)
}

fn inside(view: &View<'_>, path: &str, chain: &str, packet: &mut Packet, depth: u8) -> Option<End> {
    if depth == 0 {
        return None;
    }
    for (n, rule) in view.rows(path).iter().enumerate() {
        if rule.get("chain") != Some(chain) || !fits(view, rule, packet) {
            continue;
        }
        let about = rule.get("comment").map(|c| format!(" ({c})")).unwrap_or_default();
        let which = format!("{path} {chain} rule {n}{about}");
        match rule.get("action").unwrap_or("accept") {
            "accept" => return Some(End::Passes),
            "drop" => return Some(End::Dropped(format!("dropped by {which}"))),
            "tarpit" => return Some(End::Dropped(format!("held by {which}"))),
            "reject" => return Some(End::Rejected(format!("rejected by {which}"))),
            "return" => return None,
            "jump" => {
                let ended = inside(view, path, rule.get("jump-target").unwrap_or_default(), packet, depth - 1);
                if ended.is_some() {
                    return ended;
                }
            }
            action => {
                if let Some(end) = changed(rule, action, packet, &which) {
                    return Some(end);
                }
            }
        }
    }
    None
}

/// Actions that change a packet or what is known of it.
fn changed(rule: &Row, action: &str, packet: &mut Packet, which: &str) -> Option<End> {
    let value = |name: &str| rule.get(name).unwrap_or_default().to_string();
    match action {
        "notrack" => packet.state = State::Untracked,
        "add-src-to-address-list" => packet.listed.push((value("address-list"), packet.src)),
        "add-dst-to-address-list" => packet.listed.push((value("address-list"), packet.dst)),
        "mark-connection" => packet.connection_mark = value("new-connection-mark"),
        "mark-packet" => packet.packet_mark = value("new-packet-mark"),
        "mark-routing" => packet.routing_mark = value("new-routing-mark"),
        "dst-nat" | "netmap" | "same" => {
            let to = rule.get("to-addresses").and_then(|a| a.split(['-', '/', ',']).next()).and_then(|a| a.parse().ok());
            return Some(End::Steered(to, port(rule), format!("taken by {which}")));
        }
        "redirect" => return Some(End::Steered(None, port(rule), format!("taken by {which}"))),
        "socksify" => return Some(End::Dropped(format!("taken by {which}"))),
        _ => {}
    }
    // Marks go on to the next rule unless told otherwise.
    (action.starts_with("mark-") && matches!(rule.get("passthrough"), Some("false" | "no"))).then_some(End::Passes)
}

fn port(rule: &Row) -> Option<u64> {
    rule.get("to-ports").and_then(|p| p.split(['-', ',']).next()).and_then(|p| p.parse().ok())
}

/// Whether a steered packet still ends at the service it was sent to.
pub(super) fn is_back_home(packet: &Packet, to: Option<IpAddr>, port: Option<u64>, is_local: impl Fn(IpAddr) -> bool) -> bool {
    to.is_none_or(is_local) && port.is_none_or(|p| packet.service.contains(&p))
}
