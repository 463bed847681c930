//! `settings.get`: the configuration in force, and the kill switches.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::settings::view::{self, Switch};
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "settings.get",
    title: "Settings",
    about: "The configuration in force, with where each value comes from and secrets masked, and the kill switches with who set them.",
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
    /// As `config show --json` has it: files, directories, and each key with its value and source.
    config: Map<String, Value>,
    /// Each switch in the configuration, here, and as the stricter of both has it.
    switches: Vec<Switch>,
    /// Who changed what and when, the last one first.
    changes: Vec<Map<String, Value>>,
}

async fn run(cx: &Cx, _args: Args) -> Result<Answer, Fault> {
    let (switches, changes) = view::switches(cx)?;
    let config = cx.world.settings.config.get().as_object().cloned().unwrap_or_default();
    Ok(Answer { config, switches, changes })
}
