//! What neighbours of IPv6 say to find each other: four kinds of packets that meet the same rules as any other. Where they do not pass
//! nothing else arrives, however open its door is, once both have forgotten each other.
//!
//! Source: RFC 4861, sections 4.3 and 4.4; RFC 4291, section 2.7.1 (whom a solicitation is sent to).

use super::Tables;
use super::journey::{Step, Trace};
use super::packet::{Packet, Port, Truth};
use super::visit::{Leg, Part};
use std::net::{IpAddr, Ipv6Addr};

const ICMPV6: u8 = 58;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;

/// What becomes of what the router and a neighbour ask and answer, in a fixed order; `own` is the router's address.
pub fn discovery<'a>(tables: &Tables<'a>, own: Ipv6Addr, neighbour: Ipv6Addr, link: &Port) -> Vec<Leg<'a>> {
    let packet = |from: Ipv6Addr, to: Ipv6Addr, kind: u8| {
        let mut packet = Packet::new(IpAddr::V6(from), IpAddr::V6(to), ICMPV6, None);
        packet.icmp_type = Some(kind);
        // Linux does not track them; that RouterOS leaves it so is not said anywhere.
        packet.untracked = Truth::Maybe;
        packet
    };
    let comes = |from, to, kind| Packet { ingress: link.clone(), ..packet(from, to, kind) };
    let leaves = |from, to, kind| Packet { egress: link.clone(), ..packet(from, to, kind) };
    vec![
        walked(tables, Part::Knock, comes(neighbour, solicited(own), SOLICITATION)),
        walked(tables, Part::Knock, comes(neighbour, own, ADVERTISEMENT)),
        walked(tables, Part::Answer, leaves(own, neighbour, ADVERTISEMENT)),
        walked(tables, Part::Answer, leaves(own, solicited(neighbour), SOLICITATION)),
    ]
}

/// The group of all addresses that end like this one.
fn solicited(address: Ipv6Addr) -> Ipv6Addr {
    const GROUP: u128 = 0xff02_0000_0000_0000_0000_0001_ff00_0000;
    Ipv6Addr::from_bits(GROUP | address.to_bits() & 0xff_ffff)
}

fn walked<'a>(tables: &Tables<'a>, part: Part, mut packet: Packet) -> Leg<'a> {
    let mut way = Trace::new(tables);
    let end = rules(&mut way, part, &mut packet);
    let verdict = way.verdict(end);
    Leg { part, hops: way.hops, verdict }
}

fn rules(way: &mut Trace<'_, '_>, part: Part, packet: &mut Packet) -> Step {
    let (raw, filter) = if part == Part::Answer { ("output", "output") } else { ("prerouting", "input") };
    let step = if part == Part::Answer { "filter_output" } else { "filter_input" };
    way.rules("raw", "/firewall/raw", way.tables.raw, raw, packet)?;
    way.rules(step, "/firewall/filter", way.tables.filter, filter, packet)
}
