//! `config.plan_address_list_sync`: one plan that makes an address list the same on many routers.

use crate::base::fault::{Fault, Kind};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::routeros::query::Query;
use crate::tools::context::Cx;
use crate::tools::family::Family;
use crate::tools::firewall::is_same_address;
use crate::tools::propose::{self, Proposed};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) const TOOL: Tool = Tool {
    name: "config.plan_address_list_sync",
    title: "Plan an address list sync",
    about: "Plans that a firewall address list holds the same entries on 1 to 50 devices; with remove_others, no further ones. Changes nothing.",
    toolset: "config",
    tier: Tier::Professional,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &["/ip/firewall/address-list", "/ipv6/firewall/address-list"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: propose::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Ids or names of devices, of one environment.
    #[schemars(length(min = 1, max = 50))]
    devices: Vec<String>,
    /// The list's name.
    #[schemars(length(min = 1, max = 64))]
    list: String,
    /// The addresses wanted, of one family; or give source.
    #[schemars(length(max = 100))]
    entries: Option<Vec<String>>,
    /// The device whose entries are wanted.
    source: Option<String>,
    /// ipv4 unless set.
    family: Option<Family>,
    /// Take entries away that are not wanted.
    #[serde(default)]
    remove_others: bool,
    /// Why, for who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Proposed, Fault> {
    let menu = args.family.unwrap_or_default().menu("/firewall/address-list");
    let wanted = match (&args.entries, &args.source) {
        (Some(entries), None) => entries.clone(),
        (None, Some(source)) => entries(cx, source, &menu, &args.list).await?,
        _ => return Err(Fault::bad_input("entries or source: one of the two says what is wanted")),
    };
    let mut edits: Vec<Edit> = Vec::new();
    for address in &wanted {
        edits.push(Edit::new(menu.as_str(), Op::Add).with("list", args.list.as_str()).with("address", address.as_str()));
    }
    if args.remove_others {
        let mut others: BTreeSet<String> = BTreeSet::new();
        for device in &args.devices {
            others.extend(unwanted(entries(cx, device, &menu, &args.list).await?, &wanted));
        }
        for address in others {
            let edit = Edit::new(menu.as_str(), Op::Remove).of("list", args.list.as_str()).of("address", address);
            edits.push(Edit { if_there: true, ..edit });
        }
    }
    if edits.is_empty() {
        return Err(Fault::new(Kind::Conflict, "nothing to do: no entries are wanted and none are to go"));
    }
    propose::plan(cx, args.devices, args.reason, edits).await
}

/// What a list holds for good; entries that time out are made by rules and scripts.
async fn entries(cx: &Cx, device: &str, menu: &str, list: &str) -> Result<Vec<String>, Fault> {
    let query = Query::new().eq("list", list);
    let seen = cx.router(device)?.rows(menu, query, Duration::ZERO).await?;
    let lasting = seen.iter().filter(|row| !row.is("dynamic"));
    Ok(lasting.filter_map(|row| row.string("address")).collect())
}

/// Those that are there and not wanted, however either side writes a single address.
fn unwanted(there: Vec<String>, wanted: &[String]) -> Vec<String> {
    there.into_iter().filter(|address| !wanted.iter().any(|one| is_same_address(one, address))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_is_wanted_as_a_prefix_is_not_taken_away() {
        let there = ["192.0.2.7", "192.0.2.8", "198.51.100.0/24"].map(String::from).to_vec();
        let wanted = ["192.0.2.7/32", "198.51.100.0/24"].map(String::from);
        assert_eq!(unwanted(there, &wanted), ["192.0.2.8"]);
    }
}
