//! `user.disable`: keeps a local user out.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::user::{last, view};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "user.disable",
    title: "Disable a user",
    about: "Keeps a local user out; the record stays, so that its name in the trail means one person for good.",
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
    /// The user's name.
    #[schemars(length(min = 1))]
    name: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    cx.has_every_device()?;
    last::stays(cx, &args.name)?;
    let user = cx.world.access.set_disabled(&args.name, true).await?;
    view::user(cx, &user)
}
