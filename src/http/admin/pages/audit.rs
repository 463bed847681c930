//! The audit trail, newest first.

use super::frame::Frame;
use super::view::{ago, maybe, rows, text};
use super::{Desk, html};
use crate::http::Body;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;
use serde_json::{Map, Value, json};

#[derive(Template)]
#[template(path = "audit.html", config = "assets/ui/askama.toml")]
struct Audit {
    frame: Frame,
    principal: String,
    tool: String,
    outcome: String,
    total: u64,
    rows: Vec<Line>,
    next: Option<String>,
}

struct Line {
    seq: u64,
    at: String,
    exact: String,
    principal: String,
    role: String,
    tool: String,
    plan: Option<String>,
    device: String,
    outcome: String,
}

/// The page.
pub async fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let of = |name: &str| desk.query.get(name).trim().to_owned();
    let (principal, tool, outcome) = (of("principal"), of("tool"), of("outcome"));
    let mut conditions = Map::new();
    for (name, value) in [("principal~", &principal), ("tool~", &tool), ("outcome", &outcome)] {
        if !value.is_empty() {
            conditions.insert(name.into(), value.as_str().into());
        }
    }
    let mut asked = json!({"limit": 50});
    if !conditions.is_empty() {
        asked["where"] = Value::Object(conditions);
    }
    if !desk.query.get("cursor").is_empty() {
        asked["cursor"] = desk.query.get("cursor").into();
    }
    let list = desk.ask("audit.get_events", asked).await?;
    let line = |row: &Value| Line {
        seq: row["seq"].as_u64().unwrap_or_default(),
        at: ago(&text(row, "time"), now),
        exact: text(row, "time"),
        principal: text(row, "principal"),
        role: text(row, "role"),
        tool: text(row, "tool"),
        plan: maybe(row, "plan_id"),
        device: text(row, "device"),
        outcome: text(row, "outcome"),
    };
    let total = list["total"].as_u64().unwrap_or_default();
    let rows = rows(&list).map(line).collect();
    html(&Audit { frame: desk.frame(), principal, tool, outcome, total, rows, next: maybe(&list, "next_cursor") })
}
