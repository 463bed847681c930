//! `ntp.update_servers`: which time servers a router asks.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::tools::arguments::shown;
use crate::tools::context::Cx;
use crate::tools::direct::{self, Written};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "ntp.update_servers",
    title: "Set NTP servers",
    about: "Sets the NTP servers of a router, in order, and switches its client on. Answers before and after.",
    toolset: "system",
    tier: Tier::Basic,
    effect: Effect::Changes,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &["/system/ntp/client"],
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
    /// Addresses or names, in order.
    #[schemars(length(min = 1, max = 8))]
    servers: Vec<String>,
    /// Change nothing, only say.
    #[serde(default)]
    dry_run: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Written, Fault> {
    let router = cx.router(&args.device)?;
    let edit = Edit::new("/system/ntp/client", Op::Set).with("servers", named(args.servers)?).with("enabled", true);
    let names = [("servers", "servers"), ("enabled", "enabled")];
    let wish = (vec![edit], "set the NTP servers".to_owned());
    direct::write(cx, &router, wish, args.dry_run, direct::whatever, direct::one_row(&names)).await
}

/// Addresses or host names; RouterOS takes others too and never says that they are none.
pub(in crate::tools) fn named(servers: Vec<String>) -> Result<Vec<String>, Fault> {
    let plain = |name: &&String| {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
        !name.is_empty() && name.len() <= 253 && name.chars().all(word)
    };
    match servers.iter().find(|name| !plain(name)) {
        None => Ok(servers),
        Some(odd) => Err(Fault::bad_input(format!("servers: \"{}\" is neither an address nor a host name", shown(odd)))),
    }
}
