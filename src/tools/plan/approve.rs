//! `plan.approve`: a person's yes. At the command line and in the admin pages only; no model comes here.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::plan::show;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::voice;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "plan.approve",
    title: "Approve a plan",
    about: "A person's yes to a plan of somebody else, bound to its digest, for one apply.",
    toolset: "core",
    tier: Tier::Basic,
    effect: Effect::Approves,
    audience: Audience::Operator,
    timeout: Span::secs(30),
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
    /// The short or whole digest of the plan that was looked at.
    #[schemars(length(min = 9, max = 71))]
    digest: Option<String>,
    /// The local user who approves.
    #[schemars(length(min = 1))]
    user: Option<String>,
    /// Their password.
    #[schemars(with = "Option<String>")]
    password: Option<Secret>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let (plan, _) = show::open(cx, &args.plan_id)?;
    let voice = voice::of(cx, args.user, args.password).await?;
    cx.world.plans.approve(&cx.world.access, &voice, &plan.id, args.digest.as_deref()).await?;
    show::shown(cx, &plan.id)
}
