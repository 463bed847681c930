//! Environment variables and flags: our own names, the operator's earlier ones, and those nobody knows.

use super::file::{named, unknown};
use super::keys::{self, CONFIG_FILE, Key, RETIRED, Retired, SERVER_VERSION};
use super::merge::{Given, What};
use super::node::Node;
use super::report::{Problem, Source, nearest};
use std::collections::BTreeSet;

/// How our own variables begin.
const PREFIX: &str = "ROUTEROS_MCP_";
/// Our version, which `MCP_SERVER_VERSION` is compared with.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the environment or the flags give.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// Values for known keys.
    pub given: Vec<Given>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads all variables; `used` are ones that `${VAR}` named, which may be called anything.
pub(super) fn variables(env: &[(String, String)], used: &BTreeSet<String>) -> Outside {
    let mut outside = Outside::default();
    for (name, value) in env {
        outside.variable(name, value, used);
    }
    outside
}

/// Reads flags: pairs of key and value.
pub(super) fn flags(flags: &[(String, String)]) -> Outside {
    let mut outside = Outside::default();
    for (name, value) in flags {
        match named(name) {
            Some((key, what)) => outside.give(key, what, value, Source::Flag(name.clone())),
            None => outside.problems.push(unknown(Source::Flag(name.clone()), name)),
        }
    }
    outside
}

impl Outside {
    fn variable(&mut self, name: &str, value: &str, used: &BTreeSet<String>) {
        let source = Source::Env { name: name.to_owned(), alias_of: None };
        if let Some((key, what)) = ours(name) {
            self.give(key, what, value, source);
        } else if let Some(key) = keys::KEYS.iter().find(|key| key.aliases.contains(&name)) {
            let source = Source::Env { name: name.to_owned(), alias_of: Some(key.name) };
            self.give(key, What::Value, value, source);
        } else if let Some(retired) = RETIRED.iter().find(|retired| retired.is(name)) {
            self.problems.push(Problem::warning(Some(source), name, "has no effect").hint(retired.instead));
        } else if name == SERVER_VERSION {
            self.version(value, source);
        } else if name.starts_with(PREFIX) && name != CONFIG_FILE && !used.contains(name) {
            self.problems.push(unknown_variable(name, source));
        }
    }

    fn give(&mut self, key: &'static Key, what: What, value: &str, source: Source) {
        self.given.push(Given { key, what, node: Node::Text(value.to_owned()), loose: true, source });
    }

    fn version(&mut self, value: &str, source: Source) {
        let value = value.trim();
        if !value.is_empty() && value != VERSION {
            let shown: String = value.chars().filter(|c| !c.is_control()).take(32).collect();
            let said = format!("says {shown}, and this is {VERSION}; the version cannot be set");
            self.problems.push(Problem::warning(Some(source), SERVER_VERSION, said));
        }
    }
}

impl Retired {
    fn is(&self, name: &str) -> bool {
        if self.prefix { name.starts_with(self.name) } else { name == self.name }
    }
}

/// The key a `ROUTEROS_MCP_…` variable sets.
fn ours(name: &str) -> Option<(&'static Key, What)> {
    if !name.starts_with(PREFIX) {
        return None;
    }
    let key = |name: &str| keys::KEYS.iter().find(|key| key.env_name() == name);
    if let Some(key) = key(name) {
        return Some((key, What::Value));
    }
    let key = key(name.strip_suffix("_FILE")?)?;
    key.is_secret().then_some((key, What::SecretFile))
}

fn unknown_variable(name: &str, source: Source) -> Problem {
    let known: Vec<String> = keys::KEYS.iter().map(Key::env_name).chain([CONFIG_FILE.to_owned()]).collect();
    // Distances are taken without the prefix, which all of them share.
    let rest = &name[PREFIX.len()..];
    let near = nearest(rest, known.iter().map(|known| &known[PREFIX.len()..])).map(|near| format!("{PREFIX}{near}"));
    // `HTTP_PORT` for `MCP_HTTP_PORT`: the section left out.
    let left_out = || known.iter().find(|known| known.ends_with(&format!("_{rest}"))).cloned();
    let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    Problem::error(Some(source), shown, "unknown variable").meant(near.or_else(left_out))
}
