//! `user.check`: tries a password, as signing in would.

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
    name: "user.check",
    title: "Check a password",
    about: "Says whether a password would be accepted now; a wrong one counts towards the lock-out as anywhere.",
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
    let proved = cx.world.access.authenticate(&args.name, args.password).await?;
    view::user(cx, &cx.world.access.user(&proved.user)?)
}
