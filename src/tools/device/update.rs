//! `device.update`: changes a record; a new way to the router is tried before it is kept.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::Changes;
use crate::tools::context::Cx;
use crate::tools::device::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "device.update",
    title: "Update a device",
    about: "Changes a device's record or credential; a new address, user or password must work before it is kept.",
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
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// A new name.
    name: Option<String>,
    /// Must be the appliance's own: devices do not move between environments.
    environment: Option<String>,
    /// Host name or address.
    address: Option<String>,
    /// Port of REST.
    rest_port: Option<u16>,
    /// Port of SSH.
    ssh_port: Option<u16>,
    /// The RouterOS user.
    username: Option<String>,
    /// Its password.
    #[schemars(with = "Option<String>")]
    password: Option<Secret>,
    /// Where its password lies: file:PATH or credential:NAME.
    password_ref: Option<String>,
    /// A private key for SSH, in a file of this machine.
    ssh_key_file: Option<String>,
    /// Instead of all tags: KEY=VALUE each.
    tags: Option<Vec<String>>,
    /// Instead of all capabilities.
    capabilities: Option<Vec<String>>,
    /// With a new address: the certificate there, sha256:HEX.
    tls_fingerprint: Option<String>,
    /// With a new address: the host key there, SHA256:BASE64.
    ssh_fingerprint: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let device = cx.device(&args.device)?;
    cx.world.plans.login_rests(&device)?;
    if args.environment.as_deref().is_some_and(|word| word.parse() != Ok(cx.world.rules.environment)) {
        let said = format!("environment: this appliance looks after {} alone", cx.world.rules.environment.as_str());
        return Err(Fault::bad_input(said).hint("use the appliance of that environment"));
    }
    let credential = view::credential(cx, args.password, args.password_ref, args.ssh_key_file)?;
    let moves = args.address.is_some() || args.rest_port.is_some() || args.ssh_port.is_some();
    if moves && credential.is_none() && cx.proven.is_none() && !cx.principal.is_operator() {
        // The stored one would be sent there, and so could be read by whoever names the place.
        return Err(Fault::denied("a stored login is sent to another address or port on the word of a person alone")
            .hint("give the password as well, or do it in the admin pages or at the command line"));
    }
    let changes = Changes {
        name: args.name,
        address: args.address,
        rest_port: args.rest_port,
        ssh_port: args.ssh_port,
        username: args.username,
        credential,
        tags: args.tags.as_deref().map(view::tags).transpose()?,
        capabilities: args.capabilities.as_deref().map(view::capabilities).transpose()?,
        pins: view::pins(args.tls_fingerprint.as_deref(), args.ssh_fingerprint)?,
    };
    let device = cx.world.fleet.update(&device.id, changes).await?;
    Ok(view::whole(&device, Value::Null))
}
