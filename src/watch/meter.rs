//! Keeps the counting small: buffers of histograms grow until they are cleared, also while nobody fetches metrics.

use crate::host::metrics::{Meter, UPKEEP};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts the task; it ends with `stop`. There is nothing to do for a meter that is off.
pub fn start(meter: Meter, tasks: &TaskTracker, stop: &CancellationToken) {
    if !meter.is_on() {
        return;
    }
    let stop = stop.clone();
    tasks.spawn(async move {
        stop.run_until_cancelled(async move {
            let mut tick = tokio::time::interval(UPKEEP);
            loop {
                tick.tick().await;
                meter.upkeep();
            }
        })
        .await
    });
}
