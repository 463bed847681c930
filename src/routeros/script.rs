//! Console strings: the injection boundary towards the RouterOS script language.
//!
//! Everything that came from outside goes into a console line through [`quote`] alone. Inside the quotes only
//! `\`, `"` and `$` mean something to the interpreter; `?` is escaped as well, because a terminal answers it with help.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>

/// A string literal for a console line, always with its quotes: `a "b" $c` becomes `"a \"b\" \$c"`.
/// Bytes outside printable ASCII are written in hexadecimal (`\C3\BC`), so line ends and encodings cannot break out.
pub fn quote(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for byte in text.bytes() {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'"' => out.push_str("\\\""),
            b'$' => out.push_str("\\$"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b' '..=b'~' if byte != b'?' => out.push(char::from(byte)),
            other => {
                out.push('\\');
                out.push(char::from(HEX[usize::from(other >> 4)]));
                out.push(char::from(HEX[usize::from(other & 15)]));
            }
        }
    }
    out.push('"');
    out
}

/// The bytes a string literal stands for, as exports write them: `\"`, `\\`, `\$`, `\?`, `\_` (a blank), `\n`, `\r`,
/// `\t`, `\a`, `\b`, `\f`, `\v`, `\XX`, and a backslash at a line's end with the blanks that follow it.
/// `None` when it is not one whole literal, or would interpolate (`$` unescaped).
pub fn unquote(literal: &str) -> Option<Vec<u8>> {
    let inner = literal.strip_prefix('"')?.as_bytes();
    let mut out = Vec::with_capacity(inner.len());
    let mut at = 0;
    loop {
        match *inner.get(at)? {
            b'"' => return (at + 1 == inner.len()).then_some(out),
            b'$' => return None,
            b'\\' => at += escape(&inner[at + 1..], &mut out)? + 1,
            plain => {
                out.push(plain);
                at += 1;
            }
        }
    }
}

/// Reads what follows a backslash; how many bytes that were.
fn escape(rest: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let first = *rest.first()?;
    let byte = match first {
        b'"' | b'\\' | b'$' | b'?' => first,
        b'_' => b' ',
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'\r' | b'\n' => {
            let blanks = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n' | b' ')).count();
            return Some(blanks);
        }
        _ => {
            // Hexadecimal is upper case; lower-case letters are the escapes above.
            let digit = |b: u8| if b.is_ascii_lowercase() { None } else { char::from(b).to_digit(16) };
            out.push((digit(first)? << 4 | digit(*rest.get(1)?)?) as u8);
            return Some(2);
        }
    };
    out.push(byte);
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn writes_what_the_manual_says() {
        for (text, literal) in [
            ("", r#""""#),
            ("ether1", r#""ether1""#),
            (r#"a "b" $c \d"#, r#""a \"b\" \$c \\d""#),
            ("one\r\n\ttwo", r#""one\r\n\ttwo""#),
            ("ü?", r#""\C3\BC\3F""#),
            ("x\"; /system/reset-configuration; :put \"", r#""x\"; /system/reset-configuration; :put \"""#),
            ("$[/user/remove 0]", r#""\$[/user/remove 0]""#),
        ] {
            assert_eq!(quote(text), literal);
        }
    }

    #[test]
    fn reads_what_exports_write() {
        for (literal, bytes) in [(r#""a\_b""#, "a b"), ("\"first \\\r\n    second\"", "first second"), (r#""\?\$\"\\\0A\FF""#, "")] {
            let read = unquote(literal).unwrap();
            if bytes.is_empty() {
                assert_eq!(read, b"?$\"\\\n\xff");
            } else {
                assert_eq!(read, bytes.as_bytes());
            }
        }
        for wrong in ["", "\"", "abc", r#""abc"#, r#""a" "b""#, r#""a$b""#, r#""\x""#, r#""\""#, r#""\0""#] {
            assert_eq!(unquote(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn quoting_can_be_undone_and_stays_on_one_printable_line(text in any::<String>()) {
            let literal = quote(&text);
            prop_assert!(literal.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'?'));
            prop_assert_eq!(unquote(&literal), Some(text.into_bytes()));
        }

        #[test]
        fn unquoting_never_panics(text in any::<String>()) {
            let _ = unquote(&text);
            let _ = unquote(&format!("\"{text}\""));
        }
    }
}
