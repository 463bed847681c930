//! Bytes before text: makes JSON of what is nearly JSON.

use std::fmt::Write;

/// Makes JSON of what RouterOS sends when comments hold control characters or another character set.
pub(super) fn repair(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text.as_ref();
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '"' => {
                inside = !inside;
                out.push(c);
            }
            '\\' if inside => match escape_len(rest.as_bytes()) {
                Some(length) => {
                    out.push_str(&rest[..length]);
                    taken = length;
                }
                None => out.push_str("\\\\"),
            },
            c if inside && c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
        rest = &rest[taken..];
    }
    out
}

/// Length of the valid JSON escape that starts here; a surrogate counts only with its other half.
fn escape_len(at: &[u8]) -> Option<usize> {
    match at.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => match hex4(at)? {
            0xd800..=0xdbff => matches!(hex4(at.get(6..)?)?, 0xdc00..=0xdfff).then_some(12),
            0xdc00..=0xdfff => None,
            _ => Some(6),
        },
        _ => None,
    }
}

fn hex4(at: &[u8]) -> Option<u32> {
    if !at.starts_with(b"\\u") {
        return None;
    }
    at.get(2..6)?.iter().try_fold(0, |sum, b| Some(sum << 4 | char::from(*b).to_digit(16)?))
}
