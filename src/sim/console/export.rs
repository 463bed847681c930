//! `/export`: the configuration as commands that make it.
//!
//! Only what differs from the defaults, in the order of the menus, attributes in alphabetical order. The plain form breaks lines at 80
//! columns, also inside values; `terse` writes a whole command a line.

use crate::sim::live;
use crate::sim::menus::{Attr, Menu, Shape};
use crate::sim::row::Row;
use crate::sim::world::World;

/// Lines of the plain form are no longer.
const WIDTH: usize = 79;
/// Menus an export leaves out: secrets by nature, state, or rows of other menus.
const LEFT_OUT: [&str; 15] = [
    "/interface",
    "/user",
    "/user/ssh-keys",
    "/user/active",
    "/certificate",
    "/file",
    "/log",
    "/safe-mode",
    "/system/script/job",
    "/system/script/environment",
    "/system/package",
    "/system/license",
    "/system/device-mode",
    "/ip/pool/used",
    "/system/history",
];
/// Values that come and go, in menus whose rest is configuration.
const STATE: [(&str, &str); 9] = [
    ("/system/clock", "date"),
    ("/system/clock", "time"),
    ("/interface/ethernet", "orig-mac-address"),
    ("/system/script", "owner"),
    ("/system/scheduler", "owner"),
    ("/interface/ethernet", "mac-address"),
    ("/interface/wifi", "radio-mac"),
    ("/interface/wifi", "mac-address"),
    ("/interface/wireless", "mac-address"),
];

/// How to export.
#[derive(Debug, Default, Clone)]
pub(in crate::sim) struct Export {
    /// Only this menu and those below.
    pub under: String,
    pub terse: bool,
    pub verbose: bool,
    pub show_sensitive: bool,
}

/// The configuration as text, lines ending in `\n`.
pub(in crate::sim) fn export(world: &mut World, how: &Export) -> String {
    let mut text = header(world);
    let (defs, model) = (world.defs.clone(), world.model.clone());
    for menu in defs.served(&model) {
        let under =
            how.under.is_empty() || menu.path == how.under || menu.path.strip_prefix(&how.under).is_some_and(|r| r.starts_with('/'));
        if !under || LEFT_OUT.contains(&menu.path.as_str()) || !(menu.add || menu.set) {
            continue;
        }
        let lines = lines(world, menu, how);
        if lines.is_empty() {
            continue;
        }
        let path = format!("/{}", menu.path.trim_start_matches('/').replace('/', " "));
        if how.terse {
            lines.iter().for_each(|words| text.push_str(&format!("{path} {}\n", joined(words))));
        } else {
            text.push_str(&format!("{path}\n"));
            lines.iter().for_each(|words| text.push_str(&wrapped(words)));
        }
    }
    text
}

fn header(world: &mut World) -> String {
    let version = world.model.version_text.split(' ').next().unwrap_or_default().to_string();
    let mut text = format!("# {} by RouterOS {version}\n", live::date_time(world.now()));
    let license = world.rows("/system/license").into_iter().next().unwrap_or_default();
    let id = license.get("system-id").or(license.get("software-id")).unwrap_or("ABCD-1234").to_string();
    if !world.model.board {
        text.push_str(&format!("# system id = {id}\n#\n"));
        return text;
    }
    let board = world.rows("/system/routerboard").into_iter().next().unwrap_or_default();
    text.push_str(&format!("# software id = {}\n#\n", software_id(&id)));
    text.push_str(&format!("# model = {}\n", board.get("model").unwrap_or("SIM")));
    text.push_str(&format!("# serial number = {}\n", board.get("serial-number").unwrap_or("HXX00000000")));
    text
}

fn software_id(id: &str) -> String {
    let letters: String = id.chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>().to_uppercase();
    format!("{}-{}", &letters[..letters.len().min(4)], letters.get(4..).unwrap_or_default())
}

fn lines(world: &mut World, menu: &Menu, how: &Export) -> Vec<Vec<String>> {
    let blank = world.blank(&menu.path);
    let rows = world.table(&menu.path).rows.clone();
    let wants = |attr: &Attr| {
        !attr.read_only
            && !attr.hidden
            && attr.since <= world.model.version
            && (how.show_sensitive || !attr.secret)
            && !STATE.contains(&(menu.path.as_str(), attr.name.as_str()))
    };
    let mut attrs: Vec<&Attr> = menu.attrs.iter().filter(|a| wants(a)).collect();
    attrs.sort_by(|a, b| a.name.cmp(&b.name));
    let mut lines = Vec::new();
    // The loopback bridge comes with the system, whatever its row says.
    let loopback = |row: &Row| menu.path == "/interface/bridge" && row.get("name") == Some("lo");
    for row in rows.iter().filter(|r| !(r.is("dynamic") || r.is("builtin") || loopback(r))) {
        let Some(start) = start(menu, row) else { continue };
        let addressed = start.len() > 1;
        let mut words = start;
        let mut prefix = String::new();
        let mut differs = false;
        for attr in &attrs {
            let Some(value) = row.get(&attr.name) else { continue };
            let identity =
                addressed && (attr.name == "name" && (row.get("default-name") == Some(value) || row.get("default-name").is_none()));
            let default = blank.get(&attr.name) == Some(value) && !attr.required;
            if identity || default && !how.verbose {
                continue;
            }
            differs = true;
            let (head, tail) = attr.name.rsplit_once('.').unwrap_or(("", &attr.name));
            // Names that share what stands before the dot are written short after the first.
            let name = if !head.is_empty() && head == prefix { format!(".{tail}") } else { attr.name.clone() };
            prefix = head.to_string();
            words.push(if value.is_empty() && matches!(attr.name.as_str(), "blackhole" | "fib" | "passive") {
                name
            } else {
                format!("{name}={}", quoted(value))
            });
        }
        if differs || !addressed && menu.shape == Shape::List {
            lines.push(words);
        }
    }
    lines
}

/// `add`, `set`, `set [ find default-name=ether1 ]`, `set www`; `None` for rows that are part of the system.
fn start(menu: &Menu, row: &Row) -> Option<Vec<String>> {
    if menu.shape == Shape::Single {
        return Some(vec!["set".to_string()]);
    }
    let name = row.get("name").unwrap_or_default();
    let built_in = row.is("default")
        || menu.path == "/user/group" && matches!(name, "read" | "write" | "full")
        || menu.path == "/queue/type" && (name.ends_with("default") || matches!(name, "default-small" | "only-hardware-queue"))
        || menu.path == "/system/logging/action" && matches!(name, "memory" | "disk" | "echo" | "remote");
    if let Some(hard) = row.get("default-name") {
        return Some(vec!["set".into(), "[ find".into(), format!("default-name={}", quoted(hard)), "]".into()]);
    }
    if built_in {
        return menu
            .set
            .then(|| vec!["set".into(), "[ find".into(), "default=yes".into(), "]".into()])
            .filter(|_| menu.path != "/queue/type" && menu.path != "/user/group" && menu.path != "/system/logging/action");
    }
    if menu.add {
        return Some(vec!["add".to_string()]);
    }
    let which = if name.is_empty() { row.id_text()? } else { quoted(name) };
    Some(vec!["set".to_string(), which])
}

fn joined(words: &[String]) -> String {
    words.join(" ")
}

/// A value as an export writes it.
pub(super) fn quoted(value: &str) -> String {
    let value = match value {
        "true" => "yes",
        "false" => "no",
        other => other,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/,*+@!<>%^&|~'#".contains(c);
    if !value.is_empty() && value.chars().all(plain) && !value.starts_with('#') {
        return value.to_string();
    }
    let mut text = String::from("\"");
    for byte in crate::sim::row::to_bytes(value) {
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'$' => text.push_str("\\$"),
            b'?' => text.push_str("\\?"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x20..=0x7e => text.push(char::from(byte)),
            byte => text.push_str(&format!("\\{byte:02X}")),
        }
    }
    text.push('"');
    text
}

/// One command in lines of at most 80 columns.
fn wrapped(words: &[String]) -> String {
    let mut text = String::new();
    let mut line = words.first().cloned().unwrap_or_default();
    for word in &words[1..] {
        // The last column is for the backslash.
        if line.len() + 1 + word.len() < WIDTH {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (format!("{name}="), value),
            None => (String::new(), word.as_str()),
        };
        if !name.is_empty() && line.len() + 1 + name.len() < WIDTH {
            text.push_str(&format!("{line} {name}\\\n"));
            line = "    ".to_string();
        } else {
            text.push_str(&format!("{line} \\\n"));
            line = format!("    {name}");
        }
        for piece in pieces(value) {
            if line.len() + piece.len() >= WIDTH {
                text.push_str(&format!("{line}\\\n"));
                // A blank at the start of a line would be lost.
                line = format!("    {}", if piece == " " { "\\_" } else { &piece });
            } else {
                line.push_str(&piece);
            }
        }
    }
    format!("{text}{line}\n")
}

/// A value in parts that may not be torn: escapes stay whole.
fn pieces(value: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let mut piece = String::from(c);
        if c == '\\'
            && let Some(next) = chars.next()
        {
            piece.push(next);
            if next.is_ascii_hexdigit() && !next.is_ascii_lowercase() {
                piece.extend(chars.next());
            }
        }
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_commands_break_inside_values_and_keep_escapes_whole() {
        let words: Vec<String> =
            ["add", "action=accept", &format!("comment={}", quoted(&"a \"b\" $c ".repeat(20)))].map(String::from).into();
        let text = wrapped(&words);
        assert!(text.lines().all(|l| l.len() <= 80), "{text}");
        assert!(text.lines().count() > 2 && text.lines().skip(1).all(|l| l.starts_with("    ")), "{text}");
        let rejoined: String = text.replace("\\\n    ", "").replace("\\_", " ");
        assert_eq!(rejoined.trim_end(), words.join(" "));
    }

    #[test]
    fn values_are_quoted_where_the_console_needs_it() {
        let cases = [
            ("ether1", "ether1"),
            ("a b", "\"a b\""),
            ("", "\"\""),
            ("true", "yes"),
            ("a=b", "\"a=b\""),
            ("5$", "\"5\\$\""),
            ("é", "\"\\C3\\A9\""),
        ];
        for (value, want) in cases {
            assert_eq!(quoted(value), want);
        }
    }
}
