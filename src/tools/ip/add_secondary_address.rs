//! `ip.add_secondary_address`: one more address on an interface.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::tools::context::Cx;
use crate::tools::direct::{self, Written};
use crate::tools::ip::secondary;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "ip.add_secondary_address",
    title: "Add an address",
    about: "Adds a further IPv4 or IPv6 address to an interface. Answers before and after, or a plan when a person has to approve it.",
    toolset: "ip",
    tier: Tier::Basic,
    effect: Effect::Changes,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &["/ip/address", "/ipv6/address"],
    untrusted: &["/before/comment", "/after/comment"],
    input: schema::input::<Args>,
    output: schema::output::<Written>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// With prefix length, e.g. 192.0.2.1/24.
    #[schemars(length(min = 4, max = 64))]
    address: String,
    /// The interface.
    #[schemars(length(min = 1, max = 128))]
    interface: String,
    /// A note on the new row.
    #[schemars(length(max = 255))]
    comment: Option<String>,
    /// Change nothing, only say.
    #[serde(default)]
    dry_run: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Written, Fault> {
    let router = cx.router(&args.device)?;
    let net = secondary::prefix(&args.address)?;
    secondary::not_ours(&router.device, net)?;
    let edit = Edit::new(secondary::menu(net), Op::Add).with("address", net.to_string()).with("interface", args.interface);
    let wish = (vec![edit.with_some("comment", args.comment)], format!("add the address {net}"));
    direct::write(cx, &router, wish, args.dry_run, direct::whatever, direct::one_row(secondary::NAMES)).await
}
