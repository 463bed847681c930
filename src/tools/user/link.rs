//! `user.link`: another identity of the same person.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::user::view;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "user.link",
    title: "Link an identity",
    about: "Makes an identity (an OIDC subject, the local stdio client) the same person as a local user, who then cannot approve what came from it.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(30),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: view::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The user's name.
    #[schemars(length(min = 1))]
    name: String,
    /// ISSUER|SUBJECT: of an OIDC subject, or local|stdio.
    #[schemars(length(min = 1))]
    identity: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    cx.has_every_device()?;
    let user = cx.world.access.link(&args.name, &args.identity.parse()?).await?;
    view::user(cx, &user)
}
