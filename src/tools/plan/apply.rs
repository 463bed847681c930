//! `plan.apply`: runs a plan that is approved, or needs nobody's yes.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::record::PlanId;
use crate::plan::state::PlanState;
use crate::tools::context::Cx;
use crate::tools::plan::show;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

pub(super) const TOOL: Tool = Tool {
    name: "plan.apply",
    title: "Apply a plan",
    about: "Runs a plan once the persons it needs have approved it: guarded by the router's own undo, verified over new logins, else taken back. Answers how it stands after wait_seconds.",
    toolset: "core",
    tier: Tier::Basic,
    effect: Effect::Changes,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: show::output,
    run: run!(run),
};

/// How long it is waited for unless said.
const USUAL_WAIT: u8 = 10;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The plan's id.
    #[schemars(length(min = 1))]
    plan_id: String,
    /// How long to wait for its end, 10 unless set.
    #[schemars(range(min = 0, max = 55))]
    wait_seconds: Option<u8>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let (plan, _) = show::open(cx, &args.plan_id)?;
    // Asked again while it runs, it is the same wish.
    if plan.state != PlanState::Executing {
        let void = cx.world.plans.drop_void(&cx.world.access, &plan.id).await?;
        cx.world.plans.apply(&cx.principal, &plan.id).await.map_err(|fault| match void.as_slice() {
            [] => fault,
            names => Fault { said: format!("{}; who may not approve any more: {}", fault.said, names.join(", ")), ..fault },
        })?;
    }
    wait(cx, &plan.id, Duration::from_secs(args.wait_seconds.unwrap_or(USUAL_WAIT).into())).await?;
    show::shown(cx, &plan.id)
}

/// Waits until the plan is over or waits for a person, at most so long; tells how far it is.
pub(super) async fn wait(cx: &Cx, id: &PlanId, patience: Duration) -> Result<(), Fault> {
    cx.expect(patience);
    cx.world.plans.follow(id, patience, |tally| cx.say(&tally.line)).await?;
    Ok(())
}
