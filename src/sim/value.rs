//! Values: which a router takes, and how it writes them back.
//!
//! Written from the value syntax of RouterOS, apart from any client: two parsers that agree by accident prove nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an attribute takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Type {
    /// Anything.
    #[default]
    Text,
    /// `yes`, `no`, `true`, `false`; shown as `true` or `false`.
    Flag,
    /// A decimal number between two bounds, both included.
    Number(i64, i64),
    /// One of the words; with `true` a leading `!` negates.
    Words(Vec<String>, bool),
    /// A comma list of the words, a `!` in front of each or all.
    WordList(Vec<String>),
    /// The name of a row in one of the menus, or one of the words; with `true` a leading `!` negates.
    Reference(Vec<String>, Vec<String>, bool),
    /// An IPv4 or IPv6 address, or several.
    Address,
    /// An address with prefix length; without one it is /32.
    Prefix,
    /// A network.
    Network,
    /// A hardware address; shown in upper case with colons.
    Mac,
    /// A length of time, or one of the words.
    Time(Vec<String>),
    /// Upload and download rate, `10M/10M`.
    Rates,
    /// One rate, `10M`.
    Rate,
}

/// Why a value was not taken; the attribute's name is added by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// `input does not match any value of x`
    NoMatch,
    /// `invalid value for argument x`
    Invalid,
    /// `value of x out of range (a..b)`
    OutOfRange(i64, i64),
}

impl Type {
    /// Reads the type part of an attribute word.
    pub fn parse(text: &str) -> Self {
        let words = |t: &str| t.split('|').filter(|w| !w.is_empty()).map(String::from).collect::<Vec<_>>();
        if let Some(list) = text.strip_prefix(',') {
            return Type::WordList(words(list));
        }
        let (negatable, text) = text.strip_prefix('~').map_or((false, text), |t| (true, t));
        if text.contains('@') {
            let (menus, rest): (Vec<_>, Vec<_>) = text.split('|').partition(|w| w.starts_with('@'));
            let menus = menus.into_iter().map(|m| m[1..].to_string()).collect();
            return Type::Reference(menus, rest.into_iter().map(String::from).collect(), negatable);
        }
        if let Some((lo, hi)) = text.split_once("..")
            && let (Ok(lo), Ok(hi)) = (lo.parse(), hi.parse())
        {
            return Type::Number(lo, hi);
        }
        match text {
            "" => Type::Text,
            "bool" => Type::Flag,
            "ip" => Type::Address,
            "prefix" => Type::Prefix,
            "net" => Type::Network,
            "mac" => Type::Mac,
            "rates" => Type::Rates,
            "rate" => Type::Rate,
            t if t == "time" || t.starts_with("time|") => Type::Time(words(t.strip_prefix("time").unwrap_or_default())),
            t => Type::Words(words(t), negatable),
        }
    }

    /// Menus a reference may point to.
    pub fn targets(&self) -> &[String] {
        if let Type::Reference(menus, ..) = self { menus } else { &[] }
    }

    #[cfg(test)]
    pub(super) fn allows_default(&self, default: &str) -> bool {
        matches!(self, Type::Reference(..) | Type::Time(_)) || self.take(default).is_ok()
    }

    /// The value as the router would show it, or why it refuses. References are not followed here.
    pub fn take(&self, given: &str) -> Result<String, Wrong> {
        match self {
            Type::Text | Type::Reference(..) => Ok(given.to_string()),
            Type::Flag => flag(given).map(|b| b.to_string()).ok_or(Wrong::NoMatch),
            Type::Number(lo, hi) => number(given, *lo, *hi),
            Type::Words(words, negatable) => {
                let bare = if *negatable { given.strip_prefix('!').unwrap_or(given) } else { given };
                let as_flag = flag(given).map(|b| if b { "yes" } else { "no" });
                let known = |word: &str| words.iter().any(|w| w == word);
                if known(bare) {
                    return Ok(given.to_string());
                }
                as_flag.filter(|f| known(f)).map(String::from).ok_or(Wrong::NoMatch)
            }
            Type::WordList(words) => {
                let known = |w: &str| words.iter().any(|k| k == w.trim_start_matches('!'));
                let ok = given.is_empty() || given.split(',').all(known);
                if ok { Ok(given.to_string()) } else { Err(Wrong::NoMatch) }
            }
            Type::Address => {
                let host = |a: &str| a.split(['/', '%', '@']).next().is_some_and(|a| a.parse::<IpAddr>().is_ok());
                let ok = matches!(given, "" | "none" | "auto") || given.split(',').all(host);
                if ok { Ok(given.to_string()) } else { Err(Wrong::Invalid) }
            }
            Type::Prefix | Type::Network => prefix(given).map(|(ip, len)| format!("{ip}/{len}")).ok_or(Wrong::Invalid),
            Type::Mac => mac(given).ok_or(Wrong::Invalid),
            Type::Time(words) => {
                if words.iter().any(|w| w == given) || TIME_WORDS.contains(&given) {
                    return Ok(given.to_string());
                }
                time(given).map(show_time).ok_or(Wrong::Invalid)
            }
            Type::Rates => {
                let (up, down) = given.split_once('/').unwrap_or((given, given));
                match (rate(up), rate(down)) {
                    (Some(up), Some(down)) => Ok(format!("{up}/{down}")),
                    _ => Err(Wrong::Invalid),
                }
            }
            Type::Rate => rate(given).map(|r| r.to_string()).ok_or(Wrong::Invalid),
        }
    }
}

/// Words that may stand where a length of time is asked for.
const TIME_WORDS: [&str; 7] = ["never", "none", "auto", "unlimited", "disabled", "inherit", "startup"];

/// `yes`, `no`, `true` and `false`.
pub fn flag(text: &str) -> Option<bool> {
    match text {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

fn number(given: &str, lo: i64, hi: i64) -> Result<String, Wrong> {
    match given.parse::<i64>() {
        Ok(n) if (lo..=hi).contains(&n) => Ok(n.to_string()),
        Ok(_) => Err(Wrong::OutOfRange(lo, hi)),
        Err(_) => Err(Wrong::Invalid),
    }
}

/// Address and prefix length; /32 or /128 when there is none.
pub fn prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, len) = text.split_once('/').map_or((text, None), |(ip, len)| (ip, Some(len)));
    let ip: IpAddr = ip.parse().ok()?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let len = len.map_or(Some(most), |l| l.parse().ok())?;
    (len <= most).then_some((ip, len))
}

/// The first address of the network that `ip` is in.
pub fn network(ip: IpAddr, len: u8) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
            Ipv4Addr::from(u32::from(v4) & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
            Ipv6Addr::from(u128::from(v6) & mask).into()
        }
    }
}

/// Whether the network of an address and prefix length holds another address.
pub fn covers((net, len): (IpAddr, u8), ip: IpAddr) -> bool {
    net.is_ipv4() == ip.is_ipv4() && network(net, len) == network(ip, len)
}

fn mac(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split([':', '-', '.']).collect();
    let ok = parts.len() == 6 && parts.iter().all(|p| p.len() == 2 && p.chars().all(|c| c.is_ascii_hexdigit()));
    ok.then(|| parts.join(":").to_uppercase())
}

fn rate(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let times = match unit {
        "" => 1,
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(times)
}

/// Milliseconds in `1w2d3h4m5s`, `10ms`, `00:01:30`, `1d 00:00:10` or a bare number of seconds.
pub fn time(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds.checked_mul(1_000);
    }
    if let Some(colon) = text.find(':') {
        let start = text[..colon].trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let days = if start == 0 { 0 } else { time(text[..start].trim())? };
        let parts: Vec<u64> = text[start..].split(':').map(|p| p.parse().ok()).collect::<Option<_>>()?;
        let (h, m, s) = match parts[..] {
            [h, m] => (h, m, 0),
            [h, m, s] => (h, m, s),
            _ => return None,
        };
        let seconds = h.checked_mul(3_600)?.checked_add(m.checked_mul(60)?)?.checked_add(s)?;
        return seconds.checked_mul(1_000)?.checked_add(days);
    }
    let mut total = 0u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let n: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let ms = match &rest[..unit] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return None,
        };
        total = total.checked_add(n.checked_mul(ms)?)?;
        rest = &rest[unit..];
    }
    Some(total)
}

/// `1w2d3h4m5s` with the parts that are zero left out; zero is `0s`.
pub fn show_time(mut ms: u64) -> String {
    let mut text = String::new();
    for (unit, size) in [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if ms >= size {
            text.push_str(&format!("{}{unit}", ms / size));
            ms %= size;
        }
    }
    if text.is_empty() { "0s".to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_back_as_the_router_writes_them() {
        let cases = [
            ("bool", "yes", Ok("true")),
            ("bool", "maybe", Err(Wrong::NoMatch)),
            ("1..254", "255", Err(Wrong::OutOfRange(1, 254))),
            ("1..254", "x", Err(Wrong::Invalid)),
            ("accept|drop", "drop", Ok("drop")),
            ("accept|drop", "deny", Err(Wrong::NoMatch)),
            ("accounting|no|yes", "false", Ok("no")),
            (",established|new", "established,!new", Ok("established,!new")),
            ("prefix", "192.0.2.1", Ok("192.0.2.1/32")),
            ("prefix", "192.0.2.1/24", Ok("192.0.2.1/24")),
            ("prefix", "192.0.2.1/33", Err(Wrong::Invalid)),
            ("mac", "aa-bb-cc-00-11-22", Ok("AA:BB:CC:00:11:22")),
            ("rates", "10M/512k", Ok("10000000/512000")),
            ("time", "90", Ok("1m30s")),
            ("time", "00:05:00", Ok("5m")),
            ("time", "1d 00:00:10", Ok("1d10s")),
            ("time", "none", Ok("none")),
            ("time", "soon", Err(Wrong::Invalid)),
            ("time", "1é:2", Err(Wrong::Invalid)),
            ("time", "é00:05:00", Err(Wrong::Invalid)),
            ("time", "9999999999999999999:00", Err(Wrong::Invalid)),
        ];
        for (of, given, want) in cases {
            assert_eq!(Type::parse(of).take(given), want.map(String::from), "{of} {given}");
        }
    }
}
