//! `bridge.plan_port`: a plan for a port of a bridge.

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
    name: "bridge.plan_port",
    title: "Plan a bridge port",
    about: "Plans to put an interface into a bridge, change its port settings, or take it out. Answers whether it can cut our access.",
    toolset: "interface",
    tier: Tier::Professional,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &["/interface/bridge/port"],
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
    /// The port.
    #[schemars(length(min = 1, max = 128))]
    interface: String,
    /// The bridge it joins.
    bridge: Option<String>,
    /// VLAN of its untagged frames.
    #[schemars(range(min = 1, max = 4094))]
    pvid: Option<u16>,
    /// As RouterOS spells them, e.g. admit-only-vlan-tagged.
    frame_types: Option<String>,
    /// Refuse VLANs of others.
    ingress_filtering: Option<bool>,
    /// auto, yes, no …
    edge: Option<String>,
    /// A number or none.
    horizon: Option<String>,
    /// A note on the port.
    comment: Option<String>,
    /// Not in use.
    disabled: Option<bool>,
    /// Why, for who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Proposed, Fault> {
    const MENU: &str = "/interface/bridge/port";
    let told = |edit: Edit| {
        let edit =
            edit.with_some("bridge", args.bridge.clone()).with_some("pvid", args.pvid).with_some("frame-types", args.frame_types.clone());
        let edit = edit.with_some("ingress-filtering", args.ingress_filtering).with_some("edge", args.edge.clone());
        edit.with_some("horizon", args.horizon.clone()).with_some("comment", args.comment.clone()).with_some("disabled", args.disabled)
    };
    let edit = match args.action {
        Action::Add if args.bridge.is_none() => return Err(Fault::bad_input("bridge is missing: which one the port joins")),
        Action::Add => told(Edit::new(MENU, Op::Add).with("interface", args.interface.as_str())),
        Action::Modify => told(Edit::new(MENU, Op::Set).of("interface", args.interface.as_str())),
        Action::Remove => Edit::new(MENU, Op::Remove).of("interface", args.interface.as_str()),
    };
    propose::plan(cx, vec![args.device], args.reason, vec![edit]).await
}
