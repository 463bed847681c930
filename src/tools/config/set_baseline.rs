//! `config.set_baseline`: which configuration of a device drift is measured against.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::history::config::SnapshotId;
use crate::tools::config::side;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "config.set_baseline",
    title: "Set the baseline",
    about: "Makes a snapshot the baseline that drift is measured against; it is kept for as long as it is that.",
    toolset: "config",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(30),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The snapshot's id.
    #[schemars(length(min = 1))]
    snapshot: String,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    id: String,
    device: String,
    taken_at: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let id: SnapshotId = args.snapshot.parse().map_err(|said: String| Fault::bad_input(said))?;
    let device = cx.device(id.device.as_str())?;
    if !cx.world.configs.set_baseline(&device.id, id.number).await? {
        return Err(side::missing(&device, &args.snapshot));
    }
    let snapshot = cx.world.configs.get(&device.id, id.number)?.ok_or_else(|| side::missing(&device, &args.snapshot))?;
    Ok(Answer { id: side::id(&device, &snapshot), device: device.name.clone(), taken_at: snapshot.taken_at.rfc3339() })
}
