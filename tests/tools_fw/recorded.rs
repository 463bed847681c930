//! Recorded rows of real routers, where the shared reference is at hand.

use super::*;
use std::path::Path;

#[tokio::test]
async fn recorded_rows_of_real_routers_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/routeros/samples");
    let read = |file: &str| std::fs::read_to_string(root.join(file)).ok().map(|text| serde_json::from_str::<Value>(&text).unwrap());
    if !root.is_dir() {
        eprintln!("skipped: no samples at {}", root.display());
        return;
    }
    let site = Site::of(&[Profile::Chr, Profile::HomeAp, Profile::WispTower], &[]).await;
    let plant = |device: &str, menu: &str, rows: Value| {
        let mut world = site.sim(device).world();
        world.table(menu).rows.clear();
        let rows = if rows.is_array() { rows } else { json!([rows]) };
        for row in rows.as_array().unwrap() {
            let pairs: Vec<(&str, &str)> = row
                .as_object()
                .unwrap()
                .iter()
                .filter(|(name, _)| *name != ".id")
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                .collect();
            world.add(menu, &pairs);
        }
        rows.as_array().unwrap().len() as u64
    };
    let routes = read("rest-7.20.8-chr/test_connectivity_ros_R18M.json").unwrap()["parsed"].clone();
    plant("chr", "/ip/route", routes.clone());
    let listed = site.good("routing.list_routes", json!({"device": "chr", "where": {"protocol": "bgp"}, "limit": 500})).await;
    let of_bgp = routes.as_array().unwrap().iter().filter(|row| row["bgp"] == "true").count();
    assert_eq!(listed.structured["total"], of_bgp);
    for (device, menu, file, tool, more, check) in [
        (
            "chr",
            "/routing/bgp/connection",
            "rest-7.20.8-chr/test_bgp_ros_R18M.json",
            "routing.get_bgp",
            json!({}),
            ("name", json!("TO-R14C")),
        ),
        (
            "wisp-tower",
            "/routing/bgp/connection",
            "rest-tf/routing_bgp_connection.json",
            "routing.get_bgp",
            json!({}),
            ("afi", json!(["ip"])),
        ),
        ("home-ap", "/interface/wifi", "rest-tf/interface_wifi.json", "wireless.get_interfaces", json!({}), ("ssid", json!("wlan"))),
        (
            "wisp-tower",
            "/interface/wireless",
            "rest-tf/interface_wireless.json",
            "wireless.get_interfaces",
            json!({}),
            ("band", json!("2ghz-b/g/n")),
        ),
        (
            "wisp-tower",
            "/caps-man/interface",
            "rest-tf/caps-man_interface.json",
            "wireless.get_interfaces",
            json!({"where": {"stack": "capsman"}}),
            ("frequency_mhz", json!(2462)),
        ),
        (
            "home-ap",
            "/ip/firewall/nat",
            "rest-tf/ip_firewall_nat.json",
            "firewall.list_rules",
            json!({"table": "nat"}),
            ("match", json!("src-address-list=LAN out-interface=all-wireless")),
        ),
        (
            "home-ap",
            "/ip/firewall/raw",
            "rest-tf/ip_firewall_raw.json",
            "firewall.list_rules",
            json!({"table": "raw"}),
            ("match", json!("any")),
        ),
        (
            "home-ap",
            "/ipv6/firewall/nat",
            "rest-tf/ipv6_firewall_nat.json",
            "firewall.list_rules",
            json!({"table": "nat", "family": "ipv6"}),
            ("action", json!("masquerade")),
        ),
        (
            "home-ap",
            "/ipv6/firewall/address-list",
            "rest-tf/ipv6_firewall_address-list.json",
            "firewall.list_address_lists",
            json!({"list": "AAA", "family": "ipv6"}),
            ("expires_in_seconds", json!(0)),
        ),
        (
            "home-ap",
            "/queue/simple",
            "rest-tf/queue_simple.json",
            "queue.list",
            json!({"kind": "simple"}),
            ("target", json!("198.18.4.0/24")),
        ),
        ("home-ap", "/queue/tree", "rest-tf/queue_tree.json", "queue.list", json!({"kind": "tree"}), ("parent", json!("global"))),
    ] {
        let mut recorded = read(file).unwrap();
        if recorded.get("parsed").is_some() {
            recorded = recorded["parsed"].clone();
        }
        let planted = plant(device, menu, recorded);
        site.forget(device);
        let reply = site.good(tool, on(device, &more)).await;
        assert!(reply.structured["total"].as_u64().unwrap() >= planted, "{file}: {}", reply.structured);
        assert_eq!(rows(&reply)[0][check.0], check.1, "{file}: {}", reply.structured);
        assert!(!reply.to_mcp().to_string().contains("poipoi"), "{file}: a secret");
    }
    let peers = plant("home-ap", "/interface/wireguard/peers", read("rest-misc/interface_wireguard_peers.json").unwrap());
    site.forget("home-ap");
    let vpn = site.good("vpn.get_status", json!({"device": "home-ap"})).await.structured;
    assert_eq!((vpn["wireguard"]["up"].as_u64(), &vpn["wireguard_peers"][0]["endpoint"]), (Some(peers), &json!("172.19.120.142:51209")));
}
