//! Between two batches: are the routers just changed well, and is nobody else worse for it?
//!
//! Over new connections, a few tries each: one look may fall on a busy moment.

use crate::base::ids::DeviceId;
use crate::plan::hold::Core;
use crate::plan::record::Plan;
use crate::plan::verify::{answering, answers};
use crate::plan::work::Vitals;
use futures_util::future::join_all;
use std::time::Duration;

/// From these loads on, percent, the next batch is not begun.
const CPU_MAX: u8 = 80;
const MEMORY_MAX: u8 = 85;
/// Looks at each, and the pause between.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(3);

/// Devices that answer before a batch and have to answer after it: some that the plan does not name, some of its other batches.
pub(super) async fn witnesses(core: &Core, plan: &Plan, batch: &[DeviceId], before: &[DeviceId], after: &[DeviceId]) -> Vec<DeviceId> {
    if plan.devices.len() < 2 {
        // Its own verification looks at others; nothing follows it.
        return Vec::new();
    }
    let strangers = core.fleet.list().into_iter().filter(|other| other.environment == plan.environment);
    let strangers = strangers.map(|other| other.id.clone()).filter(|id| !plan.devices.contains(id));
    let own = before.iter().chain(after).filter(|id| !batch.contains(id)).cloned();
    let (mut chosen, own) = futures_util::join!(answering(&core.fleet, strangers.collect()), answering(&core.fleet, own.collect()));
    chosen.extend(own);
    chosen
}

/// Lets the job go on. Errs with the first thing that speaks against it, in a sentence.
pub(super) async fn pass(core: &Core, batch: &[DeviceId], witnesses: &[DeviceId]) -> Result<(), String> {
    let changed = batch.iter().map(|device| well(core, device, true));
    let others = witnesses.iter().map(|device| well(core, device, false));
    let (changed, others) = futures_util::join!(join_all(changed), join_all(others));
    changed.into_iter().chain(others).collect()
}

/// A device answers and, where it was changed, is not too busy.
async fn well(core: &Core, id: &DeviceId, was_changed: bool) -> Result<(), String> {
    let mut tries = 1;
    loop {
        let why = match (look(core, id).await, was_changed) {
            (Ok(vitals), true) => match too_busy(vitals) {
                None => return Ok(()),
                Some(why) => why,
            },
            (Ok(_), false) => return Ok(()),
            (Err(said), true) => format!("it does not answer since: {said}"),
            (Err(said), false) => format!("it is in no batch that was under way, answered before and does not now: {said}"),
        };
        if tries >= TRIES || core.stop.is_cancelled() {
            let name = core.fleet.get(id).map_or_else(|_| id.to_string(), |device| device.name.clone());
            return Err(format!("device \"{name}\": {why}"));
        }
        tries += 1;
        core.clock.sleep(PAUSE).await;
    }
}

async fn look(core: &Core, id: &DeviceId) -> Result<Vitals, String> {
    let device = core.fleet.get(id).map_err(|fault| fault.said)?;
    answers(&core.fleet, &device).await.map(|resource| resource.vitals).map_err(|fault| fault.said)
}

/// Why a router is in no state to see more of the same done to others.
fn too_busy(vitals: Vitals) -> Option<String> {
    let over = |load: Option<u8>, max: u8| load.filter(|load| *load >= max);
    over(vitals.cpu, CPU_MAX)
        .map(|load| format!("its processor is at {load} %"))
        .or_else(|| over(vitals.memory, MEMORY_MAX).map(|used| format!("its memory is {used} % full")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighty_percent_of_processor_or_eighty_five_of_memory_is_too_much() {
        let busy = |cpu, memory| too_busy(Vitals { cpu, memory }).is_some();
        assert!(!busy(Some(79), Some(84)));
        assert!(busy(Some(80), Some(10)));
        assert!(busy(Some(10), Some(85)));
        assert!(!busy(None, None), "a router that does not say is judged by its answering");
    }
}
