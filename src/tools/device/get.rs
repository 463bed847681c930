//! `device.get`: all we know of one device, without asking the router.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::device::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "device.get",
    title: "Get a device",
    about: "One device: facts, what it can do (scheduler, SSH, wifi stack), granted capabilities, packages, pins and last health. From our records; asks no router.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &["/identity"],
    input: schema::input::<Args>,
    output: view::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let device = cx.device(&args.device)?;
    let health = match cx.world.health(&device.id) {
        None => Value::Null,
        Some((sample, verdict)) => {
            json!({"status": verdict.status.as_str(), "score": verdict.score, "reasons": verdict.reasons, "at": sample.at.rfc3339()})
        }
    };
    Ok(view::whole(&device, health))
}
