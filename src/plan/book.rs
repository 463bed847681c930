//! The records of plans, and the one way they change: read, changed by a pure function, written only if nobody else did meanwhile.
//!
//! Whoever works on a device and whoever asks something of it (keep, undo, more time) write to the same record; neither may lose
//! what the other wrote. Every write is on the disk before anything is done that relies on it.

use crate::base::clock::{Clock, Wall};
use crate::base::events::{Bus, Event};
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::host::metrics::Meter;
use crate::plan::record::{Draft, Plan, PlanId, Progress, device_key};
use crate::plan::state::{DeviceEvent, DeviceState, PlanEvent, PlanState, Refused};
use crate::store::{Batch, Durability, Record, Store, StoreError, Table};
use futures_util::future::{BoxFuture, FutureExt};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Writers that met another writer try again so often; each meets at most a handful.
const TRIES: usize = 16;

/// Where batches become durable: the store, or one that dies half-way in tests.
pub trait Journal: Send + Sync {
    /// On the disk when it resolves.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>>;
}

impl Journal for Store {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        Store::commit(self, batch, Durability::Now).boxed()
    }
}

/// Plans, drafts and progress in the store.
pub(crate) struct Book {
    store: Store,
    journal: Arc<dyn Journal>,
    clock: Clock,
    bus: Bus,
    moved: Notify,
    meter: Meter,
    /// Devices whose router holds a guard that was read back, by the key of their record.
    armed: Mutex<HashSet<String>>,
}

impl Book {
    pub fn new(store: Store, journal: Arc<dyn Journal>, clock: Clock, bus: Bus, meter: Meter) -> Book {
        Book { store, journal, clock, bus, moved: Notify::new(), meter, armed: Mutex::default() }
    }

    /// Who counts.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Counts the guards that an earlier process left armed.
    pub fn count_guards(&self) -> Result<(), Fault> {
        for plan in self.plans()?.iter().filter(|plan| plan.started_at.is_some()) {
            if matches!(plan.state, PlanState::Executing | PlanState::NeedsAttention) {
                // A record that cannot be read is told by whoever works on it.
                plan.devices
                    .iter()
                    .filter_map(|device| self.progress(&plan.id, device).ok())
                    .for_each(|progress| self.note_guard(&progress));
            }
        }
        Ok(())
    }

    fn note_guard(&self, progress: &Progress) {
        let (key, is_armed) = (device_key(&progress.plan, &progress.device), progress.guards.iter().any(|guard| guard.proven));
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let has_moved = if is_armed { armed.insert(key) } else { armed.remove(&key) };
        if has_moved {
            self.meter.guards(armed.len());
        }
    }

    /// Makes a batch over other tables durable, by the same way to the disk.
    pub async fn commit(&self, batch: Batch) -> Result<(), Fault> {
        Ok(self.journal.commit(batch).await?)
    }

    /// Told after each change of any record. Listen (`enable`) before looking.
    pub fn moved(&self) -> &Notify {
        &self.moved
    }

    /// A plan. Errs with `NotFound`.
    pub fn plan(&self, id: &PlanId) -> Result<Plan, Fault> {
        self.table::<Plan>().get(id.as_str())?.ok_or_else(|| {
            let shown: String = id.as_str().chars().filter(|c| !c.is_control()).take(64).collect();
            Fault::not_found(format!("no plan \"{shown}\"")).hint("plan.list shows the plans there are")
        })
    }

    /// Every plan, oldest id first.
    pub fn plans(&self) -> Result<Vec<Plan>, Fault> {
        Ok(self.table::<Plan>().all()?.into_iter().map(|(_, plan)| plan).collect())
    }

    /// What was worked out for a device.
    pub fn draft(&self, plan: &PlanId, device: &DeviceId) -> Result<Draft, Fault> {
        self.table::<Draft>().get(&device_key(plan, device))?.ok_or_else(|| gone(plan, device))
    }

    /// How far a device came.
    pub fn progress(&self, plan: &PlanId, device: &DeviceId) -> Result<Progress, Fault> {
        self.table::<Progress>().get(&device_key(plan, device))?.ok_or_else(|| gone(plan, device))
    }

    /// The devices of a plan, in its order; of one that is over, those whose records are still kept.
    pub fn devices(&self, plan: &Plan) -> Result<Vec<(Draft, Progress)>, Fault> {
        let both = |device| Ok((self.draft(&plan.id, device)?, self.progress(&plan.id, device)?));
        plan.devices.iter().map(both).filter(|both| !is_forgotten(plan, both)).collect()
    }

    /// How its devices stand, likewise.
    pub fn states(&self, plan: &Plan) -> Result<Vec<DeviceState>, Fault> {
        let state = |device| Ok(self.progress(&plan.id, device)?.state);
        plan.devices.iter().map(state).filter(|state| !is_forgotten(plan, state)).collect()
    }

    /// The plan whose guards carry these digits; `None` when we know nothing of it.
    pub fn known(&self, digits: &str) -> Result<Option<Plan>, Fault> {
        Ok(self.table::<Plan>().get(&format!("plan-{digits}"))?)
    }

    /// A new plan with its devices, all or nothing.
    pub async fn create(&self, plan: &Plan, drafts: &[Draft]) -> Result<(), Fault> {
        self.journal.commit(self.new_plan(plan, drafts)).await?;
        self.meter.plan(plan.risk.as_str(), plan.state.as_str());
        self.told(&plan.id);
        Ok(())
    }

    /// A plan that takes a device of another plan back, and its name in that device's record: one is never there without the other.
    pub async fn create_back(&self, back: &Plan, draft: &Draft, of: &PlanId) -> Result<Progress, Fault> {
        let (table, key) = (self.table::<Progress>(), device_key(of, &draft.device));
        let before = self.progress(of, &draft.device)?;
        let mut after = before.clone();
        after.taken_back_by = Some(back.id.clone());
        let batch = self.new_plan(back, std::slice::from_ref(draft));
        self.journal.commit(table.expect_into(table.put_into(batch, &key, &after), &key, Some(&before))).await?;
        self.meter.plan(back.risk.as_str(), back.state.as_str());
        self.told(&back.id);
        Ok(after)
    }

    fn new_plan(&self, plan: &Plan, drafts: &[Draft]) -> Batch {
        let mut batch = self.table::<Plan>().expect_into(Batch::new(), plan.id.as_str(), None);
        batch = self.table::<Plan>().put_into(batch, plan.id.as_str(), plan);
        for draft in drafts {
            let key = device_key(&plan.id, &draft.device);
            batch = self.table::<Draft>().put_into(batch, &key, draft);
            let progress = Progress::new(plan.id.clone(), draft.device.clone(), self.clock.wall());
            batch = self.table::<Progress>().put_into(batch, &key, &progress);
        }
        batch
    }

    /// Forgets plans that were over before `until`; those whose end is not known on some device are kept. Answers how many went.
    pub async fn forget(&self, until: Wall) -> Result<usize, Fault> {
        let mut gone = 0;
        for plan in self.plans()? {
            let ended = plan.ended_at.unwrap_or(plan.created_at);
            if !plan.state.is_final() || ended >= until {
                continue;
            }
            let is_unknown =
                |device: &DeviceId| self.progress(&plan.id, device).is_ok_and(|progress| progress.state == DeviceState::Unknown);
            let is_open = plan.started_at.is_some() && plan.devices.iter().any(is_unknown);
            if !is_open {
                self.journal.commit(self.table::<Plan>().delete_into(self.without_devices(&plan), plan.id.as_str())).await?;
                self.told(&plan.id);
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// Forgets what jobs did on their devices that were over before `until`; the plans stay. Those that ended with a device a person
    /// may want to look at are kept. Answers how many jobs went.
    pub async fn forget_jobs(&self, until: Wall) -> Result<usize, Fault> {
        let mut gone = 0;
        for plan in self.plans()? {
            if !plan.state.is_final() || plan.started_at.is_none() || plan.ended_at.is_none_or(|ended| ended >= until) {
                continue;
            }
            let states = self.states(&plan)?;
            if states.is_empty() || !states.iter().all(|state| state.leaves_nothing_open()) {
                continue;
            }
            self.journal.commit(self.without_devices(&plan)).await?;
            self.told(&plan.id);
            gone += 1;
        }
        Ok(gone)
    }

    /// A batch that removes what is kept of a plan's devices.
    fn without_devices(&self, plan: &Plan) -> Batch {
        plan.devices
            .iter()
            .map(|device| device_key(&plan.id, device))
            .fold(Batch::new(), |batch, key| self.table::<Progress>().delete_into(self.table::<Draft>().delete_into(batch, &key), &key))
    }

    /// Changes a plan; `change` may be called again on what another writer left.
    pub async fn change_plan(&self, id: &PlanId, mut change: impl FnMut(&mut Plan) -> Result<(), Fault>) -> Result<Plan, Fault> {
        let table = self.table::<Plan>();
        for _ in 0..TRIES {
            let before = self.plan(id)?;
            let mut after = before.clone();
            change(&mut after)?;
            if after == before {
                return Ok(after);
            }
            let batch = table.expect_into(table.put_batch(&after, id.as_str()), id.as_str(), Some(&before));
            match self.journal.commit(batch).await {
                Ok(()) => {
                    if after.state != before.state {
                        self.meter.plan(after.risk.as_str(), after.state.as_str());
                    }
                    self.told(id);
                    return Ok(after);
                }
                Err(StoreError::Expectation { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Fault::bug("a plan's record changes faster than it can be written"))
    }

    /// Changes how far a device came; `change` may be called again on what another writer left.
    pub async fn change(
        &self,
        plan: &PlanId,
        device: &DeviceId,
        mut change: impl FnMut(&mut Progress) -> Result<(), Fault>,
    ) -> Result<Progress, Fault> {
        let (table, key) = (self.table::<Progress>(), device_key(plan, device));
        for _ in 0..TRIES {
            let before = self.progress(plan, device)?;
            let mut after = before.clone();
            change(&mut after)?;
            if after == before {
                return Ok(after);
            }
            after.updated_at = self.clock.wall();
            let batch = table.expect_into(table.put_batch(&after, &key), &key, Some(&before));
            match self.journal.commit(batch).await {
                Ok(()) => {
                    self.note_guard(&after);
                    if after.state == before.state {
                        self.moved.notify_waiters();
                    } else {
                        // Others hear of states only: a big job writes far more than they could follow.
                        self.told(plan);
                    }
                    return Ok(after);
                }
                Err(StoreError::Expectation { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Fault::bug("a device's record changes faster than it can be written"))
    }

    /// Wakes whoever waits here, and tells everybody else.
    fn told(&self, plan: &PlanId) {
        self.moved.notify_waiters();
        self.bus.tell(Event::Plan(plan.to_string()));
    }

    fn table<R: Record>(&self) -> Table<R> {
        Table::new(self.store.clone())
    }
}

/// Of a plan that is over, a job that was is forgotten one day.
fn is_forgotten<T>(plan: &Plan, found: &Result<T, Fault>) -> bool {
    plan.state.is_final() && found.as_ref().is_err_and(|fault| fault.kind == Kind::NotFound)
}

fn gone(plan: &PlanId, device: &DeviceId) -> Fault {
    Fault::not_found(format!("no device {device} in {plan}"))
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Fault::new(Kind::Conflict, format!("a plan or device that is {} cannot {}", refused.from, refused.event))
            .hint("plan.get shows where it stands")
    }
}

impl Plan {
    /// Lets something happen to it.
    ///
    /// # Errors
    /// `Conflict` for what cannot happen in its state.
    pub fn happen(&mut self, event: PlanEvent) -> Result<(), Fault> {
        self.state = self.state.step(event)?;
        Ok(())
    }

    /// The plan as time has left it, before anything has written that down: too old, or without the approvals that ran out.
    pub fn as_of(mut self, now: Wall) -> Plan {
        if !matches!(self.state, PlanState::Draft | PlanState::Approved) {
            return self;
        }
        let given: BTreeSet<&str> = self.approvals.iter().filter(|one| one.expires_at > now).map(|one| one.person.as_str()).collect();
        if self.expires_at <= now {
            (self.state, self.ended_at, self.why_ended) = (PlanState::Expired, Some(self.expires_at), Some(TOO_OLD.into()));
        } else if given.len() < usize::from(self.needed) {
            self.state = PlanState::Draft;
        }
        self
    }
}

/// Why a plan expired.
pub const TOO_OLD: &str = "nobody ran it within a day";

impl Progress {
    /// Lets something happen to it.
    ///
    /// # Errors
    /// `Conflict` for what cannot happen in its state.
    pub fn happen(&mut self, event: DeviceEvent) -> Result<(), Fault> {
        self.state = self.state.step(event)?;
        Ok(())
    }
}
