//! Where a router may live: which addresses we are willing to connect to.
//!
//! A device's address comes from an operator, but it decides where we send credentials and what this machine can be
//! made to ask for. Link-local and cloud metadata addresses, addresses nobody lives at, and our own listeners are
//! refused as text *and again after resolution*, since a name can point anywhere. Loopback is allowed to operators:
//! test rigs and tunnels live there.

use crate::base::address::{canonical, forbidden};
use crate::base::fault::{Fault, Kind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The longest host name DNS knows.
const HOST_MAX: usize = 253;

/// Names that mean a metadata service wherever they resolve.
const METADATA_NAMES: &[&str] = &["metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"];

/// What one caller may name.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Whether loopback addresses are allowed (operators).
    pub loopback: bool,
    /// Where we listen ourselves.
    pub own_listeners: &'a [SocketAddr],
}

/// Reads a host name or IP address, and refuses those no router may have.
///
/// Returns it without brackets and in lower case. Errs with `BadInput`.
pub fn parse_host(text: &str, port: u16, rules: &Rules<'_>) -> Result<String, Fault> {
    let host = bare(text.trim());
    if let Ok(ip) = host.parse::<IpAddr>() {
        check(ip, port, rules)?;
        return Ok(canonical(ip).to_string());
    }
    if host.contains('%') {
        return Err(refused(text, "link-local"));
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if !is_host_name(&host) {
        return Err(Fault::bad_input(format!("`{}` is not a host name or IP address", shown(text)))
            .hint("write a name or address alone; ports go into --rest-port and --ssh-port"));
    }
    if METADATA_NAMES.contains(&host.as_str()) {
        return Err(refused(text, "metadata service"));
    }
    if host == "localhost" && !rules.loopback {
        return Err(refused(text, "loopback"));
    }
    Ok(host)
}

/// Resolves a host and checks every address it has; the first one is where to connect.
///
/// Errs with `Unreachable` when the name does not resolve within `deadline`, with `BadInput` when any of its
/// addresses is refused: a name with one good and one bad address is an attack, not a router.
pub async fn resolve(host: &str, port: u16, rules: &Rules<'_>, deadline: Duration) -> Result<Vec<IpAddr>, Fault> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        check(ip, port, rules)?;
        return Ok(vec![ip]);
    }
    let nothing = |why: &str| {
        Fault::new(Kind::Unreachable, format!("`{host}` does not resolve: {why}")).hint("check the name, or use the router's IP address")
    };
    let found = tokio::time::timeout(deadline, tokio::net::lookup_host((host, port))).await;
    let found = found.map_err(|_| nothing("no answer in time"))?.map_err(|error| nothing("no such name").cause(error))?;
    let ips: Vec<IpAddr> = found.map(|at| at.ip()).collect();
    for ip in &ips {
        check(*ip, port, rules)?;
    }
    if ips.is_empty() { Err(nothing("no address")) } else { Ok(ips) }
}

/// Refuses addresses that no router we manage may have.
pub fn check(ip: IpAddr, port: u16, rules: &Rules<'_>) -> Result<(), Fault> {
    let ip = canonical(ip);
    if let Some(why) = forbidden(ip) {
        return Err(refused(&ip.to_string(), why));
    }
    if ip.is_loopback() && !rules.loopback {
        return Err(refused(&ip.to_string(), "loopback"));
    }
    if rules.own_listeners.iter().any(|own| is_own(*own, ip, port)) {
        let said = format!("this appliance itself listens at {ip} port {port}; a device cannot be there");
        return Err(Fault::bad_input(said).hint("use the address the router has on your management network"));
    }
    Ok(())
}

/// Whether a listener of ours answers at this address: one on all addresses answers on loopback too.
fn is_own(own: SocketAddr, ip: IpAddr, port: u16) -> bool {
    own.port() == port && (canonical(own.ip()) == ip || (own.ip().is_unspecified() && ip.is_loopback()))
}

fn bare(text: &str) -> &str {
    text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text)
}

/// LDH labels; the last one must not be a number, since `2130706433` and `0x7f.1` are addresses to a resolver.
fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let number = |label: &str| {
        label.bytes().all(|b| b.is_ascii_digit()) || label.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    host.len() <= HOST_MAX && host.split('.').all(label) && !host.rsplit('.').next().is_some_and(number)
}

fn refused(text: &str, why: &str) -> Fault {
    Fault::bad_input(format!("`{}`: no device can be at such an address ({why})", shown(text)))
        .hint("use the address the router has on your management network")
}

/// An operator's text inside a message: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATOR: Rules<'static> = Rules { loopback: true, own_listeners: &[] };

    #[test]
    fn names_and_addresses_read_back_in_one_spelling() {
        for (text, host) in [
            ("192.0.2.1", "192.0.2.1"),
            (" Edge-7.Example.NET. ", "edge-7.example.net"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("router_1", "router_1"),
            ("127.0.0.1", "127.0.0.1"),
            ("100.64.0.1", "100.64.0.1"),
        ] {
            assert_eq!(parse_host(text, 443, &OPERATOR).unwrap(), host, "{text}");
        }
    }

    #[test]
    fn places_no_router_may_be_at_are_refused_in_every_spelling() {
        for text in [
            "169.254.169.254",
            "169.254.1.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fd00:ec2::254",
            "fe80::1",
            "fe80::1%eth0",
            "[fe80::1%25eth0]",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "metadata.google.internal",
            "2852039166",
            "0xa9fea9fe",
            "169.254.43518",
            "host:443",
            "http://host",
            "a b",
            "",
            "-a.example",
            "user@host",
        ] {
            assert_eq!(parse_host(text, 443, &OPERATOR).map_err(|f| f.kind), Err(Kind::BadInput), "{text}");
        }
    }

    #[test]
    fn loopback_is_for_operators_and_our_own_listeners_for_nobody() {
        let own = ["127.0.0.1:8080".parse().unwrap(), "0.0.0.0:9090".parse().unwrap()];
        let rules = Rules { loopback: true, own_listeners: &own };
        assert!(parse_host("127.0.0.1", 8443, &rules).is_ok());
        assert!(parse_host("127.0.0.1", 8080, &rules).is_err());
        assert!(parse_host("127.0.0.9", 9090, &rules).is_err(), "a listener on all addresses is there too");
        assert!(parse_host("192.0.2.1", 8080, &rules).is_ok());
        let guest = Rules { loopback: false, ..rules };
        assert!(parse_host("127.0.0.1", 8443, &guest).is_err());
        assert!(parse_host("::1", 8443, &guest).is_err());
        assert!(parse_host("localhost", 8443, &guest).is_err());
    }

    #[tokio::test]
    async fn a_name_is_checked_where_it_points() {
        let guest = Rules { loopback: false, own_listeners: &[] };
        // Whatever a resolver makes of it: with the loopback rule it may not end at 127.0.0.1.
        let fault = resolve("localhost", 443, &guest, Duration::from_secs(5)).await.unwrap_err();
        assert!(fault.said.contains("loopback") || fault.said.contains("resolve"), "{}", fault.said);
        assert!(resolve("127.0.0.1", 443, &OPERATOR, Duration::from_secs(5)).await.is_ok());
    }
}
