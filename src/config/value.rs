//! One value: from what somebody wrote to what the program uses.
//!
//! The result is JSON in one canonical form (words in their listed spelling, lengths of time as `10m`, bytes as numbers),
//! which the typed sections are then read from.

use super::key::{Item, Key, Kind, Standard, Strict};
use super::node::Node;
use super::report::nearest;
use crate::backup;
use crate::base::span::Span;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use serde_json::{Number, Value};
use std::net::IpAddr;

/// Roles that `oidc.role_map` may give.
const ROLES: &[&str] = &["read_only", "ops_rw", "approver", "admin"];
/// Routes that are ours already.
const TAKEN_ROUTES: &[&str] = &["/admin", "/health", "/metrics", "/.well-known"];
/// How much of a bad value a message repeats, in characters.
const SHOWN_CHARS: usize = 60;
/// Length of a master key.
const KEY_BYTES: usize = 32;

/// Why a value was refused. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What was found, as a message shows it.
    pub found: String,
    /// What would be right.
    pub allowed: String,
    /// The known word it resembles.
    pub nearest: Option<String>,
}

/// Reads a value. `loose` is for text from outside the file (environment, flags, `${VAR}`), where everything is text;
/// a file's values must have the right type. `Null` means "as if it were not set".
///
/// # Errors
/// What was found and what is allowed.
pub fn read(key: &Key, node: &Node, loose: bool) -> Result<Value, Wrong> {
    let value = match node {
        Node::Null => Some(Value::Null),
        // Nothing written where nothing is the default: what the example file has behind its `#`.
        Node::Text(text) if text.is_empty() && key.default == Standard::Unset => Some(Value::Null),
        Node::Text(text) if loose => loose_text(&key.kind, text.trim()),
        _ => strict(&key.kind, node),
    };
    value.ok_or_else(|| wrong(key, node))
}

fn wrong(key: &Key, node: &Node) -> Wrong {
    let found = if key.is_secret() { "something else".to_owned() } else { shown(node) };
    let nearest = match (&key.kind, node) {
        (Kind::Word(words) | Kind::List(Item::Word(words)), Node::Text(text)) => nearest(text, words.iter().copied()),
        _ => None,
    };
    Wrong { found, allowed: key.kind.allowed(), nearest }
}

/// A bad value as messages repeat it.
fn shown(node: &Node) -> String {
    match node {
        Node::Null => "nothing".into(),
        Node::Flag(flag) => flag.to_string(),
        Node::Int(n) => n.to_string(),
        Node::Real(n) => n.to_string(),
        Node::Text(text) => {
            let clean: String = without_userinfo(text).chars().filter(|c| !c.is_control()).take(SHOWN_CHARS).collect();
            format!("\"{clean}\"")
        }
        Node::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")).chars().take(SHOWN_CHARS).collect(),
        Node::Map(_) => "a table".into(),
    }
}

/// Environment variables and flags: everything is text, and empty text is no value.
fn loose_text(kind: &Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::List(item) => list(item, text.split([',', ' ', '\t', '\n']).map(str::trim).filter(|part| !part.is_empty())),
        Kind::Roles => roles(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| part.split_once('='))),
        Kind::Text if text.is_empty() => Some(Value::String(String::new())),
        _ if text.is_empty() => Some(Value::Null),
        Kind::Flag => flag(text).map(Value::Bool),
        Kind::Int(..) => strict(kind, &Node::Int(text.parse().ok()?)),
        Kind::Real(..) => strict(kind, &Node::Real(text.parse().ok()?)),
        _ => strict(kind, &Node::Text(text.to_owned())),
    }
}

/// The spellings that files of other programs use.
fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn strict(kind: &Kind, node: &Node) -> Option<Value> {
    match (kind, node) {
        (Kind::Flag, Node::Flag(flag)) => Some(Value::Bool(*flag)),
        (Kind::Int(min, max, _), Node::Int(n)) => (min..=max).contains(&n).then(|| Value::from(*n)),
        (Kind::Real(min, max, _), Node::Real(n)) => real(*n, *min, *max),
        (Kind::Real(min, max, _), Node::Int(n)) => real(*n as f64, *min, *max),
        (Kind::Span(min, max), Node::Int(n)) => span(Span::secs(u64::try_from(*n).ok()?), *min, *max),
        (Kind::Span(min, max), Node::Real(n)) => span(n.to_string().parse().ok()?, *min, *max),
        (Kind::Span(min, max), Node::Text(text)) => span(text.parse().ok()?, *min, *max),
        (Kind::Size(min, max), Node::Int(n)) => size(u64::try_from(*n).ok()?, *min, *max),
        (Kind::Size(min, max), Node::Text(text)) => size(bytes(text)?, *min, *max),
        (Kind::List(item), Node::List(items)) => {
            let texts: Option<Vec<&str>> =
                items.iter().map(|item| if let Node::Text(text) = item { Some(text.trim()) } else { None }).collect();
            list(item, texts?.into_iter())
        }
        // A comma-separated text is what the same key looks like in the environment.
        (Kind::List(_) | Kind::Roles, Node::Text(text)) => loose_text(kind, text),
        (Kind::Roles, Node::Map(entries)) => roles(
            entries.iter().map(|entry| if let Node::Text(role) = &entry.value { Some((entry.name.as_str(), role.as_str())) } else { None }),
        ),
        (_, Node::Text(text)) => word_or_text(kind, text),
        _ => None,
    }
}

fn word_or_text(kind: &Kind, text: &str) -> Option<Value> {
    let fits = match kind {
        Kind::Word(words) => return word(words, text).map(Value::from),
        Kind::Text | Kind::Secret => true,
        Kind::Name | Kind::Path => !text.trim().is_empty(),
        Kind::Host => host(text),
        Kind::Url => url(text).is_some(),
        Kind::Remote => is_remote(text),
        Kind::Secure => text.starts_with("https://") && is_remote(text),
        Kind::Route => route(text),
        Kind::SecretKey => master_key(text).is_some(),
        _ => false,
    };
    fits.then(|| Value::from(text))
}

/// Whether it is an address that we may call.
pub(super) fn is_remote(text: &str) -> bool {
    url(text).is_some_and(|url| may_call(&url))
}

fn real(n: f64, min: f64, max: f64) -> Option<Value> {
    let number = Number::from_f64(n)?;
    (n >= min && n <= max).then_some(Value::Number(number))
}

fn span(span: Span, min: u64, max: u64) -> Option<Value> {
    (Span::secs(min)..=Span::secs(max)).contains(&span).then(|| Value::String(span.to_string()))
}

fn size(n: u64, min: u64, max: u64) -> Option<Value> {
    (min..=max).contains(&n).then(|| Value::from(n))
}

/// `1048576`, `1024 KiB`, `1MiB`, `1M`: all the same.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let n: u64 = text[..digits].parse().ok()?;
    let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    n.checked_mul(unit)
}

/// The listed spelling of a word; `production`, `WARNING` and `CRITICAL` are what other programs write.
fn word<'w>(words: &[&'w str], text: &str) -> Option<&'w str> {
    let text = match text.trim().to_ascii_lowercase().as_str() {
        "production" => "prod".to_owned(),
        "warning" => "warn".to_owned(),
        "critical" => "error".to_owned(),
        other => other.to_owned(),
    };
    words.iter().find(|word| word.eq_ignore_ascii_case(&text)).copied()
}

fn list<'t>(item: &Item, texts: impl Iterator<Item = &'t str>) -> Option<Value> {
    let mut list: Vec<Value> = Vec::new();
    for text in texts {
        let value = Value::from(one(item, text)?);
        if !list.contains(&value) {
            list.push(value);
        }
    }
    Some(Value::Array(list))
}

fn one(item: &Item, text: &str) -> Option<String> {
    let text = text.trim();
    match item {
        Item::Text => (!text.is_empty()).then(|| text.to_owned()),
        Item::Word(words) => word(words, text).map(str::to_owned),
        Item::Net => net(text),
        Item::Tool => tool(text).then(|| text.to_ascii_lowercase()),
        Item::Origin => url(text).filter(|url| url.path() == "/" && url.query().is_none()).map(|url| url.origin().ascii_serialization()),
        Item::Recipient => backup::is_recipient(text).then(|| text.to_owned()),
    }
}

fn net(text: &str) -> Option<String> {
    let alone = text.parse::<IpAddr>().ok().map(ipnet::IpNet::from);
    alone.or_else(|| text.parse().ok()).map(|net: ipnet::IpNet| net.trunc().to_string())
}

/// `category.action`, its `_` spelling, or `category.*`; whether it exists is known elsewhere.
fn tool(text: &str) -> bool {
    let name = text.strip_suffix(".*").unwrap_or(text);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
}

fn roles<'t>(pairs: impl Iterator<Item = Option<(&'t str, &'t str)>>) -> Option<Value> {
    let mut map = serde_json::Map::new();
    for pair in pairs {
        let (claim, role) = pair?;
        map.insert(claim.trim().to_owned(), Value::from(word(ROLES, role)?));
    }
    Some(Value::Object(map))
}

fn host(text: &str) -> bool {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let name = !text.is_empty() && text.len() <= 253 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    bare.parse::<IpAddr>().is_ok() || (name && !text.starts_with(['-', '.']))
}

fn route(text: &str) -> bool {
    let taken = |taken: &str| text.strip_prefix(taken).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~'));
    text.len() > 1
        && text.starts_with('/')
        && !text.ends_with('/')
        && !text.contains("//")
        && plain
        && !TAKEN_ROUTES.iter().any(|route| taken(route))
}

fn url(text: &str) -> Option<reqwest::Url> {
    let url: reqwest::Url = text.parse().ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// Addresses that people configure must not lead to the box's own cloud metadata or to neighbours on the wire.
fn may_call(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or("").trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>().ok();
    let loopback = host == "localhost" || address.is_some_and(|a| a.is_loopback());
    let link_local = match address {
        Some(IpAddr::V4(a)) => a.is_link_local() || a.is_unspecified(),
        Some(IpAddr::V6(a)) => a.is_unicast_link_local() || a.is_unspecified(),
        None => false,
    };
    !link_local && (url.scheme() == "https" || loopback)
}

/// Whether only this machine can reach an address to listen on.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The 32 bytes of a master key; standard and URL-safe base64, with and without padding.
pub fn master_key(text: &str) -> Option<zeroize::Zeroizing<[u8; KEY_BYTES]>> {
    let text = text.trim().as_bytes();
    let decoded = [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD].iter().find_map(|base64| base64.decode(text).ok())?;
    let decoded = zeroize::Zeroizing::new(decoded);
    decoded.as_slice().try_into().ok().map(zeroize::Zeroizing::new)
}

/// `https://user:secret@host/` without the part before `@`.
pub fn without_userinfo(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://•••@{}", &rest[at + 1..]),
        None => text.to_owned(),
    }
}

/// Whether `new` lets more through than `old`.
pub fn looser(strict: Strict, old: &Value, new: &Value) -> bool {
    if old == new {
        return false;
    }
    match strict {
        Strict::Less => number(new) > number(old),
        Strict::More => number(new) < number(old),
        Strict::Later(words) => rank(words, new) < rank(words, old),
        Strict::Never => true,
    }
}

/// A flag, a number or a length of time as one number.
fn number(value: &Value) -> f64 {
    match value {
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Number(n) => n.as_f64().unwrap_or_default(),
        Value::String(text) => text.parse().map_or(0.0, |span: Span| span.0.as_secs_f64()),
        _ => 0.0,
    }
}

fn rank(words: &[&str], value: &Value) -> Option<usize> {
    words.iter().position(|word| value == *word)
}

#[cfg(test)]
mod tests;
