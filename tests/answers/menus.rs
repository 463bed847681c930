//! `menu.*` on every menu there is, and on those a router lacks.

use super::well_formed;
use crate::site::Site;
use routeros_mcp::sim::faults::Line;
use routeros_mcp::sim::menus::{Definitions, Shape};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools;
use serde_json::{Value, json};

/// Menus of this router that hold rows or an object.
pub(super) fn menus_of(profile: Profile) -> Vec<String> {
    let (definitions, model) = (Definitions::own(), profile.model());
    let mut paths: Vec<String> = definitions.paths().filter(|path| definitions.menu(path, &model).is_some()).map(String::from).collect();
    paths.sort();
    paths.dedup();
    paths
}

#[tokio::test]
async fn every_menu_a_router_has_can_be_read() {
    let site = Site::of(&Profile::ALL, &[]).await;
    let read = tools::find("menu.read").unwrap();
    let mut cases = 0;
    for profile in Profile::ALL {
        for menu in menus_of(profile) {
            let reply = site.good("menu.read", json!({"device": profile.name(), "menu": menu, "limit": 500})).await;
            well_formed(read, &reply);
            let rows = reply.structured["rows"].as_array().unwrap();
            assert!(rows.iter().all(|row| row["_key"].is_string() && row.get(".id").is_none() && row.get(".nextid").is_none()), "{menu}");
            assert!(!reply.to_mcp().to_string().contains("CANARY"), "{menu} on {} shows a secret", profile.name());
            cases += 1;
        }
    }
    println!("{cases} menus read on {} routers", Profile::ALL.len());
    assert!(cases >= 400, "only {cases} menus");
}

#[tokio::test]
async fn every_menu_a_router_has_can_be_described() {
    let site = Site::of(&[Profile::HomeAp, Profile::Chr], &[]).await;
    let describe = tools::find("menu.describe").unwrap();
    let (mut cases, mut attributes) = (0, 0);
    for profile in [Profile::HomeAp, Profile::Chr] {
        for menu in menus_of(profile) {
            let reply = site.good("menu.describe", json!({"device": profile.name(), "menu": menu})).await;
            well_formed(describe, &reply);
            let (answer, model) = (&reply.structured, profile.model());
            let definitions = Definitions::own();
            let truth = definitions.menu(&menu, &model).unwrap();
            // Which of two a read-only menu of one row is, the console does not tell.
            if truth.add || (truth.shape == Shape::Single && truth.set) {
                let kind = if truth.shape == Shape::Single { "singleton" } else { "list" };
                assert_eq!(answer["kind"], kind, "{menu} on {}", profile.name());
            }
            let told = |name: &str| answer["attributes"].as_array().unwrap().iter().find(|attr| attr["name"] == name).cloned();
            for attr in truth.attrs.iter().filter(|attr| attr.since <= model.version && !attr.read_only && (truth.add || truth.set)) {
                let Some(told) = told(&attr.name) else {
                    // Words that hang old consoles are never asked about; the facts answer instead.
                    assert_eq!(answer["source"], "facts", "{menu} lacks {}", attr.name);
                    continue;
                };
                if answer["source"] != "facts" {
                    assert_eq!(told["read_only"], false, "{menu} {}", attr.name);
                }
                if attr.secret {
                    assert_eq!(told["secret"], true, "{menu} {} is a secret", attr.name);
                }
                attributes += 1;
            }
            cases += 1;
        }
    }
    println!("{cases} menus and {attributes} attributes described");
    assert!(cases >= 200 && attributes >= 1_500, "{cases} menus and {attributes} attributes");
}

#[tokio::test]
async fn a_menu_the_router_lacks_is_not_found_and_its_package_named() {
    let site = Site::of(&Profile::ALL, &[]).await;
    let cases = [
        ("wisp-tower", "/interface/wifi", "wifi"),
        ("chr", "/interface/wifi/registration-table", "wifi"),
        ("home-ap", "/interface/wireless", "wireless"),
        ("home-ap", "/interface/wireless/security-profiles", "wireless"),
        ("office", "/zerotier", "zerotier"),
        ("office", "/container", "container"),
        ("chr", "/system/routerboard", ""),
        ("chr", "/no/such/menu", ""),
    ];
    for (device, menu, package) in cases {
        for tool in ["menu.read", "menu.describe"] {
            let error = site.bad(tool, json!({"device": device, "menu": menu})).await;
            assert_eq!(error["kind"], "not_found", "{tool} {menu} on {device}: {error}");
            let said = error["message"].as_str().unwrap();
            assert!(said.contains(menu) && said.contains(device), "{tool}: {said}");
            assert!(package.is_empty() || said.contains(&format!("package {package}")), "{tool} {menu}: {said}");
            assert!(error["hint"].as_str().unwrap().contains("menu.search"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_menu_once_learnt_is_described_while_the_router_is_away() {
    let site = Site::of(&[Profile::HomeAp], &[("routeros.connect_timeout_seconds", "1"), ("routeros.retry_attempts", "0")]).await;
    let ask = |menu: &str| json!({"device": "home-ap", "menu": menu});
    let first = site.good("menu.describe", ask("/ip/firewall/filter")).await;
    assert_eq!(first.structured["source"], "both");
    let before = site.sim("home-ap").faults().requests_total();
    let second = site.good("menu.describe", ask("/ip/firewall/filter")).await;
    assert_eq!(site.sim("home-ap").faults().requests_total(), before, "asked once for good");
    assert_eq!((&second.structured, &second.meta["cached"]), (&first.structured, &json!(true)));
    site.sim("home-ap").faults().set_line(Line::Refuse);
    site.sim("home-ap").cut_connections();
    assert_eq!(site.bad("menu.read", ask("/ip/address")).await["kind"], "unreachable");
    let away = site.good("menu.describe", ask("/ip/firewall/filter")).await;
    assert_eq!(away.structured, first.structured);
    let facts = site.good("menu.describe", ask("/ip/firewall/nat")).await;
    assert_eq!(facts.structured["source"], "facts", "never learnt: what we know ourselves");
    assert!(!facts.structured["attributes"].as_array().unwrap().is_empty());

    let site = site.reopened(&[("routeros.connect_timeout_seconds", "1")]).await;
    let after_restart = site.good("menu.describe", ask("/ip/firewall/filter")).await;
    assert_eq!(after_restart.structured, first.structured);
}

#[tokio::test]
async fn menus_are_found_by_words_and_nothing_by_nonsense() {
    let site = Site::of(&[Profile::HomeAp, Profile::WispTower], &[]).await;
    let cases = [
        ("dhcp leases", "/ip/dhcp-server/lease"),
        ("port forward", "/ip/firewall/nat"),
        ("wifi clients", "/interface/wifi/registration-table"),
        ("vlan", "/interface/vlan"),
        ("ip addresses", "/ip/address"),
        ("default gateway", "/ip/route"),
        ("wireguard peers", "/interface/wireguard/peers"),
        ("scheduled tasks", "/system/scheduler"),
        ("bandwidth limit", "/queue/simple"),
        ("dns records", "/ip/dns/static"),
    ];
    for (query, menu) in cases {
        let found = site.good("menu.search", json!({"query": query, "device": "home-ap"})).await.structured;
        let first: Vec<&str> = found["matches"].as_array().unwrap().iter().take(4).filter_map(|m| m["menu"].as_str()).collect();
        assert!(first.contains(&menu), "{query}: {first:?}");
    }
    let wireless = site.good("menu.search", json!({"query": "wifi clients", "device": "wisp-tower"})).await.structured;
    let menus: Vec<&str> = wireless["matches"].as_array().unwrap().iter().filter_map(|m| m["menu"].as_str()).collect();
    assert!(
        menus.contains(&"/interface/wireless/registration-table") && !menus.iter().any(|menu| menu.starts_with("/interface/wifi")),
        "{menus:?}"
    );
    let none = site.good("menu.search", json!({"query": "xylophone quux"})).await.structured;
    assert_eq!(none["matches"], Value::Array(Vec::new()), "an honest empty answer");
}
