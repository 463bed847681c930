//! What every list takes and answers: `where`, `fields`, `limit`, `cursor` in; `rows`, `total`, `next_cursor` out.

use crate::base::fault::Fault;
use crate::shape::budget;
use crate::shape::filter::Filter;
use crate::shape::page;
use crate::tools::context::{Cx, Paged};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::Range;

/// The list arguments; flattened into a tool's own.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
pub struct ListArgs {
    /// Conditions by field: `{"name": "a"}` is exact, `{"comment~": "iot"}` contains.
    #[serde(rename = "where")]
    pub matching: Option<Map<String, Value>>,
    /// Only these fields.
    #[schemars(length(max = 64))]
    pub fields: Option<Vec<String>>,
    /// Rows a page, 50 unless set.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// All rows that match.
    pub total: u64,
    /// For the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A page whose fields the caller may choose, so that its rows are open objects.
pub type Rows = Page<Map<String, Value>>;

/// Cuts the page asked for out of things that are not rows yet: `key` finds one again, `row` shows it. Without conditions
/// only the rows of the page are made.
///
/// `scope` names the list (tool, device …): a cursor of another scope or of other conditions is refused.
pub fn cut<T>(
    cx: &Cx,
    scope: &str,
    args: &ListArgs,
    mut things: Vec<T>,
    key: impl Fn(&T) -> String,
    row: impl Fn(&T) -> Map<String, Value>,
) -> Result<Rows, Fault> {
    let filter = args.filter()?;
    if let Some(first) = things.first() {
        known(&row(first), args, &filter)?;
    }
    if !filter.is_empty() {
        things.retain(|thing| filter.passes_json(&row(thing)));
    }
    let span = args.span(cx, scope, &things, key)?;
    let rows = things[span].iter().map(|thing| project(row(thing), args.fields.as_deref())).collect();
    Ok(cx.page(rows, things.len()))
}

/// Refuses names that no row of this list has: an empty column would look like an answer.
fn known(row: &Map<String, Value>, args: &ListArgs, filter: &Filter) -> Result<(), Fault> {
    let asked = args.fields.iter().flatten().map(String::as_str).chain(filter.conditions().iter().map(|one| one.name.as_str()));
    match asked.into_iter().find(|name| !row.contains_key(*name)) {
        None => Ok(()),
        Some(odd) => {
            let odd: String = odd.chars().filter(|c| !c.is_control()).take(64).collect();
            let names: Vec<&str> = row.keys().map(String::as_str).collect();
            Err(Fault::bad_input(format!("no field {odd} in this list")).hint(format!("its fields are {}", names.join(", "))))
        }
    }
}

/// The columns of a list whose rows need not all have the same ones.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Shown unless the caller names fields, as far as a row has them.
    pub usual: &'static [&'static str],
    /// Only for who names them.
    pub more: &'static [&'static str],
    /// Bytes of JSON after which a page ends when its size was left to us.
    pub bytes: usize,
}

impl Columns {
    /// Refuses names that no row of this list can have.
    pub fn check(&self, args: &ListArgs) -> Result<(), Fault> {
        let filter = args.filter()?;
        let mut asked = args.fields.iter().flatten().map(String::as_str).chain(filter.conditions().iter().map(|one| one.name.as_str()));
        let is_none = |name: &&str| !self.usual.contains(name) && !self.more.contains(name);
        match asked.find(is_none) {
            None => Ok(()),
            Some(odd) => {
                let odd: String = odd.chars().filter(|c| !c.is_control()).take(64).collect();
                let names = [self.usual, self.more].concat().join(", ");
                Err(Fault::bad_input(format!("no field {odd} in this list")).hint(format!("its fields are {names}")))
            }
        }
    }

    /// A row as it is shown: what the caller named, or the usual columns without flags that are not set.
    fn shown(&self, mut row: Map<String, Value>, fields: Option<&[String]>) -> Map<String, Value> {
        if fields.is_some() {
            return project(row, fields);
        }
        let news = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
        let usual = self.usual.iter().filter_map(|name| row.remove(*name).filter(news).map(|value| ((*name).to_owned(), value)));
        usual.collect()
    }
}

/// As [`cut`], for rows whose members come and go. A flag that is false is there for conditions and for who names it. Names
/// have passed [`Columns::check`].
pub fn pick<T>(
    cx: &Cx,
    scope: &str,
    args: &ListArgs,
    columns: Columns,
    mut things: Vec<T>,
    key: impl Fn(&T) -> String,
    row: impl Fn(&T) -> Map<String, Value>,
) -> Result<Rows, Fault> {
    let filter = args.filter()?;
    if !filter.is_empty() {
        things.retain(|thing| filter.passes_json(&row(thing)));
    }
    let span = args.span(cx, scope, &things, &key)?;
    let mut rows: Vec<_> = things[span].iter().map(|thing| columns.shown(row(thing), args.fields.as_deref())).collect();
    let enough = if args.limit.is_none() { rows_within(columns.bytes, &rows) } else { rows.len() };
    if enough < rows.len() {
        rows.truncate(enough);
        // Told again: the cursor goes on after the rows that are shown.
        let shorter = ListArgs { limit: Some(enough as u16), ..args.clone() };
        shorter.span(cx, scope, &things, &key)?;
    }
    Ok(cx.page(rows, things.len()))
}

/// How many of the rows take at most that many bytes; one at least, so that paging moves on.
fn rows_within(most: usize, rows: &[Map<String, Value>]) -> usize {
    let mut bytes = 0;
    let fits = rows.iter().take_while(|row| {
        bytes += row_bytes(row);
        bytes <= most
    });
    fits.count().max(1).min(rows.len())
}

/// What a row takes once it is shaped: a text that outsiders wrote is cut by then, so a comment of 64 kB ends no page.
fn row_bytes(row: &Map<String, Value>) -> usize {
    let value = |value: &Value| budget::json_bytes(value).min(LONGEST_SHOWN);
    2 + row.iter().map(|(name, member)| name.len() + 4 + value(member)).sum::<usize>()
}

/// Bytes of a text that was cut to its longest, as far as most writing goes.
const LONGEST_SHOWN: usize = 520;

/// Puts a member into a row if there is a value.
pub fn put(row: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        row.insert(name.to_owned(), value.into());
    }
}

/// A page as JSON, its rows moved rather than copied.
pub(super) fn json(page: Rows) -> Result<Value, Fault> {
    let mut answer = Map::new();
    answer.insert("rows".into(), Value::Array(page.rows.into_iter().map(Value::Object).collect()));
    answer.insert("total".into(), page.total.into());
    answer.extend(page.next_cursor.map(|cursor| ("next_cursor".to_owned(), cursor.into())));
    Ok(Value::Object(answer))
}

impl ListArgs {
    /// The conditions of `where`.
    pub fn filter(&self) -> Result<Filter, Fault> {
        Ok(self.matching.as_ref().map(Filter::parse).transpose()?.unwrap_or_default())
    }

    /// What `where` wants a field to be exactly, as text: a tool may ask the router for no more.
    pub fn exact(&self, name: &str) -> Option<String> {
        match self.matching.as_ref()?.get(name)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Refuses conditions and a cursor that cannot be right, before a router is asked for rows.
    pub fn check(&self, scope: &str) -> Result<(), Fault> {
        self.filter()?;
        if let Some(cursor) = &self.cursor {
            page::Cursor::decode(cursor, self.query(scope))?;
        }
        Ok(())
    }

    /// What a cursor of this list belongs to.
    fn query(&self, scope: &str) -> page::Query {
        let matching = self.matching.as_ref().map(|m| Value::Object(m.clone()).to_string()).unwrap_or_default();
        page::Query::of(&[scope, &matching, &self.fields.as_deref().unwrap_or_default().join(",")])
    }

    /// Which of `rows` stand on the page asked for; the spine is told how to cut it shorter.
    pub fn span<T>(&self, cx: &Cx, scope: &str, rows: &[T], key: impl Fn(&T) -> String) -> Result<Range<usize>, Fault> {
        let query = self.query(scope);
        let limit = page::limit(self.limit.map(u64::from))?;
        let page = page::page(rows, &key, query, self.cursor.as_deref(), limit)?;
        let span = page.start..page.start + page.rows.len();
        cx.paged(Paged { query, start: span.start, keys: page.rows.iter().map(key).collect(), total: rows.len() });
        Ok(span)
    }
}

/// Only the named fields, in the caller's order; all of them when none is named.
pub(super) fn project(mut row: Map<String, Value>, fields: Option<&[String]>) -> Map<String, Value> {
    match fields {
        None => row,
        Some(fields) => fields.iter().filter_map(|name| row.remove(name).map(|value| (name.clone(), value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(values: Value) -> Vec<Map<String, Value>> {
        values.as_array().unwrap().iter().map(|row| row.as_object().unwrap().clone()).collect()
    }

    #[test]
    fn a_page_left_to_us_ends_where_enough_was_read_and_never_before_its_first_row() {
        let same = rows(json!([{"name": "abc", "n": 1}, {"name": "abc", "n": 2}, {"name": "abc", "n": 3}]));
        let one = json!(same[0]).to_string().len() + 1;
        assert_eq!((rows_within(one * 2 + 1, &same), rows_within(1_000, &same), rows_within(0, &same), rows_within(9, &[])), (2, 3, 1, 0));
        let long = rows(json!([{"comment": "x".repeat(65_536)}, {"comment": "y"}, {"comment": "z"}]));
        assert_eq!(rows_within(1_000, &long), 3, "the long one is cut before it leaves");
    }

    #[test]
    fn rows_show_what_is_set_and_all_that_is_named() {
        let columns = Columns { usual: &["name", "disabled", "comment"], more: &["mtu"], bytes: 100 };
        let row = || rows(json!([{"mtu": 1500, "disabled": false, "name": "a"}])).remove(0);
        assert_eq!(Value::Object(columns.shown(row(), None)), json!({"name": "a"}));
        let named = ["mtu".to_owned(), "disabled".to_owned(), "comment".to_owned()];
        assert_eq!(Value::Object(columns.shown(row(), Some(&named))), json!({"mtu": 1500, "disabled": false}));
        let asking =
            |names: &[&str]| ListArgs { fields: Some(names.iter().map(|name| (*name).to_owned()).collect()), ..ListArgs::default() };
        assert!(columns.check(&asking(&["name", "mtu"])).is_ok());
        assert!(columns.check(&asking(&["mru"])).unwrap_err().hint.unwrap().contains("mtu"));
    }
}
