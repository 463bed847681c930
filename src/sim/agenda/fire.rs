//! An entry of the scheduler runs: commands, or a script by its name.

use super::{Job, timers};
use crate::sim::access;
use crate::sim::console::{Start, Text};
use crate::sim::shared::Shared;
use crate::sim::world::World;
use std::sync::Arc;

/// Policies an entry can have.
pub(in crate::sim) const POLICIES: [&str; 10] =
    ["ftp", "reboot", "read", "write", "policy", "test", "password", "sniff", "sensitive", "romon"];

/// Counts the run and gives what it starts.
pub(super) fn fire(world: &mut World, shared: &Arc<Shared>, id: u32) -> Option<Job> {
    let row = world.table(timers::SCHEDULER).rows.iter().find(|r| r.id == Some(id)).cloned()?;
    timers::advance(world, &row);
    if shared.faults.scheduler_is_dead() {
        return None;
    }
    let runs = row.get("run-count").and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) + 1;
    if let Some(stored) = world.table(timers::SCHEDULER).rows.iter_mut().find(|r| r.id == Some(id)) {
        stored.put("run-count", runs.to_string());
    }
    let get = |name: &str| row.get(name).unwrap_or_default().to_string();
    let name = get("name");
    let mut who = access::fresh(world, &get("owner"), "scheduler");
    // The policies the entry was given, whatever its owner may by now.
    who.policies = get("policy").split(',').filter(|p| POLICIES.contains(p)).map(String::from).collect();
    let script = world.find("/system/script", get("on-event").trim());
    let text = match script.and_then(|r| r.get("name").map(String::from)) {
        Some(script) => Text::Stored(script),
        None => Text::Commands(get("on-event")),
    };
    Some(Start { who, text, label: Some(format!("scheduler:{name}")), parent: None }.job(world, shared).1)
}
