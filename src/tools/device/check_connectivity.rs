//! `device.check_connectivity`: can we reach this router, and if not, why.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::Via;
use crate::tools::context::{Cx, Reading};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "device.check_connectivity",
    title: "Check connectivity",
    about: "Reaches a router now over REST and SSH and says how long each took or why it failed, with advice. Use it when another tool says unreachable.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/system/identity"],
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
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    reachable: bool,
    rest: Leg,
    ssh: Leg,
    advice: String,
}

#[derive(Serialize, JsonSchema)]
struct Leg {
    ok: bool,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let device = cx.device(&args.device)?;
    cx.read(Reading { read_at: cx.world.clock.wall(), age_ms: 0, cached: false, via: Via::Rest });
    let seen = cx.world.fleet.check_connectivity(&device.id).await?;
    Ok(Answer {
        reachable: seen.reachable,
        rest: Leg { ok: seen.rest.ok, ms: seen.rest.ms, error: seen.rest.error },
        ssh: Leg { ok: seen.ssh.ok, ms: seen.ssh.ms, error: seen.ssh.error },
        advice: seen.advice.join("; "),
    })
}
