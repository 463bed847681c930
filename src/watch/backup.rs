//! Backups on a schedule, an audited call like any other.

use crate::alert::Alerts;
use crate::base::fault::Fault;
use crate::dispatch::{Call, Dispatch};
use serde_json::Map;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often it is asked whether it is time.
const EVERY: Duration = Duration::from_secs(60);
/// After a failure, and on a box whose clock stands in 1970, the next try comes so much later.
const RETRY: Duration = Duration::from_secs(3_600);

/// Starts the task; it ends with `stop`.
pub fn start(dispatch: Arc<Dispatch>, hours: u32, tasks: &TaskTracker, stop: &CancellationToken) {
    let stop = stop.clone();
    tasks.spawn(async move {
        stop.run_until_cancelled(async move {
            let mut schedule = Schedule { every: Duration::from_secs(u64::from(hours) * 3_600), not_before: Duration::ZERO };
            loop {
                tokio::time::sleep(EVERY).await;
                schedule.look(&dispatch).await;
            }
        })
        .await
    });
}

/// When the next one is made.
pub struct Schedule {
    /// Between two.
    pub every: Duration,
    /// By the clock that never steps.
    pub not_before: Duration,
}

impl Schedule {
    /// One look; answers whether a backup was made. By the newest in the directory, so that restarts neither skip nor repeat.
    pub async fn look(&mut self, dispatch: &Arc<Dispatch>) -> bool {
        let world = dispatch.world();
        let (now, mono) = (world.clock.wall(), world.clock.mono());
        if mono < self.not_before || !now.is_plausible() {
            return false;
        }
        let kept = match world.backups.list() {
            Ok(kept) => kept,
            Err(error) => {
                // Made blindly, there would be one a minute.
                let why = format!("nobody can tell when the last one was made: {}", Fault::from(error).chain());
                return self.failed(&world.alerts, mono, &why);
            }
        };
        let newest = kept.iter().find(|kept| kept.is_scheduled).and_then(|kept| kept.made_at);
        // One of the future was made by a clock that went wrong.
        let is_due = newest.is_none_or(|at| at > now || u128::from(now.0.abs_diff(at.0)) >= self.every.as_millis());
        if !is_due {
            return false;
        }
        let mut arguments = Map::new();
        arguments.insert("scheduled".into(), true.into());
        let reply = dispatch.call(Call::of_appliance("backup.create", arguments)).await;
        // Whatever failed: a full disk stops the call before the verb is reached.
        if reply.fault.is_some() {
            return self.failed(&world.alerts, mono, &reply.text);
        }
        world.alerts.backup_failed(None);
        self.not_before = mono + EVERY;
        true
    }

    fn failed(&mut self, alerts: &Alerts, mono: Duration, why: &str) -> bool {
        alerts.backup_failed(Some(why));
        tracing::error!(why, "the scheduled backup was not made; trying again in an hour");
        self.not_before = mono + RETRY;
        false
    }
}
