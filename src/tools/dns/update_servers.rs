//! `dns.update_servers`: which DNS servers a router asks.

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
use std::net::IpAddr;

pub(super) const TOOL: Tool = Tool {
    name: "dns.update_servers",
    title: "Set DNS servers",
    about: "Sets the DNS servers a router asks, in order; those learnt from DHCP or PPP are not touched. Answers before and after.",
    toolset: "ip",
    tier: Tier::Basic,
    effect: Effect::Changes,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &["/ip/dns"],
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
    /// IP addresses, in order; none leaves only learnt ones.
    #[schemars(length(max = 8))]
    servers: Vec<String>,
    /// Change nothing, only say.
    #[serde(default)]
    dry_run: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Written, Fault> {
    let router = cx.router(&args.device)?;
    let edit = Edit::new("/ip/dns", Op::Set).with("servers", addresses(args.servers)?);
    let wish = (vec![edit], "set the DNS servers".to_owned());
    direct::write(cx, &router, wish, args.dry_run, direct::whatever, direct::one_row(&[("servers", "servers")])).await
}

/// IP addresses only: a resolver cannot resolve its own servers.
pub(in crate::tools) fn addresses(servers: Vec<String>) -> Result<Vec<String>, Fault> {
    match servers.iter().find(|server| server.parse::<IpAddr>().is_err()) {
        None => Ok(servers),
        Some(odd) => Err(Fault::bad_input(format!("servers: \"{}\" is no IP address", shown(odd)))),
    }
}
