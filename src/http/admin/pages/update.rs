//! Another version of this program: what runs, what is newer, what lies ready, and the way back.

use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{ago, maybe, text};
use super::{Desk, html_as, seen_other};
use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::http::Body;
use crate::http::fault::{self, Refusal};
use askama::Template;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// Where it is.
const PAGE: &str = "/admin/update";

#[derive(Template)]
#[template(path = "update.html", config = "assets/ui/askama.toml")]
struct Page {
    frame: Frame,
    version: String,
    channel: String,
    by: String,
    /// Where others see to the version.
    command: Option<String>,
    url: Option<String>,
    looked: Option<(String, String)>,
    look_failed: Option<String>,
    state: String,
    available: Option<Release>,
    staged: Option<Release>,
    pending: Option<(String, String)>,
    back: Option<(String, bool)>,
    last: Option<Last>,
    ask_proof: bool,
    /// Why something was not done, and what to do.
    wrong: Option<(String, Option<String>)>,
}

struct Release {
    version: String,
    severity: String,
    notes: Option<String>,
    notes_url: Option<String>,
    released: String,
    megabytes: String,
    changes_store: bool,
    is_stale: bool,
    digest: String,
    short: String,
    key: String,
    expires: Option<String>,
}

struct Last {
    from: String,
    to: String,
    how: &'static str,
    good: bool,
    why: Option<String>,
    by: String,
    at: String,
    exact: String,
}

/// The page.
pub async fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    show(desk, StatusCode::OK, None).await
}

async fn show(desk: &Desk<'_>, status: StatusCode, wrong: Option<(String, Option<String>)>) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let found = desk.ask("update.get_status", json!({})).await?;
    let at = |name: &str| maybe(&found, name).map(|exact| (ago(&exact, now), exact));
    let page = Page {
        frame: desk.frame().live("update"),
        version: text(&found, "version"),
        channel: text(&found, "channel"),
        by: text(&found, "updated_by"),
        command: maybe(&found, "command"),
        url: maybe(&found, "url"),
        looked: at("looked_at"),
        look_failed: maybe(&found, "look_failed"),
        state: text(&found, "state"),
        available: release(&found["available"]),
        staged: release(&found["staged"]),
        pending: found["pending"].as_object().map(|_| (text(&found["pending"], "from"), text(&found["pending"], "to"))),
        back: maybe(&found["rollback"], "to").map(|to| (to, found["rollback"]["restores_store"] == true)),
        last: last(&found["last"], now),
        ask_proof: desk.takes_password(),
        wrong,
    };
    html_as(status, &page)
}

fn release(value: &Value) -> Option<Release> {
    value.as_object()?;
    // Only what a browser follows safely; it is signed, and still not ours.
    let notes_url = maybe(value, "notes_url").filter(|url| url.starts_with("https://"));
    Some(Release {
        version: text(value, "version"),
        severity: text(value, "severity"),
        notes: maybe(value, "notes"),
        notes_url,
        released: text(value, "released"),
        megabytes: format!("{:.1}", value["size"].as_f64().unwrap_or_default() / 1e6),
        changes_store: value["changes_store"] == true,
        is_stale: value["is_stale"] == true,
        digest: text(value, "digest"),
        short: text(value, "short_digest"),
        key: text(value, "key_id"),
        expires: maybe(value, "expires_at"),
    })
}

fn last(value: &Value, now: Wall) -> Option<Last> {
    value.as_object()?;
    let (how, good) = match value["how"].as_str() {
        Some("kept") => ("is kept", true),
        Some("rolled_back") => ("was taken back", false),
        _ => ("did not happen", false),
    };
    let exact = text(value, "at");
    let (from, to, by) = (text(value, "from"), text(value, "to"), text(value, "confirmed_by"));
    Some(Last { from, to, how, good, why: maybe(value, "why"), by, at: ago(&exact, now), exact })
}

/// Looks, stages, switches or goes back.
pub async fn act(desk: &mut Desk<'_>, verb: &str, given: Form) -> Result<Response<Body>, Refusal> {
    if verb == "check" {
        // A failed look is told on the page, as it is remembered.
        let _ = desk.ask("update.check", json!({})).await;
        return Ok(seen_other(PAGE));
    }
    let (tool, arguments) = match verb {
        "stage" if given.get("upload").is_empty() => ("update.stage", json!({})),
        "stage" => ("update.stage", json!({"upload": given.get("upload")})),
        "confirm" => ("update.apply", json!({"version": given.need("version")?, "digest": given.need("digest")?})),
        "roll-back" => ("update.roll_back", json!({})),
        _ => return Err(Fault::not_found("nothing is done at this address").into()),
    };
    if let Some(page) = prove_first(desk, &given, PAGE).await? {
        return Ok(page);
    }
    match desk.ask(tool, arguments).await {
        Ok(_) => Ok(seen_other(PAGE)),
        Err(fault) => show(desk, fault::status(fault.kind), Some((fault.said, fault.hint))).await,
    }
}
