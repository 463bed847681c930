//! Which way routes lead once addresses, routes or interfaces have changed: gateways looked up anew, as the router does it.
//!
//! A gateway is where the longest network of our own has it, or where a route leads that is near enough (`scope` not above the
//! `target-scope` of the route that asks). A route none of whose gateways is anywhere is not in use. What the router said of a
//! route stands as long as a look-up before and one after find the same: it knows more than its rows tell.

use crate::plan::lockout::state::{INTERFACES, State, is_on};
use crate::routeros::flow::net::{Block, address, network};
use crate::routeros::flow::route::{bare, interface_of, is_hole, table_of};
use crate::routeros::row::Row;
use crate::routeros::value;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Deepest chain of gateways behind gateways, and of interfaces on interfaces, that is followed.
const DEEPEST: u8 = 6;
/// Stands for a next hop that cannot be told: no interface has such a name, so that it is another than any other.
pub(super) const UNTOLD: &str = "?";
/// Address and route menus of a family.
const FAMILIES: &[(&str, &str)] = &[("/ip/address", "/ip/route"), ("/ipv6/address", "/ipv6/route")];
/// Scopes of static routes, where a row does not tell.
const SCOPE: u8 = 30;
const TARGET_SCOPE: u8 = 10;

/// Whether a row of this menu may change where routes lead.
pub(super) fn leads(menu: &str) -> bool {
    FAMILIES.iter().any(|(addresses, routes)| menu == *addresses || menu == *routes) || INTERFACES.contains(&menu)
}

/// Whether what routes hang on is kept in this menu.
pub(super) fn is_kept(menu: &str) -> bool {
    leads(menu) || menu.starts_with("/interface")
}

/// Ways a gateway may be reached, as `immediate-gw` writes them; empty for not at all. More than one: nobody can tell which.
type Ways = BTreeSet<String>;

fn one(way: impl Into<String>) -> Ways {
    Ways::from([way.into()])
}

/// A network that the router is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Near {
    net: String,
    interface: String,
    vrf: String,
}

impl Near {
    fn block(&self) -> Option<Block> {
        Block::parse(&self.net)
    }
}

impl State {
    /// What a router says of rows, where the rows that were read do not: which routes are in use, which addresses hang on an
    /// interface that is off.
    pub(super) fn complete(&mut self) {
        for (addresses, routes) in FAMILIES {
            self.mark_down(addresses, None);
            let Some(rows) = self.rows_mut(routes) else { continue };
            let marked: BTreeSet<String> = rows.iter().filter(|row| is_on(row, "active")).map(|row| table_of(row).to_owned()).collect();
            for row in rows.iter_mut().filter(|row| !marked.contains(table_of(row)) && !is_on(row, "disabled") && !is_on(row, "inactive")) {
                *row = with(row, &["active"], &[("active", "true")]);
            }
        }
    }

    /// Follows what an edit of this menu changed, from how it was.
    pub(super) fn reroute(&mut self, menu: &str, old: &State) {
        for (addresses, routes) in FAMILIES {
            if INTERFACES.contains(&menu) {
                self.mark_down(addresses, Some(old));
            }
            let (was, is) = (old.near(addresses), self.near(addresses));
            self.reconnect(routes, &was, &is);
            let moved: Vec<&Near> = was.symmetric_difference(&is).collect();
            if moved.is_empty() && menu != *routes && !INTERFACES.contains(&menu) {
                continue;
            }
            self.resolve(addresses, routes, old, &moved);
        }
    }

    /// Addresses go and come with their interface. Without an earlier state, those that must be gone by the rows as they are.
    fn mark_down(&mut self, addresses: &str, old: Option<&State>) {
        let marks: Vec<(usize, bool)> = self
            .rows(addresses)
            .iter()
            .enumerate()
            .filter_map(|(at, row)| {
                let (named, real) = (row.get("interface")?, interface_of(row)?);
                let up = |state: &State| state.is_up(named, 0) && state.is_up(real, 0);
                match (old.is_none_or(up), up(self)) {
                    (true, false) => Some((at, true)),
                    (false, true) => Some((at, false)),
                    _ => None,
                }
            })
            .collect();
        let Some(rows) = self.rows_mut(addresses) else { return };
        for (at, down) in marks {
            let mark: &[(&str, &str)] = if down { &[("invalid", "true")] } else { &[] };
            rows[at] = with(&rows[at], &["invalid"], mark);
        }
    }

    /// Whether an interface and what carries it are on. One that was not read counts as being on.
    fn is_up(&self, name: &str, depth: u8) -> bool {
        let off = |menu: &str| self.row(menu, &[("name", name)]).is_some_and(|row| is_on(row, "disabled"));
        if off("/interface") {
            return false;
        }
        let below = ["/interface/vlan", "/interface/vrrp", "/interface/macvlan"]
            .iter()
            .find_map(|menu| self.row(menu, &[("name", name)])?.get("interface").filter(|below| *below != name));
        depth >= DEEPEST || below.is_none_or(|below| self.is_up(below, depth + 1))
    }

    /// The networks the router is in.
    fn near(&self, addresses: &str) -> BTreeSet<Near> {
        let on = self.rows(addresses).iter().filter(|row| !is_on(row, "disabled") && !is_on(row, "invalid"));
        on.filter_map(|row| {
            let net = network(row)?;
            Some(Near {
                net: format!("{}/{}", net.first(), net.bits()?),
                interface: interface_of(row)?.to_owned(),
                vrf: vrf(row).to_owned(),
            })
        })
        .collect()
    }

    /// Connected routes follow networks.
    fn reconnect(&mut self, routes: &str, was: &BTreeSet<Near>, is: &BTreeSet<Near>) {
        let Some(rows) = self.rows_mut(routes) else { return };
        for gone in was.difference(is) {
            let of = |row: &Row| {
                is_on(row, "connect")
                    && row.get("dst-address").map(bare) == Some(&gone.net)
                    && row.get("gateway").is_none_or(|by| bare(by) == gone.interface)
            };
            rows.retain(|row| !of(row));
        }
        for new in is.difference(was) {
            rows.push(Row::from_pairs([
                ("dst-address", new.net.as_str()),
                ("gateway", &new.interface),
                ("connect", "true"),
                ("active", "true"),
                ("dynamic", "true"),
                ("distance", "0"),
                ("routing-table", &new.vrf),
            ]));
        }
    }

    /// Writes anew what hangs on another way than before.
    fn resolve(&mut self, addresses: &str, routes: &str, old: &State, moved: &[&Near]) {
        let mut contested: BTreeSet<(String, String)> = BTreeSet::new();
        let key = |row: &Row| (table_of(row).to_owned(), row.get("dst-address").map(bare).unwrap_or_default().to_owned());
        // One that is new, gone or another leaves its place to be fought for.
        let differs = |row: &&Row, others: &State| !is_on(row, "connect") && !others.rows(routes).contains(row);
        contested.extend(self.rows(routes).iter().filter(|row| differs(row, old)).map(key));
        contested.extend(old.rows(routes).iter().filter(|row| differs(row, self)).map(key));
        let mut written: Vec<(usize, Ways)> = Vec::new();
        for (at, row) in self.rows(routes).iter().enumerate().filter(|(_, row)| is_static(row)) {
            let ways = self.ways(addresses, routes, row, 0);
            if old.rows(routes).contains(row) {
                let before = old.ways(addresses, routes, row, 0);
                if before == ways {
                    if !is_riddle(row, &ways, moved) {
                        continue;
                    }
                    written.push((at, Ways::from([String::new(), UNTOLD.to_owned()])));
                    continue;
                }
            }
            contested.insert(key(row));
            written.push((at, ways));
        }
        let unreached: BTreeSet<usize> = self
            .rows(routes)
            .iter()
            .enumerate()
            .filter(|(_, row)| is_static(row) && contested.contains(&key(row)) && self.ways(addresses, routes, row, 0) == one(""))
            .map(|(at, _)| at)
            .collect();
        let Some(rows) = self.rows_mut(routes) else { return };
        for (at, ways) in written {
            rows[at] = led(&rows[at], &ways);
        }
        // Which of several routes to one network is in use is decided anew: all of them that lead anywhere count.
        for (_, row) in rows.iter_mut().enumerate().filter(|(at, row)| !unreached.contains(at) && contested.contains(&key(row))) {
            if !is_on(row, "disabled") && !is_on(row, "connect") && !is_on(row, "active") {
                *row = with(row, &["active", "inactive"], &[("active", "true")]);
            }
        }
    }

    /// How a route may lead out.
    fn ways(&self, addresses: &str, routes: &str, row: &Row, depth: u8) -> Ways {
        let target = number(row, "target-scope").unwrap_or(TARGET_SCOPE);
        let hops: Vec<Ways> = value::list(row.get("gateway").unwrap_or_default())
            .map(|hop| self.hop(addresses, routes, bare(hop), (table_of(row), target), depth))
            .collect();
        // Of several gateways those that are somewhere are used.
        if hops.iter().all(|ways| ways.len() == 1) {
            let sure: Vec<&str> = hops.iter().flatten().map(String::as_str).filter(|way| !way.is_empty()).collect();
            return one(sure.join(","));
        }
        hops.into_iter().flatten().chain([String::new()]).collect()
    }

    fn hop(&self, addresses: &str, routes: &str, hop: &str, (table, target): (&str, u8), depth: u8) -> Ways {
        if let Some((_, interface)) = hop.split_once('%') {
            return one(if self.is_up(interface, 0) { hop } else { "" });
        }
        let Ok(ip) = hop.parse::<IpAddr>() else { return one(if self.is_up(hop, 0) { hop } else { "" }) };
        let own = |row: &Row| !is_on(row, "disabled") && !is_on(row, "invalid") && row.get("address").and_then(address) == Some(ip);
        if self.rows(addresses).iter().any(own) {
            // The router is its own gateway: whatever it makes of that, nobody answers there.
            return Ways::from([String::new(), UNTOLD.to_owned()]);
        }
        let near = self.near(addresses);
        let vrf = if near.iter().any(|near| near.vrf == table) { table } else { "main" };
        let holding: Vec<(u8, &Near)> = near
            .iter()
            .filter(|near| near.vrf == vrf)
            .filter_map(|near| Some((near.block().filter(|net| net.contains(ip))?.bits()?, near)))
            .collect();
        let longest = holding.iter().map(|(bits, _)| *bits).max();
        let mut found = Ways::new();
        let mut through: Vec<(u8, u8, u32, &Row)> = self
            .rows(routes)
            .iter()
            .filter(|row| is_static(row) && table_of(row) == vrf && depth < DEEPEST)
            .filter_map(|row| {
                let bits = Block::parse(row.get("dst-address").map(bare)?).filter(|net| net.contains(ip))?.bits()?;
                let scope = number(row, "scope").unwrap_or(SCOPE);
                let distance = row.get("distance").and_then(|text| text.parse().ok()).unwrap_or(1);
                (scope <= target && longest.is_none_or(|longest| bits > longest)).then_some((bits, scope, distance, row))
            })
            .collect();
        through.sort_by_key(|(bits, _, distance, _)| (Reverse(*bits), *distance));
        for (_, scope, _, row) in through {
            let ways = self.ways(addresses, routes, row, depth + 1);
            let sure = !ways.contains("");
            found.extend(ways.into_iter().filter(|way| !way.is_empty()).map(|way| next_hop(hop, &way)));
            // Versions differ in whether the same scope is near enough.
            if sure && scope < target {
                return found;
            }
        }
        let direct = holding.iter().filter(|(bits, _)| Some(*bits) == longest).map(|(_, near)| format!("{hop}%{}", near.interface));
        found.extend(direct);
        if longest.is_none() {
            found.insert(String::new());
        }
        found
    }

    /// Gateways of routes that are in no network of the router, or elsewhere than the router says: other routes lead to them.
    pub(super) fn far_gateways(&self, v6: bool) -> Vec<IpAddr> {
        let (addresses, routes) = FAMILIES[usize::from(v6)];
        let near = self.near(addresses);
        let mut far: Vec<IpAddr> = Vec::new();
        for row in self.rows(routes).iter().filter(|row| is_static(row)) {
            let told = row.get("immediate-gw").unwrap_or_default();
            for ip in gateways(row) {
                let at = |near: &&Near| near.block().is_some_and(|net| net.contains(ip));
                let direct = near.iter().filter(at).any(|near| told.is_empty() || told.contains(near.interface.as_str()));
                if !direct && !far.contains(&ip) {
                    far.push(ip);
                }
            }
        }
        far
    }
}

/// Gateways of a route that are addresses: those that were written, whether through an interface or not.
pub(super) fn gateways(row: &Row) -> impl Iterator<Item = IpAddr> {
    value::list(row.get("gateway").unwrap_or_default()).filter_map(|hop| bare(hop).split('%').next()?.parse().ok())
}

/// A route in use or waiting, that leads by gateways.
fn is_static(row: &Row) -> bool {
    !is_on(row, "disabled") && !is_on(row, "connect") && !is_hole(row) && row.get("gateway").is_some_and(|gateway| !gateway.is_empty())
}

/// What the router says of a route does not follow from the rows, and it may hang on a network that came or went.
fn is_riddle(row: &Row, ways: &Ways, moved: &[&Near]) -> bool {
    let told = row.get("immediate-gw").unwrap_or_default();
    if told.is_empty() || ways.iter().any(|way| agree(way, told)) {
        return false;
    }
    let mut hops = value::list(told).map(|hop| bare(hop).split_once('%').unwrap_or((hop, "")));
    let hangs = |near: &Near, ip: &str, interface: &str| {
        near.interface == interface || near.block().zip(ip.parse().ok()).is_some_and(|(net, ip): (Block, IpAddr)| net.contains(ip))
    };
    hops.any(|(ip, interface)| moved.iter().any(|near| hangs(near, ip, interface)))
        || gateways(row).any(|ip| moved.iter().any(|near| hangs(near, &ip.to_string(), "")))
}

/// Whether two spellings of next hops are of the same; the router may leave out interface or address.
fn agree(way: &str, told: &str) -> bool {
    let parts = |text: &str| -> BTreeSet<String> { value::list(text).flat_map(|hop| bare(hop).split('%')).map(str::to_owned).collect() };
    let (way, told) = (parts(way), parts(told));
    way.is_superset(&told) || told.is_superset(&way) && !way.is_empty()
}

/// The next hop of a gateway that is reached by another route's way: that route's, or itself where that leads straight to it.
fn next_hop(gateway: &str, way: &str) -> String {
    let direct = |hop: &str| !hop.contains('%') && hop.parse::<IpAddr>().is_err() && hop != UNTOLD;
    value::list(way).map(|hop| if direct(hop) { format!("{gateway}%{hop}") } else { hop.to_owned() }).collect::<Vec<_>>().join(",")
}

/// A route as the router would tell of it.
fn led(row: &Row, ways: &Ways) -> Row {
    const ABOUT: &[&str] = &["immediate-gw", "active", "inactive"];
    if *ways == one("") {
        return with(row, ABOUT, &[("inactive", "true")]);
    }
    let mut hops: Vec<&str> = ways.iter().map(String::as_str).filter(|way| !way.is_empty()).collect();
    if ways.len() > 1 && !hops.contains(&UNTOLD) {
        hops.push(UNTOLD);
    }
    with(row, ABOUT, &[("active", "true"), ("immediate-gw", &hops.join(","))])
}

/// A row without some attributes and with others.
fn with(row: &Row, without: &[&str], more: &[(&str, &str)]) -> Row {
    Row::from_pairs(row.iter().filter(|(name, _)| !without.contains(name)).chain(more.iter().copied()))
}

fn number(row: &Row, name: &str) -> Option<u8> {
    row.get(name)?.parse().ok()
}

fn vrf(row: &Row) -> &str {
    row.get("vrf").filter(|vrf| !vrf.is_empty()).unwrap_or("main")
}
