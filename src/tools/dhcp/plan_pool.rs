//! `dhcp.plan_pool`: a plan for a DHCP pool and its network.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::tools::context::Cx;
use crate::tools::propose::{self, Action, Proposed};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "dhcp.plan_pool",
    title: "Plan a DHCP pool",
    about: "Plans to create, modify or remove an address pool and the network its DHCP clients are told. Changes nothing.",
    toolset: "ip",
    tier: Tier::Professional,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &["/ip/pool", "/ip/dhcp-server/network"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: propose::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// What to do.
    action: Action,
    /// The pool's name.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// Address ranges, e.g. 192.0.2.10-192.0.2.99.
    ranges: Option<Vec<String>>,
    /// The pool used when this one is empty.
    next_pool: Option<String>,
    /// The network clients are in, e.g. 192.0.2.0/24.
    network: Option<String>,
    /// The gateway they are told.
    gateway: Option<String>,
    /// The DNS servers they are told.
    dns_servers: Option<Vec<String>>,
    /// Why, for who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

const POOL: &str = "/ip/pool";
const NETWORK: &str = "/ip/dhcp-server/network";

async fn run(cx: &Cx, args: Args) -> Result<Proposed, Fault> {
    let pool = |op| Edit::new(POOL, op);
    let network = |op| Edit::new(NETWORK, op);
    let told = |edit: Edit| edit.with_some("gateway", args.gateway.clone()).with_some("dns-server", args.dns_servers.clone());
    let shaped = |edit: Edit| edit.with_some("ranges", args.ranges.clone()).with_some("next-pool", args.next_pool.clone());
    let mut edits = Vec::new();
    match args.action {
        Action::Add => {
            if args.ranges.as_ref().is_none_or(Vec::is_empty) {
                return Err(Fault::bad_input("ranges is missing: a new pool has some").hint("such as [\"192.0.2.10-192.0.2.99\"]"));
            }
            edits.push(shaped(pool(Op::Add).with("name", args.name.as_str())));
            edits.extend(args.network.as_deref().map(|net| told(network(Op::Add).with("address", net))));
        }
        Action::Modify => {
            let edit = shaped(pool(Op::Set).of("name", args.name.as_str()));
            edits.extend((!edit.values.is_empty()).then_some(edit));
            let edit = args.network.as_deref().map(|net| told(network(Op::Set).of("address", net)));
            edits.extend(edit.filter(|edit| !edit.values.is_empty()));
        }
        Action::Remove => {
            edits.extend(args.network.as_deref().map(|net| network(Op::Remove).of("address", net)));
            edits.push(pool(Op::Remove).of("name", args.name.as_str()));
        }
    }
    if args.network.is_none() && (args.gateway.is_some() || args.dns_servers.is_some()) {
        return Err(Fault::bad_input("network is missing: gateway and dns_servers belong to one"));
    }
    propose::plan(cx, vec![args.device], args.reason, edits).await
}
