//! SIGHUP: what a running appliance takes of its configuration, what waits for the next start, and what is refused.

use crate::cli_rig::{PATIENCE, Rig, Running, finish};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Instant;

const FILE: &str = "config.toml";

/// A machine whose configuration is this file.
fn machine(text: &str) -> Rig {
    let rig = Rig::new();
    let path = rig.file(FILE, text);
    rig.with("ROUTEROS_MCP_CONFIG_FILE", &path)
}

/// The file says something else now, and the daemon is told.
fn rewritten(rig: &Rig, daemon: &Running, text: &str) {
    rig.file(FILE, text);
    daemon.signal(Signal::HUP);
}

/// The client hears that other tools are offered now.
fn hears_of_other_tools(client: &mut Running) {
    while client.hear()["method"] != "notifications/tools/list_changed" {}
}

/// The records of reloads, the last one first, once there are so many. Read without the file, which may be the one with errors.
fn reloads(rig: &Rig, count: usize) -> Vec<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut command = rig.command(&["audit", "export"]);
        command.env("ROUTEROS_MCP_CONFIG_FILE", "");
        let trail: Value = serde_json::from_str(&finish(command, "").out).unwrap();
        let records = trail["records"].as_array().unwrap().iter().rev();
        let found: Vec<Value> = records.filter(|record| record["tool"] == "config.reload").cloned().collect();
        if found.len() >= count {
            return found;
        }
        assert!(Instant::now() < until, "{count} reloads in {trail}");
    }
}

#[test]
fn a_switch_in_the_file_counts_for_the_next_call_of_an_open_session_and_can_be_taken_back() {
    let rig = machine("[mcp]\nstdio_role = \"ops_rw\"\n");
    let daemon = rig.serve();
    let mut client = rig.stdio();
    assert_eq!(client.call("device.list", json!({}))["isError"], false);
    rewritten(&rig, &daemon, "[mcp]\nstdio_role = \"ops_rw\"\ndisable_tools = [\"device.list\"]\n");
    hears_of_other_tools(&mut client);
    let refused = client.call("device.list", json!({}));
    assert!(refused["isError"] == true && refused.to_string().contains("mcp.disable_tools"), "{refused}");
    let record = &reloads(&rig, 1)[0];
    assert_eq!((&record["outcome"], &record["role"]), (&json!("ok"), &json!("admin")), "{record}");
    let given = record["arguments"].to_string();
    assert!(given.contains("mcp.disable_tools") && given.contains("device.list"), "{record}");
    rewritten(&rig, &daemon, "[mcp]\nstdio_role = \"ops_rw\"\n");
    hears_of_other_tools(&mut client);
    assert_eq!(client.call("device.list", json!({}))["isError"], false);
    assert_eq!(daemon.end_with(Signal::TERM).code, 0);
}

#[test]
fn a_configuration_with_errors_changes_nothing_and_says_what_is_wrong() {
    let rig = machine("read_only = true\n");
    let daemon = rig.serve();
    let mut client = rig.stdio();
    rewritten(&rig, &daemon, "read_only = false\n[log]\nlevel = \"LOUD\"\n");
    let record = &reloads(&rig, 1)[0];
    assert_eq!((&record["outcome"], &record["error_kind"]), (&json!("config"), &json!("config")), "{record}");
    assert!(record["arguments"].to_string().contains("log.level"), "{record}");
    let plan = client.call("plan.create", json!({"devices": ["edge"], "operations": []}));
    assert!(plan["isError"] == true && plan.to_string().contains("read only"), "{plan}");
    let done = daemon.end_with(Signal::TERM);
    assert!(done.code == 0 && done.err.contains("log.level") && done.err.contains("the one in use stays"), "{done:?}");
}

#[test]
fn a_file_that_no_parser_reads_is_told_by_line_and_without_its_values() {
    let rig = machine("read_only = true\n");
    let daemon = rig.serve();
    rewritten(&rig, &daemon, "read_only = true\n[http]\npublic_url = canary-value-41\n");
    let record = &reloads(&rig, 1)[0];
    assert!(record["arguments"].to_string().contains("line 3"), "{record}");
    let done = daemon.end_with(Signal::TERM);
    let said = done.err.lines().find(|line| line.contains("the one in use stays")).unwrap();
    assert!(done.code == 0 && said.contains("line 3, column"), "{done:?}");
    assert!(!done.err.contains("canary-value-41") && !record.to_string().contains("canary-value-41"), "{done:?}");
}

#[test]
fn what_needs_a_start_is_named_and_waits_for_it_while_the_rest_counts() {
    let before = "[mcp]\nserver_name = \"north\"\n[log]\nlevel = \"INFO\"\n";
    let rig = machine(before);
    let daemon = rig.serve();
    rewritten(&rig, &daemon, "[mcp]\nserver_name = \"south\"\n[log]\nlevel = \"DEBUG\"\n[health_check]\ncpu_warning_percent = 50\n");
    let given = reloads(&rig, 1)[0]["arguments"].to_string();
    for said in ["log.level", "health_check.cpu_warning_percent", "from_next_start", "mcp.server_name"] {
        assert!(given.contains(said), "{said} in {given}");
    }
    // Back at the name of the start: nothing waits any more, and what was taken is taken back.
    rewritten(&rig, &daemon, before);
    let given = reloads(&rig, 2)[0]["arguments"].to_string();
    assert!(given.contains("log.level") && !given.contains("mcp.server_name"), "{given}");
    let done = daemon.end_with(Signal::TERM);
    assert!(done.code == 0 && done.err.contains("count from the next start: mcp.server_name"), "{done:?}");
    assert!(done.err.contains("in force now: log.level"), "{done:?}");
}

#[test]
fn a_file_that_is_gone_gives_nothing_back_that_it_took_away() {
    let rig = machine("read_only = true\n");
    let daemon = rig.serve();
    let mut client = rig.stdio();
    std::fs::rename(rig.at(FILE), rig.at("away")).unwrap();
    daemon.signal(Signal::HUP);
    assert_eq!(reloads(&rig, 1)[0]["outcome"], "config");
    // Another environment is judged by other rules: it waits for a start, and all else with it.
    rewritten(&rig, &daemon, "environment = \"staging\"\nread_only = false\n");
    let record = &reloads(&rig, 2)[0];
    assert!(record["outcome"] == "config" && record["arguments"].to_string().contains("environment"), "{record}");
    let plan = client.call("plan.create", json!({"devices": ["edge"], "operations": []}));
    assert!(plan["isError"] == true && plan.to_string().contains("read only"), "{plan}");
    let done = daemon.end_with(Signal::TERM);
    assert!(done.code == 0 && done.err.contains("the configuration in use stays"), "{done:?}");
}
