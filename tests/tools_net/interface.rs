//! Interfaces: where each belongs, how it is linked, what passes through it.

use super::*;
use routeros_mcp::sim::faults::{Fault, Rule};
use std::collections::BTreeSet;

#[tokio::test]
async fn an_interface_says_where_it_belongs() {
    let site = Site::of(&[Profile::HomeAp, Profile::WispTower], &[]).await;
    let list = site.good("interface.list", on("home-ap", json!({}))).await;
    let bridge = row(&list, "name", "bridge");
    assert_eq!((&bridge["addresses"], &bridge["running"]), (&json!(["192.168.88.1/24"]), &json!(true)));
    assert_eq!((&row(&list, "name", "ether2")["bridge"], &row(&list, "name", "ether3")["running"]), (&json!("bridge"), &json!(false)));
    assert!(row(&list, "name", "ether1")["rx_bytes"].as_u64().unwrap() > 0);
    let tower = site.good("interface.list", on("wisp-tower", json!({}))).await;
    assert_eq!(notes(row(&tower, "name", "ether5")), ["no_ipv4_address", "in_no_bridge"]);

    let idle =
        site.good("interface.list", on("wisp-tower", json!({"where": {"notes": "in_no_bridge"}, "fields": ["name", "mac_address"]}))).await;
    assert!(idle.structured["total"].as_u64().unwrap() >= 3 && rows(&idle)[0].get("type").is_none(), "{}", idle.text);
    assert!(rows(&idle).iter().all(|row| row["mac_address"].is_string()));
    let up = site.good("interface.list", on("home-ap", json!({"where": {"running": true, "type": "ether"}}))).await;
    assert!(rows(&up).iter().all(|row| row["running"] == true && row["type"] == "ether") && rows(&up).len() == 3, "{}", up.text);
    let off = site.good("interface.list", on("home-ap", json!({"where": {"disabled": false}}))).await;
    assert_eq!(off.structured["total"], list.structured["total"], "what is left out while false can still be asked about");
}

#[tokio::test]
async fn one_interface_is_told_with_link_and_bridge() {
    let site = Site::of(&[Profile::HomeAp, Profile::Chr], &[]).await;
    let uplink = site.good("interface.get", on("home-ap", json!({"name": "ether1"}))).await.structured;
    assert_eq!((&uplink["addresses"], &uplink["bridge"]), (&json!(["198.51.100.7/24"]), &Value::Null));
    assert_eq!((&uplink["link"]["status"], &uplink["link"]["rate_bits_per_second"]), (&json!("link-ok"), &json!(1_000_000_000)));
    assert!(uplink["last_link_change"].is_string() && uplink["counters"]["rx_bytes"].as_u64().unwrap() > 0, "{uplink}");
    let port = site.good("interface.get", on("home-ap", json!({"name": "ether2"}))).await.structured;
    assert_eq!(
        (&port["bridge"], &port["bridge_port"]["pvid"], &port["bridge_port"]["forwarding"]),
        (&json!("bridge"), &json!(1), &json!(true))
    );
    assert_eq!(port["not_read"], json!(["ipv6_addresses", "link"]));
    let down = site.good("interface.get", on("home-ap", json!({"name": "ether3", "full": true}))).await.structured;
    assert_eq!((&down["link"]["status"], &down["notes"], &down["bridge"]), (&json!("no-link"), &json!(["link_down"]), &json!("bridge")));
    assert!(down.get("not_read").is_none());
    let lo = site.good("interface.get", on("chr", json!({"name": "lo"}))).await.structured;
    assert_eq!(lo["addresses"], json!(["192.0.2.1/32", "fe80::1/64", "2001:db8:10::1/64"]), "both families");
}

#[tokio::test]
async fn an_unknown_interface_is_not_found_and_near_ones_are_named() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    for (tool, arguments) in [
        ("interface.get", json!({"name": "eth1"})),
        ("interface.get", json!({"name": "ether"})),
        ("interface.get_traffic", json!({"interfaces": ["ether2", "eter1"]})),
    ] {
        let error = site.bad(tool, on("home-ap", arguments)).await;
        assert_eq!(error["kind"], "not_found", "{tool}: {error}");
        assert!(error["hint"].as_str().unwrap().contains("ether1"), "{tool}: {error}");
    }
    let error = site.bad("interface.get", on("home-ap", json!({"name": "zzzz99\n; reboot"}))).await;
    assert_eq!((&error["kind"], &error["hint"]), (&json!("not_found"), &json!("interface.list shows all")));
    let error = site.bad("interface.list", on("home-ap", json!({"where": {"nmae": "x"}}))).await;
    assert!(error["kind"] == "bad_input" && error["hint"].as_str().unwrap().contains("mac_address"), "{error}");
    let requests = site.sim("home-ap").requests().iter().filter(|seen| seen.path() == "/interface/bridge/port").count();
    assert_eq!(requests, 0, "a wrong name costs no more than the interfaces");
}

#[tokio::test]
async fn an_interface_renamed_between_two_pages_is_neither_lost_nor_told_twice() {
    let site = Site::of(&[Profile::WispTower], &[]).await;
    {
        let mut world = site.sim("wisp-tower").world();
        for n in 0..1_000 {
            let (name, id) = (format!("cust{n}"), format!("{}", n % 4_094 + 1));
            world.add("/interface/vlan", &[("name", &name), ("vlan-id", &id), ("interface", "sfp-sfpplus1"), ("running", "true")]);
        }
    }
    let (mut told, mut cursor, mut renamed) = (Vec::new(), Value::Null, 0);
    loop {
        let mut arguments = json!({"limit": 100, "cursor": cursor, "fields": ["name", "type"]});
        arguments.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let page = site.good("interface.list", on("wisp-tower", arguments)).await;
        let names: Vec<String> = rows(&page).iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
        let last = names.last().unwrap().clone();
        told.extend(names);
        cursor = page.structured["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        if last.starts_with("cust") {
            assert!(site.sim("wisp-tower").world().set("/interface/vlan", &last, "name", &format!("renamed-{last}")));
            renamed += 1;
        }
        site.forget("wisp-tower");
    }
    let total = told.len();
    let plain: BTreeSet<String> = told.iter().map(|name| name.trim_start_matches("renamed-").to_owned()).collect();
    assert!(renamed >= 8 && plain.len() == total, "{renamed} renamed, {total} told, {} different", plain.len());
    assert_eq!(plain.iter().filter(|name| name.starts_with("cust")).count(), 1_000);
}

#[tokio::test]
async fn traffic_is_measured_by_the_router_in_bits_per_second() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let reply =
        site.good("interface.get_traffic", on("home-ap", json!({"interfaces": ["ether3", "ether1", "ether1"], "seconds": 2}))).await;
    let told = reply.structured["interfaces"].as_array().unwrap();
    assert_eq!(told.len(), 2, "each once");
    assert!(told[0]["rx_bits_per_second"].as_u64().unwrap() + told[0]["tx_bits_per_second"].as_u64().unwrap() > 0);
    assert_eq!((&told[0]["samples"], &reply.structured["seconds"]), (&json!(2), &json!(2)));
    let all = site.good("interface.get_traffic", on("home-ap", json!({"seconds": 1}))).await;
    let names: Vec<&str> = all.structured["interfaces"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"ether1") && !names.contains(&"ether3") && !names.contains(&"lo"), "{names:?}");
    let error = site.bad("interface.get_traffic", on("home-ap", json!({"seconds": 60}))).await;
    assert_eq!(error["kind"], "bad_input");
}

#[tokio::test]
async fn a_router_that_does_not_measure_links_is_told_about_all_the_same() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    site.sim("home-ap").faults().inject(Rule::always(Fault::DoneButRefused).on("/interface/ethernet"));
    let uplink = site.good("interface.get", on("home-ap", json!({"name": "ether1"}))).await.structured;
    assert!(uplink.get("link").is_none() && uplink["addresses"] == json!(["198.51.100.7/24"]), "{uplink}");
}
