//! `tools.search`: tools outside the listed toolsets, with what they take.

use crate::access::policy::{self, Decision};
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "tools.search",
    title: "Search tools",
    about: "Finds tools by words, also those that tools/list leaves out, with their argument schemas. What it finds can be called by name.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

const MOST_FOUND: usize = 8;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// What you want to do, in words.
    #[schemars(length(min = 1, max = 200))]
    query: String,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    tools: Vec<Found>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Found {
    name: String,
    toolset: &'static str,
    description: &'static str,
    input_schema: Map<String, Value>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let words: Vec<String> = args.query.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|w| w.len() > 1).map(stem).collect();
    let mut found: Vec<(usize, &'static Tool)> = Vec::new();
    for tool in tools::all().filter(|tool| tool.audience == Audience::Model) {
        if !matches!(policy::decide(&cx.principal, &tool.target(), &cx.world.rules), Decision::Allow | Decision::AllowLoosely(_)) {
            continue;
        }
        let score = words.iter().map(|word| weight(tool, word)).sum();
        if score > 0 {
            found.push((score, tool));
        }
    }
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let separator = cx.world.settings.separator.to_string();
    let tools = found
        .into_iter()
        .take(MOST_FOUND)
        .map(|(_, tool)| Found {
            name: tool.name.replace('.', &separator),
            toolset: tool.toolset,
            description: tool.about,
            input_schema: (tool.input)(),
        })
        .collect();
    Ok(Answer { tools })
}

/// A word in the name says more than one in the description.
fn weight(tool: &Tool, word: &str) -> usize {
    let has = |text: &str| text.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|w| stem(w) == *word);
    3 * usize::from(has(tool.name)) + 2 * usize::from(has(tool.title)) + usize::from(has(tool.about)) + usize::from(has(tool.toolset))
}

/// `leases` and `lease` are one word here.
fn stem(word: &str) -> String {
    word.strip_suffix('s').filter(|rest| rest.len() > 2).unwrap_or(word).to_owned()
}
