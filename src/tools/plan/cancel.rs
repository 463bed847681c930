//! `plan.cancel`: a plan that is not to run, or not to go on.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::plan::show;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "plan.cancel",
    title: "Cancel a plan",
    about: "Takes a draft or approved plan back; one that is being applied begins no further device, and finishes those it has begun.",
    toolset: "core",
    tier: Tier::Basic,
    effect: Effect::Decides,
    audience: Audience::Model,
    timeout: Span::secs(20),
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
    cx.world.plans.cancel(&plan.id, &args.reason).await?;
    show::shown(cx, &plan.id)
}
