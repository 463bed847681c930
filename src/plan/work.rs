//! One device of a plan while it is worked on: its records, its router, and the ways to ask it.
//!
//! What is about to be done is written down, on the disk, before it is done ([`Work::intend`]), and in the trail; what came of it
//! after. A crash in between finds the intent.

use crate::access::principal::Principal;
use crate::audit::{ClientInfo, Phase, Record, Who};
use crate::base::events::Event;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::tier::{Effect, Tier};
use crate::fleet::{Ask, Device, Fresh, Lane, Read as LaneRead, Said, Write};
use crate::plan::guard;
use crate::plan::hold::Core;
use crate::plan::record::{Draft, Intent, Plan, PlanId, Progress, Risk};
use crate::plan::rows::{self, Read};
use crate::plan::state::DeviceEvent;
use crate::routeros::value::span_ms;
use crate::routeros::{MenuPath, Query, Row};
use crate::store::Durability;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A direct write may rely on rows its own draft read this long ago.
const JUST_READ: Duration = Duration::from_secs(3);

/// By so much a router's clock may lag behind ours over the time a plan takes; none starts anew in less.
const BOOT_SLACK: Duration = Duration::from_secs(5);

/// Readings after the first, of rows whose text had to be mended.
const READINGS: usize = 3;

/// One device of a plan while it is worked on.
pub(crate) struct Work {
    pub core: Arc<Core>,
    pub plan: Plan,
    pub draft: Draft,
    pub progress: Progress,
    pub device: Arc<Device>,
    pub lane: Lane,
    /// In use instead of the lane once something may be wrong with its connection.
    pub fresh: Option<Fresh>,
    /// When the guard fires, by our monotonic clock; `None` without a guard or before it is known.
    pub fires: Option<Duration>,
    /// The `.id`s of our rows on the router, as far as we saw them made.
    pub ids: Ids,
    /// How the router was before anything was done.
    pub before: Option<Resource>,
    /// Devices outside of the plan that answered just before anything was done. Not in the records: after a restart nobody knows.
    pub witnesses: Vec<DeviceId>,
    /// Rows as the router showed them right after they were written. Not in the records: after a restart of ours only what was asked is
    /// known.
    pub shown: Vec<Shown>,
}

/// A row as the router showed it right after a step wrote it: it may spell a value otherwise than it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub step: usize,
    pub row: Row,
    /// When it was written, by our monotonic clock.
    pub at: Duration,
}

/// `.id`s of our rows on the router.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids {
    pub script: Option<String>,
    pub timer: Option<String>,
}

/// A router's load, percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vitals {
    pub cpu: Option<u8>,
    pub memory: Option<u8>,
}

/// From here on load is critical, percent: the marks of a router's health (`history::health`).
pub(crate) const CPU_CRITICAL: u8 = 90;
pub(crate) const MEMORY_CRITICAL: u8 = 92;

/// `/system/resource`, as far as it matters here.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub version: String,
    pub uptime_s: u64,
    pub vitals: Vitals,
}

impl Work {
    /// Opens the records of one device. Errs when they or the device are gone.
    pub fn open(core: &Arc<Core>, plan: &PlanId, device: &DeviceId) -> Result<Work, Fault> {
        let (plan, draft, progress) = (core.book.plan(plan)?, core.book.draft(plan, device)?, core.book.progress(plan, device)?);
        let device = core.fleet.get(device)?;
        let lane = core.fleet.lane(&device);
        Ok(Work {
            core: core.clone(),
            plan,
            draft,
            progress,
            device,
            lane,
            fresh: None,
            fires: None,
            ids: Ids::default(),
            before: None,
            witnesses: Vec::new(),
            shown: Vec::new(),
        })
    }

    /// A low risk that needs no guard: proven by one read afterwards.
    pub fn is_light(&self) -> bool {
        !self.draft.wants_guard() && self.draft.risk == Risk::Low
    }

    /// Writes to the record what `change` makes of it; on the disk when it returns.
    pub async fn note(&mut self, mut change: impl FnMut(&mut Progress)) -> Result<(), Fault> {
        let change = |progress: &mut Progress| {
            change(progress);
            Ok(())
        };
        self.progress = self.core.book.change(&self.plan.id, &self.draft.device, change).await?;
        Ok(())
    }

    /// Writes down what is about to be done, in the trail and in the record.
    pub async fn intend(&mut self, intent: Intent) -> Result<(), Fault> {
        self.intend_with(intent, |_| {}).await
    }

    /// As `intend`, with more to be written in the same stroke.
    pub async fn intend_with(&mut self, intent: Intent, mut more: impl FnMut(&mut Progress)) -> Result<(), Fault> {
        self.trail(verb(intent), Phase::Intent, "intent", None).await?;
        self.note(|progress| {
            progress.intent = Some(intent);
            more(progress);
        })
        .await
    }

    /// Writes down that it is done and what became of the device.
    pub async fn reach(&mut self, event: DeviceEvent) -> Result<(), Fault> {
        self.reach_with(event, |_| {}).await
    }

    /// As `reach`, with more to be written in the same stroke.
    pub async fn reach_with(&mut self, event: DeviceEvent, mut more: impl FnMut(&mut Progress)) -> Result<(), Fault> {
        let done = self.progress.intent;
        let change = |progress: &mut Progress| {
            progress.happen(event)?;
            progress.intent = None;
            more(progress);
            Ok(())
        };
        self.progress = self.core.book.change(&self.plan.id, &self.draft.device, change).await?;
        // Whoever keeps what was read from this router asks again.
        self.core.fleet.bus().tell(Event::Config(self.device.id.clone()));
        let state = self.progress.state.as_str();
        tracing::info!(plan = %self.plan.id, device = %self.device.name, state, "a device of a plan moved on");
        self.trail(done.map_or("plan.apply", verb), Phase::Done, state, self.progress.error.clone()).await
    }

    async fn trail(&self, tool: &'static str, phase: Phase, outcome: &str, error: Option<String>) -> Result<(), Fault> {
        let who = self.plan.started_by.as_ref().unwrap_or(&self.plan.author).principal();
        let arguments = json!({ "plan": self.plan.id.as_str(), "state": self.progress.state.as_str(), "error": error });
        let mut record = record(&who, &self.plan, tool, phase, outcome, arguments.to_string());
        record.device = Some(self.device.id.to_string());
        record.device_name = Some(self.device.name.clone());
        record.environment = Some(self.device.environment.as_str().to_owned());
        let durability = if phase == Phase::Intent { Durability::Now } else { Durability::Soon };
        self.core.audit.append(record, durability).await?;
        Ok(())
    }

    /// From now on over new connections: the lane's may be one that only lives on because it was there before.
    pub async fn renew(&mut self) -> Result<(), Fault> {
        self.fresh = None;
        self.fresh = Some(self.core.fleet.fresh(&self.device.id).await?);
        self.lane.forget();
        Ok(())
    }

    /// Rows of a menu, as they are now.
    pub async fn rows(&self, menu: &str, query: Query) -> Result<Vec<Row>, Fault> {
        self.rows_of_age(menu, query, Duration::ZERO).await
    }

    /// Rows with text that had to be mended count once two readings agree on it: a comment in another character set comes out the same
    /// each time; an answer that was damaged on its way does not, and in it our own row would look like somebody else's.
    async fn rows_of_age(&self, menu: &str, query: Query, max_age: Duration) -> Result<Vec<Row>, Fault> {
        let mut rows = self.one_reading(menu, query.clone(), max_age).await?;
        for _ in 0..READINGS {
            if rows::mended(&rows).is_empty() {
                return Ok(rows);
            }
            let again = self.one_reading(menu, query.clone(), Duration::ZERO).await?;
            if rows::mended(&again).is_empty() || rows::mended(&again) == rows::mended(&rows) {
                return Ok(again);
            }
            rows = again;
        }
        Err(Fault::new(Kind::Unreachable, format!("device \"{}\": {menu} reads differently each time", self.device.name))
            .hint("try again; if it stays so, look at the line to the router"))
    }

    /// Of this menu and no other's: in those, nothing of the plan would be on the router.
    async fn one_reading(&self, menu: &str, query: Query, max_age: Duration) -> Result<Vec<Row>, Fault> {
        let path = MenuPath::parse(menu)?;
        match &self.fresh {
            Some(fresh) => fresh.rows(path, query).await,
            None => Ok(self.lane.read_own(LaneRead { path, query, max_age }).await?.rows.to_vec()),
        }
    }

    /// Rows that prove something: over a connection whose other end proved who it is.
    pub async fn proof(&self, menu: &str, query: Query) -> Result<Vec<Row>, Fault> {
        if self.core.fleet.proves_rest(&self.device) {
            return self.rows(menu, query).await;
        }
        let fresh = match &self.fresh {
            Some(_) => None,
            None => Some(self.core.fleet.fresh(&self.device.id).await?),
        };
        let way = self.fresh.as_ref().or(fresh.as_ref()).expect("one of the two was just made");
        match way.rows_over_ssh(MenuPath::parse(menu)?, query).await {
            Some(answer) => answer,
            None => Err(unproven()),
        }
    }

    /// Changes the router.
    pub async fn write(&self, write: Write) -> Result<Vec<Row>, Fault> {
        let Some(fresh) = &self.fresh else { return Ok(self.lane.write(write).await?.rows.to_vec()) };
        let said = fresh.over_rest(Ask::Write(write)).await;
        self.lane.forget();
        match said? {
            Said::Rows(rows) => Ok(rows),
            _ => Ok(Vec::new()),
        }
    }

    /// The menus a draft is about, as they are now; a light change may rely on what its draft just read.
    pub async fn read(&self) -> Result<Read, Fault> {
        let max_age = if self.is_light() && self.progress.steps_done == 0 { JUST_READ } else { Duration::ZERO };
        let mut read = Read::default();
        for menu in rows::menus(&self.draft) {
            read.put(menu, self.rows_of_age(menu, Query::new(), max_age).await?);
        }
        Ok(read)
    }

    /// The router's version, uptime and load, as they are now.
    pub async fn resource(&self) -> Result<Resource, Fault> {
        resource(self.rows("/system/resource", Query::new()).await?.first())
    }

    /// Whether the router has not started anew since it showed what steps wrote: until then an `.id` is that row's alone.
    pub async fn is_same_boot(&self) -> bool {
        let Some(first) = self.shown.iter().map(|shown| shown.at).min() else { return true };
        let since = self.core.clock.mono().saturating_sub(first);
        self.resource().await.is_ok_and(|now| Duration::from_secs(now.uptime_s) + BOOT_SLACK >= since)
    }

    /// How long until the guard fires; `None` without one.
    pub fn left(&self) -> Option<Duration> {
        self.fires.map(|at| at.saturating_sub(self.core.clock.mono()))
    }

    /// How long the guard waits, from when it was armed.
    pub fn wait(&self) -> Duration {
        match (self.progress.armed_at, self.progress.fires_at) {
            (Some(armed), Some(fires)) => Duration::from_millis(fires.0.saturating_sub(armed.0).max(0) as u64),
            _ => guard::wait(&self.plan, &self.draft, &self.core.settings),
        }
    }

    /// The name of the guard's script and timer.
    pub fn guard_name(&self) -> String {
        guard::name(&self.plan.id)
    }
}

/// A record of the trail about a plan.
pub(crate) fn record(who: &Principal, plan: &Plan, tool: &str, phase: Phase, outcome: &str, arguments: String) -> Record {
    Record {
        environment: Some(plan.environment.as_str().into()),
        plan_id: Some(plan.id.to_string()),
        job_id: Some(plan.id.to_string()),
        risk: Some(plan.risk.as_str().into()),
        ..blank(who, tool, phase, outcome, arguments)
    }
}

/// A record of the trail about a change of a router, and nothing else said of it.
pub(crate) fn blank(who: &Principal, tool: &str, phase: Phase, outcome: &str, arguments: String) -> Record {
    Record {
        principal: Who { issuer: who.issuer.clone(), subject: who.subject.clone(), name: who.name.clone(), role: who.role.as_str().into() },
        client: ClientInfo { name: who.client.name.clone(), version: who.client.version.clone(), address: who.client.address.clone() },
        tier: Tier::Professional,
        effect: Effect::Changes,
        phase,
        outcome: outcome.into(),
        ..Record::of_appliance(tool, arguments)
    }
}

fn verb(intent: Intent) -> &'static str {
    match intent {
        Intent::Arm => "plan.arm",
        Intent::Apply(_) => "plan.apply",
        Intent::Verify => "plan.verify",
        Intent::Confirm => "plan.confirm",
        Intent::RollBack | Intent::AwaitFire => "plan.roll_back",
        Intent::Clean => "plan.clean",
    }
}

/// What `/system/resource` says. Seconds after boot its answer can be another menu's: expected attributes must be there.
pub(crate) fn resource(row: Option<&Row>) -> Result<Resource, Fault> {
    let parsed = row.and_then(|row| {
        let number = |name: &str| row.get(name).and_then(|text| text.parse::<u64>().ok());
        let memory = match (number("free-memory"), number("total-memory")) {
            (Some(free), Some(total)) if total > 0 => Some((total.saturating_sub(free).min(total) * 100 / total) as u8),
            _ => None,
        };
        Some(Resource {
            version: row.get("version")?.to_owned(),
            uptime_s: row.get("uptime").and_then(span_ms)? / 1_000,
            vitals: Vitals { cpu: number("cpu-load").map(|load| load.min(100) as u8), memory },
        })
    });
    parsed.ok_or_else(|| {
        Fault::new(Kind::Unreachable, "the router answers, but does not say its version and uptime; it may be starting")
            .hint("try again in half a minute")
    })
}

/// No way to prove what stands on the router.
pub(crate) fn unproven() -> Fault {
    Fault::new(Kind::Conflict, "nothing read over this connection is proof: REST has no verified TLS here and SSH is not in use")
        .hint("pin the router's certificate or set up SSH, or have the plan approved with unguarded: true")
}
