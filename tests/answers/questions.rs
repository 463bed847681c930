//! What the ten most common questions cost a model, at default arguments: a committed table (`tests/snap/questions.txt`, in
//! tokens rounded up to 50), and none above 2,500. `BLESS=1` rewrites it.

use crate::site::Site;
use routeros_mcp::sim::profiles::Profile;
use serde_json::json;
use std::fmt::Write;
use std::path::Path;

/// Tokens one answer may cost.
const MOST: u64 = 2_500;
/// How far an answer may be from the table: clocks and counters have more or fewer digits.
const NEAR: u64 = 100;

/// Question, device, tool, and the rows the answer is about at the least.
const QUESTIONS: [(&str, &str, &str, usize); 10] = [
    ("overview", "office", "system.get_overview", 0),
    ("interfaces", "office", "interface.list", 8),
    ("a page of 5,000 leases", "wisp-tower", "dhcp.list_leases", 30),
    ("firewall filter of 60 rules", "office", "firewall.list_rules", 40),
    ("a page of routes", "office", "routing.list_routes", 40),
    ("50 wifi clients", "home-ap", "wireless.get_clients", 40),
    ("a page of the log", "office", "logs.get_recent", 30),
    ("health trend of a day", "office", "system.get_health", 0),
    ("a page of ARP", "office", "ip.get_arp", 40),
    ("DNS", "office", "dns.get_status", 0),
];

#[tokio::test]
async fn the_common_questions_cost_what_the_table_says() {
    let site = Site::of(&[Profile::HomeAp, Profile::Office, Profile::WispTower], &[]).await;
    fill(&site);
    history(&site).await;
    let mut table = String::new();
    let mut costs = Vec::new();
    for (question, device, tool, least) in QUESTIONS {
        site.forget(device);
        let reply = site.good(tool, json!({"device": device})).await;
        let rows = reply.structured["rows"].as_array().map_or(0, Vec::len);
        assert!(rows >= least, "{question}: only {rows} rows");
        let tokens = reply.meta["estimated_tokens"].as_u64().unwrap();
        assert!(tokens <= MOST, "{question}: {tokens} tokens");
        writeln!(table, "{question:<30} {tool:<24} {rows:>3} rows {:>5} tokens", tokens.div_ceil(50) * 50).unwrap();
        costs.push(tokens);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snap/questions.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; BLESS=1 makes it", path.display()));
    assert_eq!(kept.lines().count(), costs.len(), "BLESS=1 rewrites {}", path.display());
    for (line, tokens) in kept.lines().zip(&costs) {
        let said: u64 = line.trim_end_matches(" tokens").rsplit(' ').next().unwrap().parse().unwrap();
        assert!(said.abs_diff(*tokens) <= NEAR, "{tokens} tokens now, BLESS=1 rewrites {}: {line}", path.display());
    }
}

/// Tables as long as the questions are about.
fn fill(site: &Site) {
    let mut office = site.sim("office").world();
    for n in office.rows("/ip/firewall/filter").len()..60 {
        let (src, comment) = (format!("10.{n}.0.0/16"), format!("branch {n}: servers only"));
        let rule = [("chain", "forward"), ("action", "accept"), ("protocol", "tcp"), ("dst-port", "443,8443"), ("src-address", &src)];
        office.add("/ip/firewall/filter", &[&rule[..], &[("comment", comment.as_str()), ("connection-state", "new")]].concat());
    }
    for n in 0..80 {
        let (dst, mac) = (format!("172.16.{n}.0/24"), format!("02:00:5E:00:01:{n:02X}"));
        office.add("/ip/route", &[("dst-address", &dst), ("gateway", "10.0.0.254"), ("comment", "branch office")]);
        office.add("/ip/arp", &[("address", &format!("10.0.9.{n}")), ("mac-address", &mac), ("interface", "bridge")]);
        office.log("dhcp,info", &format!("lan assigned 10.0.9.{n} for {mac} client-{n}"));
    }
    drop(office);
    let mut home = site.sim("home-ap").world();
    for n in home.rows("/interface/wifi/registration-table").len()..50 {
        let mac = format!("02:11:00:00:00:{n:02X}");
        let client = [("interface", "wifi1"), ("ssid", "home"), ("mac-address", mac.as_str()), ("signal", "-63")];
        let rates = [("tx-rate", "866.7Mbps-80MHz/2S/SGI"), ("rx-rate", "780Mbps-80MHz/2S"), ("uptime", "2d3h4m5s"), ("band", "5ghz-ac")];
        home.add("/interface/wifi/registration-table", &[&client[..], &rates[..]].concat());
    }
}

/// A day of readings, one in ten minutes.
async fn history(site: &Site) {
    let world = site.app.dispatch.world();
    let id = site.device("office").id.clone();
    let now = world.clock.wall();
    let look = world.look(&id, routeros_mcp::history::look::Depth::Routine).await.unwrap();
    for n in (1..144_i64).rev() {
        let at = routeros_mcp::base::clock::Wall(now.0 - n * 600_000);
        let sample = routeros_mcp::history::health::Sample { at, cpu_percent: Some((n % 60) as u8), ..look.sample };
        world.history.add(&id, sample).await.unwrap();
    }
}
