//! `system.set_identity`: names the router.

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
    name: "system.set_identity",
    title: "Set identity",
    about: "Sets the name of a router (its identity). Answers before and after; asking for the name it has changes nothing.",
    toolset: "system",
    tier: Tier::Basic,
    effect: Effect::Changes,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &["/system/identity"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Written>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// The new name.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// Change nothing, only say.
    #[serde(default)]
    dry_run: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Written, Fault> {
    let router = cx.router(&args.device)?;
    let edit = Edit::new("/system/identity", Op::Set).with("name", args.name);
    let wish = (vec![edit], "set the identity".to_owned());
    direct::write(cx, &router, wish, args.dry_run, direct::whatever, direct::one_row(&[("name", "name")])).await
}
