//! What somebody has to know: alerts that last, those that are over, and where they are told.

use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{ago, items, maybe, rows, spaced, text};
use super::{Desk, html, seen_other};
use crate::access::role::Role;
use crate::base::fault::Fault;
use crate::http::Body;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};

/// Where it is.
const PAGE: &str = "/admin/alerts";
/// Alerts shown of each sort.
const MOST: u16 = 50;

#[derive(Template)]
#[template(path = "alerts.html", config = "assets/ui/askama.toml")]
struct Alerts {
    frame: Frame,
    live: Vec<Line>,
    live_total: u64,
    over: Vec<Line>,
    channels: Vec<Channel>,
    kinds: Vec<Told>,
    tried: Vec<Tried>,
    is_admin: bool,
    /// Whether a secret may be put into the store.
    takes_secret: bool,
}

struct Line {
    summary: String,
    details: String,
    severity: String,
    link: Option<String>,
    waits: bool,
    since: String,
    exact: String,
    told: String,
    ended: String,
}

struct Channel {
    name: String,
    to: String,
    waiting: u64,
    last: String,
    next: Option<String>,
    secret: Option<String>,
}

struct Told {
    kind: String,
    enabled: bool,
    hold: String,
    cooldown: String,
}

/// What came of a test.
pub struct Tried {
    channel: String,
    to: String,
    delivered: bool,
    said: String,
    took: u64,
}

/// The page; `tried` is a test that was just made.
pub async fn page(desk: &Desk<'_>, tried: Vec<Tried>) -> Result<Response<Body>, Refusal> {
    let ask = |asked: Value| desk.ask("alert.list", asked);
    let live = ask(json!({"limit": MOST, "live": true})).await?;
    let over = ask(json!({"limit": MOST, "live": false})).await?;
    let status = desk.ask("alert.get_status", json!({})).await?;
    let now = desk.edge.dispatch.world().clock.wall();
    let when = |value: &Value, name: &str| maybe(value, name).map(|at| ago(&at, now));
    let line = |row: &Value| Line {
        summary: text(row, "summary"),
        details: text(row, "details"),
        severity: text(row, "severity"),
        link: link(row),
        waits: row["state"] == "waiting",
        since: ago(&text(row, "since"), now),
        exact: text(row, "since"),
        told: when(row, "told_at").unwrap_or_default(),
        ended: when(row, "ended_at").unwrap_or_default(),
    };
    let channel = |one: &Value| Channel {
        name: text(one, "channel"),
        to: text(one, "to"),
        waiting: one["waiting"].as_u64().unwrap_or_default(),
        last: match (maybe(one, "outcome"), when(one, "at")) {
            (Some(outcome), Some(at)) => format!("{outcome} {at}: {}", text(one, "said")),
            _ => "nothing sent yet".into(),
        },
        next: when(one, "next_try"),
        secret: maybe(one, "secret"),
    };
    let told = |one: &Value| Told {
        kind: spaced(&text(one, "kind")),
        enabled: one["enabled"].as_bool().unwrap_or_default(),
        hold: text(one, "for"),
        cooldown: text(one, "cooldown"),
    };
    let list = |name: &str| status[name].as_array().cloned().unwrap_or_default();
    let channels: Vec<Channel> = list("channels").iter().map(channel).collect();
    html(&Alerts {
        frame: desk.frame().live("alert device health plan"),
        live: rows(&live).map(line).collect(),
        live_total: live["total"].as_u64().unwrap_or_default(),
        over: rows(&over).map(line).collect(),
        takes_secret: channels.iter().any(|one| one.name == "webhook" && one.secret.as_deref() != Some("file")),
        channels,
        kinds: list("kinds").iter().map(told).collect(),
        tried,
        is_admin: desk.session.role == Role::Admin,
    })
}

fn link(row: &Value) -> Option<String> {
    let id = text(row, "id");
    match text(row, "type").as_str() {
        "device" => Some(format!("/admin/devices/{id}")),
        "plan" => Some(format!("/admin/plans/{id}")),
        _ => None,
    }
}

/// A test through every channel, or another secret.
pub async fn act(desk: &mut Desk<'_>, verb: &str, given: Form) -> Result<Response<Body>, Refusal> {
    match verb {
        "test" => {
            let answer = desk.ask("alert.test", json!({})).await?;
            let tried = |one: &Value| Tried {
                channel: text(one, "channel"),
                to: text(one, "to"),
                delivered: one["delivered"].as_bool().unwrap_or_default(),
                said: text(one, "said"),
                took: one["took_ms"].as_u64().unwrap_or_default(),
            };
            let tried = items(&answer["channels"]).map(tried).collect();
            page(desk, tried).await
        }
        "secret" => {
            if let Some(page) = prove_first(desk, &given, PAGE).await? {
                return Ok(page);
            }
            desk.ask("alert.set_secret", json!({"secret": given.need("secret")?})).await?;
            Ok(seen_other(PAGE))
        }
        _ => Err(Fault::not_found("nothing is done at this address").into()),
    }
}
