//! Secrets: one source each, never repeated, masked where values are shown.

use super::*;

#[test]
fn a_secret_is_read_from_each_of_its_sources() {
    let key = |machine: Machine| (*machine.good().config.master_key().unwrap(), shown(&machine.load(), "encryption_key").1);
    let want = *b"planted-planted-planted-planted!";
    let (got, source) = key(Machine::new().file("config.toml", &format!("encryption_key = \"{MASTER}\"\n")));
    assert!(got == want && source.ends_with("config.toml:1"), "{source}");
    let (got, source) = key(Machine::new().file("config.toml", "encryption_key = \"${KEY}\"\n").env("KEY", MASTER));
    assert!(got == want && source.ends_with("config.toml:1"), "{source}");
    let (got, source) = key(Machine::new().file("config.toml", "encryption_key_file = \"key\"\n").beside("key", &format!("{MASTER}\n")));
    assert!(got == want && source.contains("/key (") && source.ends_with("config.toml:1)"), "{source}");
    let (got, source) = key(Machine::new().env("ROUTEROS_MCP_ENCRYPTION_KEY", MASTER));
    assert_eq!((got, source.as_str()), (want, "env ROUTEROS_MCP_ENCRYPTION_KEY"));
    let machine = Machine::new().beside("key", MASTER);
    let path = machine.path("key").display().to_string();
    assert_eq!(key(machine.env("ROUTEROS_MCP_ENCRYPTION_KEY_FILE", &path)).0, want);
    let machine = Machine::new().beside("encryption_key", MASTER);
    let dir = machine.dir.path().display().to_string();
    assert_eq!(key(machine.env("CREDENTIALS_DIRECTORY", &dir)), (want, "credential encryption_key".into()));
}

#[test]
fn two_sources_for_one_secret_are_an_error_that_names_both() {
    let inline = || {
        Machine::new()
            .file("config.toml", &format!("[oidc]\nclient_secret = \"{PLANTED}\"\n"))
            .beside("s", PLANTED)
            .beside("oidc.client_secret", PLANTED)
    };
    let machine = inline();
    let (path, dir) = (machine.path("s").display().to_string(), machine.dir.path().display().to_string());
    for (name, value) in [("OIDC_CLIENT_SECRET", PLANTED), ("ROUTEROS_MCP_OIDC_CLIENT_SECRET_FILE", &path)] {
        let said = inline().env(name, value).problems().join("\n");
        assert!(
            said.contains("oidc.client_secret: has 2 sources") && said.contains("config.toml:2") && !said.contains(PLANTED),
            "{name}: {said}"
        );
    }
    let said = machine.env("CREDENTIALS_DIRECTORY", &dir).one();
    assert!(said.contains("credential oidc.client_secret") && said.contains("config.toml:2"), "{said}");
}

#[test]
fn the_file_of_one_environment_replaces_a_secret_of_the_main_file() {
    let machine = Machine::new()
        .file("config.toml", "[oidc]\nclient_secret = \"old\"\n")
        .beside("config.lab.toml", "[oidc]\nclient_secret = \"new\"\n");
    assert_eq!(machine.good().config.oidc.client_secret.unwrap().expose(), "new");
}

#[test]
fn a_bad_secret_is_never_repeated() {
    for machine in [
        Machine::new().file("config.toml", &format!("encryption_key = \"{PLANTED}\"\n")),
        Machine::new().env("ROUTEROS_MCP_ENCRYPTION_KEY", PLANTED),
        Machine::new().file("config.toml", &format!("[oidc]\nclient_secret = [\"{PLANTED}\"]\n")),
        Machine::new().file("config.toml", "encryption_key_file = \"k\"\n").beside("k", PLANTED),
        Machine::new().file("config.toml", "encryption_key_file = \"missing\"\n"),
        Machine::new().file("config.toml", &format!("encryption_key = \"{PLANTED}\n")),
        Machine::new().file("config.toml", &format!("[oidc]\nclient_secrte = \"{PLANTED}\"\n")),
        Machine::new().file("c.json", &format!("{{\"encryption_key\": \"{PLANTED}\n\"}}")),
        Machine::new().file("c.yaml", &format!("encryption_key: \"{PLANTED}\n[")),
    ] {
        let problems = machine.load().unwrap_err();
        assert!(!format!("{problems} {problems:?}").contains(PLANTED), "{problems}");
    }
}

#[test]
fn show_masks_secrets_and_names_every_source() {
    let text = format!(
        "encryption_key = \"{MASTER}\"\n[oidc]\nclient_secret = \"{PLANTED}\"\nprovider_url = \"https://u:{PLANTED}@idp.example/x\"\n"
    );
    let machine = Machine::new().file("config.toml", &text).env("MCP_SERVER_NAME", "north").flag("log.format", "text");
    let loaded = machine.good();
    let (plain, json) = (config::show(&loaded.view, false), config::show(&loaded.view, true));
    for out in [&plain, &json, &format!("{loaded:?}").replace(&format!("https://u:{PLANTED}@"), "")] {
        assert!(!out.contains(PLANTED) && !out.contains(MASTER), "{out}");
    }
    assert!(plain.contains("encryption_key = •••") && plain.contains("config.toml:1"), "{plain}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["environment"], "lab");
    assert_eq!(json["keys"]["oidc.client_secret"]["value"], "•••");
    assert_eq!(json["keys"]["mcp.server_name"]["source"], "env MCP_SERVER_NAME (alias of mcp.server_name)");
    assert_eq!(json["keys"]["log.format"]["source"], "flag log.format");
    assert_eq!(json["keys"]["mcp.http_port"]["source"], "default");
    assert_eq!(json["keys"]["mcp.http_port"]["env"][1], "MCP_HTTP_PORT");
    assert_eq!(json["keys"].as_object().unwrap().len(), KEYS.len());
    assert_eq!(plain.lines().filter(|line| !line.starts_with('#')).count(), KEYS.len());
}

#[test]
fn show_works_on_a_configuration_with_problems() {
    let problems = Machine::new().env("MCP_TRANSPORT", "http").env("ROUTEROS_MCP_X_Y_Z", "1").load().unwrap_err();
    assert!(config::show(&problems.view, false).contains("mcp.transport = \"http\""));
}
