//! Commands that measure: torch, bandwidth test, profile, monitors of radios, bonds, bridges and PPPoE.
//!
//! Names of what they tell are the router's own; figures follow from the seed and the clock.

use super::commands::{Asked, interfaces, named, sections, silent};
use super::generate::jitter;
use super::refusal::Refusal;
use super::row::Row;
use super::value;
use super::world::World;
use super::{device_mode, live};

/// Conversations torch sees at most.
const FLOWS: u64 = 12;

/// Runs one of them; `None` for a command that is not ours.
pub(super) fn run(world: &mut World, asked: &Asked<'_>) -> Option<Result<Vec<Row>, Refusal>> {
    Some(match (asked.menu.path.as_str(), asked.word) {
        ("/tool", "torch") => torch(world, asked),
        ("/tool", "bandwidth-test") => bandwidth(world, asked),
        ("/tool", "profile") => {
            sections(asked, &["ethernet", "firewall", "management", "networking", "unclassified"].map(String::from), busy, world)
        }
        ("/tool", "ip-scan") => scan(world, asked),
        ("/tool", "fetch") => device_mode::gate(world, "fetch").and(Err(Refusal::bad("failure: connection timeout"))),
        ("/tool/e-mail", "send") => device_mode::gate(world, "email").and(Err(Refusal::bad("failure: error connecting to server"))),
        ("/tool/romon", _) => device_mode::gate(world, "romon").map(|()| Vec::new()),
        ("/tool/sniffer", "start" | "quick") => device_mode::gate(world, "sniffer").map(|()| Vec::new()),
        ("/interface/wifi", "monitor") => monitored(world, asked, "/interface/wifi", radio),
        ("/interface/wireless", "monitor") => monitored(world, asked, "/interface/wireless", old_radio),
        ("/interface/bonding", "monitor") => monitored(world, asked, "/interface/bonding", bond),
        ("/interface/bridge", "monitor") => monitored(world, asked, "/interface/bridge", bridge),
        ("/interface/pppoe-client", "monitor") => monitored(world, asked, "/interface/pppoe-client", pppoe),
        ("/ip/route", "check") => check(world, asked),
        _ => return None,
    })
}

fn monitored(world: &mut World, asked: &Asked<'_>, menu: &str, measure: impl Fn(&mut World, &str) -> Row) -> Result<Vec<Row>, Refusal> {
    let which = asked.get(".id").or_else(|| asked.get("numbers")).or_else(|| asked.get("number"));
    let names = named(world, menu, which.ok_or_else(|| Refusal::missing(".id"))?, "numbers")?;
    sections(asked, &names, measure, world)
}

fn torch(world: &mut World, asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    let interface = interfaces(world, asked)?.first().cloned().unwrap_or_default();
    let seconds = asked.seconds()?;
    let wants = |name: &str| asked.get(name).is_some_and(|v| v != "no" && v != "false");
    let net = world.model.management.rsplit_once('.').map_or("10.0.0", |(net, _)| net).to_string();
    let mut rows = Vec::new();
    for section in 0..seconds {
        let (rx, tx) = live::bits_per_second(world, &interface);
        for flow in 0..FLOWS {
            let port = [443, 53, 22, 8_291, 123, 1_883][flow as usize % 6];
            let share = 1 + jitter(world.seed, &format!("{interface}{flow}"), 100);
            let mut row = Row::new(None)
                .with(".section", section.to_string())
                .with("rx", (rx / 1_000 * share).to_string())
                .with("tx", (tx / 1_000 * share).to_string())
                .with("rx-packets", (rx / 7_200_000 * share + 1).to_string())
                .with("tx-packets", (tx / 7_200_000 * share + 1).to_string());
            if wants("src-address") {
                row.put("src-address", format!("{net}.{}", 20 + flow));
            }
            if wants("dst-address") {
                row.put("dst-address", format!("198.51.100.{}", 10 + flow * 7));
            }
            if wants("port") {
                row.put("src-port", (40_000 + jitter(world.seed, &format!("p{flow}"), 20_000)).to_string());
                row.put("dst-port", port.to_string());
            }
            if wants("ip-protocol") || wants("port") {
                row.put("ip-protocol", if matches!(port, 53 | 123) { "udp" } else { "tcp" });
            }
            if wants("mac-protocol") {
                row.put("mac-protocol", "ip");
            }
            if wants("vlan-id") {
                row.put("vlan-id", "10");
            }
            if wants("dscp") {
                row.put("dscp", "0");
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

fn bandwidth(world: &mut World, asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    device_mode::gate(world, "bandwidth-test")?;
    let address = asked.need("address")?.to_string();
    let direction = asked.get("direction").unwrap_or("receive").to_string();
    if !["receive", "transmit", "both"].contains(&direction.as_str()) {
        return Err(Refusal::no_match("direction"));
    }
    let seconds = asked.seconds()?;
    let base = || {
        let row = Row::new(None).with("connection-count", "20").with("direction", direction.as_str()).with("random-data", "false");
        row.with("lost-packets", "0")
    };
    if silent(&address) {
        return Ok((0..=seconds).map(|s| base().with(".section", s.to_string()).with("status", "connecting")).collect());
    }
    if asked.get("user") == Some("wrong") {
        return Ok(vec![base().with(".section", "0").with("status", "authentication failed")]);
    }
    let ways: &[&str] = match direction.as_str() {
        "receive" => &["rx"],
        "transmit" => &["tx"],
        _ => &["rx", "tx"],
    };
    let mut rows = Vec::new();
    for second in 0..=seconds {
        let status = match second {
            0 => "connecting",
            s if s == seconds => "done testing",
            _ => "running",
        };
        let mut row = base().with(".section", second.to_string()).with("status", status);
        if second > 0 {
            row.put("duration", format!("{second}s"));
        }
        for way in ways {
            let rate = if second < 2 { 0 } else { 850_000_000 + jitter(world.seed, &format!("{way}{second}"), 80_000_000) };
            row.put(&format!("{way}-current"), rate.to_string());
            row.put(&format!("{way}-10-second-average"), rate.to_string());
            row.put(&format!("{way}-total-average"), rate.to_string());
            row.put(&format!("{way}-size"), "1500");
        }
        rows.push(row);
    }
    Ok(rows)
}

fn busy(world: &mut World, name: &str) -> Row {
    let tick = world.uptime().as_secs();
    Row::new(None).with("name", name).with("usage", format!("{}.{}", jitter(world.seed, &format!("{name}{tick}"), 9), tick % 10))
}

fn scan(world: &mut World, asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    asked.seconds()?;
    let found = world.rows("/ip/arp").into_iter().map(|arp| {
        let get = |name: &str| arp.get(name).unwrap_or_default().to_string();
        Row::new(None)
            .with("address", get("address"))
            .with("mac-address", get("mac-address"))
            .with("interface", get("interface"))
            .with("time", "1ms")
    });
    Ok(found.collect())
}

fn radio(world: &mut World, name: &str) -> Row {
    let row = world.find("/interface/wifi", name).unwrap_or_default();
    if row.is("disabled") {
        return Row::new(None).with("state", "disabled");
    }
    let peers = world.rows("/interface/wifi/registration-table").iter().filter(|r| r.get("interface") == Some(name)).count().to_string();
    let channel = if row.get("configuration").is_some_and(|c| c.contains("2g")) { "2437/ax" } else { "5180/ax/Ceee" };
    Row::new(None)
        .with("state", "running")
        .with("channel", channel)
        .with("registered-peers", peers.as_str())
        .with("authorized-peers", peers.as_str())
        .with("tx-power", "20")
}

fn old_radio(world: &mut World, name: &str) -> Row {
    let row = world.find("/interface/wireless", name).unwrap_or_default();
    if row.is("disabled") {
        return Row::new(None).with("status", "disabled");
    }
    let clients =
        world.rows("/interface/wireless/registration-table").iter().filter(|r| r.get("interface") == Some(name)).count().to_string();
    Row::new(None)
        .with("status", "running-ap")
        .with("channel", format!("{}/20-Ce/ac(17dBm)", row.get("frequency").unwrap_or("5580")))
        .with("wireless-protocol", "nv2")
        .with("noise-floor", format!("-{}", 98 + jitter(world.seed, name, 10)))
        .with("overall-tx-ccq", (70 + jitter(world.seed, &format!("{name}ccq"), 25)).to_string())
        .with("registered-clients", clients.as_str())
        .with("authenticated-clients", clients.as_str())
        .with("nstreme", "false")
}

fn bond(world: &mut World, name: &str) -> Row {
    let row = world.find("/interface/bonding", name).unwrap_or_default();
    let slaves: Vec<String> = row.get("slaves").unwrap_or_default().split(',').map(String::from).collect();
    let interfaces = world.rows("/interface");
    let up = |slave: &&String| interfaces.iter().any(|i| i.get("name") == Some(slave.as_str()) && i.is("running")) && !row.is("disabled");
    let (active, idle): (Vec<&String>, Vec<&String>) = slaves.iter().partition(up);
    let joined = |list: &[&String]| list.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(",");
    Row::new(None)
        .with("mode", row.get("mode").unwrap_or_default())
        .with("active-ports", joined(&active))
        .with("inactive-ports", joined(&idle))
        .with("lacp-system-id", row.get("mac-address").unwrap_or("00:00:00:00:00:00"))
        .with("lacp-system-priority", "65535")
}

fn bridge(world: &mut World, name: &str) -> Row {
    let row = world.find("/interface/bridge", name).unwrap_or_default();
    let ports = world.rows("/interface/bridge/port").iter().filter(|p| p.get("bridge") == Some(name)).count().to_string();
    Row::new(None)
        .with("state", if row.is("disabled") { "disabled" } else { "enabled" })
        .with("current-mac-address", row.get("mac-address").unwrap_or_default())
        .with("root-bridge", "true")
        .with("root-bridge-id", format!("0x8000.{}", row.get("mac-address").unwrap_or_default()))
        .with("root-path-cost", "0")
        .with("root-port", "none")
        .with("port-count", ports.as_str())
        .with("designated-port-count", ports.as_str())
        .with("fast-forward", "false")
}

fn pppoe(world: &mut World, name: &str) -> Row {
    let row = world.find("/interface/pppoe-client", name).unwrap_or_default();
    if row.is("disabled") {
        return Row::new(None).with("status", "disabled");
    }
    let uptime = value::show_time(world.uptime().as_secs() * 1_000);
    Row::new(None)
        .with("status", "connected")
        .with("uptime", uptime)
        .with("active-links", "1")
        .with("encoding", "")
        .with("service-name", "")
        .with("ac-name", "bras-1")
        .with("ac-mac", "02:00:5E:00:53:AC")
        .with("mtu", "1480")
        .with("mru", "1480")
        .with("local-address", "203.0.113.77")
        .with("remote-address", "203.0.113.1")
}

fn check(world: &mut World, asked: &Asked<'_>) -> Result<Vec<Row>, Refusal> {
    let to = asked.need("dst-ip")?;
    let ip: std::net::IpAddr = to.parse().map_err(|_| Refusal::bad("invalid value for argument dst-ip"))?;
    let routes = world.rows("/ip/route");
    let fits = routes.iter().filter(|r| r.is("active")).filter_map(|r| {
        let network = r.get("dst-address").and_then(value::prefix)?;
        value::covers(network, ip).then_some((network.1, r))
    });
    Ok(match fits.max_by_key(|(len, _)| *len) {
        Some((_, route)) => {
            let gateway = route.get("immediate-gw").unwrap_or_default();
            let (hop, interface) = gateway.split_once('%').unwrap_or((to, gateway));
            vec![Row::new(None).with("status", "ok").with("interface", interface).with("nexthop", hop)]
        }
        None => vec![Row::new(None).with("status", "unreachable")],
    })
}
