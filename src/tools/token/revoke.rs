//! `token.revoke`: takes an API token back.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::token::view;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "token.revoke",
    title: "Revoke an API token",
    about: "Takes an API token back, at once and for good; its record stays, so that its id in the trail means one token.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(30),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: view::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The token's id, or its name.
    #[schemars(length(min = 1))]
    id: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let token = cx.world.access.revoke_token(&args.id).await?;
    view::token(cx, &token)
}
