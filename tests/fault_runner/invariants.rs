//! What must hold once a burst is over and everything has settled.
//!
//! | invariant | judged by |
//! |---|---|
//! | no unrecorded change | each change a router was sent falls between an intent of its plan in the trail and its end; each row that differs is of a plan that the records say is kept |
//! | records are true | a plan that is kept is on the router, one that is not is not; nobody was promised otherwise |
//! | no leftover guard | no script, timer or job of ours on any router |
//! | audit verifies | the chain holds and grows |
//! | no canary leaks | answers, trail, log, alerts, metrics and what routers are sent hold no secret |
//! | no stuck lane | each router is read and changed at once; no plan runs on; alerts are delivered; the provider's tokens work |
//! | back to rest | no task, request or connection more than before |

use super::clients::{Heard, Promise};
use super::scenario::{Act, Change, ROUTERS};
use super::stage::{Running, Stage, TRIES};
use super::witness::Sent;
use crate::plan_rig::difference;
use routeros_mcp::audit::{self, Filter, Phase, Stored};
use routeros_mcp::plan::record::{Draft, PlanId, Progress};
use routeros_mcp::plan::state::{DeviceState, PlanState};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// A plan, its state, and each of its devices.
type Stood = (PlanId, PlanState, Vec<(Draft, Progress)>);

/// Longer than any guard, breaker or pause lasts.
const LONG: Duration = Duration::from_secs(2 * 3_600);
/// Looks at routers of which nobody knew how they were.
const SWEEPS: u32 = 12;
/// How long one of them may take (the machine's time).
const LOOK: Duration = Duration::from_secs(5);
/// Longer than a router is left alone that did not answer.
const BREAKER: Duration = Duration::from_secs(31);
/// Connections a router may see at rest: two ways, and what a health reading opened.
const CONNECTIONS: usize = 8;

/// What stands where the first burst writes.
const BEFORE: &str = "before-all-z";

/// What is known from the bursts before.
#[derive(Default)]
pub struct Known {
    plans: BTreeSet<String>,
    rows: Vec<BTreeMap<String, Vec<String>>>,
    /// Tags of one-of-a-kind values that may be replaced, by router.
    standing: Vec<BTreeSet<String>>,
    seq: u64,
    /// Plan and device whose change may come, by the trail so far; and those of which a person must look.
    open: BTreeSet<(String, String)>,
}

/// How plans ended, by device.
pub type Ends = BTreeMap<&'static str, usize>;

impl Known {
    pub fn at_start(stage: &Stage) -> Known {
        for router in &stage.routers {
            let mut world = router.sim.world();
            world.put_single("/system/identity", "name", BEFORE);
            assert!(world.set("/interface/ethernet", "ether2", "comment", BEFORE));
        }
        let rows = stage.routers.iter().map(|router| router.rows()).collect();
        Known { rows, standing: vec![BTreeSet::from([BEFORE.to_owned()]); ROUTERS.len()], ..Known::default() }
    }

    /// Lets everything end, and says what is wrong then.
    pub async fn judge(&mut self, stage: &Stage, running: &Running, acts: &[Act], heard: &Heard, ends: &mut Ends) -> Vec<String> {
        let mut wrong = settled(stage, running).await;
        let plans = self.new_plans(running);
        self.ends(&plans, acts, heard, ends, &mut wrong);
        self.rows(stage, running, &plans, acts, &mut wrong);
        let records = self.records(running);
        let sent = stage.witness.sent();
        self.trail(stage, &records, &sent, running, &mut wrong);
        for (name, router) in ROUTERS.iter().zip(&stage.routers) {
            let left = router.leftovers();
            if !left.is_empty() {
                wrong.push(format!("{name}: left behind {left:?}; it said {:?}", router.said()));
            }
        }
        leaks(stage, running, &sent, &mut wrong);
        self.alive(stage, running, &mut wrong).await;
        wrong
    }

    fn new_plans(&mut self, running: &Running) -> Vec<Stood> {
        let engine = running.app.plans();
        let all = engine.list().unwrap();
        let new: Vec<_> = all.into_iter().filter(|plan| self.plans.insert(plan.id.to_string())).collect();
        new.into_iter().map(|plan| (plan.id.clone(), plan.state, engine.plan(&plan.id).unwrap().1)).collect()
    }

    /// Each device of each plan has an end that can be, and nobody was told otherwise.
    fn ends(&self, plans: &[Stood], acts: &[Act], heard: &Heard, ends: &mut Ends, wrong: &mut Vec<String>) {
        let shut_out: BTreeSet<&str> = acts
            .iter()
            .filter_map(|act| match act {
                Act::Plan { change: Change::ShutOut, tag, .. } => Some(tag.as_str()),
                _ => None,
            })
            .collect();
        let promises = heard.promises.lock().unwrap();
        for (id, state, devices) in plans {
            let tag = tag_of(devices, acts);
            for (draft, progress) in devices {
                *ends.entry(progress.state.as_str()).or_default() += 1;
                let at = format!("{id} ({}) on {} is {}: {:?}", tag.unwrap_or("?"), draft.name, progress.state.as_str(), progress.error);
                let told = progress.error.is_some() || !progress.difference.is_empty();
                match progress.state {
                    DeviceState::NeedsAttention if told => {}
                    DeviceState::Confirmed if tag.is_some_and(|tag| shut_out.contains(tag)) => {
                        wrong.push(format!("{at}, and shuts us out"))
                    }
                    DeviceState::Confirmed | DeviceState::RolledBack | DeviceState::Skipped | DeviceState::Pending => {}
                    _ => wrong.push(at),
                }
            }
            let kept = devices.iter().all(|(_, progress)| progress.state == DeviceState::Confirmed);
            let undone = devices.iter().all(|(_, progress)| progress.state != DeviceState::Confirmed);
            for (_, promise) in promises.iter().filter(|(of, _)| Some(of.as_str()) == tag) {
                if (*promise == Promise::Kept && !kept) || (*promise == Promise::Undone && !undone) {
                    wrong.push(format!(
                        "{id} ({}) is {}, and somebody was told that it is {promise:?}",
                        tag.unwrap_or("?"),
                        state.as_str()
                    ));
                }
            }
        }
        for (tag, _) in promises.iter().filter(|(tag, promise)| *promise == Promise::Kept && !plans.iter().any(|(.., d)| is_of(d, tag))) {
            wrong.push(format!("{tag} was promised to be kept, and no plan is about it"));
        }
    }

    /// What differs on each router is what the records say is kept, and all of that is there.
    fn rows(&mut self, stage: &Stage, running: &Running, plans: &[Stood], acts: &[Act], wrong: &mut Vec<String>) {
        for (number, (name, router)) in ROUTERS.iter().zip(&stage.routers).enumerate() {
            let device = running.app.dispatch.world().fleet.find(name).unwrap().id.clone();
            let of = |states: &[DeviceState]| -> BTreeSet<String> {
                let here = |d: &&(Draft, Progress)| d.0.device == device && states.contains(&d.1.state);
                let tagged = plans.iter().filter(|(.., devices)| devices.iter().any(|d| here(&d)));
                tagged.filter_map(|(.., devices)| tag_of(devices, acts).map(str::to_owned)).collect()
            };
            let (kept, open) = (of(&[DeviceState::Confirmed]), of(&[DeviceState::NeedsAttention]));
            let now = router.rows();
            for line in difference(&self.rows[number], &now) {
                let may = kept.iter().chain(&open).chain(&self.standing[number]).any(|tag| line.contains(tag.as_str()));
                if !may {
                    wrong.push(format!("{name}: {line}: of no plan that is kept"));
                }
            }
            let text = now.values().flatten().cloned().collect::<Vec<_>>().join("\n");
            let replaced: BTreeSet<&str> = acts
                .iter()
                .filter_map(|act| match act {
                    Act::Write { small, tag, .. } if small.is_one_of_its_kind() => Some(tag.as_str()),
                    _ => None,
                })
                .collect();
            for tag in kept.iter().filter(|tag| !text.contains(tag.as_str()) && !replaced.contains(tag.as_str())) {
                wrong.push(format!("{name}: {tag} is kept, say the records, and is not there"));
            }
            self.standing[number].extend(kept.iter().chain(&open).filter(|tag| text.contains(tag.as_str())).cloned());
            self.rows[number] = now;
        }
    }

    /// What the trail has since the last burst, the oldest first.
    fn records(&mut self, running: &Running) -> Vec<Stored> {
        let trail = &running.app.dispatch.world().audit;
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = trail.page(&Filter::default(), before, 200).unwrap();
            let done = page.next.is_none() || page.rows.iter().any(|row| row.seq <= self.seq);
            before = page.next;
            all.extend(page.rows.into_iter().filter(|row| row.seq > self.seq));
            if done {
                break;
            }
        }
        all.reverse();
        all
    }

    /// The chain holds, goes on without a gap, and has each change before it came.
    fn trail(&mut self, stage: &Stage, records: &[Stored], sent: &[Sent], running: &Running, wrong: &mut Vec<String>) {
        match audit::verify(&stage.state_dir().join("audit")) {
            Ok(report) if report.records >= self.seq + records.len() as u64 => {}
            Ok(report) => wrong.push(format!("the trail has {} records and had {} before", report.records, self.seq)),
            Err(error) => wrong.push(format!("the trail does not verify: {error}")),
        }
        if records.windows(2).any(|two| two[1].seq != two[0].seq + 1) {
            wrong.push("the trail has gaps".to_owned());
        }
        let fleet = &running.app.dispatch.world().fleet;
        let ids: Vec<String> = ROUTERS.iter().map(|name| fleet.find(name).unwrap().id.to_string()).collect();
        let mut records = records.iter().peekable();
        for change in sent {
            while let Some(record) = records.next_if(|record| record.seq <= change.seq) {
                self.take(record);
            }
            let device = &ids[change.router];
            if !self.open.iter().any(|(_, of)| of == device) && !is_swept(&change.what) {
                wrong.push(format!("{} was sent, and no intent of it stands in the trail: {}", ROUTERS[change.router], change.what));
            }
        }
        for record in records {
            self.take(record);
        }
        // Every plan is over by now, also one whose last record was lost.
        self.open.clear();
    }

    fn take(&mut self, stored: &Stored) {
        self.seq = self.seq.max(stored.seq);
        let record = &stored.record;
        let (Some(plan), Some(device)) = (&record.plan_id, &record.device) else { return };
        let key = (plan.clone(), device.clone());
        let ends = ["confirmed", "rolled_back", "skipped", "needs_attention"].contains(&record.outcome.as_str());
        match record.phase {
            Phase::Intent => drop(self.open.insert(key)),
            Phase::Done if ends => drop(self.open.remove(&key)),
            Phase::Done => {}
        }
    }

    /// Everything goes on at once, and nothing is left of what was.
    async fn alive(&mut self, stage: &Stage, running: &Running, wrong: &mut Vec<String>) {
        for (number, name) in ROUTERS.iter().enumerate() {
            let tag = format!("probe{}z", self.plans.len() * ROUTERS.len() + number);
            for (tool, arguments) in
                [("system.get_overview", json!({ "device": name })), ("system.set_identity", json!({ "device": name, "name": tag }))]
            {
                if let Err(why) = answered(stage, running, tool, &arguments).await {
                    wrong.push(format!("{name}: at rest, {tool} is {why}"));
                }
            }
            self.standing[number].insert(tag);
        }
        let engine = running.app.plans();
        self.plans.extend(engine.list().unwrap().into_iter().map(|plan| plan.id.to_string()));
        // What the probes made is no news for the next burst.
        stage.witness.sent();
        for record in self.records(running) {
            self.take(&record);
        }
        self.rows = stage.routers.iter().map(|router| router.rows()).collect();
        let delivered = || running.app.dispatch.world().alerts.channels().iter().all(|channel| channel.waiting == 0);
        if !stage.until(delivered).await {
            wrong.push(format!("alerts are not delivered: {:?}", running.app.dispatch.world().alerts.channels()));
        }
        let at_rest = || {
            let faults = |of: &crate::plan_rig::Router| (of.sim.faults().in_flight().now(), of.sim.faults().connections().now());
            running.app.tasks.len() <= running.tasks && stage.routers.iter().map(faults).all(|(a, b)| a == 0 && b <= CONNECTIONS)
        };
        if !stage.until(at_rest).await {
            let requests: Vec<_> = stage.routers.iter().map(|router| router.sim.faults().in_flight().now()).collect();
            let connections: Vec<_> = stage.routers.iter().map(|router| router.sim.faults().connections().now()).collect();
            let (tasks, before) = (running.app.tasks.len(), running.tasks);
            wrong.push(format!("not at rest: {tasks} tasks and {before} before, requests {requests:?}, connections {connections:?}"));
        }
    }
}

/// Whether a call goes well, asked a few times: a machine under load may take longer than we wait for a router.
async fn answered(stage: &Stage, running: &Running, tool: &str, arguments: &Value) -> Result<(), String> {
    let mut why = String::new();
    for _ in 0..TRIES {
        match stage.while_time_flows(running.inside(tool, arguments.clone())).await {
            Some(reply) if reply.fault.is_none() => return Ok(()),
            Some(reply) => why = format!("answered {}", reply.text),
            None => why = "not answered".to_owned(),
        }
        stage.pass(BREAKER);
    }
    Err(why)
}

/// A guard of a plan that is over may be taken away by a sweep, which says so in the log.
fn is_swept(what: &str) -> bool {
    what.starts_with("DELETE ") && what.contains("name=mcp-guard-")
}

/// Waits until no plan runs any more; false when one does not end.
pub async fn over(stage: &Stage, running: &Running) -> bool {
    let engine = running.app.plans();
    stage.until(|| engine.list().unwrap().iter().all(|plan| plan.state != PlanState::Executing)).await
}

/// Waits until every plan is over and known.
async fn settled(stage: &Stage, running: &Running) -> Vec<String> {
    let mut wrong = Vec::new();
    let engine = running.app.plans();
    if !over(stage, running).await {
        let on: Vec<String> =
            engine.list().unwrap().iter().filter(|plan| plan.state == PlanState::Executing).map(|p| p.id.to_string()).collect();
        wrong.push(format!("plans run on and on: {on:?}"));
    }
    // Guards whose timers did not fire, breakers, pauses of deliveries.
    stage.pass(LONG);
    let unknown = || {
        let plans = engine.list().unwrap();
        let mut devices = plans.iter().flat_map(|plan| engine.plan(&plan.id).unwrap().1);
        devices.any(|(_, progress)| progress.state == DeviceState::Unknown)
    };
    for _ in 0..SWEEPS {
        match stage.while_time_flows(engine.sweep()).await {
            Some(Ok(_)) => {}
            Some(Err(fault)) => wrong.push(format!("a sweep fails: {}", fault.said)),
            None => wrong.push("a sweep does not end".to_owned()),
        }
        // A look at a router that was not known takes a while.
        if stage.within(LOOK, || !unknown()).await {
            return wrong;
        }
        stage.pass(LONG);
    }
    wrong.push("nobody knows how a router is, though it answers".to_owned());
    wrong
}

/// No secret stands anywhere outside.
fn leaks(stage: &Stage, running: &Running, sent: &[Sent], wrong: &mut Vec<String>) {
    let mut found = |place: &str, word: Option<&str>| {
        if let Some(word) = word {
            wrong.push(format!("{place} has a secret ({}…)", &word[..word.len().min(9)]));
        }
    };
    found("the log", stage.canaries.find(&stage.log.taken()));
    for body in stage.endpoint.taken() {
        found("an alert", stage.canaries.find(&body));
    }
    for one in sent {
        found("what a router was sent", stage.canaries.find(&one.what));
    }
    found("the metrics", stage.canaries.find(&running.app.dispatch.world().meter().page(&Default::default())));
    for file in files(&stage.state_dir().join("audit")) {
        found("the trail", stage.canaries.find_in(&std::fs::read(file).unwrap_or_default()));
    }
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The act a plan came of.
fn tag_of<'a>(devices: &[(Draft, Progress)], acts: &'a [Act]) -> Option<&'a str> {
    acts.iter().filter_map(Act::tag).find(|tag| is_of(devices, tag))
}

fn is_of(devices: &[(Draft, Progress)], tag: &str) -> bool {
    // What a row was before may have another act's mark.
    let after = |draft: &Draft| draft.steps.iter().map(|step| format!("{:?}", step.change.after())).collect::<String>();
    devices.iter().any(|(draft, _)| after(draft).contains(tag))
}
