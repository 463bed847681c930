//! `token.list`: the API tokens.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::token::view;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "token.list",
    title: "List API tokens",
    about: "The API tokens: role, devices, owner, end, when last used, and whether each still opens anything; never the tokens themselves.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let tokens = cx.world.access.tokens()?.iter().map(|token| view::token(cx, token)).collect::<Result<Vec<_>, _>>()?;
    let id = |row: &Map<String, Value>| row["id"].as_str().unwrap_or("").to_owned();
    list::cut(cx, "token.list", &args.list, tokens, id, Clone::clone)
}
