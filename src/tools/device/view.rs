//! How a device looks in answers.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::tier::Environment;
use crate::fleet::rights::{self, Rights};
use crate::fleet::{Capability, Device, NewCredential, Password, Pins, Status};
use crate::routeros::pin::{format_fingerprint, parse_fingerprint};
use crate::routeros::ssh::is_fingerprint;
use crate::tools::context::Cx;
use crate::tools::spec::object;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Menus that a probe reads, and so whatever logs in anew.
pub(in crate::tools) const PROBED: &[&str] = &[
    "/system/resource",
    "/system/identity",
    "/system/package",
    "/system/device-mode",
    "/system/routerboard",
    "/ip/service",
    "/user",
    "/user/group",
];

/// A row of `device.list`.
pub(in crate::tools) fn brief(device: &Device) -> Map<String, Value> {
    let tags: Map<String, Value> = device.tags.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    let facts = &device.facts;
    // Each row of a list of hundreds: put in one by one, into room made once.
    let mut row = Map::with_capacity(8);
    row.insert("id".into(), device.id.as_str().into());
    row.insert("name".into(), device.name.as_str().into());
    row.insert("address".into(), device.address.as_str().into());
    row.insert("environment".into(), device.environment.as_str().into());
    row.insert("status".into(), device.status.as_str().into());
    row.insert("version".into(), facts.version.as_deref().into());
    row.insert("board".into(), facts.board.as_deref().into());
    row.insert("tags".into(), tags.into());
    row
}

/// `device.get`, and what the command line prints of a device.
pub(in crate::tools) fn whole(device: &Device, health: Value) -> Map<String, Value> {
    let facts = &device.facts;
    let mut out = brief(device);
    out.extend(object(json!({
        "identity": facts.identity,
        "serial": facts.serial,
        "architecture": facts.architecture,
        "firmware": facts.firmware,
        "capabilities": device.capabilities.iter().map(|c| c.as_str()).collect::<Vec<_>>(),
        "can": facts.can,
        "packages": facts.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect::<Vec<_>>(),
        "device_mode": facts.device_mode,
        "flagged": facts.flagged,
        "policies": facts.policies,
        "rights": rights(device),
        "unanswered": facts.unanswered,
        "pins": {"tls": device.pins.tls.as_ref().map(format_fingerprint), "ssh": device.pins.ssh},
        "rest_port": device.rest_port,
        "ssh_port": device.ssh_port,
        "plain_http": device.plain_http,
        "username": device.username,
        "last_seen": device.last_seen.map(|at| at.rfc3339()),
        "last_error": device.last_error,
        "health": health,
    })));
    out
}

/// Written out: the answer is built from the record, not from a type of its own.
pub(in crate::tools) fn output() -> Map<String, Value> {
    let text = || json!({"type": ["string", "null"]});
    let names = || json!({"type": "array", "items": {"type": "string"}});
    let properties = json!({
        "id": {"type": "string"}, "name": {"type": "string"}, "address": {"type": "string"}, "environment": {"type": "string"}, "status": {"type": "string"},
        "version": text(), "board": text(), "tags": {"type": "object"}, "identity": text(), "serial": text(), "architecture": text(), "firmware": text(),
        "capabilities": names(), "can": {"type": "object"}, "packages": names(), "device_mode": text(), "flagged": {"type": ["boolean", "null"]},
        "policies": {"type": ["array", "null"]}, "rights": {"type": "object"}, "unanswered": names(), "pins": {"type": "object"}, "rest_port": {"type": "integer"}, "ssh_port": {"type": "integer"}, "plain_http": {"type": "boolean"},
        "username": {"type": "string"}, "last_seen": text(), "last_error": text(), "health": {"type": ["object", "null"]}
    });
    object(
        json!({"type": "object", "properties": properties, "required": ["id", "name", "address", "environment", "status", "tags", "pins"]}),
    )
}

/// What our user may do there, against what it needs.
fn rights(device: &Device) -> Value {
    let Rights { verdict, missing, excess } = rights::of(device);
    let told =
        |policies: Vec<(String, &str)>| -> Map<String, Value> { policies.into_iter().map(|(policy, why)| (policy, why.into())).collect() };
    json!({"verdict": verdict.as_str(), "about": verdict.about(), "missing": told(missing), "excess": told(excess)})
}

/// A status by its name.
pub(in crate::tools) fn status(word: &str) -> Result<Status, Fault> {
    Status::ALL
        .into_iter()
        .find(|status| status.as_str() == word)
        .ok_or_else(|| Fault::bad_input(format!("status must be one of {}", Status::ALL.map(Status::as_str).join(", "))))
}

/// Errs with `Denied` for whoever names files of this box from elsewhere: a password is sent to the address that they name as well.
fn may_refer(cx: &Cx, names_files: bool) -> Result<(), Fault> {
    if !names_files || cx.principal.is_operator() {
        return Ok(());
    }
    Err(Fault::denied("password_ref and ssh_key_file name files of this box: only its command line may")
        .hint("give the password itself, or use `routeros-mcp device add` on the box"))
}

/// A login from its arguments; none when none is given.
pub(in crate::tools) fn credential(
    cx: &Cx,
    password: Option<Secret>,
    reference: Option<String>,
    ssh_key_file: Option<String>,
) -> Result<Option<NewCredential>, Fault> {
    may_refer(cx, reference.is_some() || ssh_key_file.is_some())?;
    let password = match (password, reference) {
        (Some(_), Some(_)) => return Err(Fault::bad_input("give password or password_ref, not both")),
        (Some(password), None) => Password::Given(password),
        (None, Some(reference)) => Password::At(reference.parse()?),
        // Enough where REST is off; where it answers, whoever logs in says so.
        (None, None) if ssh_key_file.is_some() => Password::None,
        (None, None) => return Ok(None),
    };
    Ok(Some(NewCredential { password, ssh_key_file: ssh_key_file.map(Into::into) }))
}

/// Expected fingerprints from their arguments.
pub(in crate::tools) fn pins(tls: Option<&str>, ssh: Option<String>) -> Result<Pins, Fault> {
    let tls = tls
        .map(|text| parse_fingerprint(text).ok_or_else(|| Fault::bad_input("tls_fingerprint: write sha256: and 64 hexadecimal digits")))
        .transpose()?;
    if ssh.as_deref().is_some_and(|text| !is_fingerprint(text)) {
        return Err(Fault::bad_input("ssh_fingerprint: write SHA256: and base64, as ssh-keygen -l prints it"));
    }
    Ok(Pins { tls, ssh })
}

/// The environment named, else the appliance's.
pub(in crate::tools) fn environment(cx: &Cx, named: Option<&str>) -> Result<Environment, Fault> {
    named.map_or(Ok(cx.world.rules.environment), |word| word.parse().map_err(Fault::bad_input))
}

/// `KEY=VALUE` each.
pub(in crate::tools) fn tags(given: &[String]) -> Result<Vec<(String, String)>, Fault> {
    let pair = |tag: &String| {
        let split = tag.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        split.ok_or_else(|| Fault::bad_input("tags: write KEY=VALUE"))
    };
    given.iter().map(pair).collect()
}

/// Capabilities by their names.
pub(in crate::tools) fn capabilities(given: &[String]) -> Result<BTreeSet<Capability>, Fault> {
    given.iter().map(|word| word.parse().map_err(Fault::bad_input)).collect()
}
