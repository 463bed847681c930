//! `registration.accept`: takes a router in that registered itself.

use crate::base::fault::{Fault, Kind};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::{NewCredential, NewDevice, Place};
use crate::tools::context::Cx;
use crate::tools::device::view as device_view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "registration.accept",
    title: "Take a registered router in",
    about: "Adds a router that registered itself, as device.add does: the certificate must be the one a person compared, the login must work; nothing is stored when any of it fails.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(60),
    paths: device_view::PROBED,
    untrusted: &[],
    input: schema::input::<Args>,
    output: device_view::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The registration.
    #[schemars(length(min = 1))]
    id: String,
    /// The certificate that a person compared with what the router's terminal shows: sha256:HEX. Must be the reported one.
    #[schemars(length(min = 64))]
    tls_fingerprint: String,
    /// Where the router is reached; where the report came from unless set.
    address: Option<String>,
    /// KEY=VALUE each.
    #[serde(default)]
    tags: Vec<String>,
    /// What we may do beyond reading.
    #[serde(default)]
    capabilities: Vec<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let fleet = &cx.world.fleet;
    let (one, report, password) = fleet.registered(&args.id)?;
    let pins = device_view::pins(Some(&args.tls_fingerprint), None)?;
    if pins.tls != Some(report.tls) {
        return Err(Fault::new(Kind::Untrusted, "that is not the fingerprint that was reported")
            .hint("compare with what the router's terminal shows; where they differ, revoke this registration: somebody is between"));
    }
    let address = args.address.or(report.from).ok_or_else(|| Fault::bad_input("address is missing: the report was pasted"))?;
    let new = NewDevice {
        name: one.name.clone(),
        place: Place { address, rest_port: report.rest_port, ssh_port: cx.world.settings.ssh_port, plain_http: false },
        username: one.username.clone(),
        environment: cx.world.rules.environment,
        tags: device_view::tags(&args.tags)?,
        capabilities: device_view::capabilities(&args.capabilities)?,
        ssh_only: false,
        only_named: true,
    };
    let ready = fleet.examine(new, NewCredential::password(password), pins).await?;
    let device = fleet.take_in_registered(&one, ready).await?;
    cx.about(&device);
    Ok(device_view::whole(&device, Value::Null))
}
