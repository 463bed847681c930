//! Entries of address lists that go by themselves: a plan that is confirmed while one lets us in shuts us out when its time is up. Pure.

use crate::plan::lockout::Finding;
use crate::plan::lockout::packets;
use crate::plan::lockout::path::Who;
use crate::plan::lockout::state::State;
use crate::routeros::flow::net::Block;
use crate::routeros::row::Row;
use crate::routeros::value;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Most lists whose entries are left out one list at a time.
const MOST_LISTS: usize = 4;

/// Our packets once timed entries are gone: those of each list alone, and all of them. While they are there is the ordinary walk.
pub(super) fn check(pairs: &[(IpAddr, IpAddr)], before: &State, after: &State, who: &Who, found: &mut Vec<Finding>) {
    let menu = if who.is_v6() { "/ipv6/firewall/address-list" } else { "/ip/firewall/address-list" };
    let ours = |row: &&Row| is_timed(row) && row.get("address").is_none_or(|text| holds(text, pairs));
    let lists: BTreeSet<String> =
        after.rows(menu).iter().filter(ours).filter_map(|row| row.get("list").map(str::to_owned)).take(MOST_LISTS).collect();
    let mut gone: Vec<Option<&str>> = lists.iter().map(|list| Some(list.as_str())).collect();
    if lists.len() != 1 && !lists.is_empty() {
        gone.push(None);
    }
    for list in gone {
        let goes = |row: &Row| is_timed(row) && list.is_none_or(|list| row.get("list") == Some(list));
        let (was, will) = (before.without(menu, goes), after.without(menu, goes));
        // Where we would be out then anyway the step does no harm.
        let (mut now, mut late) = (Vec::new(), Vec::new());
        packets::walk(pairs, &was, &was, who, false, &mut now);
        if now.iter().any(Finding::is_old) {
            continue;
        }
        packets::walk(pairs, &was, &will, who, false, &mut late);
        let whose = list.map_or_else(|| "address lists".to_owned(), |list| format!("list {list}"));
        let then = |finding: Finding| Finding {
            why: format!("once the entries of {whose} that have a timeout are gone: {}", finding.why),
            ..finding
        };
        found.extend(late.into_iter().map(then));
    }
}

/// Whether an entry stays for a while only.
fn is_timed(row: &Row) -> bool {
    row.get("timeout").is_some_and(|text| !matches!(text, "" | "0s" | "00:00:00" | "none" | "none-dynamic" | "none-static"))
        && row.get("disabled").and_then(value::flag) != Some(true)
}

/// Whether an entry's address may be an end of ours; a name may be anybody.
fn holds(text: &str, pairs: &[(IpAddr, IpAddr)]) -> bool {
    Block::parse(text).is_none_or(|block| pairs.iter().any(|(src, dst)| block.contains(*src) || block.contains(*dst)))
}
