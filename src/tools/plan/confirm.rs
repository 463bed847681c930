//! `plan.confirm`: keeps what a manual plan changed, or gives it more time.
//!
//! A plan of high risk is kept by a person, never by a tool call; more time may be asked for by anybody who may apply it.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::Confirm;
use crate::plan::record::Risk;
use crate::tools::context::Cx;
use crate::tools::plan::{apply, show};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

pub(super) const TOOL: Tool = Tool {
    name: "plan.confirm",
    title: "Keep a change",
    about: "Keeps what a manual plan changed, once it is verified; with extend_seconds gives it more time instead. A plan of high risk is kept by a person, not by this.",
    toolset: "core",
    tier: Tier::Basic,
    effect: Effect::Decides,
    audience: Audience::Model,
    timeout: Span::secs(75),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: show::output,
    run: run!(run),
};

/// How long the proofs before, and taking the guard away, are waited for.
pub(super) const SETTLES: Duration = Duration::from_secs(40);

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The plan's id.
    #[schemars(length(min = 1))]
    plan_id: String,
    /// More time before the router undoes it, an hour in all at most; keeps nothing.
    #[schemars(range(min = 1, max = 3600))]
    extend_seconds: Option<u32>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let (plan, _) = show::open(cx, &args.plan_id)?;
    if let Some(seconds) = args.extend_seconds {
        cx.world.plans.extend(&plan.id, Duration::from_secs(seconds.into())).await?;
        return show::shown(cx, &plan.id);
    }
    if plan.confirm == Confirm::Manual && plan.risk >= Risk::High {
        return Err(Fault::denied(format!("{}: a change of {} risk is kept by a person", plan.id, plan.risk.as_str()))
            .hint(format!("a person runs: routeros-mcp plan confirm {}; plan.roll_back undoes it", plan.id)));
    }
    cx.world.plans.confirm(&plan.id).await?;
    apply::wait(cx, &plan.id, SETTLES).await?;
    show::shown(cx, &plan.id)
}
