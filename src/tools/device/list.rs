//! `device.list`: the inventory.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Environment, Tier};
use crate::tools::context::Cx;
use crate::tools::device::view;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "device.list",
    title: "List devices",
    about: "The routers this appliance looks after, with status, version, board, environment and tags. Call this first to learn device names.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Only this environment: lab, staging or prod.
    environment: Option<String>,
    /// Only devices with this tag, KEY=VALUE.
    tag: Option<String>,
    /// Only this status: reachable, unreachable, quarantined, unknown or decommissioned.
    status: Option<String>,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let environment = args.environment.as_deref().map(str::parse::<Environment>).transpose().map_err(Fault::bad_input)?;
    let tag = match &args.tag {
        None => None,
        Some(tag) => Some(tag.split_once('=').ok_or_else(|| Fault::bad_input("tag: write KEY=VALUE"))?),
    };
    let status = args.status.as_deref().map(view::status).transpose()?;
    let mut devices = cx.devices();
    devices.retain(|device| {
        environment.is_none_or(|e| device.environment == e)
            && tag.is_none_or(|(key, value)| device.tags.iter().any(|(k, v)| k == key && v == value))
            && status.is_none_or(|status| device.status == status)
    });
    let scope = format!("device.list {:?} {:?} {:?}", args.environment, args.tag, args.status);
    list::cut(cx, &scope, &args.list, devices, |device| device.name.clone(), |device| view::brief(device))
}
