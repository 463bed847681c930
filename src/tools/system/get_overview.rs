//! `system.get_overview`: what this router is and how it is doing, in one call.
//!
//! Three requests at most: resource, identity and health. Serial and firmware come from the last capability probe,
//! for they change only with the hardware or an upgrade.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::router::{FRESH, STEADY, Seen};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "system.get_overview",
    title: "System overview",
    about: "Identity, board, version, serial, uptime, CPU, memory, storage and sensors of one router in one call. A good first look at a device.",
    toolset: "system",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/system/resource", "/system/identity", "/system/health"],
    untrusted: &["/identity"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    identity: Option<String>,
    board: Option<String>,
    version: Option<String>,
    architecture: Option<String>,
    serial: Option<String>,
    firmware: Option<String>,
    uptime_seconds: Option<u64>,
    cpu_count: Option<u64>,
    cpu_load_percent: Option<u64>,
    memory_total_bytes: Option<u64>,
    memory_free_bytes: Option<u64>,
    disk_total_bytes: Option<u64>,
    disk_free_bytes: Option<u64>,
    sensors: Vec<Sensor>,
}

#[derive(Serialize, JsonSchema)]
struct Sensor {
    name: String,
    value: f64,
    unit: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let (resource, identity, health) = futures_util::try_join!(
        router.all("/system/resource", FRESH),
        router.all("/system/identity", STEADY),
        router.all_if_there("/system/health", FRESH),
    )?;
    let sensors = health.as_ref().map(sensors).unwrap_or_default();
    let facts = &router.device.facts;
    let of = |name: &str| resource.first().and_then(|row| row.string(name));
    let count = |name: &str| resource.first().and_then(|row| row.count(name));
    Ok(Answer {
        identity: identity.first().and_then(|row| row.string("name")),
        board: of("board-name").or(facts.board.clone()),
        version: of("version").or(facts.version.clone()),
        architecture: of("architecture-name").or(facts.architecture.clone()),
        serial: facts.serial.clone(),
        firmware: facts.firmware.clone(),
        uptime_seconds: resource.first().and_then(|row| row.seconds("uptime")),
        cpu_count: count("cpu-count"),
        cpu_load_percent: count("cpu-load"),
        memory_total_bytes: count("total-memory"),
        memory_free_bytes: count("free-memory"),
        disk_total_bytes: count("total-hdd-space"),
        disk_free_bytes: count("free-hdd-space"),
        sensors,
    })
}

/// Boards answer a list of `name`, `value`, `type`; CHR and x86 one object of other things; some boards nothing.
fn sensors(health: &Seen) -> Vec<Sensor> {
    health
        .iter()
        .filter_map(|row| {
            let value = row.text("value")?.parse().ok()?;
            Some(Sensor { name: row.string("name")?, value, unit: row.string("type").unwrap_or_default() })
        })
        .collect()
}
