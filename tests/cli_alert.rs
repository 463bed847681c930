//! `alert …` as a person and a script use it: what is told, where it goes, whether it arrives, and that its secret stays one.

use crate::alerts_rig::Logs;
use crate::cli_rig::{Rig, says};
use serde_json::json;

const SECRET: &str = "webhook-secret-of-the-tests-19";

#[tokio::test(flavor = "multi_thread")]
async fn a_test_alert_arrives_with_and_without_a_daemon_and_a_dead_channel_fails_the_command() {
    let mut logs = Logs::udp().await;
    let rig = Rig::new().with("ROUTEROS_MCP_ALERT_SYSLOG", &logs.url);
    let alone = rig.json(&["alert", "test"]);
    assert_eq!((&alone["channels"][0]["channel"], &alone["channels"][0]["delivered"]), (&json!("syslog"), &json!(true)), "{alone}");
    assert!(logs.next().await.contains("test"));
    let daemon = rig.serve();
    let people = rig.run(&["alert", "test"]);
    assert!(people.code == 0 && people.out.starts_with("channel") && people.out.contains("syslog"), "{people:?}");
    assert!(logs.next().await.contains("test"));
    let status = rig.json(&["alert", "status"]);
    assert!(status["channels"][0]["to"].as_str().is_some_and(|to| to.contains("127.0.0.1")), "{status}");
    let kinds = rig.run(&["alert", "status"]).out;
    assert!(kinds.contains("device_down") && kinds.contains("syslog"), "{kinds}");
    daemon.end_with(rustix::process::Signal::TERM);

    // Bound and let go: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let rig = rig.with("ROUTEROS_MCP_ALERT_SYSLOG", &format!("tcp://127.0.0.1:{port}"));
    let failed = rig.run(&["--json", "alert", "test"]);
    assert_eq!(failed.code, 69, "{failed:?}");
    assert!(failed.out.contains("\"delivered\":false") && failed.err.contains("1 of 1"), "{failed:?}");
}

#[test]
fn without_alerts_or_channels_people_are_told_what_to_do() {
    let rig = Rig::new();
    assert_eq!(rig.json(&["alert", "list"]), json!([]));
    assert_eq!(rig.json(&["alert", "list", "--live"]), json!([]));
    assert_eq!(rig.json(&["alert", "list", "--over"]), json!([]));
    assert_eq!(rig.run(&["alert", "list"]).out, "no alerts\n");
    assert!(rig.run(&["alert", "status"]).out.contains("alert.syslog"));
    says(&rig.error(&["alert", "test"], 64)["hint"], "alert.webhook_url");
    rig.error(&["alert", "list", "--live", "--over"], 64);
}

#[test]
fn the_secret_of_the_webhook_comes_from_a_file_and_is_sealed() {
    let rig = Rig::new().with("ROUTEROS_MCP_ALERT_WEBHOOK_URL", "https://127.0.0.1:1/hook");
    let file = rig.file("hook", format!("{SECRET}\n"));
    says(&rig.error(&["alert", "set-secret"], 64)["message"], "--value-file");
    let set = rig.json(&["alert", "set-secret", "--value-file", &file]);
    assert!(set["secret"] == "store" && set["warnings"][0].as_str().is_some_and(|said| said.contains("chmod 600")), "{set}");
    let status = rig.json(&["alert", "status"]);
    assert_eq!(status["channels"][0]["secret"], "store", "{status}");
    let typed = rig.run_with(&["alert", "set-secret", "--value-stdin"], &format!("{SECRET}\n"));
    assert!(typed.code == 0 && !typed.out.contains(SECRET) && !typed.err.contains(SECRET), "{typed:?}");
    let short = rig.file("short", "short\n");
    says(&rig.error(&["alert", "set-secret", "--value-file", &short], 64)["message"], "16");
    assert!(!rig.run(&["--json", "audit", "list"]).out.contains(SECRET));
    rig.holds_no_bytes(SECRET);
}
