//! What the program says about itself, and a wrong command line.

use crate::cli_rig::{Rig, finish, says};
use serde_json::{Value, json};
use std::process::Command;

#[test]
fn a_wrong_command_line_is_64_in_words_and_in_json() {
    let rig = Rig::new();
    for (arguments, said, hint) in [
        (&["frobnicate"][..], "frobnicate", "Usage"),
        (&["device", "lst"], "lst", "list"),
        (&["device", "list", "--colour"], "--colour", "Usage"),
        (&["serve", "--once-ready-fd", "x"], "x", "--help"),
        (&["audit", "export", "--format", "xml"], "json", "--help"),
        (&["demo", "--devices", "0"], "0", "--help"),
        (&["completions", "tcsh"], "bash", "--help"),
        (&["device"], "", ""),
    ] {
        let people = rig.run(arguments);
        assert_eq!((people.code, people.out.as_str()), (64, ""), "{people:?}");
        assert!(people.err.contains(said), "{people:?}");
        let lines: Vec<&str> = people.err.lines().collect();
        assert!(lines.len() == 2 && lines[0].starts_with("routeros-mcp: ") && lines[1].starts_with("  hint: "), "{people:?}");
        let error = rig.error(arguments, 64);
        assert_eq!(error["kind"], "bad_input");
        says(&error["message"], said);
        says(&error["hint"], hint);
    }
    assert!(!rig.state().exists());
}

#[test]
fn help_and_version_need_no_state_and_exit_0() {
    let rig = Rig::new();
    for arguments in [&["--help"][..], &["--version"], &["help"], &["device", "add", "--help"], &["tool", "call", "-h"], &["version"]] {
        let done = rig.run(arguments);
        if arguments == ["help"] {
            assert_eq!(done.code, 64, "{done:?}");
            continue;
        }
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
        assert!(!done.out.is_empty());
    }
    let add = rig.run(&["device", "add", "--help"]).out;
    for flag in ["--password-file", "--password-stdin", "--password-ref", "--tls-fingerprint", "--ssh-fingerprint", "--plain-http", "--yes"]
    {
        assert!(add.contains(flag), "{flag}: {add}");
    }
    assert!(!rig.state().exists());
}

/// Each says in its own way what could not be printed.
#[test]
fn what_cannot_be_printed_is_74_and_a_reader_who_left_is_no_error() {
    let rig = Rig::new();
    let shell = |line: &str| {
        let mut shell = Command::new("sh");
        rig.prepare(&mut shell);
        shell.args(["-c", line, env!("CARGO_BIN_EXE_routeros-mcp")]);
        finish(shell, "")
    };
    for command in [
        "--json device list",
        "device list",
        "audit export",
        "version",
        "catalog",
        "config default",
        "check",
        "completions bash",
        "man",
        "--help",
        "device add --help",
        "token create --name a --role read_only",
    ] {
        let full = shell(&format!("\"$0\" --data-dir state {command} > /dev/full"));
        assert_eq!(full.code, 74, "{command}: {full:?}");
        assert!(full.err.contains("standard output cannot be written: no space left on device"), "{command}: {full:?}");
    }
    let json = shell("\"$0\" --data-dir state --json device list > /dev/full");
    assert_eq!(json.error(74)["kind"], "storage");
    for command in ["catalog", "audit export", "config default", "--help"] {
        let left = shell(&format!("{{ \"$0\" --data-dir state {command}; echo $? > code; }} | head -c 1 > /dev/null"));
        assert_eq!((left.err.as_str(), std::fs::read_to_string(rig.at("code")).unwrap().trim()), ("", "0"), "{command}");
    }
}

#[test]
fn bootstrap_prints_a_script_to_paste_and_keeps_nothing() {
    let rig = Rig::new();
    let made = rig.json(&["device", "bootstrap"]);
    let password = made["password"].as_str().unwrap();
    assert!(password.len() >= 24 && made["script"].as_str().unwrap().contains(password), "{made}");
    assert_ne!(rig.json(&["device", "bootstrap"])["password"], password);
    assert!(!rig.state().exists());
}

/// Every command and flag says what it does.
#[test]
fn every_command_and_flag_has_help() {
    fn walk(command: &clap::Command, path: &str, seen: &mut usize) {
        *seen += 1;
        assert!(command.get_about().is_some(), "{path} has no help");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path}: {} has no help", argument.get_id());
        }
        for sub in command.get_subcommands() {
            walk(sub, &format!("{path} {}", sub.get_name()), seen);
        }
    }
    let mut seen = 0;
    walk(&<routeros_mcp::cli::args::Cli as clap::CommandFactory>::command(), "routeros-mcp", &mut seen);
    assert!(seen > 20, "{seen}");
}

#[test]
fn version_has_the_shape_scripts_rely_on() {
    let rig = Rig::new();
    let version = rig.json(&["version"]);
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(version["tools_hash"].as_str().is_some_and(|hash| hash.starts_with("sha256:") && hash.len() == 71), "{version}");
    assert!(version["target"].as_str().is_some_and(|target| target.contains("linux")), "{version}");
    assert_eq!(version["schema"]["store"], routeros_mcp::store::SCHEMA);
    assert!(version.as_object().unwrap().contains_key("commit"), "{version}");
    assert_eq!(rig.run(&["version"]).out, format!("routeros-mcp {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_catalogue_is_the_same_on_every_run_and_lists_what_a_model_can_call() {
    let rig = Rig::new();
    let (one, two) = (rig.run(&["catalog"]), rig.run(&["catalog"]));
    assert_eq!((one.code, &one.out), (0, &two.out));
    let catalog: Value = serde_json::from_str(&one.out).unwrap();
    let names: Vec<&str> = catalog["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"menu.read") && !names.contains(&"device.add"), "{names:?}");
    let table = rig.run(&["catalog", "--markdown"]).out;
    assert_eq!(table.lines().count(), names.len() + 2);
    let listed = rig.json(&["tool", "list"]);
    for tool in listed["tools"].as_array().unwrap() {
        assert!(names.contains(&tool["name"].as_str().unwrap()), "{}", tool["name"]);
    }
}

#[test]
fn completions_and_the_man_page_know_the_commands() {
    let rig = Rig::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = rig.run(&["completions", shell]);
        assert!(done.code == 0 && done.out.contains("decommission"), "{shell}: {}", done.code);
    }
    let mut bash = Command::new("bash");
    rig.prepare(&mut bash);
    bash.args(["-n"]);
    if Command::new("bash").arg("--version").output().is_ok() {
        let checked = finish(bash, &rig.run(&["completions", "bash"]).out);
        assert_eq!((checked.code, checked.err.as_str()), (0, ""));
    } else {
        eprintln!("no bash here: its completions are not parsed");
    }
    let man = rig.run(&["man"]).out;
    assert!(man.contains(".TH routeros-mcp 1") && man.contains("decommission"), "{man}");
}

#[test]
fn the_default_configuration_is_accepted_as_a_file() {
    let rig = Rig::new();
    for environment in ["lab", "staging", "prod"] {
        let text = rig.run(&["config", "default", "--environment", environment]);
        assert_eq!(text.code, 0, "{text:?}");
        let file = rig.file(&format!("{environment}.toml"), &text.out);
        let done = rig.run(&["--config", &file, "config", "show"]);
        // For prod the master key is missing.
        assert_eq!(done.code, if environment == "prod" { 78 } else { 0 }, "{environment}: {done:?}");
    }
    assert_eq!(rig.error(&["config", "default", "--environment", "moon"], 64)["kind"], "bad_input");
    assert_eq!(rig.json(&["config", "check"]), json!({"ok": true, "warnings": []}));
}
