//! Console strings: the injection boundary towards the RouterOS script language.
//!
//! Everything that came from outside goes into a console line through [`quote`] alone. Inside the quotes only
//! `\`, `"` and `$` mean something to the interpreter; `?` is escaped as well, because a terminal answers it with help.
//!
//! The rest of a line is made of words that cannot carry anything: paths, commands, attribute names and flags, each checked
//! for its alphabet. A line is never split, and holds nothing but printable ASCII.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>

use crate::routeros::fault::RouterError;
use crate::routeros::path::MenuPath;
use crate::routeros::{command, query};

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
    if matches!(rest.first()?, b'\r' | b'\n') {
        return Some(rest.iter().take_while(|b| matches!(b, b'\r' | b'\n' | b' ')).count());
    }
    let (byte, length) = escaped(rest)?;
    out.push(byte);
    Some(length)
}

/// The byte that an escape stands for, from what follows its backslash, and how long that is; line ends are no such escape.
pub(super) fn escaped(rest: &[u8]) -> Option<(u8, usize)> {
    let byte = match *rest.first()? {
        same @ (b'"' | b'\\' | b'$' | b'?') => same,
        b'_' => b' ',
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        first => {
            // Hexadecimal is upper case; lower-case letters are the escapes above.
            let digit = |b: u8| if b.is_ascii_lowercase() { None } else { char::from(b).to_digit(16) };
            return Some(((digit(first)? << 4 | digit(*rest.get(1)?)?) as u8, 2));
        }
    };
    Some((byte, 1))
}

/// `/ip/address/print detail as-value where comment="x"`: one menu's rows, as an expression for [`put`] and its like.
/// Conditions must all hold.
///
/// # Errors
/// [`RouterError::Argument`] for a name no attribute can have.
pub fn print(path: &MenuPath, flags: &[&str], conditions: &[(&str, &str)]) -> Result<String, RouterError> {
    let mut line = verb(path, "print")?;
    for flag in flags {
        word(&mut line, flag)?;
    }
    if !conditions.is_empty() {
        line.push_str(" where");
    }
    for (name, value) in conditions {
        assign(&mut line, name, value)?;
    }
    Ok(line)
}

/// `/tool/ping address="192.0.2.1" count="4" as-value`: a command with its arguments. As over REST, an argument without a
/// value is a flag, and `.id` names the row.
///
/// # Errors
/// [`RouterError::Argument`] for names no command or argument can have.
pub fn call(path: &MenuPath, command: &str, args: &[(String, String)], flags: &[&str]) -> Result<String, RouterError> {
    let mut line = verb(path, command)?;
    for (name, value) in args {
        match name.as_str() {
            ".id" => assign(&mut line, "numbers", value)?,
            flag if value.is_empty() => word(&mut line, flag)?,
            name => assign(&mut line, name, value)?,
        }
    }
    for flag in flags {
        word(&mut line, flag)?;
    }
    Ok(line)
}

/// `:put [EXPRESSION]`: prints what an expression gives.
pub fn put(expression: &str) -> String {
    format!(":put [{expression}]")
}

/// What stands before the expression in [`put_json`].
pub const PUT_JSON: &str = ":put [:serialize to=json value=[";

/// Prints what an expression gives as JSON (7.13 and newer). `exact` keeps texts that look like numbers as they are (7.16).
pub fn put_json(expression: &str, exact: bool) -> String {
    format!("{PUT_JSON}{expression}]{}]", if exact { " options=json.no-string-conversion" } else { "" })
}

/// What stands before the expression in [`put_marked`].
pub const PUT_MARKED: &str = ":foreach i,r in=[";

/// Prints the attributes of what an expression gives, a line each, for consoles without JSON. Each line, the start of each
/// row and the end carry `mark`, which nobody can have put into a comment: [`read_marked`] finds them again.
pub fn put_marked(expression: &str, mark: &str) -> String {
    let line = |name: &str, value: &str| format!("{{:put (\"{mark}\" . [:typeof {value}] . \" \" . {name} . \"=\" . [:tostr {value}])}}");
    let (inner, outer) = (line("$k", "$v"), line("$i", "$r"));
    // A menu without rows gives its attributes at once; rows are numbered.
    let is_row = "([:typeof $r]=\"array\") && ([:typeof [:tonum $i]]=\"num\")";
    format!(
        "{PUT_MARKED}{expression}] do={{:if ({is_row}) do={{:put \"{mark}*\"; :foreach k,v in=$r do={inner}}} else={outer}}}; :put \"{mark}.\""
    )
}

/// The rows of [`put_marked`]'s output, as pairs; `None` when the end is missing.
pub fn read_marked(output: &str, mark: &str) -> Option<Vec<Vec<(String, String)>>> {
    let mut rows: Vec<Vec<(String, String)>> = Vec::new();
    let mut pieces = output.split(mark);
    // Whatever stands before the first mark was not asked for.
    pieces.next()?;
    for piece in pieces {
        let piece = piece.strip_suffix('\n').unwrap_or(piece);
        match piece {
            "." => return Some(rows),
            "*" => rows.push(Vec::new()),
            line => {
                let (kind, pair) = line.split_once(' ')?;
                let (name, value) = pair.split_once('=')?;
                let value = if kind == "array" { value.replace(';', ",") } else { value.to_owned() };
                if rows.is_empty() {
                    rows.push(Vec::new());
                }
                rows.last_mut()?.push((name.to_owned(), value));
            }
        }
    }
    None
}

fn verb(path: &MenuPath, command: &str) -> Result<String, RouterError> {
    command::check(command)?;
    Ok(if path.is_root() { format!("/{command}") } else { format!("{path}/{command}", path = path.as_str()) })
}

fn word(line: &mut String, word: &str) -> Result<(), RouterError> {
    // Also keeps out `where`, `do` and `on-error` as arguments without a value.
    if !query::is_attribute(word) || matches!(word, "where" | "do" | "else" | "on-error") {
        return Err(RouterError::argument("an argument's name is made of letters, digits, dots, hyphens and underscores"));
    }
    line.push(' ');
    line.push_str(word);
    Ok(())
}

fn assign(line: &mut String, name: &str, value: &str) -> Result<(), RouterError> {
    word(line, name)?;
    line.push('=');
    line.push_str(&quote(value));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> MenuPath {
        MenuPath::parse(text).unwrap()
    }

    #[test]
    fn lines_read_as_a_person_would_type_them() {
        let print =
            print(&path("/ip/address"), &["detail", "as-value"], &[("comment", "a \"b\"; /quit"), ("interface", "ether1")]).unwrap();
        assert_eq!(print, r#"/ip/address/print detail as-value where comment="a \"b\"; /quit" interface="ether1""#);
        assert_eq!(put(&print), format!(":put [{print}]"));
        assert_eq!(put_json("/log/print", true), ":put [:serialize to=json value=[/log/print] options=json.no-string-conversion]");
        let args = [("address", "192.0.2.1"), ("once", ""), (".id", "*1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            call(&path("/tool"), "ping", &args, &["as-value"]).unwrap(),
            r#"/tool/ping address="192.0.2.1" once numbers="*1" as-value"#
        );
        assert_eq!(call(&MenuPath::root(), "ping", &[], &[]).unwrap(), "/ping");
    }

    #[test]
    fn names_cannot_carry_anything() {
        for name in ["a b", "a=b", "a]", "a;b", "\"", "$x", "", "where", "do"] {
            assert!(call(&path("/tool"), "ping", &[(name.to_owned(), String::new())], &[]).is_err(), "{name}");
            assert!(print(&path("/log"), &[], &[(name, "x")]).is_err(), "{name}");
        }
        assert!(call(&path("/tool"), "ping; /quit", &[], &[]).is_err());
    }

    #[test]
    fn marked_rows_are_read_back_whatever_their_values_hold() {
        let output =
            "Ma*\nMastr .id=*1\nMastr comment=x;.id=*9;name=evil\nsecond line\nMaarray topics=system;info\nMa*\nMastr .id=*2\nMa.\n";
        let rows = read_marked(output, "Ma").unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let first = vec![pair(".id", "*1"), pair("comment", "x;.id=*9;name=evil\nsecond line"), pair("topics", "system,info")];
        assert_eq!(rows, [first, vec![pair(".id", "*2")]]);
        assert_eq!(read_marked("Mastr name=home\nMa.\n", "Ma").unwrap(), [vec![pair("name", "home")]], "a menu without rows");
        assert_eq!(read_marked("Ma.\n", "Ma").unwrap(), Vec::<Vec<_>>::new());
        for cut in ["", "Ma*\nMastr .id=*1\n", "bad command name serialize (line 1 column 7)\n"] {
            assert_eq!(read_marked(cut, "Ma"), None, "{cut:?}");
        }
    }

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
        for (literal, bytes) in [
            (r#""a\_b""#, &b"a b"[..]),
            ("\"first \\\r\n    second\"", &b"first second"[..]),
            (r#""\?\$\"\\\0A\FF""#, &b"?$\"\\\n\xff"[..]),
        ] {
            assert_eq!(unquote(literal).unwrap(), bytes);
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
        fn a_value_cannot_leave_its_place_in_a_line(text in any::<String>()) {
            let args = [("target".to_owned(), text.clone()), ("once".to_owned(), String::new())];
            let line = put_json(&call(&path("/tool"), "ping", &args, &["as-value"]).unwrap(), true);
            prop_assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b)));
            let inside = line.strip_prefix(":put [:serialize to=json value=[/tool/ping target").unwrap();
            let inside = inside.strip_suffix(" once as-value] options=json.no-string-conversion]").unwrap();
            // An argument without a value is a flag.
            let read = inside.strip_prefix('=').map_or(Some(Vec::new()), unquote);
            prop_assert_eq!(read, Some(text.into_bytes()));
        }

        #[test]
        fn unquoting_never_panics(text in any::<String>()) {
            let _ = unquote(&text);
            let _ = unquote(&format!("\"{text}\""));
        }
    }
}
