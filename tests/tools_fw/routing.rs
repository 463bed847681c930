//! Routes, and the protocols that bring them.

use super::*;

#[tokio::test]
async fn routes_tell_protocol_state_and_table() {
    let site = Site::of(&[Profile::HomeAp, Profile::Office, Profile::Chr], &[]).await;
    let home = site.good("routing.list_routes", json!({"device": "home-ap"})).await;
    let default = row(&home, "dst", "0.0.0.0/0");
    assert_eq!((&default["protocol"], &default["active"]), (&json!("dhcp"), &json!(true)));
    let off = row(&home, "comment", "old lab");
    assert_eq!((&off["disabled"], &off["active"], &off["protocol"]), (&json!(true), &Value::Null, &json!("static")));
    assert!(off.get("distance").is_none(), "a disabled route does not tell its distance");
    let main = site.good("routing.list_routes", json!({"device": "home-ap", "table": "main"})).await;
    assert_eq!(main.structured["total"], home.structured["total"], "disabled routes are of the main table too");
    let office = site.good("routing.list_routes", json!({"device": "office", "protocol": "static", "dst": "10.0.0.0/8"})).await;
    assert_eq!((&rows(&office)[0]["blackhole"], office.structured["total"].as_u64()), (&json!(true), Some(1)));
    let bgp = site.good("routing.list_routes", json!({"device": "chr", "protocol": "bgp"})).await;
    assert_eq!(bgp.structured["total"], 2);
    let summary = site.good("routing.get_summary", json!({"device": "chr"})).await.structured;
    assert_eq!((&summary["ipv4_default_active"], &summary["ipv6_default_active"]), (&json!(true), &json!(false)));
    assert_eq!(
        (&summary["bgp"], summary["defaults"].as_array().unwrap().len()),
        (&json!({"sessions": 2, "established": 1, "prefixes": 41}), 2)
    );
    assert_eq!((&summary["ospf"], &summary["down"][0]["name"]), (&json!({"neighbors": 1, "full": 1}), &json!("TO-R17C-1")));
    assert!(summary["routes"].as_array().unwrap().iter().any(|counted| counted["family"] == "ipv6"), "{summary}");
}

#[tokio::test]
async fn a_full_bgp_table_stays_on_the_router_and_the_rest_is_told() {
    let site = Site::of(&[Profile::Chr], &[]).await;
    let sim = site.sim("chr");
    {
        let mut world = sim.world();
        for n in 0..12_000_u32 {
            let dst = format!("{}.{}.{}.0/24", 20 + n / 62_500, n / 250 % 250, n % 250);
            world.add(
                "/ip/route",
                &[("dst-address", &dst), ("gateway", "198.51.100.1"), ("dynamic", "true"), ("bgp", "true"), ("active", "true")],
            );
        }
    }
    let reply = site.good("routing.list_routes", json!({"device": "chr"})).await;
    assert_eq!(reply.structured["bgp_left_out"], 12_000, "{}", reply.structured);
    assert!(rows(&reply).iter().any(|row| row["dst"] == "0.0.0.0/0" && row["protocol"] == "bgp"), "default routes stay");
    assert!(rows(&reply).iter().any(|row| row["protocol"] == "static") && reply.structured["advice"].is_string());
    let error = site.bad("routing.list_routes", json!({"device": "chr", "protocol": "bgp"})).await;
    assert!(error["message"].as_str().unwrap().contains("12002"), "{error}");
    let one = site.good("routing.list_routes", json!({"device": "chr", "dst": "20.3.4.0/24"})).await;
    assert_eq!((one.structured["total"].as_u64(), &rows(&one)[0]["active"]), (Some(1), &json!(true)));
    let before = sim.requests().len();
    site.good("routing.get_summary", json!({"device": "chr"})).await;
    assert!(sim.requests().len() - before <= 3);
}

#[tokio::test]
async fn bgp_and_ospf_peers_are_joined_with_what_came_of_them() {
    let site = Site::of(&[Profile::Chr], &[]).await;
    site.sim("chr").world().add(
        "/routing/bgp/connection",
        &[
            ("name", "never"),
            ("remote.address", "198.51.100.99"),
            ("remote.as", "64503"),
            ("local.role", "ebgp"),
            ("instance", "default"),
            ("afi", "ip,ipv6"),
            ("comment", "new peer"),
        ],
    );
    let bgp = site.good("routing.get_bgp", json!({"device": "chr"})).await;
    let up = row(&bgp, "name", "TO-R14C");
    assert_eq!(
        (&up["state"], &up["prefixes"], &up["remote_as"], &up["local_as"]),
        (&json!("established"), &json!(41), &json!(64501), &json!(64500))
    );
    assert_eq!((up["uptime_seconds"].as_u64(), &up["role"]), (Some(273_900), &json!("ebgp")));
    let new = row(&bgp, "name", "never");
    assert_eq!((&new["state"], &new["afi"], &new["local_as"]), (&json!("no session"), &json!(["ip", "ipv6"]), &json!(64500)));
    assert_eq!((&bgp.structured["established"], &bgp.structured["down"]), (&json!(1), &json!(2)));
    assert_eq!(bgp.structured["instances"][0]["router_id"], "192.0.2.1");
    let ospf = site.good("routing.get_ospf", json!({"device": "chr"})).await;
    assert_eq!((&ospf.structured["full"], &ospf.structured["instances"][0]["router_id"]), (&json!(1), &json!("192.0.2.1")));
    assert_eq!(rows(&ospf)[0]["adjacency_seconds"], 273_900);
}
