//! `POST /rest/execute` with `as-string`, as far as a configuration is printed by it: `/export terse`, and `:put "…"` behind it.

use crate::sim::menus::{Menu, Shape};
use crate::sim::refusal::Refusal;
use crate::sim::row::Row;
use crate::sim::world::World;

/// Menus that no export has: state, and rows of other menus.
const STATE: [&str; 6] = ["/interface", "/log", "/file", "/system/history", "/system/script/job", "/ip/pool/used"];

/// What a script prints.
pub(super) fn execute(world: &mut World, script: &str) -> Result<String, Refusal> {
    let mut printed = String::new();
    for command in script.split(';').map(str::trim) {
        if command == "/export terse" {
            printed.push_str(&export(world));
        } else if let Some(text) = command.strip_prefix(":put \"").and_then(|rest| rest.strip_suffix('"')) {
            printed.push_str(text);
            printed.push_str("\r\n");
        } else {
            return Err(Refusal::bad(format!("no such command or directory ({command})")));
        }
    }
    Ok(printed)
}

fn export(world: &mut World) -> String {
    let defs = world.defs.clone();
    let mut text = format!("# {} by RouterOS 7.20\r\n# software id = ABCD-1234\r\n", world.now().rfc3339());
    let paths = defs.paths().filter(|path| !STATE.contains(path));
    let menus: Vec<&Menu> = paths.filter_map(|path| defs.menu(path, &world.model)).filter(|menu| menu.add || menu.set).collect();
    for menu in menus {
        for row in world.table(&menu.path).rows.clone().iter().filter(|row| !row.is("dynamic")) {
            text.push_str(&line(menu, row));
        }
    }
    text
}

fn line(menu: &Menu, row: &Row) -> String {
    let verb = match (menu.shape == Shape::List && menu.add, row.get("default-name"), row.get("name")) {
        (_, Some(name), _) => format!("set [ find default-name={name} ]"),
        (true, ..) => "add".to_owned(),
        (false, _, Some(name)) if menu.shape == Shape::List => format!("set {name}"),
        _ => "set".to_owned(),
    };
    let shown = row.iter().filter(|(name, _)| menu.attr(name).is_some_and(|attr| !attr.read_only && !attr.hidden && !attr.secret));
    let values: String = shown.map(|(name, value)| format!(" {name}={}", quoted(value))).collect();
    let path = menu.path.trim_start_matches('/').replace('/', " ");
    if values.is_empty() && verb != "add" { String::new() } else { format!("/{path} {verb}{values}\r\n") }
}

fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' | '$' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}
