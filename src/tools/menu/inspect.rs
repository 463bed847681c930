//! What a router says about its own menus, asked through a tool's gate: policy is judged, and the answer says how old it is.

use crate::base::fault::{Fault, Kind};
use crate::fleet::learnt::{self, Extent, Inspect, Learnt};
use crate::fleet::{Device, Via};
use crate::routeros::Row;
use crate::routeros::query::Query;
use crate::tools::context::{Cx, Reading};
use crate::tools::router::{FRESH, Router};
use futures_util::future::{BoxFuture, FutureExt};
use std::sync::Arc;

/// What there is to know of a menu on a router.
pub(super) enum Told {
    /// It said, now or before.
    Known(Learnt),
    /// It has no such menu.
    Absent,
    /// It cannot be asked about this menu, but has it; its rows have these attributes.
    Silent(Vec<String>),
}

/// Rows looked at for their attributes where the console says nothing.
const SAMPLED: usize = 50;

impl Inspect for Router<'_> {
    fn inspect<'a>(&'a self, arguments: &'a [(&'a str, &'a str)]) -> BoxFuture<'a, Result<Arc<Vec<Row>>, Fault>> {
        async move { Ok(self.probe("/console", "inspect", arguments).await?.raw()) }.boxed()
    }
}

/// What is known of `menu` on this device's build: from the store, else from the router.
pub(super) async fn learnt(cx: &Cx, router: &Router<'_>, menu: &str) -> Result<Told, Fault> {
    if let Some(learnt) = remembered(cx, &router.device, menu)? {
        return Ok(Told::Known(learnt));
    }
    let at = cx.world.clock.wall();
    match learnt::learn(&cx.world.store, &router.device, menu, Extent::Whole, at, router).await? {
        Some(learnt) => Ok(Told::Known(learnt)),
        None => exists(router, menu).await,
    }
}

/// Whether the router says what can be read of `menu`, and this is not among it. A router that cannot say lacks nothing.
pub(super) async fn lacks(cx: &Cx, router: &Router<'_>, menu: &str, attribute: &str) -> bool {
    let at = cx.world.clock.wall();
    let learnt = match learnt::remembered(&cx.world.store, &router.device, menu, Extent::Whole) {
        Ok(Some(learnt)) => Some(learnt),
        _ => learnt::learn(&cx.world.store, &router.device, menu, Extent::Whole, at, router).await.ok().flatten(),
    };
    learnt.is_some_and(|learnt| {
        let Learnt { add, set, get, .. } = &learnt;
        !get.is_empty() && ![add, set, get].iter().any(|names| names.iter().any(|name| name == attribute))
    })
}

/// What is known of `menu` without asking the router.
pub(super) fn remembered(cx: &Cx, device: &Device, menu: &str) -> Result<Option<Learnt>, Fault> {
    let Some(learnt) = learnt::remembered(&cx.world.store, device, menu, Extent::Whole)? else { return Ok(None) };
    let age_ms = u64::try_from(cx.world.clock.wall().0 - learnt.at.0).unwrap_or(0);
    cx.read(Reading { read_at: learnt.at, age_ms, cached: true, via: Via::Rest });
    Ok(Some(learnt))
}

/// A menu that the console does not describe: one read tells whether it is there at all, and what its rows have.
async fn exists(router: &Router<'_>, menu: &str) -> Result<Told, Fault> {
    match router.rows(menu, Query::default(), FRESH).await {
        Err(fault) if fault.kind == Kind::NotFound => Ok(Told::Absent),
        Err(fault) if fault.kind == Kind::Unreachable => Err(fault),
        Ok(seen) => {
            let mut names: Vec<String> =
                seen.iter().take(SAMPLED).flat_map(|row| row.names().map(str::to_owned).collect::<Vec<_>>()).collect();
            names.sort();
            names.dedup();
            Ok(Told::Silent(names))
        }
        Err(_) => Ok(Told::Silent(Vec::new())),
    }
}

/// The words a router offers for an attribute, and what its console says of its values.
pub(super) async fn words(
    router: &Router<'_>,
    menu: &str,
    learnt: &Learnt,
    attribute: &str,
) -> Result<(Vec<String>, Option<String>), Fault> {
    learnt::words(&router.device, menu, learnt, attribute, router).await
}
