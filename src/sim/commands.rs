//! Commands that are not about rows: measuring, flushing, upgrading.
//!
//! Nothing here takes the time it would take: a command that would run past the session limit answers `Session closed` at once.

use super::device_mode;
use super::inspect;
use super::live;
use super::measure;
use super::menus::Menu;
use super::refusal::Refusal;
use super::row::{Row, from_bytes, to_bytes};
use super::value;
use super::world::World;
use std::time::Duration;

/// A command to run.
pub(super) struct Asked<'a> {
    pub menu: &'a Menu,
    pub word: &'a str,
    pub arguments: &'a [(String, String)],
    pub by: &'a str,
    pub limit: Duration,
}

impl Asked<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// `once` stands for itself, but `once:"false"` is off.
    fn once(&self) -> bool {
        self.get("once").is_some_and(|v| value::flag(v) != Some(false))
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::missing(name))
    }

    /// Seconds the command runs: `duration`, or for ever.
    pub(super) fn seconds(&self) -> Result<u64, Refusal> {
        let text = self.get("duration").ok_or_else(Refusal::session_closed)?;
        let ms = value::time(text).ok_or_else(|| Refusal::bad("invalid value for argument duration"))?;
        if Duration::from_millis(ms) >= self.limit { Err(Refusal::session_closed()) } else { Ok(ms.div_ceil(1_000).max(1)) }
    }
}

/// The policy a command needs.
pub(super) fn policy(menu: &str, word: &str) -> &'static str {
    match (menu, word) {
        ("/tool", "fetch")
        | ("/tool", "ping" | "traceroute" | "torch" | "bandwidth-test" | "profile" | "flood-ping" | "ping-speed" | "ip-scan") => "test",
        ("/interface/ethernet", "cable-test") => "test",
        (_, "password") => "password",
        ("/system", "reboot" | "shutdown") | ("/system/package", "apply-changes") => "reboot",
        ("/tool/sniffer", _) => "sniff",
        (_, "inspect" | "read" | "monitor" | "monitor-traffic" | "check-status" | "check" | "check-for-updates") => "read",
        _ => "write",
    }
}

/// Runs a command; its answer is rows, mostly none.
pub(super) fn run(world: &mut World, asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    if let Some((name, _)) = asked.arguments.iter().find(|(n, _)| !known(asked, n)) {
        return Err(Refusal::bad(format!("unknown parameter {name}")));
    }
    if let Some(measured) = measure::run(world, asked) {
        return measured;
    }
    match (asked.menu.path.as_str(), asked.word) {
        ("/console", "inspect") => inspect::rows(world, asked.arguments)?.ok_or_else(Refusal::session_closed),
        ("/tool", "ping") => ping(asked),
        ("/tool", "traceroute") => traceroute(world, asked),
        ("/interface", "monitor-traffic") => sections(asked, &interfaces(world, asked)?, traffic, world),
        ("/interface/ethernet", "monitor") => {
            let names = ethernets(world, asked)?;
            sections(asked, &names, link, world)
        }
        ("/interface/ethernet", "cable-test") => Ok(ethernets(world, asked)?.iter().map(|name| cable(world, name)).collect()),
        ("/system/resource", "monitor") => sections(asked, &[String::new()], |world, _| load(world), world),
        ("/system/package/update", "check-for-updates") => Ok(updates(world)),
        ("/system/license", "renew") => {
            asked.need("account")?;
            let states = ["connecting", "renewing", "ERROR: Unauthorized"].into_iter().enumerate();
            Ok(states.map(|(i, s)| Row::new(None).with(".section", i.to_string()).with("status", s)).collect())
        }
        ("/system/device-mode", "update") => update_device_mode(world, asked),
        ("/system", "reboot") => {
            world.reboot();
            Ok(Vec::new())
        }
        ("/tool", "password") => password(world, asked),
        ("/ip/dhcp-server/lease", "make-static") => make_static(world, asked),
        ("/ip/dns/cache", "flush") => {
            world.table("/ip/dns/cache").rows.clear();
            Ok(Vec::new())
        }
        ("/file", "read") if world.model.version < (7, 13) => Err(Refusal::no_menu("read")),
        ("/file", "read") => read_file(world, asked),
        ("/log", topic) => {
            world.log(&format!("script,{topic}"), asked.get("message").unwrap_or_default());
            Ok(Vec::new())
        }
        ("/safe-mode", _) => Err(Refusal::bad("failure: can not use safe mode in this session")),
        _ => Ok(Vec::new()),
    }
}

fn known(asked: &Asked<'_>, name: &str) -> bool {
    let listed = asked.menu.commands.get(asked.word);
    // Commands whose arguments we did not list take any.
    listed.is_none_or(|l| l.is_empty() || l.iter().any(|a| a == name))
        || matches!(name, ".id" | "numbers" | "once" | "duration" | "interval" | "as-value" | "number" | "interface")
}

/// Rows of a command that measures each of the names: once, or a section a second.
pub(super) fn sections(
    asked: &Asked<'_>,
    names: &[String],
    measure: impl Fn(&mut World, &str) -> Row,
    world: &mut World,
) -> Result<Vec<Row>, Refusal> {
    if asked.once() {
        return Ok(names.iter().map(|name| measure(world, name)).collect());
    }
    let mut rows = Vec::new();
    for section in 0..asked.seconds()? {
        rows.extend(names.iter().map(|name| measure(world, name).with(".section", section.to_string())));
    }
    Ok(rows)
}

pub(super) fn interfaces(world: &mut World, asked: &Asked<'_>) -> Result<Vec<String>, Refusal> {
    named(world, "/interface", asked.need("interface")?, "interface")
}

fn ethernets(world: &mut World, asked: &Asked<'_>) -> Result<Vec<String>, Refusal> {
    let which = asked.get(".id").or_else(|| asked.get("numbers")).or_else(|| asked.get("interface"));
    named(world, "/interface/ethernet", which.ok_or_else(|| Refusal::missing(".id"))?, "interface")
}

/// The names of the rows that a comma list of names or `.id` means.
pub(super) fn named(world: &mut World, menu: &str, which: &str, argument: &str) -> Result<Vec<String>, Refusal> {
    let rows = world.rows(menu);
    which
        .split(',')
        .map(|word| {
            let found = rows.iter().find(|r| r.get("name") == Some(word) || r.id_text().as_deref() == Some(word));
            found.and_then(|r| r.get("name")).map(String::from).ok_or_else(|| Refusal::no_match(argument))
        })
        .collect()
}

fn traffic(world: &mut World, name: &str) -> Row {
    let (rx, tx) = live::bits_per_second(world, name);
    let mut row = Row::new(None).with("name", name);
    for (direction, bits) in [("rx", rx), ("tx", tx)] {
        row.put(&format!("{direction}-bits-per-second"), bits.to_string());
        row.put(&format!("{direction}-packets-per-second"), (bits / 8 / 900).to_string());
        row.put(&format!("{direction}-drops-per-second"), "0");
        row.put(&format!("{direction}-errors-per-second"), "0");
    }
    row
}

fn link(world: &mut World, name: &str) -> Row {
    const MODES: &str = "10M-baseT-half,10M-baseT-full,100M-baseT-half,100M-baseT-full,1G-baseT-half,1G-baseT-full";
    let up = world.find("/interface/ethernet", name).is_some_and(|r| r.is("running"));
    let row = Row::new(None).with("name", name).with("auto-negotiation", "done").with("advertising", MODES).with("supported", MODES);
    if !up {
        return row.with("status", "no-link").with("link-partner-advertising", "");
    }
    row.with("status", "link-ok")
        .with("rate", "1Gbps")
        .with("full-duplex", "true")
        .with("link-partner-advertising", MODES)
        .with("rx-flow-control", "false")
        .with("tx-flow-control", "false")
}

fn cable(world: &mut World, name: &str) -> Row {
    let up = world.find("/interface/ethernet", name).is_some_and(|r| r.is("running"));
    let row = Row::new(None).with("name", name);
    if up { row.with("status", "link-ok") } else { row.with("status", "no-link").with("cable-pairs", "open:4,open:4,open:4,open:4") }
}

fn load(world: &mut World) -> Row {
    let now = world.rows("/system/resource");
    let get = |name: &str| now.first().and_then(|r| r.get(name)).unwrap_or("0").to_string();
    Row::new(None).with("cpu-used", get("cpu-load")).with("free-memory", get("free-memory"))
}

/// Addresses that never answer: 203.0.113.0/24, and names under `.invalid`.
pub(super) fn silent(address: &str) -> bool {
    address.starts_with("203.0.113.") || address.ends_with(".invalid")
}

/// Answers every second time.
const LOSSY: &str = "192.0.2.250";
/// A router on the way says that there is no way.
const UNREACHABLE: &str = "192.0.2.251";
/// That router.
const GATEWAY: &str = "198.51.100.1";

fn ping(asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    let address = asked.need("address")?;
    let count = asked.get("count").ok_or_else(Refusal::session_closed)?;
    let count: u64 = count.parse().map_err(|_| Refusal::bad("invalid value for argument count"))?;
    let every = asked.get("interval").and_then(value::time).unwrap_or(1_000);
    if Duration::from_millis(count.saturating_mul(every)) >= asked.limit {
        return Err(Refusal::session_closed());
    }
    let lost = silent(address);
    let rows = (0..count).map(|seq| {
        let row = Row::new(None).with("host", address).with("seq", seq.to_string()).with("sent", (seq + 1).to_string());
        if lost {
            return row.with("received", "0").with("packet-loss", "100").with("status", "timeout");
        }
        if address == UNREACHABLE {
            let row = row.with("host", GATEWAY).with("received", "0").with("packet-loss", "100").with("status", "host unreachable");
            return row.with("size", "84").with("ttl", "64").with("time", "1ms211us");
        }
        if address == LOSSY && seq % 2 == 1 {
            let half = (seq + 1).div_ceil(2);
            return row.with("received", half.to_string()).with("packet-loss", "50").with("status", "timeout");
        }
        let time = format!("{}us", 521 + seq * 15 % 40);
        row.with("received", (seq + 1).to_string())
            .with("packet-loss", "0")
            .with("size", asked.get("size").unwrap_or("56"))
            .with("ttl", "64")
            .with("time", time)
            .with("min-rtt", "521us")
            .with("avg-rtt", "538us")
            .with("max-rtt", "561us")
    });
    Ok(rows.collect())
}

fn traceroute(world: &mut World, asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    let target = asked.need("address")?;
    let rounds = match (asked.get("count").and_then(|c| c.parse().ok()), asked.get("duration")) {
        (Some(count), _) => count,
        (None, Some(_)) => asked.seconds()?,
        _ => return Err(Refusal::session_closed()),
    };
    if Duration::from_secs(rounds) >= asked.limit {
        return Err(Refusal::session_closed());
    }
    let gateway =
        world.rows("/ip/route").iter().find(|r| r.get("dst-address") == Some("0.0.0.0/0")).and_then(|r| r.get("gateway").map(String::from));
    let mut hops = vec![gateway.unwrap_or_else(|| "192.0.2.1".into()), GATEWAY.into()];
    hops.push(if silent(target) { String::new() } else { target.to_string() });
    let rows =
        (0..rounds.max(1)).flat_map(|round| hops.iter().enumerate().map(move |(i, hop)| (round, i, hop.clone()))).map(|(round, i, hop)| {
            let lost = hop.is_empty();
            let ms = format!("{}.5", i * 3);
            let value = |v: &str| if lost { String::new() } else { v.to_string() };
            let row = Row::new(None)
                .with(".section", round.to_string())
                .with("sent", (round + 1).to_string())
                .with("status", "")
                .with("std-dev", "0");
            row.with("loss", if lost { "100" } else { "0" })
                .with("avg", value(&ms))
                .with("best", value(&ms))
                .with("last", if lost { "timeout".into() } else { ms.clone() })
                .with("worst", value(&ms))
                .with("address", hop)
        });
    Ok(rows.collect())
}

fn updates(world: &World) -> Vec<Row> {
    let installed = world.model.version_text.split(' ').next().unwrap_or_default();
    let first = Row::new(None).with("channel", "stable").with("installed-version", installed);
    let done = if installed == "7.24.1" { "System is already up to date" } else { "New version is available" };
    vec![
        first.clone().with(".section", "0").with("status", "finding out latest version..."),
        first.with(".section", "1").with("latest-version", "7.24.1").with("status", done),
    ]
}

fn update_device_mode(world: &mut World, asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    let mode = asked.get("mode");
    if mode.is_some_and(|mode| !device_mode::MODES.contains(&mode)) {
        return Err(Refusal::no_match("mode"));
    }
    // Nobody presses the button of a simulated router, unless a test does.
    if !world.button_pressed {
        return Err(Refusal::bad("update canceled"));
    }
    if let Some(mode) = mode {
        world.set_device_mode(mode);
    }
    for (name, given) in asked.arguments {
        if let Some(allowed) = value::flag(given) {
            world.set_device_feature(name, allowed);
        }
    }
    world.reboot();
    Ok(Vec::new())
}

fn password(world: &mut World, asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    let (old, new) = (asked.need("old-password")?, asked.need("new-password")?);
    let confirmed = asked.get("confirm-new-password").is_none_or(|c| c == new);
    let right = world.table("/user").rows.iter().any(|u| u.get("name") == Some(asked.by) && u.get("password").unwrap_or_default() == old);
    if !right || !confirmed {
        return Err(Refusal::bad("failure: wrong password"));
    }
    world.set("/user", asked.by, "password", new);
    Ok(Vec::new())
}

fn make_static(world: &mut World, asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    let which = asked.get(".id").or_else(|| asked.get("numbers")).ok_or_else(|| Refusal::missing(".id"))?.to_string();
    let rows = &mut world.table("/ip/dhcp-server/lease").rows;
    let row = rows.iter_mut().find(|r| r.id_text().as_deref() == Some(which.as_str())).ok_or(Refusal::bare(404))?;
    row.put("dynamic", "false");
    Ok(Vec::new())
}

/// Largest piece of a file in one answer, since 7.13.
const CHUNK_MAX: usize = 32_768;

fn read_file(world: &mut World, asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    let name = asked.need("file")?;
    let row = world.find("/file", name).ok_or_else(|| Refusal::no_match("file"))?;
    let contents = to_bytes(row.get("contents").unwrap_or_default());
    let number = |name: &str, default: usize| {
        asked.get(name).map_or(Ok(default), |t| t.parse().map_err(|_| Refusal::bad(format!("invalid value for argument {name}"))))
    };
    let (from, len) = (number("offset", 0)?, number("chunk-size", CHUNK_MAX)?.min(CHUNK_MAX));
    if from > contents.len() {
        return Err(Refusal::bad("failure: chunk out of file bounds"));
    }
    let piece = &contents[from..contents.len().min(from + len)];
    Ok(vec![Row::new(None).with("data", from_bytes(piece))])
}
