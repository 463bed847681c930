//! Lists made cell by cell: only what is shown or asked about is worked out.
//!
//! A list says which columns a person would want and which others there are. What is empty is left out of a row, and so are
//! flags and counts that are no news ([`Columns::quiet`]) unless the caller names them. A caller who sets no `limit` gets at most
//! fifty rows, and fewer where they are wide: a first look must stay cheap whatever others wrote on the router.

use crate::base::fault::Fault;
use crate::shape::{budget, table, untrusted};
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use serde_json::{Map, Value};

/// What the rows of a page may take that nobody gave a size, bytes: 2,500 tokens less total, cursor and brackets.
const USUAL_BYTES: usize = 9_800;

/// The columns of a list; every name stands in `usual` or in `more`.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Shown unless the caller names fields.
    pub(super) usual: &'static [&'static str],
    /// Shown when named.
    pub(super) more: &'static [&'static str],
    quiet: Quiet,
    /// Bytes of JSON after which a page ends when its size was left to us.
    bytes: usize,
}

/// What is left out of the usual columns because it is no news.
#[derive(Debug, Clone, Copy)]
enum Quiet {
    /// These, while false or zero.
    These(&'static [&'static str]),
    /// Every flag that is not set.
    Flags,
}

impl Columns {
    /// A list that shows all its usual columns, on pages as long as a first look may be.
    pub const fn of(usual: &'static [&'static str], more: &'static [&'static str]) -> Columns {
        Columns { usual, more, quiet: Quiet::These(&[]), bytes: USUAL_BYTES }
    }

    /// Leaves these out while false or zero.
    #[must_use]
    pub const fn quiet(self, these: &'static [&'static str]) -> Columns {
        Columns { quiet: Quiet::These(these), ..self }
    }

    /// Leaves every flag out that is not set.
    #[must_use]
    pub const fn quiet_flags(self) -> Columns {
        Columns { quiet: Quiet::Flags, ..self }
    }

    /// Ends a page after so many bytes, where the answer has more than the list in it.
    #[must_use]
    pub const fn bytes(self, bytes: usize) -> Columns {
        Columns { bytes, ..self }
    }

    /// Every column, in order.
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        self.usual.iter().chain(self.more).copied()
    }

    /// Refuses names this list does not have and a cursor that cannot be right, before a router is asked.
    pub fn check(&self, args: &ListArgs, scope: &str) -> Result<(), Fault> {
        args.check(scope)?;
        match asked(args).find(|name| !self.all().any(|known| known == *name)) {
            None => Ok(()),
            Some(odd) => Err(list::no_field(odd, &self.all().collect::<Vec<_>>())),
        }
    }

    /// Whether the column is shown or asked about: what it costs is paid only then.
    pub fn wants(&self, args: &ListArgs, name: &str) -> bool {
        asked(args).any(|asked| asked == name) || (named(args).is_none() && self.usual.contains(&name))
    }

    /// The page asked for: `key` finds a thing again when others come and go, `cell` is the value of one of its columns.
    pub fn page<T>(
        &self,
        cx: &Cx,
        scope: &str,
        args: &ListArgs,
        mut things: Vec<T>,
        key: impl Fn(&T) -> String,
        cell: impl Fn(&T, &str) -> Value,
    ) -> Result<Rows, Fault> {
        let filter = args.filter()?;
        if !filter.is_empty() {
            things.retain(|thing| {
                let asked = filter.conditions().iter().map(|one| (one.name.clone(), cell(thing, &one.name))).collect();
                filter.passes_json(&asked)
            });
        }
        let shown = |thing: &T| self.row(args, |name| cell(thing, name));
        self.cut(cx, scope, args, &things, key, shown)
    }

    /// As [`page`](Self::page), for rows that are made whole: their members come and go.
    pub fn pick<T>(
        &self,
        cx: &Cx,
        scope: &str,
        args: &ListArgs,
        mut things: Vec<T>,
        key: impl Fn(&T) -> String,
        row: impl Fn(&T) -> Map<String, Value>,
    ) -> Result<Rows, Fault> {
        let filter = args.filter()?;
        if !filter.is_empty() {
            things.retain(|thing| filter.passes_json(&row(thing)));
        }
        self.cut(cx, scope, args, &things, key, |thing| self.shown(args, row(thing)))
    }

    fn cut<T>(
        &self,
        cx: &Cx,
        scope: &str,
        args: &ListArgs,
        things: &[T],
        key: impl Fn(&T) -> String,
        shown: impl Fn(&T) -> Map<String, Value>,
    ) -> Result<Rows, Fault> {
        let span = args.span(cx, scope, things, &key)?;
        let mut rows: Vec<Map<String, Value>> = things[span].iter().map(shown).collect();
        if args.limit.is_none() {
            let fits = fitting(&rows, self.bytes);
            if fits < rows.len() {
                // Told again: the cursor goes on after the rows that are shown.
                let fewer = ListArgs { limit: Some(fits as u16), ..args.clone() };
                fewer.span(cx, scope, things, &key)?;
                rows.truncate(fits);
            }
        }
        Ok(cx.page(rows, things.len()))
    }

    fn shown(&self, args: &ListArgs, mut row: Map<String, Value>) -> Map<String, Value> {
        self.row(args, |name| row.remove(name).unwrap_or_default())
    }

    fn row(&self, args: &ListArgs, mut cell: impl FnMut(&str) -> Value) -> Map<String, Value> {
        let mut row = Map::new();
        match named(args) {
            Some(fields) => fields.iter().for_each(|name| put(&mut row, name, cell(name))),
            None => self.usual.iter().for_each(|name| {
                let value = cell(name);
                if !self.is_no_news(name, &value) {
                    put(&mut row, name, value);
                }
            }),
        }
        row
    }

    fn is_no_news(&self, name: &str, value: &Value) -> bool {
        match self.quiet {
            Quiet::These(names) => (*value == Value::Bool(false) || *value == 0) && names.contains(&name),
            Quiet::Flags => *value == Value::Bool(false),
        }
    }
}

/// The fields named; naming none is as leaving the argument out.
fn named(args: &ListArgs) -> Option<&[String]> {
    args.fields.as_deref().filter(|fields| !fields.is_empty())
}

/// Names in `fields` and `where`.
fn asked(args: &ListArgs) -> impl Iterator<Item = &str> {
    let conditions = args.matching.iter().flat_map(|matching| matching.keys()).map(|name| name.strip_suffix('~').unwrap_or(name));
    args.fields.iter().flatten().map(String::as_str).chain(conditions)
}

/// What tells a row that is made apart: these texts, joined.
pub(super) fn key(row: &Map<String, Value>, names: &[&str]) -> String {
    names.iter().map(|name| row.get(*name).and_then(Value::as_str).unwrap_or_default()).collect::<Vec<_>>().join("|")
}

/// Puts a value into a row, unless there is none.
pub(super) fn put(row: &mut Map<String, Value>, name: &str, value: Value) {
    if !table::is_blank(&value) {
        row.insert(name.to_owned(), value);
    }
}

/// Puts a value into a row if there is one, empty or not.
pub(super) fn put_some(row: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    row.extend(value.map(|value| (name.to_owned(), value.into())));
}

/// How many rows take at most that many bytes; at least one, so that paging moves on.
fn fitting(rows: &[Map<String, Value>], mut left: usize) -> usize {
    let fits = rows.iter().take_while(|row| {
        let bytes = row.iter().map(|(name, value)| name.len() + 4 + leaving(value)).sum::<usize>() + 2;
        left.checked_sub(bytes).map(|rest| left = rest).is_some()
    });
    fits.count().max(1).min(rows.len())
}

/// Bytes of a value as it leaves: long text is cut on the way out.
fn leaving(value: &Value) -> usize {
    match value {
        Value::String(text) if text.len() > untrusted::MOST_CHARS => budget::json_bytes(&untrusted::clean(text).into()),
        value => budget::json_bytes(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const COLUMNS: Columns = Columns::of(&["name", "on", "errors"], &["mtu"]).quiet(&["on", "errors"]);

    fn args(value: Value) -> ListArgs {
        serde_json::from_value(value).unwrap()
    }

    fn row(asked: Value) -> Value {
        let thing = json!({"name": "a", "on": false, "errors": 0, "mtu": 1500});
        Value::Object(COLUMNS.row(&args(asked), |name| thing[name].clone()))
    }

    #[test]
    fn no_news_is_left_out_unless_it_is_named() {
        assert_eq!((row(json!({})), row(json!({"fields": []}))), (json!({"name": "a"}), json!({"name": "a"})));
        assert_eq!(row(json!({"fields": ["mtu", "on", "errors"]})), json!({"mtu": 1500, "on": false, "errors": 0}));
    }

    #[test]
    fn rows_whose_members_come_and_go_show_what_is_set_and_all_that_is_named() {
        let columns = Columns::of(&["name", "disabled", "comment"], &["mtu"]).quiet_flags();
        let shown = |asked: Value| {
            let row = json!({"mtu": 1500, "disabled": false, "name": "a", "other": 1});
            Value::Object(columns.shown(&args(asked), row.as_object().unwrap().clone()))
        };
        assert_eq!(shown(json!({})), json!({"name": "a"}));
        assert_eq!(shown(json!({"fields": ["mtu", "disabled", "comment"]})), json!({"mtu": 1500, "disabled": false}));
    }

    #[test]
    fn unknown_names_are_refused_with_the_known_ones() {
        for odd in [json!({"fields": ["nmae"]}), json!({"where": {"nmae~": "a"}})] {
            let fault = COLUMNS.check(&args(odd), "x").unwrap_err();
            assert!(fault.said.contains("nmae") && fault.hint.unwrap().contains("name, on, errors, mtu"));
        }
        assert!(COLUMNS.check(&args(json!({"fields": ["mtu"], "where": {"name~": "a"}})), "x").is_ok());
    }

    #[test]
    fn a_column_is_wanted_when_it_is_shown_or_asked_about() {
        assert!(COLUMNS.wants(&args(json!({})), "name") && !COLUMNS.wants(&args(json!({})), "mtu"));
        assert!(COLUMNS.wants(&args(json!({"where": {"mtu": 1}})), "mtu") && !COLUMNS.wants(&args(json!({"fields": ["mtu"]})), "name"));
    }

    #[test]
    fn wide_rows_make_a_short_page_and_never_an_empty_one() {
        let wide = |words: usize| json!({"a": vec!["x".repeat(97); words]}).as_object().unwrap().clone();
        assert_eq!(fitting(&vec![wide(1); 50], USUAL_BYTES), 50);
        assert_eq!(fitting(&vec![wide(10); 50], USUAL_BYTES), 9);
        assert_eq!(fitting(&[wide(500), wide(1)], USUAL_BYTES), 1);
        let long = json!({"a": "x".repeat(65_536)}).as_object().unwrap().clone();
        assert_eq!(fitting(&vec![long; 50], USUAL_BYTES), 36, "what is cut on the way out counts as cut");
        assert_eq!(fitting(&[], USUAL_BYTES), 0);
    }
}
