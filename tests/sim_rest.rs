//! The simulated router answers as RouterOS does: verbs, values, errors, policies, queues and faults.

mod client;
mod trouble;

pub(crate) use client::{admin, call, names, raw, request, until};

use crate::surroundings::shared;
use client::{Reply, sim};
use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::sim::menus::Definitions;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Credential, Options, Sim};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_row_lives_as_on_the_router() {
    let sim = sim(Profile::HomeAp).await;
    let made = admin(&sim, "PUT", "/ip/address", Some(json!({"address": "192.0.2.9/24", "interface": "bridge", "comment": "x"}))).await;
    assert_eq!(made.status, 201);
    let row = made.json();
    let id = row[".id"].as_str().unwrap().to_string();
    assert_eq!(made.header("location"), Some(format!("/rest/ip/address/{}", id.to_lowercase()).as_str()));
    assert_eq!((row["network"].as_str(), row["disabled"].as_str()), (Some("192.0.2.0"), Some("false")));
    let text = String::from_utf8(made.body.clone()).unwrap();
    let keys: Vec<&str> = text.split(['{', ',']).filter_map(|p| p.strip_prefix('"')?.split('"').next()).collect();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!((keys[0], keys.as_slice()), (".id", sorted.as_slice()), "alphabetical, .id first");

    let set = admin(&sim, "PATCH", &format!("/ip/address/{id}"), Some(json!({"disabled": true, "comment": ""}))).await;
    assert_eq!((set.status, set.json()["disabled"].as_str(), set.json().get("comment")), (200, Some("true"), None));
    let gone = admin(&sim, "DELETE", &format!("/ip/address/{id}"), None).await;
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    let again = admin(&sim, "POST", "/ip/address/add", Some(json!({"address": "192.0.2.9/24", "interface": "bridge"}))).await;
    assert_ne!(again.json()["ret"].as_str(), Some(id.as_str()), "ids are never used twice");
    assert_eq!(admin(&sim, "GET", &format!("/ip/address/{id}"), None).await.body, br#"{"error":404,"message":"Not Found"}"#);
}

#[tokio::test]
async fn singletons_are_objects_and_refuse_patch() {
    let sim = sim(Profile::HomeAp).await;
    assert_eq!(admin(&sim, "GET", "/system/identity", None).await.json(), json!({"name": "home-ap"}));
    assert_eq!(admin(&sim, "PATCH", "/system/identity", Some(json!({"name": "x"}))).await.status, 400);
    let set = admin(&sim, "POST", "/system/identity/set", Some(json!({"name": "x"}))).await;
    assert_eq!((set.status, set.json()), (200, json!([])));
    assert_eq!(admin(&sim, "GET", "/system/identity", None).await.json(), json!({"name": "x"}));
}

#[tokio::test]
async fn every_value_is_a_string_in_every_menu_of_every_profile() {
    let mut menus = 0;
    for profile in Profile::ALL {
        let sim = sim(profile).await;
        let paths: Vec<String> = Definitions::own().paths().map(String::from).collect();
        for path in paths {
            if sim.world().menu(&path).is_none() {
                continue;
            }
            let reply = admin(&sim, "GET", &path, None).await;
            assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            let body: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
            let rows = body.as_array().cloned().unwrap_or_else(|| vec![body]);
            for row in rows {
                assert!(row.as_object().unwrap().values().all(Value::is_string), "{path}: {row}");
            }
            menus += 1;
        }
    }
    println!("{menus} menus read");
    assert!(menus > 500);
}

#[tokio::test]
async fn errors_have_the_recorded_bodies() {
    let Some(shared) = shared("routeros") else { return };
    let recorded: Value = serde_json::from_slice(&std::fs::read(shared.join("samples/errors/rest_errors.json")).unwrap()).unwrap();
    let sim = sim(Profile::Office).await;
    let who = sim.credentials();
    for (user, policy) in [("no-api", "read,rest-api"), ("no-test", "read,api,rest-api"), ("no-rest", "read,api")] {
        sim.world().add("/user/group", &[("name", user), ("policy", policy)]);
        sim.world().add("/user", &[("name", user), ("group", user), ("password", "p")]);
    }
    let of = |user: &'static str| Credential { user, password: routeros_mcp::base::secret::Secret::new("p") };
    let (no_api, no_test, no_rest) = (of("no-api"), of("no-test"), of("no-rest"));
    for (path, row) in [
        ("/ip/firewall/address-list", json!({"list": "a", "address": "192.0.2.1"})),
        ("/ip/dns/static", json!({"name": "a.example", "address": "192.0.2.1"})),
        ("/ip/dhcp-server/network", json!({"address": "192.0.2.0/24"})),
        ("/ip/dhcp-server/lease", json!({"address": "10.20.10.9", "mac-address": "02:00:00:00:00:09"})),
    ] {
        let made = admin(&sim, "PUT", path, Some(row)).await;
        assert_eq!(made.status, 201, "{path} {}", made.detail());
    }
    let filter = admin(&sim, "GET", "/ip/firewall/filter", None).await.json()[0][".id"].as_str().unwrap().to_string();
    let a = &who.admin;
    let cases: Vec<(&str, &Credential, &str, String, Option<Value>)> = vec![
        ("GET /rest/ip/firewall/filter/*1 (absent)", a, "GET", "/ip/firewall/filter/*FFFF".into(), None),
        ("GET /rest/nonexistent/path", a, "GET", "/nonexistent/path".into(), None),
        ("GET /rest/ip/firewall/filter/print", a, "GET", "/ip/firewall/filter/print".into(), None),
        ("bad credentials", &no_rest, "GET", "/ip/address".into(), None),
        ("GET by key in an unnamed menu", a, "GET", "/ip/address/bridge".into(), None),
        ("GET by key in an unnamed menu; %2A", a, "GET", "/ip/address/%2A1".into(), None),
        ("PUT /rest/interface/vrrp {address}", a, "PUT", "/interface/vrrp".into(), Some(json!({"address": "192.0.2.1"}))),
        ("PATCH /rest/ip/service/ftp {comment}", a, "PATCH", "/ip/service/ftp".into(), Some(json!({"comment": "x"}))),
        (
            "PUT /rest/interface/vrrp {priority:255}",
            a,
            "PUT",
            "/interface/vrrp".into(),
            Some(json!({"name": "v", "interface": "bridge", "priority": "255"})),
        ),
        (
            "PUT duplicate address-list entry",
            a,
            "PUT",
            "/ip/firewall/address-list".into(),
            Some(json!({"list": "a", "address": "192.0.2.1"})),
        ),
        ("PUT duplicate static dns", a, "PUT", "/ip/dns/static".into(), Some(json!({"name": "a.example", "address": "192.0.2.1"}))),
        ("PUT dhcp network again", a, "PUT", "/ip/dhcp-server/network".into(), Some(json!({"address": "192.0.2.0/24"}))),
        ("PUT dhcp network with host bits", a, "PUT", "/ip/dhcp-server/network".into(), Some(json!({"address": "192.0.2.1/24"}))),
        (
            "PUT lease same MAC",
            a,
            "PUT",
            "/ip/dhcp-server/lease".into(),
            Some(json!({"address": "10.20.10.8", "mac-address": "02:00:00:00:00:09"})),
        ),
        (
            "PUT lease same IP",
            a,
            "PUT",
            "/ip/dhcp-server/lease".into(),
            Some(json!({"address": "10.20.10.9", "mac-address": "02:00:00:00:00:08"})),
        ),
        ("PUT dhcp-server same name", a, "PUT", "/ip/dhcp-server".into(), Some(json!({"name": "dhcp-staff", "interface": "vlan10-staff"}))),
        ("PUT user same name", a, "PUT", "/user".into(), Some(json!({"name": "mcp", "group": "read"}))),
        ("DELETE user group in use", a, "DELETE", "/user/group/mcp".into(), None),
        ("PUT dns name+regexp", a, "PUT", "/ip/dns/static".into(), Some(json!({"name": "b", "regexp": "c", "address": "192.0.2.1"}))),
        (
            "PUT dhcp-server unknown pool",
            a,
            "PUT",
            "/ip/dhcp-server".into(),
            Some(json!({"name": "n", "interface": "bridge", "address-pool": "none-such"})),
        ),
        (
            "PUT route gateway=unknown interface",
            a,
            "PUT",
            "/ip/route".into(),
            Some(json!({"dst-address": "192.0.2.0/24", "gateway": "none-such"})),
        ),
        (
            "POST move numbers==destination",
            a,
            "POST",
            "/ip/firewall/filter/move".into(),
            Some(json!({"numbers": filter, "destination": filter})),
        ),
        ("POST move {}", a, "POST", "/ip/firewall/filter/move".into(), Some(json!({}))),
        (
            "POST move unknown numbers",
            a,
            "POST",
            "/ip/firewall/filter/move".into(),
            Some(json!({"numbers": "*FFFF", "destination": filter})),
        ),
        ("POST /rest/interface/remove", a, "POST", "/interface/remove".into(), Some(json!({".id": "*1"}))),
        ("any request > 60 s", a, "POST", "/ping".into(), Some(json!({"address": "192.0.2.1"}))),
        ("rest-api policy but no api policy", &no_api, "GET", "/ip/address".into(), None),
        ("missing policy for the command", &no_test, "POST", "/ping".into(), Some(json!({"address": "192.0.2.1", "count": "1"}))),
        ("POST device-mode/update mode=invalid", a, "POST", "/system/device-mode/update".into(), Some(json!({"mode": "invalid"}))),
        ("POST device-mode/update not confirmed", a, "POST", "/system/device-mode/update".into(), Some(json!({"mode": "advanced"}))),
        ("POST license/renew {}", a, "POST", "/system/license/renew".into(), Some(json!({}))),
    ];
    let mut wrong = Vec::new();
    let mut compared = std::collections::BTreeSet::new();
    for (case, who, method, path, body) in cases {
        let name = case.split(';').next().unwrap();
        let want = recorded
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["case"].as_str().unwrap().starts_with(name))
            .unwrap_or_else(|| panic!("{case} was not recorded"));
        let got = call(&sim, who, method, &path, body).await;
        if (i64::from(got.status), got.json()) != (want["status"].as_i64().unwrap(), want["body"].clone()) {
            wrong.push(format!("{case}: {} {}", got.status, String::from_utf8_lossy(&got.body)));
        }
        compared.insert(want["case"].to_string());
    }
    println!("{} of {} recorded errors compared", compared.len(), recorded.as_array().unwrap().len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(compared.len(), recorded.as_array().unwrap().len(), "a recorded error has no case here");
}

#[tokio::test]
async fn selecting_works_as_in_the_api() {
    let sim = sim(Profile::HomeAp).await;
    let rows = admin(&sim, "GET", "/interface?type=ether&.proplist=name", None).await.json();
    assert_eq!(rows[0].as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), [".id", "name"], "a GET always has .id");
    assert_eq!(rows.as_array().unwrap().len(), 5);
    let print = |body: Value| {
        let sim = &sim;
        async move { admin(sim, "POST", "/interface/print", Some(body)).await.json() }
    };
    let rows = print(json!({".proplist": ["name"], ".query": ["type=bridge", "type=wifi", "#|"]})).await;
    let mut got = names(&rows);
    got.sort_unstable();
    assert_eq!((got, rows[0].get(".id")), (vec!["bridge", "wifi1", "wifi2"], None));
    assert_eq!(print(json!({"count-only": "", ".query": ["type=ether", "running=yes"]})).await, json!({"ret": "3"}));
    assert_eq!(admin(&sim, "GET", "/interface?.query=type%3Dether", None).await.json(), json!([]), "no query in a URL");
    assert_eq!(admin(&sim, "GET", "/ip/address?disabled=no", None).await.json().as_array().unwrap().len(), 3);
    // A disabled route has no `dynamic` at all.
    let dynamic = admin(&sim, "GET", "/ip/route?dynamic=false", None).await.json();
    assert!(dynamic.as_array().unwrap().iter().all(|r| r["comment"] != "old lab"));
    assert_eq!(admin(&sim, "GET", "/interface/ether1", None).await.json()["name"], "ether1");
}

#[tokio::test]
async fn keys_are_there_only_when_the_router_has_them() {
    let sim = sim(Profile::HomeAp).await;
    let routes = admin(&sim, "GET", "/ip/route", None).await.json();
    let old = routes.as_array().unwrap().iter().find(|r| r["comment"] == "old lab").unwrap();
    let mut keys: Vec<&str> = old.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, [".id", "comment", "disabled", "dst-address", "gateway", "inactive", "static"]);
    let rules = admin(&sim, "GET", "/ip/firewall/filter", None).await.json();
    assert!(
        rules
            .as_array()
            .unwrap()
            .iter()
            .all(|r| ["chain", "action", "bytes", "packets", "dynamic", "invalid"].iter().all(|k| r.get(k).is_some()))
    );
    assert!(rules[0].get("disabled").is_none() && rules[4].get("disabled").is_some(), "as it was written");
    let listed =
        admin(&sim, "PUT", "/ip/firewall/address-list", Some(json!({"list": "l", "address": "192.0.2.4", "timeout": "1d"}))).await.json();
    assert_eq!((listed["dynamic"].as_str(), listed["timeout"].as_str()), (Some("true"), Some("1d")));
    assert!(admin(&sim, "GET", "/user", None).await.json().as_array().unwrap().iter().all(|u| u.get("password").is_none()));
    let services = admin(&sim, "GET", "/ip/service", None).await.json();
    assert!(services.as_array().unwrap().iter().any(|s| s["connection"] == "true" && s["name"] == "www"), "our own connection is there");
}

#[tokio::test]
async fn order_changes_by_move_and_place_before() {
    let sim = sim(Profile::HomeAp).await;
    let order = || async {
        admin(&sim, "GET", "/ip/firewall/filter", None)
            .await
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r[".id"].as_str().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let before = order().await;
    let row = json!({"chain": "input", "action": "accept", "place-before": before[1]});
    let id = admin(&sim, "PUT", "/ip/firewall/filter", Some(row)).await.json()[".id"].as_str().unwrap().to_string();
    assert_eq!(order().await[1], id);
    let patched = admin(&sim, "PATCH", &format!("/ip/firewall/filter/{id}"), Some(json!({"place-before": before[0]}))).await;
    assert_eq!(patched.detail(), "unknown parameter place-before");
    let moved = admin(&sim, "POST", "/ip/firewall/filter/move", Some(json!({"numbers": id, "destination": "*FFFF"}))).await;
    assert_eq!((moved.status, moved.json()), (200, json!([])));
    assert_eq!(order().await.last(), Some(&id), "an unknown destination is the end");
}

#[tokio::test]
async fn references_are_hard_on_create_and_soft_on_delete() {
    let sim = sim(Profile::Office).await;
    let bad = admin(&sim, "PUT", "/ip/address", Some(json!({"address": "192.0.2.1/24", "interface": "none-such"}))).await;
    assert_eq!(bad.detail(), "input does not match any value of interface");
    let pool = admin(&sim, "GET", "/ip/pool/pool-guest", None).await.json()[".id"].as_str().unwrap().to_string();
    admin(&sim, "PATCH", &format!("/ip/pool/{pool}"), Some(json!({"name": "renamed"}))).await;
    assert_eq!(admin(&sim, "GET", "/ip/dhcp-server/dhcp-guest", None).await.json()["address-pool"], "renamed");
    assert_eq!(admin(&sim, "DELETE", &format!("/ip/pool/{pool}"), None).await.status, 204);
    assert_eq!(admin(&sim, "GET", "/ip/dhcp-server/dhcp-guest", None).await.json()["address-pool"], pool, "reads as the dead id");
}

#[tokio::test]
async fn policies_decide_what_a_user_may() {
    let sim = sim(Profile::HomeAp).await;
    let who = sim.credentials();
    let id = admin(&sim, "GET", "/ip/address", None).await.json()[0][".id"].as_str().unwrap().to_string();
    let row = json!({"comment": "x"});
    let patch = call(&sim, &who.monitor, "PATCH", &format!("/ip/address/{id}"), Some(row.clone())).await;
    assert_eq!((patch.status, patch.detail().as_str()), (400, "missing or invalid resource identifier"));
    let put = call(&sim, &who.monitor, "PUT", "/ip/address", Some(json!({"address": "192.0.2.1/24", "interface": "bridge"}))).await;
    assert_eq!((put.status, put.detail().as_str()), (500, "not enough permissions (9)"));
    assert_eq!(call(&sim, &who.monitor, "DELETE", &format!("/ip/address/{id}"), None).await.status, 500);
    assert_eq!(call(&sim, &who.mcp, "PATCH", &format!("/ip/address/{id}"), Some(row)).await.status, 200);
    assert_eq!(call(&sim, &who.mcp, "PUT", "/user", Some(json!({"name": "x", "group": "full"}))).await.status, 500, "no policy `policy`");
    let secret = |rows: &Reply| String::from_utf8_lossy(&rows.body).contains("CANARY");
    for path in
        ["/interface/wireguard", "/interface/wifi/security", "/ppp/secret", "/radius", "/snmp/community", "/interface/wireguard/peers"]
    {
        assert!(secret(&admin(&sim, "GET", path, None).await), "{path} has a planted secret");
        assert!(!secret(&call(&sim, &who.monitor, "GET", path, None).await), "{path} hides it without `sensitive`");
    }
    assert!(sim.world().set("/user", "monitor", "address", "203.0.113.0/24"));
    assert_eq!(call(&sim, &who.monitor, "GET", "/ip/address", None).await.status, 401, "from elsewhere");
}

#[tokio::test]
async fn logins_are_remembered_but_not_the_password() {
    let (clock, hand) = Clock::by_hand(Wall(1_795_000_000_000));
    let sim = Sim::start(Options { clock, ..Options::new(Profile::HomeAp, "") }).await.unwrap();
    let who = sim.credentials();
    assert_eq!(call(&sim, &who.monitor, "GET", "/ip/address", None).await.status, 200);
    sim.world().set("/user/group", "monitor", "policy", "read");
    assert_eq!(call(&sim, &who.monitor, "GET", "/ip/address", None).await.status, 200, "the group's policy is cached");
    let active = admin(&sim, "GET", "/user/active?name=monitor", None).await.json();
    assert_eq!(active.as_array().unwrap().iter().map(|r| r["via"].as_str().unwrap()).collect::<Vec<_>>(), ["rest-api", "api"]);
    hand.advance(Duration::from_secs(601));
    assert_eq!(call(&sim, &who.monitor, "GET", "/ip/address", None).await.status, 401);
    sim.world().set("/user", "mcp", "password", "other");
    assert_eq!(call(&sim, &who.mcp, "GET", "/ip/address", None).await.status, 401);
    let log = admin(&sim, "GET", "/log", None).await.json();
    assert!(log.as_array().unwrap().iter().any(|l| l["message"].as_str().unwrap().starts_with("login failure for user mcp from")));
}

#[tokio::test]
async fn verbs_and_bodies_the_router_does_not_know() {
    let sim = sim(Profile::HomeAp).await;
    let who = sim.credentials().admin;
    assert_eq!(admin(&sim, "OPTIONS", "/ip/address", None).await.status, 503);
    assert_eq!(raw(&sim, &request("HEAD", "/ip/address", Some(&who), None)).await.unwrap().status, 501);
    assert_eq!(
        raw(&sim, &request("GET", "/ip/address", None, None)).await.unwrap().header("www-authenticate"),
        Some("basic realm=\"routeros\"")
    );
    let bare = request("PUT", "/ip/address", Some(&who), Some("{}")).replace("Content-Type: application/json\r\n", "");
    assert_eq!(raw(&sim, &bare).await.unwrap().status, 415);
    for body in ["{", "[1]", "{\"a\":010}", "{\"a\":1e3}", "{\"a\":{}}"] {
        let reply = raw(&sim, &request("PUT", "/ip/address", Some(&who), Some(body))).await.unwrap();
        assert_eq!((reply.status, reply.detail().as_str()), (400, "Failed to parse json"), "{body}");
    }
    assert_eq!(admin(&sim, "POST", "/ip/address", Some(json!({}))).await.detail(), "no such command");
    for (path, word) in [("/interface/wireless", "wireless"), ("/caps-man/manager", "caps-man"), ("/ip/service/webserver", "webserver")] {
        assert_eq!(admin(&sim, "GET", path, None).await.detail(), format!("no such command or directory ({word})"));
    }
}

#[tokio::test]
async fn the_second_request_of_a_read_is_lost() {
    let sim = sim(Profile::HomeAp).await;
    let who = sim.credentials().admin;
    let kept = request("GET", "/system/identity", Some(&who), None).replace("Connection: close\r\n", "");
    let mut stream = TcpStream::connect(("127.0.0.1", sim.http_port())).await.unwrap();
    stream.write_all(format!("{kept}{kept}").as_bytes()).await.unwrap();
    assert!(client::in_time(stream.read(&mut [0; 4096])).await.unwrap() > 0);
    // Requests of a connection are answered in their order: once a later one is, the second one would have been.
    stream.write_all(request("GET", "/system/note", Some(&who), None).as_bytes()).await.unwrap();
    client::in_time(stream.read_to_end(&mut Vec::new())).await.unwrap();
    let asked: Vec<String> = sim.requests().iter().map(|s| s.path().to_string()).collect();
    assert_eq!(asked, ["/system/identity", "/system/note"]);
}
