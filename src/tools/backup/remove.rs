//! `backup.remove`: deletes a backup from `backup.path`.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::backup::view;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "backup.remove",
    title: "Remove a backup",
    about: "Deletes a backup from backup.path; copies elsewhere are untouched.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
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
    /// The backup's name.
    #[schemars(length(min = 1))]
    name: String,
}

fn output() -> Map<String, Value> {
    schema::written(&view::members(), &["name"])
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    cx.world.backups.remove(&args.name)?;
    let mut answer = Map::new();
    answer.insert("name".into(), args.name.into());
    Ok(answer)
}
