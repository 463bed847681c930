//! Scripts that run by themselves: what `:execute` and the scheduler start, and rows of `/system/script/job`.

use super::eval::{Flow, Machine, Stop};
use super::value::Value;
use crate::sim::agenda::Job;
use crate::sim::live;
use crate::sim::row::show_id;
use crate::sim::shared::Shared;
use crate::sim::world::{Login, World};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Longest text `:execute` takes.
const SCRIPT_MAX: usize = 64 * 1024;
const REFUSED: &str = "not enough permissions (9)";

/// What runs.
#[derive(Debug, Clone)]
pub(in crate::sim) enum Text {
    Commands(String),
    /// A script by its name.
    Stored(String),
}

/// A stored script that may be run.
pub(super) struct Stored {
    pub name: String,
    source: String,
    runs: String,
    /// Its own, if it runs with them.
    policies: Option<Vec<String>>,
}

/// A script to start.
pub(in crate::sim) struct Start {
    /// In whose name, with which policies.
    pub who: Login,
    pub text: Text,
    /// How the log names what it changes: `scheduler:NAME`.
    pub label: Option<String>,
    /// The job that started it.
    pub parent: Option<u32>,
}

impl Start {
    /// Makes its row and what runs it; it begins once the agenda takes it.
    pub fn job(self, world: &mut World, shared: &Arc<Shared>) -> (u32, Job) {
        let Start { who, text, label, parent } = self;
        let started = live::date_time(world.now());
        let policy = who.policies.join(",");
        let script = match &text {
            Text::Commands(source) | Text::Stored(source) => source.clone(),
        };
        let mut row =
            vec![("owner", who.user.as_str()), ("policy", &policy), ("script", &script), ("started", &started), ("type", "command")];
        let parent = parent.map(show_id);
        row.extend(parent.as_deref().map(|parent| ("parent", parent)));
        let id = world.add("/system/script/job", &row);
        let stop = CancellationToken::new();
        world.jobs.insert(id, stop.clone());
        let mut machine = Machine::new(shared, who);
        (machine.label, machine.job, machine.stop) = (label, Some(id), stop.clone());
        let (shared, pace, boots) = (shared.clone(), machine.pace.clone(), world.boots);
        let work = Box::pin(async move {
            let ran = machine.begin(&text).await;
            let mut world = shared.world();
            if let Err(Stop::Error(said)) = ran {
                tell(&mut world, &machine, &text, &said);
            }
            world.jobs.remove(&id);
            world.table("/system/script/job").rows.retain(|r| r.id != Some(id));
        });
        (id, Job { work, pace, stop, limit: None, boots })
    }
}

/// What failed by itself shows in the log alone.
fn tell(world: &mut World, machine: &Machine, text: &Text, said: &str) {
    let Some(entry) = machine.label.as_deref().and_then(|l| l.strip_prefix("scheduler:")) else {
        world.log("script,error", &format!("executing script failed, please check it manually: {said}"));
        return;
    };
    let name = match text {
        Text::Stored(name) => name,
        Text::Commands(_) => entry,
    };
    world.log("script,error", &format!("executing script {name}"));
    let place = machine.slip.as_ref().filter(|slip| slip.said == said && !said.ends_with(')'));
    let place = place.map(|slip| format!(" ({}; line {})", slip.command, slip.line)).unwrap_or_default();
    world.log("script,error,debug", &format!("(scheduler:{entry}) {said}{place}"));
}

impl Machine {
    async fn begin(&mut self, text: &Text) -> Flow<Value> {
        match text {
            Text::Stored(name) => {
                let script = self.named(name, false)?;
                self.run_stored(script).await
            }
            Text::Commands(source) => {
                let name = self.label.as_deref().and_then(|l| l.strip_prefix("scheduler:")).unwrap_or_default().to_string();
                self.stored(source, &name).await
            }
        }
    }

    /// The stored script, if it is there and may be run: who runs it must have all its policies, unless it does not insist; with
    /// `use-script-permissions` it runs with its own.
    pub(super) fn named(&mut self, which: &str, its_own: bool) -> Flow<Stored> {
        let row = self.world().find("/system/script", which).map_or_else(|| Stop::error("no such item"), Ok)?;
        let listed = row.get("policy").unwrap_or_default().split(',');
        let policies: Vec<String> = listed.filter(|p| !p.is_empty() && !p.starts_with('!')).map(String::from).collect();
        if !row.is("dont-require-permissions") && !its_own && policies.iter().any(|p| !self.who.may(p)) {
            return Stop::error(REFUSED);
        }
        let get = |name: &str| row.get(name).unwrap_or_default().to_string();
        Ok(Stored { name: get("name"), source: get("source"), runs: get("run-count"), policies: its_own.then_some(policies) })
    }

    /// Runs a stored script and counts it.
    pub(super) async fn run_stored(&mut self, script: Stored) -> Flow<Value> {
        let Stored { name, source, runs, policies } = script;
        {
            let mut world = self.world();
            let now = live::date_time(world.now());
            let runs = runs.parse::<u64>().unwrap_or(0) + 1;
            world.set("/system/script", &name, "run-count", &runs.to_string());
            world.set("/system/script", &name, "last-started", &now);
        }
        let outer = policies.map(|own| std::mem::replace(&mut self.who.policies, own));
        let ran = Box::pin(self.stored(&source, &name)).await;
        if let Some(outer) = outer {
            self.who.policies = outer;
        }
        ran
    }

    /// Starts a script that outlives its session; gives the number of its job.
    pub(super) fn job(&mut self, source: &str) -> Flow<u32> {
        if source.len() > SCRIPT_MAX {
            return Stop::error("failure: script too long");
        }
        // A single word is the name of a stored script.
        let stored = self.world().find("/system/script", source.trim()).and_then(|r| r.get("name").map(String::from));
        if stored.is_none() {
            self.read(source, "", true).or_else(Stop::error)?;
        }
        let text = stored.map_or_else(|| Text::Commands(source.to_string()), Text::Stored);
        let start = Start { who: self.who.clone(), text, label: self.label.clone(), parent: self.job };
        let (id, job) = start.job(&mut self.world(), &self.shared);
        self.shared.agenda.add(job);
        Ok(id)
    }

    /// As [`Machine::job`], with the number as REST shows it.
    pub(in crate::sim) fn start(&mut self, source: &str) -> Result<String, Stop> {
        self.job(source).map(show_id)
    }
}
