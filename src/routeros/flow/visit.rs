//! A visitor who logs in to the router itself: knocks, stays, and is answered.
//!
//! One packet let in is no visit. The later packets of the connection meet other rules than the first one, the answers need
//! a way out and a route, and rules that count callers in address lists may shut the door only after some knocks.

use super::journey::{Flow, Hop, Step, Trace};
use super::packet::{Mark, Packet, Port, Truth};
use super::{Tables, Verdict};
use std::net::IpAddr;

/// New connections in a row that are looked at: stages of address lists that block callers are rarely more.
const KNOCKS: usize = 6;
/// IP protocol numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Who comes, and to what.
#[derive(Debug, Clone)]
pub struct Visit {
    /// From.
    pub src: IpAddr,
    /// To.
    pub dst: IpAddr,
    /// To this port.
    pub port: u16,
    /// By UDP instead of TCP.
    pub udp: bool,
    /// The interface it comes in by; found from the routes unless given.
    pub ingress: Option<String>,
}

/// Which packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first of a connection.
    Knock,
    /// Those that follow it.
    Stay,
    /// Those that go back.
    Answer,
}

/// What becomes of some of the packets.
#[derive(Debug)]
pub struct Leg<'a> {
    /// Of which.
    pub part: Part,
    /// In the router's order.
    pub hops: Vec<Hop<'a>>,
    /// In the end.
    pub verdict: Verdict,
}

/// The whole visit.
#[derive(Debug)]
pub struct Visited<'a> {
    /// Where it came in.
    pub ingress: Port,
    /// Where answers leave.
    pub egress: Port,
    /// Next hops of answers; none for a neighbour.
    pub gateways: Vec<IpAddr>,
    /// Whether the first packet was for the router itself in the end.
    pub arrived: bool,
    /// The port of its destination in the end: another than was asked for where it was translated.
    pub port: Option<u16>,
    /// In order; what follows a certain end is left out.
    pub legs: Vec<Leg<'a>>,
}

/// Follows a visit.
pub fn visit<'a>(tables: &Tables<'a>, asked: &Visit) -> Visited<'a> {
    let (first, knocked) = knocks(tables, asked);
    let arrived = knocked.hops.iter().any(|hop| hop.step == "filter_input");
    let mut visited = Visited {
        ingress: first.ingress.clone(),
        egress: Port::Unknown,
        gateways: Vec::new(),
        arrived,
        port: first.dst_port,
        legs: vec![knocked],
    };
    if visited.is_over() || !arrived {
        return visited;
    }
    visited.legs.push(stay(tables, asked, &first));
    if !visited.is_over() {
        visited.follow_answers(tables, asked, &first);
    }
    visited
}

impl<'a> Visited<'a> {
    /// No further packet is sent.
    fn is_over(&self) -> bool {
        self.legs.iter().any(|leg| leg.verdict.is_end())
    }

    /// Follows the answers to the packets that came in.
    fn follow_answers(&mut self, tables: &Tables<'a>, asked: &Visit, first: &Packet) {
        let mut back = Packet::new(first.dst, asked.src, first.protocol, None);
        back.src_port = first.dst_port;
        back.established = true;
        back.connection_mark = first.connection_mark.clone();
        back.untracked = first.untracked;
        let mut way = Trace::new(tables);
        let walked = answer(&mut way, &mut back, &mut self.gateways);
        self.egress = back.egress;
        let verdict = way.verdict(walked);
        self.legs.push(Leg { part: Part::Answer, hops: way.hops, verdict });
    }
}

/// Knocks until the door stays shut, or another knock would change nothing: the last first packet, and what became of it.
fn knocks<'a>(tables: &Tables<'a>, asked: &Visit) -> (Packet, Leg<'a>) {
    let protocol = if asked.udp { UDP } else { TCP };
    let mut listed: Vec<(String, IpAddr, Truth)> = Vec::new();
    let mut knocked = 0;
    loop {
        let mut first = Packet::new(asked.src, asked.dst, protocol, Some(asked.port));
        first.listed.clone_from(&listed);
        let leg = knock(tables, asked, &mut first);
        knocked += 1;
        first.listed.dedup();
        let grew = first.listed.iter().any(|entry| !listed.contains(entry));
        if leg.verdict != Verdict::Accepted || !grew || knocked == KNOCKS {
            return (first, leg);
        }
        listed = first.listed;
    }
}

fn knock<'a>(tables: &Tables<'a>, asked: &Visit, packet: &mut Packet) -> Leg<'a> {
    let mut way = Trace::new(tables);
    let flow = Flow { src: asked.src, dst: asked.dst, protocol: packet.protocol, port: Some(asked.port), ingress: asked.ingress.clone() };
    way.ingress(&flow, packet);
    let walked = way.through(packet);
    let verdict = way.verdict(walked);
    Leg { part: Part::Knock, hops: way.hops, verdict }
}

/// NAT is asked for the first packet only; where it led, the others follow.
fn stay<'a>(tables: &Tables<'a>, asked: &Visit, first: &Packet) -> Leg<'a> {
    let mut packet = Packet {
        dst: asked.dst,
        dst_port: Some(asked.port),
        established: true,
        packet_mark: Mark::None,
        routing_mark: Mark::None,
        untracked: Truth::No,
        ..first.clone()
    };
    let mut way = Trace::new(tables);
    let walked = way.later(&mut packet, first);
    let verdict = way.verdict(walked);
    Leg { part: Part::Stay, hops: way.hops, verdict }
}

/// Marks of the output chain pick the table of answers, so the route is asked again after them.
fn answer(way: &mut Trace<'_, '_>, packet: &mut Packet, gateways: &mut Vec<IpAddr>) -> Step {
    let (next, is_local) = way.route(packet)?;
    gateways.clone_from(&next);
    if is_local {
        return Ok(());
    }
    way.rules("raw", "/firewall/raw", way.tables.raw, "output", packet)?;
    way.rules("mangle_output", "/firewall/mangle", way.tables.mangle, "output", packet)?;
    if packet.routing_mark != Mark::None {
        let (next, is_local) = way.route(packet)?;
        gateways.clone_from(&next);
        if is_local {
            return Ok(());
        }
    }
    way.rules("filter_output", "/firewall/filter", way.tables.filter, "output", packet)?;
    way.rules("mangle_postrouting", "/firewall/mangle", way.tables.mangle, "postrouting", packet)
}

impl Trace<'_, '_> {
    fn later(&mut self, packet: &mut Packet, first: &Packet) -> Step {
        self.rules("raw", "/firewall/raw", self.tables.raw, "prerouting", packet)?;
        self.rules("mangle_prerouting", "/firewall/mangle", self.tables.mangle, "prerouting", packet)?;
        (packet.dst, packet.dst_port, packet.dstnat) = (first.dst, first.dst_port, first.dstnat);
        self.rules("mangle_input", "/firewall/mangle", self.tables.mangle, "input", packet)?;
        self.rules("filter_input", "/firewall/filter", self.tables.filter, "input", packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routeros::row::Row;

    fn rows(lines: &[&str]) -> Vec<Row> {
        lines.iter().map(|line| Row::from_pairs(line.split(' ').filter_map(|pair| pair.split_once('=')))).collect()
    }

    fn end(filter: &[&str]) -> (Part, Verdict) {
        let (addresses, filter) = (rows(&["address=10.0.0.1/24 interface=bridge"]), rows(filter));
        let none: &[Row] = &[];
        let tables = Tables {
            addresses: &addresses,
            rules: Some(none),
            raw: Some(none),
            mangle: Some(none),
            nat: Some(none),
            filter: Some(&filter),
            address_lists: Some(none),
            lists: Some(none),
            members: Some(none),
            ..Tables::default()
        };
        let asked = Visit { src: "10.0.0.50".parse().unwrap(), dst: "10.0.0.1".parse().unwrap(), port: 443, udp: false, ingress: None };
        let visited = visit(&tables, &asked);
        let last = visited.legs.last().unwrap();
        (last.part, last.verdict)
    }

    #[test]
    fn a_visit_needs_its_first_packet_its_later_ones_and_its_answers() {
        let cases: &[(&[&str], Part, Verdict)] = &[
            (&[], Part::Answer, Verdict::Accepted),
            (&["chain=input action=drop"], Part::Knock, Verdict::Dropped),
            (&["chain=input action=accept connection-state=new", "chain=input action=drop"], Part::Stay, Verdict::Dropped),
            (&["chain=input action=accept connection-state=established", "chain=input action=drop"], Part::Knock, Verdict::Dropped),
            (&["chain=output action=drop protocol=tcp src-port=443"], Part::Answer, Verdict::Dropped),
            (&["chain=output action=drop protocol=tcp dst-port=443"], Part::Answer, Verdict::Accepted),
            (&["chain=output action=drop connection-state=new"], Part::Answer, Verdict::Accepted),
        ];
        for (filter, part, verdict) in cases {
            assert_eq!(end(filter), (*part, *verdict), "{filter:?}");
        }
    }

    #[test]
    fn lists_that_count_callers_shut_the_door_after_some_knocks() {
        let staged = [
            "chain=input action=drop src-address-list=blocked",
            "chain=input action=add-src-to-address-list address-list=blocked src-address-list=second protocol=tcp dst-port=443 connection-state=new",
            "chain=input action=add-src-to-address-list address-list=second src-address-list=first protocol=tcp dst-port=443 connection-state=new",
            "chain=input action=add-src-to-address-list address-list=first protocol=tcp dst-port=443 connection-state=new",
        ];
        assert_eq!(end(&staged), (Part::Knock, Verdict::Dropped));
    }
}
