//! Another password for our own login on a router, and never a moment in which no working one is in the store.
//!
//! | file | holds |
//! |---|---|
//! | `rotate.rs` | what callers ask for: rotate, settle what is open |
//! | `check.rs` | whether it can be done, and how |
//! | `set.rs` | the one request that changes it, and fresh logins |
//! | `settle.rs` | finding out what the router has, and going on from there |
//!
//! A rotation: the new password is sealed in the store as pending; the router is asked to take it; over new connections with a login
//! of their own the new one is proven on every service in use; in one batch it becomes the device's and the old one is put beside it;
//! the old one is tried once, and forgotten when the router refuses it. What the router answered to the request is never believed:
//! a rotation that was cut off anywhere, and one that was not, go through the same settling (`settle.rs`).
//!
//! The user stays the same: a second one beside it would take the right to manage users, which is full control of the router.

mod check;
mod set;
mod settle;

use crate::access::principal::Principal;
use crate::audit::{Phase, Record};
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::tier::Tier;
use crate::fleet::{Device, Stage, Status};
use crate::plan::engine::Engine;
use crate::plan::hold::{Core, Holder};
use crate::plan::rotate::settle::Settled;
use crate::plan::work::blank;
use crate::store::Durability;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// What the trail calls it.
const VERB: &str = "device.rotate_credentials";
/// How long it is looked at whether a request without an answer arrived after all: longer than any network keeps a packet.
const LATE: Duration = Duration::from_secs(3_600);

/// What a rotation did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Whose password it is.
    pub username: String,
    /// Services on which it is proven: `rest`, `ssh`.
    pub services: Vec<&'static str>,
    /// How the router is asked, in its own words.
    pub how: &'static str,
    /// Whether it was done.
    pub done: bool,
    /// The router was seen to refuse the old password.
    pub old_refused: bool,
}

impl Engine {
    /// Gives our login on a router another password. With `dry_run` says what would be done, and changes nothing.
    ///
    /// # Errors
    /// `Conflict` when something else changes the device, its password lies elsewhere or nobody vouches for its router; `RouterDenied`
    /// when our user may not; `Rejected` when the old password stays; `UnknownOutcome` when it is not known yet which one the router
    /// has: both are kept, and it is found out as soon as the router answers.
    pub async fn rotate(&self, who: &Principal, device: &DeviceId, dry_run: bool) -> Result<Rotated, Fault> {
        // Whatever becomes of the caller: half a rotation helps nobody.
        let (engine, who, device) = (self.clone(), who.clone(), device.clone());
        let done = self.core.tasks.spawn(async move { engine.rotate_now(&who, &device, dry_run).await });
        done.await.map_err(Fault::bug)?
    }

    async fn rotate_now(&self, who: &Principal, id: &DeviceId, dry_run: bool) -> Result<Rotated, Fault> {
        let core = &self.core;
        if core.rules.is_read_only() {
            return Err(Fault::denied("this appliance is set to read only; nothing here changes a router")
                .hint("the operator can set read_only = false"));
        }
        let _hold = core.hold(id)?;
        self.unsettled_on(std::slice::from_ref(id), None)?;
        let device = core.fleet.get(id)?;
        let earlier = core.fleet.rotation(id)?.filter(|earlier| earlier.stage != Stage::Done);
        if dry_run {
            if earlier.is_some_and(|earlier| earlier.is_open() || earlier.attention.is_some()) {
                let said = format!("device \"{}\": an earlier change of its login is not settled yet", device.name);
                return Err(Fault::new(Kind::Conflict, said)
                    .hint("it is settled first when the login is changed, and by itself once the router answers"));
            }
            return Ok(check::check(core, id).await?.told(false, false));
        }
        if let Some(epoch) = &self.epoch {
            epoch.advance().await?;
        }
        trail(core, who, &device, Phase::Intent, "intent", None).await?;
        let done = anew(core, id, earlier.is_some()).await;
        let (outcome, why) = match &done {
            Ok(_) => ("ok", None),
            Err(fault) => (fault.kind.as_str(), Some(fault.said.clone())),
        };
        if let Err(fault) = &done {
            tracing::warn!(device = %device.name, "its login was not changed: {}", fault.said);
        }
        // Whatever becomes of the record: how it ended is for the caller to know.
        if let Err(fault) = trail(core, who, &device, Phase::Done, outcome, why).await {
            tracing::error!(device = %device.name, "not in the trail: {}", fault.chain());
        }
        done
    }

    /// Errs with `Conflict` while a plan works on a device, or its login is being changed: neither finds its end without the device.
    pub fn rests(&self, device: &Device) -> Result<(), Fault> {
        match self.core.holder(&device.id) {
            Some(holder) => Err(self.core.taken(&device.id, &holder)),
            None => Ok(()),
        }
    }

    /// Errs with `Conflict` while the login of a device is being changed: its record must not move under that.
    pub fn login_rests(&self, device: &Device) -> Result<(), Fault> {
        match self.core.holder(&device.id) {
            Some(Holder::Login) => Err(self.core.taken(&device.id, &Holder::Login)),
            Some(Holder::Plan(_)) | None => Ok(()),
        }
    }

    /// Finds out what routers have whose rotation was cut off. At start all of them are looked at, later those that nobody has to look
    /// at. Returns at once; [`Engine::rest`] waits for it.
    pub fn settle_logins(&self, at_start: bool) -> Result<(), Fault> {
        let now = self.core.clock.wall();
        for (id, rotation) in self.core.fleet.rotations()? {
            // A request whose answer was lost may arrive late.
            let young = now.0.saturating_sub(rotation.begun_at.0) < LATE.as_millis() as i64;
            let left = rotation.is_open() || (rotation.stage == Stage::Pending && (at_start || young));
            if !left || (!at_start && rotation.attention.is_some()) {
                continue;
            }
            let Ok(device) = self.core.fleet.get(&id) else { continue };
            if matches!(device.status, Status::Quarantined | Status::Decommissioned) {
                continue;
            }
            // A plan that is being applied there ends first.
            let Ok(hold) = self.core.hold(&id) else { continue };
            let core = self.core.clone();
            self.core.tasks.spawn(async move {
                let _hold = hold;
                finish(&core, &device).await;
            });
        }
        Ok(())
    }
}

/// What an earlier one left is settled first.
async fn anew(core: &Arc<Core>, id: &DeviceId, is_left: bool) -> Result<Rotated, Fault> {
    if is_left {
        settle::settle(core, id).await?;
    }
    settle::run(core, &check::check(core, id).await?).await
}

/// One that was cut off, settled and put into the trail.
async fn finish(core: &Arc<Core>, device: &Device) {
    let (who, name) = (Principal::background(), &device.name);
    let before = core.fleet.rotation(&device.id).ok().flatten();
    let settled = settle::settle(core, &device.id).await;
    let after = core.fleet.rotation(&device.id).ok().flatten();
    if before == after {
        // Looked at again later; the trail hears of what moved.
        if let Err(fault) = settled {
            tracing::info!(device = %name, "which password it has is not known yet: {}", fault.said);
        }
        return;
    }
    let (outcome, why) = match &settled {
        Ok(Settled::New { .. }) => ("ok", Some("the new password was there, and is the device's now".to_owned())),
        Ok(Settled::Old) => ("rejected", Some("the router still has the old password".to_owned())),
        Err(fault) => (fault.kind.as_str(), Some(fault.said.clone())),
    };
    tracing::info!(device = %name, outcome, "a change of its login that was cut off is settled");
    if let Err(fault) = trail(core, &who, device, Phase::Done, outcome, why).await {
        tracing::error!(device = %name, "not in the trail: {}", fault.chain());
    }
}

/// Never the passwords.
async fn trail(core: &Core, who: &Principal, device: &Device, phase: Phase, outcome: &str, why: Option<String>) -> Result<(), Fault> {
    let arguments = json!({ "device": device.id.as_str(), "username": device.username, "error": why }).to_string();
    let record = Record {
        tier: Tier::Free,
        device: Some(device.id.to_string()),
        device_name: Some(device.name.clone()),
        environment: Some(device.environment.as_str().into()),
        ..blank(who, VERB, phase, outcome, arguments)
    };
    let durability = if phase == Phase::Intent { Durability::Now } else { Durability::Soon };
    core.audit.append(record, durability).await?;
    Ok(())
}
