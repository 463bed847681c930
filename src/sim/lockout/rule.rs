//! One packet and one firewall rule: does it match.

use super::lists::{has_address, has_number, in_address_list, is_time, negated};
use super::view::View;
use super::wire::{is_in_list, is_interface};
use crate::sim::row::Row;
use std::net::IpAddr;

/// What connection tracking thinks of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The first of a connection.
    New,
    /// One of a connection that both sides have seen.
    Established,
    /// Not tracked.
    Untracked,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::New => "new",
            State::Established => "established",
            State::Untracked => "untracked",
        }
    }
}

/// A TCP packet of ours, or the router's answer to one.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    pub src: IpAddr,
    pub dst: IpAddr,
    /// The service's port: the one it has by default, and the one it has here.
    pub service: Vec<u64>,
    /// The port at our end.
    pub ours: u64,
    pub coming: bool,
    /// The interface it came in by or goes out by.
    pub interface: String,
    /// The bridge port below that.
    pub port: Option<String>,
    pub state: State,
    pub steered: bool,
    pub connection_mark: String,
    pub packet_mark: String,
    pub routing_mark: String,
    /// Entries that rules made on the way: list and address.
    pub listed: Vec<(String, IpAddr)>,
}

/// The size of the first packet with its options, and what else is alike in all of them.
const SIZE: u64 = 60;
const TTL: u64 = 64;
const MSS: u64 = 1460;

impl Packet {
    fn ports(&self, destination: bool) -> Vec<u64> {
        if destination == self.coming { self.service.clone() } else { vec![self.ours] }
    }
}

/// Whether the rule is in force and fits the packet.
pub(super) fn fits(view: &View<'_>, rule: &Row, packet: &Packet) -> bool {
    !rule.is("disabled") && !rule.is("invalid") && rule.iter().all(|(name, spec)| matcher(view, rule, packet, name, spec))
}

fn matcher(view: &View<'_>, rule: &Row, packet: &Packet, name: &str, spec: &str) -> bool {
    if spec.is_empty() {
        return true;
    }
    let (not, bare) = negated(spec);
    let ports = |numbers: Vec<u64>| numbers.iter().any(|p| has_number(bare, *p));
    let here = Some(packet.interface.as_str());
    let (src_local, dst_local) = (!packet.coming, packet.coming);
    let is = match name {
        "src-address" => has_address(bare, packet.src),
        "dst-address" => has_address(bare, packet.dst),
        "src-address-list" => in_address_list(view, bare, packet.src, &packet.listed),
        "dst-address-list" => in_address_list(view, bare, packet.dst, &packet.listed),
        "src-address-type" => address_type(bare, src_local),
        "dst-address-type" => address_type(bare, dst_local),
        "protocol" => matches!(bare, "tcp" | "6"),
        "dst-port" => ports(packet.ports(true)),
        "src-port" => ports(packet.ports(false)),
        "port" => ports(packet.ports(true)) || ports(packet.ports(false)),
        "in-interface" => return is_interface(view, spec, here.filter(|_| packet.coming)).unwrap_or(false),
        "out-interface" => return is_interface(view, spec, here.filter(|_| !packet.coming)).unwrap_or(false),
        "in-interface-list" => return is_in_list(view, spec, here.filter(|_| packet.coming)).unwrap_or(false),
        "out-interface-list" => return is_in_list(view, spec, here.filter(|_| !packet.coming)).unwrap_or(false),
        // Seen only when the bridge hands its frames to the IP firewall.
        "in-bridge-port" | "in-bridge-port-list" | "out-bridge-port" | "out-bridge-port-list" => {
            let seen = view.single("/interface/bridge/settings", "use-ip-firewall") == Some("true");
            let port = packet.port.as_deref().filter(|_| seen && packet.coming == name.starts_with("in"));
            let of = if name.ends_with("list") { is_in_list(view, spec, port) } else { is_interface(view, spec, port) };
            return of.unwrap_or(false);
        }
        "connection-state" => bare.split(',').any(|s| s == packet.state.word()),
        "connection-nat-state" => packet.steered && bare.split(',').any(|s| s == "dstnat"),
        "connection-mark" => mark(bare, &packet.connection_mark),
        "packet-mark" => mark(bare, &packet.packet_mark),
        "routing-mark" => mark(bare, &packet.routing_mark) || bare == "main" && packet.routing_mark.is_empty(),
        "src-mac-address" => packet.coming && bare.eq_ignore_ascii_case(view.world.entry.mac),
        "tcp-flags" => tcp_flags(bare, packet),
        "time" => is_time(bare, view.world.now().0),
        "ipsec-policy" => bare.ends_with("none"),
        "fragment" => bare == "false" || bare == "no",
        "packet-size" => has_number(bare, SIZE),
        "tcp-mss" => packet.state == State::New && has_number(bare, MSS),
        "ttl" => compared(bare, TTL),
        "dscp" => has_number(bare, 0),
        "ipv4-options" => bare == "none",
        "connection-bytes" | "connection-rate" => has_number(bare, 0),
        "connection-limit" => over_limit(view, bare),
        "hotspot" => false,
        // What a packet carries cannot be told from a first one without content, and later ones are encrypted.
        "content" | "layer7-protocol" | "tls-host" | "icmp-options" | "connection-type" | "p2p" | "psd" | "realm" => false,
        // Fits some packets and not others: a connection lives through lost ones only if it is not dropped for good.
        "random" | "nth" | "per-connection-classifier" => return matches!(rule.get("action"), Some("drop" | "reject" | "tarpit")),
        // `limit` and `dst-limit` fit until their rate is passed, and we are slow.
        _ => return true,
    };
    is != not
}

fn address_type(kinds: &str, local: bool) -> bool {
    kinds.split(',').any(|kind| kind == "unicast" || (kind == "local") && local)
}

fn mark(wanted: &str, have: &str) -> bool {
    if wanted == "no-mark" { have.is_empty() } else { wanted == have }
}

/// `syn,!ack`: of a first packet only `syn` is set, of an answer and of later ones `ack`.
fn tcp_flags(spec: &str, packet: &Packet) -> bool {
    spec.split(',').all(|flag| {
        let (not, name) = negated(flag);
        let set = match name {
            "syn" => packet.state == State::New,
            "ack" => packet.state != State::New || !packet.coming,
            "psh" => packet.state != State::New,
            _ => false,
        };
        set != not
    })
}

/// `equal:64`, `not-equal:64`, `less-than:5`, `greater-than:5`.
fn compared(spec: &str, number: u64) -> bool {
    let (how, than) = spec.split_once(':').unwrap_or(("equal", spec));
    let Ok(than) = than.parse::<u64>() else { return false };
    match how {
        "not-equal" => number != than,
        "less-than" => number < than,
        "greater-than" => number > than,
        _ => number == than,
    }
}

/// `connection-limit=100,32` fits once there are that many connections of one network.
fn over_limit(view: &View<'_>, spec: &str) -> bool {
    let most = spec.split(',').next().and_then(|n| n.parse::<usize>().ok()).unwrap_or(usize::MAX);
    view.world.connections.len() >= most
}
