//! The configuration as an operator meets it: files, variables, flags, and everything that is wrong at once.

use routeros_mcp::base::fault::{Fault, Kind as FaultKind};
use routeros_mcp::base::tier::Environment;
use routeros_mcp::config::{self, Inputs, Item, KEYS, Key, Kind, Loaded, Problem, Problems, Weight};
use std::path::{Path, PathBuf};

/// A good 32-byte key, and the text that must never be seen again.
const MASTER: &str = "cGxhbnRlZC1wbGFudGVkLXBsYW50ZWQtcGxhbnRlZCE=";
/// A planted secret.
const PLANTED: &str = "hunter2-planted";
/// The contract lists this many keys, and one more from its appliance page; none may get lost.
const KEYS_AT_LEAST: usize = 122;

/// A directory with configuration files, and the machine around it.
struct Box_ {
    dir: tempfile::TempDir,
    inputs: Inputs,
}

impl Box_ {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let env = vec![("ROUTEROS_MCP_CONFIG_FILE".to_owned(), String::new()), ("HOME".to_owned(), "/home/u".to_owned())];
        let inputs = Inputs { config_flag: None, data_dir: Some(dir.path().join("state")), flags: vec![], env };
        Box_ { dir, inputs }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(mut self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).unwrap();
        self.inputs.config_flag.get_or_insert(self.dir.path().join(name));
        self
    }

    /// A file that is not the configuration.
    fn beside(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.inputs.env.push((name.into(), value.into()));
        self
    }

    fn flag(mut self, key: &str, value: &str) -> Self {
        self.inputs.flags.push((key.into(), value.into()));
        self
    }

    fn load(&self) -> Result<Loaded, Problems> {
        config::load(&self.inputs)
    }

    fn good(&self) -> Loaded {
        self.load().unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn problems(&self) -> Vec<String> {
        config::check(&self.inputs).iter().filter(|p| p.weight == Weight::Error).map(Problem::to_string).collect()
    }

    fn warnings(&self) -> Vec<String> {
        config::check(&self.inputs).iter().filter(|p| p.weight == Weight::Warning).map(Problem::to_string).collect()
    }

    /// The one problem there is.
    #[track_caller]
    fn one(&self) -> String {
        let problems = self.problems();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        problems[0].clone()
    }
}

/// `(value, source)` of a key, also when other things are wrong.
fn shown(of: &Result<Loaded, Problems>, key: &str) -> (serde_json::Value, String) {
    let view = match of {
        Ok(loaded) => &loaded.view,
        Err(problems) => &problems.view,
    };
    let entry = view.entries.iter().find(|entry| entry.key == key).unwrap();
    (entry.value.clone(), entry.source.to_string())
}

/// A value other than the default, as a variable and as TOML, and as `config show` has it.
fn another(key: &Key) -> (String, String, serde_json::Value) {
    let quoted = |text: &str| (text.to_owned(), format!("{text:?}"), serde_json::Value::from(text));
    let default = key.default_text(Environment::Lab).unwrap_or("");
    match key.kind {
        Kind::Flag => {
            let flipped = default != "true";
            (flipped.to_string(), flipped.to_string(), flipped.into())
        }
        Kind::Int(min, max, _) => {
            let n = if default == max.to_string() { min } else { max };
            (n.to_string(), n.to_string(), n.into())
        }
        Kind::Real(_, max, _) => (max.to_string(), format!("{max:.1}"), max.into()),
        Kind::Span(..) => quoted(if default == "5m" { "4m" } else { "5m" }),
        Kind::Size(..) => ("2KiB".into(), "2048".into(), 2048.into()),
        Kind::Word(words) => quoted(words.iter().find(|word| !word.eq_ignore_ascii_case(default)).unwrap()),
        Kind::Text | Kind::Name => quoted("something"),
        Kind::Host => quoted("::1"),
        Kind::Path => quoted("/some/where"),
        Kind::Url | Kind::Remote => quoted("https://example.net/x"),
        Kind::Route => quoted("/other"),
        Kind::SecretKey => (MASTER.into(), format!("{MASTER:?}"), "•••".into()),
        Kind::Secret => (PLANTED.into(), format!("{PLANTED:?}"), "•••".into()),
        Kind::Roles => ("noc=ops_rw".into(), "{ noc = \"ops_rw\" }".into(), serde_json::json!({"noc": "ops_rw"})),
        Kind::List(item) => {
            let one = match item {
                Item::Text => "something",
                Item::Word(words) => words[words.len() - 1],
                Item::Net => "10.0.0.0/8",
                Item::Tool => "firewall.*",
                Item::Origin => "https://example.net",
                Item::Recipient => "age1xyz",
            };
            (one.into(), format!("[{one:?}]"), serde_json::json!([one]))
        }
    }
}

fn as_toml(key: &Key, literal: &str) -> String {
    match key.parts() {
        ("", name) => format!("{name} = {literal}\n"),
        (section, name) => format!("[{section}]\n{name} = {literal}\n"),
    }
}

#[test]
fn every_key_is_read_from_file_variable_and_flag() {
    let mut read = 0;
    for key in KEYS {
        let (text, literal, value) = another(key);
        let file = Box_::new().file("config.toml", &as_toml(key, &literal));
        let (got, source) = shown(&file.load(), key.name);
        assert_eq!(got, value, "{} from a file: {:#?}", key.name, file.problems());
        assert!(source.contains("config.toml:"), "{}: {source}", key.name);
        let variable = Box_::new().env(&key.env_name(), &text);
        assert_eq!(shown(&variable.load(), key.name), (value.clone(), format!("env {}", key.env_name())));
        let flag = Box_::new().flag(key.name, &text);
        assert_eq!(shown(&flag.load(), key.name), (value, format!("flag {}", key.name)));
        // A value that the list allows and the typed section does not would say so here.
        let said = [file.problems(), variable.problems(), flag.problems()].concat().join("\n");
        assert!(!said.contains("mistake in the program"), "{}: {said}", key.name);
        read += 1;
    }
    eprintln!("{read} keys read from file, variable and flag");
    assert!(read >= KEYS_AT_LEAST, "only {read} keys");
}

#[test]
fn every_key_of_the_contract_is_in_the_list() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("ROUTEROS_SHARED").map_or(beside, PathBuf::from);
    let Ok(contract) = std::fs::read_to_string(shared.join("spec/config.md")) else {
        eprintln!("no contract beside the checkout: its key names are not compared");
        return;
    };
    let mut seen = 0;
    for row in contract.lines().filter(|line| line.starts_with("| `")) {
        let mut section = "";
        for word in row.split('`').skip(1).step_by(2) {
            let Some((before, name)) = word.split_once('.') else { continue };
            let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if !is_name(name) || !(before.is_empty() || is_name(before)) {
                continue;
            }
            section = if before.is_empty() { section } else { before };
            assert!(config::find(&format!("{section}.{name}")).is_some(), "{section}.{name}");
            seen += 1;
        }
    }
    eprintln!("{seen} mentions of keys compared");
    assert!(seen >= 110, "only {seen}");
}

#[test]
fn every_alias_sets_its_key_and_is_named() {
    let mut read = 0;
    for (key, alias) in KEYS.iter().flat_map(|key| key.aliases.iter().map(move |alias| (key, *alias))) {
        let (text, _, value) = another(key);
        let (got, source) = shown(&Box_::new().env(alias, &text).load(), key.name);
        assert_eq!((got, source), (value, format!("env {alias} (alias of {})", key.name)));
        read += 1;
    }
    eprintln!("{read} aliases");
    assert!(read >= 28, "only {read} aliases");
}

#[test]
fn the_contracts_aliases_are_all_known() {
    let names = "MCP_ENV MCP_SERVER_NAME MCP_SERVER_DESCRIPTION MCP_TRANSPORT MCP_TRANSPORT_MODE MCP_HTTP_HOST MCP_HTTP_PORT \
        MCP_HTTP_BASE_PATH MCP_ENABLE_TOOLS MCP_ENABLE_RESOURCES MCP_ENABLE_PROMPTS MCP_TOOL_TIERS MCP_DEFAULT_TOOL_TIER \
        MCP_TOKEN_BUDGET_WARNING_THRESHOLD MCP_TOKEN_BUDGET_ERROR_THRESHOLD MCP_RESOURCE_CACHE_ENABLED MCP_RESOURCE_CACHE_TTL_SECONDS \
        MCP_RESOURCE_CACHE_MAX_ENTRIES MCP_CLIENT_COMPATIBILITY_MODE MCP_LOG_UNKNOWN_CAPABILITIES MCP_DISABLE_TOOLS MCP_ENABLE_PLAN_APPLY \
        MCP_RBAC_MODE MCP_PLAN_APPROVAL_TIMEOUT_SECONDS OIDC_ISSUER OIDC_CLIENT_ID OIDC_CLIENT_SECRET OIDC_REDIRECT_URI";
    for name in names.split_whitespace() {
        assert!(KEYS.iter().any(|key| key.aliases.contains(&name)), "{name}");
    }
}

#[test]
fn variables_of_the_earlier_service_warn_and_say_what_replaces_them() {
    for (name, words) in [
        ("DATABASE_URL", "store.path"),
        ("DATABASE_POOL_SIZE", "pool"),
        ("ROUTEROS_MCP_DATABASE_URL", "store.path"),
        ("ROUTEROS_MCP_REDIS_HOST", "no Redis"),
        ("MCP_ENABLE_SAMPLING", "deprecated"),
        ("MCP_SERVER_VERSION", "cannot be set"),
    ] {
        let machine = Box_::new().env(name, "0.0.0-other");
        machine.good();
        let warnings = machine.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains(name) && warnings[0].contains(words), "{warnings:?}");
    }
    assert!(Box_::new().env("MCP_SERVER_VERSION", env!("CARGO_PKG_VERSION")).warnings().is_empty());
}

#[test]
fn the_last_of_file_environment_file_variable_and_flag_wins() {
    let machine = Box_::new().file("config.toml", "[mcp]\nserver_name = \"file\"\n");
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
    let base = || Box_::new().file("config.toml", "").beside("config.staging.toml", "[log]\nlevel = \"WARN\"\n");
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
    let mut machine = Box_::new().beside("other.toml", "read_only = true\n");
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
        let machine = Box_::new().file(name, text);
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
    let machine = Box_::new()
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
    let machine = Box_::new().file("config.toml", "environment = \"prod\"\n[mcp\nhttp_port = 1\n").env("ROUTEROS_MCP_NOPE_NOPE", "1");
    let problems = machine.problems();
    assert!(problems.iter().any(|p| p.contains("config.toml:2: line 2, column 5: ")), "{problems:#?}");
    assert!(problems.iter().any(|p| p.contains("ROUTEROS_MCP_NOPE_NOPE")), "{problems:#?}");
}

#[test]
fn a_word_may_be_written_in_any_case_and_production_is_prod() {
    let loaded = Box_::new()
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
        assert_eq!(Box_::new().env("MCP_ENABLE_PLAN_APPLY", text).good().config.mcp.enable_plan_apply, want, "{text}");
    }
    let tools = Box_::new().env("MCP_DISABLE_TOOLS", "firewall.*, dns.flush_cache  system_set_identity,").good().config.mcp.disable_tools;
    assert_eq!(tools, ["firewall.*", "dns.flush_cache", "system_set_identity"]);
    assert!(Box_::new().env("MCP_DISABLE_TOOLS", "").good().config.mcp.disable_tools.is_empty());
}

#[test]
fn an_empty_variable_is_no_value() {
    let machine = Box_::new()
        .env("MCP_HTTP_PORT", "")
        .env("OIDC_CLIENT_ID", "")
        .env("OIDC_CLIENT_SECRET", " ")
        .env("ROUTEROS_MCP_ENCRYPTION_KEY", "");
    let config = machine.good().config;
    assert_eq!((config.mcp.http_port, config.oidc.client_id, config.oidc.client_secret, config.encryption_key), (8080, None, None, None));
}

#[test]
fn two_variables_for_one_key_must_agree() {
    let agree = Box_::new().env("MCP_SERVER_NAME", "a").env("ROUTEROS_MCP_MCP_SERVER_NAME", "a");
    assert_eq!(agree.good().config.mcp.server_name, "a");
    let disagree = Box_::new().env("MCP_SERVER_NAME", "a").env("ROUTEROS_MCP_MCP_SERVER_NAME", "b");
    assert!(disagree.one().contains("two variables disagree: env MCP_SERVER_NAME"), "{}", disagree.one());
}

#[test]
fn variables_in_values_are_replaced_and_a_missing_one_is_an_error() {
    let text = "[mcp]\nserver_name = \"${SITE}-$${SITE}\"\nhttp_port = \"${PORT}\"\ntoolsets = [\"${SET}\"]\nenable_tools = \"${GONE}\"\n";
    let machine = Box_::new().file("config.toml", text).env("SITE", "north${PORT}").env("PORT", "9001").env("SET", "ip");
    assert!(machine.one().contains("config.toml:5: mcp.enable_tools: environment variable GONE is not set"), "{}", machine.one());
    let config = machine.env("GONE", "false").good().config;
    assert_eq!(config.mcp.server_name, "north${PORT}-${SITE}");
    assert_eq!((config.mcp.http_port, config.mcp.toolsets, config.mcp.enable_tools), (9001, vec!["ip".to_owned()], false));
}

#[test]
fn a_variable_that_a_value_names_may_be_called_anything() {
    let machine = Box_::new().file("config.toml", "[mcp]\nserver_name = \"${ROUTEROS_MCP_SITE}\"\n").env("ROUTEROS_MCP_SITE", "north");
    assert_eq!(machine.good().config.mcp.server_name, "north");
}

#[test]
fn a_secret_is_read_from_each_of_its_sources() {
    let key = |machine: Box_| (*machine.good().config.master_key().unwrap(), shown(&machine.load(), "encryption_key").1);
    let want = *b"planted-planted-planted-planted!";
    let (got, source) = key(Box_::new().file("config.toml", &format!("encryption_key = \"{MASTER}\"\n")));
    assert!(got == want && source.ends_with("config.toml:1"), "{source}");
    let (got, source) = key(Box_::new().file("config.toml", "encryption_key = \"${KEY}\"\n").env("KEY", MASTER));
    assert!(got == want && source.ends_with("config.toml:1"), "{source}");
    let (got, source) = key(Box_::new().file("config.toml", "encryption_key_file = \"key\"\n").beside("key", &format!("{MASTER}\n")));
    assert!(got == want && source.contains("/key (") && source.ends_with("config.toml:1)"), "{source}");
    let (got, source) = key(Box_::new().env("ROUTEROS_MCP_ENCRYPTION_KEY", MASTER));
    assert_eq!((got, source.as_str()), (want, "env ROUTEROS_MCP_ENCRYPTION_KEY"));
    let machine = Box_::new().beside("key", MASTER);
    let path = machine.path("key").display().to_string();
    assert_eq!(key(machine.env("ROUTEROS_MCP_ENCRYPTION_KEY_FILE", &path)).0, want);
    let machine = Box_::new().beside("encryption_key", MASTER);
    let dir = machine.dir.path().display().to_string();
    assert_eq!(key(machine.env("CREDENTIALS_DIRECTORY", &dir)), (want, "credential encryption_key".into()));
}

#[test]
fn two_sources_for_one_secret_are_an_error_that_names_both() {
    let inline = || {
        Box_::new()
            .file("config.toml", &format!("[oidc]\nclient_secret = \"{PLANTED}\"\n"))
            .beside("s", PLANTED)
            .beside("oidc.client_secret", PLANTED)
    };
    let machine = inline();
    let (path, dir) = (machine.path("s").display().to_string(), machine.dir.path().display().to_string());
    for (name, value) in [("OIDC_CLIENT_SECRET", PLANTED), ("ROUTEROS_MCP_OIDC_CLIENT_SECRET_FILE", &path), ("CREDENTIALS_DIRECTORY", &dir)]
    {
        let said = inline().env(name, value);
        let said = said.problems().join("\n");
        // Another box has another directory, and so no credential: look in this one's.
        if name != "CREDENTIALS_DIRECTORY" {
            assert!(
                said.contains("oidc.client_secret: has 2 sources") && said.contains("config.toml:2") && !said.contains(PLANTED),
                "{name}: {said}"
            );
        }
    }
    let said = machine.env("CREDENTIALS_DIRECTORY", &dir).one();
    assert!(said.contains("credential oidc.client_secret") && said.contains("config.toml:2"), "{said}");
}

#[test]
fn the_file_of_one_environment_replaces_a_secret_of_the_main_file() {
    let machine =
        Box_::new().file("config.toml", "[oidc]\nclient_secret = \"old\"\n").beside("config.lab.toml", "[oidc]\nclient_secret = \"new\"\n");
    assert_eq!(machine.good().config.oidc.client_secret.unwrap().expose(), "new");
}

#[test]
fn a_bad_secret_is_never_repeated() {
    for machine in [
        Box_::new().file("config.toml", &format!("encryption_key = \"{PLANTED}\"\n")),
        Box_::new().env("ROUTEROS_MCP_ENCRYPTION_KEY", PLANTED),
        Box_::new().file("config.toml", &format!("[oidc]\nclient_secret = [\"{PLANTED}\"]\n")),
        Box_::new().file("config.toml", "encryption_key_file = \"k\"\n").beside("k", PLANTED),
        Box_::new().file("config.toml", "encryption_key_file = \"missing\"\n"),
        Box_::new().file("config.toml", &format!("encryption_key = \"{PLANTED}\n")),
        Box_::new().file("config.toml", &format!("[oidc]\nclient_secrte = \"{PLANTED}\"\n")),
        Box_::new().file("c.json", &format!("{{\"encryption_key\": \"{PLANTED}\n\"}}")),
        Box_::new().file("c.yaml", &format!("encryption_key: \"{PLANTED}\n[")),
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
    let machine = Box_::new().file("config.toml", &text).env("MCP_SERVER_NAME", "north").flag("log.format", "text");
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
    let problems = Box_::new().env("MCP_TRANSPORT", "http").env("ROUTEROS_MCP_X_Y_Z", "1").load().unwrap_err();
    assert!(config::show(&problems.view, false).contains("mcp.transport = \"http\""));
}

#[test]
fn prod_refuses_what_it_must_and_is_stricter_by_default() {
    let prod = || Box_::new().file("config.toml", "environment = \"prod\"\n");
    let with_key = || prod().env("ROUTEROS_MCP_ENCRYPTION_KEY", MASTER);
    assert!(prod().one().contains("encryption_key: prod needs a named source"), "{}", prod().one());
    let config = with_key().good().config;
    assert_eq!(config.auth.session_idle.to_string(), "1h");
    assert_eq!(config.mcp.client_compatibility_mode, config::sections::Mode::Strict);
    let lab = Box_::new().good().config;
    assert_eq!(lab.auth.session_idle.to_string(), "12h");
    assert_eq!(lab.mcp.client_compatibility_mode, config::sections::Mode::Permissive);
    for (key, value) in [
        ("debug", "true"),
        ("routeros.verify_tls", "off"),
        ("mcp.rbac_mode", "permissive"),
        ("retention.audit_days", "364"),
        ("oidc.skip_verification", "true"),
    ] {
        let said = with_key().flag(key, value).one();
        assert!(said.starts_with(&format!("flag {key}: ")), "{said}");
        if key != "retention.audit_days" {
            Box_::new().flag(key, value).good();
        }
    }
    assert!(Box_::new().flag("environment", "staging").flag("oidc.skip_verification", "true").one().contains("outside lab"));
}

#[test]
fn a_security_key_in_the_file_cannot_be_loosened_from_outside() {
    let mut tried = 0;
    for (key, set, looser, stricter) in [
        ("environment", "'staging'", "lab", ""),
        ("read_only", "true", "false", ""),
        ("mcp.stdio_role", "'ops_rw'", "admin", "read_only"),
        ("mcp.rbac_mode", "'strict'", "permissive", ""),
        ("routeros.verify_tls", "'pin'", "off", "pin"),
        ("routeros.verify_tls", "'pin'", "ca", "pin"),
        ("auth.tokens", "false", "true", ""),
        ("auth.allow_anonymous_loopback", "false", "true", ""),
        ("auth.session_idle", "'2h'", "3h", "1h"),
        ("auth.session_max", "'2h'", "3h", "1h"),
        ("auth.lockout_attempts", "5", "6", "4"),
        ("auth.lockout_window", "'10m'", "9m", "11m"),
        ("oidc.audience", "'us'", "them", "us"),
        ("oidc.skip_verification", "false", "true", ""),
        ("oidc.clock_skew_seconds", "30", "31", "29"),
        ("plan.approval_timeout_seconds", "900", "901", "899"),
        ("plan.confirm_timeout", "'10m'", "11m", "9m"),
        ("plan.guard_timeout", "'90s'", "91s", "89s"),
        ("plan.self_approval", "'off'", "lab", "off"),
        ("plan.allow_extreme", "false", "true", ""),
        ("plan.max_devices", "5", "6", "4"),
        ("plan.batch_size", "5", "6", "4"),
        ("plan.batch_pause_seconds", "60", "59", "61"),
        ("update.check", "false", "true", ""),
        ("update.url", "'https://a.example/'", "https://b.example/", ""),
    ] {
        let key = config::find(key).unwrap();
        let machine = || Box_::new().file("config.toml", &as_toml(key, set));
        for outside in [machine().env(&key.env_name(), looser), machine().flag(key.name, looser)] {
            let said = outside.problems().join("\n");
            assert!(said.contains(key.name) && said.contains("cannot loosen") && said.contains("config.toml:"), "{}: {said}", key.name);
        }
        if !stricter.is_empty() {
            let said = machine().env(&key.env_name(), stricter).problems().join("\n");
            assert!(!said.contains("cannot loosen"), "{}: {said}", key.name);
        }
        // Where the file says nothing, outside may say what it likes.
        assert!(!Box_::new().env(&key.env_name(), looser).problems().join("\n").contains("cannot loosen"), "{}", key.name);
        tried += 1;
    }
    assert_eq!(tried, 25);
}

#[test]
fn exactly_the_contracts_security_keys_are_guarded() {
    let named = ["environment", "read_only", "encryption_key", "mcp.stdio_role", "mcp.rbac_mode", "routeros.verify_tls"];
    for key in KEYS {
        let want = named.contains(&key.name) || ["auth", "oidc", "plan", "update"].contains(&key.parts().0);
        assert_eq!(key.guard.is_some(), want, "{}", key.name);
    }
}

#[test]
fn a_file_for_lab_started_as_prod_says_what_it_leaves_lax() {
    let machine = Box_::new()
        .file("config.toml", "[auth]\nsession_idle = \"12h\"\n")
        .env("MCP_ENV", "prod")
        .env("ROUTEROS_MCP_ENCRYPTION_KEY", MASTER);
    assert!(
        machine.warnings().iter().any(|w| w.contains("auth.session_idle: \"12h\" is lab's default; prod's is \"1h\"")),
        "{:?}",
        machine.warnings()
    );
}

#[test]
fn what_this_build_lacks_is_said_and_defaults_never_trigger_it() {
    assert_eq!(Box_::new().warnings(), Vec::<String>::new());
    for (key, value) in [("update.check", "true"), ("backup.enabled", "true")] {
        let said = Box_::new().flag(key, value).problems().join("\n");
        assert!(said.contains(&format!("flag {key}: ")) && said.contains("not yet in this build"), "{key}: {said}");
    }
    for (key, value) in [("backup.keep", "3"), ("retention.job_days", "7")] {
        let machine = Box_::new().flag(key, value);
        machine.good();
        assert!(
            machine.warnings().len() == 1 && machine.warnings()[0].contains("not yet in this build"),
            "{key}: {:?}",
            machine.warnings()
        );
    }
}

#[test]
fn identity_is_never_looser_than_it_looks() {
    let oidc = |flags: &[(&str, &str)]| {
        let usual = [("oidc.enabled", "true"), ("oidc.client_id", "c"), ("oidc.audience", "a")];
        usual.iter().chain(flags).fold(Box_::new(), |machine, (key, value)| machine.flag(key, value))
    };
    let here = ("oidc.provider_url", "http://127.0.0.1:4000");
    let empty = oidc(&[here]);
    empty.good();
    assert!(empty.warnings().join("\n").contains("oidc.role_map: is empty"), "{:?}", empty.warnings());
    assert_eq!(oidc(&[here, ("oidc.role_map", "ops=ops_rw")]).warnings(), Vec::<String>::new());
    assert!(oidc(&[here, ("environment", "staging")]).problems().join("\n").contains("plain http is for lab only"));
    let skipped = Box_::new().flag("oidc.skip_verification", "true");
    skipped.good();
    assert!(skipped.warnings().join("\n").contains("tokens are verified always"), "{:?}", skipped.warnings());
    let anonymous = || Box_::new().flag("auth.allow_anonymous_loopback", "true");
    anonymous().good();
    assert!(
        anonymous().flag("environment", "prod").problems().join("\n").contains("auth.allow_anonymous_loopback: true is refused in prod")
    );
    let proxied = anonymous().flag("http.behind_proxy", "true").flag("http.trusted_proxies", "127.0.0.1");
    assert!(proxied.problems().join("\n").contains("refused with http.behind_proxy"));
}

#[test]
fn keys_that_need_each_other_are_checked_together() {
    for (flags, want) in [
        (&[("http.tls", "files")][..], "http.tls_key_file: http.tls = \"files\" needs it"),
        (&[("http.tls", "acme")][..], "acme.domains: http.tls = \"acme\" needs it"),
        (&[("oidc.enabled", "true")][..], "oidc.audience: oidc.enabled needs it"),
        (&[("update.check", "true")][..], "update.url: update.check needs it"),
        (&[("backup.enabled", "true")][..], "backup.recipients: backup.enabled needs it"),
        (&[("mcp.http_host", "192.0.2.1")][..], "not loopback needs http.tls or http.behind_proxy"),
        (&[("mcp.http_host", "::"), ("auth.tokens", "false")][..], "not loopback needs authentication"),
        (&[("token_budget.error_threshold", "4000")][..], "must not be below token_budget.warning_threshold"),
        (&[("metrics.port", "8080")][..], "is the listener's port"),
        (&[("metrics.port", "9436"), ("metrics.host", "0.0.0.0")][..], "must not go over an open line"),
    ] {
        let machine = flags.iter().fold(Box_::new(), |machine, (key, value)| machine.flag(key, value));
        let said = machine.problems().join("\n");
        assert!(said.contains(want), "{flags:?}: {said}");
    }
    let quiet = Box_::new().flag("resource_cache.enabled", "false").warnings().join("\n");
    assert!(quiet.contains("resources are on and their cache is off"), "{quiet}");
}

#[test]
fn what_a_certificate_authority_would_refuse_is_told_before_it_is_asked() {
    let machine = |domains: &str| Box_::new().flag("http.tls", "acme").flag("acme.domains", domains);
    for bad in [
        "192.0.2.1",
        "2001:db8::1",
        "*.example.com",
        "router",
        "a..example",
        "-a.example",
        "a_b.example",
        "münchen.example",
        "a.example:443",
    ] {
        let said = machine(bad).problems().join("\n");
        assert!(said.contains("acme.domains: ") && said.contains("is no name that a certificate authority checks"), "{bad}: {said}");
    }
    let plain = machine("a.example").flag("acme.directory_url", "http://127.0.0.1:14000/dir").problems().join("\n");
    assert!(plain.contains("acme.directory_url: must be https"), "{plain}");
    let one = machine("a.example").flag("acme.challenge", "http-01").flag("acme.http_port", "8080").problems().join("\n");
    assert!(one.contains("acme.http_port: is the listener's port"), "{one}");
    let told = machine("MCP.Example,xn--mnchen-3ya.example").flag("mcp.http_host", "0.0.0.0");
    let warned = told.warnings().join("\n");
    assert!(
        told.warnings().len() == 1 && warned.contains("authorities call port 443 for tls-alpn-01, and mcp.http_port is 8080"),
        "{warned}"
    );
    for (key, value) in [("acme.external_tls_port", "443"), ("mcp.http_port", "443"), ("acme.challenge", "http-01")] {
        let quiet = machine("a.example").flag("mcp.http_host", "0.0.0.0").flag(key, value).warnings();
        assert_eq!(quiet, Vec::<String>::new(), "{key}");
    }
    let inside = machine("a.example").flag("mcp.http_port", "443").warnings().join("\n");
    assert!(inside.contains("on loopback no certificate authority outside this box"), "{inside}");
}

#[test]
fn addresses_we_call_are_https_and_not_link_local() {
    for bad in ["http://a.example/", "https://169.254.169.254/", "https://[fe80::1]/", "ftp://a.example/", "a.example", "https://0.0.0.0/"]
    {
        assert!(Box_::new().flag("update.url", bad).one().contains("allowed: an https address"), "{bad}");
    }
    for good in ["https://a.example/x", "http://127.0.0.1:8080/", "http://localhost/", "http://[::1]/"] {
        Box_::new().flag("update.url", good).good();
    }
}

#[test]
fn directories_follow_the_data_dir() {
    let machine = Box_::new();
    let loaded = machine.good();
    let state = machine.path("state");
    assert_eq!((loaded.state_dir.as_path(), loaded.runtime_dir), (state.as_path(), state.join("run")));
    assert_eq!((loaded.config.store.path, loaded.config.backup.path), (state.join("routeros-mcp.redb"), state.join("backups")));
    assert!(!state.exists(), "looking creates nothing");
}

#[test]
fn paths_in_a_file_are_meant_from_its_directory() {
    let machine = Box_::new().file("config.toml", "[store]\npath = \"here.redb\"\n");
    assert_eq!(machine.good().config.store.path, machine.path("here.redb"));
}

#[test]
fn the_example_file_is_the_default_and_loads_clean() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/config.toml");
    let want = config::default_file(Environment::Lab);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&example, &want).unwrap();
    }
    let is = std::fs::read_to_string(&example).unwrap();
    assert!(is == want, "assets/config.toml is not what `config default` prints; BLESS=1 rewrites it");
    let machine = Box_::new().file("config.toml", &is);
    assert_eq!(machine.warnings(), Vec::<String>::new());
    let (from_file, without) = (machine.good(), Box_::new().good());
    for (a, b) in from_file.view.entries.iter().zip(&without.view.entries) {
        let tail = |value: &serde_json::Value| value.as_str().and_then(|text| text.rsplit('/').next().map(str::to_owned));
        assert!(a.value == b.value || tail(&a.value) == tail(&b.value), "{}: {} and {}", a.key, a.value, b.value);
    }
}

#[test]
fn the_default_file_of_each_environment_names_every_key_and_says_its_defaults() {
    for environment in [Environment::Lab, Environment::Staging, Environment::Prod] {
        let text = config::default_file(environment);
        for key in KEYS {
            let name = key.parts().1;
            assert!(text.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{name} = "))), "{}", key.name);
            assert!(text.contains(&key.env_name()), "{}", key.name);
        }
        let machine = Box_::new().file("config.toml", &text).env("ROUTEROS_MCP_ENCRYPTION_KEY", MASTER);
        assert_eq!(machine.good().config.environment, environment);
        assert_eq!(machine.warnings(), Vec::<String>::new());
    }
    // Taking every `#` away from a key without a default sets nothing, and breaks nothing.
    let bare: String = config::default_file(Environment::Lab)
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| rest.ends_with("= \"\"")).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    assert!(bare.contains("\nencryption_key_file = \"\"") && bare.contains("\ntls_cert_file = \"\""), "{bare}");
    assert_eq!(Box_::new().file("config.toml", &bare).warnings(), Vec::<String>::new());
    Box_::new().file("config.toml", &bare).good();
    assert!(config::default_file(Environment::Prod).contains("session_idle = \"1h\""));
    assert!(config::default_file(Environment::Lab).contains("session_idle = \"12h\""));
}
