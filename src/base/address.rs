//! Addresses that nothing of ours ever calls, in whatever spelling they come.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why nobody may live at an address, if so: link-local, cloud metadata, unspecified, multicast. Give it the
/// [`canonical`] one.
pub fn forbidden(ip: IpAddr) -> Option<&'static str> {
    const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    // Of most clouds, and of Alibaba's.
    const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(100, 100, 100, 200)];
    match ip {
        IpAddr::V4(v4) if METADATA_V4.contains(&v4) => Some("metadata service"),
        IpAddr::V6(v6) if v6 == METADATA_V6 => Some("metadata service"),
        IpAddr::V4(v4) if v4.is_link_local() => Some("link-local"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("link-local"),
        _ if ip.is_unspecified() => Some("unspecified"),
        IpAddr::V4(v4) if v4.octets()[0] == 0 => Some("unspecified"),
        IpAddr::V4(v4) if v4.is_broadcast() || v4.is_multicast() => Some("multicast or broadcast"),
        IpAddr::V6(v6) if v6.is_multicast() => Some("multicast or broadcast"),
        _ => None,
    }
}

/// Why nobody may be called at the addresses a name has, if so, in any spelling. One forbidden address is enough: a name with
/// one good and one bad address is an attack.
pub fn forbidden_among(found: impl IntoIterator<Item = IpAddr>) -> Option<&'static str> {
    found.into_iter().find_map(|ip| forbidden(canonical(ip)))
}

/// `::ffff:169.254.169.254` (and the old compatible and NAT64 spellings) is what it holds.
pub fn canonical(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    let s = v6.segments();
    let is_nat64 = s[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    let is_compatible = s[..6] == [0; 6] && s[6] != 0;
    if !is_nat64 && !is_compatible {
        return ip;
    }
    let [.., a, b, c, d] = v6.octets();
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_judged_by_what_it_is_however_it_is_spelled() {
        for (text, why) in [
            ("192.0.2.1", None),
            ("127.0.0.1", None),
            ("::1", None),
            ("2001:db8::1", None),
            ("::ffff:192.0.2.1", None),
            ("169.254.169.254", Some("metadata service")),
            ("::ffff:169.254.169.254", Some("metadata service")),
            ("::169.254.169.254", Some("metadata service")),
            ("100.100.100.200", Some("metadata service")),
            ("64:ff9b::a9fe:a9fe", Some("metadata service")),
            ("fd00:ec2::254", Some("metadata service")),
            ("169.254.1.1", Some("link-local")),
            ("fe80::1", Some("link-local")),
            ("0.0.0.0", Some("unspecified")),
            ("0.1.2.3", Some("unspecified")),
            ("::", Some("unspecified")),
            ("224.0.0.1", Some("multicast or broadcast")),
            ("255.255.255.255", Some("multicast or broadcast")),
            ("ff02::1", Some("multicast or broadcast")),
        ] {
            let ip: IpAddr = text.parse().unwrap();
            assert_eq!(forbidden_among([ip]), why, "{text}");
            assert_eq!(forbidden_among([IpAddr::from([192, 0, 2, 1]), ip]), why, "{text} beside a good one");
        }
    }
}
