//! What may be measured, and by which interface: checked so strictly that nothing else than that can be meant.
//!
//! Values go to the router as JSON strings and through the quoting of `routeros::script`; these checks stand before both.

use crate::base::fault::Fault;
use crate::routeros::flow::net::Block;
use crate::routeros::query::Query;
use crate::tools::arguments::shown;
use crate::tools::router::{Router, STEADY};
use std::net::IpAddr;

/// An address or host name, as the router is to get it.
pub fn host(field: &str, text: &str) -> Result<String, Fault> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return unicast(field, ip).map(|ip| ip.to_string());
    }
    let name = if text.is_ascii() { text.to_ascii_lowercase() } else { punycode(text).ok_or_else(|| wrong(field, text))? };
    if is_host_name(&name) { Ok(name) } else { Err(wrong(field, text)) }
}

/// An IP address of one host.
pub fn ip(field: &str, text: &str) -> Result<IpAddr, Fault> {
    let ip = text.parse().map_err(|_| wrong_ip(field, text))?;
    unicast(field, ip)
}

/// An address or network, in the router's spelling.
pub fn network(field: &str, text: &str) -> Result<String, Fault> {
    if text.contains('-') || Block::parse(text).is_none() {
        return Err(Fault::bad_input(format!("{field}: `{}` is no IP address or network", shown(text))).hint("e.g. 192.0.2.0/24"));
    }
    Ok(text.to_owned())
}

/// Many hosts would answer one packet: nobody's to ask.
fn unicast(field: &str, ip: IpAddr) -> Result<IpAddr, Fault> {
    let many = ip.is_multicast() || ip.is_unspecified() || matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    if many {
        return Err(Fault::bad_input(format!("{field}: {ip} is not one host's address")).hint("give the address of one host"));
    }
    Ok(ip)
}

/// Letters, digits, hyphens and underscores between dots; not all of the last part digits, or it would be read as an address.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        let inside = label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        (1..=63).contains(&label.len()) && inside && !label.starts_with('-') && !label.ends_with('-')
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(label) && !last.bytes().all(|b| b.is_ascii_digit()) && !is_hexadecimal(last)
}

/// `0x7f000001` is an address to some readers.
fn is_hexadecimal(label: &str) -> bool {
    label.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A name with letters beyond ASCII, in the spelling of DNS; nothing but letters, digits, hyphens and dots.
fn punycode(text: &str) -> Option<String> {
    if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.')) {
        return None;
    }
    let url = reqwest::Url::parse(&format!("http://{text}/")).ok()?;
    url.host_str().filter(|host| host.contains("xn--")).map(str::to_owned)
}

/// An interface that the router has.
pub async fn interface(router: &Router<'_>, field: &str, name: &str) -> Result<(), Fault> {
    plain_name(field, name)?;
    let seen = router.rows("/interface", Query::new().columns(["name"]), STEADY).await?;
    if seen.iter().any(|row| row.text("name") == Some(name)) {
        return Ok(());
    }
    Err(Fault::bad_input(format!("{field}: device \"{}\" has no interface \"{}\"", router.device.name, shown(name)))
        .hint("interface.list shows its interfaces"))
}

/// A VRF that the router has.
pub async fn vrf(router: &Router<'_>, name: &str) -> Result<(), Fault> {
    plain_name("vrf", name)?;
    let seen = router.all_if_there("/ip/vrf", STEADY).await?;
    if name == "main" || seen.is_some_and(|seen| seen.iter().any(|row| row.text("name") == Some(name))) {
        return Ok(());
    }
    Err(Fault::bad_input(format!("vrf: device \"{}\" has no VRF \"{}\"", router.device.name, shown(name)))
        .hint("menu.read of /ip/vrf shows its VRFs"))
}

/// Before a router is asked: a name as people give, with nothing a console could read as more.
pub fn plain_name(field: &str, name: &str) -> Result<(), Fault> {
    let odd = |c: char| c.is_control() || matches!(c, '"' | '\'' | '`' | '$' | '[' | ']' | '{' | '}' | ';' | '\\' | '?' | '=');
    let begins_oddly = name.starts_with(['-', '*', '!', ' ', '/']);
    if name.is_empty() || name.chars().count() > 64 || begins_oddly || name.chars().any(odd) {
        return Err(Fault::bad_input(format!("{field}: `{}` is no name", shown(name)))
            .hint("give the name as the router shows it; quotes, brackets, $, ; and \\ are not taken"));
    }
    Ok(())
}

fn wrong(field: &str, text: &str) -> Fault {
    Fault::bad_input(format!("{field}: `{}` is neither an IP address nor a host name", shown(text)))
        .hint("e.g. 192.0.2.7, 2001:db8::7 or host.example; for an address with a zone give the interface apart")
}

fn wrong_ip(field: &str, text: &str) -> Fault {
    Fault::bad_input(format!("{field}: `{}` is no IP address", shown(text))).hint("e.g. 192.0.2.7 or 2001:db8::7")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_taken_in_one_spelling() {
        for (text, sent) in [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:DB8::7", "2001:db8::7"),
            ("Host.Example", "host.example"),
            ("host", "host"),
            ("a-b_c.example.", "a-b_c.example."),
            ("bücher.example", "xn--bcher-kva.example"),
            ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ] {
            assert_eq!(host("address", text).unwrap(), sent);
        }
    }

    #[test]
    fn nothing_that_could_mean_more_is_taken() {
        let long = "a".repeat(64);
        let longer = format!("{}a", "a.".repeat(130));
        for text in [
            "",
            " ",
            "a b",
            "192.0.2.7 ",
            "192.0.2.7;/system reboot",
            "192.0.2.7\n/system reboot",
            "[/system reboot]",
            "$a",
            "\"a\"",
            "a\\b",
            "-f",
            "a..b",
            ".a",
            "a-",
            "192.0.2.07",
            "192.0.2",
            "192.0.2.256",
            "3221225991",
            "0x7f000001",
            "192.0.2.0/24",
            "fe80::1%ether1",
            "http://host.example",
            "host.example:80",
            "a\u{202e}b.example",
            "a\u{200b}b.example",
            "１９２.0.2.7",
            "a?b",
            "a{b}",
            "a=b",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "0.0.0.0",
            "::",
            long.as_str(),
            longer.as_str(),
        ] {
            assert!(host("address", text).is_err(), "{text:?}");
        }
        for name in ["", "-x", "*1", "!ether1", "a\"b", "a$b", "a[b", "a;b", "a\\b", "a\nb", "a=b", "/x"] {
            assert!(plain_name("interface", name).is_err(), "{name:?}");
        }
        for name in ["ether1", "<pppoe-anna>", "vlan 10 (staff)", "sfp-sfpplus1", "мост"] {
            assert!(plain_name("interface", name).is_ok(), "{name:?}");
        }
        for text in ["192.0.2.0/33", "192.0.2.1-192.0.2.9", "a/24", "192.0.2.0/24;"] {
            assert!(network("src_address", text).is_err(), "{text:?}");
        }
    }
}
