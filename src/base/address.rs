//! Addresses that nothing of ours ever calls, in whatever spelling they come.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why nobody may live at an address, if so: link-local, cloud metadata, unspecified, multicast. Give it the
/// [`canonical`] one.
pub fn forbidden(ip: IpAddr) -> Option<&'static str> {
    const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    const METADATA_V4: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
    match ip {
        IpAddr::V4(v4) if v4 == METADATA_V4 => Some("metadata service"),
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

/// `::ffff:169.254.169.254` (and the old compatible and NAT64 spellings) is what it holds.
pub fn canonical(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    let low = || {
        let [.., a, b, c, d] = v6.octets();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    let s = v6.segments();
    let nat64 = s[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    let compatible = s[..6] == [0; 6] && s[6] != 0;
    if nat64 || compatible { low() } else { ip }
}
