//! `device.pin`: trusts new fingerprints; the only way out of quarantine.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::device::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "device.pin",
    title: "Pin fingerprints",
    about: "Trusts new fingerprints after a certificate or host key changed; ends a quarantine.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(60),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: view::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// The expected certificate: sha256:HEX.
    tls_fingerprint: Option<String>,
    /// The expected host key: SHA256:BASE64.
    ssh_fingerprint: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let device = cx.device(&args.device)?;
    let pins = view::pins(args.tls_fingerprint.as_deref(), args.ssh_fingerprint)?;
    let device = cx.world.fleet.pin(&device.id, pins).await?;
    Ok(view::whole(&device, Value::Null))
}
