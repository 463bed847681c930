//! What the console computes with, and how it writes that.

use crate::sim::value as wire;

/// A value of the scripting language.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value at all: an unset variable.
    #[default]
    Nothing,
    /// `[]` or an attribute a row has not.
    Nil,
    /// `yes` or `no`.
    Bool(bool),
    /// A whole number.
    Num(i64),
    /// A length of time in milliseconds.
    Time(i64),
    /// An address, or one with a prefix length.
    Ip(String),
    /// `*1A`
    Id(String),
    /// A string.
    Text(String),
    /// Values, each under its key if it has one.
    Array(Vec<(Option<String>, Value)>),
    /// A script.
    Code(String),
}

impl Value {
    /// A word without quotes, as the console reads it.
    pub fn of_word(word: &str) -> Value {
        match word {
            "true" => return Value::Bool(true),
            "false" => return Value::Bool(false),
            _ => {}
        }
        if let Ok(number) = word.parse() {
            return Value::Num(number);
        }
        if let Some(hex) = word.strip_prefix("0x")
            && let Ok(number) = i64::from_str_radix(hex, 16)
        {
            return Value::Num(number);
        }
        if word.len() > 1 && word.starts_with('*') && word[1..].chars().all(|c| c.is_ascii_hexdigit()) {
            return Value::Id(word.to_string());
        }
        if word.contains(['.', ':']) && wire::prefix(word).is_some() {
            return Value::Ip(word.to_string());
        }
        if word.starts_with(|c: char| c.is_ascii_digit())
            && let Some(ms) = wire::time(word)
        {
            return Value::Time(ms as i64);
        }
        Value::Text(word.to_string())
    }

    /// A list without keys.
    pub fn list(values: impl IntoIterator<Item = Value>) -> Value {
        Value::Array(values.into_iter().map(|v| (None, v)).collect())
    }

    /// What `:typeof` says.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nothing => "nothing",
            Value::Nil => "nil",
            Value::Bool(_) => "bool",
            Value::Num(_) => "num",
            Value::Time(_) => "time",
            Value::Ip(ip) if ip.contains('/') && ip.contains(':') => "ip6-prefix",
            Value::Ip(ip) if ip.contains('/') => "ip-prefix",
            Value::Ip(ip) if ip.contains(':') => "ip6",
            Value::Ip(_) => "ip",
            Value::Id(_) => "id",
            Value::Text(_) => "str",
            Value::Array(_) => "array",
            Value::Code(_) => "code",
        }
    }

    /// As `:put` writes it. Rows of an `as-value` run together, as on the router.
    pub fn text(&self) -> String {
        match self {
            Value::Nothing | Value::Nil => String::new(),
            Value::Bool(b) => b.to_string(),
            Value::Num(n) => n.to_string(),
            Value::Time(ms) => clock_time(*ms),
            Value::Ip(t) | Value::Id(t) | Value::Text(t) | Value::Code(t) => t.clone(),
            Value::Array(items) => {
                let one = |(key, value): &(Option<String>, Value)| match key {
                    Some(key) => format!("{key}={}", value.text()),
                    None => value.text(),
                };
                items.iter().map(one).collect::<Vec<_>>().join(";")
            }
        }
    }

    /// As an argument of a command takes it.
    pub fn argument(&self) -> String {
        match self {
            Value::Time(ms) => wire::show_time(ms.unsigned_abs()),
            Value::Bool(b) => if *b { "yes" } else { "no" }.to_string(),
            Value::Array(items) => items.iter().map(|(_, v)| v.argument()).collect::<Vec<_>>().join(","),
            other => other.text(),
        }
    }

    /// As a condition.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            Value::Text(t) => wire::flag(t),
            Value::Nothing | Value::Nil => Some(false),
            _ => None,
        }
    }

    /// As a number.
    pub fn number(&self) -> Option<i64> {
        match self {
            Value::Num(n) => Some(*n),
            Value::Time(ms) => Some(ms / 1_000),
            Value::Bool(b) => Some(i64::from(*b)),
            Value::Text(t) => t.trim().parse().ok(),
            Value::Id(id) => i64::from_str_radix(id.trim_start_matches('*'), 16).ok(),
            _ => None,
        }
    }

    /// What `:len` says.
    pub fn len(&self) -> usize {
        match self {
            Value::Array(items) => items.len(),
            other => other.text().chars().count(),
        }
    }

    /// The element under that key or at that place.
    pub fn element(&self, key: &Value) -> Value {
        let Value::Array(items) = self else { return Value::Nothing };
        let found = match key {
            Value::Num(n) => usize::try_from(*n).ok().and_then(|n| items.get(n)),
            other => items.iter().find(|(k, _)| k.as_deref() == Some(other.text().as_str())),
        };
        found.map_or(Value::Nothing, |(_, v)| v.clone())
    }

    /// As JSON; `convert` makes numbers of strings that look like one.
    pub fn json(&self, convert: bool) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_json(convert, &mut out);
        out
    }

    fn write_json(&self, convert: bool, out: &mut Vec<u8>) {
        match self {
            Value::Nothing | Value::Nil => out.extend(b"null"),
            Value::Bool(b) => out.extend(b.to_string().bytes()),
            Value::Num(n) => out.extend(n.to_string().bytes()),
            Value::Array(items) if items.iter().any(|(k, _)| k.is_some()) => {
                out.push(b'{');
                for (i, (key, value)) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    crate::sim::row::quote(out, key.as_deref().unwrap_or_default());
                    out.push(b':');
                    value.write_json(convert, out);
                }
                out.push(b'}');
            }
            Value::Array(items) => {
                out.push(b'[');
                for (i, (_, value)) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    value.write_json(convert, out);
                }
                out.push(b']');
            }
            Value::Text(t) if convert && looks_like_number(t) => out.extend(t.bytes()),
            other => crate::sim::row::quote(out, &other.text()),
        }
    }
}

fn looks_like_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut parts = digits.split('.');
    let whole = parts.next().unwrap_or_default();
    let plain = |t: &str| !t.is_empty() && t.len() < 16 && t.chars().all(|c| c.is_ascii_digit());
    plain(whole) && (whole == "0" || !whole.starts_with('0')) && parts.next().is_none_or(plain) && parts.next().is_none()
}

/// `00:00:15`, `1d00:00:00`, `1w2d00:00:00`: how the console writes lengths of time.
pub fn clock_time(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    let (seconds, rest) = (ms / 1_000, ms % 1_000);
    let (weeks, days) = (seconds / 604_800, seconds / 86_400 % 7);
    let mut text = String::from(sign);
    if weeks > 0 {
        text.push_str(&format!("{weeks}w"));
    }
    if days > 0 {
        text.push_str(&format!("{days}d"));
    }
    text.push_str(&format!("{:02}:{:02}:{:02}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60));
    if rest > 0 {
        text.push_str(&format!(".{rest:03}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_type_the_console_gives_them() {
        let cases = [
            ("true", "bool"),
            ("yes", "str"),
            ("12", "num"),
            ("0x1F", "num"),
            ("*1A", "id"),
            ("*", "str"),
            ("192.0.2.1", "ip"),
            ("192.0.2.0/24", "ip-prefix"),
            ("2001:db8::1", "ip6"),
            ("5m", "time"),
            ("00:05:00", "time"),
            ("ether1", "str"),
        ];
        for (word, want) in cases {
            assert_eq!(Value::of_word(word).type_name(), want, "{word}");
        }
    }

    #[test]
    fn times_and_rows_are_written_as_the_console_does() {
        assert_eq!(
            (clock_time(15_000), clock_time(86_400_000), clock_time(604_800_000)),
            ("00:00:15".into(), "1d00:00:00".into(), "1w00:00:00".into())
        );
        let row = |id: &str| Value::Array(vec![(Some(".id".into()), Value::Id(id.into())), (Some("name".into()), Value::Text("x".into()))]);
        assert_eq!(Value::list([row("*1"), row("*2")]).text(), ".id=*1;name=x;.id=*2;name=x");
    }

    #[test]
    fn json_makes_numbers_of_digits_unless_told_not_to() {
        let row = Value::Array(vec![(Some("a".into()), Value::Text("100".into())), (Some("b".into()), Value::Text("0100".into()))]);
        assert_eq!(row.json(true), br#"{"a":100,"b":"0100"}"#);
        assert_eq!(row.json(false), br#"{"a":"100","b":"0100"}"#);
    }
}
