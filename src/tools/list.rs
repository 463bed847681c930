//! What every list takes and answers: `where`, `fields`, `limit`, `cursor` in; `rows`, `total`, `next_cursor` out.

use crate::base::fault::Fault;
use crate::shape::filter::Filter;
use crate::shape::page;
use crate::tools::arguments::shown;
use crate::tools::context::{Cx, Paged};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::Range;

/// The list arguments; flattened into a tool's own.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
pub struct ListArgs {
    /// `{"name": "a"}` is exact, `{"comment~": "iot"}` contains.
    #[serde(rename = "where")]
    pub matching: Option<Map<String, Value>>,
    /// Only these fields.
    #[schemars(length(max = 64))]
    pub fields: Option<Vec<String>>,
    /// 50 unless set.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u16>,
    /// next_cursor of the last page.
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
pub(super) fn known(row: &Map<String, Value>, args: &ListArgs, filter: &Filter) -> Result<(), Fault> {
    let mut asked = args.fields.iter().flatten().map(String::as_str).chain(filter.conditions().iter().map(|one| one.name.as_str()));
    match asked.find(|name| !row.contains_key(*name)) {
        None => Ok(()),
        Some(odd) => Err(no_field(odd, &row.keys().map(String::as_str).collect::<Vec<_>>())),
    }
}

/// A list has no such field.
pub(super) fn no_field(odd: &str, names: &[&str]) -> Fault {
    Fault::bad_input(format!("no field {} in this list", shown(odd))).hint(format!("its fields are {}", names.join(", ")))
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

    /// Where a list that only grows goes on: the number of the row it stopped after.
    pub(super) fn place(&self, scope: &str) -> Result<Option<u32>, Fault> {
        let cursor = self.cursor.as_deref().map(|text| page::Cursor::decode(text, self.query(scope))).transpose()?;
        Ok(cursor.map(|cursor| cursor.place()))
    }

    /// A page of a list that only grows: its rows have numbers for good, and it goes on below `on`. The spine is told how to cut
    /// it shorter.
    pub(super) fn behind(
        &self,
        cx: &Cx,
        scope: &str,
        rows: Vec<Map<String, Value>>,
        numbers: &[u64],
        total: usize,
        on: Option<u64>,
    ) -> Rows {
        let query = self.query(scope);
        let places: Vec<usize> = numbers.iter().map(|number| *number as usize).collect();
        let keys = numbers.iter().map(u64::to_string).collect();
        cx.paged(Paged { query, start: 0, keys, total: places.len() + usize::from(on.is_some()), places: Some(places) });
        let next_cursor = on.map(|on| page::Cursor::after(query, on as usize, &[on.to_string()]).encode());
        Page { rows, total: total as u64, next_cursor }
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
        cx.paged(Paged { query, start: span.start, keys: page.rows.iter().map(key).collect(), total: rows.len(), places: None });
        Ok(span)
    }
}

/// Only the named fields, in the caller's order; all of them when none is named.
pub(super) fn project(mut row: Map<String, Value>, fields: Option<&[String]>) -> Map<String, Value> {
    match fields.filter(|fields| !fields.is_empty()) {
        None => row,
        Some(fields) => fields.iter().filter_map(|name| row.remove(name).map(|value| (name.clone(), value))).collect(),
    }
}
