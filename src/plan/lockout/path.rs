//! Who we are to the router: where our packets come from, to which of its addresses, by which interface. Pure.

use crate::plan::lockout::packets::tables;
use crate::plan::lockout::state::{State, is_on};
use crate::plan::lockout::{Service, Site, link};
use crate::routeros::flow::net::{Block, address};
use crate::routeros::flow::route::interface_of;
use crate::routeros::flow::{Part, Port, Visit, Visited, visit};
use crate::routeros::row::Row;
use std::net::IpAddr;

/// Most candidates whose way is followed; more say only that nobody knows.
const MOST_SOURCES: usize = 12;

/// Our way in, as the rows tell it. Several candidates stand for not knowing which.
#[derive(Debug, Clone, Default)]
pub(super) struct Who {
    /// Our address as the router sees it; none where nobody can tell.
    pub sources: Vec<IpAddr>,
    /// Addresses of the router that our packets may be for.
    pub arrivals: Vec<IpAddr>,
    /// Services in use, with the port the router has them on.
    pub doors: Vec<Service>,
    /// Who we are there.
    pub user: String,
    /// Our own end of the connection, for where the router's view is not known.
    pub own: Option<IpAddr>,
    /// The interface our packets come in by.
    pub ingress: Option<String>,
    /// Next hops of answers; none for a neighbour.
    pub gateways: Vec<IpAddr>,
    /// The interfaces that the addresses we come to are on.
    pub homes: Vec<String>,
    /// A route other than that of our own network takes answers back.
    pub is_remote: bool,
    /// What our packets pass below IP.
    pub link: link::Link,
}

impl Who {
    /// Whether the way is IPv6.
    pub fn is_v6(&self) -> bool {
        self.arrivals.first().or(self.sources.first()).is_some_and(IpAddr::is_ipv6)
    }

    /// The interface we come in by, and those that the addresses we come to are on.
    pub fn interfaces(&self) -> impl Iterator<Item = &str> {
        self.ingress.iter().chain(&self.homes).map(String::as_str)
    }

    /// Whether an address or network may be us or the address of the router that we come to.
    pub fn may_be_in(&self, text: &str) -> bool {
        let Some(block) = Block::parse(text) else { return true };
        self.sources.is_empty() || self.sources.iter().chain(&self.arrivals).any(|ip| block.contains(*ip))
    }
}

/// Finds it out from rows as they are.
pub(super) fn locate(site: &Site, state: &State) -> Who {
    let path = &site.path;
    let doors = path.services.iter().map(|service| door(service, state)).collect();
    let mut who = Who { doors, user: path.user.clone(), own: path.own, ..Who::default() };
    who.sources = sources(site, state, &who.doors);
    who.arrivals = arrivals(site, state, &who);
    who.homes = homes(state, &who.arrivals);
    let visited: Vec<Visited<'_>> = who.sources.iter().take(MOST_SOURCES).filter_map(|src| first_visit(state, &who, *src)).collect();
    let mut ways = visited.iter().map(|visited| visited.ingress.name());
    // Several who may be us, each by another interface: nobody knows which.
    let first = ways.next().flatten();
    who.ingress = first.filter(|first| ways.all(|way| way == Some(*first))).map(str::to_owned);
    who.is_remote = visited
        .iter()
        .flat_map(|visited| &visited.legs)
        .filter(|leg| leg.part == Part::Answer)
        .flat_map(|leg| &leg.hops)
        .any(|hop| hop.step == "route" && hop.menu == "/route" && hop.rows.iter().any(|place| !is_on(place.row, "connect")));
    for gateway in visited.into_iter().flat_map(|visited| visited.gateways) {
        if !who.gateways.contains(&gateway) {
            who.gateways.push(gateway);
        }
    }
    who.link = link::under(state, &who);
    who
}

fn homes(state: &State, arrivals: &[IpAddr]) -> Vec<String> {
    let rows = ["/ip/address", "/ipv6/address"].iter().flat_map(|menu| state.rows(menu));
    let ours = rows.filter(|row| !is_on(row, "disabled") && row.get("address").and_then(address).is_some_and(|ip| arrivals.contains(&ip)));
    let mut names: Vec<String> = ours.flat_map(|row| [interface_of(row), row.get("interface")]).flatten().map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn first_visit<'s>(state: &'s State, who: &Who, src: IpAddr) -> Option<Visited<'s>> {
    let dst = *who.arrivals.iter().find(|dst| dst.is_ipv6() == src.is_ipv6())?;
    let port = who.doors.first().map_or(443, |door| door.port);
    let mut tables = tables(state, dst.is_ipv6());
    // Where packets come in and answers leave is asked here, not whether rules let them.
    let open: Option<&[Row]> = Some(&[]);
    (tables.filter, tables.raw, tables.nat) = (open, open, open);
    let visited = visit(&tables, &Visit { src, dst, port, udp: false, ingress: None });
    (visited.ingress != Port::Unknown).then_some(visited)
}

/// The port as the router has it: ours may have been translated on the way.
fn door(service: &Service, state: &State) -> Service {
    let row = service_row(state, &service.name);
    let port = row.and_then(|row| row.get("port")?.parse().ok()).unwrap_or(service.port);
    Service { name: service.name.clone(), port }
}

/// The row of a service, among the rows of its connections.
pub(super) fn service_row<'s>(state: &'s State, name: &str) -> Option<&'s Row> {
    let own = |row: &&Row| row.get("name") == Some(name) && !is_on(row, "connection") && !is_on(row, "dynamic");
    state.rows("/ip/service").iter().find(own)
}

fn sources(site: &Site, state: &State, doors: &[Service]) -> Vec<IpAddr> {
    if let Some(known) = site.path.source {
        return vec![known];
    }
    let ours = |row: &&Row| {
        row.get("name") == Some(&site.path.user) && !matches!(row.get("via"), Some("winbox" | "local" | "telnet" | "ftp" | "web"))
    };
    let active = state.rows("/user/active").iter().filter(ours).filter_map(|row| address(row.get("address")?));
    let mut found: Vec<IpAddr> = Vec::new();
    let connected = state.rows("/ip/service").iter().filter(|row| is_open(row, doors)).filter_map(|row| end(row.get("remote")?));
    for ip in active.chain(connected) {
        if !found.contains(&ip) {
            found.push(ip);
        }
    }
    // The user list tells who we are; connections alone only that somebody is there.
    match site.path.own {
        Some(own) if found.contains(&own) => vec![own],
        _ => found,
    }
}

fn is_open(row: &Row, doors: &[Service]) -> bool {
    is_on(row, "connection") && doors.iter().any(|door| row.get("name") == Some(&door.name))
}

/// `192.0.2.1:443`, `[2001:db8::1]:443`, `192.0.2.1`.
fn end(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let ip: Option<IpAddr> = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?.parse().ok(),
        None => text.parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok()),
    };
    ip.map(|ip| ip.to_canonical())
}

fn arrivals(site: &Site, state: &State, who: &Who) -> Vec<IpAddr> {
    let own: Vec<(IpAddr, Option<Block>)> = ["/ip/address", "/ipv6/address"]
        .iter()
        .flat_map(|menu| state.rows(menu))
        .filter(|row| !is_on(row, "disabled") && !is_on(row, "invalid"))
        .filter_map(|row| Some((row.get("address").and_then(address)?, row.get("address").and_then(Block::parse))))
        // No way in from outside; where the very address is dialled there is one, through a tunnel or on one machine.
        .filter(|(ip, _)| !ip.is_loopback() || site.path.router == Some(*ip))
        .collect();
    let is_own = |ip: &IpAddr| own.iter().any(|(known, _)| known == ip);
    if let Some(dialled) = site.path.router.filter(|ip| own.is_empty() || is_own(ip)) {
        return vec![dialled];
    }
    let open = state.rows("/ip/service").iter().filter(|row| is_open(row, &who.doors));
    let of_us = open.filter(|row| row.get("remote").and_then(end).is_some_and(|ip| who.sources.contains(&ip)));
    let mut found: Vec<IpAddr> = of_us.filter_map(|row| end(row.get("local")?)).filter(is_own).collect();
    if found.is_empty() {
        let near = |(_, net): &&(IpAddr, Option<Block>)| net.is_some_and(|net| who.sources.iter().any(|ip| net.contains(*ip)));
        found = own.iter().filter(near).map(|(ip, _)| *ip).collect();
    }
    if found.is_empty() {
        let v6 = who.sources.first().is_some_and(IpAddr::is_ipv6);
        found = own.iter().map(|(ip, _)| *ip).filter(|ip| ip.is_ipv6() == v6).collect();
    }
    found.dedup();
    found
}
