//! What becomes of our packets: addresses, firewall and routes, walked before and after. Pure.
//!
//! The walk itself is `routeros::flow`. A rule that leaves a doubt both before and after is no new doubt: we are in.

use crate::plan::lockout::path::Who;
use crate::plan::lockout::resolve::UNTOLD;
use crate::plan::lockout::state::{State, is_on};
use crate::plan::lockout::{Finding, Service, Touch, ground, neighbours, timed};
use crate::plan::record::Cut;
use crate::routeros::flow::net::address;
use crate::routeros::flow::{Hop, Leg, Part, Tables, Verdict, Visit, Visited, visit};
use crate::routeros::row::Row;
use std::net::IpAddr;

/// Most pairs of candidates that are followed; more say only that nobody knows.
const MOST_PAIRS: usize = 12;

/// The tables of a family. What was not read is not touched by any step, or is reported as unread: it counts as empty.
pub(super) fn tables(state: &State, v6: bool) -> Tables<'_> {
    let of = |four, six| state.rows(if v6 { six } else { four });
    Tables {
        addresses: of("/ip/address", "/ipv6/address"),
        routes: of("/ip/route", "/ipv6/route"),
        rules: Some(state.rows("/routing/rule")),
        neighbours: None,
        raw: Some(of("/ip/firewall/raw", "/ipv6/firewall/raw")),
        mangle: Some(of("/ip/firewall/mangle", "/ipv6/firewall/mangle")),
        nat: Some(of("/ip/firewall/nat", "/ipv6/firewall/nat")),
        filter: Some(of("/ip/firewall/filter", "/ipv6/firewall/filter")),
        address_lists: Some(of("/ip/firewall/address-list", "/ipv6/firewall/address-list")),
        lists: Some(state.rows("/interface/list")),
        members: Some(state.rows("/interface/list/member")),
        settings: of("/ip/settings", "/ipv6/settings"),
        loopback_outside: true,
    }
}

/// Follows our packets before and after.
pub(super) fn check(touch: &Touch<'_>, before: &State, after: &State, who: &Who, found: &mut Vec<Finding>) {
    if who.sources.is_empty() {
        found.push(Finding::unknown("our own address as the router sees it is not known"));
        return;
    }
    if who.arrivals.is_empty() {
        found.push(Finding::unknown("the router's address that we come to is not known"));
        return;
    }
    let Some(pairs) = pairs(who) else {
        found.push(Finding::unknown("which address of the router we come to, and from where, cannot be told"));
        return;
    };
    // A name in a list, or an interface in another list, changes what an old doubt is about.
    let is_list = touch.menu().contains("list");
    walk(&pairs, before, after, who, is_list, found);
    if found.is_empty() {
        timed::check(&pairs, before, after, who, found);
    }
    neighbours::check(&pairs, before, after, who, found);
    ground::check(touch, before, who, found);
    outer(before, after, who, found);
}

/// From where to where we may come; none where that is anybody's guess.
fn pairs(who: &Who) -> Option<Vec<(IpAddr, IpAddr)>> {
    let all = who.sources.iter().flat_map(|src| who.arrivals.iter().map(|dst| (*src, *dst)));
    let pairs: Vec<(IpAddr, IpAddr)> = all.filter(|(src, dst)| src.is_ipv6() == dst.is_ipv6()).collect();
    (!pairs.is_empty() && pairs.len() <= MOST_PAIRS).then_some(pairs)
}

/// Every door, by every pair that may be ours.
pub(super) fn walk(pairs: &[(IpAddr, IpAddr)], before: &State, after: &State, who: &Who, is_list: bool, found: &mut Vec<Finding>) {
    for door in &who.doors {
        let ends: Vec<Option<Finding>> = pairs
            .iter()
            .map(|(src, dst)| {
                let asked = Visit { src: *src, dst: *dst, port: door.port, udp: false, ingress: None };
                compare(&asked, door, before, after, is_list)
            })
            .collect();
        let all = ends.iter().all(|end| end.as_ref().is_some_and(|finding| finding.cut == Cut::Yes));
        for mut finding in ends.into_iter().flatten() {
            if !all && finding.cut == Cut::Yes {
                finding.cut = Cut::Unknown;
            }
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
    }
}

/// The same without any rules: where edits of interfaces send our answers.
pub(super) fn way_back(before: &State, after: &State, who: &Who, found: &mut Vec<Finding>) {
    let Some(pairs) = pairs(who) else { return };
    walk(&pairs, &before.without_rules(), &after.without_rules(), who, false, found);
}

fn compare(asked: &Visit, door: &Service, before: &State, after: &State, is_list: bool) -> Option<Finding> {
    let (mut was_tables, mut will_tables) = (tables(before, asked.dst.is_ipv6()), tables(after, asked.dst.is_ipv6()));
    if asked.src.is_loopback() && !is_outside(&was_tables, asked) {
        (was_tables.loopback_outside, will_tables.loopback_outside) = (false, false);
    }
    let was = visit(&was_tables, asked);
    // Packets come by the same cable whatever the routes say then.
    let will = visit(&will_tables, &Visit { ingress: was.ingress.name().map(str::to_owned), ..asked.clone() });
    let what = Talk { asked, door, ingress: was.ingress.name().unwrap_or_default().to_owned() };
    if let Some(finding) = legs(&what, &was, &will, is_list) {
        return Some(finding);
    }
    // Another port of the router is another service, or none.
    if !will.arrived || will.port != was.port {
        return Some(what.elsewhere(&was, &will));
    }
    back(&what, &was, &will)
}

/// Whether a way leads to a loopback source: then it is no more the router's own than any other.
fn is_outside(tables: &Tables<'_>, asked: &Visit) -> bool {
    let open = Tables { filter: Some(&[]), raw: Some(&[]), nat: Some(&[]), mangle: Some(&[]), ..*tables };
    let visited = visit(&open, asked);
    visited.legs.iter().any(|leg| leg.part == Part::Answer && !leg.verdict.is_end())
}

/// One conversation, in words.
struct Talk<'a> {
    asked: &'a Visit,
    door: &'a Service,
    ingress: String,
}

fn legs(what: &Talk<'_>, was: &Visited<'_>, will: &Visited<'_>, is_list: bool) -> Option<Finding> {
    for leg in &will.legs {
        let old = was.legs.iter().find(|old| old.part == leg.part);
        match leg.verdict {
            Verdict::Accepted => {}
            verdict if verdict.is_end() => {
                let why = what.ends(leg);
                let same = old.is_some_and(|old| old.verdict == verdict && deciding(old) == deciding(leg));
                return Some(if same { Finding::old(&why) } else { Finding::yes(why) });
            }
            _ => {
                let same = old.is_some_and(|old| old.verdict == Verdict::Unknown && deciding(old) == deciding(leg));
                if !same || is_list {
                    return Some(Finding::unknown(what.doubts(leg)));
                }
            }
        }
    }
    None
}

/// The rows that ended it or left it in doubt.
pub(super) fn deciding<'a>(leg: &Leg<'a>) -> Vec<(&'static str, Vec<&'a Row>)> {
    let open = leg.hops.iter().filter(|hop| hop.verdict.is_end() || hop.verdict == Verdict::Unknown);
    open.map(|hop| (hop.step, hop.rows.iter().map(|place| place.row).collect())).collect()
}

/// The way back: the same interface and next hops as now.
fn back(what: &Talk<'_>, was: &Visited<'_>, will: &Visited<'_>) -> Option<Finding> {
    if was.egress == will.egress && was.gateways == will.gateways {
        return None;
    }
    let by = |visited: &Visited<'_>| {
        let port = visited.egress.name().filter(|name| *name != UNTOLD).unwrap_or("an interface that cannot be told");
        visited.gateways.first().map_or_else(|| port.to_owned(), |gateway| format!("{port} through {gateway}"))
    };
    Some(Finding::unknown(format!("answers to {} would leave by {} instead of {}", what.asked.src, by(will), by(was))))
}

impl Talk<'_> {
    fn who(&self) -> String {
        let on = if self.ingress.is_empty() { String::new() } else { format!(" on {}", self.ingress) };
        format!("tcp/{} from {}{on}", self.door.port, self.asked.src)
    }

    /// Why it ends.
    fn ends(&self, leg: &Leg<'_>) -> String {
        let Some(hop) = leg.hops.last() else { return format!("{} would not get in", self.who()) };
        let verb = if hop.verdict == Verdict::Rejected { "reject" } else { "drop" };
        let whom = match leg.part {
            Part::Knock => self.who(),
            Part::Stay => format!("what follows the first packet of {}", self.who()),
            Part::Answer => format!("answers of tcp/{} to {}", self.door.port, self.asked.src),
        };
        match (hop.menu, hop.rows.last()) {
            ("/route", Some(place)) => format!(
                "route {} would throw away {}",
                place.row.get("dst-address").unwrap_or("without a network"),
                if leg.part == Part::Answer { format!("answers to {}", self.asked.src) } else { whom }
            ),
            ("/route", None) if leg.part == Part::Answer => format!("no route would lead back to {}", self.asked.src),
            ("/route", None) => format!("{} would no longer be an address of the router", self.asked.dst),
            ("/routing/rule", Some(place)) => format!("routing rule {} would drop {whom}", place.position),
            (_, Some(place)) => format!("{} rule {} would {verb} {whom}", chain(hop), place.position),
            (_, None) => format!("{} would {verb} {whom}", chain(hop)),
        }
    }

    /// What is not clear.
    fn doubts(&self, leg: &Leg<'_>) -> String {
        let hop = leg.hops.iter().find(|hop| hop.verdict == Verdict::Unknown);
        let why = hop.map_or_else(String::new, |hop| format!("{} {}", chain(hop), hop.why));
        match leg.part {
            Part::Answer => format!("{why}, for answers of tcp/{} to {}", self.door.port, self.asked.src),
            _ => format!("{why}, for {}", self.who()),
        }
    }

    /// The router would pass our packets on, or take them at another port.
    fn elsewhere(&self, was: &Visited<'_>, will: &Visited<'_>) -> Finding {
        let translated = will.legs.iter().flat_map(|leg| &leg.hops).find(|hop| hop.step == "dstnat" && hop.verdict == Verdict::Translated);
        let why = match translated {
            Some(hop) => {
                format!("dstnat rule {} would send {} {}", hop.rows.first().map_or(0, |place| place.position), self.who(), hop.why)
            }
            None if will.arrived => format!("{} would no longer reach the port of {}", self.who(), self.door.name),
            None => format!("{} would no longer be an address of the router", self.asked.dst),
        };
        if was.arrived { Finding::yes(why) } else { Finding::unknown(why) }
    }
}

/// What ends a leg, or might.
pub(super) fn stops(leg: &Leg<'_>) -> String {
    match leg.hops.iter().find(|hop| hop.verdict.is_end() || hop.verdict == Verdict::Unknown) {
        Some(hop) if hop.verdict == Verdict::Unknown => format!("{} {}", chain(hop), hop.why),
        Some(hop) => format!("{} rule {} would drop it", chain(hop), hop.rows.last().map_or(0, |place| place.position)),
        None => "what rules do to it cannot be told".to_owned(),
    }
}

fn chain(hop: &Hop<'_>) -> String {
    match hop.step {
        "raw" => "raw".to_owned(),
        step => step.strip_prefix("filter_").map_or_else(|| step.replace('_', " "), str::to_owned),
    }
}

/// Where we come through a tunnel, what carries it has to get in and out too.
fn outer(before: &State, after: &State, who: &Who, found: &mut Vec<Finding>) {
    let Some(tunnel) = &who.link.tunnel else { return };
    let peers =
        before.rows("/interface/wireguard/peers").iter().filter(|row| row.get("interface") == Some(tunnel) && !is_on(row, "disabled"));
    let port = before.row("/interface/wireguard", &[("name", tunnel)]).and_then(|row| row.get("listen-port")?.parse::<u16>().ok());
    let ends: Vec<IpAddr> =
        peers.filter_map(|row| row.get("current-endpoint-address").or(row.get("endpoint-address"))?.parse().ok()).collect();
    let (Some(port), false) = (port, ends.is_empty()) else {
        found.push(Finding::unknown(format!("we come in through {tunnel}, and what carries it cannot be followed")));
        return;
    };
    for remote in ends {
        let v6 = remote.is_ipv6();
        let (was_tables, will_tables) = (tables(before, v6), tables(after, v6));
        let Some(local) = towards(&was_tables, remote) else {
            found.push(Finding::unknown(format!("we come in through {tunnel}, and the way to its other end {remote} is not known")));
            return;
        };
        let asked = Visit { src: remote, dst: local, port, udp: true, ingress: None };
        let was = visit(&was_tables, &asked);
        let will = visit(&will_tables, &Visit { ingress: was.ingress.name().map(str::to_owned), ..asked });
        let same_legs = was.legs.len() == will.legs.len()
            && was
                .legs
                .iter()
                .zip(&will.legs)
                .all(|(a, b)| a.verdict == b.verdict && (b.verdict == Verdict::Accepted || deciding(a) == deciding(b)));
        let gets_through = will.arrived && will.legs.iter().all(|leg| leg.verdict == Verdict::Accepted);
        let same_way = was.egress == will.egress && was.gateways == will.gateways;
        // The router keeps the tunnel up by itself too, so a shut door in front is no certain end.
        if !same_way || !(gets_through || same_legs && will.arrived == was.arrived) {
            found.push(Finding::unknown(format!(
                "we come in through {tunnel}, and its packets to and from {remote} would go another way or be dropped"
            )));
        }
    }
}

/// The router's own address towards another.
fn towards(tables: &Tables<'_>, remote: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = tables.addresses.iter().filter(|row| !is_on(row, "disabled")).find_map(address_of)?;
    let probe = visit(
        &Tables { filter: Some(&[]), raw: Some(&[]), nat: Some(&[]), mangle: Some(&[]), ..*tables },
        &Visit { src: remote, dst: any, port: 1, udp: true, ingress: None },
    );
    let egress = probe.egress.name()?.to_owned();
    let on = |row: &&Row| !is_on(row, "disabled") && [row.get("interface"), row.get("actual-interface")].contains(&Some(egress.as_str()));
    tables.addresses.iter().find(on).and_then(address_of)
}

fn address_of(row: &Row) -> Option<IpAddr> {
    address(row.get("address")?)
}
