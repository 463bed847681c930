//! Routing, firewall, wireless, VPN and queues: what each tool tells of simulated routers, what that costs, and what it does with
//! tables too big to read.

use crate::site::Site;
use routeros_mcp::dispatch::Reply;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools;
use serde_json::{Value, json};

mod hostile;
mod recorded;
mod routing;
mod wireless;

/// Each tool with arguments that go with it, and the requests it may cost.
fn calls() -> Vec<(&'static str, Value, usize)> {
    vec![
        ("routing.get_summary", json!({}), 3),
        ("routing.list_routes", json!({}), 2),
        ("routing.list_routes", json!({"family": "ipv6"}), 2),
        ("routing.get_bgp", json!({}), 3),
        ("routing.get_ospf", json!({}), 3),
        ("firewall.list_rules", json!({}), 1),
        ("firewall.list_rules", json!({"table": "nat"}), 1),
        ("firewall.list_rules", json!({"table": "mangle"}), 1),
        ("firewall.list_rules", json!({"table": "raw", "family": "ipv6"}), 1),
        ("firewall.list_address_lists", json!({}), 1),
        ("firewall.list_address_lists", json!({"list": "blocklist"}), 1),
        ("firewall.list_connections", json!({}), 2),
        ("firewall.list_connections", json!({"family": "ipv6"}), 2),
        ("wireless.get_interfaces", json!({}), 3),
        ("wireless.get_clients", json!({}), 3),
        ("wireless.get_capsman", json!({}), 3),
        ("vpn.get_status", json!({}), 3),
        ("vpn.get_status", json!({"clients": true, "policies": true}), 5),
        ("queue.list", json!({}), 2),
        ("queue.list", json!({"kind": "tree"}), 1),
    ]
}

fn on(device: &str, more: &Value) -> Value {
    let mut arguments = json!({"device": device});
    arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    arguments
}

fn rows(reply: &Reply) -> &[Value] {
    reply.structured["rows"].as_array().unwrap()
}

/// The row whose member has that value.
fn row<'a>(reply: &'a Reply, name: &str, value: &str) -> &'a Value {
    rows(reply).iter().find(|row| row[name] == value).unwrap_or_else(|| panic!("no {name} {value} in {}", reply.structured))
}

#[tokio::test]
async fn every_tool_answers_every_router_within_its_cost_and_its_tokens() {
    let mut most = Vec::new();
    for profile in Profile::ALL {
        let site = Site::of(&[profile], &[]).await;
        for (tool, arguments, cost) in calls() {
            site.forget(profile.name());
            let before = site.sim(profile.name()).faults().requests_total();
            let reply = site.good(tool, on(profile.name(), &arguments)).await;
            let asked = site.sim(profile.name()).faults().requests_total() - before;
            assert!((1..=cost).contains(&asked), "{tool} {arguments} on {}: {asked} requests", profile.name());
            let tokens = reply.meta["estimated_tokens"].as_u64().unwrap();
            assert!(tokens <= 2_500, "{tool} {arguments} on {}: {tokens} tokens", profile.name());
            let schema = Value::Object((tools::find(tool).unwrap().output)());
            let validator = jsonschema::draft202012::new(&schema).unwrap();
            let problems: Vec<String> = validator.iter_errors(&reply.structured).map(|e| e.to_string()).collect();
            assert!(problems.is_empty(), "{tool} on {}: {problems:?}", profile.name());
            assert!(!reply.to_mcp().to_string().contains("CANARY"), "{tool} on {} shows a secret", profile.name());
            let again = site.sim(profile.name()).faults().requests_total();
            site.good(tool, on(profile.name(), &arguments)).await;
            // A monitor tells of its moment and is never kept.
            let moments = usize::from(tool == "wireless.get_interfaces");
            assert!(site.sim(profile.name()).faults().requests_total() - again <= moments, "{tool}: asked again within its age");
            most.push((tokens, format!("{tool} {arguments} on {}: {asked} requests", profile.name())));
        }
    }
    most.sort();
    most.iter().rev().take(12).for_each(|(tokens, what)| println!("{tokens} tokens: {what}"));
    assert_eq!(most.len(), calls().len() * Profile::ALL.len());
}

#[tokio::test]
async fn a_filter_of_60_rules_keeps_its_order_and_is_read_in_two_pages() {
    let site = Site::of(&[Profile::Office], &[]).await;
    let first = site.good("firewall.list_rules", json!({"device": "office"})).await;
    let total = first.structured["total"].as_u64().unwrap();
    assert!(total >= 55, "{total}");
    let (mut seen, mut cursor) = (rows(&first).to_vec(), first.structured["next_cursor"].clone());
    while !cursor.is_null() {
        let page = site.good("firewall.list_rules", json!({"device": "office", "cursor": cursor})).await;
        seen.extend(rows(&page).iter().cloned());
        cursor = page.structured["next_cursor"].clone();
    }
    let positions: Vec<u64> = seen.iter().map(|row| row["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (0..total).collect::<Vec<_>>());
    assert!(rows(&first).len() >= 40, "{} rules on the first page", rows(&first).len());
    let truth: Vec<String> = {
        let mut world = site.sim("office").world();
        world.rows("/ip/firewall/filter").iter().map(|row| row.get("chain").unwrap().to_owned()).collect()
    };
    assert_eq!(seen.iter().map(|row| row["chain"].as_str().unwrap()).collect::<Vec<_>>(), truth);
    assert_eq!(seen[0]["match"], "connection-state=established,related,untracked");
    let printers = seen.iter().find(|row| row["comment"] == "staff to printers").unwrap();
    assert_eq!(printers["match"], "protocol=tcp dst-port=9100,631 in-interface=vlan10-staff out-interface=vlan60-printers");
    let scan = seen.iter().find(|row| row["action"] == "add-src-to-address-list").unwrap();
    assert_eq!(
        (&scan["match"], &scan["then"]),
        (&json!("protocol=tcp psd=21,3s,3,1"), &json!("address-list=scanners address-list-timeout=1d"))
    );
    let chains = first.structured["chains"].as_array().unwrap();
    assert_eq!(chains.iter().map(|chain| chain["rules"].as_u64().unwrap()).sum::<u64>(), total);
}

#[tokio::test]
async fn flags_can_be_asked_for_either_way() {
    let site = Site::of(&[Profile::Office], &[]).await;
    let count = async |wanted: Value| {
        site.good("firewall.list_rules", json!({"device": "office", "where": wanted})).await.structured["total"].as_u64().unwrap()
    };
    let all = count(json!({})).await;
    let (on, off) = (count(json!({"disabled": true})).await, count(json!({"disabled": "no"})).await);
    assert!(on >= 2 && on + off == all, "{on} + {off} of {all}");
    assert_eq!(count(json!({"match": "any", "action": "drop"})).await, 2);
    assert!(count(json!({"comment": ""})).await >= 3);
    let named = site.good("firewall.list_rules", json!({"device": "office", "fields": ["position", "disabled"], "limit": 500})).await;
    assert!(rows(&named).iter().all(|row| row.as_object().unwrap().len() == 2), "what is named is told, false too");
    let odd = site.bad("firewall.list_rules", json!({"device": "office", "fields": ["src-address"]})).await;
    assert!(odd["hint"].as_str().unwrap().contains("match"), "{odd}");
    let before = site.sim("office").faults().requests_total();
    site.bad("queue.list", json!({"device": "office", "where": {"rate": 1}})).await;
    assert_eq!(site.sim("office").faults().requests_total(), before, "a wrong name costs no request");
}

#[tokio::test]
async fn address_lists_are_counted_until_one_is_named() {
    let site = Site::of(&[Profile::WispTower], &[]).await;
    let lists = site.good("firewall.list_address_lists", json!({"device": "wisp-tower"})).await;
    let entries: u64 = rows(&lists).iter().map(|list| list["entries"].as_u64().unwrap()).sum();
    assert_eq!((rows(&lists).len(), entries), (5, 2_000));
    assert_eq!(row(&lists, "list", "blocklist-auto")["expiring_entries"], 400);
    assert!(!site.sim("wisp-tower").requests().last().unwrap().target.contains("comment"), "sizes need no comments");
    let auto = site.good("firewall.list_address_lists", json!({"device": "wisp-tower", "list": "blocklist-auto"})).await;
    assert_eq!(auto.structured["total"], 400);
    assert!(rows(&auto).iter().all(|row| row["list"] == "blocklist-auto" && row["expires_in_seconds"].as_u64().unwrap() > 0));
    let asked = site.sim("wisp-tower").requests().pop().unwrap();
    assert!(format!("{} {}", asked.target, asked.body).contains("blocklist-auto"), "chosen on the router");
    let same = site
        .good("firewall.list_address_lists", json!({"device": "wisp-tower", "where": {"list": "blocklist-auto", "dynamic": true}}))
        .await;
    assert_eq!(same.structured["total"], 400);
    let address = rows(&auto)[0]["address"].clone();
    let found = site.good("firewall.list_address_lists", json!({"device": "wisp-tower", "address": address})).await;
    assert!(found.structured["total"].as_u64().unwrap() >= 1 && rows(&found).iter().all(|row| row["address"] == address));
}

#[tokio::test]
async fn a_huge_connection_table_is_counted_narrowed_or_refused_and_never_read() {
    let site = Site::of(&[Profile::WispTower], &[]).await;
    let sim = site.sim("wisp-tower");
    let many = 200_000_u32;
    {
        let mut world = sim.world();
        for n in 0..many {
            let src = format!("100.64.{}.{}", n / 250 % 250, n % 250);
            let odd = n % 100_000 == 7;
            let protocol = if odd { "icmp" } else { "tcp" };
            world.add(
                "/ip/firewall/connection",
                &[
                    ("protocol", protocol),
                    ("src-address", &src),
                    ("src-port", "5555"),
                    ("dst-address", "203.0.113.9"),
                    ("dst-port", if odd { "0" } else { "443" }),
                    ("orig-bytes", "100"),
                    ("timeout", "1m"),
                ],
            );
        }
    }
    let aborted = sim.faults().aborted();
    let before = sim.requests().len();
    let error = site.bad("firewall.list_connections", json!({"device": "wisp-tower"})).await;
    assert_eq!(error["kind"], "bad_input");
    assert!(error["message"].as_str().unwrap().contains("200400") && error["hint"].as_str().unwrap().contains("protocol"), "{error}");
    assert_eq!(sim.requests().len() - before, 1, "counted, not read");
    let icmp = site.good("firewall.list_connections", json!({"device": "wisp-tower", "protocol": "icmp"})).await;
    assert_eq!(icmp.structured["total"], 2);
    let same = site.good("firewall.list_connections", json!({"device": "wisp-tower", "where": {"protocol": "icmp"}})).await;
    assert_eq!(same.structured["total"], 2, "a condition narrows as an argument does");
    let one = json!({"device": "wisp-tower", "src_address": "100.64.3.4", "dst_port": 443});
    let host = site.good("firewall.list_connections", one).await;
    assert_eq!(host.structured["total"].as_u64().unwrap(), u64::from(many) / 62_500 + 1, "{}", host.structured);
    assert!(rows(&host).iter().all(|row| row["src_address"] == "100.64.3.4"));
    let none = site.good("firewall.list_connections", json!({"device": "wisp-tower", "src_address": "192.0.2.250"})).await;
    assert_eq!(none.structured["total"], 0, "this version looks at addresses, so none is none");
    let asked = sim.requests().len() - before;
    assert!(asked <= 9, "{asked} requests for five calls");
    assert_eq!(sim.faults().aborted(), aborted, "nothing was given up under way");
}

#[tokio::test]
async fn a_router_that_writes_ports_into_addresses_is_not_misread() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let all = site.good("firewall.list_connections", json!({"device": "home-ap"})).await;
    let src = rows(&all)[0]["src_address"].as_str().unwrap().to_owned();
    assert!(src.parse::<std::net::IpAddr>().is_ok() && rows(&all)[0]["src_port"].as_u64().unwrap() >= 40_000);
    let own = site.good("firewall.list_connections", json!({"device": "home-ap", "src_address": src})).await;
    assert!(own.structured["total"].as_u64().unwrap() >= 1 && rows(&own).iter().all(|row| row["src_address"] == src.as_str()));
    let busiest = all.structured["top_sources"][0]["bytes"].as_u64().unwrap();
    assert!(busiest >= all.structured["top_sources"][1]["bytes"].as_u64().unwrap());
    let error = site.bad("firewall.list_connections", json!({"device": "home-ap", "src_address": "10.0.0.1:22"})).await;
    assert!(error["hint"].as_str().unwrap().contains("port"), "{error}");
}

#[tokio::test]
async fn tunnels_tell_whether_they_stand() {
    let site = Site::of(&[Profile::HomeAp, Profile::WispTower], &[]).await;
    {
        let mut world = site.sim("home-ap").world();
        world.add(
            "/interface/wireguard/peers",
            &[("interface", "wg-home"), ("name", "office"), ("public-key", "PK="), ("last-handshake", "2h"), ("rx", "5")],
        );
        world.add(
            "/ip/ipsec/active-peers",
            &[("remote-address", "203.0.113.77"), ("state", "established"), ("ph2-total", "0"), ("id", "peer.example")],
        );
        world.add(
            "/ip/ipsec/policy",
            &[("src-address", "10.0.0.0/24"), ("dst-address", "10.1.0.0/24"), ("ph2-state", "no-phase2"), ("peer", "p")],
        );
    }
    let home = site.good("vpn.get_status", json!({"device": "home-ap"})).await.structured;
    assert_eq!(home["wireguard"], json!({"stale": 1, "up": 1}));
    assert_eq!((&home["wireguard_peers"][0]["state"], &home["wireguard_peers"][0]["last_handshake_seconds"]), (&json!("up"), &json!(14)));
    assert_eq!((&home["ipsec"], &home["ipsec_peers"][0]["up"]), (&json!({"peers": 1, "up": 0}), &json!(false)));
    assert_eq!(home["not_asked"], json!(["clients", "policies"]));
    let all = site.good("vpn.get_status", json!({"device": "home-ap", "clients": true, "policies": true})).await.structured;
    assert_eq!(
        (&all["ipsec_policies"][0]["phase2_state"], &all["not_asked"], &all["clients"]),
        (&json!("no-phase2"), &json!([]), &json!([]))
    );
    let tower = site.good("vpn.get_status", json!({"device": "wisp-tower"})).await.structured;
    assert_eq!(tower["ppp"], json!({"sessions": 180, "services": [{"service": "pppoe", "sessions": 180}]}));
    assert_eq!(tower["ppp_sessions"].as_array().unwrap().len(), 12);
    assert!(tower["shortened"][0].as_str().unwrap().contains("/ppp/active"), "{}", tower["shortened"]);
}

#[tokio::test]
async fn queues_tell_limits_and_rates_by_direction() {
    let site = Site::of(&[Profile::Office], &[]).await;
    let queues = site.good("queue.list", json!({"device": "office"})).await;
    let guest = row(&queues, "name", "guest");
    assert_eq!((&guest["max_upload_bits_per_second"], &guest["max_download_bits_per_second"]), (&json!(10_000_000), &json!(50_000_000)));
    assert!(guest["download_bits_per_second"].is_u64());
    assert!(row(&queues, "name", "cameras-nvr").get("max_upload_bits_per_second").is_none(), "no limit is no number");
    let tree = row(&queues, "name", "up-voip");
    assert_eq!((&tree["kind"], &tree["parent"], &tree["max_bits_per_second"]), (&json!("tree"), &json!("up"), &json!(100_000_000)));
    let trees = site.good("queue.list", json!({"device": "office", "kind": "tree"})).await;
    assert_eq!(trees.structured["total"], 2);
}

#[tokio::test]
async fn long_lists_come_in_pages_a_model_can_read_and_lose_nothing() {
    let site = Site::of(&[Profile::Office], &[]).await;
    {
        let mut world = site.sim("office").world();
        for n in 0..300 {
            let comment = format!("customer {n} of the western region, second access line with backup");
            let (net, list) = (format!("10.77.{}.{}/32", n / 250, n % 250), format!("set-{n}"));
            world.add("/ip/route", &[("dst-address", &net), ("gateway", "10.20.99.2"), ("comment", &comment)]);
            world.add("/ip/firewall/address-list", &[("list", &list), ("address", "192.0.2.1"), ("comment", &comment)]);
            world.add(
                "/ip/firewall/raw",
                &[
                    ("chain", "prerouting"),
                    ("action", "drop"),
                    ("src-address", &net),
                    ("dst-port", "22,23,80,443,8080,8291"),
                    ("protocol", "tcp"),
                    ("comment", &comment),
                ],
            );
            world.add("/queue/simple", &[("name", &list), ("target", &net), ("max-limit", "10000000/50000000"), ("comment", &comment)]);
        }
        // One comment of 64 kB must not end its page.
        world.add("/ip/route", &[("dst-address", "10.78.0.0/16"), ("gateway", "10.20.99.2"), ("comment", &"x".repeat(65_536))]);
    }
    for (tool, more) in [
        ("routing.list_routes", json!({})),
        ("firewall.list_address_lists", json!({})),
        ("firewall.list_rules", json!({"table": "raw"})),
        ("queue.list", json!({})),
    ] {
        let (mut seen, mut cursor, mut pages) = (0, Value::Null, 0);
        let total = loop {
            let mut arguments = on("office", &more);
            if !cursor.is_null() {
                arguments["cursor"] = cursor;
            }
            let page = site.good(tool, arguments).await;
            let tokens = page.meta["estimated_tokens"].as_u64().unwrap();
            assert!(tokens <= 2_500, "{tool}: {tokens} tokens");
            seen += rows(&page).len() as u64;
            pages += 1;
            cursor = page.structured["next_cursor"].clone();
            if cursor.is_null() {
                break page.structured["total"].as_u64().unwrap();
            }
            assert!(rows(&page).len() >= 25, "{tool}: only {} rows on a page", rows(&page).len());
        };
        assert!(seen == total && total >= 300 && pages <= 13, "{tool}: {seen} of {total} rows on {pages} pages");
    }
}
