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
    if (replaces(&device.pins.tls, &pins.tls) || replaces(&device.pins.ssh, &pins.ssh))
        && cx.proven.is_none()
        && !cx.principal.is_operator()
    {
        // The stored login would be sent to whoever shows that.
        return Err(Fault::denied("another fingerprint is trusted with a stored login on the word of a person alone")
            .hint("do it in the admin pages or at the command line"));
    }
    let device = cx.world.fleet.pin(&device.id, pins).await?;
    Ok(view::whole(&device, Value::Null))
}

fn replaces<T: PartialEq>(old: &Option<T>, new: &Option<T>) -> bool {
    matches!((old, new), (Some(old), Some(new)) if old != new)
}
