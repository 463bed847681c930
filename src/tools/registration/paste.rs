//! `registration.paste`: what a router could not send, brought by a person.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::registration::Report;
use crate::tools::context::Cx;
use crate::tools::registration::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "registration.paste",
    title: "Paste a report",
    about: "Takes in the lines that the script of a registration printed on a router that may not send them itself.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(30),
    paths: &[],
    untrusted: view::UNTRUSTED,
    input: schema::input::<Args>,
    output: view::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The registration.
    #[schemars(length(min = 1))]
    id: String,
    /// The lines that the script printed.
    #[schemars(length(min = 1, max = 2048))]
    report: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let (report, _) = Report::parse(&args.report, cx.world.clock.wall(), None)?;
    let one = cx.world.fleet.paste_report(&args.id, report).await?;
    Ok(view::row(&one, cx.world.clock.wall()))
}
