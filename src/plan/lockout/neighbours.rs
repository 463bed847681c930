//! Whether we, or our gateway, and the router still find each other by IPv6. Pure.
//!
//! Both remember each other for a while: an edit that stops them shows only once a plan may be confirmed already.

use crate::plan::lockout::Finding;
use crate::plan::lockout::packets::{deciding, stops, tables};
use crate::plan::lockout::path::Who;
use crate::plan::lockout::state::State;
use crate::routeros::flow::{Port, Verdict, discovery};
use std::net::IpAddr;

/// What the router and the next hop towards us say to each other, before and after.
pub(super) fn check(pairs: &[(IpAddr, IpAddr)], before: &State, after: &State, who: &Who, found: &mut Vec<Finding>) {
    if who.link.tunnel.is_some() {
        return;
    }
    let link = who.ingress.clone().map_or(Port::Unknown, Port::Named);
    let (was_tables, will_tables) = (tables(before, true), tables(after, true));
    for (src, own) in pairs {
        let next = if who.gateways.is_empty() { vec![*src] } else { who.gateways.clone() };
        for neighbour in next {
            let (IpAddr::V6(own), IpAddr::V6(neighbour)) = (*own, neighbour) else { continue };
            let was = discovery(&was_tables, own, neighbour, &link);
            let will = discovery(&will_tables, own, neighbour, &link);
            for (old, new) in was.iter().zip(&will) {
                // Where the rules as read shut them out already, we are in all the same: an entry by hand, or a row misread.
                let same = old.verdict == new.verdict && deciding(old) == deciding(new) || old.verdict.is_end();
                if same || new.verdict == Verdict::Accepted {
                    continue;
                }
                let why = format!("{neighbour} and the router find each other by ICMPv6, and {}", stops(new));
                let finding = if new.verdict.is_end() { Finding::yes(why) } else { Finding::unknown(why) };
                if !found.contains(&finding) {
                    found.push(finding);
                }
            }
        }
    }
}
