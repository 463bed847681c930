//! `menu.read`: rows of any menu.
//!
//! What the router can filter and project by itself it does (`.query`, `.proplist`); the rest is done here. Rows keep the
//! router's order (the log: the newest first), lose their `.id` (it changes when a row is re-made) and get `_key`, their natural key.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::hex;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::absent::{menu_path, no_menu, no_rows};
use crate::menus::{self, Menu, Shape};
use crate::routeros::query::{Query, is_attribute};
use crate::routeros::value::Kind as ValueKind;
use crate::shape::filter::{Filter, router_checks};
use crate::shape::untrusted;
use crate::tools::arguments::{distance, shown};
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::menu::{inspect, large};
use crate::tools::router::{FRESH, Router, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

pub(super) const TOOL: Tool = Tool {
    name: "menu.read",
    title: "Read a menu",
    about: "Rows of any RouterOS menu, in RouterOS spelling and typed, filtered and projected on the router. Name the fields you need: it saves tokens.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(75),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Menu path, e.g. /ip/dhcp-server/lease.
    #[schemars(length(min = 1, max = 200))]
    menu: String,
    #[serde(flatten)]
    list: ListArgs,
}

/// What a router says when it is asked for the rows of a command or of a folder of menus.
const NO_COMMAND: &str = ": no such command";

/// What the router writes the newest of last.
const LOG: &str = "/log";

async fn run(cx: &Cx, mut args: Args) -> Result<Rows, Fault> {
    // None named is all of them, as in every list.
    args.list.fields = args.list.fields.filter(|fields| !fields.is_empty());
    let router = cx.router(&args.device)?;
    let path = menu_path(&args.menu)?;
    let menu = path.as_str();
    let facts = menus::find(menu);
    let scope = format!("menu.read {} {menu}", router.device.id);
    args.list.check(&scope)?;
    let filter = args.list.filter()?;
    filter.check(menu)?;
    let query = query(facts, &args.list, &filter)?;
    let exact = filter_names(facts);
    let absent = |fault: Fault| match fault.kind {
        Kind::NotFound => no_menu(&router.device, menu).cause(fault),
        Kind::Rejected if fault.said.ends_with(NO_COMMAND) => no_rows(&router.device, menu).cause(fault),
        _ => fault,
    };
    large::check(cx, &router, menu, &query, &exact).await.map_err(absent)?;
    let seen = match router.rows(menu, query, FRESH).await {
        Ok(seen) => seen,
        Err(fault) => return Err(absent(large::failed(cx, &router, menu, fault, &exact).await)),
    };
    known(cx, &router, menu, &args.list, &filter, &seen).await?;
    let mut rows: Vec<View<'_>> = seen.iter().filter(|row| passes(&filter, facts, *row)).collect();
    if menu == LOG {
        rows.reverse();
    }
    let span = args.list.span(cx, &scope, &rows, |row| key(facts, *row))?;
    let shown = rows[span].iter().map(|row| shape(cx, facts, *row, args.list.fields.as_deref())).collect();
    Ok(cx.page(shown, rows.len()))
}

/// Attributes a long table can be narrowed by on the router.
fn filter_names(facts: Option<&Menu>) -> String {
    let named = facts.iter().flat_map(|facts| facts.attrs).filter(|attr| router_checks(attr.kind) && !attr.secret);
    named.map(|attr| attr.name).take(8).collect::<Vec<_>>().join(", ")
}

/// Refuses a name that no row has, the facts do not know, and that is nearly one they know or none of the router's own: an empty
/// column would look like an answer.
async fn known(cx: &Cx, router: &Router<'_>, menu: &str, list: &ListArgs, filter: &Filter, seen: &Seen) -> Result<(), Fault> {
    let facts = menus::find(menu);
    let asked = list.fields.iter().flatten().map(String::as_str).chain(filter.conditions().iter().map(|one| one.name.as_str()));
    let is_known = |name: &str| name == "_key" || facts.is_some_and(|facts| facts.attr(name).is_some());
    for name in asked.filter(|name| !is_known(name) && !seen.iter().any(|row| row.text(name).is_some())) {
        let absent = || Fault::bad_input(format!("{menu} has no attribute {}", shown(name)));
        let nearest = facts.iter().flat_map(|facts| facts.attrs).map(|attr| (distance(name, attr.name), attr.name)).min();
        // One letter in five: `name` is not a slip for `time`.
        if let Some((away, meant)) = nearest
            && (1..=name.len() / 5).contains(&away)
        {
            return Err(absent().hint(format!("did you mean {meant}? menu.describe shows all")));
        }
        if inspect::lacks(cx, router, menu, name).await {
            return Err(absent().hint("menu.describe names those it has on this device"));
        }
    }
    Ok(())
}

/// What the router is asked to do by itself.
fn query(facts: Option<&Menu>, list: &ListArgs, filter: &Filter) -> Result<Query, Fault> {
    let mut query = Query::default();
    if let Some(fields) = &list.fields {
        if let Some(odd) = fields.iter().find(|name| !is_attribute(name) || name.starts_with('.')) {
            return Err(Fault::bad_input(format!("fields: `{}` is not an attribute name", shown(odd))));
        }
        // A key of its own needs its attributes; a menu without facts is told apart by its name or all it has.
        let Some(facts) = facts.filter(|facts| !facts.key.is_empty()) else { return Ok(query) };
        let mut names: BTreeSet<&str> = fields.iter().map(String::as_str).collect();
        names.extend(facts.key);
        names.extend(filter.conditions().iter().map(|one| one.name.as_str()));
        names.remove("_key");
        query = query.columns(names);
    }
    let words = filter.words(facts);
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    Ok(pairs.fold(query, |query, (name, value)| query.eq(name, value)))
}

/// Whether a row is wanted: by the router's own spelling, or by what the caller sees in answers.
fn passes(filter: &Filter, facts: Option<&Menu>, row: View<'_>) -> bool {
    filter.passes(facts, |name| row.text(name)) || {
        let mut shown = Map::new();
        for one in filter.conditions() {
            let value = if one.name == "_key" { Some(Value::from(key(facts, row))) } else { row.typed(&one.name, kind(facts, &one.name)) };
            shown.extend(value.map(|value| (one.name.clone(), value)));
        }
        filter.passes_json(&shown)
    }
}

fn kind(facts: Option<&Menu>, name: &str) -> ValueKind {
    facts.and_then(|facts| facts.attr(name)).map_or(ValueKind::Any, |attr| attr.kind)
}

/// The natural key by the facts: of a menu that is one object its path; without facts the name; without a name a digest
/// of what was set, so that counters and states do not make it another row. A row of states only is all it has.
fn key(facts: Option<&Menu>, row: View<'_>) -> String {
    match facts {
        Some(facts) if !facts.key.is_empty() => row.key(facts.key),
        Some(facts) if facts.shape == Shape::Singleton => facts.path.to_owned(),
        _ => match row.text("name") {
            Some(name) => name.to_owned(),
            None => {
                let is_state = |name: &str| facts.and_then(|facts| facts.attr(name)).map_or_else(|| counts(name), |attr| attr.read_only);
                let pairs = |keep: &dyn Fn(&str) -> bool| {
                    let kept = row.names().filter(|name| keep(name));
                    kept.map(|name| format!("{name}={}", row.text(name).unwrap_or(""))).collect::<Vec<_>>().join("\n")
                };
                let set = pairs(&|name| !is_state(name));
                let told = if set.is_empty() { pairs(&|_| true) } else { set };
                format!("#{}", &hex(ring::digest::digest(&ring::digest::SHA256, told.as_bytes()).as_ref())[..12])
            }
        },
    }
}

/// Whether an attribute nobody described counts or measures, by the words such names are made of.
fn counts(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "bytes", "packets", "byte", "packet", "rate", "uptime", "count", "counter", "errors", "drops", "drop", "queued", "age", "seen",
        "timeout", "hits", "requests", "replies", "usage", "load", "signal", "idle", "activity", "running", "status", "state",
    ];
    name.split('-').any(|word| WORDS.contains(&word))
}

fn shape(cx: &Cx, facts: Option<&Menu>, row: View<'_>, fields: Option<&[String]>) -> Map<String, Value> {
    let mut out = Map::new();
    let own = Value::from(key(facts, row));
    let outsiders = facts.is_some_and(|facts| facts.key.iter().any(|name| menus::untrusted_of(Some(facts), name)));
    if outsiders || untrusted::is_prose(&own) {
        cx.untrusted("/rows/*/_key");
    }
    out.insert("_key".into(), own);
    let mut put = |name: &str| {
        if let Some(value) = row.typed(name, kind(facts, name)) {
            if menus::untrusted_of(facts, name) || untrusted::is_prose(&value) {
                cx.untrusted(untrusted::pointer("/rows/*", name));
            }
            out.insert(name.to_owned(), value);
        }
    };
    match fields {
        Some(fields) => fields.iter().for_each(|name| put(name)),
        None => row.names().for_each(put),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routeros::row::Row;

    fn keyed(menu: &str, pairs: &[(&str, &str)]) -> String {
        let seen = Seen::of(menu, vec![Row::from_pairs(pairs.iter().copied())]);
        key(menus::find(menu), seen.first().unwrap())
    }

    #[test]
    fn what_a_router_counts_does_not_make_a_row_another() {
        for menu in ["/ip/firewall/filter", "/some/menu/nobody/described"] {
            let of = |chain, bytes, packets| keyed(menu, &[("chain", chain), ("action", "drop"), ("bytes", bytes), ("packets", packets)]);
            assert_eq!(of("input", "1", "1"), of("input", "99999", "12"), "{menu}");
            assert_ne!(of("input", "1", "1"), of("forward", "1", "1"), "{menu}");
        }
    }

    #[test]
    fn a_row_of_states_alone_is_told_apart_by_them() {
        let of = |message| keyed("/log", &[("time", "10:00:00"), ("topics", "info"), ("message", message)]);
        assert_ne!(of("login"), of("logout"));
        let counted = |uptime| keyed("/some/menu/nobody/described", &[("uptime", uptime)]);
        assert_ne!(counted("1s"), counted("2s"));
    }
}
