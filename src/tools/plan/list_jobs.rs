//! `plan.list_jobs`: the work that goes on beyond a call, running and done.
//!
//! Plans are the only such work: an import, a backup or an update is done when its call is answered. A job has no record of its own;
//! it is what became of its plan, so that there is nothing that could disagree with it.

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
    name: "plan.list_jobs",
    title: "Jobs",
    about: "Jobs of plans, those at work first, then the last to start: how far each is, who started it, and how it ended.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
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
    let mut jobs: Vec<(Plan, &'static str)> = Vec::new();
    for plan in cx.world.plans.list()? {
        if plan.started_at.is_some() && show::is_visible(&cx.world.fleet, &cx.principal, &plan) {
            let standing = cx.world.plans.standing(&plan);
            jobs.push((plan, standing));
        }
    }
    jobs.sort_by_key(|(plan, standing)| (*standing == "ended", std::cmp::Reverse(plan.started_at)));
    list::cut(cx, "plan.list_jobs", &args.list, jobs, |(plan, _)| plan.id.to_string(), |(plan, standing)| row(cx, plan, standing))
}

fn row(cx: &Cx, plan: &Plan, standing: &str) -> Map<String, Value> {
    let (tally, whole) = (cx.world.plans.tally(&plan.id).ok(), cx.world.plans.plan(&plan.id).ok());
    let summary = whole.map(|(plan, devices)| view::summary_of(&plan, &devices));
    let row = json!({
        "id": plan.id.as_str(),
        "kind": "plan",
        "state": standing,
        "plan_state": plan.state.as_str(),
        "risk": plan.risk.as_str(),
        "devices": plan.devices.len(),
        // What it did on each device is forgotten after retention.job_days.
        "done": tally.filter(|tally| tally.total > 0).map(|tally| tally.done),
        "summary": summary.unwrap_or_default(),
        "started_by": plan.started_by.as_ref().map(|author| author.name.as_str()),
        "started_at": plan.started_at.map(Wall::rfc3339),
        "ended_at": plan.ended_at.map(Wall::rfc3339),
        "why": plan.why_ended,
    });
    object(row)
}
