//! `plan.roll_back`: undoes a plan that is being applied.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::plan::{apply, confirm, show};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "plan.roll_back",
    title: "Undo a plan",
    about: "Takes a plan that is being applied back, on every device that is not confirmed yet, and proves it. What is confirmed is undone by another plan.",
    toolset: "core",
    tier: Tier::Basic,
    effect: Effect::Decides,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: show::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The plan's id.
    #[schemars(length(min = 1))]
    plan_id: String,
    /// Why.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let (plan, _) = show::open(cx, &args.plan_id)?;
    cx.world.plans.roll_back(&plan.id, &args.reason).await?;
    apply::wait(cx, &plan.id, confirm::SETTLES).await?;
    show::shown(cx, &plan.id)
}
