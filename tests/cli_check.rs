//! `check`: what is wrong with the configuration, the state directory and what is to be put where, said before it matters.

use crate::cli_rig::{Rig, router, says};
use routeros_mcp::sim::faults::Line;
use routeros_mcp::sim::profiles::Profile;
use rustix::process::Signal;
use serde_json::json;

/// Somebody who may open a backup, of age's own documentation.
const AGE: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_is_wrong_with_and_without_a_daemon() {
    let (rig, sim) = (Rig::new(), router(Profile::HomeAp).await);
    let fresh = rig.json(&["check"]);
    assert_eq!(fresh["ok"], true);
    assert!(fresh["warnings"].to_string().contains("no devices yet"), "{fresh}");
    let strict = rig.error(&["check", "--strict"], 78);
    says(&strict["message"], "1 warning");
    says(&strict["hint"], "no devices yet");
    rig.add("edge", &sim);
    assert_eq!(rig.json(&["check", "--strict"]), json!({"ok": true, "warnings": []}));
    sim.forget_requests();
    sim.faults().set_line(Line::Refuse);
    sim.cut_connections();
    says(&json!(rig.json(&["check"])["warnings"].to_string()), "reached");
    assert_eq!(rig.json(&["check", "--preflight", "--strict"])["ok"], true, "preflight needs no network");
    let daemon = rig.serve();
    for flags in [&["check"][..], &["check", "--preflight"]] {
        assert_eq!(rig.json(flags)["ok"], true);
    }
    assert_eq!(daemon.end_with(Signal::TERM).code, 0);
}

#[test]
fn everything_wrong_with_the_configuration_is_said_at_once() {
    let rig = Rig::new();
    let file = rig.file("bad.toml", "environment = \"moon\"\n[mcp]\nhttp_prt = 1\n[routeros]\nretry_attempts = 99\n");
    for command in [&["config", "check"][..], &["check"], &["device", "list"], &["serve"], &["stdio"]] {
        let error = rig.error(&[&["--config", file.as_str()], command].concat(), 78);
        let text = error.to_string();
        for part in ["environment", "moon", "http_prt", "http_port", "retry_attempts", "99", "bad.toml:1", "bad.toml:3"] {
            assert!(text.contains(part), "no `{part}` in {text}");
        }
    }
    assert!(!rig.state().exists(), "nothing was made");
    let good = rig.file("good.toml", "environment = \"lab\"\n");
    assert_eq!(rig.run(&["--config", &good, "config", "check"]).code, 0);
    assert_eq!(rig.error(&["--config", "absent.toml", "config", "check"], 78)["kind"], "config");
    let typo = Rig::new().with("ROUTEROS_MCP_READ_ONYL", "true");
    says(&typo.error(&["config", "check"], 78)["message"], "READ_ONLY");
    let unknown_tool = Rig::new().with("ROUTEROS_MCP_MCP_DISABLE_TOOLS", "no.such");
    says(&unknown_tool.error(&["check"], 78)["message"], "no.such");
    let several = Rig::new().with("ROUTEROS_MCP_MCP_DISABLE_TOOLS", "no.such,device.lst,nothing.*,device.list");
    for command in [&["check"][..], &["config", "check"]] {
        let said = several.error(command, 78)["message"].to_string();
        assert!(
            ["3 problems", "no.such", "device.lst", "did you mean device.list", "nothing.*"].iter().all(|part| said.contains(part)),
            "{said}"
        );
    }
    let with_others = several.with("ROUTEROS_MCP_READ_ONYL", "true");
    let said = with_others.error(&["check"], 78)["message"].to_string();
    assert!(["READ_ONLY", "no.such", "nothing.*"].iter().all(|part| said.contains(part)), "{said}");
}

#[test]
fn a_recipient_that_is_none_and_a_place_no_backup_can_be_put_are_told_before_one_is_due() {
    let rig = Rig::new();
    let settings = |more: &str| format!("[backup]\nenabled = true\n{more}\n");
    let file = rig.file("bad.toml", settings("recipients = [\"age1bad\"]"));
    for command in ["check", "serve"] {
        let said = rig.error(&["--config", &file, command], 78).to_string();
        assert!(said.contains("bad.toml:3") && said.contains("backup.recipients"), "{said}");
    }
    let file = rig.file("nowhere.toml", settings(&format!("recipients = [\"{AGE}\"]\npath = \"/proc/nowhere\"")));
    let warned = rig.json(&["--config", &file, "check"])["warnings"].to_string();
    assert!(warned.contains("nowhere.toml:4") && warned.contains("no backup can be written to /proc/nowhere"), "{warned}");
    let file = rig.file("good.toml", settings(&format!("recipients = [\"{AGE}\"]")));
    let warned = rig.json(&["--config", &file, "check"])["warnings"].to_string();
    assert!(!warned.contains("backup"), "{warned}");
    assert!(!rig.state().join("backups").exists(), "it is left to whoever makes the first backup");
}

#[test]
fn a_lost_master_key_is_said_and_not_replaced() {
    let rig = Rig::new();
    rig.json(&["device", "list"]);
    std::fs::remove_file(rig.state().join("master.key")).unwrap();
    let error = rig.error(&["device", "list"], 74);
    assert!(error["message"].as_str().unwrap().contains("is gone"), "{error}");
    assert!(!rig.state().join("master.key").exists(), "a new key would open nothing");
}
