//! `fleet.get_summary`: counts, and what needs attention first.
//!
//! From what was seen last; with `refresh` every router is looked at now, side by side: one that answers slowly costs its
//! own time and nobody else's.

use crate::base::fault::Fault;
use crate::base::ids::DeviceId;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::{Device, Status};
use crate::history::health::HealthStatus;
use crate::history::look::Depth;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use futures_util::StreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const TOOL: Tool = Tool {
    name: "fleet.get_summary",
    title: "Fleet summary",
    about: "Counts of devices by status, health, version and model, and the devices that need attention, worst first, with reasons. From the last health check unless refreshed.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Devices named as needing attention; more would be a list, not a summary.
const MOST_NAMED: usize = 20;

/// Routers looked at side by side: more than a plan or a page holds, few enough sockets for a small box.
const AT_ONCE: usize = 64;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Look at every router now rather than tell what was seen last.
    #[serde(default)]
    refresh: bool,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    devices: u64,
    by_status: BTreeMap<String, u64>,
    by_health: BTreeMap<String, u64>,
    by_version: BTreeMap<String, u64>,
    by_board: BTreeMap<String, u64>,
    attention: Vec<Attention>,
    attention_total: u64,
    /// Routers looked at for this answer.
    refreshed: u64,
}

#[derive(Serialize, JsonSchema)]
struct Attention {
    device: String,
    score: u8,
    reason: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let refreshed = if args.refresh { refresh(cx, &cx.devices()).await } else { 0 };
    // Again: a look may have changed what is known of a device.
    let devices = cx.devices();
    let mut answer = Answer {
        devices: devices.len() as u64,
        by_status: BTreeMap::new(),
        by_health: BTreeMap::new(),
        by_version: BTreeMap::new(),
        by_board: BTreeMap::new(),
        attention: Vec::new(),
        attention_total: 0,
        refreshed,
    };
    for device in devices {
        let one = |map: &mut BTreeMap<String, u64>, key: &str| *map.entry(key.to_owned()).or_default() += 1;
        one(&mut answer.by_status, device.status.as_str());
        one(&mut answer.by_version, device.facts.version.as_deref().unwrap_or("unknown"));
        one(&mut answer.by_board, device.facts.board.as_deref().unwrap_or("unknown"));
        let latest = cx.world.health(&device.id).map(|(_, verdict)| verdict);
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
    answer.attention.sort_by(|a, b| a.score.cmp(&b.score).then_with(|| a.device.cmp(&b.device)));
    answer.attention_total = answer.attention.len() as u64;
    answer.attention.truncate(MOST_NAMED);
    Ok(answer)
}

/// Looks at every router that may be asked; how many that were.
async fn refresh(cx: &Cx, devices: &[Arc<Device>]) -> u64 {
    let ours = |device: &&Arc<Device>| {
        !matches!(device.status, Status::Decommissioned | Status::Quarantined) && device.environment == cx.world.rules.environment
    };
    let ids: Vec<DeviceId> = devices.iter().filter(ours).map(|device| device.id.clone()).collect();
    let world = cx.world.clone();
    let looks = futures_util::stream::iter(ids).map(move |id| {
        let world = world.clone();
        async move {
            if let Err(fault) = world.look(&id, Depth::Routine).await {
                // Its status tells; one device is no reason to answer nothing about the others.
                tracing::debug!(device = id.as_str(), cause = fault.chain(), "not refreshed");
            }
        }
    });
    looks.buffer_unordered(AT_ONCE).count().await as u64
}
