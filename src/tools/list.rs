//! What every list takes and answers: `where`, `fields`, `limit`, `cursor` in; `rows`, `total`, `next_cursor` out.

use crate::base::fault::Fault;
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

/// Cuts the page asked for out of whole rows, each with the key that finds it again.
///
/// `scope` names the list (tool, device …): a cursor of another scope or of other conditions is refused.
pub fn cut(cx: &Cx, scope: &str, args: &ListArgs, rows: Vec<(String, Map<String, Value>)>) -> Result<Rows, Fault> {
    let filter = args.filter()?;
    let kept: Vec<(String, Map<String, Value>)> = rows.into_iter().filter(|(_, row)| filter.passes_json(row)).collect();
    let span = args.span(cx, scope, &kept, |(key, _)| key.clone())?;
    let total = kept.len();
    let rows = kept.into_iter().skip(span.start).take(span.len()).map(|(_, row)| project(row, args.fields.as_deref())).collect();
    Ok(cx.page(rows, total))
}

impl ListArgs {
    /// The conditions of `where`.
    pub fn filter(&self) -> Result<Filter, Fault> {
        Ok(self.matching.as_ref().map(Filter::parse).transpose()?.unwrap_or_default())
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
