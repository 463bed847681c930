//! The engine: drives plans through their steps and owns nothing about RouterOS.
//!
//! A plan is only ever named by its id: no step relies on a connection or a session. Jobs run in the appliance's task set; what they
//! do is written down before and after, so that [`Engine::resume`] goes on from any point.

use crate::access::policy::Rules;
use crate::access::principal::Principal;
use crate::audit::Audit;
use crate::base::clock::Clock;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::fleet::{Device, Fleet};
use crate::plan::book::{Book, Journal};
use crate::plan::config::Settings;
use crate::plan::edit::{Check, Edit};
use crate::plan::hold::Core;
use crate::plan::record::{Author, Draft, Plan, PlanId, Progress};
use crate::plan::state::{PlanEvent, PlanState};
use crate::plan::{approve, job, recover};
use crate::store::{Epoch, Seal, Store, Vault};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A job that could not write down what it does goes on when the disk takes it: tried again after so long, then longer.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(15);

/// What an engine is built from.
pub struct Parts {
    /// Where plans are kept.
    pub store: Store,
    /// The routers.
    pub fleet: Fleet,
    /// The trail; no audit, no change.
    pub audit: Audit,
    /// Time.
    pub clock: Clock,
    /// The operator's switches.
    pub rules: Rules,
    /// What seals generated secrets and signs approvals.
    pub seal: Seal,
    /// Limits and times.
    pub settings: Settings,
    /// Where jobs run.
    pub tasks: TaskTracker,
    /// Ends everything.
    pub stop: CancellationToken,
    /// Who works out drafts.
    pub drafter: Arc<dyn Drafter>,
    /// An epoch outside the store says that the store is older than what was done: nothing is driven, approvals are void.
    pub store_rolled_back: bool,
}

/// What a draft is to be made of.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The plan it will belong to.
    pub plan: &'a PlanId,
    /// The device.
    pub device: &'a Device,
    /// What is asked for, in order.
    pub edits: &'a [Edit],
    /// By whom.
    pub author: &'a Principal,
    /// Through which tool.
    pub origin: &'a str,
    /// When the call began that may have read already; none where everything is read anew.
    pub begun: Option<Duration>,
}

/// Works out what a request means on one device. Reads its router, changes nothing.
pub trait Drafter: Send + Sync {
    /// The draft, or why there is none.
    fn draft<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Draft, Fault>>;

    /// Whether what a plan is to hold afterwards can be checked, and by this author.
    fn check(&self, _author: &Principal, _checks: &[Check]) -> Result<(), Fault> {
        Ok(())
    }
}

/// Every plan, and the jobs that work on them; clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(super) core: Arc<Core>,
    pub(super) drafter: Arc<dyn Drafter>,
    pub(super) key: ring::hmac::Key,
    pub(super) store_rolled_back: bool,
    pub(super) epoch: Option<Arc<Epoch>>,
}

impl Engine {
    /// Over the store; drives nothing before [`Engine::resume`].
    pub fn open(parts: Parts) -> Result<Engine, Fault> {
        let journal: Arc<dyn Journal> = Arc::new(parts.store.clone());
        Engine::open_on(parts, journal)
    }

    /// As `open`, with another way to the disk: for tests of what a crash leaves.
    pub fn open_on(parts: Parts, journal: Arc<dyn Journal>) -> Result<Engine, Fault> {
        let Parts { store, fleet, audit, clock, rules, seal, settings, tasks, stop, drafter, store_rolled_back } = parts;
        let key = approve::key(&seal);
        let vault = Vault::new(store.clone(), seal, clock.clone());
        let book = Book::new(store, journal, clock.clone(), fleet.bus().clone(), fleet.meter().clone());
        // Records of a newer build, or damaged ones, are told at start.
        book.count_guards()?;
        let core = Arc::new(Core::new(book, fleet, audit, clock, rules, vault, settings, tasks, stop));
        Ok(Engine { core, drafter, key, store_rolled_back, epoch: None })
    }

    /// From now on a store that is put back later is told from this one: the number goes up before each job.
    #[must_use]
    pub fn with_epoch(self, epoch: Arc<Epoch>) -> Engine {
        Engine { epoch: Some(epoch), ..self }
    }

    /// The key approvals of this appliance are signed with.
    pub fn approval_key(&self) -> &ring::hmac::Key {
        &self.key
    }

    /// Its limits and times.
    pub fn settings(&self) -> &Settings {
        &self.core.settings
    }

    /// A plan and its devices. Errs with `NotFound`.
    pub fn plan(&self, id: &PlanId) -> Result<(Plan, Vec<(Draft, Progress)>), Fault> {
        let plan = self.head(id)?;
        let devices = self.core.book.devices(&plan)?;
        Ok((plan, devices))
    }

    /// A plan without what was worked out for its devices: one read, however many those are. Errs with `NotFound`.
    pub fn head(&self, id: &PlanId) -> Result<Plan, Fault> {
        Ok(self.core.book.plan(id)?.as_of(self.core.clock.wall()))
    }

    /// Every plan, the newest first.
    pub fn list(&self) -> Result<Vec<Plan>, Fault> {
        let now = self.core.clock.wall();
        let mut plans: Vec<Plan> = self.core.book.plans()?.into_iter().map(|plan| plan.as_of(now)).collect();
        plans.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(plans)
    }

    /// Changes what is kept of a plan, e.g. adds an approval; `change` sees it as it is now and may be called again.
    pub async fn change(&self, id: &PlanId, change: impl FnMut(&mut Plan) -> Result<(), Fault>) -> Result<Plan, Fault> {
        self.core.book.change_plan(id, change).await
    }

    /// Starts a plan's job. Returns once it is started; [`Engine::wait`] sees how it ends.
    ///
    /// # Errors
    /// `Conflict` when approvals are missing, the draft is too old, or another plan has one of its devices.
    pub async fn apply(&self, who: &Principal, id: &PlanId) -> Result<(), Fault> {
        if !self.core.rules.applies_plans() {
            return Err(Fault::denied("applying plans is switched off here").hint("the operator can set mcp.enable_plan_apply"));
        }
        self.launch(who, id).await
    }

    /// Starts a job, whatever becomes of the caller: a call that is cancelled half-way must not leave a started plan without its job.
    pub(super) async fn launch(&self, who: &Principal, id: &PlanId) -> Result<(), Fault> {
        let (engine, who, id) = (self.clone(), who.clone(), id.clone());
        let started = self.core.tasks.spawn(async move { engine.begin(&who, &id).await });
        started.await.map_err(Fault::bug)?
    }

    async fn begin(&self, who: &Principal, id: &PlanId) -> Result<(), Fault> {
        let plan = self.core.book.plan(id)?;
        self.unsettled(&plan)?;
        if let Some(epoch) = &self.epoch {
            epoch.advance().await?;
        }
        let had = self.core.take(&plan)?;
        let started = self.start(who, id).await;
        match started {
            Ok(()) => self.spawn(id, false),
            // The job of another call may be the one that has the devices.
            Err(_) if had || self.core.book.plan(id).is_ok_and(|plan| plan.state == PlanState::Executing) => {}
            Err(_) => self.core.give_back(id),
        }
        started
    }

    async fn start(&self, who: &Principal, id: &PlanId) -> Result<(), Fault> {
        let now = self.core.clock.wall();
        let plan = self.core.book.plan(id)?;
        if plan.expires_at <= now && !plan.state.is_final() && plan.state != PlanState::Executing {
            self.core.book.change_plan(id, |plan| plan.happen(PlanEvent::Expire)).await?;
            return Err(Fault::new(Kind::Conflict, format!("{id} is older than a day")).hint("plan it anew"));
        }
        let started = Author::of(who, None);
        self.core
            .book
            .change_plan(id, |plan| {
                // That it is over comes before what it lacks.
                plan.state.step(PlanEvent::Start)?;
                approve::usable(plan, &self.key, now)?;
                plan.happen(PlanEvent::Start)?;
                plan.started_by = Some(started.clone());
                plan.started_at = Some(now);
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// Errs when an earlier plan may still act on one of the devices.
    fn unsettled(&self, plan: &Plan) -> Result<(), Fault> {
        self.unsettled_on(&plan.devices, Some(&plan.id))
    }

    pub(super) fn unsettled_on(&self, devices: &[DeviceId], but: Option<&PlanId>) -> Result<(), Fault> {
        for other in self.core.book.plans()?.iter().filter(|other| Some(&other.id) != but && other.state == PlanState::NeedsAttention) {
            for device in other.devices.iter().filter(|device| devices.contains(device)) {
                if self.core.book.progress(&other.id, device)?.state.is_live() {
                    return Err(Fault::new(Kind::Conflict, format!("{}: what became of {} there is not known yet", device, other.id))
                        .hint("wait until the router answers again, or look at it"));
                }
            }
        }
        Ok(())
    }

    pub(super) fn spawn(&self, id: &PlanId, after_restart: bool) {
        let (core, id) = (self.core.clone(), id.clone());
        self.core.tasks.spawn(async move {
            let _running = core.book.meter().job();
            let mut cut_off = after_restart.then_some(recover::RESTARTED);
            let (mut pause, mut said) = (AGAIN_FIRST, String::new());
            while let Err(fault) = job::run(&core, &id, cut_off).await {
                // Written down as far as it came; the next start goes on from there. The same is said once: the log may lie on the same disk.
                if fault.said != said {
                    tracing::error!(plan = %id, "its job stopped before its end: {}", fault.chain());
                    said.clone_from(&fault.said);
                }
                if fault.kind != Kind::Storage || core.stop.is_cancelled() {
                    break;
                }
                // Nobody else changes these routers meanwhile, and nobody waits for what may take days.
                core.stall(&id);
                core.book.moved().notify_waiters();
                tokio::select! {
                    biased;
                    () = core.stop.cancelled() => break,
                    () = core.clock.sleep(pause) => {}
                }
                core.unstall(&id);
                (cut_off, pause) = (Some(recover::UNWRITTEN), (pause * 2).min(AGAIN_MAX));
            }
            core.give_back(&id);
            core.book.moved().notify_waiters();
        });
    }
}
