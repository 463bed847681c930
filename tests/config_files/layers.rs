//! Files, variables and flags over one another, and how each is read.

use super::*;

#[test]
fn the_last_of_file_environment_file_variable_and_flag_wins() {
    let machine = Machine::new().file("config.toml", "[mcp]\nserver_name = \"file\"\n");
    assert_eq!(machine.good().config.mcp.server_name, "file");
    let machine =
        machine.beside("config.lab.toml", "[mcp]\nserver_name = \"lab\"\n").beside("config.prod.toml", "[mcp]\nserver_name = \"prod\"\n");
    assert_eq!(machine.good().config.mcp.server_name, "lab");
    let machine = machine.env("MCP_SERVER_NAME", "variable");
    assert_eq!(machine.good().config.mcp.server_name, "variable");
    let machine = machine.flag("mcp.server_name", "flag");
    assert_eq!(machine.good().config.mcp.server_name, "flag");
}

#[test]
fn the_environment_from_any_layer_chooses_the_second_file() {
    let base = || Machine::new().file("config.toml", "").beside("config.staging.toml", "[log]\nlevel = \"WARN\"\n");
    assert_eq!(shown(&base().load(), "log.level").0, "INFO");
    for machine in
        [base().env("MCP_ENV", "staging"), base().flag("environment", "staging"), base().file("config.toml", "environment = 'staging'")]
    {
        let (level, source) = shown(&machine.load(), "log.level");
        assert!(level == "WARN" && source.ends_with("config.staging.toml:2"), "{source}");
        assert_eq!(machine.good().view.files.len(), 2);
    }
}

#[test]
fn the_named_variable_finds_the_file_and_a_missing_one_is_an_error() {
    let mut machine = Machine::new().beside("other.toml", "read_only = true\n");
    let path = machine.path("other.toml").display().to_string();
    machine.inputs.env[0].1 = path;
    assert!(machine.good().config.read_only);
    machine.inputs.env[0].1 = "/no/such/file.toml".into();
    assert!(machine.one().contains("/no/such/file.toml: cannot be read"), "{}", machine.one());
}

#[test]
fn yaml_and_json_say_the_same_as_toml() {
    for (name, text) in [
        ("c.yaml", "mcp:\n  http_port: 9000\n  toolsets: [core, ip]\nplan:\n  confirm_timeout: 5m\nroutesr: 1\n"),
        ("c.yml", "mcp: {http_port: 9000, toolsets: [core, ip]}\nplan: {confirm_timeout: 5m}\n\n\n\nroutesr: 1\n"),
        (
            "c.json",
            "{\"mcp\": {\n\"http_port\": 9000, \"toolsets\": [\"core\", \"ip\"]},\n\"plan\": {\"confirm_timeout\": \"5m\"},\n\n\n\"routesr\": 1}",
        ),
        ("c.toml", "routesr = 1\n[mcp]\nhttp_port = 9000\ntoolsets = ['core', 'ip']\n[plan]\nconfirm_timeout = '5m'\n"),
    ] {
        let machine = Machine::new().file(name, text);
        let line = text.lines().position(|line| line.contains("routesr")).unwrap() + 1;
        assert!(machine.one().contains(&format!("{name}:{line}: routesr: unknown key")), "{}", machine.one());
        let loaded = machine.load();
        assert_eq!(shown(&loaded, "mcp.http_port").0, 9000, "{name}");
        assert_eq!(shown(&loaded, "mcp.toolsets").0, serde_json::json!(["core", "ip"]), "{name}");
        assert_eq!(shown(&loaded, "plan.confirm_timeout").0, "5m", "{name}");
    }
}

#[test]
fn all_problems_come_at_once_each_with_place_allowed_values_and_nearest_name() {
    let text = "debgu = true\n[mcp]\nhttp_prot = 1\nhttp_port = 70000\nstdio_role = \"amdin\"\nenable_tools = \"false\"\n[pla]\nx = 1\n[log]\nlevel = 3\n";
    let machine = Machine::new()
        .file("config.toml", text)
        .env("ROUTEROS_MCP_MCP_HTTP_PROT", "1")
        .env("MCP_TRANSPORT", "carrier-pigeon")
        .flag("sotre.path", "/x");
    let problems = machine.problems();
    for want in [
        "config.toml:1: debgu: unknown key; did you mean debug?",
        "config.toml:3: mcp.http_prot: unknown key; did you mean mcp.http_port?",
        "config.toml:4: mcp.http_port: found 70000, allowed: 0 to 65535",
        "config.toml:5: mcp.stdio_role: found \"amdin\", allowed: read_only, ops_rw, admin; did you mean admin?",
        "config.toml:6: mcp.enable_tools: found \"false\", allowed: true or false",
        "config.toml:7: pla: unknown key; did you mean plan?",
        "config.toml:10: log.level: found 3, allowed: ERROR, WARN, INFO, DEBUG, TRACE",
        "env ROUTEROS_MCP_MCP_HTTP_PROT: unknown variable; did you mean ROUTEROS_MCP_MCP_HTTP_PORT?",
        "env MCP_TRANSPORT (alias of mcp.transport): found \"carrier-pigeon\", allowed: stdio, http, both",
        "flag sotre.path: unknown key; did you mean store.path?",
    ] {
        assert!(problems.iter().any(|problem| problem.ends_with(want)), "no {want:?} in {problems:#?}");
    }
    assert_eq!(problems.len(), 10, "{problems:#?}");
    let fault = Fault::from(machine.load().unwrap_err());
    assert_eq!(fault.kind, FaultKind::Config);
    assert_eq!(fault.said.lines().count(), 11, "{}", fault.said);
}

#[test]
fn a_broken_file_is_one_problem_and_hides_none_of_the_others() {
    let machine = Machine::new().file("config.toml", "environment = \"prod\"\n[mcp\nhttp_port = 1\n").env("ROUTEROS_MCP_NOPE_NOPE", "1");
    let problems = machine.problems();
    assert!(problems.iter().any(|p| p.contains("config.toml:2: line 2, column 5: ")), "{problems:#?}");
    assert!(problems.iter().any(|p| p.contains("ROUTEROS_MCP_NOPE_NOPE")), "{problems:#?}");
}

#[test]
fn a_word_may_be_written_in_any_case_and_production_is_prod() {
    let loaded = Machine::new()
        .env("ROUTEROS_MCP_ENVIRONMENT", "Production")
        .env("ROUTEROS_MCP_ENCRYPTION_KEY", MASTER)
        .env("ROUTEROS_MCP_LOG_LEVEL", "warning")
        .good();
    assert_eq!(loaded.config.environment, Environment::Prod);
    assert_eq!(loaded.config.log.level, routeros_mcp::host::log::Level::Warn);
}

#[test]
fn variables_take_the_usual_spellings_of_flags_and_lists() {
    for (text, want) in [("1", true), ("yes", true), ("ON", true), ("0", false), ("No", false), ("false", false)] {
        assert_eq!(Machine::new().env("MCP_ENABLE_PLAN_APPLY", text).good().config.mcp.enable_plan_apply, want, "{text}");
    }
    let tools =
        Machine::new().env("MCP_DISABLE_TOOLS", "firewall.*, dns.flush_cache  system_set_identity,").good().config.mcp.disable_tools;
    assert_eq!(tools, ["firewall.*", "dns.flush_cache", "system_set_identity"]);
    assert!(Machine::new().env("MCP_DISABLE_TOOLS", "").good().config.mcp.disable_tools.is_empty());
}

#[test]
fn an_empty_variable_is_no_value() {
    let machine = Machine::new()
        .env("MCP_HTTP_PORT", "")
        .env("OIDC_CLIENT_ID", "")
        .env("OIDC_CLIENT_SECRET", " ")
        .env("ROUTEROS_MCP_ENCRYPTION_KEY", "");
    let config = machine.good().config;
    assert_eq!((config.mcp.http_port, config.oidc.client_id, config.oidc.client_secret, config.encryption_key), (8080, None, None, None));
}

#[test]
fn two_variables_for_one_key_must_agree() {
    let agree = Machine::new().env("MCP_SERVER_NAME", "a").env("ROUTEROS_MCP_MCP_SERVER_NAME", "a");
    assert_eq!(agree.good().config.mcp.server_name, "a");
    let disagree = Machine::new().env("MCP_SERVER_NAME", "a").env("ROUTEROS_MCP_MCP_SERVER_NAME", "b");
    assert!(disagree.one().contains("two variables disagree: env MCP_SERVER_NAME"), "{}", disagree.one());
}

#[test]
fn variables_in_values_are_replaced_and_a_missing_one_is_an_error() {
    let text = "[mcp]\nserver_name = \"${SITE}-$${SITE}\"\nhttp_port = \"${PORT}\"\ntoolsets = [\"${SET}\"]\nenable_tools = \"${GONE}\"\n";
    let machine = Machine::new().file("config.toml", text).env("SITE", "north${PORT}").env("PORT", "9001").env("SET", "ip");
    assert!(machine.one().contains("config.toml:5: mcp.enable_tools: environment variable GONE is not set"), "{}", machine.one());
    let config = machine.env("GONE", "false").good().config;
    assert_eq!(config.mcp.server_name, "north${PORT}-${SITE}");
    assert_eq!((config.mcp.http_port, config.mcp.toolsets, config.mcp.enable_tools), (9001, vec!["ip".to_owned()], false));
}

#[test]
fn a_variable_that_a_value_names_may_be_called_anything() {
    let machine = Machine::new().file("config.toml", "[mcp]\nserver_name = \"${ROUTEROS_MCP_SITE}\"\n").env("ROUTEROS_MCP_SITE", "north");
    assert_eq!(machine.good().config.mcp.server_name, "north");
}

#[test]
fn directories_follow_the_data_dir() {
    let machine = Machine::new();
    let loaded = machine.good();
    let state = machine.path("state");
    assert_eq!((loaded.state_dir.as_path(), loaded.runtime_dir), (state.as_path(), state.join("run")));
    assert_eq!((loaded.config.store.path, loaded.config.backup.path), (state.join("routeros-mcp.redb"), state.join("backups")));
    assert!(!state.exists(), "looking creates nothing");
}

#[test]
fn paths_in_a_file_are_meant_from_its_directory() {
    let machine = Machine::new().file("config.toml", "[store]\npath = \"here.redb\"\n");
    assert_eq!(machine.good().config.store.path, machine.path("here.redb"));
}
