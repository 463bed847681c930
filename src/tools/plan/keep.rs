//! `plan.keep`: a person's word that a change stays, whatever its risk.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::plan::{apply, confirm, show};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::voice;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "plan.keep",
    title: "Keep a change, as a person",
    about: "Keeps what a manual plan changed; at the command line and in the admin pages only.",
    toolset: "core",
    tier: Tier::Basic,
    effect: Effect::Approves,
    audience: Audience::Operator,
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
    /// The local user who keeps it; needed where the risk is high.
    #[schemars(length(min = 1))]
    user: Option<String>,
    /// Their password.
    #[schemars(with = "Option<String>")]
    password: Option<Secret>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let (plan, _) = show::open(cx, &args.plan_id)?;
    let voice = voice::of(cx, args.user, args.password).await?;
    if !voice.role.approves() {
        return Err(
            Fault::denied(format!("role {} does not keep changes", voice.role.as_str())).hint("a person of role approver or admin does")
        );
    }
    cx.world.plans.keep_as(&voice, &plan.id).await?;
    apply::wait(cx, &plan.id, confirm::SETTLES).await?;
    show::shown(cx, &plan.id)
}
