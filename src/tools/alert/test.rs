//! `alert.test`: sends a test through each channel, and says what came back.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "alert.test",
    title: "Send a test alert",
    about: "Sends a test message through each channel now and says what came back.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(40),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {}

#[derive(Serialize, JsonSchema)]
struct Answer {
    channels: Vec<Tried>,
}

#[derive(Serialize, JsonSchema)]
struct Tried {
    /// webhook or syslog.
    channel: String,
    to: String,
    delivered: bool,
    /// What came back.
    said: String,
    took_ms: u64,
}

async fn run(cx: &Cx, _: Args) -> Result<Answer, Fault> {
    let tried = cx.world.alerts.test().await;
    if tried.is_empty() {
        return Err(Fault::bad_input("alerts go nowhere yet").hint("set alert.webhook_url or alert.syslog in the configuration"));
    }
    let one = |tried: crate::alert::Tried| Tried {
        channel: tried.channel.into(),
        to: tried.to,
        delivered: tried.delivered,
        said: tried.said,
        took_ms: tried.took_ms,
    };
    Ok(Answer { channels: tried.into_iter().map(one).collect() })
}
