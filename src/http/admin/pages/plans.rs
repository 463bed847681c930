//! The queue of plans.

use super::frame::Frame;
use super::view::{ago, maybe, rows, spaced, text, words};
use super::{Desk, html};
use crate::http::Body;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};

/// States a plan can be looked for by, those that wait for somebody first.
const STATES: &[&str] = &[
    "draft",
    "approved",
    "executing",
    "needs_attention",
    "confirmed",
    "partly_confirmed",
    "rolled_back",
    "failed",
    "refused",
    "cancelled",
    "expired",
];

#[derive(Template)]
#[template(path = "plans.html", config = "assets/ui/askama.toml")]
struct Plans {
    frame: Frame,
    state: String,
    state_words: String,
    states: Vec<(&'static str, String)>,
    rows: Vec<Line>,
    next: Option<String>,
}

/// One plan in a list.
pub struct Line {
    pub id: String,
    pub reason: String,
    pub state: String,
    pub state_words: String,
    pub waits: bool,
    pub given: u64,
    pub needed: u64,
    pub risk: String,
    pub cut_words: &'static str,
    pub devices: String,
    pub by: String,
    pub at: String,
    pub exact: String,
}

/// The page.
pub async fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    let state = desk.query.get("state").to_owned();
    let mut asked = json!({"limit": 50});
    if !state.is_empty() {
        asked["where"] = json!({"state": state});
    }
    if !desk.query.get("cursor").is_empty() {
        asked["cursor"] = desk.query.get("cursor").into();
    }
    let list = desk.ask("plan.list", asked).await?;
    let rows = rows(&list).map(|row| line(desk, row)).collect();
    let states = STATES.iter().map(|state| (*state, spaced(state))).collect();
    let frame = desk.frame().live("plan");
    html(&Plans { frame, state_words: spaced(&state), state, states, rows, next: maybe(&list, "next_cursor") })
}

/// A row of `plan.list`.
pub fn line(desk: &Desk<'_>, row: &Value) -> Line {
    let now = desk.edge.dispatch.world().clock.wall();
    let (needed, given) = (row["approvals_needed"].as_u64().unwrap_or_default(), row["approvals_given"].as_u64().unwrap_or_default());
    let (state, exact) = (text(row, "state"), text(row, "created_at"));
    Line {
        id: text(row, "id"),
        reason: text(row, "reason"),
        state_words: spaced(&state),
        waits: needed > given && state == "draft",
        given,
        needed,
        risk: text(row, "risk"),
        cut_words: cut(&text(row, "can_cut_access")),
        devices: words(&row["devices"]),
        by: text(row, "created_by"),
        at: ago(&exact, now),
        state,
        exact,
    }
}

/// What the analysis of our own access found, in words.
fn cut(word: &str) -> &'static str {
    match word {
        "yes" => "would be cut",
        "no" => "stays",
        _ => "may be cut",
    }
}
