//! All routers: what needs attention first.

use super::frame::Frame;
use super::view::{items, lines, rows, text};
use super::{Desk, html};
use crate::base::ids::DeviceId;
use crate::history::day::SLOTS;
use crate::http::Body;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};

/// Routers on a page.
const PAGE: u16 = 50;

#[derive(Template)]
#[template(path = "fleet.html", config = "assets/ui/askama.toml")]
struct Fleet {
    frame: Frame,
    devices: u64,
    by_status: Vec<(String, u64)>,
    waiting: u64,
    alerts: u64,
    attention: Vec<Attention>,
    attention_total: usize,
    filter: String,
    rows: Vec<Line>,
    total: u64,
    next: Option<String>,
}

struct Attention {
    device: String,
    score: u64,
    reason: String,
}

struct Line {
    id: String,
    name: String,
    status: String,
    score: Option<u8>,
    health: &'static str,
    /// Points of the last day's score.
    line: Option<String>,
    lowest: u8,
    version: String,
    board: String,
    address: String,
}

/// The page.
pub async fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    let filter = desk.query.get("name").to_owned();
    let mut asked = json!({"limit": PAGE});
    if !filter.is_empty() {
        asked["where"] = json!({"name~": filter});
    }
    if !desk.query.get("cursor").is_empty() {
        asked["cursor"] = desk.query.get("cursor").into();
    }
    let list = desk.ask_if_allowed("device.list", asked).await?.unwrap_or_default();
    let summary = desk.ask_if_allowed("fleet.get_summary", json!({})).await?.unwrap_or_default();
    let waiting = desk.ask_if_allowed("plan.list", json!({"limit": 1, "where": {"state": "draft"}})).await?.unwrap_or_default();
    let alerts = desk.ask_if_allowed("alert.list", json!({"limit": 1, "where": {"state": "firing"}})).await?.unwrap_or_default();
    let by_status = summary["by_status"].as_object().into_iter().flatten();
    let attention = items(&summary["attention"]);
    let page = Fleet {
        frame: desk.frame().live("device health plan alert"),
        devices: summary["devices"].as_u64().unwrap_or_default(),
        by_status: by_status.filter_map(|(name, count)| Some((name.clone(), count.as_u64()?))).collect(),
        waiting: waiting["total"].as_u64().unwrap_or_default(),
        alerts: alerts["total"].as_u64().unwrap_or_default(),
        attention: attention
            .map(|one| Attention {
                device: text(one, "device"),
                score: one["score"].as_u64().unwrap_or_default(),
                reason: text(one, "reason"),
            })
            .collect(),
        attention_total: summary["attention_total"].as_u64().unwrap_or_default() as usize,
        filter,
        rows: rows(&list).map(|row| line(desk, row)).collect(),
        total: list["total"].as_u64().unwrap_or_default(),
        next: super::view::maybe(&list, "next_cursor"),
    };
    html(&page)
}

fn line(desk: &Desk<'_>, row: &Value) -> Line {
    let world = desk.edge.dispatch.world();
    let id = DeviceId(text(row, "id"));
    let verdict = world.health(&id).map(|(_, verdict)| verdict);
    let (line, lowest) = day(desk, &id);
    Line {
        name: text(row, "name"),
        status: text(row, "status"),
        score: verdict.as_ref().map(|verdict| verdict.score),
        health: verdict.as_ref().map_or("", |verdict| verdict.status.as_str()),
        line,
        lowest,
        version: text(row, "version"),
        board: text(row, "board"),
        address: text(row, "address"),
        id: id.0,
    }
}

/// The score over the last day as points, and the lowest of it.
fn day(desk: &Desk<'_>, id: &DeviceId) -> (Option<String>, u8) {
    let world = desk.edge.dispatch.world();
    let Ok(lowest) = world.history.day(id, world.clock.wall(), &world.settings.health.get()) else { return (None, 0) };
    let known = lowest.iter().enumerate().filter_map(|(at, score)| Some((at as f64 / (SLOTS - 1) as f64, Some(f64::from((*score)?)))));
    let points: Vec<(f64, Option<f64>)> = known.collect();
    let line = lines(&points, 100.0, 96.0, 20.0).into_iter().next().filter(|line| line.contains(' '));
    (line, lowest.iter().flatten().min().copied().unwrap_or_default())
}
