//! `ip.remove_secondary_address`: one address less on an interface.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::plan::record::{Cut, Draft};
use crate::tools::context::Cx;
use crate::tools::direct::{self, Written};
use crate::tools::ip::secondary;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "ip.remove_secondary_address",
    title: "Remove an address",
    about: "Removes an address from an interface, never the one the router is managed by. Answers before and after, or a plan when a person has to approve it.",
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
    /// As ip.list_addresses shows it, with prefix length.
    #[schemars(length(min = 4, max = 64))]
    address: String,
    /// The interface, where the address stands on several.
    #[schemars(length(min = 1, max = 128))]
    interface: Option<String>,
    /// Change nothing, only say.
    #[serde(default)]
    dry_run: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Written, Fault> {
    let router = cx.router(&args.device)?;
    let net = secondary::prefix(&args.address)?;
    secondary::not_ours(&router.device, net)?;
    let mut edit = Edit { if_there: true, ..Edit::new(secondary::menu(net), Op::Remove).of("address", net.to_string()) };
    if let Some(interface) = args.interface {
        edit = edit.of("interface", interface);
    }
    let wish = (vec![edit], format!("remove the address {net}"));
    let name = router.device.name.clone();
    // By a name, or through an address that is translated on the way, only the router knows by which address it is reached.
    let fits = |draft: &Draft| match draft.cut {
        Cut::Yes => Err(Fault::denied(format!("device \"{name}\": it may be reached by {net}, which is not removed by this"))
            .hint("plan.create can plan it, for a person to approve")),
        Cut::No | Cut::Unknown => Ok(()),
    };
    direct::write(cx, &router, wish, args.dry_run, fits, direct::one_row(secondary::NAMES)).await
}
