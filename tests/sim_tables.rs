//! What the simulated router measures and holds: monitors, tables of every profile and version, the command tree, planted strings.

use super::sim_rest::{admin, call, names};
use super::sim_ssh::said;
use crate::surroundings::shared;
use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::sim::faults::{Fault, Rule};
use routeros_mcp::sim::menus::Definitions;
use routeros_mcp::sim::profiles::{Profile, Version};
use routeros_mcp::sim::{Options, Sim};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

async fn sim(profile: Profile) -> Sim {
    Sim::start(Options::new(profile, "")).await.unwrap()
}

async fn post(sim: &Sim, path: &str, body: Value) -> Value {
    admin(sim, "POST", path, Some(body)).await.json()
}

#[tokio::test]
async fn measuring_commands_answer_in_sections_with_the_routers_names() {
    let office = sim(Profile::Office).await;
    let torch =
        post(&office, "/tool/torch", json!({"interface": "ether1", "duration": "2s", "src-address": "0.0.0.0/0", "port": "any"})).await;
    let sections: BTreeSet<&str> = torch.as_array().unwrap().iter().map(|r| r[".section"].as_str().unwrap()).collect();
    assert_eq!(sections, ["0", "1"].into());
    let flow = torch[0].as_object().unwrap();
    assert!(
        ["src-address", "src-port", "dst-port", "ip-protocol", "rx", "tx"].iter().all(|n| flow.contains_key(*n))
            && !flow.contains_key("dst-address")
    );
    let test = post(&office, "/tool/bandwidth-test", json!({"address": "192.0.2.9", "duration": "3s", "direction": "receive"})).await;
    let status: Vec<&str> = test.as_array().unwrap().iter().map(|r| r["status"].as_str().unwrap()).collect();
    assert_eq!(status, ["connecting", "running", "running", "done testing"]);
    assert!(test[2]["rx-current"].as_str().unwrap().parse::<u64>().unwrap() > 0);
    let home = sim(Profile::HomeAp).await;
    let gated = admin(&home, "POST", "/tool/bandwidth-test", Some(json!({"address": "192.0.2.9", "duration": "3s"}))).await;
    assert!(gated.status == 400 && gated.detail().starts_with("failure: not allowed by device-mode"));
    let radio = post(&home, "/interface/wifi/monitor", json!({".id": "wifi1", "once": ""})).await;
    assert_eq!((&radio[0]["state"], &radio[0]["registered-peers"]), (&json!("running"), &json!("2")));
    let tower = sim(Profile::WispTower).await;
    let radio = post(&tower, "/interface/wireless/monitor", json!({"numbers": "wlan1", "once": ""})).await;
    assert_eq!(radio[0]["status"], "running-ap");
    let trace = post(&tower, "/tool/traceroute", json!({"address": "192.0.2.9", "count": "2"})).await;
    assert_eq!((&trace[3][".section"], &trace[3]["sent"]), (&json!("1"), &json!("2")));
    let lossy = post(&tower, "/tool/ping", json!({"address": "192.0.2.250", "count": "4"})).await;
    assert_eq!((&lossy[1]["status"], &lossy[3]["packet-loss"]), (&json!("timeout"), &json!("50")));
}

#[tokio::test]
async fn every_table_the_read_side_needs_has_rows_somewhere() {
    let wanted = [
        (
            Profile::HomeAp,
            &[
                "/interface/wifi",
                "/interface/wifi/registration-table",
                "/interface/wifi/capsman/remote-cap",
                "/interface/wifi/radio",
                "/ipv6/dhcp-client",
                "/ipv6/pool",
            ][..],
        ),
        (
            Profile::Office,
            &[
                "/routing/bgp/connection",
                "/routing/bgp/session",
                "/routing/bgp/template",
                "/routing/bgp/instance",
                "/ip/ipsec/peer",
                "/ip/ipsec/identity",
                "/ip/ipsec/policy",
                "/ip/ipsec/active-peers",
                "/ip/ipsec/installed-sa",
                "/ip/ipsec/profile",
                "/ip/ipsec/proposal",
                "/ppp/active",
                "/interface/wireguard/peers",
                "/queue/simple",
                "/queue/tree",
                "/ip/dns/cache",
                "/ip/arp",
                "/ip/neighbor",
                "/system/history",
                "/routing/route",
                "/ip/firewall/connection",
                "/ipv6/address",
                "/ipv6/neighbor",
                "/ipv6/route",
                "/ipv6/firewall/filter",
            ],
        ),
        (Profile::Chr, &["/routing/ospf/instance", "/routing/ospf/area", "/routing/ospf/neighbor", "/routing/ospf/interface-template"]),
        (
            Profile::WispTower,
            &[
                "/interface/wireless",
                "/interface/wireless/registration-table",
                "/caps-man/interface",
                "/caps-man/registration-table",
                "/caps-man/remote-cap",
                "/caps-man/radio",
                "/caps-man/configuration",
                "/caps-man/security",
                "/caps-man/provisioning",
                "/ppp/active",
            ],
        ),
    ];
    for (profile, paths) in wanted {
        let sim = sim(profile).await;
        for path in paths {
            let reply = admin(&sim, "GET", path, None).await;
            assert!(reply.status == 200 && !reply.json().as_array().unwrap().is_empty(), "{} {path}: {}", profile.name(), reply.status);
        }
    }
}

#[tokio::test]
async fn a_long_connection_table_is_made_while_it_is_sent() {
    let sim = sim(Profile::Office).await;
    sim.world().set_tracked_connections(20_000);
    let before = sim.world().table("/ip/firewall/connection").rows.len();
    let count = post(&sim, "/ip/firewall/connection/print", json!({"count-only": ""})).await;
    assert_eq!(count["ret"], (before + 20_000).to_string());
    let all = admin(&sim, "GET", "/ip/firewall/connection?.proplist=protocol", None).await.json();
    assert_eq!(all.as_array().unwrap().len(), before + 20_000);
    let ids: BTreeSet<&str> = all.as_array().unwrap().iter().map(|r| r[".id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), before + 20_000);
    let udp = post(&sim, "/ip/firewall/connection/print", json!({".query": ["protocol=udp"], ".proplist": ["protocol"]})).await;
    assert!(udp.as_array().unwrap().len() > 9_000 && udp.as_array().unwrap().iter().all(|r| *r == json!({"protocol": "udp"})));
}

#[tokio::test]
async fn any_profile_runs_as_any_version() {
    for version in Version::ALL {
        for profile in Profile::ALL {
            let sim = Sim::start(Options { version: Some(version), ssh: false, plain: false, ..Options::new(profile, "") }).await.unwrap();
            let shown = sim.world().rows("/system/resource")[0].get("version").unwrap().to_string();
            let number = format!("{version:?}")[1..].replace('_', ".");
            assert!(shown.starts_with(&number), "{version:?} {}: {shown}", profile.name());
            assert_eq!(sim.world().menu("/safe-mode").is_some(), version >= Version::V7_20, "{version:?}");
        }
    }
}

#[tokio::test]
async fn a_published_tree_can_be_taken_back_to_an_older_version() {
    let Some(shared) = shared("routeros") else { return };
    let read = |name: &str| -> Value { serde_json::from_slice(&std::fs::read(shared.join(name)).unwrap()).unwrap() };
    let (tree, changes) = (read("schema.json"), read("schema_versions.json"));
    for (version, number, service, wifi) in
        [(Version::V7_12, (7, 12), false, false), (Version::V7_16, (7, 16), false, true), (Version::V7_24, (7, 24), true, true)]
    {
        let definitions = Definitions::from_schema_json_as_of(&tree, &changes, number);
        let sim = Sim::start(Options { definitions: Some(definitions), version: Some(version), ..Options::new(Profile::Office, "") })
            .await
            .unwrap();
        assert_eq!(admin(&sim, "GET", "/ip/service/webserver", None).await.status == 200, service, "{version:?}");
        assert_eq!(admin(&sim, "GET", "/interface/wifi/radio", None).await.status == 200, wifi, "{version:?}");
        let add = post(&sim, "/console/inspect", json!({"request": "child", "path": "interface,wireguard,peers,add"})).await;
        assert_eq!(names(&add).contains(&"responder"), number >= (7, 17), "{version:?}");
        let kind = post(&sim, "/console/inspect", json!({"request": "syntax", "path": "ip,address,add,address"})).await;
        assert!(kind[0]["text"].as_str().is_some_and(|t| !t.is_empty()));
    }
}

#[tokio::test]
async fn the_command_tree_is_told_over_ssh_and_letter_by_letter() {
    let sim = sim(Profile::Chr).await;
    let light = post(&sim, "/console/inspect", json!({"request": "highlight", "input": "/ip/address add foo"})).await;
    let kinds: Vec<&str> = light[0]["highlight"].as_str().unwrap().split(',').collect();
    assert_eq!(kinds.len(), "/ip/address add foo".len());
    assert_eq!((kinds[0], kinds[1], kinds[4], kinds[12], kinds[18]), ("none", "dir", "path", "cmd", "error"));
    let handle = super::sim_ssh::admin(&sim).await;
    let told = said(&handle, ":put [:len [/console/inspect request=child path=ip,address as-value]]").await;
    assert!(told.parse::<u32>().unwrap() > 5, "{told}");
}

#[tokio::test]
async fn the_log_grows_by_itself_and_tells_changes() {
    let (clock, hand) = Clock::by_hand(Wall::parse("2026-11-25").unwrap());
    let sim = Sim::start(Options { clock, ..Options::new(Profile::Office, "") }).await.unwrap();
    let before = sim.world().rows("/log").len();
    hand.advance(Duration::from_secs(600));
    let after = sim.world().rows("/log");
    assert!(after.len() >= before + 9, "{before} {}", after.len());
    admin(&sim, "PUT", "/ip/firewall/address-list", Some(json!({"list": "t", "address": "192.0.2.1"}))).await;
    let last = sim.world().rows("/log").last().unwrap().get("message").unwrap().to_string();
    assert!(last.starts_with("address-list added by rest-api:admin@"), "{last}");
}

#[tokio::test]
async fn strings_and_secrets_are_planted_everywhere_and_served() {
    for profile in Profile::ALL {
        let sim = sim(profile).await;
        let planted = sim.world().plant(|path, name| format!("PLANTED {path} {name}"));
        let secret = sim.world().plant_secrets(|path, name| format!("CANARY-{path}-{name}"));
        assert!(planted.len() > 500 && secret.len() > 20, "{}: {} {}", profile.name(), planted.len(), secret.len());
        let mut missing = Vec::new();
        for one in planted.iter().filter(|p| !p.path.contains("/firewall/connection")) {
            let rows = sim.world().rows(&one.path);
            if !rows.iter().any(|r| r.get(&one.attribute) == Some(one.text.as_str())) {
                missing.push(format!("{} {}", one.path, one.attribute));
            }
        }
        assert!(missing.len() < planted.len() / 20, "{}: {} of {}: {missing:#?}", profile.name(), missing.len(), planted.len());
        let monitor = sim.credentials().monitor;
        for path in secret.iter().map(|s| s.path.as_str()).collect::<BTreeSet<_>>() {
            let reply = call(&sim, &monitor, "GET", path, None).await;
            assert!(!String::from_utf8_lossy(&reply.body).contains("CANARY"), "{} {path}", profile.name());
        }
        let handle = super::sim_ssh::admin(&sim).await;
        assert!(!said(&handle, "/export").await.contains("CANARY"), "{}", profile.name());
    }
}

#[tokio::test]
async fn a_router_fresh_from_boot_answers_with_another_body() {
    let sim = sim(Profile::Office).await;
    sim.reboot_unready(2);
    for _ in 0..2 {
        assert!(admin(&sim, "GET", "/ip/address", None).await.json()["architecture-name"].is_string());
    }
    assert!(admin(&sim, "GET", "/ip/address", None).await.json().is_array());
    sim.faults().inject(Rule::once(Fault::DoneButRefused).method("PATCH"));
    let refused = admin(&sim, "PATCH", "/user/monitor", Some(json!({"password": "new-one"}))).await;
    assert_eq!(refused.status, 400);
    assert_eq!(sim.world().rows("/user").iter().find(|u| u.get("name") == Some("monitor")).unwrap().get("password"), Some("new-one"));
}
