//! `update.apply`: a person's word. At the command line and in the admin pages only; no model comes here.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::Status;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::update::{person, view};
use crate::update::Word;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "update.apply",
    title: "Switch to a version",
    about: "Switches to the version that lies ready: store and settings are kept as they are, and it goes back by itself when it does not stand.",
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
    /// The version, as the person typed it.
    #[schemars(length(min = 1, max = 40))]
    version: String,
    /// The digest they were shown, or at least 8 digits of its beginning.
    #[schemars(length(min = 8, max = 64))]
    digest: String,
    /// The local user who decides.
    #[schemars(length(min = 1))]
    user: Option<String>,
    /// Their password.
    #[schemars(with = "Option<String>")]
    password: Option<Secret>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let by = person::of(cx, args.user, args.password, "apply").await?;
    person::no_plan_runs(cx)?;
    let had_routers = cx.world.fleet.list().iter().any(|device| device.status == Status::Reachable);
    let updates = &cx.world.updates;
    updates.apply(Word { version: args.version, digest: Some(args.digest), by, had_routers }).await?;
    Ok(view::status(cx, &updates.status()?))
}
