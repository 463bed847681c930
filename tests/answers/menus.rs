//! `menu.*` on every menu there is, and on those a router lacks.

use super::well_formed;
use crate::site::Site;
use crate::surroundings::shared;
use routeros_mcp::sim::Options;
use routeros_mcp::sim::faults::{Fault, Line, Rule};
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
    for query in ["containers", "capsman registration", "zerotier networks"] {
        let found = site.good("menu.search", json!({"query": query, "device": "home-ap"})).await.structured;
        let lacks = |menu: &str| ["/caps-man", "/container", "/zerotier"].iter().any(|root| menu.starts_with(root));
        let lacking: Vec<&str> =
            found["matches"].as_array().unwrap().iter().filter_map(|m| m["menu"].as_str()).filter(|menu| lacks(menu)).collect();
        assert!(lacking.is_empty(), "its packages do not bring {lacking:?}");
        let anywhere = site.good("menu.search", json!({"query": query})).await.structured;
        assert!(anywhere["matches"].as_array().unwrap().iter().any(|m| lacks(m["menu"].as_str().unwrap())), "{query}");
    }
    let none = site.good("menu.search", json!({"query": "xylophone quux"})).await.structured;
    assert_eq!(none["matches"], Value::Array(Vec::new()), "an honest empty answer");
}

/// Every menu of RouterOS, where the reference is at hand; without it those of the test before stand for them.
#[tokio::test]
async fn every_menu_of_the_schema_can_be_read_and_described() {
    let Some(schema) = shared("routeros/schema.json") else { return };
    let definitions = Definitions::from_schema_json(&serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap());
    let mut site = Site::bare(&[]).await;
    let options = Options { plain: false, definitions: Some(definitions.clone()), ..Options::new(Profile::Office, "every") };
    site.adopt_as(options, "every", json!({})).await;
    let model = Profile::Office.model();
    let mut menus: Vec<&str> =
        definitions.paths().filter(|path| definitions.menu(path, &model).is_some_and(|menu| menu.shape != Shape::Commands)).collect();
    menus.sort_unstable();
    menus.dedup();
    let (mut attributes, mut failed) = (0, Vec::new());
    for menu in &menus {
        let read = site.call("menu.read", json!({"device": "every", "menu": menu})).await;
        let described = site.call("menu.describe", json!({"device": "every", "menu": menu})).await;
        if let Some(wrong) = [&read, &described].into_iter().find(|reply| reply.fault.is_some()) {
            failed.push(format!("{menu}: {}", wrong.text));
            continue;
        }
        well_formed(tools::find("menu.read").unwrap(), &read);
        well_formed(tools::find("menu.describe").unwrap(), &described);
        attributes += described.structured["attributes"].as_array().unwrap().len();
    }
    println!("{} of {} menus read and described, {attributes} attributes", menus.len() - failed.len(), menus.len());
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(menus.len() >= 450 && attributes >= 4_000, "{} menus, {attributes} attributes", menus.len());
}

#[tokio::test]
async fn one_attribute_is_described_with_the_words_the_router_takes_now() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let ask = |menu: &str, attribute: &str| json!({"device": "home-ap", "menu": menu, "attribute": attribute});
    let words = |answer: &Value| answer["attributes"][0]["enum"].as_array().cloned().unwrap_or_default();
    let whole = site.good("menu.describe", json!({"device": "home-ap", "menu": "/ip/address"})).await;
    let before = site.sim("home-ap").faults().requests_total();
    let reply = site.good("menu.describe", ask("/ip/address", "interface")).await;
    assert!(site.sim("home-ap").faults().requests_total() - before <= 2);
    well_formed(tools::find("menu.describe").unwrap(), &reply);
    let answer = reply.structured;
    assert_eq!(answer["attributes"].as_array().unwrap().len(), 1);
    assert!(words(&answer).contains(&json!("ether1")) && words(&answer).contains(&json!("bridge")), "{answer}");
    assert!(reply.meta["untrusted"].as_array().unwrap().contains(&json!("/attributes/*/enum")));
    assert!(whole.structured["attributes"].as_array().unwrap().len() > 3);
    let protocol = site.good("menu.describe", ask("/interface/wifi/channel", "band")).await.structured;
    assert!(words(&protocol).iter().any(|word| word.as_str().is_some_and(|word| word.contains("ghz"))), "{protocol}");
    let address = site.good("menu.describe", ask("/ip/address", "address")).await.structured;
    assert!(address["attributes"][0]["syntax"].as_str().unwrap().contains("A.B.C.D"), "{address}");
    let error = site.bad("menu.describe", ask("/ip/address", "adress")).await;
    assert_eq!(error["kind"], "not_found");
    // A secret's words are nobody's, and a router that is away leaves what is known.
    let secret = site.good("menu.describe", ask("/interface/wireguard", "private-key")).await.structured;
    assert!(words(&secret).is_empty());
    site.sim("home-ap").faults().set_line(Line::Refuse);
    site.sim("home-ap").cut_connections();
    let away = site.good("menu.describe", ask("/ip/address", "interface")).await.structured;
    assert_eq!(away["attributes"][0]["name"], "interface");
}

#[tokio::test]
async fn a_huge_table_is_counted_and_never_read_until_it_is_narrowed() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let sim = site.sim("home-ap");
    let menu = "/ip/firewall/connection";
    {
        let mut world = sim.world();
        for n in 0..20_100_u32 {
            let src = format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255);
            let protocol = if n % 1_000 == 0 { "icmp" } else { "tcp" };
            world.add(menu, &[("protocol", protocol), ("src-address", &src), ("dst-address", "203.0.113.9"), ("dst-port", "443")]);
        }
    }
    let reads = || sim.faults().requests_to(menu);
    let error = site.bad("menu.read", json!({"device": "home-ap", "menu": menu, "limit": 10})).await;
    assert_eq!(error["kind"], "rejected", "{error}");
    assert!(error["message"].as_str().unwrap().contains("rows now"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("protocol"), "{error}");
    assert_eq!(reads(), 0, "nothing was read, so nothing had to be broken off");
    let narrowed = site.good("menu.read", json!({"device": "home-ap", "menu": menu, "limit": 10, "where": {"protocol": "icmp"}})).await;
    assert!((20..200).contains(&narrowed.structured["total"].as_u64().unwrap()), "{}", narrowed.structured["total"]);
    assert_eq!(sim.faults().aborted(), 0);
}

#[tokio::test]
async fn a_table_found_too_long_is_counted_from_then_on() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let sim = site.sim("home-ap");
    sim.faults().inject(Rule::once(Fault::BigTable(300_000)).on("/ip/arp"));
    let ask = json!({"device": "home-ap", "menu": "/ip/arp"});
    let error = site.bad("menu.read", ask.clone()).await;
    assert_eq!(error["kind"], "rejected", "{error}");
    assert!(error["message"].as_str().unwrap().contains("too many rows"), "{error}");
    assert_eq!(sim.faults().aborted(), 0, "the answer was taken to its end");
    let before = sim.faults().requests_total();
    site.good("menu.read", ask.clone()).await;
    assert_eq!(sim.faults().requests_total() - before, 2, "counted, and then read");
    let site = site.reopened(&[]).await;
    let before = site.sim("home-ap").faults().requests_total();
    site.good("menu.read", ask).await;
    assert_eq!(site.sim("home-ap").faults().requests_total() - before, 2, "remembered");
}

#[tokio::test]
async fn the_version_that_brings_a_menu_is_named() {
    let site = Site::of(&Profile::ALL, &[]).await;
    for (device, menu, version) in
        [("wisp-tower", "/safe-mode", "7.18"), ("home-ap", "/tool/netinstall", "7.24"), ("office", "/ip/reverse-proxy", "7.22")]
    {
        let has = site.device(device).facts.version.clone().unwrap();
        for tool in ["menu.read", "menu.describe"] {
            let error = site.bad(tool, json!({"device": device, "menu": menu})).await;
            assert_eq!(error["kind"], "not_found", "{tool} {menu}");
            let said = error["message"].as_str().unwrap();
            assert!(said.contains(&format!("it came with RouterOS {version}")), "{device} has {has}: {said}");
        }
    }
}

#[tokio::test]
async fn a_page_goes_on_after_rows_were_renamed_and_removed() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    {
        let mut world = site.sim("home-ap").world();
        for n in 0..20 {
            world.add("/interface/vlan", &[("name", &format!("v{n:02}")), ("vlan-id", &format!("{}", 100 + n)), ("interface", "bridge")]);
        }
    }
    let read = |cursor: Value| json!({"device": "home-ap", "menu": "/interface/vlan", "limit": 8, "fields": ["name"], "cursor": cursor});
    let names =
        |answer: &Value| answer["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let first =
        site.good("menu.read", json!({"device": "home-ap", "menu": "/interface/vlan", "limit": 8, "fields": ["name"]})).await.structured;
    let shown = names(&first);
    site.sim("home-ap").world().set("/interface/vlan", &shown[7], "name", "renamed");
    site.sim("home-ap").world().remove("/interface/vlan", &shown[6]);
    site.sim("home-ap").world().remove("/interface/vlan", &shown[0]);
    site.forget("home-ap");
    let second = names(&site.good("menu.read", read(first["next_cursor"].clone())).await.structured);
    // The renamed row is new under its name and comes once more; none of the others is left out or repeated.
    assert_eq!(second[0], "renamed", "{shown:?} then {second:?}");
    assert!(!second.iter().any(|name| shown.contains(name)), "{shown:?} then {second:?}");
    assert_eq!(second[1], format!("v{:02}", shown[7][1..].parse::<u32>().unwrap() + 1));
}
