//! Routes as a router shows them: static ones resolved, connected ones that follow from the addresses.

use super::row::Row;
use super::value;
use super::world::World;
use std::net::IpAddr;

/// First `.id` of connected routes, as seen on 7.20.
const CONNECTED_ROUTES: u32 = 0x2018_3060;

/// The rows of `/ip/route`.
pub(super) fn main(world: &mut World) -> Vec<Row> {
    let addresses = world.table("/ip/address").rows.clone();
    let stored = world.table("/ip/route").rows.clone();
    let mut rows: Vec<Row> = stored.iter().map(|row| if row.is("dynamic") { row.clone() } else { static_route(row, &addresses) }).collect();
    for (i, address) in addresses.iter().filter(|a| !a.is("disabled")).enumerate() {
        let (Some((ip, len)), Some(on)) = (address.get("address").and_then(value::prefix), address.get("interface")) else { continue };
        let row = Row::new(Some(CONNECTED_ROUTES + 16 * i as u32))
            .with("active", "true")
            .with("connect", "true")
            .with("distance", "0")
            .with("dst-address", format!("{}/{len}", value::network(ip, len)))
            .with("dynamic", "true")
            .with("gateway", on)
            .with("immediate-gw", on)
            .with("inactive", "false")
            .with("local-address", format!("{ip}%{on}"))
            .with("routing-table", "main")
            .with("scope", "10")
            .with("target-scope", "5");
        rows.push(row);
    }
    rows
}

fn static_route(stored: &Row, addresses: &[Row]) -> Row {
    let mut row = stored.clone();
    row.put("static", "true");
    if row.get("dst-address").is_none() {
        row.put("dst-address", "0.0.0.0/0");
    }
    if row.is("disabled") {
        row.retain(|name| matches!(name, "dst-address" | "gateway" | "disabled" | "static" | "comment"));
        row.put("inactive", "true");
        return row;
    }
    for (name, default) in [("distance", "1"), ("routing-table", "main"), ("scope", "30"), ("target-scope", "10"), ("dynamic", "false")] {
        if row.get(name).is_none() {
            row.put(name, default);
        }
    }
    let gateway = row.get("gateway").unwrap_or_default().to_string();
    let next: Option<IpAddr> = gateway.split(['%', ',']).next().and_then(|g| g.parse().ok());
    let through = addresses.iter().filter(|a| !a.is("disabled")).find(|a| {
        let subnet = a.get("address").and_then(value::prefix);
        subnet.zip(next).is_some_and(|(subnet, gateway)| value::covers(subnet, gateway))
    });
    let reachable = through.is_some() || next.is_none() || row.get("blackhole").is_some();
    if reachable {
        row.put("active", "true");
    }
    row.put("inactive", (!reachable).to_string());
    if let Some(on) = through.and_then(|a| a.get("interface")) {
        row.put("immediate-gw", format!("{}%{on}", gateway.split('%').next().unwrap_or_default()));
    } else if next.is_none() && !gateway.is_empty() {
        row.put("immediate-gw", gateway);
    }
    row
}

/// The rows of `/routing/route`.
pub(super) fn all(world: &mut World) -> Vec<Row> {
    let mut rows = main(world);
    rows.iter_mut().for_each(|row| row.put("afi", "ip4"));
    let six = rows.len();
    rows.extend(world.rows("/ipv6/route"));
    rows[six..].iter_mut().for_each(|row| row.put("afi", "ip6"));
    for row in &mut rows {
        row.put("contribution", if row.is("active") { "active" } else { "candidate" });
        let from = ["connect", "static", "ospf", "bgp", "dhcp"].into_iter().find(|n| row.is(n)).unwrap_or("static");
        row.put("belongs-to", if from == "connect" { "connected" } else { from });
    }
    rows
}
