//! What every plan is worked with, and who changes which device now: one at a time.

use crate::access::policy::Rules;
use crate::audit::Audit;
use crate::base::clock::Clock;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::fleet::Fleet;
use crate::plan::book::Book;
use crate::plan::config::Settings;
use crate::plan::record::{Plan, PlanId};
use crate::plan::state::PlanState;
use crate::store::Vault;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What every plan is worked with.
pub(crate) struct Core {
    pub book: Book,
    pub fleet: Fleet,
    pub audit: Audit,
    pub clock: Clock,
    pub rules: Rules,
    pub vault: Vault,
    pub settings: Settings,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
    busy: Mutex<HashMap<DeviceId, Holder>>,
    /// Plans whose jobs wait for the disk.
    stalled: Mutex<HashSet<PlanId>>,
}

/// Who changes a device now; nobody else does meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A plan.
    Plan(PlanId),
    /// Its login is being changed.
    Login,
}

/// A device held for a change of its login, until this goes.
pub(crate) struct Hold {
    core: Arc<Core>,
    device: DeviceId,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.core.busy().remove(&self.device);
        self.core.book.moved().notify_waiters();
    }
}

impl Core {
    #[allow(clippy::too_many_arguments, reason = "each is another part of the appliance; `Parts` names them for callers")]
    pub fn new(
        book: Book,
        fleet: Fleet,
        audit: Audit,
        clock: Clock,
        rules: Rules,
        vault: Vault,
        settings: Settings,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Core {
        Core { book, fleet, audit, clock, rules, vault, settings, tasks, stop, busy: Mutex::default(), stalled: Mutex::default() }
    }

    /// Takes devices for a plan, all or none; says whether it had some already. Errs with `Conflict` naming who has one.
    pub fn take(&self, plan: &Plan) -> Result<bool, Fault> {
        let (mut busy, ours) = (self.busy(), Holder::Plan(plan.id.clone()));
        let had = busy.values().any(|holder| *holder == ours);
        for device in &plan.devices {
            if let Some(other) = busy.get(device).filter(|other| **other != ours && !self.is_over(other)) {
                return Err(self.taken(device, other));
            }
        }
        busy.extend(plan.devices.iter().map(|device| (device.clone(), ours.clone())));
        Ok(had)
    }

    /// Takes those devices for a plan that nobody has: it waits for the others.
    pub fn take_free(&self, plan: &Plan) {
        let mut busy = self.busy();
        for device in &plan.devices {
            if busy.get(device).is_none_or(|other| self.is_over(other)) {
                busy.insert(device.clone(), Holder::Plan(plan.id.clone()));
            }
        }
    }

    /// Takes devices for a plan that nobody works on now, itself included; says whether it could.
    pub fn take_alone(&self, plan: &Plan) -> bool {
        let mut busy = self.busy();
        if plan.devices.iter().any(|device| busy.get(device).is_some_and(|holder| !self.is_over(holder))) {
            return false;
        }
        busy.extend(plan.devices.iter().map(|device| (device.clone(), Holder::Plan(plan.id.clone()))));
        true
    }

    /// Takes a device for a change of its login; errs as `take`.
    pub fn hold(self: &Arc<Self>, device: &DeviceId) -> Result<Hold, Fault> {
        let mut busy = self.busy();
        if let Some(other) = busy.get(device).filter(|other| !self.is_over(other)) {
            return Err(self.taken(device, other));
        }
        busy.insert(device.clone(), Holder::Login);
        Ok(Hold { core: self.clone(), device: device.clone() })
    }

    /// Why a device cannot be changed: somebody else does.
    pub fn taken(&self, device: &DeviceId, holder: &Holder) -> Fault {
        let name = self.fleet.get(device).map_or_else(|_| device.to_string(), |device| device.name.clone());
        match holder {
            Holder::Plan(plan) => Fault::new(Kind::Conflict, format!("device \"{name}\": {plan} is being applied there"))
                .hint("one plan at a time changes a device; wait until it has ended"),
            Holder::Login => Fault::new(Kind::Conflict, format!("device \"{name}\": its login is being changed"))
                .hint("that takes seconds; try again then"),
        }
    }

    /// Gives a plan's devices back.
    pub fn give_back(&self, plan: &PlanId) {
        self.stalled().remove(plan);
        self.busy().retain(|_, holder| !holder.is(plan));
    }

    /// A plan's job waits until the disk takes writes; its devices stay taken.
    pub fn stall(&self, plan: &PlanId) {
        self.stalled().insert(plan.clone());
    }

    /// It goes on.
    pub fn unstall(&self, plan: &PlanId) {
        self.stalled().remove(plan);
    }

    /// Whether a plan's job waits for the disk.
    pub fn is_stalled(&self, plan: &PlanId) -> bool {
        self.stalled().contains(plan)
    }

    /// Whether a job of this plan has devices now.
    pub fn holds(&self, plan: &PlanId) -> bool {
        self.busy().values().any(|holder| holder.is(plan))
    }

    /// Who has a device now.
    pub fn holder(&self, device: &DeviceId) -> Option<Holder> {
        self.busy().get(device).filter(|holder| !self.is_over(holder)).cloned()
    }

    /// Whoever hears that a plan has ended may go on at once, though its job has not given the devices back yet. One that needs
    /// attention may still be looked after.
    fn is_over(&self, holder: &Holder) -> bool {
        let Holder::Plan(plan) = holder else { return false };
        self.book.plan(plan).is_ok_and(|plan| plan.state.is_final() && plan.state != PlanState::NeedsAttention)
    }

    /// Whether the login of any device is being changed now.
    pub fn changes_logins(&self) -> bool {
        self.busy().values().any(|holder| *holder == Holder::Login)
    }

    fn stalled(&self) -> MutexGuard<'_, HashSet<PlanId>> {
        self.stalled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> MutexGuard<'_, HashMap<DeviceId, Holder>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holder {
    fn is(&self, plan: &PlanId) -> bool {
        matches!(self, Holder::Plan(id) if id == plan)
    }
}
