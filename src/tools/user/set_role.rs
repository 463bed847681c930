//! `user.set_role`: gives a local user another role.

use crate::access::role::Role;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::user::{last, view};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "user.set_role",
    title: "Change a role",
    about: "Gives a local user another role, and ends their sessions: they sign in with it anew.",
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
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    cx.has_every_device()?;
    let role: Role = args.role.parse().map_err(Fault::bad_input)?;
    if role != Role::Admin {
        last::stays(cx, &args.name)?;
    }
    let user = cx.world.access.set_role(&args.name, role).await?;
    view::user(cx, &user)
}
