//! The engine: drives plans through their steps and owns nothing about RouterOS.
//!
//! A plan is only ever named by its id: no step relies on a connection or a session. Jobs run in the appliance's task set; what they
//! do is written down before and after, so that [`Engine::resume`] goes on from any point.

use crate::access::policy::{Rules, within};
use crate::access::principal::Principal;
use crate::audit::Audit;
use crate::base::clock::{Clock, Wall};
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::tier::Environment;
use crate::fleet::{Device, Fleet};
use crate::plan::book::{Book, Journal};
use crate::plan::config::{CONFIRM_MAX, CONFIRM_MIN, DRAFT_LIFE, Settings};
use crate::plan::edit::{Check, Confirm, Edit, MAX_REASON, OnFailure, Request, Select};
use crate::plan::job::{self, Tally};
use crate::plan::record::{Author, Cut, Draft, Halt, Pace, Plan, PlanId, Progress, Risk};
use crate::plan::state::{DeviceEvent, DeviceState, Ending, PlanEvent, PlanState};
use crate::plan::sweep::{self, Swept};
use crate::plan::work::Core;
use crate::plan::{approve, digest, recover, secrets};
use crate::routeros::value;
use crate::store::{Epoch, Seal, Store, Vault};
use futures_util::future::{BoxFuture, try_join_all};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Devices drafted side by side.
const DRAFTS_AT_ONCE: usize = 8;
/// How long a caller who asks for more time waits to hear whether the router keeps it.
const EXTEND_PATIENCE: Duration = Duration::from_secs(60);

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
    drafter: Arc<dyn Drafter>,
    pub(super) key: ring::hmac::Key,
    store_rolled_back: bool,
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
        let book = Book::new(store, journal, clock.clone(), fleet.bus().clone());
        // Records of a newer build, or damaged ones, are told at start.
        book.plans()?;
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

    /// Works a request out on every device it names, and keeps it as a draft. Changes nothing on any router.
    ///
    /// # Errors
    /// What is wrong with the request, or with the first device it cannot be drafted on.
    pub async fn create(&self, who: &Principal, request: Request, origin: &str) -> Result<PlanId, Fault> {
        self.create_for(who, None, request, origin).await
    }

    /// As `create`, with the person behind the caller, where one is known: nobody approves their own plans by another name.
    pub async fn create_for(&self, who: &Principal, person: Option<String>, request: Request, origin: &str) -> Result<PlanId, Fault> {
        let (plan, drafts) = self.drafted(who, person, request, origin).await?;
        self.core.book.create(&plan, &drafts).await?;
        Ok(plan.id)
    }

    /// A plan as it would be kept.
    pub(super) async fn drafted(
        &self,
        who: &Principal,
        person: Option<String>,
        request: Request,
        origin: &str,
    ) -> Result<(Plan, Vec<Draft>), Fault> {
        request.check()?;
        self.drafter.check(who, &request.verify)?;
        let (devices, environment) = self.devices(who, &request)?;
        let timeout = self.confirm_timeout(&request)?;
        let pace = self.pace(&request)?;
        let id = PlanId::random();
        let mut drafts: Vec<Draft> = Vec::with_capacity(devices.len());
        for some in devices.chunks(DRAFTS_AT_ONCE) {
            let asks = some.iter().map(|device| self.drafter.draft(Ask { plan: &id, device, edits: &request.edits, author: who, origin }));
            drafts.extend(try_join_all(asks).await?);
        }
        let risk = drafts.iter().map(|draft| draft.risk).max().unwrap_or(Risk::Low);
        let cut = drafts.iter().map(|draft| draft.cut).max().unwrap_or(Cut::No);
        if risk == Risk::Extreme && !self.core.settings.allow_extreme {
            return Err(
                Fault::denied("this is of extreme risk, and such plans are off here").hint("the operator can set plan.allow_extreme")
            );
        }
        let confirm = request.confirm.unwrap_or(if risk >= Risk::High && cut != Cut::No { Confirm::Manual } else { Confirm::Auto });
        let now = self.core.clock.wall();
        let mut reasons: Vec<String> = Vec::new();
        drafts.iter().flat_map(|draft| &draft.cut_reasons).for_each(|why| {
            if !reasons.contains(why) {
                reasons.push(why.clone());
            }
        });
        let mut plan = Plan {
            id: id.clone(),
            reason: request.reason.clone(),
            origin: origin.to_owned(),
            author: Author::of(who, person),
            environment,
            request: serde_json::to_string(&request).map_err(Fault::bug)?,
            created_at: now,
            expires_at: Wall(now.0 + DRAFT_LIFE.as_millis() as i64),
            state: PlanState::Draft,
            risk,
            cut,
            cut_reasons: reasons,
            digest: [0; 32],
            needed: approve::needed(risk, cut, environment, request.unguarded),
            approvals: Vec::new(),
            confirm,
            confirm_timeout_s: timeout.as_secs() as u32,
            verify: request.verify.clone(),
            pace,
            unguarded: request.unguarded,
            devices: devices.iter().map(|device| device.id.clone()).collect(),
            started_by: None,
            started_at: None,
            ended_at: None,
            why_ended: None,
            halt: None,
        };
        plan.digest = digest::of(&plan, &drafts);
        Ok((plan, drafts))
    }

    fn devices(&self, who: &Principal, request: &Request) -> Result<(Vec<Arc<Device>>, Environment), Fault> {
        let visible = |device: &Device| within(&who.limits.devices, &device.traits());
        let mut devices: Vec<Arc<Device>> = Vec::new();
        for wanted in &request.devices {
            let device = self.core.fleet.find_among(wanted, visible)?;
            if devices.iter().any(|known| known.id == device.id) {
                return Err(Fault::bad_input(format!("devices: \"{}\" is named twice", device.name)));
            }
            devices.push(device);
        }
        if let Some(select) = &request.select {
            let all = self.core.fleet.list();
            let tags = tags(select)?;
            let environment =
                select.environment.as_deref().map(|word| word.parse::<Environment>().map_err(Fault::bad_input)).transpose()?;
            devices.extend(all.into_iter().filter(|device| {
                visible(device)
                    && environment.is_none_or(|environment| device.environment == environment)
                    && tags.iter().all(|tag| device.tags.contains(tag))
            }));
        }
        let most = self.core.settings.max_devices;
        let Some(first) = devices.first() else {
            return Err(Fault::bad_input("select: no device fits").hint("device.list shows names and tags"));
        };
        if devices.len() > most {
            return Err(Fault::bad_input(format!("{} devices are too many for one plan (at most {most})", devices.len())));
        }
        let environment = first.environment;
        if let Some(other) = devices.iter().find(|device| device.environment != environment) {
            return Err(Fault::bad_input(format!("\"{}\" and \"{}\" are of different environments", first.name, other.name)));
        }
        Ok((devices, environment))
    }

    fn confirm_timeout(&self, request: &Request) -> Result<Duration, Fault> {
        let Some(text) = &request.confirm_timeout else { return Ok(self.core.settings.confirm_timeout) };
        let span = value::span(text).filter(|span| (CONFIRM_MIN..=CONFIRM_MAX).contains(span));
        span.ok_or_else(|| Fault::bad_input("confirm_timeout: from 30s to 1h, e.g. 10m"))
    }

    fn pace(&self, request: &Request) -> Result<Pace, Fault> {
        let settings = &self.core.settings;
        let batch = request.batch.as_ref();
        let size = batch.and_then(|batch| batch.size).unwrap_or(settings.batch_size);
        let canary = batch.and_then(|batch| batch.canary).unwrap_or(1);
        if !(1..=50).contains(&size) || canary > 50 {
            return Err(Fault::bad_input("batch: size is 1 to 50, canary 0 to 50"));
        }
        let pause = match batch.and_then(|batch| batch.pause.as_deref()) {
            None => settings.batch_pause,
            Some(text) => value::span(text)
                .filter(|span| *span <= Duration::from_secs(3_600))
                .ok_or_else(|| Fault::bad_input("batch.pause: from 0s to 1h, e.g. 60s"))?,
        };
        let on_failure = batch.and_then(|batch| batch.on_failure).unwrap_or(OnFailure::Stop);
        Ok(Pace { size, canary, pause_s: pause.as_secs() as u32, on_failure })
    }

    /// A plan and its devices. Errs with `NotFound`.
    pub fn plan(&self, id: &PlanId) -> Result<(Plan, Vec<(Draft, Progress)>), Fault> {
        let plan = self.core.book.plan(id)?;
        let devices = self.core.book.devices(&plan)?;
        Ok((plan, devices))
    }

    /// Every plan, the newest first.
    pub fn list(&self) -> Result<Vec<Plan>, Fault> {
        let mut plans = self.core.book.plans()?;
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
        if !self.core.rules.plan_apply {
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
        self.core.take(&plan)?;
        let started = self.start(who, id).await;
        match started {
            Ok(()) => self.spawn(id, false),
            // The job of an earlier call may be the one that has the devices.
            Err(_) if self.core.book.plan(id)?.state == PlanState::Executing => {}
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

    fn spawn(&self, id: &PlanId, after_restart: bool) {
        let (core, id) = (self.core.clone(), id.clone());
        self.core.tasks.spawn(async move {
            if let Err(fault) = job::run(&core, &id, after_restart).await {
                // Written down as far as it came; the next start goes on from there.
                tracing::error!(plan = %id, "its job stopped before its end: {}", fault.chain());
            }
            core.give_back(&id);
            core.book.moved().notify_waiters();
        });
    }

    /// Waits until a plan is over or waits for a person, at most so long; answers how it stands.
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

    /// Forgets plans that were over before `until`. Answers how many went.
    pub async fn forget(&self, until: Wall) -> Result<usize, Fault> {
        self.core.book.forget(until).await
    }

    fn is_settled(&self, id: &PlanId) -> Result<bool, Fault> {
        let (plan, devices) = self.plan(id)?;
        if plan.state != PlanState::Executing {
            return Ok(true);
        }
        let live: Vec<&Progress> = devices.iter().map(|(_, progress)| progress).filter(|progress| progress.state.is_live()).collect();
        let waits = |progress: &&Progress| {
            let is_open = progress.fires_at.is_some() && progress.intent.is_none();
            progress.state == DeviceState::Verified && is_open && !progress.keep_asked && progress.undo_asked.is_none()
        };
        Ok(plan.confirm == Confirm::Manual && !live.is_empty() && live.iter().all(waits))
    }

    /// Says that a manual plan's change stays, on every device that waits for it.
    ///
    /// # Errors
    /// `Conflict` when none waits: not verified yet, or undone already.
    pub async fn confirm(&self, _who: &Principal, id: &PlanId) -> Result<(), Fault> {
        let (plan, devices) = self.plan(id)?;
        let waiting = waiting(&plan, &devices)?;
        for progress in waiting {
            self.core
                .book
                .change(id, &progress.device, |progress| {
                    if progress.state != DeviceState::Verified || progress.undo_asked.is_some() {
                        return Err(Fault::new(Kind::Conflict, format!("{id}: it is being undone already")));
                    }
                    progress.keep_asked = true;
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    /// Gives a manual plan more time; answers when the first of its guards fires now.
    ///
    /// # Errors
    /// `Conflict` when no device waits or a router does not keep the new time; `BadInput` beyond an hour in all.
    pub async fn extend(&self, _who: &Principal, id: &PlanId, by: Duration) -> Result<Wall, Fault> {
        let (plan, devices) = self.plan(id)?;
        let waiting: Vec<DeviceId> = waiting(&plan, &devices)?.into_iter().map(|progress| progress.device.clone()).collect();
        let mut first: Option<Wall> = None;
        for device in &waiting {
            let before = self.core.book.progress(id, device)?;
            let total = u64::from(before.granted_s) + by.as_secs();
            if by.is_zero() || total > CONFIRM_MAX.as_secs() {
                return Err(Fault::bad_input("extend: a router waits an hour in all at most"));
            }
            self.core
                .book
                .change(id, device, |progress| {
                    progress.granted_s = total as u32;
                    Ok(())
                })
                .await?;
            let handled = self.until(|engine| {
                let now = engine.core.book.progress(id, device)?;
                Ok(now.fires_at != before.fires_at || u64::from(now.granted_s) != total || now.state != DeviceState::Verified)
            });
            tokio::time::timeout(EXTEND_PATIENCE, handled)
                .await
                .map_err(|_| Fault::new(Kind::Busy, format!("{id}: the router has not said yet whether it waits longer")))??;
            let now = self.core.book.progress(id, device)?;
            if u64::from(now.granted_s) != total || now.state != DeviceState::Verified {
                let why = now.error.unwrap_or_else(|| "it is being undone already".into());
                return Err(Fault::new(Kind::Conflict, format!("{id}: no more time: {why}")));
            }
            first = [first, now.fires_at].into_iter().flatten().min();
        }
        Ok(first.unwrap_or_else(|| self.core.clock.wall()))
    }

    /// Takes a plan that is being applied back, on every device that holds it; none is begun any more.
    ///
    /// # Errors
    /// `Conflict` when it is not being applied: what is confirmed is taken back by another plan.
    pub async fn roll_back(&self, _who: &Principal, id: &PlanId, reason: &str) -> Result<(), Fault> {
        let reason = reason_of(reason)?;
        self.halt(id, &reason, true).await?;
        for device in self.core.book.plan(id)?.devices {
            self.core
                .book
                .change(id, &device, |progress| {
                    if progress.state.is_live() && progress.undo_asked.is_none() {
                        progress.undo_asked = Some(reason.clone());
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    async fn halt(&self, id: &PlanId, why: &str, roll_back: bool) -> Result<(), Fault> {
        self.core
            .book
            .change_plan(id, |plan| {
                if plan.state != PlanState::Executing {
                    return Err(Fault::new(
                        Kind::Conflict,
                        format!("{id} is {}, not being applied", plan.state.as_str().replace('_', " ")),
                    )
                    .hint("what is confirmed is taken back by another plan"));
                }
                let halt = plan.halt.get_or_insert_with(|| Halt { why: why.to_owned(), roll_back });
                halt.roll_back |= roll_back;
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// Takes a draft back; a plan that is being applied begins no further device.
    ///
    /// # Errors
    /// `Conflict` when it is over.
    pub async fn cancel(&self, _who: &Principal, id: &PlanId, reason: &str) -> Result<(), Fault> {
        let reason = reason_of(reason)?;
        if self.core.book.plan(id)?.state == PlanState::Executing {
            return self.halt(id, &reason, false).await;
        }
        self.finish(id, PlanEvent::Cancel, &reason).await
    }

    /// A person says no.
    ///
    /// # Errors
    /// `BadInput` without a reason, `Conflict` when it is being applied or over.
    pub async fn refuse(&self, _who: &Principal, id: &PlanId, reason: &str) -> Result<(), Fault> {
        let reason = reason_of(reason)?;
        if reason.is_empty() {
            return Err(Fault::bad_input("refusing needs a reason: its author reads it"));
        }
        self.finish(id, PlanEvent::Refuse, &reason).await
    }

    async fn finish(&self, id: &PlanId, event: PlanEvent, why: &str) -> Result<(), Fault> {
        let now = self.core.clock.wall();
        self.core
            .book
            .change_plan(id, |plan| {
                plan.happen(event)?;
                plan.ended_at = Some(now);
                plan.why_ended = (!why.is_empty()).then(|| why.to_owned());
                Ok(())
            })
            .await?;
        Ok(())
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
                PlanState::Executing => {
                    self.core.take(&plan)?;
                    self.spawn(&plan.id, true);
                }
                PlanState::Draft | PlanState::Approved if self.store_rolled_back && !plan.approvals.is_empty() => self.void(&plan).await?,
                _ => {}
            }
        }
        self.expire().await?;
        self.look_again()?;
        self.settle_logins(true)?;
        if let Some(epoch) = &self.epoch {
            // What an older store means has been dealt with.
            epoch.advance().await?;
        }
        Ok(())
    }

    /// The store is older than the routers: nobody knows what was done since. A person has to look; nothing is driven.
    async fn hand_over(&self, plan: &Plan) -> Result<(), Fault> {
        let why = "the store was restored or rolled back while this was being applied";
        for device in &plan.devices {
            self.core
                .book
                .change(&plan.id, device, |progress| {
                    if progress.state.is_live() {
                        progress.happen(DeviceEvent::Disagree)?;
                        progress.error = Some(why.into());
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
                self.finish(&plan.id, PlanEvent::Expire, "nobody ran it within a day").await?;
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
    for device in unknown {
        recover::go_on(core, id, device).await?;
    }
    let devices = core.book.devices(&core.book.plan(id)?)?;
    let states: Vec<(Draft, DeviceState)> = devices.iter().map(|(draft, progress)| (draft.clone(), progress.state)).collect();
    secrets::settle(core, &states).await;
    let ending = Ending::of(devices.iter().map(|(_, progress)| progress.state));
    if ending != Ending::NeedsAttention {
        core.book.change_plan(id, |plan| plan.happen(PlanEvent::Settle(ending))).await?;
    }
    Ok(())
}

/// The devices of a plan that wait for a person.
fn waiting<'a>(plan: &Plan, devices: &'a [(Draft, Progress)]) -> Result<Vec<&'a Progress>, Fault> {
    let conflict = |why: &str| Err(Fault::new(Kind::Conflict, format!("{}: {why}", plan.id)).hint("plan.get shows where it stands"));
    if plan.state != PlanState::Executing {
        return conflict(&format!("it is {}", plan.state.as_str().replace('_', " ")));
    }
    if plan.confirm == Confirm::Auto {
        return conflict("it confirms itself");
    }
    let waits = |progress: &&Progress| {
        progress.state == DeviceState::Verified
            && progress.undo_asked.is_none()
            && !matches!(progress.intent, Some(intent) if intent != crate::plan::record::Intent::Confirm)
    };
    let waiting: Vec<&Progress> = devices.iter().map(|(_, progress)| progress).filter(waits).collect();
    if waiting.is_empty() { conflict("no device waits for a confirmation now") } else { Ok(waiting) }
}

pub(super) fn reason_of(reason: &str) -> Result<String, Fault> {
    if reason.chars().count() > MAX_REASON {
        return Err(Fault::bad_input(format!("reason: longer than {MAX_REASON} characters")));
    }
    Ok(reason.trim().to_owned())
}

/// `{"site": "north"}` or `["site=north"]`.
fn tags(select: &Select) -> Result<Vec<(String, String)>, Fault> {
    let wrong = || Fault::bad_input("select.tags: {\"KEY\": \"VALUE\"} or [\"KEY=VALUE\"]");
    match &select.tags {
        Value::Null => Ok(Vec::new()),
        Value::Object(map) => map.iter().map(|(key, value)| Ok((key.clone(), value.as_str().ok_or_else(wrong)?.to_owned()))).collect(),
        Value::Array(list) => list
            .iter()
            .map(|word| {
                let (key, value) = word.as_str().and_then(|word| word.split_once('=')).ok_or_else(wrong)?;
                Ok((key.to_owned(), value.to_owned()))
            })
            .collect(),
        _ => Err(wrong()),
    }
}
