//! Values and rows that nobody wrote: counters and uptime that move with the clock, connected routes, open connections.

use super::agenda::timers;
use super::generate::{self, jitter};
use super::routes;
use super::row::Row;
use super::value;
use super::world::World;
use crate::base::clock::Wall;
use std::time::Duration;

/// First `.id` of rows in `/ip/service` that stand for open connections.
const CONNECTION_ROWS: u32 = 0x1000;
/// `.nextid` of a last row.
const NO_NEXT: &str = "*FFFFFFFF";

/// `2026-11-25 03:10:00`, as the router writes times since 7.10.
pub(super) fn date_time(wall: Wall) -> String {
    chrono::DateTime::from_timestamp_millis(wall.0).map(|t| t.format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

/// Milliseconds since 1970 of a time written like that.
pub(super) fn read_date_time(text: &str) -> Option<i64> {
    let time = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
    Some(time.and_utc().timestamp_millis())
}

/// Milliseconds a row with a `timeout` has left; `None` for one without.
pub(super) fn time_left(row: &Row, now_ms: i64) -> Option<i64> {
    let made = read_date_time(row.get("creation-time")?)?;
    let whole = i64::try_from(value::time(row.get("timeout")?)?).unwrap_or(i64::MAX);
    Some(made.saturating_add(whole).saturating_sub(now_ms))
}

/// The rows to show where they differ from the rows as written.
pub(super) fn rows(world: &mut World, path: &str) -> Option<Vec<Row>> {
    match path {
        "/interface" => Some(interfaces(world)),
        "/log" => Some(log(world)),
        "/system/resource" => Some(vec![resource(world)]),
        "/system/clock" => Some(vec![clock(world)]),
        "/system/health" if world.model.board => Some(health(world)),
        "/ip/route" => Some(routes::main(world)),
        "/routing/route" => Some(routes::all(world)),
        "/ip/service" => Some(services(world)),
        "/user/active" => Some(active_users(world)),
        "/interface/bridge/port" => Some(bridge_ports(world)),
        "/interface/ethernet" => Some(ethernet(world)),
        "/ip/pool" => Some(pools(world)),
        "/system/scheduler" => Some(timers::shown(world)),
        "/ip/firewall/filter" | "/ip/firewall/nat" | "/ip/firewall/mangle" | "/ip/firewall/raw" | "/ipv6/firewall/filter" => {
            Some(counted(world, path))
        }
        "/queue/simple" => Some(queues(world)),
        "/ip/firewall/address-list" => timed(world),
        "/safe-mode" => Some(vec![safe_mode(world)]),
        _ => None,
    }
}

fn safe_mode(world: &mut World) -> Row {
    let row = world.table("/safe-mode").rows.first().cloned().unwrap_or_default();
    match &world.safe {
        Some(held) => row.with("enabled", "true").with("owner", "ssh").with("user", held.user.as_str()),
        None => row,
    }
}

/// Seconds between two things that happen by themselves: leases, links, scans.
const EVENT_EVERY: u64 = 61;
/// Events caught up with at most when nobody looked for long.
const EVENTS_MAX: u64 = 200;

/// The log, with what happened since somebody last looked.
fn log(world: &mut World) -> Vec<Row> {
    let now = world.uptime().as_secs() / EVENT_EVERY;
    world.table("/log");
    let missed = now.saturating_sub(*world.events.get_or_insert(now)).min(EVENTS_MAX);
    world.events = Some(now);
    for back in (0..missed).rev() {
        let time = date_time(Wall(world.now().0 - (back * EVENT_EVERY * 1_000) as i64));
        let (topics, message) = generate::event(world.seed, (now - back) as u32);
        world.remember("/log", &[("time", &time), ("topics", topics), ("message", &message)]);
    }
    world.table("/log").rows.clone()
}

fn interfaces(world: &mut World) -> Vec<Row> {
    let (defs, model) = (world.defs.clone(), world.model.clone());
    let uptime = world.uptime();
    let seed = world.seed;
    let up_since = date_time(Wall(world.now().0 - uptime.as_millis() as i64 + 9_000));
    let mut rows = Vec::new();
    for member in defs.family("/interface", &model) {
        let kind = member.family.as_ref().map_or("", |(_, kind)| kind.as_str());
        for own in &world.table(&member.path).rows {
            rows.push(interface(own, kind, seed, uptime, &up_since));
        }
    }
    let slaves: Vec<String> =
        world.table("/interface/bridge/port").rows.iter().filter_map(|r| r.get("interface").map(String::from)).collect();
    for row in rows.iter_mut().filter(|r| slaves.iter().any(|s| Some(s.as_str()) == r.get("name"))) {
        row.put("slave", "true");
    }
    rows
}

fn interface(own: &Row, kind: &str, seed: u64, uptime: Duration, up_since: &str) -> Row {
    let name = own.get("name").unwrap_or_default();
    let disabled = own.is("disabled");
    let running = !disabled && own.get("running") != Some("false");
    let kind = if name == "lo" { "loopback" } else { kind };
    let mut row = Row::new(own.id).with("name", name).with("type", kind).with("disabled", disabled.to_string());
    row.put("running", running.to_string());
    for copied in ["comment", "default-name", "mac-address", "mtu", "l2mtu", "inactive"] {
        if let Some(value) = own.get(copied) {
            row.put(copied, value);
        }
    }
    let mtu = own.get("mtu").filter(|m| *m != "auto").unwrap_or("1500");
    row.put("actual-mtu", mtu);
    if row.get("mtu").is_none() {
        row.put("mtu", "1500");
    }
    if running {
        row.put("last-link-up-time", up_since);
    }
    row.put("link-downs", own.get("link-downs").unwrap_or(if running { "0" } else { "1" }));
    let per_second = if running { jitter(seed, name, 4_000_000) + 1_000 } else { 0 };
    let received = per_second * uptime.as_secs();
    for (direction, bytes) in [("rx", received), ("tx", received / 7 * 3)] {
        row.put(&format!("{direction}-byte"), bytes.to_string());
        row.put(&format!("{direction}-packet"), (bytes / 900).to_string());
        row.put(&format!("{direction}-drop"), "0");
        row.put(&format!("{direction}-error"), "0");
        row.put(&format!("fp-{direction}-byte"), (bytes / 10 * 9).to_string());
        row.put(&format!("fp-{direction}-packet"), (bytes / 1_000).to_string());
    }
    row.put("tx-queue-drop", "0");
    row
}

fn ethernet(world: &mut World) -> Vec<Row> {
    let (seed, uptime) = (world.seed, world.uptime().as_secs());
    let mut rows = world.table("/interface/ethernet").rows.clone();
    for row in rows.iter_mut().filter(|r| r.is("running") && !r.is("disabled")) {
        let bytes = (jitter(seed, row.get("name").unwrap_or_default(), 4_000_000) + 1_000) * uptime;
        row.put("rx-bytes", bytes.to_string());
        row.put("rx-packet", (bytes / 900).to_string());
        row.put("tx-bytes", (bytes / 7 * 3).to_string());
        row.put("tx-packet", (bytes / 2_100).to_string());
        row.put("rx-fcs-error", "0");
    }
    rows
}

fn resource(world: &mut World) -> Row {
    let model = world.model.clone();
    let uptime = world.uptime();
    let tick = uptime.as_secs() / 5;
    let busy = 2 + jitter(world.seed, &format!("cpu{tick}"), if uptime < Duration::from_secs(60) { 60 } else { 22 });
    let free = model.memory.0 / 100 * (55 + jitter(world.seed, &format!("mem{}", tick / 12), 15));
    let (cpu, cores, mhz) = model.cpu;
    let mut row = Row::new(None)
        .with("architecture-name", model.architecture)
        .with("board-name", model.board_name)
        .with("build-time", model.build_time)
        .with("cpu", cpu)
        .with("cpu-count", cores.to_string())
        .with("cpu-frequency", mhz.to_string())
        .with("cpu-load", busy.to_string())
        .with("factory-software", "7.5")
        .with("free-hdd-space", (model.memory.1 / 100 * 69).to_string())
        .with("free-memory", free.to_string())
        .with("platform", "MikroTik")
        .with("total-hdd-space", model.memory.1.to_string())
        .with("total-memory", model.memory.0.to_string())
        .with("uptime", value::show_time(uptime.as_secs() * 1_000))
        .with("version", model.version_text)
        .with("write-sect-since-reboot", (uptime.as_secs() / 13).to_string())
        .with("write-sect-total", (91_274 + uptime.as_secs() / 13).to_string());
    if model.board {
        row.put("bad-blocks", "0");
    }
    for (name, set) in world.table("/system/resource").rows.first().cloned().unwrap_or_default().iter() {
        row.put(name, set);
    }
    row
}

fn clock(world: &mut World) -> Row {
    let now = date_time(world.now());
    let (date, time) = now.split_once(' ').unwrap_or_default();
    let (date, time) = (date.to_string(), time.to_string());
    world.table("/system/clock").rows.first().cloned().unwrap_or_default().with("date", date).with("time", time)
}

fn health(world: &mut World) -> Vec<Row> {
    let wobble = jitter(world.seed, &format!("heat{}", world.uptime().as_secs() / 30), 5);
    let mut rows = world.table("/system/health").rows.clone();
    for row in rows.iter_mut().filter(|r| r.get("type") == Some("C")) {
        if let Some(degrees) = row.get("value").and_then(|v| v.parse::<u64>().ok()) {
            row.put("value", (degrees + wobble).to_string());
        }
    }
    rows
}

fn services(world: &mut World) -> Vec<Row> {
    let ((tls, plain), ssh) = (world.ports, world.ssh_port);
    let mut rows = world.table("/ip/service").rows.clone();
    for row in &mut rows {
        // The ports that really listen, unless somebody set others.
        match (row.get("name"), row.get("port")) {
            (Some("www-ssl"), Some("443")) => row.put("port", tls.to_string()),
            (Some("ssh"), Some("22")) if ssh != 0 => row.put("port", ssh.to_string()),
            (Some("www"), Some("80")) => row.put("port", plain.to_string()),
            _ => {}
        }
    }
    let mut open: Vec<_> = world.connections.iter().map(|(id, c)| (*id, c.clone())).collect();
    open.sort_by_key(|(id, _)| *id);
    rows.extend(open.into_iter().map(|(id, c)| {
        Row::new(Some(CONNECTION_ROWS + id as u32))
            .with("connection", "true")
            .with("dynamic", "true")
            .with("invalid", "false")
            .with("local", c.local)
            .with("name", c.service)
            .with("proto", "tcp")
            .with("remote", c.remote)
            .with("vrf", "main")
    }));
    rows
}

fn active_users(world: &mut World) -> Vec<Row> {
    let mut rows = world.table("/user/active").rows.clone();
    // A login over REST shows twice: as what it is and as the API it goes through.
    let rest = world.logins.iter().flat_map(|login| ["rest-api", "api"].map(|via| (login, via)));
    let shown = rest.chain(world.sessions.values().map(|login| (login, login.via)));
    for (i, (login, via)) in shown.enumerate() {
        let row = Row::new(Some(0x100 + i as u32))
            .with("address", login.from.to_string())
            .with("by-romon", "false")
            .with("group", login.group.as_str())
            .with("name", login.user.as_str())
            .with("radius", "false")
            .with("via", via)
            .with("when", date_time(login.when));
        rows.push(row);
    }
    rows
}

fn bridge_ports(world: &mut World) -> Vec<Row> {
    let interfaces = interfaces(world);
    let mut rows = world.table("/interface/bridge/port").rows.clone();
    let next: Vec<Option<String>> = rows.iter().skip(1).map(Row::id_text).chain([None]).collect();
    for (i, row) in rows.iter_mut().enumerate() {
        row.put(".nextid", next[i].clone().unwrap_or_else(|| NO_NEXT.into()));
        let up = interfaces.iter().any(|f| f.get("name") == row.get("interface") && f.is("running")) && !row.is("disabled");
        row.put("inactive", (!up).to_string());
        row.put("status", if up { "in-bridge" } else { "inactive" });
        if up {
            row.put("role", "designated-port");
            row.put("forwarding", "true");
            row.put("learning", "true");
            row.put("port-id", format!("0x80.{:x}", i + 1));
            row.put("debug-info", format!(" prio 0x80 num {}\n role:Designated pathcost 20000 20000 learn 1 forward 1\n", i + 1));
        }
    }
    rows
}

fn pools(world: &mut World) -> Vec<Row> {
    let used = world.table("/ip/dhcp-server/lease").rows.len();
    let mut rows = world.table("/ip/pool").rows.clone();
    for row in &mut rows {
        let total: u64 = row.get("ranges").unwrap_or_default().split(',').map(size_of_range).sum();
        let taken = (used as u64).min(total);
        row.put("total", total.to_string());
        row.put("used", taken.to_string());
        row.put("available", (total - taken).to_string());
    }
    rows
}

fn size_of_range(range: &str) -> u64 {
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    match (from.parse::<std::net::Ipv4Addr>(), to.parse::<std::net::Ipv4Addr>()) {
        (Ok(from), Ok(to)) => u64::from(u32::from(to).saturating_sub(u32::from(from))) + 1,
        _ => value::prefix(range).map_or(0, |(_, len)| 1u64 << (32 - len.min(32))),
    }
}

fn counted(world: &mut World, path: &str) -> Vec<Row> {
    let (seed, uptime) = (world.seed, world.uptime().as_secs());
    let mut rows = world.table(path).rows.clone();
    for row in rows.iter_mut().filter(|r| !r.is("disabled")) {
        let key = format!("{path}{}", row.id.unwrap_or_default());
        let packets = jitter(seed, &key, 400) * uptime / 60;
        row.put("packets", packets.to_string());
        row.put("bytes", (packets * (60 + jitter(seed, &key, 900))).to_string());
    }
    rows
}

fn queues(world: &mut World) -> Vec<Row> {
    let (seed, uptime) = (world.seed, world.uptime().as_secs());
    let mut rows = world.table("/queue/simple").rows.clone();
    for row in &mut rows {
        let rate = jitter(seed, row.get("name").unwrap_or_default(), 3_000_000);
        row.put("rate", format!("{}/{rate}", rate / 8));
        row.put("bytes", format!("{}/{}", rate / 64 * uptime, rate / 8 * uptime));
        row.put("packets", format!("{}/{}", rate / 64_000 * uptime, rate / 8_000 * uptime));
    }
    rows
}

/// Address-list rows with a timeout run out; the time left is shown, and that they are dynamic, whoever made them. `None` when no row has one.
fn timed(world: &mut World) -> Option<Vec<Row>> {
    let now = world.now().0;
    let table = world.table("/ip/firewall/address-list");
    if table.rows.iter().all(|r| r.get("timeout").is_none()) {
        return None;
    }
    table.rows.retain(|r| time_left(r, now).is_none_or(|ms| ms > 0));
    let mut rows = table.rows.clone();
    for row in &mut rows {
        if let Some(ms) = time_left(row, now) {
            row.put("timeout", value::show_time((ms as u64).div_ceil(1_000) * 1_000));
            row.put("dynamic", "true".to_owned());
        }
    }
    Some(rows)
}

/// What an interface receives and sends right now.
pub(super) fn bits_per_second(world: &World, interface: &str) -> (u64, u64) {
    let tick = world.uptime().as_secs();
    let base = jitter(world.seed, interface, 4_000_000) * 8;
    let swing = jitter(world.seed, &format!("{interface}{tick}"), 2_000_000);
    (base + swing, (base + swing) / 7 * 3)
}
