//! Differences and rows as answers: small enough to read, and honest about what was left out.

use crate::history::config::{Change, Diff, Row};
use crate::menus;
use crate::shape::{budget, untrusted};
use crate::tools::context::Cx;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// Changes shown unless asked otherwise.
pub const USUAL: u16 = 40;

/// Bytes of JSON for each change that may be shown: a page of the usual length stays below 2,500 tokens.
const BYTES_EACH: usize = 200;

/// Longest value, in characters.
const MOST_CHARS: usize = 160;

/// What changed in one menu.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MenuChanges {
    pub menu: String,
    /// Rows as exported, with RouterOS names.
    pub added: Vec<Map<String, Value>>,
    pub removed: Vec<Map<String, Value>>,
    pub changed: Vec<Changed>,
    /// Changes of this menu that are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<u64>,
    /// Who may have done it, by the router's own log and history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likely_by: Vec<Author>,
}

/// A row that is there on both sides.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Changed {
    /// Natural key; `settings` for a menu's own, #place for rules.
    pub key: String,
    /// Attributes that differ, null when absent (at its default); `_position` of a moved row.
    pub before: Map<String, Value>,
    pub after: Map<String, Value>,
}

/// Somebody who may have made a change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Author {
    pub by: String,
    pub what: String,
    /// On the router's clock.
    pub at: String,
    /// history or log
    pub source: String,
}

/// Rows that cannot be compared.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotCompared {
    pub menu: String,
    pub rows: u64,
    pub why: String,
}

/// The whole of a difference that fits.
pub struct Shown {
    /// All changes there are.
    pub total: u64,
    /// Menus with what fits of each; one that does not fit at all has only its number.
    pub menus: Vec<MenuChanges>,
    /// What cannot be told.
    pub not_compared: Vec<NotCompared>,
    /// What was left out.
    pub note: Option<String>,
}

/// Cuts a difference to `limit` changes and the bytes that go with them; only menus at or below `below`.
pub fn shown(cx: &Cx, diff: Diff, below: Option<&str>, limit: u16) -> Shown {
    let wanted = |menu: &str| below.is_none_or(|path| is_below(menu, path));
    let mut room = Room { rows: usize::from(limit), bytes: usize::from(limit) * BYTES_EACH };
    let mut out = Shown { total: 0, menus: Vec::new(), not_compared: Vec::new(), note: None };
    let mut left = 0;
    for menu in diff.menus.into_iter().filter(|menu| wanted(&menu.menu)) {
        let all = (menu.added.len() + menu.removed.len() + menu.changed.len()) as u64;
        room.bytes = room.bytes.saturating_sub(menu.menu.len() + 40);
        let changed: Vec<Changed> = menu.changed.iter().map_while(|one| room.take(changed(one))).collect();
        let added: Vec<_> = menu.added.iter().map_while(|one| room.take(row(one))).collect();
        let removed: Vec<_> = menu.removed.iter().map_while(|one| room.take(row(one))).collect();
        mark(cx, &menu.menu, &added, &removed, &changed);
        let hidden = all - (added.len() + removed.len() + changed.len()) as u64;
        (out.total, left) = (out.total + all, left + hidden);
        let more = (hidden > 0).then_some(hidden);
        out.menus.push(MenuChanges { menu: menu.menu, added, removed, changed, more, likely_by: Vec::new() });
    }
    out.not_compared = diff
        .doubts
        .into_iter()
        .filter(|doubt| wanted(&doubt.menu))
        .map(|doubt| NotCompared { menu: doubt.menu, rows: doubt.rows as u64, why: doubt.why.into() })
        .collect();
    if left > 0 {
        out.note = Some(format!("{left} of {} changes are not shown; name a menu, or raise limit", out.total));
    }
    out
}

/// Whether a menu is `path` or stands below it.
pub fn is_below(menu: &str, path: &str) -> bool {
    menu.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || path == "/")
}

/// What is left of the answer's size.
pub struct Room {
    pub rows: usize,
    pub bytes: usize,
}

impl Room {
    /// The value, if it still fits.
    pub fn take<T: Serialize>(&mut self, value: T) -> Option<T> {
        let bytes = serde_json::to_value(&value).map_or(0, |json| budget::json_bytes(&json));
        (self.rows, self.bytes) = (self.rows.checked_sub(1)?, self.bytes.checked_sub(bytes)?);
        Some(value)
    }
}

/// Tells which fields others can write.
fn mark(cx: &Cx, menu: &str, added: &[Map<String, Value>], removed: &[Map<String, Value>], changed: &[Changed]) {
    if !changed.is_empty() {
        cx.untrusted("/menus/*/changed/*/key");
    }
    let facts = menus::find(menu);
    let mark = |above: &str, rows: &mut dyn Iterator<Item = &Map<String, Value>>| {
        for name in rows.flat_map(Map::keys).filter(|name| menus::untrusted_of(facts, name)) {
            cx.untrusted(untrusted::pointer(above, name));
        }
    };
    mark("/menus/*/added/*", &mut added.iter());
    mark("/menus/*/removed/*", &mut removed.iter());
    mark("/menus/*/changed/*/before", &mut changed.iter().map(|one| &one.before));
    mark("/menus/*/changed/*/after", &mut changed.iter().map(|one| &one.after));
}

fn row(row: &Row) -> Map<String, Value> {
    row.values.iter().map(|(name, text)| (name.clone(), value(text.as_deref()))).collect()
}

fn changed(change: &Change) -> Changed {
    let side = |values: &[(String, Option<Option<String>>)], place: Option<usize>| {
        let place = place.map(|place| ("_position".to_owned(), Value::from(place)));
        let values = values.iter().map(|(name, text)| (name.clone(), text.as_ref().map_or(Value::Null, |text| value(text.as_deref()))));
        place.into_iter().chain(values).collect()
    };
    Changed {
        key: cut(&change.key),
        before: side(&change.before, change.moved.map(|(from, _)| from)),
        after: side(&change.after, change.moved.map(|(_, to)| to)),
    }
}

/// A value as exported; a flag is true.
pub fn value(text: Option<&str>) -> Value {
    text.map_or(Value::Bool(true), |text| Value::from(cut(text)))
}

fn cut(text: &str) -> String {
    untrusted::cut(text, MOST_CHARS).into_owned()
}
