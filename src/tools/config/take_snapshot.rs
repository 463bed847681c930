//! `config.take_snapshot`: takes a configuration into the history now. Schedules call it, and operators before a change.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::history::config::{Reason, Taken};
use crate::tools::config::side;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "config.take_snapshot",
    title: "Take a snapshot",
    about: "Reads a router's configuration and keeps it, unless it is the newest one already. Without export over SSH it goes through a file there, if capabilities allow.",
    toolset: "config",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(180),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Why, for the history: operator unless set.
    reason: Option<Why>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Why {
    Operator,
    Schedule,
    Change,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    id: String,
    /// False when the newest snapshot is the same.
    is_new: bool,
    taken_at: String,
    rows: u64,
    /// What the router could not export.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    incomplete: Vec<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let running = router.configuration_by_all_means().await?;
    let reason = match args.reason.unwrap_or(Why::Operator) {
        Why::Operator => Reason::Operator,
        Why::Schedule => Reason::Schedule,
        Why::Change => Reason::Change,
    };
    let incomplete = side::incomplete(&running.export);
    let taken = Taken { export: running.export, version: running.version, at: running.at, reason };
    let kept = cx.world.keep(&router.device.id, taken).await?;
    Ok(Answer {
        id: side::id(&router.device, &kept.snapshot),
        is_new: kept.is_new,
        taken_at: kept.snapshot.taken_at.rfc3339(),
        rows: u64::from(kept.snapshot.rows),
        incomplete,
    })
}
