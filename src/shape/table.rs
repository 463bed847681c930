//! Answers as short text: a table for lists, `key: value` lines otherwise.
//!
//! Cells are parted by a tab: one token, and no cell can hold one, for everything that could break a line or a column
//! becomes a space. So a host name can neither end its row nor fake another.

use serde_json::{Map, Value};

use super::untrusted::{cut, strip};

/// Longest text in a cell of a table, in characters; the whole value stands in the structured answer.
const LONGEST_CELL: usize = 256;
/// Longest value of a `key: value` line, in characters.
const LONGEST_LINE: usize = 1000;
/// Longest cell of things inside a thing (a rule's attributes, a tool's schema): cut in the middle they would mislead.
const LONGEST_THINGS: usize = 4_000;

/// An answer as text: a list as a table with its total and cursor below, anything else as `key: value` lines and a
/// small table for each list of things in it.
pub fn text(answer: &Value) -> String {
    let Value::Object(members) = answer else { return cell(answer) };
    let Some(Value::Array(rows)) = members.get("rows") else { return sections(members) };
    let rows: Vec<&Map<String, Value>> = rows.iter().filter_map(Value::as_object).collect();
    let mut text = if rows.is_empty() { "no rows".to_owned() } else { table(&columns(rows.iter().copied()), rows.iter().copied()) };
    let rest = filled(members.iter().filter(|(name, _)| *name != "rows"));
    if !rest.is_empty() {
        text.push('\n');
        text.push_str(&rest);
    }
    text
}

/// Lines first, then each list of objects under its name. What is false for all of them is no news.
fn sections(members: &Map<String, Value>) -> String {
    let mut text = filled(members.iter().filter(|(_, value)| things(value).is_none()));
    for (name, items) in members.iter().filter_map(|(name, value)| Some((name, things(value)?))) {
        let rows: Vec<&Map<String, Value>> = items.iter().filter_map(Value::as_object).collect();
        let mut columns = columns(rows.iter().copied());
        columns.retain(|column| rows.iter().any(|row| !matches!(row.get(*column), None | Some(Value::Bool(false)))));
        let above = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{above}{}:\n{}", strip(name), table(&columns, rows.iter().copied())));
    }
    if text.is_empty() { "nothing found".to_owned() } else { text }
}

/// The things of a list that has nothing else.
fn things(value: &Value) -> Option<&Vec<Value>> {
    value.as_array().filter(|items| !items.is_empty() && items.iter().all(Value::is_object))
}

/// The columns of rows: names in the order they are first seen, without those empty everywhere.
pub fn columns<'a>(rows: impl IntoIterator<Item = &'a Map<String, Value>>) -> Vec<&'a str> {
    let mut names: Vec<&'a str> = Vec::new();
    for row in rows {
        for (name, value) in row {
            if !is_blank(value) && !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    names
}

/// A header line and a line a row; no line break at the end.
pub fn table<'a>(columns: &[&str], rows: impl IntoIterator<Item = &'a Map<String, Value>>) -> String {
    let mut text = columns.iter().map(|name| strip(name)).collect::<Vec<_>>().join("\t");
    for row in rows {
        text.push('\n');
        for (at, name) in columns.iter().enumerate() {
            if at > 0 {
                text.push('\t');
            }
            match row.get(*name) {
                None => {}
                // Most cells of most tables: nothing in them to strip or cut.
                Some(Value::String(plain)) if plain.len() <= LONGEST_CELL && plain.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    text.push_str(plain)
                }
                Some(value) => text.push_str(&cut(&cell(value), longest(value, LONGEST_CELL))),
            }
        }
    }
    text
}

/// `key: value` lines; what is empty is left out.
pub fn lines(object: &Map<String, Value>) -> String {
    filled(object.iter())
}

fn filled<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    let filled = members.filter(|(_, value)| !is_blank(value));
    filled
        .map(|(name, value)| format!("{}: {}", strip(name), cut(&cell(value), longest(value, LONGEST_LINE))))
        .collect::<Vec<_>>()
        .join("\n")
}

fn longest(value: &Value, text: usize) -> usize {
    if has_things(value) { LONGEST_THINGS } else { text }
}

fn has_things(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(Value::is_object),
        _ => false,
    }
}

/// A value on one line: lists with commas, things inside a value by their `name=value`, one from the next by `; `.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => strip(text).trim().to_owned(),
        Value::Array(items) if has_things(value) => items.iter().map(cell).collect::<Vec<_>>().join("; "),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !is_blank(value))
            .map(|(name, value)| format!("{}={}", strip(name), inner(value)))
            .collect::<Vec<_>>()
            .join(" "),
        plain => plain.to_string(),
    }
}

/// A value behind a `name=`: what could be taken for the next name stands in quotes or braces.
pub fn inner(value: &Value) -> String {
    let told = cell(value);
    match value {
        Value::Object(_) => format!("{{{told}}}"),
        Value::Array(_) if has_things(value) => format!("[{told}]"),
        Value::String(_) | Value::Array(_) if told.contains([' ', '=', '"', ';', '{', '}', '[', ']']) => Value::from(told).to_string(),
        _ => told,
    }
}

/// Nothing that a reader would miss.
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn rows(value: Value) -> Vec<Map<String, Value>> {
        value.as_array().unwrap().iter().map(|row| row.as_object().unwrap().clone()).collect()
    }

    #[test]
    fn a_table_has_a_header_and_a_line_a_row() {
        let rows = rows(json!([{"name": "ether1", "mtu": 1500, "up": true, "x": ""}, {"name": "b", "list": ["a", "c"], "x": null}]));
        let columns = columns(&rows);
        assert_eq!(columns.len(), 4, "{columns:?}");
        assert!(!columns.contains(&"x"));
        assert_eq!(table(&["name", "mtu", "up", "list"], &rows), "name\tmtu\tup\tlist\nether1\t1500\ttrue\t\nb\t\t\ta,c");
        assert_eq!(table(&["name"], &[]), "name");
    }

    #[test]
    fn things_inside_an_answer_stand_in_a_table_of_their_own() {
        let answer = json!({"menu": "/ip/dns", "attributes": [{"name": "servers", "secret": false, "required": true}, {"name": "b", "secret": false}], "n": []});
        assert_eq!(text(&answer), "menu: /ip/dns\nattributes:\nname\trequired\nservers\ttrue\nb\t");
        assert_eq!(text(&json!({"matches": []})), "nothing found");
    }

    #[test]
    fn no_cell_can_fake_a_row_or_a_column() {
        let rows = rows(json!([{"host": "a\nb\tc\r\u{2028}d\u{202E}", "n": 1}]));
        let text = table(&["host", "n"], &rows);
        assert_eq!(text, "host\tn\na b c  d\t1");
    }

    #[test]
    fn no_value_inside_a_cell_can_fake_another() {
        let rule = json!([{"comment": "x\" action=accept", "dst-port": "80,443", "n": 1, "before": {"comment": null, "place": 3}, "to": [{"a": "b; c"}]}]);
        let told = r#"comment="x\" action=accept" dst-port=80,443 n=1 before={place=3} to=[a="b; c"]"#;
        assert_eq!(cell(&rule), told);
    }

    #[test]
    fn things_in_a_cell_are_told_whole() {
        let schema = json!({"name": "t", "schema": {"properties": {"device": {"description": "d".repeat(600)}}}});
        let text = table(&["name", "schema"], [schema.as_object().unwrap()]);
        assert!(text.ends_with("d}}") && text.len() > 600, "{text}");
    }

    #[test]
    fn long_cells_are_cut() {
        let rows = rows(json!([{"note": "é".repeat(500)}]));
        let text = table(&["note"], &rows);
        assert_eq!(text.lines().nth(1).unwrap().chars().count(), LONGEST_CELL);
        assert!(text.ends_with('…'));
    }

    #[test]
    fn lines_leave_out_what_is_empty() {
        let object = json!({"identity": "r1\nfake: x", "sensors": [{"name": "cpu", "value": 41, "unit": "C"}], "note": "", "tags": []});
        let text = lines(object.as_object().unwrap());
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("identity: r1 fake: x"));
        assert!(text.contains("name=cpu") && text.contains("value=41"));
    }

    proptest! {
        #[test]
        fn a_table_has_as_many_lines_as_rows_and_tabs_as_columns(cells in proptest::collection::vec((".*", "(?s).*"), 0..20)) {
            let rows: Vec<Map<String, Value>> = cells.iter()
                .map(|(a, b)| json!({"a": a, "b": b}).as_object().unwrap().clone()).collect();
            let text = table(&["a", "b"], &rows);
            prop_assert_eq!(text.split('\n').count(), rows.len() + 1);
            prop_assert!(text.split('\n').all(|line| line.matches('\t').count() == 1));
        }
    }
}
