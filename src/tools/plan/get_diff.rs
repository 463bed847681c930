//! `plan.get_diff`: what a plan changes, device by device, whole.

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
    name: "plan.get_diff",
    title: "What a plan changes",
    about: "Every row that a plan changes on each of its devices, before and after, with the digest that an approval is about.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(10),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: show::diff_output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The plan's id.
    #[schemars(length(min = 1))]
    plan_id: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let opened = show::open(cx, &args.plan_id)?;
    Ok(show::diff(cx, &opened))
}
