//! Addresses as rules write them: one, a network, a range.

use crate::routeros::row::Row;
use ipnet::IpNet;
use std::net::IpAddr;

/// A set of neighbouring addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    v6: bool,
    first: u128,
    last: u128,
    /// Fixed leading bits; none for a range that is no network.
    bits: Option<u8>,
}

impl Block {
    /// `192.0.2.1`, `192.0.2.0/24`, `192.0.2.1-192.0.2.9`, `2001:db8::/32`; `None` for anything else, such as a host name.
    pub fn parse(text: &str) -> Option<Block> {
        if let Some((first, last)) = text.split_once('-') {
            let (first, last): (IpAddr, IpAddr) = (first.parse().ok()?, last.parse().ok()?);
            let block = Block { v6: first.is_ipv6(), first: number(first), last: number(last), bits: None };
            return (first.is_ipv6() == last.is_ipv6() && block.first <= block.last).then_some(block);
        }
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv6() { 128 } else { 32 };
        let bits = bits.unwrap_or(width);
        if bits > width {
            return None;
        }
        // A shift by the whole width is no shift at all to the machine.
        let hosts = u128::MAX.checked_shr(128 - u32::from(width - bits)).unwrap_or(0);
        let first = number(address) & !hosts;
        Some(Block { v6: address.is_ipv6(), first, last: first | hosts, bits: Some(bits) })
    }

    /// Whether the address is one of them.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.v6 == ip.is_ipv6() && (self.first..=self.last).contains(&number(ip))
    }

    /// The first address, which names a network.
    pub fn first(&self) -> IpAddr {
        if self.v6 { IpAddr::V6(self.first.into()) } else { IpAddr::V4((self.first as u32).into()) }
    }

    /// How long the network's prefix is.
    pub fn bits(&self) -> Option<u8> {
        self.bits
    }

    /// The IPv4 broadcast address of a network that has one.
    pub fn is_broadcast(&self, ip: IpAddr) -> bool {
        !self.v6 && !ip.is_ipv6() && self.bits.is_some_and(|bits| bits < 31) && number(ip) == self.last
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// The network that a row of `/ip/address` connects: of a point-to-point link that of the other end, which `network` names.
pub fn network(row: &Row) -> Option<Block> {
    let own = Block::parse(row.get("address")?)?;
    let named = row.get("network").filter(|text| !text.is_empty()).zip(own.bits());
    named.and_then(|(net, bits)| Block::parse(&format!("{net}/{bits}"))).or(Some(own))
}

/// Every network that the address lies in, as RouterOS writes it: itself with its length, up to everything.
pub fn holding(ip: IpAddr) -> impl Iterator<Item = String> {
    let longest = if ip.is_ipv6() { 128 } else { 32 };
    (0..=longest).filter_map(move |bits| IpNet::new(ip, bits).ok()).map(|net| net.trunc().to_string())
}

/// The address of `192.0.2.1/24`, without its network; `::ffff:192.0.2.1` is the same.
pub fn address(text: &str) -> Option<IpAddr> {
    text.split('/').next()?.parse().ok().map(|ip: IpAddr| ip.to_canonical())
}

/// IP protocols by RouterOS's names.
const PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", 1),
    ("igmp", 2),
    ("ggp", 3),
    ("ipencap", 4),
    ("st", 5),
    ("tcp", 6),
    ("egp", 8),
    ("pup", 12),
    ("udp", 17),
    ("hmp", 20),
    ("xns-idp", 22),
    ("rdp", 27),
    ("iso-tp4", 29),
    ("dccp", 33),
    ("xtp", 36),
    ("ddp", 37),
    ("idpr-cmtp", 38),
    ("ipv6-encap", 41),
    ("rsvp", 46),
    ("gre", 47),
    ("ipsec-esp", 50),
    ("ipsec-ah", 51),
    ("icmpv6", 58),
    ("rspf", 73),
    ("vmtp", 81),
    ("ospf", 89),
    ("ipip", 94),
    ("etherip", 97),
    ("encap", 98),
    ("pim", 103),
    ("vrrp", 112),
    ("l2tp", 115),
    ("sctp", 132),
    ("udp-lite", 136),
];

/// The number of a protocol, by name or number.
pub fn protocol(word: &str) -> Option<u8> {
    PROTOCOLS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number).or_else(|| word.parse().ok())
}

/// Ports of `22,8291,1000-2000` as ranges; `None` when it is written in another way.
pub fn ports(text: &str) -> Option<Vec<(u16, u16)>> {
    text.split(',')
        .map(|part| match part.split_once('-') {
            Some((first, last)) => Some((first.parse().ok()?, last.parse().ok()?)),
            None => part.parse().ok().map(|port| (port, port)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_what_they_say() {
        for (text, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.77/24", "192.0.2.1", "192.0.1.255"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("192.0.2.5-192.0.2.9", "192.0.2.9", "192.0.2.10"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::/0", "ffff::", "1.2.3.4"),
            ("fe80::1", "fe80::1", "fe80::2"),
        ] {
            let block = Block::parse(text).unwrap();
            assert!(block.contains(inside.parse().unwrap()), "{inside} in {text}");
            assert!(!block.contains(outside.parse().unwrap()), "{outside} in {text}");
        }
        for text in ["", "host.example", "192.0.2.0/33", "192.0.2.9-192.0.2.1", "1.2.3.4-::1", "::/129", "1.2.3.4/x"] {
            assert_eq!(Block::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_link_to_one_other_end_connects_that_end() {
        for (row, inside, outside) in [
            (vec![("address", "10.0.0.2/32"), ("network", "10.0.0.1")], "10.0.0.1", "10.0.0.2"),
            (vec![("address", "192.0.2.7/24"), ("network", "192.0.2.0")], "192.0.2.1", "192.0.3.1"),
            (vec![("address", "192.0.2.7/24"), ("network", "")], "192.0.2.1", "192.0.3.1"),
            (vec![("address", "192.0.2.7/24"), ("network", "nonsense")], "192.0.2.1", "192.0.3.1"),
        ] {
            let net = network(&Row::from_pairs(row.clone())).unwrap();
            assert!(net.contains(inside.parse().unwrap()) && !net.contains(outside.parse().unwrap()), "{row:?}");
        }
    }

    #[test]
    fn ports_and_protocols_are_read_in_every_spelling() {
        assert_eq!(ports("22,8291,1000-2000"), Some(vec![(22, 22), (8291, 8291), (1000, 2000)]));
        assert_eq!(ports("ssh"), None);
        assert_eq!((protocol("tcp"), protocol("47"), protocol("no")), (Some(6), Some(47), None));
    }
}
