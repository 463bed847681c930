//! `firewall.update_address_list`: entries of a list that is ours.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::routeros::value::bare_address;
use crate::tools::context::Cx;
use crate::tools::direct::{self, Written};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

pub(super) const TOOL: Tool = Tool {
    name: "firewall.update_address_list",
    title: "Update an address list",
    about: "Adds and removes entries of an address list whose name begins with mcp-. Other lists take config.plan_address_list_sync or plan.create.",
    toolset: "firewall",
    tier: Tier::Basic,
    effect: Effect::Changes,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &["/ip/firewall/address-list", "/ipv6/firewall/address-list"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Written>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// The list; its name begins with mcp-.
    #[schemars(length(min = 5, max = 64))]
    list: String,
    /// Entries to add.
    #[serde(default)]
    #[schemars(length(max = 50))]
    add: Vec<Entry>,
    /// Addresses to remove.
    #[serde(default)]
    #[schemars(length(max = 50))]
    remove: Vec<String>,
    /// Change nothing, only say.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Address, prefix or range.
    address: String,
    /// How long it stays, e.g. 1h; for good unless set.
    timeout: Option<String>,
    /// A note on it.
    comment: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Written, Fault> {
    let router = cx.router(&args.device)?;
    if !args.list.starts_with("mcp-") {
        return Err(Fault::denied("list: only lists whose names begin with mcp- are written directly")
            .hint("config.plan_address_list_sync or plan.create plans a change of any list"));
    }
    let named: Vec<&str> = args.add.iter().map(|entry| entry.address.as_str()).chain(args.remove.iter().map(String::as_str)).collect();
    let Some(first) = named.first() else {
        return Err(Fault::bad_input("nothing to add or remove").hint("give add, remove or both"));
    };
    let six = first.contains(':');
    if named.iter().any(|address| address.contains(':') != six) {
        return Err(Fault::bad_input("addresses of both families").hint("IPv4 and IPv6 lists are two: make two calls"));
    }
    let menu = if six { "/ipv6/firewall/address-list" } else { "/ip/firewall/address-list" };
    let seen = router.all(menu, Duration::ZERO).await?;
    let there: Vec<&str> = seen
        .iter()
        .filter(|row| row.text("list") == Some(args.list.as_str()))
        .filter_map(|row| row.text("address"))
        .filter(|address| named.iter().any(|name| is_same_address(name, address)))
        .collect();
    let is_there = |address: &str| there.iter().find(|known| is_same_address(address, known));
    let mut edits = Vec::new();
    for entry in args.add.iter().filter(|entry| is_there(&entry.address).is_none()) {
        let edit = Edit::new(menu, Op::Add).with("list", args.list.as_str()).with("address", entry.address.as_str());
        edits.push(edit.with_some("timeout", entry.timeout.as_deref()).with_some("comment", entry.comment.as_deref()));
    }
    for known in args.remove.iter().filter_map(|address| is_there(address)) {
        edits.push(Edit::new(menu, Op::Remove).of("list", args.list.as_str()).of("address", *known));
    }
    let side = |entries: Vec<&str>| Some(Map::from_iter([("entries".to_owned(), Value::from(entries))]));
    let mut left: Vec<&str> =
        there.iter().copied().filter(|known| !args.remove.iter().any(|address| is_same_address(address, known))).collect();
    left.extend(args.add.iter().filter(|entry| is_there(&entry.address).is_none()).map(|entry| entry.address.as_str()));
    let (before, after) = (side(there.clone()), side(left));
    if edits.is_empty() {
        return Ok(Written::unchanged(before, args.dry_run, "it is so already; nothing was written"));
    }
    let wish = (edits, format!("update the address list {}", args.list));
    direct::write(cx, &router, wish, args.dry_run, direct::whatever, |_| (before, after)).await
}

/// A single address is its own longest prefix: `192.0.2.7` and `192.0.2.7/32` are one entry.
pub(in crate::tools) fn is_same_address(a: &str, b: &str) -> bool {
    bare_address(a).eq_ignore_ascii_case(bare_address(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_its_longest_prefix_and_no_other() {
        for (a, b, same) in [
            ("192.0.2.7", "192.0.2.7/32", true),
            ("2001:db8::7/128", "2001:DB8::7", true),
            ("192.0.2.0/24", "192.0.2.0", false),
            ("2001:db8::/32", "2001:db8::", false),
            ("2001:db8::/32", "2001:db8::/128", false),
        ] {
            assert_eq!(is_same_address(a, b), same, "{a} and {b}");
        }
    }
}
