//! `bridge.plan_settings`: a plan for the settings of a bridge.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::tools::context::Cx;
use crate::tools::propose::{self, Proposed};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "bridge.plan_settings",
    title: "Plan bridge settings",
    about: "Plans new settings of a bridge: VLAN filtering, PVID, spanning tree, snooping. Answers whether it can cut our access.",
    toolset: "interface",
    tier: Tier::Professional,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &["/interface/bridge"],
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
    /// The bridge.
    #[schemars(length(min = 1, max = 128))]
    bridge: String,
    /// The VLAN table takes effect.
    vlan_filtering: Option<bool>,
    /// VLAN of untagged frames.
    #[schemars(range(min = 1, max = 4094))]
    pvid: Option<u16>,
    /// none, stp, rstp or mstp.
    protocol_mode: Option<String>,
    /// Spanning tree priority, e.g. 0x8000.
    priority: Option<String>,
    /// IGMP and MLD snooping.
    igmp_snooping: Option<bool>,
    /// DHCP offers from trusted ports only.
    dhcp_snooping: Option<bool>,
    /// Refuse VLANs of others.
    ingress_filtering: Option<bool>,
    /// A note on the bridge.
    comment: Option<String>,
    /// Why, for who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Proposed, Fault> {
    let edit = Edit::new("/interface/bridge", Op::Set).of("name", args.bridge);
    let edit = edit.with_some("vlan-filtering", args.vlan_filtering).with_some("pvid", args.pvid);
    let edit = edit.with_some("protocol-mode", args.protocol_mode).with_some("priority", args.priority);
    let edit = edit.with_some("igmp-snooping", args.igmp_snooping).with_some("dhcp-snooping", args.dhcp_snooping);
    let edit = edit.with_some("ingress-filtering", args.ingress_filtering).with_some("comment", args.comment);
    if edit.values.is_empty() {
        return Err(Fault::bad_input("nothing to set").hint("give at least one setting, such as vlan_filtering"));
    }
    propose::plan(cx, vec![args.device], args.reason, vec![edit]).await
}
