//! `registration …`: a router that registers itself is taken in from the command line alone, once its fingerprint was compared.

use crate::cli_rig::{Rig, says};
use routeros_mcp::routeros::pin::format_fingerprint;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use serde_json::json;

const OTHER: &str = "sha256:aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899";
const URL: &str = "https://192.0.2.9:8443";

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_router_is_taken_in_from_the_command_line_alone() {
    let rig = Rig::new();
    let sim = Sim::start(Options { plain: false, ..Options::new(Profile::Office, "office") }).await.unwrap();
    assert!(rig.run(&["registration", "list"]).out.contains("registration create"), "people are told what to do");
    let made = rig.run(&["registration", "create", "--name", "office", "--url", URL]);
    assert!(made.code == 0 && made.out.starts_with('#') && made.out.contains("/tool/fetch"), "{made:?}");
    let password = made.out.split("password=\"").nth(1).unwrap().split(['"', '\\']).next().unwrap().to_owned();
    assert!(made.err.contains("registration accept") && !made.err.contains(&password), "{made:?}");
    let row = rig.json(&["registration", "list"])[0].clone();
    let id = row["id"].as_str().unwrap();
    assert_eq!(row["state"], "waiting");
    says(&rig.error(&["registration", "accept", id, "--tls-fingerprint", OTHER], 75)["message"], "waiting");

    // What the script does on the router, and prints there.
    sim.world().set("/user", "mcp", "password", &password);
    let print = format_fingerprint(&sim.fingerprint());
    let report = format!("fingerprint {}\nport {}\nboard RB5009\nidentity edge\n", &print["sha256:".len()..], sim.https_port());
    let pasted = rig.run_with(&["--json", "registration", "paste", id], &report);
    assert!(pasted.code == 0 && pasted.out.contains(&print), "{pasted:?}");
    let listed = rig.run(&["registration", "list"]).out;
    assert!(listed.contains("pending") && listed.contains(&print), "{listed}");

    says(&rig.error(&["registration", "accept", id], 64)["message"], "--tls-fingerprint");
    rig.error(&["registration", "accept", id, "--tls-fingerprint", OTHER, "--address", "127.0.0.1"], 77);
    assert_eq!(rig.json(&["device", "list"]), json!([]), "nothing is taken in whose fingerprint differs");
    let device = rig.json(&["registration", "accept", id, "--tls-fingerprint", &print, "--address", "127.0.0.1", "--tag", "site=north"]);
    assert_eq!((&device["name"], &device["tags"]), (&json!("office"), &json!({"site": "north"})));
    assert_eq!(rig.json(&["registration", "list"])[0]["state"], "added");
    assert!(!rig.run(&["--json", "audit", "list"]).out.contains(&password));
    rig.holds_no_bytes(&password);
    sim.stop().await;
}

#[test]
fn a_registration_ends_when_it_is_revoked_and_mistakes_are_named() {
    let rig = Rig::new();
    let report = rig.file("report", format!("fingerprint {}\nport 443\n", &OTHER["sha256:".len()..]));
    let made = rig.json(&["registration", "create", "--name", "edge", "--url", URL, "--writes"]);
    let id = made["id"].as_str().unwrap();
    assert_eq!(rig.json(&["registration", "revoke", id])["state"], "revoked");
    rig.error(&["registration", "paste", id, "--report-file", &report], 75);
    let long = rig.file("long", "x".repeat(3_000));
    for (arguments, code, word) in [
        (&["registration", "create", "--name", "edge"][..], 64, "url"),
        (&["registration", "create", "--name", "edge", "--url", "ftp://x"], 64, "https"),
        (&["registration", "create"], 64, "--name"),
        (&["registration", "paste", "reg_none", "--report-file", &report], 66, "no such registration"),
        (&["registration", "paste", id, "--report-file", "absent.txt"], 64, "absent.txt"),
        (&["registration", "paste", id, "--report-file", &long], 64, "2048"),
        (&["registration", "paste", id], 64, "empty"),
        (&["registration", "revoke", "reg_none"], 66, "no such registration"),
    ] {
        says(&rig.error(arguments, code)["message"], word);
    }
}
