//! `update.get_status`: which version runs, which is newer, what lies ready, and how the last update went.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::update::view;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "update.get_status",
    title: "Updates",
    about: "Says which version runs and who updates it, which newer one is known or lies ready, and how the last update went.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(10),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: view::status_schema,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {}

async fn run(cx: &Cx, _: Args) -> Result<Map<String, Value>, Fault> {
    cx.world.updates.settle().await?;
    Ok(view::status(cx, &cx.world.updates.status()?))
}
