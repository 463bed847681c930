//! Tables that may be huge: a router with 200,000 connections answers a plain read with 100 MB, all or nothing.
//!
//! Such a table is counted first, by the router and with the conditions the router can check, and read only when it is
//! small enough. Which tables: those known for it, and any that was found to be too long on this device.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::routeros::query::Query;
use crate::store::{self, Batch, Durability, Record};
use crate::tools::context::Cx;
use crate::tools::router::{FRESH, Router};
use serde::{Deserialize, Serialize};

/// Rows read at once at most: some 10 MB of text.
const MOST_ROWS: u64 = 20_000;

/// Menus whose rows follow traffic or a full routing table.
const KNOWN: &[&str] = &["/ip/firewall/connection", "/ipv6/firewall/connection", "/routing/route", "/routing/bgp/advertisements"];

/// What was too long is counted first for so long.
const REMEMBERED_MS: i64 = 7 * 86_400_000;

/// A table that was found too long to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Large {
    at: Wall,
}

impl Record for Large {
    const TABLE: &'static str = "menu_large";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Large);

/// Errs when the table has too many rows to be read with this query.
pub(super) async fn check(cx: &Cx, router: &Router<'_>, menu: &str, query: &Query, exact: &str) -> Result<(), Fault> {
    if !KNOWN.contains(&menu) && !is_remembered(cx, router, menu)? {
        return Ok(());
    }
    match router.count(menu, query.clone(), FRESH).await {
        Ok(rows) if rows > MOST_ROWS => Err(too_long(menu, &format!("{rows} rows"), exact)),
        Ok(_) => Ok(()),
        // A router that cannot count is read all the same: the answer's length is bounded too.
        Err(fault) if matches!(fault.kind, Kind::Rejected | Kind::RouterDenied) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// A read failed: if by its length, that is remembered and said.
pub(super) async fn failed(cx: &Cx, router: &Router<'_>, menu: &str, fault: Fault, exact: &str) -> Fault {
    if fault.kind != Kind::Rejected || !fault.said.contains(TOO_LONG) {
        return fault;
    }
    let large = store::encode(&Large { at: cx.world.clock.wall() });
    if let Err(error) = cx.world.store.commit(Batch::new().put(Large::TABLE, key(router, menu), large), Durability::Soon).await {
        tracing::warn!(%error, "a table's length is not remembered");
    }
    too_long(menu, "too many rows", exact).cause(fault)
}

/// What the client's error about a long answer says.
const TOO_LONG: &str = "answer is longer than";

fn too_long(menu: &str, found: &str, exact: &str) -> Fault {
    let narrow = if exact.is_empty() {
        "narrow it with where: conditions with an exact value on text, numbers or addresses are checked by the router itself".to_owned()
    } else {
        format!("narrow it with where; exact values of {exact} are checked by the router itself")
    };
    Fault::new(Kind::Rejected, format!("{menu} has {found} now; at most {MOST_ROWS} are read at once")).hint(narrow)
}

fn is_remembered(cx: &Cx, router: &Router<'_>, menu: &str) -> Result<bool, Fault> {
    let Some(bytes) = cx.world.store.get(Large::TABLE, &key(router, menu))? else { return Ok(false) };
    let large: Large = store::decode(&bytes)?;
    Ok((cx.world.clock.wall().0 - large.at.0).abs() < REMEMBERED_MS)
}

fn key(router: &Router<'_>, menu: &str) -> String {
    format!("{}{menu}", router.device.id)
}
