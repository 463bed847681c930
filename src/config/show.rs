//! `config show` and `config default`.

use super::key::{Key, Standard};
use super::keys::KEYS;
use super::report::Source;
use super::value::without_userinfo;
use super::{Kind, View};
use crate::base::tier::Environment;
use serde_json::{Value, json};
use std::fmt::Write;

/// What stands for a secret.
const MASK: &str = "•••";

/// The effective configuration: text for people, or JSON.
///
/// Text has a line a key, `mcp.http_port = 8080  # default`; JSON is
/// `{"environment", "files", "state_dir", "runtime_dir", "keys": {"mcp.http_port": {"value", "source", "env"}}}`.
pub fn show(view: &View, as_json: bool) -> String {
    if as_json { format!("{:#}\n", shown(view)) } else { show_text(view) }
}

/// The effective configuration as JSON, secrets masked.
pub fn shown(view: &View) -> Value {
    let keys: serde_json::Map<String, Value> = view.entries.iter().map(|entry| (entry.key.to_owned(), entry_json(entry))).collect();
    json!({
        "environment": view.environment.as_str(),
        "files": view.files,
        "state_dir": view.state_dir,
        "runtime_dir": view.runtime_dir,
        "keys": keys,
    })
}

fn entry_json(entry: &super::Entry) -> Value {
    let key = super::find(entry.key);
    let names: Vec<String> = key.iter().flat_map(|key| env_names(key)).collect();
    json!({ "value": entry.value, "source": entry.source.to_string(), "env": names })
}

fn env_names(key: &Key) -> Vec<String> {
    std::iter::once(key.env_name()).chain(key.aliases.iter().map(|alias| (*alias).to_owned())).collect()
}

fn show_text(view: &View) -> String {
    let files: Vec<String> = view.files.iter().map(|path| path.display().to_string()).collect();
    let mut out = String::new();
    let _ = writeln!(out, "# files: {}", if files.is_empty() { "none".into() } else { files.join(", ") });
    let _ = writeln!(out, "# state directory: {}", view.state_dir.display());
    let _ = writeln!(out, "# runtime directory: {}", view.runtime_dir.display());
    let lines: Vec<(String, String)> =
        view.entries.iter().map(|entry| (format!("{} = {}", entry.key, entry.value_shown), entry.source.to_string())).collect();
    // One overlong value must not push all the others to the right.
    let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|n| *n <= 56).max().unwrap_or(0);
    for (line, source) in lines {
        let _ = writeln!(out, "{line:width$}  # {source}");
    }
    out
}

/// A value that may be seen: secrets become `•••`, addresses lose user and password.
pub(super) fn masked(key: &Key, value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        _ if key.is_secret() => Value::from(MASK),
        Value::String(text) if matches!(key.kind, Kind::Url | Kind::Remote | Kind::Secure) => Value::from(without_userinfo(text)),
        other => other.clone(),
    }
}

/// A value as a TOML file would have it.
pub(super) fn literal(key: &Key, value: &Value) -> String {
    match value {
        Value::Null => "(not set)".into(),
        _ if key.is_secret() => MASK.into(),
        other => toml(other),
    }
}

/// What differs from the defaults, as a file that another box can be given, and the names of secrets left out of it.
///
/// Where the state is belongs to the box and is left out too.
pub fn portable(view: &View) -> (String, Vec<String>) {
    let (mut out, mut left_out) = (String::from("# What differed from the defaults when this was written.\n"), Vec::new());
    for entry in view.entries.iter().filter(|entry| entry.source != Source::Default && !entry.value.is_null()) {
        if super::find(entry.key).is_some_and(Key::is_secret) {
            let _ = writeln!(out, "# {} was set by {} and is not in here: enter it again.", entry.key, entry.source);
            left_out.push(entry.key.to_owned());
        } else {
            let _ = writeln!(out, "{} = {}", entry.key, entry.value_shown);
        }
    }
    (out, left_out)
}

fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".into(),
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(name, value)| format!("{} = {}", Value::from(name.as_str()), toml(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        // JSON's escapes of text, numbers and flags are TOML's too.
        other => other.to_string(),
    }
}

/// The commented file with every key, its default, unit and range.
///
/// Keys without a default, and paths that follow the state directory, are commented out.
pub fn default_file(environment: Environment) -> String {
    let mut out = String::from(HEAD);
    let mut section = "";
    for key in KEYS {
        if key.parts().0 != section {
            section = key.parts().0;
            let _ = write!(out, "\n[{section}]\n");
        }
        describe(&mut out, key, environment);
    }
    out
}

/// Every key with its default, what it is for, what it may be and its variables; paths below the state directory begin with `<state dir>`.
pub fn defaults(environment: Environment) -> Value {
    let default = |key: &Key| match (key.default, key.default_text(environment)) {
        (Standard::State(below), _) => Value::from(format!("<state dir>/{below}")),
        (_, Some(text)) => match key.kind {
            Kind::Flag | Kind::Int(..) | Kind::Real(..) => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
            Kind::List(_) => text.split(',').filter(|item| !item.is_empty()).collect(),
            Kind::Roles => json!({}),
            _ => Value::from(text),
        },
        (_, None) => Value::Null,
    };
    let entry = |key: &Key| json!({ "default": default(key), "about": key.about, "allowed": key.kind.allowed(), "env": env_names(key) });
    let keys: serde_json::Map<String, Value> = KEYS.iter().map(|key| (key.name.to_owned(), entry(key))).collect();
    json!({ "environment": environment.as_str(), "keys": keys })
}

const HEAD: &str = "\
# routeros-mcp: every key with its default.
#
# Read in this order, the last wins: this file, config.<environment>.toml beside it, environment variables, flags.
# A security key that stands in a file cannot be loosened from outside it; those say so.
# ${NAME} in a value is replaced by that environment variable. A secret may instead be given as <key>_file,
# by its environment variable, or as a systemd credential of the key's name; one source each.
";

fn describe(out: &mut String, key: &Key, environment: Environment) {
    let mut facts = vec![format!("allowed: {}", key.kind.allowed())];
    if key.default == Standard::Unset {
        facts.push("no default".into());
    }
    // Saying that lab's default is lab helps nobody.
    if let (Standard::By(lab, staging, prod), true) = (key.default, key.name != "environment") {
        facts.push(format!("default in lab {lab}, staging {staging}, prod {prod}"));
    }
    if key.guard.is_some() {
        facts.push("only the file may loosen it".into());
    }
    if key.live {
        facts.push("read again on SIGHUP".into());
    }
    let _ = write!(out, "\n# {}.\n# {}\n# env {}\n", key.about, facts.join("; "), env_names(key).join(", "));
    let name = key.parts().1;
    match (key.default, key.default_text(environment)) {
        (Standard::State(below), _) => {
            let _ = writeln!(out, "# {name} = \"<state dir>/{below}\"");
        }
        (_, Some(text)) => {
            let _ = writeln!(out, "{name} = {}", written(key, text));
        }
        (_, None) if key.is_secret() => {
            let _ = writeln!(out, "# {name} = \"\"\n# {name}_file = \"\"");
        }
        (_, None) => {
            let _ = writeln!(out, "# {name} = \"\"");
        }
    }
}

/// A default as a file has it: as it was written in the list, not as it is read (`24h`, not `1d`).
fn written(key: &Key, text: &str) -> String {
    match key.kind {
        Kind::Flag | Kind::Int(..) | Kind::Real(..) => text.to_owned(),
        Kind::List(_) => {
            let items: Vec<String> = text.split(',').filter(|item| !item.is_empty()).map(|item| toml(&Value::from(item))).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Roles => "{}".into(),
        _ => toml(&Value::from(text)),
    }
}
