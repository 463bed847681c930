//! `device.present`: what a router presents before any credential leaves.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::{Device, NewDevice, Place, Status};
use crate::routeros::pin::format_fingerprint;
use crate::tools::context::Cx;
use crate::tools::device::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, object, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "device.present",
    title: "Show fingerprints",
    about: "The TLS certificate and SSH host key that a place presents; sends no credential. Name a device, or an address that has no record yet. With a name, whatever device.add would refuse of the record is refused before anybody is asked.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(60),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: || schema::output::<Map<String, Value>>(),
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// A device we know, by id or name; or say the address.
    device: Option<String>,
    /// Host name or address.
    address: Option<String>,
    /// Port of REST.
    rest_port: Option<u16>,
    /// Port of SSH.
    ssh_port: Option<u16>,
    /// No TLS.
    #[serde(default)]
    plain_http: bool,
    /// The device to be added there: what its record would say is checked first.
    name: Option<String>,
    /// The RouterOS user of that device.
    username: Option<String>,
    /// As device.add.
    password_ref: Option<String>,
    /// As device.add.
    ssh_key_file: Option<String>,
    /// As device.add.
    environment: Option<String>,
    /// As device.add.
    #[serde(default)]
    tags: Vec<String>,
    /// As device.add.
    #[serde(default)]
    capabilities: Vec<String>,
    /// The certificate that will be expected: its spelling is checked.
    tls_fingerprint: Option<String>,
    /// The host key that will be expected: its spelling is checked.
    ssh_fingerprint: Option<String>,
}

/// The device that is reached there, or that has the same SSH host key.
fn known(cx: &Cx, place: &Place, host_key: Option<&str>) -> Option<String> {
    let same = |device: &Device| {
        let there = device.place();
        (there.address.eq_ignore_ascii_case(&place.address) && (there.rest_port == place.rest_port || there.ssh_port == place.ssh_port))
            || host_key.is_some_and(|key| device.pins.ssh.as_deref() == Some(key))
    };
    let mut all = cx.world.fleet.list().into_iter().filter(|device| device.status != Status::Decommissioned);
    all.find(|device| same(device)).map(|device| device.name.clone())
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    if args.device.is_none() && !cx.principal.role.covers(Effect::Changes, "device") {
        return Err(Fault::denied(format!("role {} connects to no new places", cx.principal.role.as_str()))
            .hint("name a device that is there, or ask an administrator"));
    }
    let pins = view::pins(args.tls_fingerprint.as_deref(), args.ssh_fingerprint)?;
    let place = match (&args.device, args.address) {
        (Some(name), _) => cx.device(name)?.place(),
        (None, Some(address)) => Place {
            address,
            rest_port: args.rest_port.unwrap_or(if args.plain_http { 80 } else { 443 }),
            ssh_port: args.ssh_port.unwrap_or(cx.world.settings.ssh_port),
            plain_http: args.plain_http,
        },
        (None, None) => return Err(Fault::bad_input("device.present: address is missing")),
    };
    if let (Some(name), None) = (args.name, &args.device) {
        view::credential(cx, None, args.password_ref, args.ssh_key_file)?;
        let new = NewDevice {
            name,
            place: place.clone(),
            // One that is not known yet is no wrong one.
            username: args.username.unwrap_or_else(|| "mcp".into()),
            environment: view::environment(cx, args.environment.as_deref())?,
            tags: view::tags(&args.tags)?,
            capabilities: view::capabilities(&args.capabilities)?,
            ssh_only: false,
            only_named: false,
        };
        cx.world.fleet.check_new(&new, &pins)?;
    }
    let seen = cx.world.fleet.present(&place).await?;
    let mut warnings = Vec::new();
    // A web server on which REST is off has not shown that it is this router's.
    let tls = seen.tls.as_ref().filter(|_| seen.rest_error.is_none());
    let ends = tls.and_then(|tls| tls.not_after);
    if ends.is_some_and(|ends| ends < cx.world.clock.wall()) {
        warnings.push("the certificate has expired; pinned it still works, `verify_tls = \"ca\"` would refuse it".to_owned());
    }
    if let Some(why) = &seen.ssh_error {
        warnings.push(format!("no SSH host key: {why}"));
    }
    if let Some(why) = &seen.rest_error {
        warnings.push(format!("REST is not used, reads go over SSH with that host key alone: {why}"));
    }
    if args.device.is_none()
        && let Some(known) = known(cx, &place, seen.ssh.as_ref().map(|ssh| ssh.fingerprint.as_str()))
    {
        warnings.push(format!(
            "it looks like \"{known}\", which is known already: under two names nothing keeps two plans of one router apart"
        ));
    }
    if place.plain_http {
        warnings.push("without TLS anybody on the path can read the password and forge answers: reads only".to_owned());
    }
    let answer = json!({
        "tls_fingerprint": tls.map(|tls| format_fingerprint(&tls.sha256)),
        "tls_not_after": ends.map(|ends| ends.rfc3339()),
        "tls_subject": tls.map(|tls| tls.subject.clone()),
        "ssh_fingerprint": seen.ssh.as_ref().map(|ssh| ssh.fingerprint.clone()),
        "pins_tls": seen.pins_tls,
        "rest_error": seen.rest_error,
        "warnings": warnings,
    });
    Ok(object(answer))
}
