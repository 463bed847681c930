//! `registration.create`: a script with which a router registers itself.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::bootstrap::Bootstrap;
use crate::tools::context::Cx;
use crate::tools::registration::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "registration.create",
    title: "Open a registration",
    about: "A RouterOS script that makes our user and HTTPS on a router and reports its certificate under a one-time token, good for an hour. The script is shown once; the router then waits for a person.",
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
    /// What the device is to be called.
    #[schemars(length(min = 1, max = 63))]
    name: String,
    /// Where the router reaches us: https://HOST:PORT; http.public_url unless set.
    #[schemars(length(max = 255))]
    url: Option<String>,
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

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let url = args.url.or_else(|| cx.world.settings.public_url.clone());
    let url =
        url.ok_or_else(|| Fault::bad_input("url is missing").hint("say where the router reaches this appliance: https://192.0.2.9:8443"))?;
    let url = url.trim_end_matches('/');
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_plain) {
        return Err(Fault::bad_input("url is https:// and a name or address, perhaps with a port").hint("such as https://192.0.2.9:8443"));
    }
    let user = Bootstrap { username: args.username, writes: args.writes, rotates: args.rotates, ssh: args.ssh, from: args.from };
    let made = cx.world.fleet.register(&args.name, user, &format!("{url}{REPORT}"), &cx.principal.name).await?;
    let mut answer = view::row(&made.registration, cx.world.clock.wall());
    // A text in an answer has no line ends.
    answer.insert("script".into(), made.script.lines().collect::<Vec<_>>().into());
    let warning = url
        .starts_with("http://")
        .then_some("without TLS the report can be read and spoilt on the way; compare the fingerprint all the same");
    answer.insert("warning".into(), warning.into());
    Ok(answer)
}

/// Where reports go.
const REPORT: &str = "/admin/api/v1/registrations/report";
