//! `update.stage`: fetches a release, verifies all of it and lets it start on copies. It then waits for a person.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::update::view;
use crate::update::Source;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "update.stage",
    title: "Fetch a version and try it out",
    about: "Fetches a release, or takes an uploaded bundle, verifies it and lets it start on copies of store and settings. Nothing is switched: it waits for a person for a day.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(1200),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: view::status_schema,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// A bundle that was uploaded, by the name the upload answered; from update.url without it.
    #[schemars(length(min = 16, max = 16))]
    upload: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let updates = &cx.world.updates;
    let staged = updates.stage(args.upload.map_or(Source::Endpoint, Source::Upload)).await?;
    cx.world.alerts.update_available(Some(&staged.offer.version));
    Ok(view::status(cx, &updates.status()?))
}
