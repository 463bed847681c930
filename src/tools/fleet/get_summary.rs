//! `fleet.get_summary`: counts, and what needs attention first.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::Status;
use crate::history::health::{HealthStatus, Thresholds, judge};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(super) const TOOL: Tool = Tool {
    name: "fleet.get_summary",
    title: "Fleet summary",
    about: "Counts of devices by status, health, version and model, and the devices that need attention, worst first.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Devices named as needing attention; more would be a list, not a summary.
const MOST_NAMED: usize = 20;

#[derive(Deserialize, JsonSchema)]
struct Args {}

#[derive(Serialize, JsonSchema)]
struct Answer {
    devices: u64,
    by_status: BTreeMap<String, u64>,
    by_health: BTreeMap<String, u64>,
    by_version: BTreeMap<String, u64>,
    by_board: BTreeMap<String, u64>,
    attention: Vec<Attention>,
    attention_total: u64,
}

#[derive(Serialize, JsonSchema)]
struct Attention {
    device: String,
    score: u8,
    reason: String,
}

async fn run(cx: &Cx, _args: Args) -> Result<Answer, Fault> {
    let limits = Thresholds::default();
    let devices = cx.devices();
    let mut answer = Answer {
        devices: devices.len() as u64,
        by_status: BTreeMap::new(),
        by_health: BTreeMap::new(),
        by_version: BTreeMap::new(),
        by_board: BTreeMap::new(),
        attention: Vec::new(),
        attention_total: 0,
    };
    for device in devices {
        let one = |map: &mut BTreeMap<String, u64>, key: &str| *map.entry(key.to_owned()).or_default() += 1;
        one(&mut answer.by_status, device.status.as_str());
        one(&mut answer.by_version, device.facts.version.as_deref().unwrap_or("unknown"));
        one(&mut answer.by_board, device.facts.board.as_deref().unwrap_or("unknown"));
        let latest = cx.world.history.latest(&device.id).map(|sample| judge(&sample, &limits));
        one(&mut answer.by_health, latest.as_ref().map_or("unknown", |verdict| verdict.status.as_str()));
        let finding = match (device.status, latest) {
            (Status::Decommissioned, _) => None,
            (Status::Quarantined, _) => Some((0, "quarantined: its certificate or host key changed".to_owned())),
            (Status::Unreachable, _) => Some((0, "does not answer".to_owned())),
            (_, Some(verdict)) if verdict.status != HealthStatus::Healthy => Some((verdict.score, verdict.reasons.join("; "))),
            _ => None,
        };
        if let Some((score, reason)) = finding {
            answer.attention.push(Attention { device: device.name.clone(), score, reason });
        }
    }
    answer.attention.sort_by_key(|item| item.score);
    answer.attention_total = answer.attention.len() as u64;
    answer.attention.truncate(MOST_NAMED);
    Ok(answer)
}
