//! `user.add`: makes a local user.

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
    name: "user.add",
    title: "Add a user",
    about: "Makes a local user, who is a new person: a name, a role and a password of at least 10 characters.",
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
    /// read_only, ops_rw, approver or admin.
    role: String,
    /// The password.
    #[schemars(with = "String")]
    password: Secret,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    cx.has_every_device()?;
    let role = args.role.parse().map_err(Fault::bad_input)?;
    let user = cx.world.access.add(&args.name, role, args.password).await?;
    view::user(cx, &user)
}
