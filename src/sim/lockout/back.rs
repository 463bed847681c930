//! The way back: which route an answer to us takes.

use super::lists::{has_address, negated};
use super::view::View;
use crate::sim::row::Row;
use crate::sim::value;
use std::net::IpAddr;

/// Gateways of gateways looked up at most.
const DEPTH: u8 = 4;

/// A route that could carry an answer.
#[derive(Debug, Clone)]
struct Route {
    len: u8,
    distance: u8,
    /// Where it leads: an interface, and the gateway there; `None` swallows.
    out: Option<(String, Option<IpAddr>)>,
    text: String,
}

/// The interface answers leave by and the gateway they are given to, or why they do not leave.
pub(super) fn route(view: &View<'_>, from: IpAddr, to: IpAddr, mark: &str) -> Result<(String, Option<IpAddr>), String> {
    for (n, rule) in view.enabled("/routing/rule").enumerate() {
        if !rule_fits(rule, from, to, mark) {
            continue;
        }
        let table = rule.get("table").unwrap_or("main");
        match rule.get("action").unwrap_or("lookup") {
            action @ ("drop" | "unreachable") => return Err(format!("/routing/rule {n} says {action} for answers to {to}")),
            "lookup-only-in-table" => return best(view, table, to)?.ok_or_else(|| format!("table {table} has no route to {to}")),
            _ => {
                if let Some(found) = best(view, table, to)? {
                    return Ok(found);
                }
            }
        }
    }
    if !mark.is_empty()
        && let Some(found) = best(view, mark, to)?
    {
        return Ok(found);
    }
    best(view, "main", to)?.ok_or_else(|| format!("no active route leads back to {to}"))
}

fn rule_fits(rule: &Row, from: IpAddr, to: IpAddr, mark: &str) -> bool {
    let address = |name: &str, ip| {
        rule.get(name).filter(|s| !s.is_empty()).is_none_or(|spec| {
            let (not, bare) = negated(spec);
            has_address(bare, ip) != not
        })
    };
    // What the router itself sends came in by no interface.
    address("src-address", from)
        && address("dst-address", to)
        && rule.get("routing-mark").filter(|m| !m.is_empty()).is_none_or(|m| m == mark)
        && rule.get("interface").is_none_or(str::is_empty)
}

/// The best active route of a table. `Err` when it swallows what it takes.
fn best(view: &View<'_>, table: &str, to: IpAddr) -> Result<Option<(String, Option<IpAddr>)>, String> {
    let Some(route) = lookup(view, table, to, DEPTH) else { return Ok(None) };
    route.out.map(Some).ok_or_else(|| format!("{} swallows answers to {to}", route.text))
}

fn lookup(view: &View<'_>, table: &str, to: IpAddr, depth: u8) -> Option<Route> {
    let exists = table == "main" || view.named("/routing/table", table).is_some_and(|t| !t.is("disabled")) || is_vrf(view, table);
    if !exists || depth == 0 {
        return None;
    }
    let mut found: Vec<Route> = Vec::new();
    for row in view.enabled("/ip/address") {
        let (Some((ip, len)), Some(on)) = (row.get("address").and_then(value::prefix), row.get("interface")) else { continue };
        let net = row.get("network").and_then(|n| n.parse().ok()).unwrap_or(ip);
        if value::covers((net, len), to) && view.is_up(on) && vrf_of(view, on) == table {
            found.push(Route { len, distance: 0, out: Some((on.to_string(), None)), text: format!("{net}/{len} on {on}") });
        }
    }
    for row in view.enabled("/ip/route") {
        if let Some(route) = configured(view, row, table, to, depth) {
            found.push(route);
        }
    }
    // The longest prefix, then the shortest distance, then the first.
    found.sort_by_key(|r| (u8::MAX - r.len, r.distance));
    found.into_iter().next()
}

fn configured(view: &View<'_>, row: &Row, table: &str, to: IpAddr, depth: u8) -> Option<Route> {
    let gateway = row.get("gateway").unwrap_or_default();
    if row.get("routing-table").unwrap_or("main") != table {
        return None;
    }
    let text = row.get("dst-address").unwrap_or("0.0.0.0/0");
    let (net, len) = value::prefix(text)?;
    if !value::covers((net, len), to) {
        return None;
    }
    let own = if row.is("dynamic") && row.is("bgp") { 20 } else { 1 };
    let distance = row.get("distance").and_then(|d| d.parse().ok()).unwrap_or(own);
    let text = format!("route {text}");
    // `blackhole=` with nothing behind it means yes.
    if row.get("blackhole").is_some_and(|b| b != "false" && b != "no") {
        return Some(Route { len, distance, out: None, text });
    }
    let out = gateway.split(',').find_map(|hop| next(view, hop, table, depth))?;
    Some(Route { len, distance, out: Some(out), text })
}

/// Where a gateway is: `192.0.2.1`, `192.0.2.1%ether1`, `ether1`, `192.0.2.1@main`.
fn next(view: &View<'_>, hop: &str, table: &str, depth: u8) -> Option<(String, Option<IpAddr>)> {
    let (hop, table) = hop.split_once('@').unwrap_or((hop, table));
    let (host, interface) = hop.split_once('%').map_or((hop, None), |(h, i)| (h, Some(i)));
    match (host.parse::<IpAddr>(), interface) {
        (Ok(ip), Some(on)) => view.is_up(on).then(|| (on.to_string(), Some(ip))),
        (Ok(ip), None) => {
            // Gateways are looked up in the main table unless a VRF has its own.
            let within = if is_vrf(view, table) { table } else { "main" };
            let (on, via) = lookup(view, within, ip, depth - 1)?.out?;
            Some((on, via.or(Some(ip))))
        }
        (Err(_), _) => view.is_up(host).then(|| (host.to_string(), None)),
    }
}

fn is_vrf(view: &View<'_>, name: &str) -> bool {
    view.enabled("/ip/vrf").any(|v| v.get("name") == Some(name))
}

/// The VRF an interface is in: `main` unless one has it.
pub(super) fn vrf_of<'v>(view: &'v View<'_>, interface: &str) -> &'v str {
    let has = |row: &&Row| row.get("interfaces").unwrap_or_default().split(',').any(|i| i == interface);
    view.enabled("/ip/vrf").find(has).and_then(|v| v.get("name")).unwrap_or("main")
}

/// Whether an address is the router's own.
pub(super) fn is_local(view: &View<'_>, ip: IpAddr) -> bool {
    let mut rows = view.enabled("/ip/address");
    rows.any(|r| {
        let own = r.get("address").and_then(value::prefix).is_some_and(|(own, _)| own == ip);
        // An interface that is switched off takes its addresses with it.
        own && r.get("interface").is_some_and(|on| view.interface(on).is_some_and(|(_, row)| !row.is("disabled")))
    })
}
