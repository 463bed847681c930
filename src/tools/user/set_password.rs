//! `user.set_password`: sets a password, and ends a lock-out.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
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
    name: "user.set_password",
    title: "Set a password",
    about: "Sets a local user's password, and ends a lock-out and their sessions.",
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
    /// The password.
    #[schemars(with = "String")]
    password: Secret,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    cx.has_every_device()?;
    let user = cx.world.access.set_password(&args.name, args.password).await?;
    view::user(cx, &user)
}
