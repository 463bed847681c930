//! `wireless.plan_radio`: a plan for a radio.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::tools::context::Cx;
use crate::tools::propose::{self, Proposed};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::wireless::settings::Stack;
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "wireless.plan_radio",
    title: "Plan radio settings",
    about: "Plans new settings of a radio: frequency, channel width, power, country, in use or not.",
    toolset: "wireless",
    tier: Tier::Professional,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &["/interface/wifi", "/interface/wireless"],
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
    /// The radio's interface.
    #[schemars(length(min = 1, max = 64))]
    interface: String,
    /// MHz, a range, or auto.
    frequency: Option<String>,
    /// e.g. 20mhz or 20/40mhz-Ce.
    channel_width: Option<String>,
    /// Transmit power in dBm.
    #[schemars(range(min = -30, max = 40))]
    tx_power_dbm: Option<i8>,
    /// The country whose radio rules apply.
    country: Option<String>,
    /// Out of use, or back.
    disabled: Option<bool>,
    /// Why, for who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Proposed, Fault> {
    let device = cx.router(&args.device)?.device;
    let stack = Stack::of(&device)?;
    let mut edit = Edit::new(stack.menu, Op::Set).of("name", args.interface);
    edit = edit.with_some(stack.frequency, args.frequency).with_some(stack.width, args.channel_width);
    edit = edit.with_some(stack.country, args.country).with_some(stack.power, args.tx_power_dbm).with_some("disabled", args.disabled);
    if args.tx_power_dbm.is_some() && !stack.is_wifi {
        edit = edit.with("tx-power-mode", "all-rates-fixed");
    }
    if edit.values.is_empty() {
        return Err(Fault::bad_input("nothing to set").hint("give at least one setting, such as frequency"));
    }
    propose::plan(cx, vec![args.device], args.reason, vec![edit]).await
}
