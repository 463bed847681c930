//! Waiting for a plan, and hearing how far it is.

use crate::base::fault::Fault;
use crate::plan::edit::Confirm;
use crate::plan::engine::Engine;
use crate::plan::job::{self, Tally};
use crate::plan::record::{Plan, PlanId, Progress};
use crate::plan::state::{DeviceState, PlanState};
use std::time::Duration;

impl Engine {
    /// Waits until a plan is over or waits for a person or for the disk, at most so long; answers how it stands.
    pub async fn wait(&self, id: &PlanId, patience: Duration) -> Result<Plan, Fault> {
        // The caller's patience, not a time of the product: it runs on the machine's clock.
        let settled = tokio::time::timeout(patience, self.until(|engine| engine.is_settled(id))).await;
        settled.unwrap_or(Ok(()))?;
        self.core.book.plan(id)
    }

    /// As `wait`, and tells how far the job is, each time that changes.
    pub async fn follow(&self, id: &PlanId, patience: Duration, mut tell: impl FnMut(&Tally) + Send) -> Result<Plan, Fault> {
        let mut last: Option<Tally> = None;
        let followed = async {
            loop {
                let moved = self.core.book.moved().notified();
                tokio::pin!(moved);
                // Listen before looking, or a change in between is missed.
                moved.as_mut().enable();
                let now = self.tally(id)?;
                if last.as_ref() != Some(&now) {
                    tell(&now);
                    last = Some(now);
                }
                if self.is_settled(id)? {
                    return Ok(());
                }
                moved.await;
            }
        };
        let settled: Result<Result<(), Fault>, _> = tokio::time::timeout(patience, followed).await;
        settled.unwrap_or(Ok(()))?;
        self.core.book.plan(id)
    }

    /// How far a plan's job is. Errs with `NotFound`.
    pub fn tally(&self, id: &PlanId) -> Result<Tally, Fault> {
        job::tally_of(&self.core.book, &self.core.book.plan(id)?)
    }

    /// How a started plan's job stands: `running`, `stalled` while the disk takes no writes, `stopped` until the next start of the
    /// appliance goes on with it, or `ended`. One that needs attention is looked after now and then, and runs while that lasts.
    pub fn standing(&self, plan: &Plan) -> &'static str {
        match (self.core.is_stalled(&plan.id), self.core.holds(&plan.id)) {
            (true, _) => "stalled",
            (false, true) => "running",
            (false, false) if plan.state == PlanState::Executing => "stopped",
            (false, false) => "ended",
        }
    }

    /// Waits until something holds that the records say.
    pub(super) async fn until(&self, holds: impl Fn(&Engine) -> Result<bool, Fault>) -> Result<(), Fault> {
        loop {
            let moved = self.core.book.moved().notified();
            tokio::pin!(moved);
            // Listen before looking, or a change in between is missed.
            moved.as_mut().enable();
            if holds(self)? {
                return Ok(());
            }
            moved.await;
        }
    }

    /// Waits until no job is between its first request to a router and its end. With `for_people` also for those that wait for a
    /// person: nobody else could take the word in.
    pub async fn rest(&self, for_people: bool) -> Result<(), Fault> {
        self.until(|engine| {
            if engine.core.changes_logins() {
                return Ok(false);
            }
            for plan in engine.core.book.plans()?.into_iter().filter(|plan| plan.state == PlanState::Executing) {
                let is_busy = engine.core.holds(&plan.id);
                if is_busy && (for_people || !engine.is_settled(&plan.id)?) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
    }

    pub(super) fn is_settled(&self, id: &PlanId) -> Result<bool, Fault> {
        let (plan, devices) = self.plan(id)?;
        // Nobody waits for a disk; how it ends is in the records when it does.
        if plan.state != PlanState::Executing || self.core.is_stalled(id) {
            return Ok(true);
        }
        let live: Vec<&Progress> = devices.iter().map(|(_, progress)| progress).filter(|progress| progress.state.is_live()).collect();
        let waits = |progress: &&Progress| {
            let is_open = progress.fires_at.is_some() && progress.intent.is_none();
            progress.state == DeviceState::Verified && is_open && !progress.keep_asked && progress.undo_asked.is_none()
        };
        Ok(plan.confirm == Confirm::Manual && !live.is_empty() && live.iter().all(waits))
    }
}
