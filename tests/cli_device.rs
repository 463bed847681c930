//! `device …` and `tool …` as a script uses them, against routers that are well, ill, or no routers at all: the exit code,
//! the words, and that nothing is half stored.

use crate::cli_rig::{Rig, Running, router, saw_no_login, says, words};
use routeros_mcp::sim::Sim;
use routeros_mcp::sim::faults::{Fault, Line, Rule};
use routeros_mcp::sim::profiles::Profile;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

mod adding;
mod large;

/// Bounded by the limits of the rig: 1 s to connect, 3 s to answer; the rest is for a slow machine.
const SOON: Duration = Duration::from_secs(20);

fn fingerprint(bytes: &[u8; 32]) -> String {
    bytes.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// A password that must not be found anywhere.
const SECRET: &str = "correct-horse-battery-71";

#[tokio::test(flavor = "multi_thread")]
async fn adding_says_what_the_router_is_and_keeps_no_password_in_the_clear() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    let password = sim.credentials().mcp.password;
    let flags = rig.adding("office-gw", sim.https_port(), password.expose());
    let pin = fingerprint(&sim.fingerprint());
    let more = ["--tls-fingerprint", &pin, "--tag", "site=north", "--capability", "writes", "--capability", "dhcp"];
    let device = rig.json(&[&words(&flags)[..], &more].concat());
    assert_eq!(device["name"], "office-gw");
    assert_eq!(device["environment"], "lab");
    assert_eq!(device["status"], "reachable");
    assert_eq!(device["pins"], json!({"tls": pin, "ssh": null}));
    assert_eq!(device["capabilities"], json!(["writes", "dhcp"]));
    assert_eq!(device["tags"], json!({"site": "north"}));
    for field in ["id", "address", "version", "board", "serial"] {
        assert!(device[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {device}");
    }
    let listed = rig.json(&["device", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["id"], device["id"]);
    assert_eq!(rig.json(&["device", "show", device["id"].as_str().unwrap()])["name"], "office-gw");
    assert_eq!(rig.json(&["device", "show", "OFFICE-GW"])["id"], device["id"], "names are found in any case");
    rig.holds_no_bytes(password.expose());
    let people = rig.run(&["device", "list"]);
    assert!(people.out.starts_with("name") && people.out.contains("office-gw"), "{people:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_without_a_terminal_is_named_at_once_and_before_any_contact() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    let error = rig.error(&["device", "add", "--name", "x"], 64);
    assert_eq!(error["kind"], "bad_input");
    assert_eq!(error["message"], "--address, --username are missing");
    let port = sim.https_port().to_string();
    let place = ["device", "add", "--name", "x", "--address", "127.0.0.1", "--rest-port", &port, "--ssh-port", "1", "--username", "mcp"];
    says(&rig.error(&[&place[..], &["--yes"]].concat(), 64)["message"], "--password-file");
    let absent = rig.error(&[&place[..], &["--yes", "--password-file", "absent.txt"]].concat(), 64);
    says(&absent["message"], "absent.txt");
    says(&absent["hint"], "first line");
    let directory = rig.error(&[&place[..], &["--yes", "--password-file", "."]].concat(), 64);
    says(&directory["message"], "directory");
    let long = rig.file("long", "x".repeat(5_000));
    says(&rig.error(&[&place[..], &["--yes", "--password-file", &long]].concat(), 64)["message"], "4096");
    assert!(sim.requests().is_empty(), "{:?}", sim.requests());
    let secret = rig.file("secret", SECRET);
    let nobody = rig.error(&[&place[..], &["--password-file", &secret]].concat(), 64);
    says(&nobody["hint"], "--yes");
    says(&nobody["hint"], &fingerprint(&sim.fingerprint()));
    saw_no_login(&sim);
    rig.holds_no_device(SECRET);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_comes_from_standard_input_or_a_reference_and_never_from_the_command_line() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    let password = sim.credentials().mcp.password;
    let port = sim.https_port().to_string();
    let place =
        ["--json", "device", "add", "--address", "127.0.0.1", "--rest-port", &port, "--ssh-port", "1", "--username", "mcp", "--yes"];
    let done = rig.run_with(&[&place[..], &["--name", "a", "--password-stdin"]].concat(), &format!("{}\n", password.expose()));
    assert_eq!(done.code, 0, "{done:?}");
    let file = format!("file:{}", rig.file("kept.pass", password.expose()));
    rig.json(&[&place[1..], &["--name", "b", "--password-ref", &file]].concat());
    assert_eq!(rig.json(&["device", "test", "b"])["status"], "reachable");
    let both = rig.error(&[&place[1..], &["--name", "c", "--password-ref", &file, "--password-stdin"]].concat(), 64);
    says(&both["message"], "cannot be used with");
    let argv = rig.error(&[&place[1..], &["--name", "c", "--password", "x"]].concat(), 64);
    says(&argv["message"], "--password");
    says(&rig.error(&[&place[1..], &["--name", "c", "--password-ref", "vault:x"]].concat(), 64)["message"], "credential:");
    rig.holds_no_bytes(password.expose());
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_about_the_record_are_checked_before_the_router_is_asked() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    rig.add("edge", &sim);
    sim.forget_requests();
    let other = |name: &str, address: &str, more: &[&str], code: i32| {
        let mut flags = rig.adding("spare", sim.https_port(), sim.credentials().mcp.password.expose());
        flags[3] = name.into();
        flags[5] = address.into();
        rig.error(&[&words(&flags)[..], &["--yes"], more].concat(), code)
    };
    let taken = other("Edge", "127.0.0.1", &[], 75);
    assert_eq!(taken["kind"], "conflict");
    says(&taken["message"], "edge");
    for name in ["", "a b", "é", "x/y", &"n".repeat(64)] {
        says(&other(name, "127.0.0.1", &[], 64)["message"], "name");
    }
    says(&other("b", "127.0.0.1", &["--environment", "prod"], 64)["message"], "prod");
    says(&other("b", "127.0.0.1", &["--environment", "moon"], 64)["message"], "moon");
    says(&other("b", "127.0.0.1", &["--capability", "fly"], 64)["message"], "fly");
    says(&other("b", "127.0.0.1", &["--tag", "north"], 64)["message"], "KEY=VALUE");
    for (address, why) in [
        ("169.254.169.254", "metadata"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("0.0.0.0", "unspecified"),
        ("http://x", "not a host name"),
    ] {
        says(&other("b", address, &[], 64)["message"], why);
    }
    says(&other("b", "no-such-router.invalid", &[], 69)["message"], "resolve");
    saw_no_login(&sim);
    assert_eq!(rig.json(&["device", "list"]).as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_record_is_told_where_no_router_answers() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    rig.add("edge", &sim);
    // Nobody listens there: whoever asked first would say 69.
    let nowhere = |name: &str, more: &[&str], code: i32| {
        let mut flags = rig.adding("spare", 1, "x");
        flags[3] = name.into();
        rig.error(&[&words(&flags)[..], &["--yes"], more].concat(), code)
    };
    for (name, more, code, why) in [
        ("b", &["--environment", "staging"][..], 64, "staging"),
        ("b", &["--environment", "moon"], 64, "moon"),
        ("b", &["--capability", "fly"], 64, "fly"),
        ("b", &["--tag", "north"], 64, "KEY=VALUE"),
        ("b", &["--tag", "=north"], 64, "key"),
        ("a b", &[], 64, "name"),
        ("b", &["--tls-fingerprint", "sha256:12"], 64, "tls_fingerprint"),
        ("b", &["--ssh-fingerprint", "MD5:12"], 64, "ssh_fingerprint"),
        ("EDGE", &[], 75, "edge"),
    ] {
        says(&nowhere(name, more, code)["message"], why);
    }
    assert_eq!(nowhere("b", &[], 69)["kind"], "unreachable");
    says(&rig.error(&["device", "pin", "edge", "--yes", "--tls-fingerprint", "sha256:12"], 64)["message"], "tls_fingerprint");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_taken_in_a_lab_with_a_warning_and_refused_in_prod() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    let password = sim.credentials().mcp.password;
    let flags = rig.adding("edge", sim.http_port(), password.expose());
    let device = rig.json(&[&words(&flags)[..], &["--plain-http", "--yes"]].concat());
    assert_eq!(device["plain_http"], true);
    assert!(device["warnings"].to_string().contains("without TLS"), "{device}");
    sim.forget_requests();
    let key = data_encoding::BASE64.encode(&[9; 32]);
    let prod = Rig::new().with("ROUTEROS_MCP_ENVIRONMENT", "prod").with("ROUTEROS_MCP_ENCRYPTION_KEY", &key);
    let flags = prod.adding("edge", sim.http_port(), password.expose());
    let error = prod.error(&[&words(&flags)[..], &["--plain-http", "--yes"]].concat(), 64);
    says(&error["message"], "prod");
    assert!(sim.requests().is_empty(), "{:?}", sim.requests());
    prod.holds_no_device(password.expose());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_certificate_puts_a_device_into_quarantine_and_pin_takes_it_out() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    rig.add("edge", &sim);
    sim.change_certificate().unwrap();
    sim.cut_connections();
    sim.forget_requests();
    let call = ["tool", "call", "system.get_clock", "--arg", "device=edge"];
    for _ in 0..2 {
        let done = rig.run(&call);
        assert_eq!(done.code, 77, "{done:?}");
        assert!(done.err.contains("edge"), "{done:?}");
    }
    assert_eq!(rig.json(&["device", "show", "edge"])["status"], "quarantined");
    saw_no_login(&sim);
    let doubt = rig.error(&["device", "pin", "edge"], 64);
    says(&doubt["hint"], "--yes");
    let wrong = rig.error(&["device", "pin", "edge", "--tls-fingerprint", &fingerprint(&[1; 32])], 77);
    assert_eq!(wrong["kind"], "untrusted");
    saw_no_login(&sim);
    assert_eq!(rig.json(&["device", "show", "edge"])["status"], "quarantined");
    let healed = rig.json(&["device", "pin", "edge", "--yes"]);
    assert_eq!(healed["pins"]["tls"], fingerprint(&sim.fingerprint()));
    assert_eq!(rig.run(&call).code, 0);
    assert_eq!(rig.json(&["device", "show", "edge"])["status"], "reachable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_updated_retired_and_forgotten() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    rig.add("edge", &sim);
    let renamed = rig.json(&["device", "update", "edge", "--name", "core", "--tag", "a=b", "--capability", "writes"]);
    assert_eq!((&renamed["name"], &renamed["tags"]), (&json!("core"), &json!({"a": "b"})));
    assert_eq!(rig.json(&["device", "update", "core", "--capability", "none"])["capabilities"], json!([]));
    let wrong = rig.file("wrong", "not-it");
    assert_eq!(rig.error(&["device", "update", "core", "--password-file", &wrong], 77)["kind"], "router_denied");
    assert_eq!(rig.json(&["device", "test", "core"])["status"], "reachable", "the old password is still there");
    assert_eq!(rig.error(&["device", "update", "core"], 64)["kind"], "bad_input", "nothing to change");
    let lost = rig.error(&["device", "show", "coer"], 66);
    says(&lost["hint"], "\"core\"");
    says(&rig.error(&["device", "remove", "core"], 64)["hint"], "--yes");
    assert_eq!(rig.json(&["device", "decommission", "core"])["status"], "decommissioned");
    let call = rig.run(&["--json", "tool", "call", "system.get_clock", "--arg", "device=core"]);
    assert_eq!(call.code, 77, "{call:?}");
    rig.json(&["device", "remove", "core", "--yes"]);
    assert_eq!(rig.json(&["device", "list"]), json!([]));
    assert_eq!(rig.error(&["device", "remove", "core", "--yes"], 66)["kind"], "not_found");
    let trail = rig.json(&["audit", "list"]).to_string();
    for tool in ["device.add", "device.update", "device.decommission", "device.remove"] {
        assert!(trail.contains(tool), "{tool} is not in the trail");
    }
    assert!(!trail.contains("not-it") && !trail.contains(sim.credentials().mcp.password.expose()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_call_ends_with_the_code_of_its_error() {
    let (rig, sim) = (Rig::new(), router(Profile::HomeAp).await);
    rig.add("edge", &sim);
    let call = |tool: &str, arguments: Value, code: i32| {
        let done = rig.run(&["--json", "tool", "call", tool, "--args", &arguments.to_string()]);
        assert_eq!(done.code, code, "{tool} {arguments}: {done:?}");
        let result: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("the result object, whatever it says: {done:?}"));
        assert_eq!(result["isError"].as_bool().unwrap_or(false), code != 0, "{result}");
        if code != 0 {
            let error: Value = serde_json::from_str(&done.err).unwrap_or_else(|_| panic!("{done:?}"));
            assert_eq!(error["error"]["kind"], result["structuredContent"]["error"]["kind"]);
        }
        result
    };
    let rows = call("menu.read", json!({"device": "edge", "menu": "/ip/address"}), 0);
    assert!(rows["structuredContent"]["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "{rows}");
    call("menu.read", json!({"device": "edge", "menu": "/no/such"}), 66);
    // The home router has no `wireless` package.
    call("menu.read", json!({"device": "edge", "menu": "/interface/wireless"}), 66);
    call("menu.read", json!({"device": "nobody", "menu": "/ip/address"}), 66);
    call("menu.read", json!({"device": "edge"}), 64);
    call("menu.read", json!({"device": "edge", "menu": "/ip/address", "limit": "5"}), 64);
    call("menu.read", json!({"device": "edge", "menu": "/ip/address", "colour": 1}), 64);
    call("no.such", json!({}), 66);
    call("device.remove", json!({"device": "edge"}), 66);
    sim.faults().inject(Rule::once(Fault::GarbageJson).on("/system/clock"));
    let garbage = call("system.get_clock", json!({"device": "edge"}), 69);
    says(&garbage["structuredContent"]["error"]["message"], "web page");
    assert!(!garbage.to_string().contains("<html>"), "{garbage}");
    sim.faults().set_line(Line::Refuse);
    sim.cut_connections();
    call("system.get_clock", json!({"device": "edge"}), 69);
    sim.faults().clear();
    for bad in [&["--args", "{"][..], &["--args", "[]"], &["--arg", "device"]] {
        let done = rig.run(&[&["--json", "tool", "call", "device.get"][..], bad].concat());
        done.error(64);
    }
    let text = rig.run(&["tool", "call", "device.get", "--arg", "device=edge"]);
    assert!(text.code == 0 && text.out.contains("name: edge"), "{text:?}");
    let tools = rig.json(&["tool", "list"]);
    assert!(tools["tools"].as_array().unwrap().iter().all(|tool| tool["inputSchema"]["type"] == "object"), "{tools}");
    assert_eq!(rig.json(&["tool", "show", "menu.read"])["name"], "menu.read");
    rig.error(&["tool", "show", "device.remove"], 66);
}

/// Memory a server may have taken at its highest, in kB, in a build that was not optimised.
const MOST_MEMORY_KB: u64 = 150_000;
