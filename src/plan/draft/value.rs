//! What a caller gave for an attribute, in RouterOS's spelling, and whether the router can take it. Pure.
//!
//! Values go over the wire as strings: a number with an exponent, or `010`, would be misread. Only what is surely wrong is refused
//! here; the router has the last word, and what it says is read back.

use crate::base::fault::Fault;
use crate::base::unseen::is_unseen;
use crate::menus::{Attr, Menu};
use crate::plan::form::{self, Pairs, get};
use crate::routeros::value::{self, Kind};
use serde_json::Value;
use std::net::IpAddr;

/// Longest value, in bytes: what RouterOS takes in one argument.
const MAX_BYTES: usize = 64 << 10;

/// Words that stand in for numbers, addresses and lengths of time in many menus.
const WORDS: &[&str] =
    &["", "none", "auto", "default", "disabled", "inherit", "never", "unlimited", "infinity", "any", "all", "unspecified"];

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    /// This text.
    Text(String),
    /// Nothing: the attribute is taken away.
    Unset,
    /// A secret that we do not hold here: `generate`, `vault:NAME`.
    Handle(String),
}

/// Reads what a caller gave: numbers, flags and lists become RouterOS's texts.
pub(super) fn given(name: &str, json: &Value) -> Result<Given, Fault> {
    match json {
        Value::Null => Ok(Given::Unset),
        Value::Object(members) => match (members.len(), members.get("secret").and_then(Value::as_str)) {
            (1, Some(handle)) if is_handle(handle) => Ok(Given::Handle(handle.to_owned())),
            _ => Err(Fault::bad_input(format!(
                "{}: an object here is {{\"secret\": \"generate\"}} or {{\"secret\": \"vault:NAME\"}}",
                shown(name)
            ))),
        },
        other => scalar(other)
            .map(Given::Text)
            .ok_or_else(|| Fault::bad_input(format!("{}: a list holds texts, numbers and flags, without commas in them", shown(name)))),
    }
}

/// A text, number, flag or list of those, as RouterOS spells it.
pub(super) fn scalar(json: &Value) -> Option<String> {
    match json {
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
        Value::Number(number) => plain(number),
        Value::Array(items) => {
            let words =
                items.iter().map(|item| scalar(item).filter(|word| !item.is_array() && !word.contains(','))).collect::<Option<Vec<_>>>()?;
            Some(words.join(","))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Digits without exponent.
fn plain(number: &serde_json::Number) -> Option<String> {
    if number.is_i64() || number.is_u64() {
        return Some(number.to_string());
    }
    let value = number.as_f64().filter(|value| value.abs() < 1e15)?;
    Some(if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value}") })
}

fn is_handle(text: &str) -> bool {
    let named = |name: &str| {
        !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    text == "generate" || text.strip_prefix("vault:").is_some_and(named)
}

/// A name somebody wrote, short and without control characters.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !is_unseen(*c)).take(64).collect()
}

/// Whether an attribute holds RouterOS code: written as text, but never read back, shown or put into an undo.
pub(super) fn is_code(facts: Option<&Menu>, name: &str) -> bool {
    match facts.and_then(|facts| facts.attr(name)) {
        Some(attr) => attr.kind == Kind::Script,
        None => name.starts_with("on-") || name.ends_with("script") || name == "source",
    }
}

/// Ranges of whole numbers that hold wherever the name stands.
const RANGES: &[(&str, i64, i64)] = &[
    ("distance", 1, 255),
    ("pvid", 1, 4094),
    ("vlan-id", 1, 4095),
    ("vrid", 1, 255),
    ("port", 0, 65_535),
    ("listen-port", 0, 65_535),
    ("mtu", 0, 65_535),
    ("l2mtu", 0, 65_535),
];

/// Whether the text is one that the router can take for this attribute; the reason if not.
pub(super) fn check(menu: &str, attr: Option<&Attr>, name: &str, text: &str, code: bool) -> Result<(), Fault> {
    let wrong = |what: &str| Err(Fault::bad_input(format!("{}: {what}", shown(name))));
    if text.len() > MAX_BYTES {
        return wrong("longer than 64 kB");
    }
    // Who approves sees the value, and must see all of it.
    let bad = |c: char| is_unseen(c) && !(code && matches!(c, '\n' | '\r' | '\t'));
    if text.chars().any(bad) {
        return wrong("control characters, and others that nobody sees, are not written to a router");
    }
    if code {
        return Ok(());
    }
    if let Some(what) = firewall(menu, name, text) {
        return wrong(what);
    }
    let Some(attr) = attr else { return Ok(()) };
    if WORDS.contains(&text) && attr.kind != Kind::Flag {
        return if text.is_empty() && attr.required { wrong("must not be empty") } else { Ok(()) };
    }
    let bare = text.strip_prefix('!').unwrap_or(text);
    let quoted = |what: &str| wrong(&format!("{what}, not {:?}", shown(text)));
    match attr.kind {
        Kind::Flag if text.is_empty() || value::flag(text).is_none() => quoted("yes or no"),
        Kind::Int | Kind::Count => match (bare.parse::<i64>(), RANGES.iter().find(|(known, ..)| *known == name)) {
            (Err(_), _) if is_hex(bare) || is_range(bare) => Ok(()),
            (Err(_), _) => quoted("a whole number"),
            (Ok(number), Some((_, least, most))) if !(*least..=*most).contains(&number) => {
                wrong(&format!("{least} to {most}, not {number}"))
            }
            _ => Ok(()),
        },
        Kind::Span if value::span_ms(bare).is_none() && !is_word(bare) => quoted("a length of time such as 10m or 00:10:00"),
        Kind::Mac if !is_mac(bare) => quoted("a MAC address"),
        // Some take a host name too, or a name of a row: only what looks like an address and is none is surely wrong.
        Kind::Address | Kind::Prefix if looks_numeric(bare) && !bare.split(',').all(is_network) => quoted("an address or network"),
        Kind::Address | Kind::Prefix if bare.contains(char::is_whitespace) => quoted("an address or network"),
        Kind::Rate if value::rate(bare).is_none() && !is_word(bare) => quoted("a speed such as 10M"),
        Kind::RatePair if bare.split('/').count() > 2 || bare.split('/').any(|one| value::rate(one).is_none() && !is_word(one)) => {
            quoted("two speeds such as 10M/2M")
        }
        _ => Ok(()),
    }
    .and_then(|()| network(menu, name, text))
    .and_then(|()| match addresses(menu, name) {
        Some(what) if !bare.split(',').all(is_network) => quoted(what),
        _ => Ok(()),
    })
}

/// What holds addresses alone in every version, though the facts call it a list or a text.
fn addresses(menu: &str, name: &str) -> Option<&'static str> {
    match (menu, name) {
        ("/ip/dns", "servers") => Some("addresses of servers, with commas"),
        ("/ip/pool" | "/ipv6/pool", "ranges" | "prefix") => Some("ranges a-b or networks, with commas"),
        ("/ip/route" | "/ipv6/route", "dst-address") => Some("a network such as 10.0.0.0/24"),
        _ => None,
    }
}

/// Words that stand where a length of time does, beside [`WORDS`]. Source: enums of the schema.
const TIMES: &[&str] =
    &["always", "disable-dpd", "forever", "immediate", "immediately", "lease-time", "none-dynamic", "none-static", "received"];

/// What is no word of an enum, or no length of time, to be asked of the router itself: our list may be older than it.
pub(super) fn is_strange_word(attr: Option<&Attr>, text: &str) -> bool {
    match attr.map(|attr| attr.kind) {
        Some(Kind::Span) => is_word(text) && value::span_ms(text).is_none() && !WORDS.contains(&text) && !TIMES.contains(&text),
        Some(Kind::Enum(words)) => {
            let bare = text.strip_prefix('!').unwrap_or(text);
            !text.is_empty() && !words.contains(&text) && !bare.split(',').all(|word| words.contains(&word))
        }
        _ => false,
    }
}

/// The spelling the router will show, where that is known: equal values then need no judgement.
pub(super) fn settled(menu: &str, attr: Option<&Attr>, name: &str, text: String) -> String {
    match attr.map(|attr| attr.kind) {
        Some(Kind::Flag) => match value::flag(&text).filter(|_| !text.is_empty()) {
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
            None => text,
        },
        Some(Kind::Mac) if is_mac(&text) => text.to_ascii_uppercase().replace('-', ":"),
        // How an IPv6 address alone is shown is not known: with its length or without.
        _ if is_shown_bare(menu, name) && !text.contains(':') => value::bare_address(&without_host_bits(text)).to_owned(),
        _ if is_shown_whole(menu, name) && text.parse::<std::net::Ipv4Addr>().is_ok() => format!("{text}/32"),
        _ if is_shown_bare(menu, name) || (menu.ends_with("/route") && name == "dst-address") => without_host_bits(text),
        _ if matches!(menu, "/ip/service" | "/user") && name == "address" => each(&text, |net| without_host_bits(net.to_owned())),
        _ if menu == "/ipv6/route" && name == "gateway" => each(&text, |hop| match hop.split_once('%') {
            Some((address, interface)) => format!("{}%{interface}", form::plain(address)),
            None => form::plain(hop).into_owned(),
        }),
        Some(Kind::Address | Kind::Prefix) => form::six(&text).unwrap_or(text),
        _ => text,
    }
}

/// Each word of a list.
fn each(text: &str, word: impl Fn(&str) -> String) -> String {
    text.split(',').map(|one| word(one.trim())).collect::<Vec<_>>().join(",")
}

/// `10.77.0.250/16` is `10.77.0.0/16`: a rule means the network, and a row that the router spells otherwise than it was written would
/// not be found again. Anything else stays as it is.
fn without_host_bits(text: String) -> String {
    let (not, bare) = text.strip_prefix('!').map_or(("", text.as_str()), |bare| ("!", bare));
    match bare.parse::<ipnet::IpNet>() {
        Ok(net) if net.network() != net.addr() || net.addr().is_ipv6() => format!("{not}{}", net.trunc()),
        _ => form::six(bare).map_or(text, |six| format!("{not}{six}")),
    }
}

/// One address alone is shown without its length there.
fn is_shown_bare(menu: &str, name: &str) -> bool {
    (is_rule_menu(menu) && matches!(name, "src-address" | "dst-address")) || (menu.ends_with("/firewall/address-list") && name == "address")
}

/// One address alone is shown with its length there.
fn is_shown_whole(menu: &str, name: &str) -> bool {
    matches!((menu, name), ("/ip/address", "address") | ("/ip/route", "dst-address"))
}

/// States of a connection. Source: enums of the schema, the same in all versions.
const STATES: &[&str] = &["established", "invalid", "new", "related", "untracked"];

/// Rules' addresses, ports and protocols are free text in the facts, for lists of them differ by version; nonsense is refused.
fn firewall(menu: &str, name: &str, text: &str) -> Option<&'static str> {
    if !is_rule_menu(menu) || text.is_empty() {
        return None;
    }
    let bare = text.strip_prefix('!').unwrap_or(text);
    match name {
        "src-address" | "dst-address" if !is_network(bare) => Some("an address, a network or a range a-b"),
        "src-port" | "dst-port" | "port" | "to-ports" if !bare.split(',').all(is_port) => {
            Some("ports: numbers 0 to 65535 and ranges a-b, with commas")
        }
        "connection-state" if !bare.split(',').all(|word| STATES.contains(&word)) => {
            Some("established, related, new, invalid or untracked, with commas")
        }
        _ => None,
    }
}

/// A DHCP network is one: the router refuses host bits.
fn network(menu: &str, name: &str, text: &str) -> Result<(), Fault> {
    if menu != "/ip/dhcp-server/network" || name != "address" {
        return Ok(());
    }
    match text.parse::<ipnet::IpNet>() {
        Ok(net) if net.network() == net.addr() => Ok(()),
        Ok(net) => Err(Fault::bad_input(format!("address: {net} is an address in a network; the network is {}", net.trunc()))),
        Err(_) => Err(Fault::bad_input("address: a network such as 10.0.0.0/24")),
    }
}

/// Rule tables, where a rule without matchers hits everything.
pub(crate) fn is_rule_menu(menu: &str) -> bool {
    let table = menu.strip_prefix("/ip/firewall/").or_else(|| menu.strip_prefix("/ipv6/firewall/"));
    table.is_some_and(|table| matches!(table, "filter" | "nat" | "mangle" | "raw"))
}

/// Attributes of a rule that match nothing.
const NO_MATCHERS: &[&str] = &[
    "action",
    "address-list",
    "address-list-timeout",
    "chain",
    "comment",
    "disabled",
    "hw-offload",
    "jump-target",
    "log",
    "log-prefix",
    "passthrough",
    "randomise-ports",
    "reject-with",
    "route-dst",
    "same-not-by-dst",
];

/// Whether a rule matches on anything beside its chain.
pub(super) fn has_matcher(rule: &Pairs) -> bool {
    let matches = |(name, value): &(String, String)| {
        let acts = NO_MATCHERS.contains(&name.as_str()) || ["new-", "to-", "sniff-"].iter().any(|start| name.starts_with(start));
        let counts = matches!(name.as_str(), "bytes" | "packets" | "dynamic" | "invalid") || name.starts_with('.');
        let idle = name == "fragment" && value::flag(value) == Some(false);
        !(acts || counts || idle || value.is_empty())
    };
    rule.iter().any(matches)
}

/// Whether a row says so of itself.
pub(super) fn is(row: &Pairs, flag: &str) -> bool {
    get(row, flag).is_some_and(|text| matches!(text, "true" | "yes"))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && text.bytes().any(|b| b.is_ascii_lowercase())
}

fn is_hex(text: &str) -> bool {
    text.strip_prefix("0x").is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_range(text: &str) -> bool {
    text.split(',').all(|one| {
        let (from, to) = one.split_once('-').unwrap_or((one, one));
        matches!((from.parse::<u64>(), to.parse::<u64>()), (Ok(from), Ok(to)) if from <= to)
    })
}

fn is_port(text: &str) -> bool {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    matches!((from.parse::<u16>(), to.parse::<u16>()), (Ok(from), Ok(to)) if from <= to)
}

/// `AA:BB:CC:DD:EE:FF`, also with hyphens, and with a mask after it.
pub(super) fn is_mac(text: &str) -> bool {
    let plain = text.split('/').next().unwrap_or(text);
    let parts: Vec<&str> = plain.split([':', '-']).collect();
    parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Nothing but what addresses are made of, so a typo in one is not taken for a name.
fn looks_numeric(text: &str) -> bool {
    let v4 = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'/' | b',' | b'-')) && text.bytes().any(|b| b.is_ascii_digit());
    let v6 = text.contains("::") || text.matches(':').count() >= 2;
    v4 || (v6 && !text.contains('%') && !is_mac(text))
}

/// `10.0.0.1`, `10.0.0.0/8`, `10.0.0.1-10.0.0.9`, `fe80::1%ether1`.
fn is_network(text: &str) -> bool {
    let address = |text: &str| text.split(['%', '@']).next().unwrap_or(text).parse::<IpAddr>().is_ok();
    let range = |text: &str| {
        text.split_once('-').is_some_and(|(from, to)| {
            matches!((from.parse::<IpAddr>(), to.parse::<IpAddr>()), (Ok(from), Ok(to)) if from.is_ipv4() == to.is_ipv4() && from <= to)
        })
    };
    address(text) || text.parse::<ipnet::IpNet>().is_ok() || range(text)
}

#[cfg(test)]
mod tests;
