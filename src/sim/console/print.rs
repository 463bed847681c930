//! Rows as the console shows them: values, tables, details.

use super::value::Value;
use crate::sim::menus::Menu;
use crate::sim::row::Row;
use crate::sim::value::{Type, flag, time};

/// Letters in front of rows, and the attributes they stand for, in the order the console prints them.
const FLAGS: [(char, &str); 9] = [
    ('X', "disabled"),
    ('I', "invalid"),
    ('D', "dynamic"),
    ('A', "active"),
    ('R', "running"),
    ('S', "slave"),
    ('c', "connect"),
    ('s', "static"),
    ('B', "blocked"),
];
/// Columns of a table nobody chose.
const COLUMNS: usize = 7;
/// Width of a terminal that says nothing about itself.
const WIDTH: usize = 80;
/// Attributes with several values that no type tells.
const LISTS: [&str; 8] = ["policy", "topics", "tagged", "untagged", "servers", "allowed-address", "current-tagged", "current-untagged"];

/// Counters of rules and queues, shown only with `stats`.
pub(super) fn is_counter(menu: &Menu, name: &str) -> bool {
    let counting = menu.path.contains("/firewall/") || menu.path.starts_with("/queue");
    counting && matches!(name, "bytes" | "packets" | "rate" | "packet-rate" | "dropped" | "queued-bytes" | "queued-packets")
}

/// An attribute with its type.
pub(super) fn value_of(menu: &Menu, row: &Row, name: &str) -> Value {
    if name == ".id" {
        return row.id_text().map_or(Value::Nil, Value::Id);
    }
    let Some(text) = row.get(name) else { return Value::Nil };
    let attr = menu.attr(name);
    let list = || Value::list(text.split(',').filter(|t| !t.is_empty()).map(|t| Value::Text(t.to_string())));
    match attr.map(|a| &a.of) {
        Some(Type::Flag) => flag(text).map_or_else(|| Value::Text(text.into()), Value::Bool),
        Some(Type::Number(..)) => text.parse().map_or_else(|_| Value::Text(text.into()), Value::Num),
        Some(Type::Time(_)) => time(text).map_or_else(|| Value::Text(text.into()), |ms| Value::Time(ms as i64)),
        Some(Type::WordList(_)) => list(),
        _ if LISTS.contains(&name) => list(),
        _ if matches!(text, "true" | "false") => Value::Bool(text == "true"),
        _ if attr.is_none_or(|a| a.read_only) => match text.parse() {
            Ok(number) => Value::Num(number),
            Err(_) if text.ends_with(['s', 'm', 'h', 'd', 'w']) => {
                time(text).map_or_else(|| Value::Text(text.into()), |ms| Value::Time(ms as i64))
            }
            Err(_) => Value::Text(text.into()),
        },
        _ => Value::Text(text.into()),
    }
}

/// A row as `as-value` gives it: no secrets.
pub(super) fn as_value(menu: &Menu, row: &Row, shown: &dyn Fn(&str) -> bool) -> Value {
    let id = row.id_text().filter(|_| shown(".id")).map(|id| (Some(".id".to_string()), Value::Id(id)));
    let attrs = row.iter().filter(|(n, _)| shown(n) && !menu.attr(n).is_some_and(|a| a.secret || a.hidden));
    Value::Array(id.into_iter().chain(attrs.map(|(n, _)| (Some(n.to_string()), value_of(menu, row, n)))).collect())
}

/// A value as people read it in a print.
fn human(text: &str) -> &str {
    match text {
        "true" => "yes",
        "false" => "no",
        other => other,
    }
}

fn flags_of(row: &Row) -> String {
    FLAGS.iter().filter(|(_, name)| row.is(name)).map(|(letter, _)| *letter).collect()
}

fn legend(rows: &[Row], upper: bool) -> String {
    let used: Vec<String> = FLAGS
        .iter()
        .filter(|(_, name)| rows.iter().any(|r| r.is(name)))
        .map(|(letter, name)| format!("{letter} - {}", if upper { name.to_uppercase() } else { name.to_string() }))
        .collect();
    if used.is_empty() { String::new() } else { format!("Flags: {}\n", used.join(", ")) }
}

/// One object: names to the right, values to the left.
pub(super) fn single(row: &Row, shown: &dyn Fn(&str) -> bool) -> String {
    let attrs: Vec<(&str, &str)> = row.iter().filter(|(n, _)| shown(n) && !n.starts_with('.')).collect();
    let width = attrs.iter().map(|(n, _)| n.len()).max().unwrap_or(0) + 2;
    attrs.iter().map(|(name, value)| format!("{name:>width$}: {}\n", human(value))).collect()
}

fn pairs<'a>(menu: &'a Menu, row: &'a Row, shown: &'a dyn Fn(&str) -> bool) -> impl Iterator<Item = String> + 'a {
    let flags = |name: &str| FLAGS.iter().any(|(_, f)| *f == name);
    let attrs = row.iter().filter(move |(n, _)| shown(n) && *n != "comment" && !flags(n) && !n.starts_with('.'));
    attrs.map(move |(name, value)| {
        let text = matches!(menu.attr(name).map(|a| &a.of), Some(Type::Text))
            && (value.contains([' ', '"', ';', '=']) || value.is_empty() || name == "name");
        let value = human(value);
        if text { format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) } else { format!("{name}={value}") }
    })
}

/// A row a line, everything in it.
pub(super) fn terse(menu: &Menu, rows: &[Row], shown: &dyn Fn(&str) -> bool) -> String {
    let mut text = String::new();
    for (i, row) in rows.iter().enumerate() {
        let comment = row.get("comment").map(|c| format!("comment={c} ")).unwrap_or_default();
        let attrs: Vec<String> = pairs(menu, row, shown).collect();
        text.push_str(&format!("{i:>2} {:<3} {comment}{}\n", flags_of(row), attrs.join(" ")));
    }
    text
}

/// A row a paragraph.
pub(super) fn detail(menu: &Menu, rows: &[Row], shown: &dyn Fn(&str) -> bool) -> String {
    let mut text = legend(rows, false);
    for (i, row) in rows.iter().enumerate() {
        let mut line = format!("{i:>2} {:<3} ", flags_of(row));
        if let Some(comment) = row.get("comment") {
            text.push_str(&format!("{line};;; {comment}\n"));
            line = " ".repeat(7);
        }
        for pair in pairs(menu, row, shown) {
            if line.len() + pair.len() >= WIDTH && line.trim_end().len() > 7 {
                text.push_str(&format!("{}\n", line.trim_end()));
                line = " ".repeat(7);
            }
            line.push_str(&pair);
            line.push(' ');
        }
        text.push_str(&format!("{}\n\n", line.trim_end()));
    }
    text
}

/// A table of the columns asked for, or of the first that have values.
pub(super) fn table(menu: &Menu, rows: &[Row], proplist: Option<&[String]>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let flags = |name: &str| FLAGS.iter().any(|(_, f)| *f == name);
    let names: Vec<String> = match proplist {
        Some(names) => names.to_vec(),
        None => {
            let used = menu.attrs.iter().map(|a| &a.name).filter(|n| *n != "comment" && !flags(n) && !is_counter(menu, n));
            used.filter(|n| rows.iter().any(|r| r.get(n).is_some_and(|v| !v.is_empty()))).take(COLUMNS).cloned().collect()
        }
    };
    let upper: Vec<String> = names.iter().map(|n| n.to_uppercase()).collect();
    let mut text = legend(rows, true);
    text.push_str(&format!("Columns: {}\n", upper.join(", ")));
    let cells: Vec<Vec<String>> =
        rows.iter().map(|r| names.iter().map(|n| human(r.get(n).unwrap_or_default()).to_string()).collect()).collect();
    let wide = |at: usize| cells.iter().map(|c| c[at].chars().count()).chain([upper[at].len()]).max().unwrap_or(0);
    let line = |cells: &[String]| -> String {
        let padded: Vec<String> = cells.iter().enumerate().map(|(i, c)| format!("{c:<width$}", width = wide(i))).collect();
        padded.join("  ")
    };
    let digits = rows.len().to_string().len().max(1);
    text.push_str(&format!("{:<digits$}     {}\n", "#", line(&upper).trim_end()));
    for (i, row) in rows.iter().enumerate() {
        if let Some(comment) = row.get("comment") {
            text.push_str(&format!(";;; {comment}\n"));
        }
        text.push_str(&format!("{i:<digits$} {:<3} {}\n", flags_of(row), line(&cells[i]).trim_end()));
    }
    text
}

/// What a measuring command wrote, line after line.
pub(super) fn columns(rows: &[Row]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        for (name, _) in row.iter().filter(|(n, _)| !n.starts_with('.')) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let cells: Vec<Vec<&str>> = rows.iter().map(|r| names.iter().map(|n| r.get(n).unwrap_or_default()).collect()).collect();
    let wide = |at: usize| cells.iter().map(|c| c[at].chars().count()).chain([names[at].len()]).max().unwrap_or(0);
    let line = |cells: &[&str]| -> String {
        let padded: Vec<String> = cells.iter().enumerate().map(|(i, c)| format!("{c:>width$}", width = wide(i))).collect();
        format!("  {}\n", padded.join(" "))
    };
    let head: Vec<String> = names.iter().map(|n| n.to_uppercase()).collect();
    let mut text = line(&head.iter().map(String::as_str).collect::<Vec<_>>());
    cells.iter().for_each(|c| text.push_str(&line(c)));
    text
}
