//! `plan.refuse`: a person's no, with the reason. At the command line and in the admin pages only.

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
    name: "plan.refuse",
    title: "Refuse a plan",
    about: "A person's no to a plan; its author reads the reason.",
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
    /// Why.
    #[schemars(length(min = 1, max = 500))]
    reason: String,
    /// The local user who refuses.
    #[schemars(length(min = 1))]
    user: Option<String>,
    /// Their password.
    #[schemars(with = "Option<String>")]
    password: Option<Secret>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let (plan, _) = show::open(cx, &args.plan_id)?;
    let voice = voice::of(cx, args.user, args.password).await?;
    cx.world.plans.refuse_as(&cx.world.access, &voice, &plan.id, &args.reason).await?;
    show::shown(cx, &plan.id)
}
