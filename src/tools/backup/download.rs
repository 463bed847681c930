//! `backup.download`: says that somebody takes a copy; the edge that was asked sends the file itself.

use crate::backup::BackupError;
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
    name: "backup.download",
    title: "Download a backup",
    about: "Sends a backup, encrypted as it lies in backup.path.",
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
    schema::written(&view::members(), &["name", "bytes"])
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let list = cx.world.backups.list()?;
    let kept = list.iter().find(|kept| kept.name == args.name).ok_or(BackupError::Unknown(args.name))?;
    Ok(view::kept(kept))
}
