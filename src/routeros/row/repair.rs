//! Bytes before text: makes JSON of what is nearly JSON.

use std::fmt::Write;

/// Makes JSON of what RouterOS sends when comments hold control characters or another character set.
///
/// A big table is repaired for one bad byte in it, so stretches without anything to mend are copied whole.
pub(super) fn repair(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 64);
    // All stops are ASCII, so every stretch begins and ends between characters.
    let (mut copied, mut at, mut inside) = (0, 0, false);
    while let Some(step) = bytes[at..].iter().position(|byte| if inside { stops(*byte) } else { *byte == b'"' }) {
        at += step;
        match bytes[at] {
            b'"' => {
                inside = !inside;
                at += 1;
            }
            b'\\' => match escape_len(&bytes[at..]) {
                Some(length) => at += length,
                None => {
                    out.push_str(&text[copied..at]);
                    out.push_str("\\\\");
                    at += 1;
                    copied = at;
                }
            },
            control => {
                out.push_str(&text[copied..at]);
                let _ = write!(out, "\\u{control:04x}");
                at += 1;
                copied = at;
            }
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// Whether a byte of a string ends it or may have to be mended.
fn stops(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
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
