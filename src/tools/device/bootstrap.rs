//! `device.bootstrap`: the script that makes our user on a router.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::bootstrap::{self, Bootstrap};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "device.bootstrap",
    title: "Script for a router",
    about: "A RouterOS script to paste on a router: a group and a user with the least rights, a new password for it, and HTTPS for REST. Keeps nothing.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The RouterOS user to make; mcp unless set.
    #[serde(default = "usual")]
    #[schemars(length(min = 1, max = 64))]
    username: String,
    /// Also for changes: the policy write.
    #[serde(default)]
    writes: bool,
    /// It may change its own password: the policy password.
    #[serde(default)]
    rotates: bool,
    /// It may log in over SSH too: the policy ssh.
    #[serde(default)]
    ssh: bool,
    /// Only from this address or range: the appliance's own.
    #[schemars(length(max = 100))]
    from: Option<String>,
}

fn usual() -> String {
    "mcp".into()
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// The user.
    username: String,
    /// Its password: it stands in the script, and nowhere else.
    password: String,
    /// To paste into a terminal of the router, line by line: a text in an answer has no line ends.
    script: Vec<String>,
}

async fn run(_cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let Args { username, writes, rotates, ssh, from } = args;
    let password = bootstrap::password();
    let user = Bootstrap { username: username.clone(), writes, rotates, ssh, from };
    user.check()?;
    let script = user.script(&password);
    let script = script.lines().map(str::to_owned).collect();
    Ok(Answer { username, password: password.expose().to_owned(), script })
}
