//! Whether strangers reach a port of the router: asked of the packet walk, from every uplink.

use super::picture::Picture;
use crate::routeros::flow::net::Block;
use crate::routeros::flow::{Flow, Tables, Verdict, trace};
use crate::routeros::row::Row;
use crate::tools::diagnose::shown_row;
use crate::tools::diagnose::tables::{Held, family};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// Somebody on the internet: addresses of ordinary networks on four continents, so that a list that blocks one country
/// does not look like a closed door. Nothing is ever sent to them.
const STRANGERS: &[&str] = &["20.10.30.40", "95.60.70.80", "180.20.30.40", "201.50.60.70"];
const STRANGERS6: &[&str] = &["2600:1f00::1", "2a02:1800::1", "2400:8900::1"];

/// The answer.
#[derive(Debug)]
pub(super) enum Reach {
    /// A stranger gets in; the rows that let it.
    Yes(Vec<Map<String, Value>>),
    /// None does.
    No,
    /// A rule cannot be evaluated.
    Unknown(String),
}

/// The interfaces that face strangers: the list called WAN, or where default routes leave.
pub(super) fn uplinks(tables: &Tables<'_>) -> Vec<String> {
    let members = tables.members.unwrap_or_default().iter();
    let listed: Vec<String> = members
        .filter(|row| row.get("list").is_some_and(|list| list.eq_ignore_ascii_case("wan")) && row.get("disabled") != Some("true"))
        .filter_map(|row| row.get("interface").map(str::to_owned))
        .collect();
    if listed.is_empty() { tables.uplinks() } else { listed }
}

/// Networks of the router that are behind it, for limits.
pub(super) fn inside(tables: &Tables<'_>) -> Vec<String> {
    let outside = uplinks(tables);
    let on = |row: &&Row| {
        row.get("disabled") != Some("true")
            && row.get("interface").is_some_and(|name| name != "lo" && !outside.iter().any(|uplink| uplink == name))
    };
    let networks = tables.addresses.iter().filter(on).filter_map(|row| row.get("address"));
    let mut found: Vec<String> = Vec::new();
    for text in networks {
        let Some((address, bits)) = text.split_once('/') else { continue };
        let network = Block::parse(text).map(|block| block.first()).map_or(address.to_owned(), |first| first.to_string());
        let network = format!("{network}/{bits}");
        if !found.contains(&network) {
            found.push(network);
        }
    }
    found
}

/// Whether strangers reach a port. `limits` are the networks a service takes; empty is everybody.
pub(super) fn from_outside(held: &Held, protocol: &str, port: u16, limits: &[&str]) -> Reach {
    let tables = held.tables();
    let mut uplinks = uplinks(&tables);
    if held.is_v6() {
        // A list names uplinks for both versions; IPv6 comes only where it has an address or a way out.
        let ways = tables.uplinks();
        uplinks.retain(|name| ways.contains(name) || addresses_on(&tables, name).next().is_some());
    }
    if uplinks.is_empty() {
        return Reach::Unknown("no uplink is known: no interface list WAN and no default route".into());
    }
    let mut unknown = None;
    for uplink in &uplinks {
        let Some(own) = own_address(&tables, uplink) else { continue };
        for stranger in if held.is_v6() { STRANGERS6 } else { STRANGERS } {
            let Ok(src) = stranger.parse::<IpAddr>() else { continue };
            let limited = !limits.is_empty() && !limits.iter().filter_map(|text| Block::parse(text)).any(|block| block.contains(src));
            let Some(flow) = Flow::of(src, own, protocol, Some(port)).filter(|_| !limited) else { continue };
            let journey = trace(&tables, &Flow { ingress: Some(uplink.clone()), ..flow });
            let own_input = journey.hops.last().filter(|hop| hop.step == "filter_input");
            match (journey.verdict, own_input) {
                (Verdict::Accepted, Some(hop)) => {
                    let menu = format!("{}{}", family(held.is_v6()), hop.menu);
                    return Reach::Yes(hop.rows.iter().map(|place| shown_row(&menu, place)).collect());
                }
                (Verdict::Unknown, _) => {
                    let doubt = journey.hops.iter().find(|hop| hop.verdict == Verdict::Unknown);
                    unknown = unknown.or(doubt.map(|hop| format!("{}: {}", hop.step, hop.why)));
                }
                _ => {}
            }
        }
    }
    unknown.map_or(Reach::No, Reach::Unknown)
}

/// An address of the router on that interface, or any other of its own that strangers could write to.
fn own_address(tables: &Tables<'_>, interface: &str) -> Option<IpAddr> {
    addresses_on(tables, interface).next().or_else(|| tables.addresses.iter().filter_map(usable).next())
}

fn addresses_on<'t>(tables: &'t Tables<'_>, interface: &'t str) -> impl Iterator<Item = IpAddr> + 't {
    let on = move |row: &&Row| row.get("interface") == Some(interface) || row.get("actual-interface") == Some(interface);
    tables.addresses.iter().filter(on).filter_map(usable)
}

/// The address of a row that others can write to.
fn usable(row: &Row) -> Option<IpAddr> {
    let ip = row.get("address")?.split('/').next()?.parse::<IpAddr>().ok()?;
    let local = ip.is_loopback() || matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    (!local && row.get("disabled") != Some("true")).then_some(ip)
}

impl Picture {
    /// Whether strangers reach a port by IPv4 or IPv6.
    pub fn reach(&self, protocol: &str, port: u16, limits: &[&str]) -> Reach {
        let four = from_outside(&self.v4, protocol, port, limits);
        let six = self.v6.as_ref().map(|held| from_outside(held, protocol, port, limits));
        match (four, six) {
            (Reach::Yes(rows), _) | (_, Some(Reach::Yes(rows))) => Reach::Yes(rows),
            (Reach::Unknown(why), _) => Reach::Unknown(why),
            // Without an IPv6 uplink nobody comes that way.
            (Reach::No, Some(Reach::Unknown(why))) if !why.starts_with("no uplink") => Reach::Unknown(why),
            (Reach::No, _) => Reach::No,
        }
    }
}
