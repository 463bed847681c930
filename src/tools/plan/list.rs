//! `plan.list`: the plans there are, the newest first.

use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::record::Plan;
use crate::plan::view;
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::plan::show;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, object, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "plan.list",
    title: "Plans",
    about: "Plans, newest first: state, risk, devices, approvals, and how each ended.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(10),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let mut plans = cx.world.plans.list()?;
    // Cheap before dear: a row takes the records of all its devices.
    let state = args.list.exact("state");
    plans.retain(|plan| state.as_deref().is_none_or(|state| plan.state.as_str() == state));
    plans.retain(|plan| show::is_visible(&cx.world.fleet, &cx.principal, plan));
    list::cut(cx, "plan.list", &args.list, plans, |plan| plan.id.to_string(), |plan| row(cx, plan))
}

fn row(cx: &Cx, plan: &Plan) -> Map<String, Value> {
    let now = cx.world.clock.wall();
    let name = |id| cx.world.fleet.get(id).map_or_else(|_| id.to_string(), |device| device.name.clone());
    let summary = cx.world.plans.plan(&plan.id).map(|(plan, devices)| view::summary_of(&plan, &devices));
    let row = json!({
        "id": plan.id.as_str(),
        "state": plan.state.as_str(),
        "risk": plan.risk.as_str(),
        "can_cut_access": plan.cut.as_str(),
        "devices": plan.devices.iter().map(name).collect::<Vec<_>>(),
        "reason": plan.reason,
        "tool": plan.origin,
        "approvals_needed": plan.needed,
        "approvals_given": plan.approvals.iter().filter(|one| plan.state.is_final() || one.expires_at > now).count(),
        "confirm": plan.confirm.as_str(),
        "created_by": plan.author.name,
        "created_at": plan.created_at.rfc3339(),
        "ended_at": plan.ended_at.map(Wall::rfc3339),
        "summary": summary.unwrap_or_default(),
    });
    object(row)
}
