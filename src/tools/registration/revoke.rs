//! `registration.revoke`: ends one.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::registration::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "registration.revoke",
    title: "Revoke a registration",
    about: "Ends a registration: a report that comes later is refused, and the password that its script gave is forgotten here. The user on the router stays.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(30),
    paths: &[],
    untrusted: view::UNTRUSTED,
    input: schema::input::<Args>,
    output: view::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The registration.
    #[schemars(length(min = 1))]
    id: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let one = cx.world.fleet.revoke_registration(&args.id).await?;
    Ok(view::row(&one, cx.world.clock.wall()))
}
