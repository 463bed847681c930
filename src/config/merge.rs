//! Several layers become one value a key: the last wins, and a guarded key set in a file is not loosened from outside.

use super::keys::{KEYS, Key};
use super::node::Node;
use super::report::{Problem, Source};
use super::{secrets, value};
use crate::base::tier::Environment;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A value that somebody gave for a key.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// For which key.
    pub key: &'static Key,
    /// What it is.
    pub what: What,
    /// As it was written.
    pub node: Node,
    /// From where everything is text.
    pub loose: bool,
    /// By whom.
    pub source: Source,
}

/// Whether a value is meant or a file that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The value itself.
    Value,
    /// The path of a file with the secret.
    SecretFile,
}

/// Every key's value and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Merged(BTreeMap<&'static str, (Value, Source)>);

impl Merged {
    /// A key's value; `Null` when it is not set.
    pub fn value(&self, key: &str) -> &Value {
        self.0.get(key).map_or(&Value::Null, |(value, _)| value)
    }

    /// Where it comes from.
    pub fn source(&self, key: &str) -> &Source {
        self.0.get(key).map_or(&Source::Default, |(_, source)| source)
    }

    /// Whether somebody set it.
    pub fn is_set(&self, key: &str) -> bool {
        *self.source(key) != Source::Default
    }

    /// A flag's state.
    pub fn flag(&self, key: &str) -> bool {
        *self.value(key) == Value::Bool(true)
    }

    /// A word's or text's content; empty when it is not set.
    pub fn text(&self, key: &str) -> &str {
        self.value(key).as_str().unwrap_or("")
    }

    /// A list's texts; none when it is not set.
    pub fn texts(&self, key: &str) -> Vec<String> {
        self.value(key).as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// A number; 0 when it is not set.
    pub fn number(&self, key: &str) -> f64 {
        self.value(key).as_f64().unwrap_or(0.0)
    }

    /// Whether a list, table or text has nothing in it.
    pub fn is_empty(&self, key: &str) -> bool {
        match self.value(key) {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        }
    }

    /// The tree that the typed sections are read from.
    pub fn tree(&self) -> Value {
        let mut root = Map::new();
        for (name, (value, _)) in &self.0 {
            match name.split_once('.') {
                None => root.insert((*name).to_owned(), value.clone()),
                Some((section, key)) => {
                    let section = root.entry(section).or_insert_with(|| Value::Object(Map::new()));
                    section.as_object_mut().and_then(|section| section.insert(key.to_owned(), value.clone()))
                }
            };
        }
        Value::Object(root)
    }
}

/// What merging needs to know beside the values.
pub(super) struct Around<'a> {
    /// Whose defaults count.
    pub environment: Environment,
    /// Where paths of the appliance begin.
    pub state_dir: &'a Path,
    /// systemd's credentials.
    pub credentials: Option<&'a Path>,
}

/// Merges what was given, in order; what is wrong goes to `problems`, and the default stands in for it.
pub(super) fn merge(given: &[Given], around: &Around<'_>, problems: &mut Vec<Problem>) -> Merged {
    let mut merged = BTreeMap::new();
    for key in KEYS {
        let for_key: Vec<&Given> = given.iter().filter(|given| given.key.name == key.name).collect();
        let found = match key.is_secret() {
            true => secrets::resolve(key, &for_key, around.credentials, problems),
            false => last(key, &for_key, problems),
        };
        let value = found.unwrap_or_else(|| (default_value(key, around.environment, around.state_dir), Source::Default));
        merged.insert(key.name, value);
    }
    Merged(merged)
}

/// The default as a value.
pub(super) fn default_value(key: &Key, environment: Environment, state_dir: &Path) -> Value {
    if let super::key::Standard::State(below) = key.default {
        return Value::String(state_dir.join(below).display().to_string());
    }
    let text = key.default_text(environment);
    let value = text.and_then(|text| value::read(key, &Node::Text(text.to_owned()), true).ok());
    value.unwrap_or(Value::Null)
}

/// The environment that the given values choose: the last good one, else lab.
pub(super) fn environment(given: &[Given]) -> (Environment, Source) {
    let named = given.iter().filter(|given| given.key.name == "environment");
    let good = named.filter_map(|given| Some((value::read(given.key, &given.node, given.loose).ok()?, given.source.clone())));
    let last = good.filter_map(|(value, source)| Some((value.as_str()?.parse().ok()?, source))).next_back();
    last.unwrap_or((Environment::Lab, Source::Default))
}

/// The value that counts. Every bad one is reported, also those that a later layer would cover.
fn last(key: &'static Key, given: &[&Given], problems: &mut Vec<Problem>) -> Option<(Value, Source)> {
    let mut good: Vec<(Value, Source)> = Vec::new();
    for given in given {
        match value::read(key, &given.node, given.loose) {
            Ok(Value::Null) => {}
            Ok(value) => good.push((located(key, value, &given.source), given.source.clone())),
            Err(wrong) => {
                let said = format!("found {}, allowed: {}", wrong.found, wrong.allowed);
                problems.push(Problem::error(Some(given.source.clone()), key.name, said).meant(wrong.nearest));
            }
        }
    }
    two_names(key, &good, problems);
    loosened(key, &good, problems);
    good.pop()
}

/// Two variables for one key must agree: which one wins would be chance.
fn two_names(key: &'static Key, good: &[(Value, Source)], problems: &mut Vec<Problem>) {
    let names: Vec<&(Value, Source)> = good.iter().filter(|(_, source)| matches!(source, Source::Env { .. })).collect();
    if names.iter().any(|(value, _)| *value != names[0].0) {
        let list: Vec<String> = names.iter().map(|(_, source)| source.to_string()).collect();
        problems.push(Problem::error(None, key.name, format!("two variables disagree: {}", list.join(", "))).hint("keep one of them"));
    }
}

/// A guarded key that a file sets stays at least as strict.
fn loosened(key: &'static Key, good: &[(Value, Source)], problems: &mut Vec<Problem>) {
    let in_file = good.iter().rfind(|(_, source)| matches!(source, Source::File { .. }));
    let (Some(strict), Some((set, place)), Some((now, source))) = (key.guard, in_file, good.last()) else { return };
    if value::looser(strict, set, now) {
        let said = format!("{now} cannot loosen the {set} that {place} sets; a security key in the file is changed in the file alone");
        problems.push(Problem::error(Some(source.clone()), key.name, said));
    }
}

/// A relative path in a file is meant from that file's directory.
fn located(key: &Key, value: Value, source: &Source) -> Value {
    match (&key.kind, &value) {
        (super::key::Kind::Path, Value::String(path)) => Value::String(beside(source, path).display().to_string()),
        _ => value,
    }
}

/// A path as `source` means it.
pub(super) fn beside(source: &Source, path: &str) -> PathBuf {
    let path = PathBuf::from(path.trim());
    match source {
        Source::File { path: file, .. } => file.parent().map_or(path.clone(), |dir| dir.join(&path)),
        _ => std::path::absolute(&path).unwrap_or(path),
    }
}
