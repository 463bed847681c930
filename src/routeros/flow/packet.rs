//! A packet on its way, and what is certain about it.

use std::net::IpAddr;

/// Three answers to one question; `Maybe` is what the tables cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It is so.
    Yes,
    /// It is not.
    No,
    /// The tables do not tell.
    Maybe,
}

impl Truth {
    /// The opposite, when `negated`.
    pub fn unless(self, negated: bool) -> Truth {
        match self {
            Truth::Yes if negated => Truth::No,
            Truth::No if negated => Truth::Yes,
            same => same,
        }
    }

    /// Both are needed.
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Yes, Truth::Yes) => Truth::Yes,
            _ => Truth::Maybe,
        }
    }

    /// One of both is enough.
    pub fn or(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
            (Truth::No, Truth::No) => Truth::No,
            _ => Truth::Maybe,
        }
    }
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Truth::Yes } else { Truth::No }
    }
}

/// An interface on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Port {
    /// None: the router itself is at that end.
    None,
    /// This one.
    Named(String),
    /// The tables do not tell which.
    Unknown,
}

impl Port {
    /// Its name, if known.
    pub fn name(&self) -> Option<&str> {
        match self {
            Port::Named(name) => Some(name),
            Port::None | Port::Unknown => None,
        }
    }
}

/// A mark that mangle rules put on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// No mark.
    None,
    /// This one.
    Is(String),
    /// A rule that cannot be evaluated may have put one on.
    Maybe,
}

/// A packet of a connection; the first one, unless it says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// Who sends it.
    pub src: IpAddr,
    /// Whom it is for; dstnat changes it.
    pub dst: IpAddr,
    /// IP protocol number.
    pub protocol: u8,
    /// Destination port of TCP, UDP and their like. Where only one of both ports is known, the other is any that a client
    /// picks (1024 and above).
    pub dst_port: Option<u16>,
    /// Source port: known of answers.
    pub src_port: Option<u16>,
    /// Type of ICMP; an echo request where nothing is said.
    pub icmp_type: Option<u8>,
    /// Its connection is there already: a later packet, or an answer (the one that leaves the router, without `ingress`).
    pub established: bool,
    /// Came in by.
    pub ingress: Port,
    /// Leaves by.
    pub egress: Port,
    /// Not seen by connection tracking (`notrack`).
    pub untracked: Truth,
    /// Went through destination NAT.
    pub dstnat: Truth,
    /// Mark of its connection.
    pub connection_mark: Mark,
    /// Its own mark.
    pub packet_mark: Mark,
    /// Mark that picks a routing table.
    pub routing_mark: Mark,
    /// Address lists that rules on the way have put an address in.
    pub listed: Vec<(String, IpAddr, Truth)>,
}

impl Packet {
    /// A fresh packet that nothing has happened to.
    pub fn new(src: IpAddr, dst: IpAddr, protocol: u8, dst_port: Option<u16>) -> Self {
        Packet {
            src,
            dst,
            protocol,
            dst_port,
            src_port: None,
            icmp_type: None,
            established: false,
            ingress: Port::None,
            egress: Port::None,
            untracked: Truth::No,
            dstnat: Truth::No,
            connection_mark: Mark::None,
            packet_mark: Mark::None,
            routing_mark: Mark::None,
            listed: Vec::new(),
        }
    }

    /// Whether its protocol has ports.
    pub fn has_ports(&self) -> bool {
        matches!(self.protocol, 6 | 17 | 33 | 132 | 136)
    }
}
