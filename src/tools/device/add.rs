//! `device.add`: takes a router into our care.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::{NewDevice, Place};
use crate::tools::context::Cx;
use crate::tools::device::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "device.add",
    title: "Add a device",
    about: "Compares what the router presents with the fingerprints given, logs in, probes what it can do, and stores the record; nothing is stored when any of it fails.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(60),
    paths: view::PROBED,
    untrusted: &[],
    input: schema::input::<Args>,
    output: view::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// A name of your choice.
    name: String,
    /// Host name or address.
    address: String,
    /// Port of REST.
    rest_port: Option<u16>,
    /// Port of SSH.
    ssh_port: Option<u16>,
    /// No TLS: reads only.
    #[serde(default)]
    plain_http: bool,
    /// The RouterOS user.
    username: String,
    /// Its password.
    #[schemars(with = "Option<String>")]
    password: Option<Secret>,
    /// Where its password lies: file:PATH or credential:NAME.
    password_ref: Option<String>,
    /// A private key for SSH, in a file of this machine; without a password where REST is off.
    ssh_key_file: Option<String>,
    /// lab, staging or prod; the appliance's unless set.
    environment: Option<String>,
    /// KEY=VALUE each.
    #[serde(default)]
    tags: Vec<String>,
    /// What we may do beyond reading.
    #[serde(default)]
    capabilities: Vec<String>,
    /// The expected certificate: sha256:HEX.
    tls_fingerprint: Option<String>,
    /// The expected host key: SHA256:BASE64.
    ssh_fingerprint: Option<String>,
    /// REST was off when the fingerprints were looked at: trust the SSH host key alone and leave REST alone.
    #[serde(default)]
    ssh_only: bool,
    /// Trust only the keys that the fingerprints name; without it a service whose fingerprint is left out is trusted as it is.
    #[serde(default)]
    only_named: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let environment = view::environment(cx, args.environment.as_deref())?;
    let credential = view::credential(cx, args.password, args.password_ref, args.ssh_key_file)?.ok_or_else(|| {
        Fault::bad_input("device.add: password is missing")
            .hint("give password; on the box's command line also password_ref or, where REST is off, ssh_key_file")
    })?;
    let new = NewDevice {
        name: args.name,
        place: Place {
            address: args.address,
            rest_port: args.rest_port.unwrap_or(if args.plain_http { 80 } else { 443 }),
            ssh_port: args.ssh_port.unwrap_or(cx.world.settings.ssh_port),
            plain_http: args.plain_http,
        },
        username: args.username,
        environment,
        tags: view::tags(&args.tags)?,
        capabilities: view::capabilities(&args.capabilities)?,
        ssh_only: args.ssh_only,
        only_named: args.only_named,
    };
    let pins = view::pins(args.tls_fingerprint.as_deref(), args.ssh_fingerprint)?;
    let device = cx.world.fleet.enroll(new, credential, pins).await?;
    cx.about(&device);
    Ok(view::whole(&device, Value::Null))
}
