//! Looking for newer versions, and watching a new one until it has proved itself. Nothing is ever applied from here.

use crate::access::principal::Principal;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{CorrelationId, random};
use crate::dispatch::{Call, Dispatch, Witness};
use crate::fleet::Status;
use crate::tools::world::World;
use crate::update::probation::{Signs, Verdict, judge};
use crate::update::record::How;
use futures_util::future::BoxFuture;
use serde_json::{Map, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often it is asked whether it is time to look.
const EVERY: Duration = Duration::from_secs(60);
/// How often a new version is looked at.
const GLANCE: Duration = Duration::from_secs(5);
/// Routers asked whether they can be reached.
const ASKED: usize = 5;

/// Starts looking; it ends with `stop`.
pub fn start(dispatch: Arc<Dispatch>, hours: u32, tasks: &TaskTracker, stop: &CancellationToken) {
    let stop = stop.clone();
    tasks.spawn(async move {
        stop.run_until_cancelled(async move {
            let every = spread(Duration::from_secs(u64::from(hours) * 3_600), random::<1>()[0]);
            loop {
                tokio::time::sleep(EVERY).await;
                look(&dispatch, every).await;
            }
        })
        .await
    });
}

/// Longer or shorter by up to a sixth, so that not all appliances ask at once.
fn spread(every: Duration, chance: u8) -> Duration {
    every * 5 / 6 + every / 3 * u32::from(chance) / 255
}

/// One look, if it is time; answers whether it was. By the clock on the wall: restarts neither skip nor repeat.
pub async fn look(dispatch: &Arc<Dispatch>, every: Duration) -> bool {
    let world = dispatch.world();
    let now = world.clock.wall();
    let last = world.updates.status().ok().and_then(|status| status.state.looked);
    // A look of the future was made by a clock that went wrong.
    let is_due = last.is_none_or(|last| last.at > now || u128::from(now.0.abs_diff(last.at.0)) >= every.as_millis());
    if !is_due {
        return false;
    }
    let reply = dispatch.call(Call::of_appliance("update.check", Map::new())).await;
    if reply.fault.is_some() {
        tracing::warn!(why = %reply.text, "looking for a newer version failed");
    }
    true
}

/// Writes into the audit trail how the last update went. Twice rather than never, where the power fails between the two.
pub async fn tell(dispatch: &Dispatch) -> Result<(), Fault> {
    let updates = &dispatch.world().updates;
    let Some(ended) = updates.news()? else { return Ok(()) };
    let (from, to, why) = (&ended.of.from, &ended.of.to, ended.why.as_deref().unwrap_or_default());
    let (operation, outcome) = match ended.how {
        How::Kept => ("update.kept", None),
        How::RolledBack => ("update.taken_back", None),
        How::Failed => ("update.failed", Some(Kind::Conflict)),
    };
    match ended.how {
        How::Kept => tracing::info!(from, to, "the update is kept"),
        How::RolledBack | How::Failed => tracing::error!(from, to, why, "the update was not kept"),
    }
    let given = json!({"from": from, "to": to, "digest": ended.of.digest, "confirmed_by": ended.of.by, "why": why});
    let given = given.as_object().cloned().unwrap_or_default();
    dispatch.witness(Witness::Known(&Principal::background()), operation, &given, outcome, &CorrelationId::random()).await?;
    updates.told().await
}

/// Watches a version that has not proved itself yet, until it is kept or taken back. `answers` asks our own listener.
pub fn prove(
    dispatch: Arc<Dispatch>,
    answers: impl Fn() -> BoxFuture<'static, bool> + Send + Sync + 'static,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let updates = dispatch.world().updates.clone();
    if updates.pending().is_none() {
        return;
    }
    let stop = stop.clone();
    tasks.spawn(async move {
        let proving = async {
            loop {
                tokio::time::sleep(GLANCE).await;
                if glance(&dispatch, &answers, updates.stood()).await {
                    return;
                }
            }
        };
        stop.run_until_cancelled(proving).await;
    });
}

/// One look at the new version, which did well, or was given time to, for so long; answers whether it is over with it.
pub async fn glance(dispatch: &Dispatch, answers: &impl Fn() -> BoxFuture<'static, bool>, since: Duration) -> bool {
    let world = dispatch.world();
    let had_routers = world.updates.status().ok().and_then(|status| status.state.confirmed).is_some_and(|confirmed| confirmed.had_routers);
    let signs = Signs {
        store: world.store.get("watchdog", "read").is_ok(),
        listener: answers().await,
        had_routers,
        has_routers: had_routers && reaches(world).await,
    };
    let done = match judge(since, signs) {
        Verdict::Wait => return false,
        Verdict::Keep => world.updates.commit().await,
        Verdict::Back(why) => {
            tracing::error!(why, "this version did not prove itself and goes back");
            world.updates.take_back(why).await
        }
    };
    if let Err(fault) = done {
        tracing::error!(cause = fault.chain(), "the update could not be ended; trying again");
        return false;
    }
    if let Err(fault) = tell(dispatch).await {
        tracing::error!(cause = fault.chain(), "the audit trail does not have how the update went; it will at the next start");
    }
    true
}

/// Whether a router answers: one that did so lately, or one that is asked now.
async fn reaches(world: &World) -> bool {
    let devices = world.fleet.list();
    for device in devices.iter().filter(|device| device.status != Status::Decommissioned).take(ASKED) {
        if world.fleet.poll(&device.id).await.is_ok() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_spread_over_a_third_of_the_time_between_them() {
        let day = Duration::from_secs(24 * 3_600);
        assert_eq!((spread(day, 0), spread(day, 255)), (Duration::from_secs(20 * 3_600), Duration::from_secs(28 * 3_600)));
    }
}
