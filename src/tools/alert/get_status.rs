//! `alert.get_status`: what is told when, where it goes, and how that does.

use crate::alert::{ChannelView, Kind};
use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "alert.get_status",
    title: "Where alerts go",
    about: "The channels that alerts go through and how each does, and when each kind is told.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(5),
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
    channels: Vec<Channel>,
    kinds: Vec<Told>,
}

#[derive(Serialize, JsonSchema)]
struct Channel {
    /// webhook or syslog.
    channel: String,
    /// Where it leads; of a webhook only the host.
    to: String,
    /// Messages on their way.
    waiting: u64,
    /// What came of the last try: delivered, failed, refused or expired.
    outcome: Option<String>,
    said: Option<String>,
    at: Option<String>,
    next_try: Option<String>,
    /// Where the secret is that signs: file or store.
    secret: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Told {
    kind: String,
    severity: String,
    /// Whether it is told at all.
    enabled: bool,
    /// How long it must last.
    r#for: Option<String>,
    /// How long the same is not told again.
    cooldown: Option<String>,
}

async fn run(cx: &Cx, _: Args) -> Result<Answer, Fault> {
    let channel = |view: ChannelView| Channel {
        channel: view.channel.into(),
        to: view.to,
        waiting: view.waiting as u64,
        outcome: view.outcome.map(str::to_owned),
        said: Some(view.said).filter(|said| !said.is_empty()),
        at: view.at.map(Wall::rfc3339),
        next_try: view.next.map(Wall::rfc3339),
        secret: view.secret.map(str::to_owned),
    };
    let rules = cx.world.alerts.rules();
    let told = |kind: Kind| {
        let rule = rules.get(&kind);
        Told {
            kind: kind.as_str().into(),
            severity: kind.severity().as_str().into(),
            enabled: rule.is_some(),
            r#for: rule.map(|rule| Span(rule.hold).to_string()),
            cooldown: rule.map(|rule| Span(rule.cooldown).to_string()),
        }
    };
    let channels = cx.world.alerts.channels().into_iter().map(channel).collect();
    Ok(Answer { channels, kinds: Kind::ALL.into_iter().map(told).collect() })
}
