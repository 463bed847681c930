//! Which way a packet leaves: own addresses, routing rules, the longest active prefix.
//!
//! Routes that are not in use do not count. Where a router marks no route of a table as active (rows read over a
//! narrow list of columns), every route that is not disabled or inactive does.

use super::chain::Place;
use super::net::{Block, network};
use super::packet::{Mark, Packet, Port};
use super::{Tables, is_off, is_on};
use crate::routeros::row::Row;
use crate::routeros::value;
use std::net::IpAddr;

/// The way found.
#[derive(Debug, Clone)]
pub enum Way<'a> {
    /// The router itself is meant.
    Local(Place<'a>),
    /// Out, by these routes: several share the load.
    Out {
        /// The best routes.
        routes: Vec<Place<'a>>,
        /// Next hops, without those that are interfaces only.
        gateways: Vec<IpAddr>,
        /// By this interface.
        port: Port,
        /// Which table it was found in.
        table: String,
    },
    /// A route or rule that throws packets away, and its menu.
    Blackhole(&'static str, Place<'a>),
    /// No route.
    Nothing,
    /// The tables do not tell.
    Unknown(String, Option<Place<'a>>),
}

/// The route of a packet that goes to `to` and has `packet`'s source, ingress and marks.
pub fn find<'a>(to: IpAddr, packet: &Packet, tables: &Tables<'a>) -> Way<'a> {
    if let Some((position, row)) = tables.own(to) {
        return Way::Local(Place { position, row });
    }
    if packet.routing_mark == Mark::Maybe {
        return Way::Unknown("the routing mark".into(), None);
    }
    let mut tried = Vec::new();
    if let Mark::Is(mark) = &packet.routing_mark {
        tried.push((mark.clone(), false));
    } else if let Some(vrf) = packet.ingress.name().and_then(|name| tables.vrf_of(name)) {
        tried.push((vrf.to_owned(), true));
    }
    for (table, only) in tried {
        match tables.in_table(&table, to) {
            Some(way) => return way,
            None if only => return Way::Nothing,
            None => {}
        }
    }
    match by_rules(to, packet, tables) {
        Some(way) => way,
        None => tables.in_table("main", to).unwrap_or(Way::Nothing),
    }
}

/// The user's routing rules; the router's own come with `default`, or in other chains.
fn by_rules<'a>(to: IpAddr, packet: &Packet, tables: &Tables<'a>) -> Option<Way<'a>> {
    let Some(rows) = tables.rules else { return Some(Way::Unknown("the routing rules could not be read".into(), None)) };
    for (position, row) in rows.iter().enumerate() {
        let built_in = is_on(row, "default") || row.get("chain").is_some_and(|chain| !matches!(chain, "" | "user"));
        if is_off(row) || built_in || is_on(row, "inactive") {
            continue;
        }
        let place = Place { position, row };
        match rule_fits(row, to, packet) {
            Some(false) => continue,
            None => return Some(Way::Unknown(format!("a matcher of routing rule {position}"), Some(place))),
            Some(true) => {}
        }
        let table = row.get("table").filter(|table| !table.is_empty()).unwrap_or("main");
        match row.get("action").filter(|action| !action.is_empty()).unwrap_or("lookup") {
            "drop" | "unreachable" => return Some(Way::Blackhole("/routing/rule", place)),
            "lookup" => {
                if let Some(way) = tables.in_table(table, to) {
                    return Some(way);
                }
            }
            "lookup-only-in-table" => return Some(tables.in_table(table, to).unwrap_or(Way::Nothing)),
            _ => return Some(Way::Unknown(format!("the action of routing rule {position}"), Some(place))),
        }
    }
    None
}

fn rule_fits(row: &Row, to: IpAddr, packet: &Packet) -> Option<bool> {
    let set = |name: &str| row.get(name).filter(|text| !text.is_empty());
    for (name, ip) in [("src-address", packet.src), ("dst-address", to)] {
        if let Some(text) = set(name)
            && !Block::parse(text)?.contains(ip)
        {
            return Some(false);
        }
    }
    if let Some(interface) = set("interface") {
        match &packet.ingress {
            Port::Named(name) if name == interface => {}
            Port::Named(_) | Port::None => return Some(false),
            Port::Unknown => return None,
        }
    }
    if let Some(mark) = set("routing-mark")
        && packet.routing_mark != Mark::Is(mark.to_owned())
    {
        return Some(false);
    }
    // These ask for more than the tables here hold.
    let more = ["min-prefix", "realm", "vrf"].iter().any(|name| set(name).is_some_and(|text| text != "main"));
    if more { None } else { Some(true) }
}

impl<'a> Tables<'a> {
    /// The best way within one table; `None` when it has no route there.
    fn in_table(&self, table: &str, to: IpAddr) -> Option<Way<'a>> {
        let of_table = |row: &&'a Row| table_of(row) == table && !is_off(row);
        let marks_active = self.routes.iter().filter(|row| table_of(row) == table).any(|row| is_on(row, "active"));
        let in_use = |row: &Row| if marks_active { is_on(row, "active") } else { !is_on(row, "inactive") };
        let mut best: Vec<Place<'a>> = Vec::new();
        let mut rank = None;
        for (position, row) in self.routes.iter().enumerate().filter(|(_, row)| of_table(row) && in_use(row)) {
            let Some(net) = row.get("dst-address").map(bare).and_then(Block::parse).filter(|net| net.contains(to)) else { continue };
            let distance: u32 = row.get("distance").and_then(|text| text.parse().ok()).unwrap_or(if is_on(row, "connect") { 0 } else { 1 });
            let this = (net.bits().unwrap_or(0), u32::MAX - distance);
            match rank {
                Some(so_far) if so_far > this => continue,
                Some(so_far) if so_far == this => {}
                _ => best.clear(),
            }
            rank = Some(this);
            best.push(Place { position, row });
        }
        if best.is_empty() {
            return self.connected(to, table);
        }
        if let Some(hole) = best.iter().find(|place| is_hole(place.row)) {
            return Some(Way::Blackhole("/route", *hole));
        }
        let mut gateways = Vec::new();
        let mut ports: Vec<Port> = Vec::new();
        for place in &best {
            for (gateway, port) in self.next_hops(place.row, 0) {
                gateways.extend(gateway.filter(|gateway| !gateways.contains(gateway)));
                if !ports.contains(&port) {
                    ports.push(port);
                }
            }
        }
        let port = if ports.len() == 1 { ports.remove(0) } else { Port::Unknown };
        Some(Way::Out { routes: best, gateways, port, table: table.to_owned() })
    }

    /// Networks of the router's own addresses, where it lists no connected routes.
    fn connected(&self, to: IpAddr, table: &str) -> Option<Way<'a>> {
        if table != "main" || self.routes.iter().any(|row| is_on(row, "connect")) {
            return None;
        }
        let (_, name) = self.network_of(to)?;
        Some(Way::Out { routes: Vec::new(), gateways: Vec::new(), port: Port::Named(name), table: table.to_owned() })
    }

    /// The interface of the longest network of our own that holds the address.
    pub(super) fn network_of(&self, ip: IpAddr) -> Option<(Place<'a>, String)> {
        let networks = self.addresses.iter().enumerate().filter(|(_, row)| !is_off(row));
        let holding = networks.filter_map(|(position, row)| {
            let net = network(row).filter(|net| net.contains(ip))?;
            Some((net.bits(), Place { position, row }, interface_of(row)?.to_owned()))
        });
        holding.max_by_key(|(bits, ..)| *bits).map(|(_, place, name)| (place, name))
    }

    /// Gateway and interface of each next hop of a route.
    fn next_hops(&self, row: &Row, depth: u8) -> Vec<(Option<IpAddr>, Port)> {
        let immediate = row.get("immediate-gw").filter(|text| !text.is_empty());
        let gateways = immediate.or(row.get("gateway")).unwrap_or_default();
        value::list(gateways).map(|hop| self.next_hop(bare(hop), depth)).collect()
    }

    fn next_hop(&self, hop: &str, depth: u8) -> (Option<IpAddr>, Port) {
        if let Some((gateway, interface)) = hop.split_once('%') {
            return (gateway.parse().ok(), Port::Named(interface.to_owned()));
        }
        let Ok(gateway) = hop.parse::<IpAddr>() else { return (None, Port::Named(hop.to_owned())) };
        if let Some((_, interface)) = self.network_of(gateway) {
            return (Some(gateway), Port::Named(interface));
        }
        // Reached through another route, as BGP's are.
        if depth < 4
            && let Some(Way::Out { routes, .. }) = self.in_table("main", gateway)
            && let Some(through) = routes.first()
            && let Some(first) = self.next_hops(through.row, depth + 1).into_iter().next()
        {
            return (first.0.or(Some(gateway)), first.1);
        }
        (Some(gateway), Port::Unknown)
    }

    /// Interfaces that default routes in use leave by.
    pub fn uplinks(&self) -> Vec<String> {
        let is_default = |row: &&Row| matches!(row.get("dst-address"), Some("0.0.0.0/0" | "::/0"));
        let in_use = |row: &&Row| !is_off(row) && !is_on(row, "inactive") && !is_hole(row);
        let mut names: Vec<String> = Vec::new();
        for row in self.routes.iter().filter(is_default).filter(in_use) {
            for (_, port) in self.next_hops(row, 0) {
                if let Port::Named(name) = port
                    && !names.contains(&name)
                {
                    names.push(name);
                }
            }
        }
        names
    }

    fn vrf_of(&self, interface: &str) -> Option<&str> {
        let row = self.addresses.iter().find(|row| interface_of(row) == Some(interface))?;
        row.get("vrf").filter(|vrf| !matches!(*vrf, "" | "main"))
    }
}

/// The interface an address really works on.
pub fn interface_of(row: &Row) -> Option<&str> {
    row.get("actual-interface").filter(|name| !name.is_empty()).or(row.get("interface"))
}

/// `main`, unless the route or its prefix names another.
pub fn table_of(row: &Row) -> &str {
    let named = row.get("routing-table").filter(|table| !table.is_empty());
    let suffix = row.get("dst-address").and_then(|dst| dst.split_once('@')).map(|(_, table)| table);
    named.or(suffix).unwrap_or("main")
}

/// Without the table that may stand behind an address.
pub fn bare(text: &str) -> &str {
    text.split('@').next().unwrap_or(text)
}

/// `blackhole` has no value; other words say the same of other protocols' routes.
pub fn is_hole(row: &Row) -> bool {
    ["blackhole", "unreachable", "prohibit"].iter().any(|name| is_on(row, name))
        || matches!(row.get("type"), Some("blackhole" | "unreachable" | "prohibit"))
}
