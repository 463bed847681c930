//! Routers nearby: who announces itself on our networks, those not managed yet first.

use super::form::Form;
use super::frame::Frame;
use super::view::{ago, items, maybe, text, words};
use super::{Desk, html};
use crate::http::Body;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "discovery.html", config = "assets/ui/askama.toml")]
struct Discovery {
    frame: Frame,
    /// Somebody listened just now.
    listened: bool,
    troubles: Vec<String>,
    dropped: u64,
    rows: Vec<Row>,
}

struct Row {
    identity: String,
    address: String,
    claims: Option<String>,
    mac: String,
    board: String,
    version: String,
    heard: String,
    managed: Option<String>,
    by_name_alone: bool,
    can_add: bool,
    warn: &'static str,
}

/// Who was heard lately; nothing is opened for that.
pub async fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    show(desk, 0).await
}

/// Asks and listens now.
pub async fn listen(desk: &Desk<'_>, _given: Form) -> Result<Response<Body>, Refusal> {
    show(desk, 5).await
}

async fn show(desk: &Desk<'_>, seconds: u64) -> Result<Response<Body>, Refusal> {
    let heard = desk.ask("discovery.list", json!({"seconds": seconds})).await?;
    let now = desk.edge.dispatch.world().clock.wall();
    let row = |row: &Value| Row {
        identity: text(row, "identity"),
        address: text(row, "address"),
        claims: maybe(row, "claims"),
        mac: text(row, "mac"),
        board: text(row, "board"),
        version: text(row, "version"),
        heard: ago(&text(row, "last_heard"), now),
        managed: maybe(row, "managed"),
        by_name_alone: row["managed_by"] == "identity",
        can_add: row["can_add"] == true,
        warn: match (&row["contested"], &row["altered"]) {
            (Value::Bool(true), _) => "two senders claim this hardware address: one of them lies",
            (_, Value::Bool(true)) => "parts of what it said are not shown",
            _ => "",
        },
    };
    html(&Discovery {
        frame: desk.frame(),
        listened: seconds > 0,
        troubles: items(&heard["troubles"]).map(words).collect(),
        dropped: heard["dropped"].as_u64().unwrap_or_default(),
        rows: items(&heard["rows"]).map(row).collect(),
    })
}
