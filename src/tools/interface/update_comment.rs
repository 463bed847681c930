//! `interface.update_comment`: what people note about an interface.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::tools::context::Cx;
use crate::tools::direct::{self, Written};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "interface.update_comment",
    title: "Comment an interface",
    about: "Sets or clears the comment of an interface. Answers before and after.",
    toolset: "interface",
    tier: Tier::Basic,
    effect: Effect::Changes,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &["/interface"],
    untrusted: &["/before", "/after"],
    input: schema::input::<Args>,
    output: schema::output::<Written>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// The interface's name.
    #[schemars(length(min = 1, max = 128))]
    name: String,
    /// The comment; empty clears it.
    #[schemars(length(max = 255))]
    comment: String,
    /// Change nothing, only say.
    #[serde(default)]
    dry_run: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Written, Fault> {
    let router = cx.router(&args.device)?;
    let edit = Edit::new("/interface", Op::Set).of("name", args.name).with("comment", args.comment);
    let wish = (vec![edit], "comment an interface".to_owned());
    let names = [("name", "name"), ("comment", "comment")];
    direct::write(cx, &router, wish, args.dry_run, direct::whatever, direct::one_row(&names)).await
}
