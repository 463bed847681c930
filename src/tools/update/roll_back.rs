//! `update.roll_back`: the version before again, in one step and without a network.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::update::{person, view};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "update.roll_back",
    title: "Go back to the version before",
    about: "Goes back to the version before the last update. Where that one cannot read the store as it is now, the store of before the update is put back; the audit trail stays whole.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(300),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: view::status_schema,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The local user who decides.
    #[schemars(length(min = 1))]
    user: Option<String>,
    /// Their password.
    #[schemars(with = "Option<String>")]
    password: Option<Secret>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let by = person::of(cx, args.user, args.password, "roll back").await?;
    person::no_plan_runs(cx)?;
    let updates = &cx.world.updates;
    updates.roll_back(&by).await?;
    Ok(view::status(cx, &updates.status()?))
}
