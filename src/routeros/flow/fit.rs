//! Whether a packet fits a rule's matchers, as far as the tables tell.
//!
//! What depends on the payload, on rates, on chance, on the clock or on state that is in no table is `Maybe`, and so is
//! every matcher this build does not know: a rule is never passed over because it was not understood.

use super::net::{Block, address, ports, protocol};
use super::packet::{Mark, Packet, Port, Truth};
use super::{Tables, is_off};
use crate::routeros::row::Row;
use crate::routeros::value;
use std::net::IpAddr;

/// Attributes of a rule that match nothing: what it does, and how often it did.
const NO_MATCHERS: &[&str] = &[
    "action",
    "address-list",
    "address-list-timeout",
    "bytes",
    "chain",
    "comment",
    "disabled",
    "dynamic",
    "hw-offload",
    "invalid",
    "jump-target",
    "log",
    "log-prefix",
    "new-connection-mark",
    "new-dscp",
    "new-hop-limit",
    "new-mss",
    "new-packet-mark",
    "new-priority",
    "new-routing-mark",
    "new-ttl",
    "packets",
    "passthrough",
    "randomise-ports",
    "reject-with",
    "route-dst",
    "same-not-by-dst",
    "sniff-id",
    "sniff-target",
    "sniff-target-port",
    "socks5-password",
    "socks5-port",
    "socks5-server",
    "socks5-user",
    "socksify-service",
    "to-address",
    "to-addresses",
    "to-ports",
];

/// How a packet fits a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    No,
    /// It may: this matcher cannot be evaluated.
    Maybe(String),
}

/// Every matcher of the rule against the packet.
pub(super) fn fit(rule: &Row, packet: &Packet, tables: &Tables<'_>) -> Fit {
    let mut doubt = None;
    for (name, text) in rule.attributes().filter(|(name, text)| !text.is_empty() && !NO_MATCHERS.contains(name)) {
        match matches(name, text, packet, tables) {
            Truth::No => return Fit::No,
            Truth::Maybe => doubt = doubt.or(Some(name.to_owned())),
            Truth::Yes => {}
        }
    }
    doubt.map_or(Fit::Yes, Fit::Maybe)
}

fn matches(name: &str, text: &str, packet: &Packet, tables: &Tables<'_>) -> Truth {
    let (negated, value) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let plain = match name {
        "src-address" => in_block(value, packet.src),
        "dst-address" => in_block(value, packet.dst),
        "src-address-list" => tables.in_address_list(value, packet.src, packet),
        "dst-address-list" => tables.in_address_list(value, packet.dst, packet),
        "src-address-type" => of_type(value, packet.src, tables),
        "dst-address-type" => of_type(value, packet.dst, tables),
        "protocol" => protocol(value).map_or(Truth::Maybe, |number| (number == packet.protocol).into()),
        // Without ports nothing fits, whatever is written before the ports.
        "src-port" | "dst-port" | "port" if !packet.has_ports() => return Truth::No,
        "dst-port" => dst_port(value, packet),
        "src-port" => src_port(value, packet),
        "port" => dst_port(value, packet).or(src_port(value, packet)),
        "icmp-options" => icmp(value, packet),
        "in-interface" => is_port(value, &packet.ingress),
        "out-interface" => is_port(value, &packet.egress),
        "in-interface-list" => in_list(value, &packet.ingress, tables),
        "out-interface-list" => in_list(value, &packet.egress, tables),
        "connection-state" => state(value, packet),
        "connection-nat-state" => nat_state(value, packet),
        "connection-mark" => mark(value, &packet.connection_mark),
        "packet-mark" => mark(value, &packet.packet_mark),
        "routing-mark" => mark(value, &packet.routing_mark),
        "tcp-flags" => flags(value, packet),
        // One whole packet, and not inside IPsec: the caller tells these assumptions.
        "fragment" => (value::flag(value) == Some(false)).into(),
        "ipsec-policy" => match value.split_once(',') {
            Some((_, "none")) => Truth::Yes,
            Some((_, "ipsec")) => Truth::No,
            _ => Truth::Maybe,
        },
        _ => Truth::Maybe,
    };
    plain.unless(negated)
}

fn in_block(text: &str, ip: IpAddr) -> Truth {
    Block::parse(text).map_or(Truth::Maybe, |block| block.contains(ip).into())
}

fn dst_port(text: &str, packet: &Packet) -> Truth {
    match packet.dst_port {
        Some(port) => is_one_of(text, port),
        None if packet.src_port.is_some() => picked(text),
        None => Truth::Maybe,
    }
}

fn src_port(text: &str, packet: &Packet) -> Truth {
    packet.src_port.map_or_else(|| picked(text), |port| is_one_of(text, port))
}

fn is_one_of(text: &str, port: u16) -> Truth {
    ports(text).map_or(Truth::Maybe, |ranges| ranges.iter().any(|(first, last)| (*first..=*last).contains(&port)).into())
}

/// The client picks its own port, from 1024 up.
fn picked(text: &str) -> Truth {
    const LOWEST: u16 = 1024;
    match ports(text) {
        Some(ranges) if ranges.iter().any(|(first, last)| *first <= LOWEST && *last == u16::MAX) => Truth::Yes,
        Some(ranges) if ranges.iter().all(|(_, last)| *last < LOWEST) => Truth::No,
        _ => Truth::Maybe,
    }
}

/// `8:0` or `8:0-255`: the packet's type, and its code, which is 0 of all that are followed; an echo request unless the packet says otherwise.
fn icmp(text: &str, packet: &Packet) -> Truth {
    let own = match (packet.protocol, packet.icmp_type) {
        (1 | 58, Some(kind)) => kind,
        (1, None) => 8,
        (58, None) => 128,
        _ => return Truth::No,
    };
    let (kind, codes) = text.split_once(':').unwrap_or((text, "0-255"));
    let first = codes.split('-').next().unwrap_or_default();
    match (kind.parse::<u8>(), first.parse::<u8>()) {
        (Ok(kind), Ok(first)) => (kind == own && first == 0).into(),
        _ => Truth::Maybe,
    }
}

fn is_port(name: &str, port: &Port) -> Truth {
    match port {
        // Kinds of interfaces; which is of which is in no table here.
        Port::Named(_) | Port::Unknown if name.starts_with("all-") => Truth::Maybe,
        Port::Named(this) => (this == name).into(),
        Port::None => Truth::No,
        Port::Unknown => Truth::Maybe,
    }
}

fn in_list(list: &str, port: &Port, tables: &Tables<'_>) -> Truth {
    match (list, port) {
        ("none", _) | (_, Port::None) => Truth::No,
        ("all", _) => Truth::Yes,
        (_, Port::Unknown) => Truth::Maybe,
        (list, Port::Named(name)) => tables.in_interface_list(list, name, 0),
    }
}

fn state(text: &str, packet: &Packet) -> Truth {
    let has = |state: &str| Truth::from(value::list(text).any(|word| word == state));
    let tracked = if packet.established { has("established") } else { has("new") };
    match packet.untracked {
        Truth::No => tracked,
        Truth::Yes => has("untracked"),
        Truth::Maybe if tracked == has("untracked") => tracked,
        Truth::Maybe => Truth::Maybe,
    }
}

/// Source NAT comes after every chain that asks for it.
fn nat_state(text: &str, packet: &Packet) -> Truth {
    value::list(text).fold(Truth::No, |so_far, word| {
        so_far.or(match word {
            "dstnat" => packet.dstnat,
            "srcnat" => Truth::No,
            _ => Truth::Maybe,
        })
    })
}

fn mark(text: &str, mark: &Mark) -> Truth {
    match mark {
        Mark::Maybe => Truth::Maybe,
        // What is routed by the main table may be said to have its mark.
        Mark::None if text == "main" => Truth::Maybe,
        Mark::None => (text == "no-mark").into(),
        Mark::Is(name) => (text == name).into(),
    }
}

/// The first packet of a TCP connection has `syn` and nothing else; later ones have `ack`, and only answers ever `syn` with it.
fn flags(text: &str, packet: &Packet) -> Truth {
    if packet.protocol != 6 {
        return Truth::No;
    }
    if packet.established {
        let is_answer = packet.ingress == Port::None;
        return value::list(text).fold(Truth::Yes, |so_far, word| {
            so_far.and(match word {
                "ack" => Truth::Yes,
                "!ack" => Truth::No,
                "syn" if !is_answer => Truth::No,
                "!syn" if !is_answer => Truth::Yes,
                _ => Truth::Maybe,
            })
        });
    }
    value::list(text)
        .all(|word| match word.strip_prefix('!') {
            Some(absent) => absent != "syn",
            None => word == "syn",
        })
        .into()
}

fn of_type(text: &str, ip: IpAddr, tables: &Tables<'_>) -> Truth {
    let local = match tables.own(ip) {
        Some(_) => Truth::Yes,
        None if ip.is_loopback() && tables.loopback_outside => Truth::Maybe,
        None => ip.is_loopback().into(),
    };
    let broadcast = tables.is_broadcast(ip);
    value::list(text).fold(Truth::No, |so_far, word| {
        so_far.or(match word {
            "local" => local,
            "multicast" => ip.is_multicast().into(),
            "broadcast" => broadcast.into(),
            "unicast" => local.unless(true).and((!broadcast && !ip.is_multicast()).into()),
            _ => Truth::Maybe,
        })
    })
}

impl Tables<'_> {
    /// Whether an address is in an address list, by its rows and by what rules on the way added.
    fn in_address_list(&self, list: &str, ip: IpAddr, packet: &Packet) -> Truth {
        let added = packet.listed.iter().filter(|(name, added, _)| name == list && *added == ip);
        let so_far = added.fold(Truth::No, |so_far, (_, _, truth)| so_far.or(*truth));
        let Some(rows) = self.address_lists else { return so_far.or(Truth::Maybe) };
        let of_list = || rows.iter().filter(|row| row.get("list") == Some(list) && !is_off(row));
        // A host name counts by the addresses it stands for, which are dynamic rows beside it.
        let is_resolved = of_list().any(|row| row.get("dynamic").and_then(value::flag) == Some(true));
        of_list().fold(so_far, |so_far, row| {
            let text = row.get("address").unwrap_or_default();
            so_far.or(match Block::parse(text) {
                Some(block) => block.contains(ip).into(),
                None if is_resolved => Truth::No,
                None => Truth::Maybe,
            })
        })
    }

    /// Whether an interface is in a list: named there, or through the lists it takes in and leaves out.
    pub fn in_interface_list(&self, list: &str, interface: &str, depth: u8) -> Truth {
        match list {
            "all" => return Truth::Yes,
            "none" => return Truth::No,
            // Filled by the router; which interfaces came up by themselves is in no table here.
            "dynamic" | "static" => return Truth::Maybe,
            _ => {}
        }
        let Some(members) = self.members else { return Truth::Maybe };
        let named = |row: &&Row| row.get("list") == Some(list) && row.get("interface") == Some(interface) && !is_off(row);
        if members.iter().any(|row| named(&row)) {
            return Truth::Yes;
        }
        let Some(lists) = self.lists.filter(|_| depth < 8) else { return Truth::Maybe };
        let Some(row) = lists.iter().find(|row| row.get("name") == Some(list)) else { return Truth::No };
        let any = |attribute: &str| {
            value::list(row.get(attribute).unwrap_or_default())
                .fold(Truth::No, |so_far, other| so_far.or(self.in_interface_list(other, interface, depth + 1)))
        };
        any("include").and(any("exclude").unless(true))
    }
}

impl<'a> Tables<'a> {
    /// The router's own row of an address, if it is one.
    pub fn own(&self, ip: IpAddr) -> Option<(usize, &'a Row)> {
        let own = |row: &Row| !is_off(row) && row.get("address").and_then(address) == Some(ip);
        self.addresses.iter().enumerate().find(|(_, row)| own(row))
    }

    pub(super) fn is_broadcast(&self, ip: IpAddr) -> bool {
        let of_network = |row: &Row| row.get("address").and_then(Block::parse).is_some_and(|net| net.is_broadcast(ip));
        matches!(ip, IpAddr::V4(ip) if ip.is_broadcast()) || self.addresses.iter().any(|row| !is_off(row) && of_network(row))
    }
}
