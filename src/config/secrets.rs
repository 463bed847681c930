//! Secrets: inline, from the environment, from a file of their own, or as a systemd credential; one source each.

use super::keys::Key;
use super::merge::{Given, What};
use super::node::Node;
use super::report::{Problem, Source};
use super::value;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest secret file that is read, in bytes: an RSA key in PEM is about 3,000.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Finds the one source of a secret and reads it. `None` when there is none, or when something is wrong.
pub(super) fn resolve(
    key: &'static Key,
    given: &[&Given],
    credentials: Option<&Path>,
    problems: &mut Vec<Problem>,
) -> Option<(Value, Source)> {
    let mut sources: Vec<(What, Source, Node)> = Vec::new();
    for given in given.iter().filter(|given| !is_empty(&given.node)) {
        // A file for one environment replaces what the main file says in the same way; that is one source.
        sources.retain(|(what, source, _)| !(*what == given.what && is_file(source) && is_file(&given.source)));
        sources.push((given.what, given.source.clone(), given.node.clone()));
    }
    let credential = credentials.and_then(|dir| credential(key, dir));
    if let Some((name, path)) = credential {
        sources.push((What::SecretFile, Source::Credential(name), Node::Text(path.display().to_string())));
    }
    if sources.len() > 1 {
        let list: Vec<String> = sources.iter().map(|(_, source, _)| source.to_string()).collect();
        let said = format!("has {} sources, and a secret may have one: {}", sources.len(), list.join(", "));
        problems.push(Problem::error(None, key.name, said));
        return None;
    }
    let (what, source, node) = sources.pop()?;
    read(key, what, source, node).map_err(|problem| problems.push(*problem)).ok()
}

fn is_file(source: &Source) -> bool {
    matches!(source, Source::File { .. })
}

fn is_empty(node: &Node) -> bool {
    matches!(node, Node::Null) || matches!(node, Node::Text(text) if text.trim().is_empty())
}

/// The credential of the key's name; `.` may be written `_`.
fn credential(key: &Key, dir: &Path) -> Option<(String, PathBuf)> {
    let names = [key.name.to_owned(), key.name.replace('.', "_")];
    names.into_iter().map(|name| (name.clone(), dir.join(name))).find(|(_, path)| path.is_file())
}

fn read(key: &'static Key, what: What, source: Source, node: Node) -> Result<(Value, Source), Box<Problem>> {
    let (node, source) = match (what, &node) {
        (What::SecretFile, Node::Text(path)) => from_file(key, path, source)?,
        _ => (node, source),
    };
    match value::read(key, &node, false) {
        Ok(value) => Ok((value, source)),
        Err(wrong) => Err(Box::new(Problem::error(Some(source), key.name, format!("must be {}", wrong.allowed)))),
    }
}

fn from_file(key: &'static Key, path: &str, source: Source) -> Result<(Node, Source), Box<Problem>> {
    let path = super::merge::beside(&source, path);
    let source = match source {
        Source::Credential(_) => source,
        named_by => Source::SecretFile(path.clone(), Box::new(named_by)),
    };
    match text_of(&path) {
        Ok(text) => Ok((Node::Text(text), source)),
        Err(said) => Err(Box::new(Problem::error(Some(source), key.name, said))),
    }
}

/// The file without the line end that editors and `echo` leave.
fn text_of(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut text = String::new();
    file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text).map_err(|error| format!("cannot be read: {error}"))?;
    if text.len() as u64 > MAX_SECRET_BYTES {
        return Err(format!("is larger than {MAX_SECRET_BYTES} bytes"));
    }
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() { Err("is empty".into()) } else { Ok(text.to_owned()) }
}
