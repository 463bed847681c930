//! Names and values in percent-encoding: queries, forms, parts of paths. Undone once, and never to control characters.

/// The most fields of a query or form.
const MOST_FIELDS: usize = 64;

/// The fields of `a=1&b=2`, in order; nothing when they cannot be read or are too many.
pub fn fields(text: &str) -> Option<Vec<(String, String)>> {
    read_fields(text, decoded)
}

/// The same where values may have lines: forms with a field for long text.
pub fn long_fields(text: &str) -> Option<Vec<(String, String)>> {
    read_fields(text, decoded_lines)
}

fn read_fields(text: &str, decoded: fn(&str) -> Option<String>) -> Option<Vec<(String, String)>> {
    let parts: Vec<&str> = text.split('&').filter(|part| !part.is_empty()).collect();
    if parts.len() > MOST_FIELDS {
        return None;
    }
    let read = |text: &str| decoded(&text.replace('+', " "));
    let field = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Some((read(name)?, read(value)?))
    };
    parts.into_iter().map(field).collect()
}

/// Percent-encoding undone, once; nothing for what is no text, or holds control characters.
pub fn decoded(text: &str) -> Option<String> {
    decoded_lines(text).filter(|text| !text.chars().any(char::is_control))
}

fn decoded_lines(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')))
}

/// A value as it stands in a query.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_order_and_a_broken_one_spoils_all() {
        let read = fields("user=an%20na&password=a+b%2Bc&empty=&&flag").unwrap();
        let pairs: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("user", "an na"), ("password", "a b+c"), ("empty", ""), ("flag", "")]);
        for bad in ["a=%zz", "a=%", "a=%ff", "a=%00", "a=1&b=%0a", &"a=1&".repeat(MOST_FIELDS + 1)] {
            assert!(fields(bad).is_none(), "{bad:.20}");
        }
    }

    #[test]
    fn encoding_is_undone_once() {
        assert_eq!(decoded("a%2520b").as_deref(), Some("a%20b"));
        assert_eq!(decoded("r%C3%A9"), Some("ré".into()));
        assert_eq!(decoded("%+1"), None);
        for text in ["", "a b", "ä&=?#%", "plan-1/x"] {
            assert_eq!(decoded(&encoded(text)).as_deref(), Some(text));
        }
    }
}
