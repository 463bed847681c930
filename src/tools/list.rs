//! What every list takes and answers: `where`, `fields`, `limit`, `cursor` in; `rows`, `total`, `next_cursor` out.

use crate::base::fault::Fault;
use crate::shape::page;
use crate::tools::context::{Cx, Paged};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
    let conditions = page::Conditions::parse(args.matching.as_ref())?;
    let digest = page::digest(scope, args.matching.as_ref(), args.fields.as_deref());
    let kept: Vec<(String, Map<String, Value>)> =
        rows.into_iter().filter(|(_, row)| conditions.hold(|name| row.get(name).map(page::plain))).collect();
    let keys: Vec<&str> = kept.iter().map(|(key, _)| key.as_str()).collect();
    let span = page::span(&keys, args.cursor.as_deref(), args.limit, &digest)?;
    let shown = keys[span.clone()].iter().map(|key| (*key).to_owned()).collect();
    cx.paged(Paged { digest, start: span.start, keys: shown, total: kept.len() });
    let total = kept.len();
    let rows = kept.into_iter().skip(span.start).take(span.len()).map(|(_, row)| project(row, args.fields.as_deref())).collect();
    Ok(cx.page(rows, total))
}

/// Only the named fields, in the caller's order; all of them when none is named.
pub(super) fn project(mut row: Map<String, Value>, fields: Option<&[String]>) -> Map<String, Value> {
    match fields {
        None => row,
        Some(fields) => fields.iter().filter_map(|name| row.remove(name).map(|value| (name.clone(), value))).collect(),
    }
}
