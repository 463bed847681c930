//! `config.plan_dns_ntp_rollout`: one plan that gives many routers the same DNS and NTP servers.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::tools::context::Cx;
use crate::tools::dns::addresses;
use crate::tools::ntp::named;
use crate::tools::propose::{self, Proposed};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "config.plan_dns_ntp_rollout",
    title: "Plan a DNS and NTP rollout",
    about: "Plans the same DNS and NTP servers for 1 to 50 devices, applied canary first. Changes nothing.",
    toolset: "config",
    tier: Tier::Professional,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &["/ip/dns", "/system/ntp/client"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: propose::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Ids or names of devices, of one environment.
    #[schemars(length(min = 1, max = 50))]
    devices: Vec<String>,
    /// IP addresses of the DNS servers, in order.
    #[schemars(length(min = 1, max = 8))]
    dns_servers: Option<Vec<String>>,
    /// Addresses or names of the NTP servers, in order.
    #[schemars(length(min = 1, max = 8))]
    ntp_servers: Option<Vec<String>>,
    /// Why, for who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Proposed, Fault> {
    let mut edits = Vec::new();
    if let Some(servers) = args.dns_servers {
        edits.push(Edit::new("/ip/dns", Op::Set).with("servers", addresses(servers)?));
    }
    if let Some(servers) = args.ntp_servers {
        edits.push(Edit::new("/system/ntp/client", Op::Set).with("servers", named(servers)?).with("enabled", true));
    }
    if edits.is_empty() {
        return Err(Fault::bad_input("nothing to roll out").hint("give dns_servers, ntp_servers or both"));
    }
    propose::plan(cx, args.devices, args.reason, edits).await
}
