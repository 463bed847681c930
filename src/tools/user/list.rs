//! `user.list`: the local users.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::user::view;
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "user.list",
    title: "List users",
    about: "The local users: role, whether disabled or locked out, when last seen, and the identities linked to each person.",
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
    let users = cx.world.access.users()?.iter().map(|user| view::user(cx, user)).collect::<Result<Vec<_>, _>>()?;
    let name = |row: &serde_json::Map<String, serde_json::Value>| row["name"].as_str().unwrap_or("").to_owned();
    list::cut(cx, "user.list", &args.list, users, name, Clone::clone)
}
