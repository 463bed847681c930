//! `device.remove`: forgets a device and its credential.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::device::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "device.remove",
    title: "Remove a device",
    about: "Forgets a device, its credential and its history; audit records stay.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(60),
    paths: &[],
    untrusted: &[],
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
    cx.world.plans.rests(&device)?;
    let device = cx.world.fleet.remove(&device.id).await?;
    cx.world.history.forget(&device.id).await?;
    cx.world.configs.forget(&device.id).await?;
    Ok(view::whole(&device, Value::Null))
}
