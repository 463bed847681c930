//! `registration.list`: routers that were asked to register themselves, and those that did.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::registration::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "registration.list",
    title: "List registrations",
    about: "Registrations: which wait for their router, which were reported under and wait for a person, with the fingerprint to compare.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(10),
    paths: &[],
    untrusted: &["/rows/*/report/identity", "/rows/*/report/serial", "/rows/*/report/board", "/rows/*/report/version"],
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
    let now = cx.world.clock.wall();
    let rows: Vec<Map<String, Value>> = cx.world.fleet.registrations()?.iter().map(|one| view::row(one, now)).collect();
    let id = |row: &Map<String, Value>| row["id"].as_str().unwrap_or("").to_owned();
    list::cut(cx, "registration.list", &args.list, rows, id, Clone::clone)
}
