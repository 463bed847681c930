//! Adding a router, in two steps: what it presents is looked at before any credential leaves.
//!
//! Between the steps nothing is kept here: the form carries the fingerprints that were shown, and `device.add` compares them
//! with what the router presents then.

use super::device::about;
use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{self, items, maybe, text, words};
use super::{Desk, html_as, seen_other};
use crate::base::fault::{Fault, Kind};
use crate::fleet::Capability;
use crate::http::Body;
use crate::http::fault::{self, Refusal};
use askama::Template;
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

/// Where it is.
const PAGE: &str = "/admin/add";

#[derive(Template)]
#[template(path = "add.html", config = "assets/ui/askama.toml")]
struct Add {
    frame: Frame,
    address: String,
    name: String,
    wrong: Option<(String, Option<String>)>,
    script: Option<String>,
    can_plain: bool,
}

#[derive(Template)]
#[template(path = "trust.html", config = "assets/ui/askama.toml")]
struct Trust {
    frame: Frame,
    wrong: Option<(String, Option<String>)>,
    address: String,
    rest_port: String,
    ssh_port: String,
    plain_http: bool,
    name: String,
    username: String,
    tags: String,
    tls: Option<String>,
    /// Shown, and not pinned: authorities decide.
    pins_tls: bool,
    about_tls: String,
    ssh: Option<String>,
    ssh_only: bool,
    warnings: Vec<String>,
    capabilities: Vec<Grant>,
    ask_proof: bool,
}

/// A capability to choose.
pub struct Grant {
    pub name: &'static str,
    pub about: &'static str,
    pub granted: bool,
}

/// The first step: where it is.
pub async fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    first(desk, StatusCode::OK, desk.query.get("address"), desk.query.get("name"), None, None)
}

fn first(
    desk: &Desk<'_>,
    status: StatusCode,
    address: &str,
    name: &str,
    wrong: Option<Fault>,
    script: Option<String>,
) -> Result<Response<Body>, Refusal> {
    let can_plain = desk.edge.dispatch.world().rules.environment != crate::base::tier::Environment::Prod;
    let wrong = wrong.map(|fault| (fault.said, fault.hint));
    html_as(status, &Add { frame: desk.frame(), address: address.into(), name: device_name(name), wrong, script, can_plain })
}

/// What follows.
pub async fn act(desk: &mut Desk<'_>, step: &str, given: Form) -> Result<Response<Body>, Refusal> {
    match step {
        "script" => script(desk, &given).await,
        "look" => look(desk, &given, None).await,
        "confirm" => confirm(desk, given).await,
        _ => Err(Fault::not_found("nothing is done at this address").into()),
    }
}

/// The script that makes our user.
async fn script(desk: &Desk<'_>, given: &Form) -> Result<Response<Body>, Refusal> {
    let mut asked = json!({"username": given.need("username")?, "writes": given.is_on("writes"), "rotates": given.is_on("rotates"), "ssh": given.is_on("ssh")});
    if !given.get("from").trim().is_empty() {
        asked["from"] = given.get("from").trim().into();
    }
    let made = desk.ask("device.bootstrap", asked).await?;
    first(desk, StatusCode::OK, given.get("address"), given.get("name"), None, view::script(&made, "script"))
}

/// The second step: what it presents. With `wrong` again, after something went wrong.
async fn look(desk: &Desk<'_>, given: &Form, wrong: Option<Fault>) -> Result<Response<Body>, Refusal> {
    let seen = match desk.ask("device.present", Value::Object(place(given)?)).await {
        Ok(seen) => seen,
        Err(fault) => {
            let status = fault::status(fault.kind);
            return first(desk, status, given.get("address"), given.get("name"), Some(wrong.unwrap_or(fault)), None);
        }
    };
    let (tls, ssh) = (maybe(&seen, "tls_fingerprint"), maybe(&seen, "ssh_fingerprint"));
    let until = maybe(&seen, "tls_not_after").map(|until| format!(", good until {}", until.get(..10).unwrap_or(&until)));
    let page = Trust {
        frame: desk.frame(),
        address: given.get("address").trim().into(),
        rest_port: given.get("rest_port").into(),
        ssh_port: given.get("ssh_port").into(),
        plain_http: given.is_on("plain_http"),
        name: device_name(given.get("name")),
        username: if given.get("username").is_empty() { "mcp".into() } else { given.get("username").into() },
        tags: given.get("tags").into(),
        pins_tls: seen["pins_tls"] == true,
        about_tls: format!("{}{}", text(&seen, "tls_subject"), until.unwrap_or_default()),
        ssh_only: seen["rest_error"].is_string() && tls.is_none(),
        tls,
        ssh,
        warnings: items(&seen["warnings"]).map(words).collect(),
        capabilities: grants(|name| given.is_on(&format!("cap_{name}"))),
        ask_proof: desk.takes_password(),
        wrong: wrong.as_ref().map(|fault| (fault.said.clone(), fault.hint.clone())),
    };
    html_as(wrong.map_or(StatusCode::OK, |fault| fault::status(fault.kind)), &page)
}

/// The person trusts what was shown: it is added, or the second step comes again and says why not.
async fn confirm(desk: &mut Desk<'_>, given: Form) -> Result<Response<Body>, Refusal> {
    let mut asked = place(&given)?;
    for name in ["name", "username"] {
        asked.insert(name.into(), given.need(name)?.trim().into());
    }
    asked.insert("password".into(), given.get("password").into());
    for name in ["tls_fingerprint", "ssh_fingerprint"] {
        if !given.get(name).is_empty() {
            asked.insert(name.into(), given.get(name).into());
        }
    }
    asked.insert("ssh_only".into(), given.is_on("ssh_only").into());
    // What did not answer when they looked was not compared.
    asked.insert("only_named".into(), true.into());
    asked.insert("tags".into(), given.tags().into());
    asked.insert("capabilities".into(), chosen(&given).into());
    if !given.is_on("trusted") {
        let fault = Fault::bad_input("tick the box once you have compared the fingerprints: without it nothing is sent");
        return look(desk, &given, Some(fault)).await;
    }
    match prove_first(desk, &given, PAGE).await {
        Ok(None) => {}
        Ok(Some(page)) => return Ok(page),
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
            let said = refusal.words().0;
            return look(desk, &given, Some(Fault::new(Kind::Unauthenticated, format!("your own password: {said}")))).await;
        }
        Err(refusal) => return Err(refusal),
    }
    match desk.ask("device.add", Value::Object(asked)).await {
        Ok(device) => Ok(seen_other(&format!("/admin/devices/{}/manage?added=1", text(&device, "id")))),
        Err(fault) => look(desk, &given, Some(Fault { said: format!("{}; nothing was stored", fault.said), ..fault })).await,
    }
}

/// Where the router is, from a form.
fn place(given: &Form) -> Result<Map<String, Value>, Fault> {
    let mut place = Map::new();
    place.insert("address".into(), given.need("address")?.trim().into());
    place.insert("plain_http".into(), given.is_on("plain_http").into());
    for name in ["rest_port", "ssh_port"] {
        if let Some(port) = given.port(name)? {
            place.insert(name.into(), port.into());
        }
    }
    Ok(place)
}

/// The capabilities that are ticked.
pub fn chosen(given: &Form) -> Vec<&'static str> {
    Capability::ALL.iter().map(|one| one.as_str()).filter(|name| given.is_on(&format!("cap_{name}"))).collect()
}

/// All of them, to choose from.
pub fn grants(has: impl Fn(&str) -> bool) -> Vec<Grant> {
    Capability::ALL.iter().map(|one| Grant { name: one.as_str(), about: about(*one), granted: has(one.as_str()) }).collect()
}

/// A router's own name as a device may have it.
fn device_name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    text.trim().chars().map(plain).take(63).collect::<String>().trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_router_calls_itself_becomes_a_name_that_a_device_may_have() {
        for (said, name) in [("edge-7", "edge-7"), ("Büro 1", "B-ro-1"), ("\"><script>", "script"), ("", "")] {
            assert_eq!(device_name(said), name);
        }
    }
}
