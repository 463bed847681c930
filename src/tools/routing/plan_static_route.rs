//! `routing.plan_static_route`: a plan for a static route.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::tools::arguments::shown;
use crate::tools::context::Cx;
use crate::tools::propose::{self, Action, Proposed};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::IpAddr;

pub(super) const TOOL: Tool = Tool {
    name: "routing.plan_static_route",
    title: "Plan a static route",
    about: "Plans to add, modify or remove a static route; the default route only with allow_default. Changes nothing.",
    toolset: "routing",
    tier: Tier::Professional,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &["/ip/route", "/ipv6/route"],
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
    /// Destination network, e.g. 198.51.100.0/24.
    #[schemars(length(min = 1, max = 64))]
    dst: String,
    /// Next hop: address, interface or address%interface.
    gateway: Option<String>,
    /// For modify: the next hop from then on.
    new_gateway: Option<String>,
    /// The lowest wins.
    #[schemars(range(min = 1, max = 255))]
    distance: Option<u8>,
    /// Routing table, main unless set.
    table: Option<String>,
    /// none, arp or ping.
    check_gateway: Option<String>,
    /// A note on the route.
    comment: Option<String>,
    /// Not in use.
    disabled: Option<bool>,
    /// The default route is meant.
    #[serde(default)]
    allow_default: bool,
    /// Why, for who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Proposed, Fault> {
    let net: IpNet = args.dst.parse().or_else(|_| args.dst.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        Fault::bad_input(format!("dst: \"{}\" is no network", shown(&args.dst))).hint("such as 198.51.100.0/24, or 0.0.0.0/0")
    })?;
    if net.prefix_len() == 0 && !args.allow_default {
        return Err(Fault::bad_input("this is the default route: a mistake there cuts the router off")
            .hint("set allow_default: true if it is meant"));
    }
    let menu = if net.addr().is_ipv4() { "/ip/route" } else { "/ipv6/route" };
    let net = net.trunc().to_string();
    let meant = |op| {
        let edit = Edit::new(menu, op).of("dst-address", net.as_str());
        let edit = args.gateway.iter().fold(edit, |edit, gateway| edit.of("gateway", gateway.as_str()));
        args.table.iter().fold(edit, |edit, table| edit.of("routing-table", table.as_str()))
    };
    let told = |edit: Edit| {
        let edit = edit.with_some("distance", args.distance).with_some("check-gateway", args.check_gateway.clone());
        edit.with_some("comment", args.comment.clone()).with_some("disabled", args.disabled)
    };
    let edit = match args.action {
        Action::Add => {
            let Some(gateway) = &args.gateway else { return Err(Fault::bad_input("gateway is missing: a new route has one")) };
            let edit = Edit::new(menu, Op::Add).with("dst-address", net.as_str()).with("gateway", gateway.as_str());
            told(edit.with_some("routing-table", args.table.clone()))
        }
        Action::Modify => told(meant(Op::Set).with_some("gateway", args.new_gateway.clone())),
        Action::Remove => meant(Op::Remove),
    };
    propose::plan(cx, vec![args.device], args.reason, vec![edit]).await
}
