//! The audit trail, newest first: filters, files of all that fits, and whether it is as it was written.

use super::form::Form;
use super::frame::Frame;
use super::view::{ago, maybe, rows, text};
use super::{Desk, html, seen_other};
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::http::fault::Refusal;
use crate::http::{Body, query};
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};
use std::fmt::Write;

#[derive(Template)]
#[template(path = "audit.html", config = "assets/ui/askama.toml")]
struct Audit {
    frame: Frame,
    chain: Chain,
    of: Conditions,
    wrong: Option<String>,
    total: u64,
    rows: Vec<Line>,
    next: Option<String>,
    /// Not the first page.
    older: bool,
    /// The conditions, to go on an address.
    query: String,
}

/// Whether the trail is whole, in words.
struct Chain {
    said: String,
    broken: bool,
    /// Whether this person may look.
    may: bool,
}

struct Conditions {
    person: String,
    tool: String,
    device: String,
    outcome: String,
    since: String,
    until: String,
    correlation_id: String,
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
    call: String,
    short: String,
}

impl Conditions {
    fn of(given: &Form) -> Conditions {
        let of = |name: &str| given.get(name).trim().to_owned();
        Conditions {
            person: of("person"),
            tool: of("tool"),
            device: of("device"),
            outcome: of("outcome"),
            since: of("since"),
            until: of("until"),
            correlation_id: of("correlation_id"),
        }
    }

    /// Those that were given.
    fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("person", &self.person),
            ("tool", &self.tool),
            ("device", &self.device),
            ("outcome", &self.outcome),
            ("since", &self.since),
            ("until", &self.until),
            ("correlation_id", &self.correlation_id),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value.as_str()))
    }
}

/// The page.
pub async fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let (of, cursor) = (Conditions::of(&desk.query), desk.query.get("cursor"));
    let (mut asked, mut query) = (json!({"limit": 50}), String::new());
    for (name, value) in of.named() {
        match name {
            "person" => asked["where"]["principal~"] = value.into(),
            "correlation_id" => asked["where"]["correlation_id"] = value.to_ascii_lowercase().into(),
            _ => asked[name] = value.into(),
        }
        let _ = write!(query, "&{name}={}", query::encoded(value));
    }
    if !cursor.is_empty() {
        asked["cursor"] = cursor.into();
    }
    // A condition that is none is said beside its field.
    let (list, wrong) = match desk.ask("audit.get_events", asked).await {
        Ok(list) => (list, None),
        Err(fault) if matches!(fault.kind, Kind::BadInput | Kind::NotFound) => (Value::Null, Some(fault.said)),
        Err(fault) => return Err(fault.into()),
    };
    let line = |row: &Value| {
        let call = text(row, "correlation_id");
        Line {
            seq: row["seq"].as_u64().unwrap_or_default(),
            at: ago(&text(row, "time"), now),
            exact: text(row, "time"),
            principal: text(row, "principal"),
            role: text(row, "role"),
            tool: text(row, "tool"),
            plan: maybe(row, "plan_id"),
            device: text(row, "device"),
            outcome: text(row, "outcome"),
            short: call.chars().take(8).collect(),
            call,
        }
    };
    html(&Audit {
        frame: desk.frame(),
        chain: chain(desk, now).await?,
        wrong,
        total: list["total"].as_u64().unwrap_or_default(),
        rows: rows(&list).map(line).collect(),
        next: maybe(&list, "next_cursor"),
        older: !cursor.is_empty(),
        of,
        query,
    })
}

/// What the last look at the whole trail found.
async fn chain(desk: &Desk<'_>, now: Wall) -> Result<Chain, Fault> {
    let Some(last) = desk.ask_if_allowed("audit.verify", json!({})).await? else {
        return Ok(Chain { said: "You see what you did yourself.".into(), broken: false, may: false });
    };
    let when = maybe(&last, "checked_at").map(|at| ago(&at, now));
    let said = match (when, maybe(&last, "broken")) {
        (None, _) => "Each record carries the hash of the one before it. Nobody has looked at the whole chain since the start.".to_owned(),
        (Some(when), Some(broken)) => format!("The trail is not as it was written, {when}: {broken}."),
        (Some(when), None) => format!("The trail was whole {when}: {} records, each as it was written.", text(&last, "records")),
    };
    let said = match last["archived_up_to"].as_u64() {
        Some(seq) => format!("{said} Those up to No. {seq} are in archives."),
        None => said,
    };
    Ok(Chain { said, broken: !last["broken"].is_null(), may: true })
}

/// A look at the whole trail.
pub async fn verify(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    desk.ask("audit.verify", json!({"again": true})).await?;
    Ok(seen_other("/admin/audit#chain"))
}
