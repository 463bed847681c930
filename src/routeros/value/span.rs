//! Lengths of time: `1w2d3h4m5s`, `551us`, `12ms345us`, `00:00:15`, `1d00:00:00`, `1d 00:00:00`, or bare seconds.

use std::time::Duration;

/// In nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// Units from long to short, in nanoseconds; a text must go down this table.
const UNITS: &[(&str, u64)] = &[
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// The length of time, up to 584 years; `None` for words such as `never` and for negative ones.
pub fn span(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let mut nanos: u64 = 0;
    let mut rest = text;
    let mut units = UNITS;
    while !rest.is_empty() {
        if let Some(clock) = clock(rest) {
            // Days may stand before a clock, and nothing after it.
            return Some(Duration::from_nanos(nanos.checked_add(clock)?));
        }
        let (value, after) = decimal(rest)?;
        let end = after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len());
        let unit = match &after[..end] {
            "" if rest.len() == text.len() && after.is_empty() => "s",
            unit => unit,
        };
        let place = units.iter().position(|(name, _)| *name == unit)?;
        nanos = nanos.checked_add(value.times(units[place].1)?)?;
        units = &units[place + 1..];
        rest = after[end..].trim_start();
    }
    Some(Duration::from_nanos(nanos))
}

/// As [`span`], in whole milliseconds.
pub fn span_ms(text: &str) -> Option<u64> {
    u64::try_from(span(text)?.as_millis()).ok()
}

/// A number as it is written, so that fractions stay exact.
struct Decimal<'a> {
    whole: u64,
    fraction: &'a str,
}

impl Decimal<'_> {
    fn times(&self, unit: u64) -> Option<u64> {
        let mut sum = self.whole.checked_mul(unit)?;
        let mut share = unit;
        for digit in self.fraction.bytes() {
            share /= 10;
            sum = sum.checked_add(share * u64::from(digit - b'0'))?;
        }
        Some(sum)
    }
}

fn decimal(text: &str) -> Option<(Decimal<'_>, &str)> {
    let end = digits(text);
    let whole = text[..end].parse().ok()?;
    let Some(fraction) = text[end..].strip_prefix('.') else {
        return Some((Decimal { whole, fraction: "" }, &text[end..]));
    };
    let length = digits(fraction);
    (length > 0).then_some((Decimal { whole, fraction: &fraction[..length] }, &fraction[length..]))
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// `HH:MM:SS` with perhaps a fraction, to the end of the text; in nanoseconds.
fn clock(text: &str) -> Option<u64> {
    let mut parts = text.splitn(3, ':');
    let mut whole = |most: u64| {
        let part = parts.next()?;
        (!part.is_empty() && digits(part) == part.len()).then(|| part.parse().ok()).flatten().filter(|n: &u64| *n <= most)
    };
    let (hours, minutes) = (whole(99_999)?, whole(59)?);
    let (seconds, after) = decimal(parts.next()?)?;
    if !after.is_empty() || seconds.whole > 59 {
        return None;
    }
    seconds.times(SECOND)?.checked_add((hours * 3600 + minutes * 60) * SECOND)
}
