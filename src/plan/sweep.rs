//! The sweep: guards that an ended plan of ours left on a router are taken away; anything else of that name is told, and left alone.
//!
//! A store that was restored, a cloned box and another appliance all leave guards we know nothing of. Removing a live one would
//! confirm a change that nobody confirmed. So one goes only when our own record says that its plan is over on that very device, and
//! how it ended is known.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::fleet::{Device, Lane, Read, Status, Write};
use crate::plan::guard::{self, SCRIPTS, TIMERS};
use crate::plan::hold::Core;
use crate::plan::state::DeviceState;
use crate::routeros::{MenuPath, Query};
use std::sync::Arc;

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows taken away.
    pub removed: Vec<Leftover>,
    /// Rows left alone, each with the reason.
    pub left: Vec<Leftover>,
}

/// A row with our prefix on a router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Where.
    pub device: DeviceId,
    /// Its name.
    pub device_name: String,
    /// `/system/script` or `/system/scheduler`.
    pub menu: &'static str,
    /// The row's name.
    pub name: String,
    /// Why it went, or stays.
    pub why: String,
}

/// Looks at every router that may be asked.
pub(super) async fn sweep(core: &Arc<Core>) -> Swept {
    let mut swept = Swept::default();
    for device in core.fleet.list() {
        if core.stop.is_cancelled() {
            break;
        }
        // A busy device has a guard for good reason.
        if matches!(device.status, Status::Quarantined | Status::Decommissioned) || core.holder(&device.id).is_some() {
            continue;
        }
        if let Err(fault) = sweep_one(core, &device, &mut swept).await {
            tracing::debug!(device = %device.name, "not swept: {}", fault.said);
        }
    }
    swept
}

async fn sweep_one(core: &Core, device: &Device, swept: &mut Swept) -> Result<(), Fault> {
    let lane = core.fleet.lane(device);
    // Timers first: a script without a timer does nothing, a timer without a script complains.
    for menu in [TIMERS, SCRIPTS] {
        let read = Read { query: Query::new().columns(["name"]), ..Read::fresh(MenuPath::parse(menu)?) };
        for row in lane.read(read).await?.rows.iter() {
            let Some((name, id)) = row.get("name").zip(row.id()) else { continue };
            if !name.starts_with(guard::PREFIX) {
                continue;
            }
            let leftover = |why: String| {
                let (device, device_name) = (device.id.clone(), device.name.clone());
                Leftover { device, device_name, menu, name: name.to_owned(), why }
            };
            // Asked again: a plan may have begun since the list was read.
            match may_go(core, device, name) {
                Ok(why) if core.holder(&device.id).is_none() => match remove(&lane, menu, id).await {
                    Ok(()) => {
                        tracing::info!(device = %device.name, menu, name, "took a guard away whose plan is over");
                        swept.removed.push(leftover(why));
                    }
                    Err(fault) => swept.left.push(leftover(fault.said)),
                },
                Ok(_) => {}
                Err(why) => {
                    tracing::warn!(device = %device.name, menu, name, "a guard is left alone: {why}");
                    swept.left.push(leftover(why));
                }
            }
        }
    }
    Ok(())
}

async fn remove(lane: &Lane, menu: &str, id: &str) -> Result<(), Fault> {
    lane.write(Write::Remove { path: MenuPath::parse(menu)?, id: id.to_owned() }).await.map(drop)
}

/// Why a guard may go, or why it may not.
fn may_go(core: &Core, device: &Device, name: &str) -> Result<String, String> {
    let digits = guard::digits_of(name).ok_or("no plan has such a name")?;
    let plan = core.book.known(digits).map_err(|fault| fault.said)?.ok_or("no record of its plan here")?;
    if !plan.devices.contains(&device.id) {
        return Err("its plan was not about this device".to_owned());
    }
    if !plan.state.is_final() {
        return Err(format!("{} is {}", plan.id, plan.state.as_str()));
    }
    let progress = match core.book.progress(&plan.id, &device.id) {
        // Forgotten only where nothing was left open.
        Err(fault) if fault.kind == Kind::NotFound => return Ok(format!("{} is over long since", plan.id)),
        found => found.map_err(|fault| fault.said)?,
    };
    match progress.state {
        DeviceState::Confirmed | DeviceState::RolledBack | DeviceState::Skipped => {
            Ok(format!("{} is {} here", plan.id, progress.state.as_str().replace('_', " ")))
        }
        other => Err(format!("{} is {} here: a person has to look", plan.id, other.as_str().replace('_', " "))),
    }
}
