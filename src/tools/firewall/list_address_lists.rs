//! `firewall.list_address_lists`: which lists there are, or what stands in them.
//!
//! A blocklist has thousands of entries, so who names neither list nor address gets the lists with their sizes.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::query::Query;
use crate::routeros::value::Kind as ValueKind;
use crate::tools::columns::{Columns, put_some};
use crate::tools::context::Cx;
use crate::tools::family::Family;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::router::{FRESH, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;

pub(super) const TOOL: Tool = Tool {
    name: "firewall.list_address_lists",
    title: "Address lists",
    about: "Firewall address lists with their sizes; with list or address, their entries and when each expires.",
    toolset: "firewall",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/ip/firewall/address-list", "/ipv6/firewall/address-list"],
    untrusted: &["/rows/*/comment"],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

const ENTRIES: Columns =
    Columns::of(&["list", "address", "dynamic", "disabled", "expires_in_seconds", "comment"], &["created_at"]).quiet_flags().bytes(9_600);

const LISTS: Columns =
    Columns::of(&["list", "entries", "dynamic_entries", "expiring_entries", "disabled_entries"], &[]).quiet_flags().bytes(9_600);

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Entries of this list only.
    #[schemars(length(min = 1, max = 128))]
    #[serde(rename = "list")]
    named: Option<String>,
    /// Entries with exactly this address, in any list.
    #[schemars(length(min = 1, max = 128))]
    address: Option<String>,
    /// ipv4 unless set.
    family: Option<Family>,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let router = cx.router(&args.device)?;
    let menu = args.family.unwrap_or_default().menu("/firewall/address-list");
    let scope = format!("firewall.list_address_lists {} {menu} {:?} {:?}", router.device.id, args.named, args.address);
    // `where` may name the list too.
    let named = args.named.clone().or_else(|| args.list.exact("list"));
    let address = args.address.clone().or_else(|| args.list.exact("address"));
    if named.is_none() && address.is_none() && LISTS.check(&args.list, &scope).is_ok() {
        // Sizes need three words a row, not all of it.
        let seen = router.rows(&menu, Query::new().columns(["list", "dynamic", "timeout", "disabled"]), FRESH).await?;
        return LISTS.pick(cx, &scope, &args.list, lists(&seen), |list| list["list"].to_string(), Map::clone);
    }
    ENTRIES.check(&args.list, &scope)?;
    let query = named.iter().fold(Query::new(), |query, name| query.eq("list", name));
    let query = address.iter().fold(query, |query, address| query.eq("address", address));
    let seen = router.rows(&menu, query, FRESH).await?;
    let key = |row: &View<'_>| row.key(&["list", "address"]);
    ENTRIES.pick(cx, &scope, &args.list, seen.iter().collect(), key, |row| entry(*row))
}

fn entry(row: View<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    put_some(&mut out, "list", row.text("list"));
    put_some(&mut out, "address", row.text("address"));
    out.insert("dynamic".into(), row.is("dynamic").into());
    out.insert("disabled".into(), row.is("disabled").into());
    put_some(&mut out, "expires_in_seconds", row.seconds("timeout"));
    put_some(&mut out, "comment", row.string("comment"));
    put_some(&mut out, "created_at", row.typed("creation-time", ValueKind::Time));
    out
}

/// Each list with its numbers, in the order of their first entries.
fn lists(seen: &Seen) -> Vec<Map<String, Value>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut lists: Vec<(&str, [u64; 4])> = Vec::new();
    for row in seen.iter() {
        let name = row.text("list").unwrap_or("");
        let at = *places.entry(name).or_insert(lists.len());
        if at == lists.len() {
            lists.push((name, [0; 4]));
        }
        let marks = [true, row.is("dynamic"), row.seconds("timeout").is_some(), row.is("disabled")];
        lists[at].1.iter_mut().zip(marks).for_each(|(count, mark)| *count += u64::from(mark));
    }
    let shape = |(name, counts): (&str, [u64; 4])| {
        let mut out = Map::new();
        out.insert("list".into(), name.into());
        out.insert("entries".into(), counts[0].into());
        for (name, count) in ["dynamic_entries", "expiring_entries", "disabled_entries"].into_iter().zip(&counts[1..]) {
            put_some(&mut out, name, Some(*count).filter(|count| *count > 0));
        }
        out
    };
    lists.into_iter().map(shape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ROWS: &str = r#"[{".id":"*1","address":"10.0.0.1","creation-time":"sep/29/2022 07:09:24","disabled":"false","dynamic":"true","list":"a","timeout":"1d2h"},
        {".id":"*2","address":"10.0.0.2","comment":"x","disabled":"true","dynamic":"false","list":"b","creation-time":"2026-03-02 19:46:26"},
        {".id":"*3","address":"10.0.0.3","disabled":"false","dynamic":"true","list":"a","timeout":"0s"}]"#;

    #[test]
    fn entries_tell_when_they_go_and_lists_how_many_they_hold() {
        let seen = Seen::answered("/ip/firewall/address-list", ROWS);
        let rows: Vec<Value> = seen.iter().map(|row| Value::Object(entry(row))).collect();
        assert_eq!((&rows[0]["expires_in_seconds"], &rows[0]["created_at"]), (&json!(93_600), &json!("2022-09-29 07:09:24")));
        assert!(rows[1].get("expires_in_seconds").is_none());
        assert_eq!(rows[2]["expires_in_seconds"], 0);
        let lists: Vec<Value> = lists(&seen).into_iter().map(Value::Object).collect();
        assert_eq!(lists[0], json!({"list": "a", "entries": 2, "dynamic_entries": 2, "expiring_entries": 2}));
        assert_eq!(lists[1], json!({"list": "b", "entries": 1, "disabled_entries": 1}));
    }
}
