//! `update.check`: asks where releases are for a newer one. Nothing is fetched or changed.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::update::view;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "update.check",
    title: "Look for a newer version",
    about: "Asks update.url for a newer release and verifies its signature; fetches and changes nothing else.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(60),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: view::status_schema,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {}

async fn run(cx: &Cx, _: Args) -> Result<Map<String, Value>, Fault> {
    let updates = &cx.world.updates;
    let found = updates.check().await?;
    cx.world.alerts.update_available(found.as_ref().map(|offer| offer.version.as_str()));
    Ok(view::status(cx, &updates.status()?))
}
