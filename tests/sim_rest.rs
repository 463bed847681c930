//! The simulated router answers as RouterOS does: verbs, values, errors, policies, queues and faults.
//!
//! The client here is a few lines over a socket: a test that used ours would only show that the two agree.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail as loudly as the test")]

use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::sim::faults::{Fault, Line, Rule};
use routeros_mcp::sim::menus::Definitions;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Credential, Options, Sim, TlsOption};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back: status, head in lower case, body.
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap_or_default().to_string()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|l| l.strip_prefix(&format!("{name}: ")))
    }
}

pub(crate) fn shared() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let found = std::env::var_os("ROUTEROS_SHARED").map(PathBuf::from).into_iter().chain([beside]).find(|p| p.join("routeros").is_dir());
    if found.is_none() {
        eprintln!("skipped: no ../shared beside the checkout (ROUTEROS_SHARED names another place)");
    }
    found
}

async fn sim(profile: Profile) -> Sim {
    Sim::start(Options::new(profile, "")).await.unwrap()
}

pub(crate) fn request(method: &str, path: &str, who: Option<&Credential>, body: Option<&str>) -> String {
    let login = who.map_or(String::new(), |c| {
        let code = data_encoding::BASE64.encode(format!("{}:{}", c.user, c.password.expose()).as_bytes());
        format!("Authorization: Basic {code}\r\n")
    });
    let body = body.map_or("\r\n".to_string(), |b| format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{b}", b.len()));
    format!("{method} /rest{path} HTTP/1.1\r\nHost: router\r\n{login}Connection: close\r\n{body}")
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, text: &str) -> Option<Reply> {
    stream.write_all(text.as_bytes()).await.ok()?;
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes).await);
    let split = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut body = bytes[split + 4..].to_vec();
    if head.contains("transfer-encoding: chunked") {
        body = unchunk(&body);
    }
    Some(Reply { status, head, body })
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(line) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap().trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 4 + size..];
    }
    body
}

pub(crate) async fn raw(sim: &Sim, text: &str) -> Option<Reply> {
    let stream = TcpStream::connect(("127.0.0.1", sim.http_port())).await.ok()?;
    tokio::time::timeout(Duration::from_secs(20), exchange(stream, text)).await.expect("an answer within 20 s")
}

pub(crate) async fn call(sim: &Sim, who: &Credential, method: &str, path: &str, body: Option<Value>) -> Reply {
    let body = body.map(|b| b.to_string());
    raw(sim, &request(method, path, Some(who), body.as_deref())).await.expect("an answer")
}

pub(crate) async fn admin(sim: &Sim, method: &str, path: &str, body: Option<Value>) -> Reply {
    call(sim, &sim.credentials().admin, method, path, body).await
}

pub(crate) fn names(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().filter_map(|r| r["name"].as_str()).collect()
}

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
    let Some(shared) = shared() else { return };
    let recorded: Value = serde_json::from_slice(&std::fs::read(shared.join("routeros/samples/errors/rest_errors.json")).unwrap()).unwrap();
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
    assert_eq!((got, rows[0].get(".id")), (vec!["bridge", "lo", "wifi1", "wifi2"].into_iter().filter(|n| *n != "lo").collect(), None));
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
    let two = request("GET", "/system/identity", Some(&who), None).replace("Connection: close\r\n", "");
    let stream = TcpStream::connect(("127.0.0.1", sim.http_port())).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    write.write_all(format!("{two}{two}").as_bytes()).await.unwrap();
    let mut bytes = vec![0; 4096];
    let got = read.read(&mut bytes).await.unwrap();
    assert!(got > 0);
    assert_eq!(sim.requests().iter().filter(|s| s.path() == "/system/identity").count(), 1, "the second request of a read is lost");
}

#[tokio::test]
async fn one_request_of_a_user_at_a_time_and_users_in_parallel() {
    let sim = Arc::new(sim(Profile::HomeAp).await);
    sim.faults().inject(Rule::always(Fault::Latency(Duration::from_millis(150))));
    let who = sim.credentials();
    let ask = |who: Credential| {
        let sim = sim.clone();
        async move { call(&sim, &who, "GET", "/system/identity", None).await.status }
    };
    let started = std::time::Instant::now();
    let all = futures_util::future::join_all((0..4).map(|_| ask(who.mcp.clone()))).await;
    assert_eq!(all, [200; 4]);
    assert!(started.elapsed() >= Duration::from_millis(600), "four of one user take four times as long");
    assert!(sim.faults().working().most() == 1 && sim.faults().in_flight().most() > 1, "one works, the others queue");
    futures_util::future::join_all([ask(who.mcp.clone()), ask(who.admin), ask(who.monitor)]).await;
    assert!(sim.faults().working().most() > 1, "users do not wait for each other");
    // A request the client gave up keeps its user's queue.
    sim.faults().clear();
    sim.faults().inject(Rule::once(Fault::Latency(Duration::from_millis(300))));
    let mut stream = TcpStream::connect(("127.0.0.1", sim.http_port())).await.unwrap();
    stream.write_all(request("GET", "/system/note", Some(&who.mcp), None).as_bytes()).await.unwrap();
    while sim.faults().working().now() == 0 {
        tokio::task::yield_now().await;
    }
    let started = std::time::Instant::now();
    drop(stream);
    assert_eq!(ask(who.mcp.clone()).await, 200);
    assert!(started.elapsed() >= Duration::from_millis(200), "waited for the abandoned one");
}

#[tokio::test]
async fn long_requests_end_with_the_session() {
    let sim = sim(Profile::HomeAp).await;
    sim.faults().set_session_limit(Duration::from_millis(50));
    sim.faults().inject(Rule::once(Fault::Latency(Duration::from_secs(90))));
    assert_eq!(admin(&sim, "GET", "/ip/route", None).await.detail(), "Session closed");
    assert_eq!(admin(&sim, "POST", "/interface/monitor-traffic", Some(json!({"interface": "ether1"}))).await.detail(), "Session closed");
    // 7.20 hangs when asked about these words.
    let inspect = admin(&sim, "POST", "/console/inspect", Some(json!({"request": "child", "path": "ip,address,where"}))).await;
    assert_eq!(inspect.detail(), "Session closed");
}

#[tokio::test]
async fn commands_answer_once_and_in_sections() {
    let sim = sim(Profile::HomeAp).await;
    let once = admin(&sim, "POST", "/interface/monitor-traffic", Some(json!({"interface": "ether1,bridge", "once": ""}))).await.json();
    assert_eq!((names(&once), once[0].get(".section")), (vec!["ether1", "bridge"], None));
    let three = admin(&sim, "POST", "/interface/monitor-traffic", Some(json!({"interface": "ether1", "duration": "3s"}))).await.json();
    assert_eq!(three.as_array().unwrap().iter().map(|r| r[".section"].as_str().unwrap()).collect::<Vec<_>>(), ["0", "1", "2"]);
    for path in ["/ping", "/tool/ping"] {
        let pings = admin(&sim, "POST", path, Some(json!({"address": "192.0.2.1", "count": 3}))).await.json();
        assert_eq!((pings.as_array().unwrap().len(), pings[2]["received"].as_str()), (3, Some("3")));
    }
    let link = admin(&sim, "POST", "/interface/ethernet/monitor", Some(json!({"numbers": "ether3", "once": ""}))).await.json();
    assert_eq!(link[0]["status"], "no-link");
}

#[tokio::test]
async fn inspect_tells_the_command_tree() {
    let sim = sim(Profile::HomeAp).await;
    let child = |path: &'static str| {
        let sim = &sim;
        async move { admin(sim, "POST", "/console/inspect", Some(json!({"request": "child", "path": path}))).await.json() }
    };
    let add = child("ip,address,add").await;
    assert_eq!(add[0], json!({"name": "add", "node-type": "cmd", "type": "self"}));
    assert!(
        ["address", "broadcast", "comment", "copy-from", "disabled", "interface", "netmask", "network"]
            .iter()
            .all(|n| names(&add).contains(n))
    );
    let ip = child("ip").await;
    assert!(names(&ip).contains(&"firewall") && !names(&ip).contains(&"address/x"));
    if let Some(shared) = shared() {
        let recorded: Value =
            serde_json::from_slice(&std::fs::read(shared.join("routeros/samples/docs/console_inspect_child.json")).unwrap()).unwrap();
        let body = json!({"request": "child", "path": "ip,address,add", ".proplist": ["name", "node-type"]});
        assert_eq!(admin(&sim, "POST", "/console/inspect", Some(body)).await.json(), recorded);
    }
    let words = admin(&sim, "POST", "/console/inspect", Some(json!({"request": "completion", "path": "ip,firewall,filter,add,action"})))
        .await
        .json();
    assert!(words.as_array().unwrap().iter().any(|w| w["completion"] == "drop"));
}

#[tokio::test]
async fn time_moves_uptime_and_timeouts() {
    let (clock, hand) = Clock::by_hand(Wall(1_795_000_000_000));
    let sim = Sim::start(Options { clock, ..Options::new(Profile::Chr, "edge") }).await.unwrap();
    let uptime = || async { admin(&sim, "GET", "/system/resource", None).await.json()["uptime"].as_str().unwrap().to_string() };
    let before = uptime().await;
    admin(&sim, "PUT", "/ip/firewall/address-list", Some(json!({"list": "t", "address": "192.0.2.4", "timeout": "10s"}))).await;
    hand.advance(Duration::from_secs(11));
    assert_ne!(uptime().await, before);
    assert_eq!(admin(&sim, "GET", "/ip/firewall/address-list?list=t", None).await.json(), json!([]));
    assert_eq!(admin(&sim, "GET", "/system/health", None).await.json(), json!({"state": "disabled", "state-after-reboot": "enabled"}));
    assert_eq!(admin(&sim, "GET", "/system/routerboard", None).await.detail(), "no such command or directory (routerboard)");
    sim.reboot();
    assert_eq!(uptime().await, "0s");
}

#[tokio::test]
async fn the_home_router_refuses_the_scheduler() {
    let sim = sim(Profile::HomeAp).await;
    let body = json!({"name": "x", "interval": "1m", "on-event": ":log info x"});
    assert!(admin(&sim, "PUT", "/system/scheduler", Some(body.clone())).await.detail().starts_with("failure: not allowed by device-mode"));
    let office = self::sim(Profile::Office).await;
    let made = admin(&office, "PUT", "/system/scheduler", Some(body)).await.json();
    assert_eq!((made["owner"].as_str(), made["run-count"].as_str()), (Some("admin"), Some("0")));
}

#[tokio::test]
async fn the_tower_is_big() {
    let sim = sim(Profile::WispTower).await;
    let count = |path: &'static str| {
        let sim = &sim;
        async move { admin(sim, "POST", path, Some(json!({"count-only": ""}))).await.json()["ret"].as_str().unwrap().to_string() }
    };
    assert_eq!(count("/ip/dhcp-server/lease/print").await, "5000");
    assert_eq!(count("/ip/firewall/address-list/print").await, "2000");
    assert_eq!(admin(&sim, "GET", "/interface/wifi", None).await.detail(), "no such command or directory (wifi)");
    let leases = admin(&sim, "GET", "/ip/dhcp-server/lease", None).await;
    assert!(String::from_utf8(leases.body).is_err(), "some host names are no UTF-8");
}

#[tokio::test]
async fn faults_do_what_they_say() {
    let sim = sim(Profile::HomeAp).await;
    let who = sim.credentials().admin;
    let get = request("GET", "/ip/address", Some(&who), None);
    let fault = |f| sim.faults().inject(Rule::once(f).on("/ip/address"));
    fault(Fault::CloseBefore);
    assert!(raw(&sim, &get).await.is_none());
    fault(Fault::ServerError);
    assert_eq!(raw(&sim, &get).await.unwrap().status, 500);
    fault(Fault::WrongBody);
    assert!(raw(&sim, &get).await.unwrap().json().get("board-name").is_some());
    fault(Fault::InvalidUtf8);
    assert!(String::from_utf8(raw(&sim, &get).await.unwrap().body).is_err());
    fault(Fault::RawControl);
    assert!(raw(&sim, &get).await.unwrap().body.contains(&0x1b));
    for broken in [Fault::CutJson, Fault::GarbageJson] {
        fault(broken);
        assert!(serde_json::from_slice::<Value>(&raw(&sim, &get).await.unwrap().body).is_err());
    }
    fault(Fault::BigTable(100_000));
    let big = raw(&sim, &get).await.unwrap();
    assert_eq!(big.json().as_array().unwrap().len(), 100_003);

    let id = raw(&sim, &get).await.unwrap().json()[0][".id"].as_str().unwrap().to_string();
    let patch = request("PATCH", &format!("/ip/address/{id}"), Some(&who), Some(r#"{"comment":"done"}"#));
    let comment = || sim.world().find("/ip/address", &id).unwrap().get("comment").unwrap_or_default().to_string();
    sim.faults().inject(Rule::once(Fault::DoneButRefused).method("PATCH"));
    assert_eq!((raw(&sim, &patch).await.unwrap().status, comment().as_str()), (400, "done"));
    sim.faults().inject(Rule::once(Fault::CloseAfter).method("PATCH").after(1));
    let other = patch.replace("done", "lost");
    assert!(raw(&sim, &patch).await.is_some());
    assert!(raw(&sim, &other).await.is_none());
    assert_eq!(comment(), "lost");

    sim.faults().inject(Rule::once(Fault::EndlessJson));
    let mut stream = TcpStream::connect(("127.0.0.1", sim.http_port())).await.unwrap();
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut much = vec![0; 200_000];
    stream.read_exact(&mut much).await.unwrap();
    drop(stream);
    assert!(sim.faults().requests_to("/ip/address") >= 10);
}

#[tokio::test]
async fn lines_can_be_closed_silent_or_wrong() {
    let sim = sim(Profile::HomeAp).await;
    let get = request("GET", "/system/identity", Some(&sim.credentials().admin), None);
    let connect = |port: u16| async move { TcpStream::connect(("127.0.0.1", port)).await };
    assert!(raw(&sim, &get).await.is_some());
    sim.faults().set_line(Line::Refuse);
    while connect(sim.http_port()).await.is_ok() {
        tokio::task::yield_now().await;
    }
    sim.faults().set_line(Line::HalfOpen);
    let mut stream = loop {
        match connect(sim.http_port()).await {
            Ok(stream) => break stream,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut byte = [0];
    assert!(tokio::time::timeout(Duration::from_millis(100), stream.read(&mut byte)).await.is_err(), "says nothing");
    sim.faults().set_line(Line::PlainOnTls);
    let plain = connect(sim.https_port()).await.unwrap();
    assert_eq!(exchange(plain, &get).await.unwrap().status, 200);
    sim.faults().clear();
    sim.world().set("/ip/service", "www", "address", "203.0.113.0/24");
    assert!(raw(&sim, &get).await.is_none(), "a service closed to us hangs up without a word");
}

async fn secure(sim: &Sim, trusted: &[u8], text: &str) -> Result<Reply, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from(trusted.to_vec())).map_err(|e| e.to_string())?;
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(("127.0.0.1", sim.https_port())).await.map_err(|e| e.to_string())?;
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| e.to_string())?;
    exchange(stream, text).await.ok_or_else(|| "no answer".to_string())
}

#[tokio::test]
async fn certificates_can_change_and_expire() {
    let sim = Sim::start(Options { tls: TlsOption::Own, ..Options::new(Profile::HomeAp, "cert-test") }).await.unwrap();
    let get = request("GET", "/system/identity", Some(&sim.credentials().mcp), None);
    let (first, print) = (sim.certificate(), sim.fingerprint());
    assert_eq!(secure(&sim, &first, &get).await.unwrap().json()["name"], "cert-test");
    assert_eq!(ring::digest::digest(&ring::digest::SHA256, &first).as_ref(), print);
    sim.change_certificate().unwrap();
    assert_ne!(sim.fingerprint(), print);
    assert!(secure(&sim, &first, &get).await.is_err());
    sim.expire_certificate().unwrap();
    let why = secure(&sim, &sim.certificate(), &get).await.err().unwrap();
    assert!(why.contains("xpired"), "{why}");
}

#[tokio::test]
async fn many_routers_are_cheap() {
    let started = std::time::Instant::now();
    let mut sims = Vec::new();
    for seed in 0..200 {
        let options = Options { seed, plain: false, ..Options::new(Profile::ALL[seed as usize % 4], &format!("r{seed}")) };
        sims.push(Sim::start(options).await.unwrap());
    }
    println!("200 routers in {:?}", started.elapsed());
    let get = request("GET", "/system/identity", Some(&sims[0].credentials().mcp), None);
    let certificate = sims[0].certificate();
    assert_eq!(secure(&sims[199], &certificate, &get).await.unwrap().json()["name"], "r199");
    for sim in sims {
        sim.stop().await;
    }
}

#[tokio::test]
async fn a_published_tree_serves_every_menu() {
    let Some(shared) = shared() else {
        println!("{} menus of the simulator's own", Definitions::own().paths().count());
        return;
    };
    let tree: Value = serde_json::from_slice(&std::fs::read(shared.join("routeros/schema.json")).unwrap()).unwrap();
    let wanted: Vec<String> =
        tree.as_object().unwrap().iter().filter(|(p, m)| p.starts_with('/') && m["kind"] != "cmd-only").map(|(p, _)| p.clone()).collect();
    let definitions = Definitions::from_schema_json(&tree);
    let sim = Sim::start(Options { definitions: Some(definitions), ..Options::new(Profile::HomeAp, "all") }).await.unwrap();
    let mut wrong = Vec::new();
    for path in &wanted {
        let reply = admin(&sim, "GET", path, None).await;
        let singleton = tree[path]["kind"] == "singleton";
        let shape = serde_json::from_str::<Value>(&String::from_utf8_lossy(&reply.body)).unwrap_or_default();
        if reply.status != 200 || (singleton && path != "/system/health") != shape.is_object() {
            wrong.push(format!("{path}: {} {}", reply.status, String::from_utf8_lossy(&reply.body)));
        }
    }
    println!("{} menus of the published tree served", wanted.len() - wrong.len());
    assert!(wanted.len() > 500 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_bridge_renamed_through_interface_keeps_its_ports() {
    let sim = sim(Profile::HomeAp).await;
    let id = admin(&sim, "GET", "/interface/bridge", None).await.json()[0][".id"].as_str().unwrap().to_string();
    assert_eq!(admin(&sim, "GET", &format!("/interface/{id}"), None).await.json()["type"], "bridge", "one number in both menus");
    assert_eq!(admin(&sim, "PATCH", &format!("/interface/{id}"), Some(json!({"name": "lan"}))).await.status, 200);
    let ports = admin(&sim, "GET", "/interface/bridge/port?bridge=lan", None).await.json();
    assert_eq!(ports.as_array().unwrap().len(), 6);
    assert_eq!(admin(&sim, "GET", "/ip/address?interface=lan", None).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_reboot_cuts_connections_and_starts_uptime_anew() {
    let (clock, hand) = Clock::by_hand(Wall(1_795_000_000_000));
    let sim = Sim::start(Options { clock, ..Options::new(Profile::Chr, "") }).await.unwrap();
    let who = sim.credentials();
    assert_eq!(call(&sim, &who.monitor, "POST", "/system/reboot", None).await.status, 500);
    let mut idle = TcpStream::connect(("127.0.0.1", sim.http_port())).await.unwrap();
    assert_eq!(admin(&sim, "POST", "/system/reboot", None).await.json(), json!([]));
    let mut byte = [0];
    let end = tokio::time::timeout(Duration::from_secs(5), idle.read(&mut byte)).await.expect("cut within 5 s");
    assert!(matches!(end, Ok(0) | Err(_)));
    hand.advance(Duration::from_secs(75));
    assert_eq!(admin(&sim, "GET", "/system/resource", None).await.json()["uptime"], "1m15s");
}
