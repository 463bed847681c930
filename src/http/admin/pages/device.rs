//! One router: how it is, what it is, what we may do, what was done, and what its configuration was.

use super::frame::Frame;
use super::plan::{Cell, cells};
use super::plans;
use super::view::{ago, items, lines, maybe, rows, spaced, text, words};
use super::{Desk, html};
use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::fleet::Capability;
use crate::history::sample::Sample;
use crate::http::Body;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// Spans that charts can be of.
const SPANS: &[(&str, u64)] = &[("24 h", 86_400), ("7 d", 7 * 86_400), ("30 d", 30 * 86_400)];
/// The top of a chart: percent, or degrees that no router should reach.
const MOST: f64 = 100.0;
/// Points of a chart.
const POINTS: usize = 240;

#[derive(Template)]
#[template(path = "device.html", config = "assets/ui/askama.toml")]
struct Device {
    frame: Frame,
    id: String,
    name: String,
    status: String,
    last_error: Option<String>,
    flagged: bool,
    health: Option<Health>,
    spans: Vec<&'static str>,
    chosen: &'static str,
    charts: Vec<Chart>,
    facts: Vec<(&'static str, String)>,
    capabilities: Vec<Granted>,
    plans: Vec<plans::Line>,
    snapshots: Vec<Snapshot>,
}

struct Health {
    status: String,
    score: u64,
    at: String,
    reasons: Vec<String>,
}

struct Chart {
    title: &'static str,
    range: String,
    lines: Vec<String>,
}

struct Granted {
    name: &'static str,
    about: &'static str,
    granted: bool,
}

struct Snapshot {
    id: String,
    at: String,
    baseline: bool,
    changed: String,
}

/// The page.
pub async fn page(desk: &Desk<'_>, id: &str) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let device = desk.ask("device.get", json!({"device": id})).await?;
    let id = text(&device, "id");
    let (chosen, seconds) = SPANS.iter().copied().find(|(name, _)| *name == desk.query.get("span")).unwrap_or(SPANS[0]);
    let plans = json!({"where": {"devices": text(&device, "name")}, "limit": 10});
    let plans = desk.ask_if_allowed("plan.list", plans).await?.unwrap_or_default();
    let snapshots = desk.ask_if_allowed("config.list_snapshots", json!({"device": id, "limit": 10})).await?.unwrap_or_default();
    let health = device["health"].as_object().map(|_| &device["health"]).map(|health| Health {
        status: text(health, "status"),
        score: health["score"].as_u64().unwrap_or_default(),
        at: ago(&text(health, "at"), now),
        reasons: items(&health["reasons"]).map(words).collect(),
    });
    let page = Device {
        frame: desk.frame().live("device health plan config"),
        status: text(&device, "status"),
        last_error: maybe(&device, "last_error"),
        flagged: device["flagged"].as_bool().unwrap_or_default(),
        health,
        spans: SPANS.iter().map(|(name, _)| *name).collect(),
        chosen,
        charts: charts(desk, &DeviceId(id.clone()), now, seconds),
        facts: facts(&device, now),
        capabilities: capabilities(&device),
        plans: rows(&plans).map(|row| plans::line(desk, row)).collect(),
        snapshots: rows(&snapshots).map(|row| snapshot(row, now)).collect(),
        id,
        name: text(&device, "name"),
    };
    html(&page)
}

fn snapshot(row: &Value, now: Wall) -> Snapshot {
    let menus = words(&row["changed_menus"]);
    Snapshot {
        id: text(row, "id"),
        at: ago(&text(row, "taken_at"), now),
        baseline: row["baseline"].as_bool().unwrap_or_default(),
        changed: if menus.is_empty() { String::new() } else { format!("changed: {menus}") },
    }
}

fn facts(device: &Value, now: Wall) -> Vec<(&'static str, String)> {
    let seen = text(device, "last_seen");
    let facts = [
        ("Address", format!("{}:{}", text(device, "address"), text(device, "rest_port"))),
        ("Identity", text(device, "identity")),
        ("Board", text(device, "board")),
        ("RouterOS", text(device, "version")),
        ("Architecture", text(device, "architecture")),
        ("Serial number", text(device, "serial")),
        ("Firmware", text(device, "firmware")),
        ("Packages", words(&device["packages"])),
        ("Device mode", text(device, "device_mode")),
        ("Environment", text(device, "environment")),
        ("Tags", words(&device["tags"])),
        ("Our user", text(device, "username")),
        ("Its policies", words(&device["policies"])),
        ("Certificate", text(&device["pins"], "tls")),
        ("SSH host key", text(&device["pins"], "ssh")),
        ("Last answer", if seen.is_empty() { String::new() } else { ago(&seen, now) }),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn capabilities(device: &Value) -> Vec<Granted> {
    let has = |name: &str| items(&device["capabilities"]).any(|one| one == name);
    Capability::ALL.iter().map(|one| Granted { name: one.as_str(), about: about(*one), granted: has(one.as_str()) }).collect()
}

/// What a grant lets us do.
pub fn about(capability: Capability) -> &'static str {
    match capability {
        Capability::Writes => "small changes at once: comments, names, lists that begin with mcp-",
        Capability::Professional => "plans, approved by a person",
        Capability::Firewall => "plans that touch the firewall",
        Capability::Routing => "plans that touch routes",
        Capability::Wireless => "plans that touch radios and networks",
        Capability::Dhcp => "plans that touch DHCP",
        Capability::Bridge => "plans that touch bridges and VLANs",
        Capability::BandwidthTest => "tests that fill the line",
        Capability::System => "plans that touch users, services and the system",
    }
}

fn charts(desk: &Desk<'_>, id: &DeviceId, now: Wall, seconds: u64) -> Vec<Chart> {
    let span = Duration::from_secs(seconds).as_millis() as i64;
    let from = Wall(now.0 - span);
    let samples = desk.edge.dispatch.world().history.since(id, from).unwrap_or_default();
    let chart = |title, unit, of: fn(&Sample) -> Option<f64>| {
        let mut highest: Vec<Option<f64>> = vec![None; POINTS];
        for sample in &samples {
            let Some(value) = of(sample) else { continue };
            let place = ((sample.at.0 - from.0) as f64 / span as f64 * POINTS as f64) as usize;
            let slot = &mut highest[place.min(POINTS - 1)];
            *slot = Some(slot.map_or(value, |known: f64| known.max(value)));
        }
        let all: Vec<f64> = highest.iter().flatten().copied().collect();
        let (low, high) = (all.iter().copied().fold(f64::MAX, f64::min), all.iter().copied().fold(f64::MIN, f64::max));
        let points: Vec<_> = highest
            .into_iter()
            .enumerate()
            .filter(|(_, value)| value.is_some())
            .map(|(at, value)| (at as f64 / (POINTS - 1) as f64, value))
            .collect();
        (points.len() > 1).then(|| Chart { title, range: format!("{low:.0} to {high:.0}{unit}"), lines: lines(&points, MOST, 480.0, 80.0) })
    };
    let charts = [
        chart("Processor", " %", |sample| sample.cpu_percent.map(f64::from)),
        chart("Memory", " %", |sample| sample.memory_percent.map(f64::from)),
        chart("Temperature", " °C", |sample| sample.celsius.map(f64::from)),
    ];
    charts.into_iter().flatten().collect()
}

#[derive(Template)]
#[template(path = "diff.html", config = "assets/ui/askama.toml")]
struct Difference {
    frame: Frame,
    id: String,
    name: String,
    summary: String,
    menus: Vec<Menu>,
}

struct Menu {
    path: String,
    rows: Vec<Changed>,
}

struct Changed {
    op: &'static str,
    key: String,
    cells: Vec<Cell>,
}

/// What changed since a snapshot, by menu and row.
pub async fn diff(desk: &Desk<'_>, id: &str) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let device = desk.ask("device.get", json!({"device": id})).await?;
    let (from, to) = (desk.query.get("from"), desk.query.get("to"));
    let (from, to) = (if from.is_empty() { "baseline" } else { from }, if to.is_empty() { "latest" } else { to });
    let difference = desk.ask("config.diff", json!({"device": id, "from": from, "to": to, "limit": 200})).await?;
    let at = |side: &str| ago(&text(&difference[side], "taken_at"), now);
    let summary = format!("{} changes, from {} to {}.", words(&difference["changes"]), at("from"), at("to"));
    let menus = items(&difference["menus"]).map(menu).collect();
    html(&Difference { frame: desk.frame(), id: text(&device, "id"), name: text(&device, "name"), summary, menus })
}

fn menu(menu: &Value) -> Menu {
    let each = |name: &str| items(&menu[name]).collect::<Vec<_>>();
    let mut rows: Vec<Changed> = Vec::new();
    rows.extend(each("added").into_iter().map(|row| Changed { op: "added", key: String::new(), cells: cells(&Value::Null, row) }));
    rows.extend(each("removed").into_iter().map(|row| Changed { op: "removed", key: String::new(), cells: cells(row, &Value::Null) }));
    rows.extend(each("changed").into_iter().map(|row| Changed {
        op: "changed",
        key: spaced(&text(row, "key")),
        cells: cells(&row["before"], &row["after"]),
    }));
    Menu { path: text(menu, "menu"), rows }
}
