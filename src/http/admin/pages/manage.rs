//! What is done with one router: test it, change its record, its login and its pins, retire it, forget it.
//!
//! What cannot be taken back, or changes whom we trust, is looked at first: the steps of a rotation, old and new fingerprints
//! side by side.

use super::add::{Grant, chosen, grants};
use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{items, maybe, script, text, words};
use super::{Desk, html_as, seen_other};
use crate::base::fault::{Fault, Kind};
use crate::base::tier::Effect;
use crate::http::fault::{self, Refusal};
use crate::http::{Body, query};
use askama::Template;
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

#[derive(Template)]
#[template(path = "manage.html", config = "assets/ui/askama.toml")]
struct Manage {
    frame: Frame,
    said: Said,
    added: bool,
    id: String,
    name: String,
    status: String,
    last_error: Option<String>,
    retired: bool,
    /// What the last probe found, in a few words each.
    found: Vec<(&'static str, String)>,
    verdict: String,
    about_rights: String,
    missing: Vec<(String, String)>,
    excess: Vec<(String, String)>,
    next: Next,
    address: String,
    rest_port: String,
    ssh_port: String,
    username: String,
    tags: String,
    tls: Option<String>,
    ssh: Option<String>,
    capabilities: Vec<Grant>,
    may: bool,
    ask_proof: bool,
}

/// What was just done or looked at.
#[derive(Default)]
pub struct Said {
    good: Option<String>,
    wrong: Option<(String, Option<String>)>,
    rotation: Option<Rotation>,
    pins: Option<Pins>,
    /// To paste on the router.
    script: Option<String>,
}

/// What a rotation would do.
struct Rotation {
    how: String,
    proven_on: String,
}

/// What the router presents now.
struct Pins {
    tls: Option<String>,
    ssh: Option<String>,
    warnings: Vec<String>,
}

/// What a person best does now.
enum Next {
    Pin,
    Rights,
    Grant,
    Client,
    Nothing,
}

/// The page.
pub async fn page(desk: &Desk<'_>, id: &str, said: Said) -> Result<Response<Body>, Refusal> {
    let good = match desk.query.get("said") {
        "tested" => "It answers. What it can do was looked at again.",
        "saved" => "Saved.",
        "pinned" => "The fingerprints are pinned.",
        "rotated" => "The password is another one, and the router was seen to refuse the old one.",
        "rotated-late" => "The password is another one. The old one was not seen refused yet: it is tried again by itself.",
        _ => return show(desk, id, StatusCode::OK, said).await,
    };
    show(desk, id, StatusCode::OK, Said { good: Some(good.into()), ..said }).await
}

async fn show(desk: &Desk<'_>, id: &str, status: StatusCode, said: Said) -> Result<Response<Body>, Refusal> {
    let device = desk.ask("device.get", json!({"device": id})).await?;
    let rights = &device["rights"];
    let verdict = text(rights, "verdict");
    let state = text(&device, "status");
    let caps = &device["capabilities"];
    let policies = |name: &str| rights[name].as_object().into_iter().flatten().map(|(policy, why)| (policy.clone(), words(why))).collect();
    let next = match (state.as_str(), verdict.as_str()) {
        ("decommissioned", _) => Next::Nothing,
        ("quarantined", _) => Next::Pin,
        (_, "short" | "over" | "full") => Next::Rights,
        _ if caps.as_array().is_none_or(Vec::is_empty) => Next::Grant,
        _ => Next::Client,
    };
    let found = [
        ("Identity", text(&device, "identity")),
        ("Board", text(&device, "board")),
        ("RouterOS", text(&device, "version")),
        ("Serial number", text(&device, "serial")),
        ("Ways in and abilities", abilities(&device["can"])),
        ("Device mode", text(&device, "device_mode")),
        ("Did not answer", words(&device["unanswered"])),
    ];
    let page = Manage {
        frame: desk.frame(),
        added: desk.query.get("added") == "1" && said.wrong.is_none() && said.good.is_none(),
        id: text(&device, "id"),
        name: text(&device, "name"),
        last_error: maybe(&device, "last_error"),
        retired: state == "decommissioned",
        status: state,
        found: found.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        about_rights: text(rights, "about"),
        missing: policies("missing"),
        excess: policies("excess"),
        next,
        address: text(&device, "address"),
        rest_port: words(&device["rest_port"]),
        ssh_port: words(&device["ssh_port"]),
        username: text(&device, "username"),
        tags: words(&device["tags"]),
        tls: maybe(&device["pins"], "tls"),
        ssh: maybe(&device["pins"], "ssh"),
        capabilities: grants(|name| items(caps).any(|one| one == name)),
        may: desk.session.role.covers(Effect::Administers, "device"),
        ask_proof: desk.takes_password(),
        verdict,
        said,
    };
    html_as(status, &page)
}

fn abilities(can: &Value) -> String {
    let yes = can.as_object().into_iter().flatten().filter(|(_, value)| **value == true).map(|(name, _)| name.as_str());
    yes.collect::<Vec<_>>().join(", ")
}

/// Does one thing.
pub async fn act(desk: &mut Desk<'_>, id: &str, verb: &str, given: Form) -> Result<Response<Body>, Refusal> {
    let at = format!("/admin/devices/{}/manage", query::encoded(id));
    // These look and change nothing.
    match verb {
        "rotation" => return look_at_rotation(desk, id).await,
        "present" => return look_at_pins(desk, id).await,
        "test" => {
            return match desk.ask("device.test", json!({"device": id})).await {
                Ok(_) => Ok(seen_other(&format!("{at}?said=tested"))),
                Err(fault) => failed(desk, id, fault).await,
            };
        }
        "update" | "rotate" | "pin" | "decommission" | "remove" => {}
        _ => return Err(Fault::not_found("nothing is done at this address").into()),
    }
    match prove_first(desk, &given, &at).await {
        Ok(None) => {}
        Ok(Some(page)) => return Ok(page),
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
            let said = refusal.words().0;
            return failed(desk, id, Fault::new(Kind::Unauthenticated, format!("your own password: {said}"))).await;
        }
        Err(refusal) => return Err(refusal),
    }
    let done = match verb {
        "update" => update(desk, id, &given).await.map(|()| seen_other(&format!("{at}?said=saved"))),
        "rotate" => rotate(desk, id).await.map(|said| seen_other(&format!("{at}?said={said}"))),
        "pin" => pin(desk, id, &given).await.map(|()| seen_other(&format!("{at}?said=pinned"))),
        "decommission" => match decommission(desk, id, &given).await {
            Ok(said) => return show(desk, id, StatusCode::OK, said).await,
            Err(fault) => Err(fault),
        },
        _ => remove(desk, id, &given).await.map(|()| seen_other("/admin/")),
    };
    match done {
        Ok(response) => Ok(response),
        Err(fault) => failed(desk, id, fault).await,
    }
}

/// The page, with what went wrong.
async fn failed(desk: &Desk<'_>, id: &str, fault: Fault) -> Result<Response<Body>, Refusal> {
    let status = fault::status(fault.kind);
    show(desk, id, status, Said { wrong: Some((fault.said, fault.hint)), ..Said::default() }).await
}

async fn look_at_rotation(desk: &Desk<'_>, id: &str) -> Result<Response<Body>, Refusal> {
    match desk.ask("device.rotate_credentials", json!({"device": id, "dry_run": true})).await {
        Ok(would) => {
            let rotation = Rotation { how: text(&would, "how"), proven_on: words(&would["proven_on"]) };
            show(desk, id, StatusCode::OK, Said { rotation: Some(rotation), ..Said::default() }).await
        }
        Err(fault) => failed(desk, id, fault).await,
    }
}

async fn look_at_pins(desk: &Desk<'_>, id: &str) -> Result<Response<Body>, Refusal> {
    match desk.ask("device.present", json!({"device": id})).await {
        Ok(seen) => {
            let tls = maybe(&seen, "tls_fingerprint").filter(|_| seen["pins_tls"] == true);
            let warnings = items(&seen["warnings"]).map(words).collect();
            let pins = Pins { tls, ssh: maybe(&seen, "ssh_fingerprint"), warnings };
            show(desk, id, StatusCode::OK, Said { pins: Some(pins), ..Said::default() }).await
        }
        Err(fault) => failed(desk, id, fault).await,
    }
}

/// Only what is another than it was: a new address or login is tried on the router before it is kept.
async fn update(desk: &Desk<'_>, id: &str, given: &Form) -> Result<(), Fault> {
    let now = desk.ask("device.get", json!({"device": id})).await?;
    let mut changes = Map::new();
    for name in ["name", "address", "username"] {
        let value = given.get(name).trim();
        if !value.is_empty() && value != text(&now, name) {
            changes.insert(name.into(), value.into());
        }
    }
    for name in ["rest_port", "ssh_port"] {
        match given.port(name)? {
            Some(port) if now[name] != port => drop(changes.insert(name.into(), port.into())),
            _ => {}
        }
    }
    if !given.get("password").is_empty() {
        changes.insert("password".into(), given.get("password").into());
    }
    if given.get("tags").trim() != words(&now["tags"]) {
        changes.insert("tags".into(), given.tags().into());
    }
    let caps = chosen(given);
    let had: Vec<&str> = items(&now["capabilities"]).filter_map(Value::as_str).collect();
    if caps.len() != had.len() || !caps.iter().all(|cap| had.contains(cap)) {
        changes.insert("capabilities".into(), caps.into());
    }
    if changes.is_empty() {
        return Err(Fault::bad_input("nothing was changed: all of it is as it was"));
    }
    changes.insert("device".into(), id.into());
    desk.ask("device.update", Value::Object(changes)).await.map(drop)
}

async fn rotate(desk: &Desk<'_>, id: &str) -> Result<&'static str, Fault> {
    let done = desk.ask("device.rotate_credentials", json!({"device": id})).await?;
    Ok(if done["old_refused"] == true { "rotated" } else { "rotated-late" })
}

async fn pin(desk: &Desk<'_>, id: &str, given: &Form) -> Result<(), Fault> {
    if !given.is_on("trusted") {
        return Err(Fault::bad_input("tick the box once you have compared the fingerprints"));
    }
    let mut asked = json!({"device": id});
    for name in ["tls_fingerprint", "ssh_fingerprint"] {
        if !given.get(name).is_empty() {
            asked[name] = given.get(name).into();
        }
    }
    desk.ask("device.pin", asked).await.map(drop)
}

async fn decommission(desk: &Desk<'_>, id: &str, given: &Form) -> Result<Said, Fault> {
    let done = desk.ask("device.decommission", json!({"device": id, "remove_account": given.is_on("remove_account")})).await?;
    let account = &done["account"];
    let name = text(&done, "name");
    let (good, script) = match account["removed"] == true {
        true => (format!("{name} is decommissioned, and the router was seen to refuse our user."), None),
        false => {
            let why = text(account, "why");
            (
                format!("{name} is decommissioned. Our user is still on the router: {why}. To remove it, paste there as a full user:"),
                script(account, "script"),
            )
        }
    };
    Ok(Said { good: Some(good), script, ..Said::default() })
}

async fn remove(desk: &Desk<'_>, id: &str, given: &Form) -> Result<(), Fault> {
    let device = desk.ask("device.get", json!({"device": id})).await?;
    if given.get("name").trim() != text(&device, "name") {
        return Err(Fault::bad_input("type the router's name as it stands here: what is removed does not come back"));
    }
    desk.ask("device.remove", json!({"device": id})).await.map(drop)
}
