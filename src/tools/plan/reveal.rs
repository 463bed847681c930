//! `plan.reveal`: shows a person a secret that was made for a plan, once. At the command line and in the admin pages only.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::plan::show;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, object, run};
use crate::tools::voice;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "plan.reveal",
    title: "Show a made secret",
    about: "Shows a person a secret that was generated for a plan whose change is confirmed: once, and never again.",
    toolset: "core",
    tier: Tier::Basic,
    effect: Effect::Approves,
    audience: Audience::Operator,
    timeout: Span::secs(30),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The plan's id.
    #[schemars(length(min = 1))]
    plan_id: String,
    /// Which one: made[].secret of the plan, DEVICE/STEP/ATTRIBUTE.
    #[schemars(length(min = 1, max = 200))]
    secret: String,
    /// The local user who looks.
    #[schemars(length(min = 1))]
    user: Option<String>,
    /// Their password.
    #[schemars(with = "Option<String>")]
    password: Option<Secret>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let (plan, _) = show::open(cx, &args.plan_id)?;
    let voice = voice::of(cx, args.user, args.password).await?;
    let (about, value) = cx.world.plans.reveal_as(&voice, &plan.id, &args.secret).await?;
    Ok(object(json!({
        "plan_id": plan.id.as_str(), "device": about.device, "menu": about.menu, "attribute": about.attribute, "value": value.expose(),
    })))
}

/// Written out: the answer is built by hand, for the value is no type that is ever written elsewhere.
fn output() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    object(json!({
        "type": "object",
        "properties": {"plan_id": text(), "device": text(), "menu": text(), "attribute": text(), "value": text()},
        "required": ["plan_id", "device", "menu", "attribute", "value"],
    }))
}
