//! How RouterOS writes values, and what they mean.
//!
//! REST sends every value as a string. [`typed`] turns one into the JSON a caller expects; whatever does not parse
//! stays the text it was, so nothing is lost and nothing is guessed. Words such as `never`, `none`, `auto`, `unlimited`,
//! `disabled` and `inherit` stand in for numbers in many menus and stay text too.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328155/Configuration+Management> and recorded answers

pub mod date;
pub mod span;
pub mod wifi_rate;

pub use date::{Date, date};
pub use span::{span, span_ms};
pub use wifi_rate::{WifiRate, wifi_rate};

use serde_json::Value;

/// What an attribute's text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free text.
    Text,
    /// The name of a row elsewhere, e.g. an interface.
    Name,
    /// `true`/`false`, `yes`/`no`; an empty text means yes (`blackhole` has no value).
    Flag,
    /// A whole number.
    Int,
    /// A counter: a whole number that can exceed 2^53.
    Count,
    /// A number with a fraction, e.g. volts.
    Real,
    /// A length of time, read as seconds.
    Span,
    /// A size, read as bytes.
    Bytes,
    /// A speed, read as bit/s.
    Rate,
    /// `upload/download` as the target sees it, read as two speeds in bit/s.
    RatePair,
    /// An IP address, perhaps with `%interface`.
    Address,
    /// An IP address with a prefix length, or a range.
    Prefix,
    /// A MAC address.
    Mac,
    /// Words separated by commas, in an order that means something.
    List,
    /// Words separated by commas; the router may reorder them.
    Set,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// Date and time on the router's clock.
    Time,
    /// `12%` or `12`, read as a number.
    Percent,
    /// RouterOS script source.
    Script,
    /// A row's `.id`.
    Id,
    /// Unknown; stays text.
    Any,
}

impl Kind {
    /// The name in descriptions: `flag`, `rate_pair`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Name => "name",
            Kind::Flag => "flag",
            Kind::Int => "int",
            Kind::Count => "count",
            Kind::Real => "real",
            Kind::Span => "span",
            Kind::Bytes => "bytes",
            Kind::Rate => "rate",
            Kind::RatePair => "rate_pair",
            Kind::Address => "address",
            Kind::Prefix => "prefix",
            Kind::Mac => "mac",
            Kind::List => "list",
            Kind::Set => "set",
            Kind::Enum(_) => "enum",
            Kind::Time => "time",
            Kind::Percent => "percent",
            Kind::Script => "script",
            Kind::Id => "id",
            Kind::Any => "any",
        }
    }
}

/// The JSON for a value: flags as booleans; numbers, sizes (bytes), speeds (bit/s), lengths of time (seconds) and
/// percentages as numbers; lists as arrays of strings; speed pairs as `[upload, download]`; dates as
/// `YYYY-MM-DD HH:MM:SS`. What does not parse, and every other kind, as the text itself.
pub fn typed(kind: Kind, text: &str) -> Value {
    let parsed = match kind {
        Kind::Flag => flag(text).map(Value::from),
        Kind::Int => int(text).map(Value::from),
        Kind::Count => count(text).map(Value::from),
        Kind::Real => real(text).map(number),
        Kind::Span => span(text).map(|d| number(d.as_secs_f64())),
        Kind::Bytes => bytes(text).map(Value::from),
        Kind::Rate => rate(text).map(Value::from),
        Kind::RatePair => pair(text).map(|(up, down)| Value::from(vec![up, down])),
        Kind::List | Kind::Set => Some(Value::from(list(text).collect::<Vec<_>>())),
        Kind::Time => date(text).and_then(Date::normal).map(Value::from),
        Kind::Percent => real(text.strip_suffix('%').unwrap_or(text)).map(number),
        Kind::Text | Kind::Name | Kind::Address | Kind::Prefix | Kind::Mac => None,
        Kind::Enum(_) | Kind::Script | Kind::Id | Kind::Any => None,
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

/// Whole numbers without a fraction: `15`, not `15.0`.
fn number(value: f64) -> Value {
    // Below 2^53 every whole number is exact.
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}

/// `true`, `yes` and the empty text of a flag without a value; `false`, `no`.
pub fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" | "" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

/// Digits only: no sign, and no leading zero that a number would lose.
fn count(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && is_digits(text)).then(|| text.parse().ok())?
}

fn int(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) => i64::try_from(count(digits)?).ok().map(|n| -n),
        None => i64::try_from(count(text)?).ok(),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `12`, `-0.5`, `24.1`: digits with at most one point between them.
fn real(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    (is_digits(whole) && is_digits(part)).then(|| text.parse().ok())?
}

/// A number and the unit after it.
fn quantity(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    Some((real(&text[..end])?, &text[end..]))
}

/// `value × scale`, when the result is a count.
fn scaled(value: f64, scale: f64) -> Option<u64> {
    let result = (value * scale).round();
    (0.0..1.8e19).contains(&result).then_some(result as u64)
}

/// A size in bytes: plain digits as REST writes it, `2450.9KiB`, `512.0MiB` as the console does.
pub fn bytes(text: &str) -> Option<u64> {
    if is_digits(text) {
        return text.parse().ok();
    }
    let (value, unit) = quantity(text)?;
    let power = match unit.trim_start() {
        "B" => 0,
        "KiB" => 1,
        "MiB" => 2,
        "GiB" => 3,
        "TiB" => 4,
        _ => return None,
    };
    scaled(value, 1024f64.powi(power))
}

/// A speed in bit/s: plain digits, `10M`, `64k`, `18.4kbps`, `1Gbps`; what follows a hyphen tells about the link and
/// is left out (`866.7Mbps-80MHz/2S`, `1G-baseT-full`).
pub fn rate(text: &str) -> Option<u64> {
    if is_digits(text) {
        return text.parse().ok();
    }
    let (value, unit) = quantity(text)?;
    let unit = unit.split_once('-').map_or(unit, |(unit, _)| unit);
    let scale = match unit.strip_suffix("bps").unwrap_or(unit) {
        "" if unit == "bps" => 1.0,
        "k" | "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        _ => return None,
    };
    scaled(value, scale)
}

/// `upload/download`, as the target of a queue sees it: `10M/2M` is `(10000000, 2000000)`.
pub fn pair(text: &str) -> Option<(u64, u64)> {
    let (up, down) = text.split_once('/')?;
    Some((rate(up)?, rate(down)?))
}

/// An address without the length that says it is one alone: `192.0.2.7` of `192.0.2.7/32`. A network stays as it is.
pub fn bare_address(text: &str) -> &str {
    let longest = if text.contains(':') { "/128" } else { "/32" };
    text.strip_suffix(longest).unwrap_or(text)
}

/// The words of a list; none for the empty text. A leading `!` negates and stays on its word.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(move |_| !text.is_empty())
}

#[cfg(test)]
mod tests;
