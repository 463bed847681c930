//! `menu.read`: rows of any menu.
//!
//! What the router can filter and project by itself it does (`.query`, `.proplist`); the rest is done here. Rows keep the
//! router's order, lose their `.id` (it changes when a row is re-made) and get `_key`, their natural key.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::hex;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::menus::{self, Menu};
use crate::routeros::path::MenuPath;
use crate::routeros::query::Query;
use crate::routeros::value::Kind as ValueKind;
use crate::run;
use crate::shape::page;
use crate::tools::context::{Cx, Paged};
use crate::tools::list::{ListArgs, Rows};
use crate::tools::router::{FRESH, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool};
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
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Device id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Menu path, e.g. /ip/dhcp-server/lease.
    #[schemars(length(min = 1, max = 200))]
    menu: String,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let router = cx.router(&args.device)?;
    let path = MenuPath::parse(&args.menu)?;
    let menu = path.as_str();
    let facts = menus::find(menu);
    let conditions = page::Conditions::parse(args.list.matching.as_ref())?;
    no_secret_conditions(menu, &conditions)?;
    let query = query(menu, facts, &args.list, &conditions)?;
    let seen = match router.rows(menu, query, FRESH).await {
        Ok(seen) => seen,
        Err(fault) if fault.kind == Kind::NotFound => return Err(no_menu(&router.device.name, menu, facts, fault)),
        Err(fault) => return Err(fault),
    };
    let rows: Vec<View<'_>> = seen.iter().filter(|row| conditions.hold(|name| plain(menu, facts, *row, name))).collect();
    let digest = page::digest(&format!("menu.read {} {menu}", router.device.id), args.list.matching.as_ref(), args.list.fields.as_deref());
    let keys: Vec<String> = rows.iter().map(|row| key(facts, *row)).collect();
    let borrowed: Vec<&str> = keys.iter().map(String::as_str).collect();
    let span = page::span(&borrowed, args.list.cursor.as_deref(), args.list.limit, &digest)?;
    let shown: Vec<Map<String, Value>> =
        span.clone().map(|n| shape(cx, menu, facts, rows[n], &keys[n], args.list.fields.as_deref())).collect();
    cx.paged(Paged { digest, start: span.start, keys: keys[span].to_vec(), total: rows.len() });
    Ok(cx.page(shown, rows.len()))
}

/// Guessing a secret by filtering for it is reading it.
fn no_secret_conditions(menu: &str, conditions: &page::Conditions) -> Result<(), Fault> {
    match conditions.names().find(|name| menus::is_secret(menu, name)) {
        Some(name) => Err(Fault::denied(format!("where: {name} is secret in {menu} and cannot be searched"))),
        None => Ok(()),
    }
}

/// What the router is asked to do by itself.
fn query(menu: &str, facts: Option<&Menu>, list: &ListArgs, conditions: &page::Conditions) -> Result<Query, Fault> {
    let mut query = Query::default();
    if let Some(fields) = &list.fields {
        let known = |name: &str| name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        if let Some(odd) = fields.iter().find(|name| !known(name)) {
            return Err(Fault::bad_input(format!("fields: `{}` is not an attribute name", odd.chars().take(64).collect::<String>())));
        }
        // A key of its own needs its attributes; a menu without facts is told apart by its name or all it has.
        let Some(facts) = facts.filter(|facts| !facts.key.is_empty()) else { return Ok(query) };
        let mut names: BTreeSet<&str> = fields.iter().map(String::as_str).collect();
        names.extend(facts.key);
        names.extend(conditions.names());
        names.remove("_key");
        query = query.columns(names);
    }
    for (name, text) in conditions.exact() {
        // Only what reads the same there and here: a length of time or a rate has several spellings.
        let kind = facts.and_then(|facts| facts.attr(name)).map(|attr| attr.kind);
        if !menus::is_secret(menu, name) && matches!(kind, Some(ValueKind::Text | ValueKind::Name | ValueKind::Mac | ValueKind::Enum(_))) {
            query = query.eq(name, text);
        }
    }
    Ok(query)
}

fn no_menu(device: &str, menu: &str, facts: Option<&Menu>, fault: Fault) -> Fault {
    let brings = facts.and_then(|facts| facts.package).map(|package| format!("; it comes with package {package}")).unwrap_or_default();
    Fault::not_found(format!("device \"{device}\" has no menu {menu}{brings}"))
        .hint("menu.search finds menus by words; menu.describe shows one")
        .cause(fault)
}

/// A value as conditions compare it: what the caller sees in the answer, or the router's own spelling.
fn plain(menu: &str, facts: Option<&Menu>, row: View<'_>, name: &str) -> Option<page::Plain> {
    if name == "_key" {
        return Some(page::Plain::from(key(facts, row)));
    }
    let text = row.text(name)?;
    let kind = facts.and_then(|facts| facts.attr(name)).map_or(ValueKind::Any, |attr| attr.kind);
    let typed = if menus::is_secret(menu, name) { Value::from(text) } else { row.typed(name, kind)? };
    Some(page::Plain::both(text, &typed))
}

/// The natural key by the facts; without facts the name; without a name a digest of all it has.
fn key(facts: Option<&Menu>, row: View<'_>) -> String {
    let of = |names: &[&str]| names.iter().map(|name| row.text(name).unwrap_or("")).collect::<Vec<_>>().join("|");
    match facts {
        Some(facts) if !facts.key.is_empty() => of(facts.key),
        _ => match row.text("name") {
            Some(name) => name.to_owned(),
            None => {
                let all = row.names().map(|name| format!("{name}={}", row.text(name).unwrap_or(""))).collect::<Vec<_>>().join("\n");
                format!("#{}", &hex(ring::digest::digest(&ring::digest::SHA256, all.as_bytes()).as_ref())[..12])
            }
        },
    }
}

fn shape(cx: &Cx, menu: &str, facts: Option<&Menu>, row: View<'_>, key: &str, fields: Option<&[String]>) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("_key".into(), key.into());
    let mut put = |name: &str| {
        let kind = facts.and_then(|facts| facts.attr(name)).map_or(ValueKind::Any, |attr| attr.kind);
        if let Some(value) = row.typed(name, kind) {
            if menus::is_untrusted(menu, name) {
                cx.untrusted(format!("/rows/*/{}", name.replace('~', "~0").replace('/', "~1")));
            }
            out.insert(name.to_owned(), value);
        }
    };
    match fields {
        Some(fields) => fields.iter().for_each(|name| put(name)),
        None => row.names().for_each(put),
    }
    if facts.is_some_and(|facts| facts.key.iter().any(|name| menus::is_untrusted(menu, name))) {
        cx.untrusted("/rows/*/_key");
    }
    out
}
