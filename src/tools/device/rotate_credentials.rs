//! `device.rotate_credentials`: gives our user on a router another password.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "device.rotate_credentials",
    title: "Change our login on a router",
    about: "Gives our user on the router a new password that nobody sees: proven on fresh logins, stored, the old one seen refused.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(120),
    paths: &["/user", "/user/group", "/user/settings", "/system/identity"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// The device's id.
    id: String,
    /// Its name.
    name: String,
    /// Whose password.
    username: String,
    /// Nothing was done, as asked.
    dry_run: bool,
    /// The password is another one now.
    rotated: bool,
    /// How the router is asked, in its own words.
    how: String,
    /// On which services fresh logins prove it.
    proven_on: Vec<String>,
    /// The router was seen to refuse the old password; otherwise it is tried again by itself.
    old_refused: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let device = cx.device(&args.device)?;
    let rotated = cx.world.plans.rotate(&cx.principal, &device.id, args.dry_run).await?;
    Ok(Answer {
        id: device.id.to_string(),
        name: device.name.clone(),
        username: rotated.username,
        dry_run: args.dry_run,
        rotated: rotated.done,
        how: rotated.how.to_owned(),
        proven_on: rotated.services.into_iter().map(str::to_owned).collect(),
        old_refused: rotated.old_refused,
    })
}
