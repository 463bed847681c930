//! The configuration as an operator meets it: files, variables, flags, and everything that is wrong at once.

use crate::surroundings::shared;
use routeros_mcp::base::fault::{Fault, Kind as FaultKind};
use routeros_mcp::base::tier::Environment;
use routeros_mcp::config::{self, Inputs, Item, KEYS, Key, Kind, Loaded, Problem, Problems, Weight};
use std::path::{Path, PathBuf};

mod guards;
mod layers;
mod releases;
mod secrets;

/// A good 32-byte key, and the text that must never be seen again.
const MASTER: &str = "cGxhbnRlZC1wbGFudGVkLXBsYW50ZWQtcGxhbnRlZCE=";

/// A planted secret.
const PLANTED: &str = "hunter2-planted";

/// The contract lists this many keys, and one more from its appliance page; none may get lost.
const KEYS_AT_LEAST: usize = 122;

/// A directory with configuration files, and the machine around it.
struct Machine {
    dir: tempfile::TempDir,
    inputs: Inputs,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let env = vec![("ROUTEROS_MCP_CONFIG_FILE".to_owned(), String::new()), ("HOME".to_owned(), "/home/u".to_owned())];
        let inputs = Inputs { config_flag: None, data_dir: Some(dir.path().join("state")), flags: vec![], env };
        Machine { dir, inputs }
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
        Kind::Url | Kind::Remote | Kind::Secure => quoted("https://example.net/x"),
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
                Item::Recipient => "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
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
        let file = Machine::new().file("config.toml", &as_toml(key, &literal));
        let (got, source) = shown(&file.load(), key.name);
        assert_eq!(got, value, "{} from a file: {:#?}", key.name, file.problems());
        assert!(source.contains("config.toml:"), "{}: {source}", key.name);
        let variable = Machine::new().env(&key.env_name(), &text);
        assert_eq!(shown(&variable.load(), key.name), (value.clone(), format!("env {}", key.env_name())));
        let flag = Machine::new().flag(key.name, &text);
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
    let Some(contract) = shared("spec/config.md") else { return };
    let contract = std::fs::read_to_string(contract).unwrap();
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
        let (got, source) = shown(&Machine::new().env(alias, &text).load(), key.name);
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
        let machine = Machine::new().env(name, "0.0.0-other");
        machine.good();
        let warnings = machine.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains(name) && warnings[0].contains(words), "{warnings:?}");
    }
    assert!(Machine::new().env("MCP_SERVER_VERSION", env!("CARGO_PKG_VERSION")).warnings().is_empty());
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
    let machine = Machine::new().file("config.toml", &is);
    assert_eq!(machine.warnings(), Vec::<String>::new());
    let (from_file, without) = (machine.good(), Machine::new().good());
    let as_json = config::defaults(Environment::Lab);
    for (a, b) in from_file.view.entries.iter().zip(&without.view.entries) {
        let tail = |value: &serde_json::Value| value.as_str().and_then(|text| text.rsplit('/').next().map(str::to_owned));
        assert!(a.value == b.value || tail(&a.value) == tail(&b.value), "{}: {} and {}", a.key, a.value, b.value);
        let told = &as_json["keys"][a.key]["default"];
        assert_eq!(told.is_null(), b.value.is_null(), "{}: {told} and {}", a.key, b.value);
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
        let machine = Machine::new().file("config.toml", &text).env("ROUTEROS_MCP_ENCRYPTION_KEY", MASTER);
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
    assert_eq!(Machine::new().file("config.toml", &bare).warnings(), Vec::<String>::new());
    Machine::new().file("config.toml", &bare).good();
    assert!(config::default_file(Environment::Prod).contains("session_idle = \"1h\""));
    assert!(config::default_file(Environment::Lab).contains("session_idle = \"12h\""));
}
