//! What nobody asks for: going on after a start, looking again at what is not known, expiring, forgetting, sweeping.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::plan::book::TOO_OLD;
use crate::plan::engine::Engine;
use crate::plan::hold::Core;
use crate::plan::record::{Plan, PlanId};
use crate::plan::state::{DeviceEvent, DeviceState, Ending, PlanEvent, PlanState};
use crate::plan::sweep::Swept;
use crate::plan::{recover, rows, secrets, sweep};
use std::sync::Arc;

impl Engine {
    /// Forgets plans that were over before `until`. Answers how many went.
    pub async fn forget(&self, until: Wall) -> Result<usize, Fault> {
        self.core.book.forget(until).await
    }

    /// Forgets what jobs did that were over before `until`, but not their plans. Answers how many went.
    pub async fn forget_jobs(&self, until: Wall) -> Result<usize, Fault> {
        self.core.book.forget_jobs(until).await
    }

    /// At start: goes on with what a crash or a stop left, and lets old drafts expire. Returns once jobs are started.
    pub async fn resume(&self) -> Result<(), Fault> {
        let plans = self.core.book.plans()?;
        let mut led: Vec<PlanId> = Vec::new();
        for plan in plans.iter().filter(|plan| plan.state == PlanState::Executing) {
            // Those that take devices of another plan back are run by its job.
            led.extend(self.core.book.devices(plan)?.into_iter().filter_map(|(_, progress)| progress.taken_back_by));
        }
        for plan in plans {
            match plan.state {
                PlanState::Executing if !self.store_rolled_back && led.contains(&plan.id) => {}
                PlanState::Executing if self.store_rolled_back => self.hand_over(&plan).await?,
                PlanState::Executing => self.go_on(plan),
                PlanState::Draft | PlanState::Approved if self.store_rolled_back && !plan.approvals.is_empty() => self.void(&plan).await?,
                _ => {}
            }
        }
        self.not_now("old drafts could not be closed", self.expire().await)?;
        self.look_again()?;
        self.settle_logins(true)?;
        if let Some(epoch) = &self.epoch {
            // What an older store means has been dealt with.
            self.not_now("this start could not be counted", epoch.advance().await.map_err(Fault::from))?;
        }
        Ok(())
    }

    /// A disk that takes no writes keeps nobody from starting: drafts are closed at a later look, and each change of a router counts
    /// for itself. Only what an older store means has to be written down before anybody may call.
    fn not_now(&self, what: &str, done: Result<(), Fault>) -> Result<(), Fault> {
        match done {
            Err(fault) if fault.kind == Kind::Storage && !self.store_rolled_back => {
                tracing::error!(cause = fault.chain(), "{what}; reads are served, and no router is changed until the disk takes writes");
                Ok(())
            }
            done => done,
        }
    }

    /// Goes on with a plan as soon as nobody else has its devices. Two that were executing on one device have to follow each other: that
    /// must not keep the appliance from starting.
    fn go_on(&self, plan: Plan) {
        if self.core.take(&plan).is_ok() {
            return self.spawn(&plan.id, true);
        }
        tracing::warn!(plan = %plan.id, "it goes on once another plan has left its devices");
        // It only ever waits for one that was resumed before it; nobody else gets what is left half done meanwhile.
        self.core.take_free(&plan);
        let engine = self.clone();
        self.core.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = engine.core.stop.cancelled() => engine.core.give_back(&plan.id),
                taken = engine.until(|engine| Ok(engine.core.take(&plan).is_ok())) => {
                    if taken.is_ok() {
                        engine.spawn(&plan.id, true);
                    }
                }
            }
        });
    }

    /// The store is older than the routers: nobody knows what was done since. A person has to look; nothing is driven.
    async fn hand_over(&self, plan: &Plan) -> Result<(), Fault> {
        let why = "the store was restored or rolled back while this was being applied";
        for device in &plan.devices {
            let draft = self.core.book.draft(&plan.id, device)?;
            self.core
                .book
                .change(&plan.id, device, |progress| {
                    if progress.state.is_live() {
                        progress.happen(DeviceEvent::Disagree)?;
                        progress.error = Some(why.into());
                        progress.difference = rows::uncompared(&draft, why);
                    }
                    Ok(())
                })
                .await?;
        }
        self.finish(&plan.id, PlanEvent::End(Ending::NeedsAttention), why).await
    }

    async fn void(&self, plan: &Plan) -> Result<(), Fault> {
        self.core
            .book
            .change_plan(&plan.id, |plan| {
                if plan.state == PlanState::Approved {
                    plan.happen(PlanEvent::Void)?;
                }
                plan.approvals.clear();
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// Drafts nobody ran in time.
    pub async fn expire(&self) -> Result<(), Fault> {
        let now = self.core.clock.wall();
        for plan in self.core.book.plans()? {
            if matches!(plan.state, PlanState::Draft | PlanState::Approved) && plan.expires_at <= now {
                self.finish(&plan.id, PlanEvent::Expire, TOO_OLD).await?;
            }
        }
        Ok(())
    }

    /// Devices whose routers did not answer for too long: perhaps they do now.
    fn look_again(&self) -> Result<(), Fault> {
        if self.store_rolled_back {
            return Ok(());
        }
        for plan in self.core.book.plans()?.into_iter().filter(|plan| plan.state == PlanState::NeedsAttention) {
            let unknown: Vec<DeviceId> = self
                .core
                .book
                .devices(&plan)?
                .into_iter()
                .filter(|(_, progress)| progress.state == DeviceState::Unknown)
                .map(|(draft, _)| draft.device)
                .collect();
            // A look that began earlier may still wait for the router: two would undo the same step twice.
            if unknown.is_empty() || !self.core.take_alone(&plan) {
                continue;
            }
            let (core, id) = (self.core.clone(), plan.id.clone());
            self.core.tasks.spawn(async move {
                if let Err(fault) = settle_unknown(&core, &id, &unknown).await {
                    tracing::warn!(plan = %id, "still not known how it ended: {}", fault.chain());
                }
                core.give_back(&id);
            });
        }
        Ok(())
    }

    /// Takes away what ended plans left on routers, says what else of that name is there, and lets old drafts expire.
    pub async fn sweep(&self) -> Result<Swept, Fault> {
        self.expire().await?;
        self.look_again()?;
        if self.store_rolled_back {
            // Our records are older than what is on the routers: every guard there may be live.
            return Ok(Swept::default());
        }
        Ok(sweep::sweep(&self.core).await)
    }
}

async fn settle_unknown(core: &Arc<Core>, id: &PlanId, unknown: &[DeviceId]) -> Result<(), Fault> {
    let mut failed = None;
    for device in unknown {
        match recover::go_on(core, id, device, recover::RESTARTED).await {
            Ok(_) => {}
            Err(fault) if fault.kind == Kind::Storage || core.stop.is_cancelled() => return Err(fault),
            // One that nobody can ask any more keeps nobody from asking the others.
            Err(fault) => {
                tracing::warn!(plan = %id, device = %device, "cannot be asked how it ended: {}", fault.chain());
                failed.get_or_insert(fault);
            }
        }
    }
    let devices = core.book.devices(&core.book.plan(id)?)?;
    secrets::settle(core, &devices).await;
    let ending = Ending::of(devices.iter().map(|(_, progress)| progress.state));
    if ending != Ending::NeedsAttention {
        core.book.change_plan(id, |plan| plan.happen(PlanEvent::Settle(ending))).await?;
    }
    failed.map_or(Ok(()), Err)
}
