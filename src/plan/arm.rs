//! Arm: the router gets its own undo and a timer, and both are read back before anything else is done.
//!
//! Two timers where both can be had: a scheduler entry, which outlives a reboot, and a waiting job, which works where device-mode
//! forbids the scheduler. One that does not read back as it was sent is no guard and is taken away again. Two appliances that arm
//! the same router at the same moment see each other's script; the one that was there first stays.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::fleet::Write;
use crate::plan::guard::{self, JOBS, SCRIPTS, TIMERS};
use crate::plan::record::{Guard, GuardKind, Intent};
use crate::plan::settle;
use crate::plan::state::DeviceEvent;
use crate::plan::work::{Work, unproven};
use crate::routeros::value::date::{Date, date};
use crate::routeros::{MenuPath, Query, Row};
use std::collections::BTreeSet;
use std::time::Duration;

/// Why there is no guard.
pub(super) enum NotArmed {
    /// None can be had on this router; nothing of ours is left there.
    NoGuard(Fault),
    /// Not now: another is at it, or the router does not answer. Nothing of ours is left there.
    Refused(Fault),
    /// What was put there may still be there.
    Unclear(Fault),
}

impl From<Fault> for NotArmed {
    fn from(fault: Fault) -> Self {
        NotArmed::Refused(fault)
    }
}

/// What came of the three writes.
struct Sent {
    timer: Result<(), String>,
    job: Result<String, String>,
}

/// Puts the guard up and proves it.
pub(super) async fn arm(work: &mut Work) -> Result<(), NotArmed> {
    let policies = guard::policies(&work.draft);
    let missing = guard::missing(&policies, &work.device);
    if !missing.is_empty() {
        return Err(none(work, &format!("our user on the router lacks the policy {}", missing.join(", "))));
    }
    if !work.core.fleet.proves_rest(&work.device) && !work.device.facts.can.ssh {
        return Err(NotArmed::NoGuard(unproven()));
    }
    let wait = guard::wait(&work.plan, &work.draft, &work.core.settings);
    let (now, uptime) = (work.core.clock.wall(), work.before.as_ref().map(|before| before.uptime_s));
    let granted = work.plan.confirm_timeout_s;
    work.intend_with(Intent::Arm, |progress| {
        progress.armed_at = Some(now);
        progress.fires_at = Some(Wall(now.0 + wait.as_millis() as i64));
        progress.uptime_at_arm_s = uptime;
        progress.granted_s = granted;
    })
    .await?;
    // Counted from before it is sent: the router fires later than this, never earlier.
    let fires = work.core.clock.mono() + wait;
    let proven = match send(work, &policies, wait).await {
        Ok(sent) => prove(work, &policies, wait, sent).await,
        Err(why) => Err(why),
    };
    match proven {
        Ok(guards) => {
            work.fires = Some(fires);
            Ok(work.reach_with(DeviceEvent::Arm, |progress| progress.guards.clone_from(&guards)).await?)
        }
        Err(why) => match settle::clean(work).await {
            Ok(()) => Err(why),
            Err(left) => Err(NotArmed::Unclear(left)),
        },
    }
}

fn none(work: &Work, why: &str) -> NotArmed {
    NotArmed::NoGuard(no_guard(work, why))
}

/// Why no guard can be had here.
pub(super) fn no_guard(work: &Work, why: &str) -> Fault {
    Fault::new(Kind::Conflict, format!("device \"{}\": no guard can be armed: {why}", work.device.name))
        .hint("nothing was changed; a plan with unguarded: true may be approved to run without one")
}

async fn send(work: &mut Work, policies: &BTreeSet<&'static str>, wait: Duration) -> Result<Sent, NotArmed> {
    let name = work.guard_name();
    let policy = policies.iter().copied().collect::<Vec<_>>().join(",");
    let values = pairs(&[("name", &name), ("policy", &policy), ("source", &work.draft.inverse)]);
    let script = work.write(Write::Add { path: MenuPath::parse(SCRIPTS).map_err(Fault::from)?, values }).await;
    match script {
        Ok(rows) => work.ids.script = id_of(&rows),
        // The answer was lost: whether it is there is read back.
        Err(fault) if fault.kind == Kind::UnknownOutcome => {}
        Err(fault) if matches!(fault.kind, Kind::Unreachable | Kind::Busy) => return Err(fault.into()),
        Err(fault) => return Err(none(work, &fault.said)),
    }
    let timer = add_timer(work, &name, &name, &policy, wait).await;
    let timer = timer.map(|id| work.ids.timer = id);
    let job = match start_job(work, &name, wait, timer.is_ok()).await {
        // It may run, and nobody could take it away: it would fire at this time whatever more time a person is given.
        Err(fault) if fault.kind == Kind::UnknownOutcome => return Err(fault.into()),
        job => job.map_err(|fault| fault.said),
    };
    if let Ok(id) = &job {
        let id = id.clone();
        work.note(|progress| progress.guards = vec![job_guard(&name, &id, false)]).await?;
    }
    Ok(Sent { timer, job })
}

/// Adds a scheduler entry that runs `script` after `wait`; its `.id` where the router says it.
pub(super) async fn add_timer(work: &Work, name: &str, script: &str, policy: &str, wait: Duration) -> Result<Option<String>, String> {
    let comment = guard::comment(&work.plan.id);
    let interval = format!("{}s", wait.as_secs());
    // Never a time of the day: routers without a battery wake up in the past.
    let values = pairs(&[
        ("name", name),
        ("start-time", "startup"),
        ("interval", &interval),
        ("on-event", script),
        ("policy", policy),
        ("comment", &comment),
    ]);
    let path = MenuPath::parse(TIMERS).map_err(|error| error.to_string())?;
    match work.write(Write::Add { path, values }).await {
        Ok(rows) => Ok(id_of(&rows)),
        Err(fault) if fault.kind == Kind::UnknownOutcome => Ok(None),
        Err(fault) => Err(fault.said),
    }
}

/// Starts the waiting job; its `.id`.
pub(super) async fn start_job(work: &Work, name: &str, wait: Duration, beside_timer: bool) -> Result<String, Fault> {
    let rows = work.write(Write::Start { source: guard::job_source(name, wait, beside_timer) }).await?;
    let id = rows.first().and_then(|row| row.get("ret")).map(str::to_owned);
    id.ok_or_else(|| Fault::new(Kind::Rejected, "it has no number"))
}

pub(super) fn job_guard(name: &str, id: &str, proven: bool) -> Guard {
    Guard { kind: GuardKind::Execute, name: name.to_owned(), job: Some(id.to_owned()), proven }
}

async fn prove(work: &mut Work, policies: &BTreeSet<&'static str>, wait: Duration, sent: Sent) -> Result<Vec<Guard>, NotArmed> {
    let name = work.guard_name();
    prove_script(work, &name, policies).await?;
    let jobs = work.proof(JOBS, Query::new()).await?;
    let mut why: Vec<String> = Vec::new();
    let mut guards: Vec<Guard> = Vec::new();
    match timer_holds(work, &name, &name, policies, wait, &jobs, sent.job.as_ref().ok()).await? {
        Ok(id) => {
            work.ids.timer = Some(id);
            guards.push(Guard { kind: GuardKind::Scheduler, name: name.clone(), job: None, proven: true });
        }
        Err(wrong) => {
            why.push(format!("scheduler: {}", sent.timer.err().unwrap_or(wrong)));
            remove_timers(work, &name).await?;
            work.ids.timer = None;
        }
    }
    match sent.job {
        Ok(id) if jobs.iter().any(|job| job.id() == Some(id.as_str())) => guards.push(job_guard(&name, &id, true)),
        Ok(_) => why.push("job: it does not run".into()),
        Err(wrong) => why.push(format!("job: {wrong}")),
    }
    if guards.is_empty() {
        return Err(none(work, &why.join("; ")));
    }
    for why in why {
        tracing::warn!(device = %work.device.name, plan = %work.plan.id, "only one guard: {why}");
    }
    Ok(guards)
}

async fn prove_script(work: &mut Work, name: &str, policies: &BTreeSet<&'static str>) -> Result<(), NotArmed> {
    let columns = ["name", "policy", "source", "invalid", "dont-require-permissions"];
    let scripts = work.proof(SCRIPTS, Query::new().columns(columns)).await?;
    let Some(ours) = scripts.iter().find(|row| row.get("name") == Some(name)) else {
        return Err(none(work, "the script is not there after it was added"));
    };
    if let Some(wrong) = guard::script_is_wrong(ours, &work.draft.inverse, policies) {
        return Err(none(work, &format!("the script: {wrong}")));
    }
    let age = |row: &Row| row.id().and_then(guard::age_of).unwrap_or(u64::MAX);
    let others = scripts.iter().filter(|row| row.get("name").is_some_and(|other| other != name && guard::digits_of(other).is_some()));
    if let Some(first) = others.min_by_key(|row| age(row)).filter(|row| age(row) < age(ours)) {
        let other = first.get("name").and_then(guard::digits_of).unwrap_or_default().to_owned();
        let fault = Fault::new(Kind::Conflict, format!("device \"{}\": plan-{other} is being applied there already", work.device.name));
        return Err(fault.hint("nothing was changed; wait until it has ended, or ask who else looks after this router").into());
    }
    work.ids.script = ours.id().map(str::to_owned);
    Ok(())
}

/// The `.id` of a timer that will fire in time, or why it will not.
pub(super) async fn timer_holds(
    work: &Work,
    name: &str,
    script: &str,
    policies: &BTreeSet<&'static str>,
    wait: Duration,
    jobs: &[Row],
    job: Option<&String>,
) -> Result<Result<String, String>, Fault> {
    let timers = work.proof(TIMERS, Query::new().eq("name", name)).await?;
    let Some(ours) = timers.first() else { return Ok(Err("it is not there after it was added".into())) };
    if let Some(wrong) = guard::timer_is_wrong(ours, script, wait, policies) {
        return Ok(Err(wrong));
    }
    let Some(next_run) = ours.get("next-run") else { return Ok(Err("the router does not say when it fires".into())) };
    let left = guard::until(next_run, &router_time(work, jobs, job).await?);
    if !guard::is_in_time(left, wait) {
        return Ok(Err("it would fire too late".into()));
    }
    Ok(ours.id().map(str::to_owned).ok_or_else(|| "it has no id".into()))
}

/// What the router's clock says: a job that was started a moment ago tells, and spares a question.
async fn router_time(work: &Work, jobs: &[Row], job: Option<&String>) -> Result<String, Fault> {
    let started = jobs.iter().find(|row| row.id().is_some() && row.id() == job.map(String::as_str)).and_then(|row| row.get("started"));
    if let Some(started) = started.filter(|text| matches!(date(text), Some(Date::At(..)))) {
        return Ok(started.to_owned());
    }
    let clock = work.proof("/system/clock", Query::new()).await?;
    let part = |name: &str| clock.first().and_then(|row| row.get(name)).unwrap_or_default().to_owned();
    Ok(format!("{} {}", part("date"), part("time")))
}

/// Takes every timer of this name away, whatever it is.
pub(super) async fn remove_timers(work: &Work, name: &str) -> Result<(), Fault> {
    for row in work.rows(TIMERS, Query::new().eq("name", name)).await? {
        if let Some(id) = row.id() {
            work.write(Write::Remove { path: MenuPath::parse(TIMERS)?, id: id.to_owned() }).await?;
        }
    }
    Ok(())
}

fn id_of(rows: &[Row]) -> Option<String> {
    rows.first().and_then(Row::id).map(str::to_owned)
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
