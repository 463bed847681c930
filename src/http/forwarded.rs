//! What proxies say of the client: its address, and whether it came by https.
//!
//! Only proxies named in `http.trusted_proxies` are believed, from our end of the chain outwards: the client is the right-most
//! address that is no such proxy. Whatever stands further left, the client may have written itself.
//!
//! - `Forwarded` and the `X-Forwarded-` headers must agree where both are there. A proxy that sets one kind and lets the
//!   client's other kind through would let anybody be anybody.
//! - A client that its proxy does not tell (`unknown`, `_hidden`, or nothing that can be read) is nobody: 0.0.0.0. It is
//!   never taken for the proxy, which may be this very machine.
//!
//! Source: RFC 7239; <https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/X-Forwarded-For>

use crate::http::fault::Refusal;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

const X_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A client that nobody told us.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The client behind proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its address; 0.0.0.0 when its proxy keeps it to itself.
    pub client: IpAddr,
    /// Whether it came by https, when a proxy says so.
    pub is_https: Option<bool>,
}

/// One station of the way, as the next one saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Hop {
    /// `None`: not said. `Some(NOBODY)`: said, and not to be told.
    from: Option<IpAddr>,
    is_https: Option<bool>,
}

/// Whether a request says that it stands for somebody else, whoever says so. Other words than those we read count as well.
pub fn is_spoken_of(headers: &HeaderMap) -> bool {
    let others = ["x-real-ip", "cf-connecting-ip", "true-client-ip", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-user", "via"];
    headers.contains_key(header::FORWARDED) || headers.contains_key(&X_FOR) || others.iter().any(|name| headers.contains_key(*name))
}

/// Whom a request comes from. Errs when the headers contradict each other.
pub fn seen(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Result<Seen, Refusal> {
    let peer = peer.to_canonical();
    let direct = Seen { client: peer, is_https: None };
    if !is_trusted(peer, trusted) {
        return Ok(direct);
    }
    let [standard, usual] = [forwarded(headers), x_forwarded(headers)].map(|hops| follow(peer, &hops, trusted));
    let client = agreed(standard.from, usual.from)?.unwrap_or(peer);
    Ok(Seen { client, is_https: agreed(standard.is_https, usual.is_https)? })
}

fn agreed<T: PartialEq>(standard: Option<T>, usual: Option<T>) -> Result<Option<T>, Refusal> {
    match (standard, usual) {
        (Some(standard), Some(usual)) if standard != usual => {
            let said = "Forwarded and X-Forwarded-For or -Proto say different things";
            let hint = "the proxy in front must set one kind and take the client's other kind away";
            Err(Refusal::of(StatusCode::BAD_REQUEST, "forwarded", said).hint(hint).closing())
        }
        (standard, usual) => Ok(standard.or(usual)),
    }
}

/// Whether it is one of the proxies we believe.
pub fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// From us outwards, as far as each station is a proxy we believe: what is said of the last one.
fn follow(peer: IpAddr, hops: &[Hop], trusted: &[IpNet]) -> Hop {
    let (mut at, mut found) = (peer, Hop::default());
    for hop in hops.iter().rev() {
        if !is_trusted(at, trusted) {
            break;
        }
        found.is_https = hop.is_https;
        let Some(from) = hop.from else { break };
        let from = from.to_canonical();
        // Only a proxy on this machine can have been called from it.
        at = if from.is_loopback() && !at.is_loopback() { NOBODY } else { from };
        found.from = Some(at);
    }
    found
}

/// `X-Forwarded-For: client, proxy` and `X-Forwarded-Proto: https`, which often has one word for the whole way.
fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let words = |name: &HeaderName| -> Vec<String> {
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?").to_owned());
        values.collect::<Vec<_>>().iter().flat_map(|value| value.split(',')).map(|word| word.trim().to_owned()).collect()
    };
    let (addresses, schemes) = (words(&X_FOR), words(&X_PROTO));
    let scheme = |at: usize| match schemes.len() {
        n if n == addresses.len() => schemes.get(at),
        _ => schemes.last(),
    };
    if addresses.is_empty() {
        return schemes.last().map(|scheme| Hop { from: None, is_https: is_https(scheme) }).into_iter().collect();
    }
    let hop = |(at, word): (usize, &String)| Hop { from: Some(address(word)), is_https: scheme(at).and_then(|scheme| is_https(scheme)) };
    addresses.iter().enumerate().map(hop).collect()
}

/// `Forwarded: for=192.0.2.1;proto=https, for="[2001:db8::1]:4711"`.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let mut hops = Vec::new();
    for value in headers.get_all(header::FORWARDED) {
        match value.to_str().ok().and_then(elements) {
            Some(elements) => hops.extend(elements),
            // One quote too many, and what a proxy appended is part of what the client wrote.
            None => hops.push(Hop { from: Some(NOBODY), is_https: None }),
        }
    }
    hops
}

/// The elements of one header line. `None`: it is not what RFC 7239 has.
fn elements(text: &str) -> Option<Vec<Hop>> {
    let mut rest = text;
    let (mut hops, mut hop, mut names) = (Vec::new(), Hop::default(), Vec::new());
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if !rest.starts_with([',', ';']) && !rest.is_empty() {
            let (name, value, after) = pair(rest)?;
            if names.contains(&name) {
                return None;
            }
            match name.as_str() {
                "for" => hop.from = Some(address(&value)),
                "proto" => hop.is_https = is_https(&value),
                _ => {}
            }
            names.push(name);
            rest = after.trim_start_matches([' ', '\t']);
        }
        let is_end = rest.is_empty();
        if (is_end || rest.starts_with(',')) && !names.is_empty() {
            hops.push(hop);
            (hop, names) = (Hop::default(), Vec::new());
        }
        match rest.strip_prefix([',', ';']) {
            Some(after) => rest = after,
            None if is_end => return Some(hops),
            None => return None,
        }
    }
}

/// `name=value` and what follows it; the name in small letters, the value without its quotes.
fn pair(text: &str) -> Option<(String, String, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let (name, rest) = text.split_once('=')?;
    if name.is_empty() || !name.chars().all(is_token) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let Some(quoted) = rest.strip_prefix('"') else {
        // Colons and brackets want quotes, and many leave them out.
        let end = rest.find(|c: char| !is_token(c) && !matches!(c, ':' | '[' | ']')).unwrap_or(rest.len());
        return (end > 0).then(|| (name, rest[..end].to_owned(), &rest[end..]));
    };
    let (mut value, mut characters) = (String::new(), quoted.char_indices());
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((name, value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}

/// An address as proxies write it, with a port or without; [`NOBODY`] for `unknown`, `_hidden` and everything else.
fn address(text: &str) -> IpAddr {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let parsed = match bracketed {
        Some((inner, port)) if port.is_empty() || port.starts_with(':') => inner.parse().ok().map(IpAddr::V6),
        Some(_) => None,
        None => text.parse().ok().or_else(|| text.parse::<SocketAddrV4>().ok().map(|socket| IpAddr::V4(*socket.ip()))).or_else(|| {
            // RFC 7239 lets a port be hidden too.
            let (host, port) = text.split_once(':')?;
            port.starts_with('_').then(|| host.parse().ok().map(IpAddr::V4)).flatten()
        }),
    };
    parsed.unwrap_or(NOBODY)
}

fn is_https(scheme: &str) -> Option<bool> {
    match scheme.trim() {
        scheme if scheme.eq_ignore_ascii_case("https") => Some(true),
        scheme if scheme.eq_ignore_ascii_case("http") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    /// The client and its scheme; `!` when it is refused.
    fn of(peer: &str, lines: &[(&'static str, &str)]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        match seen(peer.parse().unwrap(), &headers(lines), &trusted) {
            Ok(seen) => format!("{}{}", seen.client, seen.is_https.map_or("", |https| if https { " https" } else { " http" })),
            Err(refusal) => format!("!{}", refusal.reason),
        }
    }

    #[test]
    fn x_forwarded_headers_count_from_trusted_proxies_only_and_from_our_end() {
        for (peer, lines, client) in [
            ("192.0.2.1", &[("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", "https")][..], "192.0.2.1"),
            ("10.0.0.1", &[("x-forwarded-for", "203.0.113.9, 198.51.100.1")], "198.51.100.1"),
            ("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "10.0.0.2")], "198.51.100.1"),
            ("10.0.0.1", &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, junk")], "0.0.0.0"),
            ("10.0.0.1", &[("x-forwarded-for", "")], "0.0.0.0"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1:4711")], "198.51.100.1"),
            ("10.0.0.1", &[("x-forwarded-for", "2001:db8::1")], "2001:db8::1"),
            ("10.0.0.1", &[("x-forwarded-for", "[2001:db8::1]:4711")], "2001:db8::1"),
            ("10.0.0.1", &[("x-forwarded-for", "::ffff:198.51.100.1")], "198.51.100.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "127.0.0.1")], "0.0.0.0"),
            ("::1", &[("x-forwarded-for", "127.0.0.1")], "127.0.0.1"),
            ("::1", &[("x-forwarded-for", "127.0.0.1, 10.9.9.9")], "0.0.0.0"),
            ("10.0.0.1", &[("x-forwarded-proto", "HTTPS")], "10.0.0.1 https"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", "https")], "198.51.100.1 https"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, 10.0.0.2"), ("x-forwarded-proto", "https")], "198.51.100.1 https"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, 10.0.0.2"), ("x-forwarded-proto", "https, http")], "198.51.100.1 https"),
            ("10.0.0.1", &[("x-forwarded-for", "203.0.113.9, 198.51.100.1"), ("x-forwarded-proto", "https, http")], "198.51.100.1 http"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", "javascript")], "198.51.100.1"),
        ] {
            assert_eq!(of(peer, lines), client, "{peer} {lines:?}");
        }
    }

    #[test]
    fn forwarded_is_read_with_quotes_brackets_and_hidden_names() {
        for (value, client) in [
            ("for=198.51.100.1", "198.51.100.1"),
            ("For=\"198.51.100.1:4711\";Proto=HTTPS;by=10.0.0.1", "198.51.100.1 https"),
            ("for=\"[2001:db8::1]\";proto=http", "2001:db8::1 http"),
            ("for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=[2001:db8::1]", "2001:db8::1"),
            ("for=\"198.51.100.1:_port\"", "198.51.100.1"),
            ("for=\"198.51.\\100.1\"", "198.51.100.1"),
            ("for=203.0.113.9;proto=https, for=198.51.100.1;proto=http", "198.51.100.1 http"),
            ("for=198.51.100.1;proto=https, for=10.0.0.2;proto=http", "198.51.100.1 https"),
            ("for=203.0.113.9;ext=\"a, b; c\", for=198.51.100.1", "198.51.100.1"),
            (" , ,for=198.51.100.1 ; proto=https ; , ", "198.51.100.1 https"),
            ("for=unknown", "0.0.0.0"),
            ("for=_hidden;proto=https", "0.0.0.0 https"),
            ("for=198.51.100.1, for=unknown", "0.0.0.0"),
            ("proto=https", "10.0.0.1 https"),
            ("for=203.0.113.9;ext=\", for=198.51.100.1", "0.0.0.0"),
            ("for=198.51.100.1;for=203.0.113.9", "0.0.0.0"),
            ("for=198.51.100.1 for=203.0.113.9", "0.0.0.0"),
            ("for", "0.0.0.0"),
            ("=x", "0.0.0.0"),
            ("for=", "0.0.0.0"),
            ("for=\"\"", "0.0.0.0"),
            ("for=\"[::1\"", "0.0.0.0"),
        ] {
            assert_eq!(of("10.0.0.1", &[("forwarded", value)]), client, "{value}");
        }
        assert_eq!(of("192.0.2.1", &[("forwarded", "for=198.51.100.1;proto=https")]), "192.0.2.1", "nobody we trust");
        assert_eq!(of("10.0.0.1", &[("forwarded", "for=\"x"), ("forwarded", "for=198.51.100.1")]), "198.51.100.1", "lines stand alone");
    }

    #[test]
    fn both_kinds_must_agree() {
        let x = ("x-forwarded-for", "198.51.100.1");
        assert_eq!(of("10.0.0.1", &[x, ("forwarded", "for=198.51.100.1;proto=https")]), "198.51.100.1 https");
        assert_eq!(of("10.0.0.1", &[x, ("forwarded", "for=127.0.0.1")]), "!forwarded", "one of them is the client's own");
        assert_eq!(of("10.0.0.1", &[x, ("forwarded", "for=unknown")]), "!forwarded");
        assert_eq!(of("10.0.0.1", &[x, ("forwarded", "for=10.0.0.1")]), "!forwarded");
        assert_eq!(of("10.0.0.1", &[x, ("x-forwarded-proto", "http"), ("forwarded", "proto=https")]), "!forwarded");
        assert_eq!(of("192.0.2.1", &[x, ("forwarded", "for=127.0.0.1")]), "192.0.2.1", "nobody's word, nobody's quarrel");
    }

    prop_compose! {
        fn any_address()(is_v6 in any::<bool>(), bits in any::<u128>()) -> IpAddr {
            if is_v6 { IpAddr::V6((bits | 0x2001 << 112).into()) } else { IpAddr::V4(((bits as u32) | 0xC000_0000).into()) }
        }
    }

    proptest! {
        #[test]
        fn nothing_a_client_writes_makes_it_another_than_the_proxy_saw(written in "[ -~]{0,60}", real in any_address()) {
            let shown = match real { IpAddr::V4(v4) => v4.to_string(), IpAddr::V6(v6) => format!("\"[{v6}]\"") };
            let peer = "10.0.0.1".parse().unwrap();
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            let appended = format!("{written}, for={shown}");
            if let Ok(seen) = seen(peer, &headers(&[("forwarded", &appended)]), &trusted) {
                prop_assert!(seen.client == real.to_canonical() || seen.client == NOBODY, "{appended}: {seen:?}");
            }
            let appended = format!("{written}, {real}");
            let found = seen(peer, &headers(&[("x-forwarded-for", &appended)]), &trusted).unwrap();
            prop_assert_eq!(found.client, real.to_canonical());
            // A proxy that sets one kind and lets the other through.
            let both = headers(&[("forwarded", &written), ("x-forwarded-for", &real.to_string())]);
            if let Ok(seen) = seen(peer, &both, &trusted) {
                prop_assert_eq!(seen.client, real.to_canonical());
            }
            let both = headers(&[("x-forwarded-for", &written), ("forwarded", &format!("for={shown}"))]);
            if let Ok(seen) = seen(peer, &both, &trusted) {
                prop_assert_eq!(seen.client, real.to_canonical());
            }
        }

        #[test]
        fn what_is_written_by_the_book_is_read_back(hops in prop::collection::vec((any_address(), any::<Option<bool>>(), any::<u16>()), 1..6)) {
            let write = |(from, https, port): &(IpAddr, Option<bool>, u16)| {
                let node = if from.is_ipv6() { format!("\"[{from}]:{port}\"") } else { format!("\"{from}:{port}\"") };
                let proto = https.map_or_else(String::new, |https| if https { ";proto=https".into() } else { ";proto=http".into() });
                format!("for={node}{proto};by=_x")
            };
            let text = hops.iter().map(write).collect::<Vec<_>>().join(", ");
            let expected: Vec<Hop> = hops.iter().map(|(from, is_https, _)| Hop { from: Some(*from), is_https: *is_https }).collect();
            prop_assert_eq!(elements(&text).unwrap(), expected);
        }

        #[test]
        fn no_text_is_too_odd_to_be_read(text in "\\PC{0,80}") {
            let _ = elements(&text);
            let _ = address(&text);
        }
    }
}
