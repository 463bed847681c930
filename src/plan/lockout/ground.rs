//! The addresses we stand on: the one we come to, and those that tie the router to the network we come through. Pure.
//!
//! Whatever the walk makes of another address, the world outside knows the old one: routers before ours send our packets to it.

use crate::plan::form::{Pairs, get};
use crate::plan::lockout::path::Who;
use crate::plan::lockout::state::State;
use crate::plan::lockout::{Finding, Touch};
use crate::routeros::flow::net::{Block, address};
use std::net::IpAddr;

/// What of an edit the walk cannot judge.
pub(super) fn check(touch: &Touch<'_>, before: &State, who: &Who, found: &mut Vec<Finding>) {
    if matches!(touch.menu(), "/ip/address" | "/ipv6/address") && !touch.is_note() && touch.in_use() != (false, false) {
        let what = if touch.before.is_some() && touch.after.is_some() { touch.changed.join(", ") } else { "the row".to_owned() };
        if let Some(ip) = touch.rows().filter_map(own).find(|ip| who.arrivals.contains(ip)) {
            found.push(Finding::unknown(format!("{what} of {ip}, which we come to, would change")));
        } else if let Some(text) = touch.before.filter(|row| ties(row, before, who)).and_then(|row| get(row, "address")) {
            found.push(Finding::unknown(format!("{what} of {text} would change, by which the router is in the network we come through")));
        }
    }
    // Where no way leads to a source that looks like the router's own, chains on the way back cannot be followed.
    let unfollowed = who.ingress.is_none() && who.sources.iter().all(IpAddr::is_loopback);
    if unfollowed && touch.values("chain").any(|chain| chain == "output") {
        found.push(Finding::unknown("whether answers to us pass the chain output cannot be told: we seem to come from the router itself"));
    }
}

fn own(row: &Pairs) -> Option<IpAddr> {
    get(row, "address").and_then(address)
}

/// Whether the next router of our way is in this row's network, and in none of an address that we come to.
fn ties(row: &Pairs, before: &State, who: &Who) -> bool {
    let next: Vec<IpAddr> = if who.gateways.is_empty() { who.sources.clone() } else { who.gateways.clone() };
    let holds = |text: Option<&str>| text.and_then(Block::parse).is_some_and(|net| next.iter().any(|ip| net.contains(*ip)));
    let on = |name: &str| who.ingress.as_deref().is_none_or(|ingress| ingress == name);
    let menu = if who.is_v6() { "/ipv6/address" } else { "/ip/address" };
    let ours = before.rows(menu).iter().filter(|row| row.get("address").and_then(address).is_some_and(|ip| who.arrivals.contains(&ip)));
    let by_ours = ours.filter(|row| row.get("interface").is_some_and(on)).any(|row| holds(row.get("address")));
    !by_ours && holds(get(row, "address")) && (get(row, "interface").is_none_or(on) || get(row, "actual-interface").is_some_and(on))
}
