//! Routers that register themselves: a script for each, what they reported, and the person who takes them in.

use super::add::{Grant, chosen, grants};
use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{ago, maybe, script, text};
use super::{Desk, html_as, seen_other};
use crate::base::fault::Fault;
use crate::http::Body;
use crate::http::fault::{self, Refusal};
use askama::Template;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// Where it is.
const PAGE: &str = "/admin/registrations";

#[derive(Template)]
#[template(path = "registrations.html", config = "assets/ui/askama.toml")]
struct Registrations {
    frame: Frame,
    wrong: Option<(String, Option<String>)>,
    /// Shown once.
    script: Option<String>,
    warning: Option<String>,
    url: String,
    rows: Vec<Row>,
    capabilities: Vec<Grant>,
    ask_proof: bool,
}

struct Row {
    id: String,
    name: String,
    state: String,
    about: String,
    tls: Option<String>,
    says: String,
    from: String,
}

/// The page.
pub async fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    show(desk, StatusCode::OK, None, None).await
}

async fn show(desk: &Desk<'_>, status: StatusCode, wrong: Option<Fault>, made: Option<Value>) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let listed = desk.all("registration.list").await?;
    let row = |row: &Value| {
        let (state, report) = (text(row, "state"), &row["report"]);
        let when = |name: &str| ago(&text(row, name), now);
        let about = match state.as_str() {
            "waiting" => format!("waits for the router; its token ends {}", when("expires_at")),
            "pending" => format!("reported {}, waits for you", ago(&text(report, "at"), now)),
            _ => format!("made {} by {}", when("created_at"), text(row, "by")),
        };
        let says = ["identity", "board", "version", "serial"].map(|name| text(report, name));
        let says = says.iter().filter(|one| !one.is_empty()).cloned().collect::<Vec<_>>().join(", ");
        Row {
            id: text(row, "id"),
            name: text(row, "name"),
            about,
            tls: maybe(report, "tls_fingerprint"),
            says,
            from: text(report, "from"),
            state,
        }
    };
    let page = Registrations {
        frame: desk.frame(),
        script: made.as_ref().and_then(|made| script(made, "script")),
        warning: made.as_ref().and_then(|made| maybe(made, "warning")),
        wrong: wrong.map(|fault| (fault.said, fault.hint)),
        url: desk.asked.origin.clone(),
        rows: listed.iter().map(row).collect(),
        capabilities: grants(|_| false),
        ask_proof: desk.takes_password(),
    };
    html_as(status, &page)
}

/// A new one: its script is shown in the answer, and nowhere after.
pub async fn create(desk: &mut Desk<'_>, given: Form) -> Result<Response<Body>, Refusal> {
    let mut asked = json!({
        "name": given.need("name")?.trim(), "url": given.need("url")?.trim(), "username": given.need("username")?.trim(),
        "writes": given.is_on("writes"), "rotates": given.is_on("rotates"), "ssh": given.is_on("ssh"),
    });
    if !given.get("from").trim().is_empty() {
        asked["from"] = given.get("from").trim().into();
    }
    if let Some(page) = prove_first(desk, &given, PAGE).await? {
        return Ok(page);
    }
    match desk.ask("registration.create", asked).await {
        Ok(answer) => show(desk, StatusCode::OK, None, Some(answer)).await,
        Err(fault) => show(desk, fault::status(fault.kind), Some(fault), None).await,
    }
}

/// What is done with one.
pub async fn act(desk: &mut Desk<'_>, id: &str, verb: &str, given: Form) -> Result<Response<Body>, Refusal> {
    let (tool, asked) = match verb {
        "revoke" => ("registration.revoke", json!({"id": id})),
        "report" => ("registration.paste", json!({"id": id, "report": given.need("report")?})),
        "accept" => {
            if !given.is_on("trusted") {
                let fault = Fault::bad_input("tick the box once you have compared the fingerprint with the one on the router's terminal");
                return show(desk, StatusCode::BAD_REQUEST, Some(fault), None).await;
            }
            let mut asked =
                json!({"id": id, "tls_fingerprint": given.need("tls_fingerprint")?, "tags": given.tags(), "capabilities": chosen(&given)});
            if !given.get("address").trim().is_empty() {
                asked["address"] = given.get("address").trim().into();
            }
            ("registration.accept", asked)
        }
        _ => return Err(Fault::not_found("nothing is done at this address").into()),
    };
    if let Some(page) = prove_first(desk, &given, PAGE).await? {
        return Ok(page);
    }
    match desk.ask(tool, asked).await {
        Ok(device) if verb == "accept" => Ok(seen_other(&format!("/admin/devices/{}/manage?added=1", text(&device, "id")))),
        Ok(_) => Ok(seen_other(PAGE)),
        Err(fault) => show(desk, fault::status(fault.kind), Some(fault), None).await,
    }
}
