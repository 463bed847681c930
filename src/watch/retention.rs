//! Drops what is older than the operator keeps: once a day, and only by a clock that can be believed.
//!
//! Audit records are not dropped but archived (`audit::archive`). One thing that fails leaves the others be.

use crate::audit::{self, Age};
use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::store::{Durability, Seal, Table};
use crate::tools::world::World;
use crate::watch::belief::{self, Belief};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The first time comes soon after a start, or an appliance switched off every night would never sweep.
const FIRST: Duration = Duration::from_secs(600);

/// And then each day.
const EVERY: Duration = Duration::from_secs(86_400);

const DAY_MS: i64 = 86_400_000;

/// For how many days each thing is kept.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// Health samples.
    pub health_days: u32,
    /// Audit records in the trail; afterwards they are in archives.
    pub audit_days: u32,
    /// Plans that ended.
    pub plan_days: u32,
    /// What a plan's job did on each device.
    pub job_days: u32,
}

/// Starts the task; it ends with `stop`. `seal` opens the key that archives are signed with.
pub fn start(world: Arc<World>, seal: Arc<Seal>, keep: Keep, tasks: &TaskTracker, stop: &CancellationToken) {
    let stop = stop.clone();
    tasks.spawn(async move {
        stop.run_until_cancelled(async move {
            tokio::time::sleep(FIRST).await;
            loop {
                look(&world, &seal, keep).await;
                tokio::time::sleep(EVERY).await;
            }
        })
        .await
    });
}

/// One look: sweeps everything if the clock can be believed. Answers whether it can.
pub async fn look(world: &World, seal: &Seal, keep: Keep) -> bool {
    told("registrations of routers", world.fleet.sweep_registrations().await);
    let now = world.clock.wall().rfc3339();
    match believe(world).await {
        Ok(Believed::Yes) => {}
        Ok(Believed::NotYet) => {
            tracing::info!(now, "nothing old is removed yet: the clock has to be seen to go on for a week first");
            return false;
        }
        Ok(Believed::No) => {
            tracing::warn!(now, "nothing old is removed yet: the clock leapt, and has to say so for a week to be believed");
            return false;
        }
        Err(fault) => {
            tracing::warn!(cause = fault.chain(), "what the clock said last could not be stored; trying again tomorrow");
            return false;
        }
    }
    told("health samples", sweep(world, keep.health_days).await);
    told("old plans", world.plans.forget(before(world, keep.plan_days)).await.map(|gone| gone_of("old plans forgotten", gone)));
    told("finished jobs", world.plans.forget_jobs(before(world, keep.job_days)).await.map(|gone| gone_of("finished jobs forgotten", gone)));
    told("the audit trail", archive(world, seal, keep.audit_days).await);
    true
}

/// What is made of the clock.
enum Believed {
    Yes,
    /// It was never believed here.
    NotYet,
    /// It was, and leapt.
    No,
}

async fn believe(world: &World) -> Result<Believed, Fault> {
    let table = Table::<Belief>::new(world.store.clone());
    let before = table.get(belief::KEY)?.unwrap_or_default();
    let mut after = before.clone();
    let is_believed = after.look(world.clock.wall());
    if after != before {
        table.put(belief::KEY, &after, Durability::Now).await?;
    }
    Ok(match is_believed {
        true => Believed::Yes,
        false if before.is_new() => Believed::NotYet,
        false => Believed::No,
    })
}

fn before(world: &World, days: u32) -> Wall {
    Wall(world.clock.wall().0 - i64::from(days) * DAY_MS)
}

fn told(what: &str, done: Result<(), Fault>) {
    if let Err(fault) = done {
        tracing::warn!(what, cause = fault.chain(), "retention could not be applied; trying again tomorrow");
    }
}

fn gone_of(what: &str, gone: usize) {
    if gone > 0 {
        tracing::info!(gone, "{what}");
    }
}

/// Drops samples of health that are too old.
pub async fn sweep(world: &World, health_days: u32) -> Result<(), Fault> {
    let until = before(world, health_days);
    for device in world.fleet.list() {
        world.history.retain_from(&device.id, until).await?;
    }
    Ok(())
}

/// Archives segments of the trail that are too old.
async fn archive(world: &World, seal: &Seal, audit_days: u32) -> Result<(), Fault> {
    let key = audit::sign::box_key(&world.store, seal).await?;
    let archived = world.audit.archive(Age { now: world.clock.wall(), until: before(world, audit_days) }, &key).await?;
    if let (Some(first), Some(last)) = (archived.first(), archived.last()) {
        tracing::info!(segments = archived.len(), first = first.first_seq, last = last.last_seq, "audit records archived");
    }
    Ok(())
}
