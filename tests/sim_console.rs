//! The simulated router's console: its language, prints, exports, jobs, and the same interpreter behind REST.

use super::sim_rest::{call, until};
use super::sim_ssh::{admin, login, said};
use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::sim::profiles::{Profile, Version};
use routeros_mcp::sim::{Options, Sim};
use serde_json::{Value, json};
use std::time::Duration;

async fn sim(profile: Profile) -> Sim {
    Sim::start(Options::new(profile, "")).await.unwrap()
}

#[tokio::test]
async fn the_language_computes() {
    let sim = Sim::start(Options { version: Some(Version::V7_23), ..Options::new(Profile::Office, "") }).await.unwrap();
    let handle = admin(&sim).await;
    let cases = [
        (":put (1 + 2 * 3)", "7"),
        (":put (\"a\" . 1 . \"b\")", "a1b"),
        (":put (1 = 1 and 2 != 3)", "true"),
        (":put ((1 > 2) or (3 <= 3))", "true"),
        (":put (!true)", "false"),
        (":put (\"ether12\" ~ \"^ether[0-9]+\\$\")", "true"),
        (":put (192.0.2.9 in 192.0.2.0/24)", "true"),
        (":put (10 - 3 - 2)", "5"),
        (":local a {1;2;3}; :put [:len $a]; :put ($a->1)", "3\r\n2"),
        (":local m {a=1;\"b c\"=\"x\"}; :put ($m->\"b c\")", "x"),
        (":foreach k,v in={a=1;b=2} do={ :put \"$k:$v\" }", "a:1\r\nb:2"),
        (":for i from=1 to=3 do={ :put $i }", "1\r\n2\r\n3"),
        (":local i 0; :while ($i < 2) do={ :set i ($i + 1) }; :put $i", "2"),
        (":if (1 = 2) do={ :put yes } else={ :put no }", "no"),
        (":put [:typeof 1]; :put [:typeof 5m]; :put [:typeof 192.0.2.1]; :put [:typeof $nope]", "num\r\ntime\r\nip\r\nnothing"),
        (":put \"q\\\"b\\\\d\\$n\\41\"", "q\"b\\d$nA"),
        (":put \"sum $(1 + 1) $[:len \"abc\"]\"", "sum 2 3"),
        (":put [:pick \"abcdef\" 1 3]", "bc"),
        (":put [:find \"abcdef\" \"d\"]", "3"),
        (":put [:tostr 90s]; :put [:tonum \"12\"]", "00:01:30\r\n12"),
        (":do { :error \"boom\" } on-error={ :put caught }", "caught"),
        (":onerror e in={ :error \"boom\" } do={ :put (\"ERR \" . $e) }", "ERR boom"),
        (
            ":onerror e in={ /ip/firewall/address-list/add list=mgmt address=10.20.99.0/24 } do={ :put $e }",
            "failure: already have such entry",
        ),
        (":local f do={ :return ($1 * 2) }; :put [$f 21]", "42"),
        (":global g 5; :put $g", "5"),
        (":put $g", "5"),
        (":set undefined 1", "syntax error (line 1 column 6)"),
        ("{ :local inner 1 }; :put [:len $inner]", "0"),
        (":put [:serialize to=json value={a=1;b=\"x\\\"y\"}]", "{\"a\":1,\"b\":\"x\\\"y\"}"),
        (":error stop; :put never", "stop"),
        (":put (9223372036854775807 + 1)", "cannot add these values"),
        (":put (1 / 0)", "division by zero"),
        (":put [:typeof [:totime 9223372036854775807]]", "time"),
        (":while (true) do={ :error enough }", "enough"),
        (":local r do={ $r }; $r", "failure: too many nested scripts"),
        ("/system/identity; set name=renamed; :put [get name]", "renamed"),
    ];
    for (command, want) in cases {
        assert_eq!(said(&handle, command).await, want, "{command}");
    }
}

#[tokio::test]
async fn rows_are_found_read_and_changed() {
    let sim = sim(Profile::Office).await;
    let handle = login(&sim, "mcp", "sim-mcp-pass").await;
    let cases = [
        ("/ip/address/print count-only where interface=\"vlan10-staff\" disabled=no", "1"),
        ("/interface print count-only where name~\"^vlan[12]0\"", "2"),
        (":put [/ip address get [find where comment=\"isp-a\"] address]", "198.51.100.18/29"),
        ("/ip/route/print count-only where comment=\"isp a\" or comment=\"isp b\"", "2"),
        ("/ip/route/print count-only where !active", "0"),
        (":put [:typeof [/ip/firewall/address-list/add list=t address=192.0.2.7 comment=\"a \\\"b\\\"\"]]", "id"),
        (":put [/ip/firewall/address-list/get [find list=t] comment]", "a \"b\""),
        (
            "/ip/firewall/address-list/set [find list=t] comment=new disabled=yes; :put [/ip/firewall/address-list/get [find list=t] disabled]",
            "true",
        ),
        ("/ip/firewall/address-list/set [find list=none] comment=x", ""),
        ("/ip/firewall/address-list/remove [find list=t]; :put [:len [/ip/firewall/address-list/find list=t]]", "0"),
        ("/queue/simple/move [find name=voice] 0; :put [/queue/simple/get 0 name]", "voice"),
        (
            "/ip/firewall/filter/disable [find comment=management]; :put [/ip/firewall/filter/get [find comment=management] disabled]",
            "true",
        ),
        (":put [/system/identity/get name]", "office-core"),
        ("/log/warning \"hello there\"; :put [:len [/log/find message=\"hello there\"]]", "1"),
        ("/system/identity/print detail", "expected end of command (line 1 column 24)"),
        ("/ip/firewall/address-list/add list=t", "missing value(s) of argument(s) address"),
        ("/ip/firewall/filter/add chain=input action=wrong", "input does not match any value of action"),
    ];
    for (command, want) in cases {
        assert_eq!(said(&handle, command).await, want, "{command}");
    }
}

#[tokio::test]
async fn as_value_and_json_are_typed_without_secrets_or_counters() {
    let sim = Sim::start(Options { version: Some(Version::V7_20), ..Options::new(Profile::Office, "") }).await.unwrap();
    let handle = login(&sim, "mcp", "sim-mcp-pass").await;
    let text = said(&handle, ":put [/ip/pool/print as-value where name=pool-staff]").await;
    assert!(text.starts_with(".id=*1;available="), "{text}");
    let json = said(&handle, ":put [:serialize to=json value=[/interface/wireguard/print detail as-value]]").await;
    let rows: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&rows[0]["listen-port"], &rows[0]["disabled"], &rows[0]["name"]), (&json!(13231), &json!(false), &json!("wg-sites")));
    assert!(rows[0].get("private-key").is_none());
    let dhcp = said(&handle, ":put [:serialize to=json value=[/ip/dhcp-server/print as-value]]").await;
    assert_eq!(serde_json::from_str::<Value>(&dhcp).unwrap()[0]["lease-time"], "08:00:00");
    said(&handle, "/ip/firewall/address-list/add list=123 address=192.0.2.3").await;
    let read = "[/ip/firewall/address-list/print as-value where list=123]";
    let json: Value = serde_json::from_str(&said(&handle, &format!(":put [:serialize to=json value={read}]")).await).unwrap();
    assert_eq!(json[0]["list"], 123);
    let option = format!(":put [:serialize to=json value={read} options=json.no-string-conversion]");
    let json: Value = serde_json::from_str(&said(&handle, &option).await).unwrap();
    assert_eq!(json[0]["list"], "123");
    let filter = said(&handle, ":put [/ip/firewall/filter/print as-value]").await;
    assert!(!filter.contains("bytes=") && said(&handle, ":put [/ip/firewall/filter/print as-value stats]").await.contains("bytes="));
}

#[tokio::test]
async fn words_come_with_their_version() {
    let old = Sim::start(Options { version: Some(Version::V7_12), ..Options::new(Profile::Office, "") }).await.unwrap();
    let handle = admin(&old).await;
    assert_eq!(said(&handle, ":serialize to=json value=1").await, "bad command name serialize (line 1 column 2)");
    assert_eq!(said(&handle, ":onerror e in={ } do={ }").await, "bad command name onerror (line 1 column 2)");
    assert_eq!(said(&handle, ":do { :error x } on-error={ :put old }").await, "old");
    let middle = Sim::start(Options { version: Some(Version::V7_16), ..Options::new(Profile::Office, "") }).await.unwrap();
    let handle = admin(&middle).await;
    assert_eq!(said(&handle, ":put [:serialize to=json value={a=\"1\"} options=json.no-string-conversion]").await, "{\"a\":\"1\"}");
}

#[tokio::test]
async fn prints_look_as_on_the_console() {
    let sim = sim(Profile::Office).await;
    let handle = admin(&sim).await;
    let single = said(&handle, "/system/identity/print").await;
    assert_eq!(single, "  name: office-core");
    let table = said(&handle, "/interface/vlan/print proplist=name,vlan-id").await;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(&lines[..3], ["Flags: R - RUNNING", "Columns: NAME, VLAN-ID", "#     NAME             VLAN-ID"]);
    assert_eq!(lines[3], "0 R   vlan10-staff     10");
    let detail = said(&handle, "/ip/address/print detail without-paging where comment=isp-a").await;
    assert!(detail.contains(" 0     ;;; isp-a\r\n       actual-interface=ether1 address=198.51.100.18/29"), "{detail}");
    assert!(detail.lines().all(|l| l.len() <= 80));
}

#[tokio::test]
async fn exports_hold_what_differs_from_the_defaults_and_no_secrets() {
    let sim = sim(Profile::Office).await;
    let handle = admin(&sim).await;
    let plain = said(&handle, "/export").await;
    let mut lines = plain.split("\r\n");
    assert!(lines.next().unwrap().ends_with(" by RouterOS 7.20.8"));
    assert!(lines.next().unwrap().starts_with("# software id = "));
    assert_eq!(lines.next(), Some("#"));
    assert_eq!(lines.next(), Some("# model = RB5009UG+S+"));
    assert!(plain.split("\r\n").all(|l| l.len() <= 80), "a line is too long");
    assert!(plain.contains("\\\r\n    "), "nothing was wrapped");
    assert!(plain.contains("set [ find default-name=ether1 ] comment=isp-a"));
    assert!(!plain.contains("CANARY"));
    let terse = said(&handle, "/export terse").await;
    assert!(terse.contains("\r\n/ip address add address=10.20.10.1/24 interface=vlan10-staff"));
    assert!(terse.split("\r\n").all(|l| l.starts_with('#') || l.starts_with('/')));
    let menu = said(&handle, "/ip/firewall/export").await;
    assert!(menu.contains("/ip firewall filter") && !menu.contains("/ip address"));
    let secret = said(&handle, "/interface/wireguard/export show-sensitive terse").await;
    assert!(secret.contains("private-key=\"CANARYwireguard"));
    let chr = self::sim(Profile::Chr).await;
    let bgp = said(&admin(&chr).await, "/routing/bgp/export terse").await;
    assert!(bgp.contains("# system id = ") && bgp.contains("remote.address=198.51.100.1 .as=64501"), "{bgp}");
}

#[tokio::test]
async fn an_export_can_be_imported_and_says_the_same_again() {
    let sim = sim(Profile::Chr).await;
    let handle = admin(&sim).await;
    said(&handle, "/ip/firewall/address-list/add list=odd address=192.0.2.200 comment=\"a \\\"b\\\" \\$c \\\\d;e [f] \\C3\\A9\"").await;
    let before = said(&handle, "/ip/firewall/address-list/export terse").await;
    said(&handle, "/ip/firewall/address-list/export file=list").await;
    said(&handle, "/ip/firewall/address-list/remove [find]").await;
    assert_eq!(said(&handle, "/import list.rsc").await, "Script file loaded and executed successfully");
    let body = |text: &str| text.split("\r\n").filter(|l| !l.starts_with('#')).map(String::from).collect::<Vec<_>>();
    assert_eq!(body(&said(&handle, "/ip/firewall/address-list/export terse").await), body(&before));
}

#[tokio::test]
async fn rest_runs_scripts_in_the_same_interpreter() {
    let sim = sim(Profile::Office).await;
    let who = sim.credentials().admin;
    let text = call(&sim, &who, "POST", "/execute", Some(json!({"script": ":put [/system/identity/get name]", "as-string": ""}))).await;
    assert_eq!((text.status, text.json()), (200, json!({"ret": "office-core"})));
    let slip = call(&sim, &who, "POST", "/execute", Some(json!({"script": "/foo", "as-string": ""}))).await;
    assert_eq!((slip.status, slip.detail().as_str()), (400, "bad command name foo (line 1 column 2)"));
    let terse = call(&sim, &who, "POST", "/execute", Some(json!({"script": "/export terse", "as-string": ""}))).await;
    assert!(terse.json()["ret"].as_str().unwrap().contains("/ip address add"));
    let nothing = call(&sim, &who, "POST", "/export", Some(json!({"file": "backup", "terse": ""}))).await;
    assert_eq!((nothing.status, nothing.json()), (200, json!([])));
    let piece = call(&sim, &who, "POST", "/file/read", Some(json!({"file": "backup.rsc", "chunk-size": "100", "offset": "0"}))).await;
    assert!(piece.json()[0]["data"].as_str().unwrap().contains("by RouterOS 7.20.8"));
    let monitor = sim.credentials().monitor;
    let denied = call(&sim, &monitor, "POST", "/execute", Some(json!({"script": ":put 1", "as-string": ""}))).await;
    assert_eq!((denied.status, denied.detail().as_str()), (500, "not enough permissions (9)"));
}

#[tokio::test]
async fn a_job_outlives_its_session_and_can_be_stopped() {
    let (clock, hand) = Clock::by_hand(Wall::parse("2026-11-25").unwrap());
    let sim = Sim::start(Options { clock, ..Options::new(Profile::HomeAp, "") }).await.unwrap();
    let who = sim.credentials().mcp;
    let start = |note: &str| json!({"script": format!(":delay 180s; /system/note/set note={note}")});
    let job = call(&sim, &who, "POST", "/execute", Some(start("one"))).await.json()["ret"].as_str().unwrap().to_string();
    let stopped = call(&sim, &who, "POST", "/execute", Some(start("two"))).await.json()["ret"].as_str().unwrap().to_string();
    assert!(job.starts_with('*') && stopped != job);
    let jobs = call(&sim, &who, "GET", "/system/script/job", None).await.json();
    assert_eq!((jobs.as_array().unwrap().len(), &jobs[0]["owner"], &jobs[0]["type"]), (2, &json!("mcp"), &json!("command")));
    assert_eq!(call(&sim, &who, "DELETE", &format!("/system/script/job/{stopped}"), None).await.status, 204);
    hand.advance(Duration::from_secs(181));
    until(|| sim.world().rows("/system/script/job").is_empty()).await;
    assert_eq!(sim.world().rows("/system/note")[0].get("note"), Some("one"));
}

#[tokio::test]
async fn stored_scripts_run_with_their_policies_and_say_when_they_cannot_be_read() {
    let sim = sim(Profile::Office).await;
    let who = sim.credentials().mcp;
    let add = |name: &str, source: &str, policy: &str| json!({"name": name, "source": source, "policy": policy});
    let good = call(&sim, &who, "PUT", "/system/script", Some(add("good", "/system/note/set note=script", "read,write,test"))).await.json();
    assert_eq!((&good["invalid"], &good["owner"]), (&json!("false"), &json!("mcp")));
    let bad = call(&sim, &who, "PUT", "/system/script", Some(add("bad", "/no/such/menu/print", "read"))).await.json();
    assert_eq!(bad["invalid"], "true");
    call(&sim, &who, "PUT", "/system/script", Some(add("more", ":put 1", "read,policy"))).await;
    assert_eq!(call(&sim, &who, "POST", "/system/script/run", Some(json!({".id": "good"}))).await.json(), json!([]));
    assert_eq!(sim.world().rows("/system/note")[0].get("note"), Some("script"));
    let handle = login(&sim, "mcp", "sim-mcp-pass").await;
    assert_eq!(said(&handle, "/system/script/run more").await, "not enough permissions (9)");
    assert_eq!(said(&handle, ":put [/system/script/get good run-count]").await, "1");
    // An unquoted value is cut at its slash in a stored script, so it finds nothing; quoted it does.
    let count = |value: &str| format!("/system/note/set note=[:len [/ip/address/find where address={value}]]");
    for (name, value, want) in [("cut", "10.20.10.1/24", "0"), ("whole", "\"10.20.10.1/24\"", "1")] {
        call(&sim, &who, "PUT", "/system/script", Some(add(name, &count(value), "read,write,test"))).await;
        said(&handle, &format!("/system/script/run {name}")).await;
        assert_eq!(sim.world().rows("/system/note")[0].get("note"), Some(want), "{value}");
    }
}

#[tokio::test]
async fn history_tells_who_did_what_and_undo_takes_it_back() {
    let sim = sim(Profile::Office).await;
    let handle = admin(&sim).await;
    said(&handle, "/ip/firewall/address-list/add list=t address=192.0.2.7").await;
    said(&handle, "/system/identity/set name=other").await;
    let rows = sim.world().rows("/system/history");
    let last = rows.last().unwrap();
    assert_eq!((last.get("by"), last.get("undo")), (Some("admin"), Some("/system identity set name=office-core")));
    assert!(rows[rows.len() - 2].get("undo").unwrap().starts_with("/ip firewall address-list remove *"));
    said(&handle, "/undo").await;
    assert_eq!(said(&handle, ":put [/system/identity/get name]").await, "office-core");
    let log = sim.world().rows("/log");
    assert!(log.iter().any(|r| r.get("message").is_some_and(|m| m.contains("by ssh:admin@"))));
}

#[tokio::test]
async fn undo_of_a_rename_takes_along_who_points_there() {
    let sim = sim(Profile::Office).await;
    let handle = admin(&sim).await;
    let pool = ":put [/ip/dhcp-server/get dhcp-guest address-pool]";
    assert_eq!(said(&handle, "/ip/pool/set pool-guest name=renamed").await, "");
    assert_eq!(said(&handle, pool).await, "renamed");
    assert_eq!(said(&handle, "/undo").await, "");
    assert_eq!(said(&handle, pool).await, "pool-guest");
}
