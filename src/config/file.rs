//! Configuration files: which ones, what they give, and `${VAR}` in their values.

use super::keys;
use super::merge::{Given, What};
use super::node::{self, Entry, Language, MAX_FILE_BYTES, Node};
use super::report::{Problem, Source, nearest};
use crate::base::tier::Environment;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How much of an unknown name a message repeats, in characters.
const SHOWN_CHARS: usize = 80;

/// What one file gave.
#[derive(Debug, Default)]
pub(super) struct Layer {
    /// Values for known keys, in order.
    pub given: Vec<Given>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The file could not be read, so that what is missing elsewhere may stand in it.
    pub unreadable: bool,
    /// Environment variables that `${VAR}` named.
    pub used: BTreeSet<String>,
}

/// Reads a file; `var` looks an environment variable up.
pub(super) fn read(path: &Path, var: &dyn Fn(&str) -> Option<String>) -> Layer {
    let mut layer = Layer::default();
    match text_of(path) {
        Err(said) => layer.broken(Problem::about_file(at(path, None), said)),
        Ok(text) => match node::parse(&text, Language::of(path)) {
            Err(errors) => {
                for error in errors {
                    layer.broken(syntax(path, &error));
                }
            }
            Ok(entries) => Walk { path, var, layer: &mut layer }.section("", entries),
        },
    }
    layer
}

fn syntax(path: &Path, error: &node::Unreadable) -> Problem {
    let said = match error.at {
        Some((line, column)) => format!("line {line}, column {column}: {}", error.said),
        None => error.said.clone(),
    };
    Problem::about_file(at(path, error.at.map(|at| at.0)), said)
}

fn text_of(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("is larger than {MAX_FILE_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| format!("is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

fn at(path: &Path, line: Option<usize>) -> Source {
    Source::File { path: path.to_owned(), line }
}

/// The file for one environment beside the main one: `site.prod.toml`, else `config.prod.toml`.
pub(super) fn overlay(base: &Path, environment: Environment) -> Option<PathBuf> {
    let stem = base.file_stem()?.to_str()?;
    let extension = base.extension().and_then(|e| e.to_str()).unwrap_or("toml");
    let names: &[&str] = match environment {
        Environment::Lab => &["lab"],
        Environment::Staging => &["staging"],
        Environment::Prod => &["prod", "production"],
    };
    let beside = |name: String| Some(base.with_file_name(name)).filter(|path| path != base && path.exists());
    let of = |stem: &str, extension: &str| names.iter().find_map(|name| beside(format!("{stem}.{name}.{extension}")));
    of(stem, extension).or_else(|| of(stem, "toml")).or_else(|| of("config", extension)).or_else(|| of("config", "toml"))
}

impl Layer {
    fn broken(&mut self, problem: Problem) {
        self.unreadable = true;
        self.problems.push(problem);
    }
}

/// Goes through a tree, section by section.
struct Walk<'w> {
    path: &'w Path,
    var: &'w dyn Fn(&str) -> Option<String>,
    layer: &'w mut Layer,
}

impl Walk<'_> {
    fn section(&mut self, section: &str, entries: Vec<Entry>) {
        for entry in entries {
            let name = if section.is_empty() { entry.name.clone() } else { format!("{section}.{}", entry.name) };
            self.entry(name, entry);
        }
    }

    fn entry(&mut self, name: String, entry: Entry) {
        let source = at(self.path, entry.line);
        if let Some((key, what)) = named(&name) {
            self.value(Given { key, what, node: entry.value, loose: false, source });
            return;
        }
        match entry.value {
            Node::Map(inner) if keys::is_section(&name) => self.section(&name, inner),
            // An empty section is what commenting out its last key leaves in YAML.
            Node::Null if keys::is_section(&name) => {}
            _ if keys::is_section(&name) => {
                self.layer.problems.push(Problem::error(Some(source), name, "is a section: it holds keys, not a value"));
            }
            _ => self.layer.problems.push(unknown(source, &name)),
        }
    }

    /// A value for a known key, with `${VAR}` replaced.
    fn value(&mut self, mut given: Given) {
        let mut missing = Vec::new();
        given.node = self.replaced(given.node, &mut given.loose, &mut missing);
        for said in &missing {
            let problem = Problem::error(Some(given.source.clone()), given.key.name, said.clone());
            self.layer.problems.push(problem.hint("set it, or write $${ for a plain ${"));
        }
        if missing.is_empty() {
            self.layer.given.push(given);
        }
    }

    fn replaced(&mut self, node: Node, loose: &mut bool, missing: &mut Vec<String>) -> Node {
        match node {
            Node::Text(text) if text.contains("${") => Node::Text(self.replaced_text(&text, loose, missing)),
            Node::List(items) => Node::List(items.into_iter().map(|item| self.replaced(item, loose, missing)).collect()),
            Node::Map(entries) => {
                let one = |entry: Entry| Entry { value: self.replaced(entry.value, loose, missing), ..entry };
                Node::Map(entries.into_iter().map(one).collect())
            }
            other => other,
        }
    }

    /// What was put in is not looked through again: a variable's value is data.
    fn replaced_text(&mut self, text: &str, loose: &mut bool, missing: &mut Vec<String>) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, after) = (&rest[..start], &rest[start + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                out.push_str(before);
                out.push_str("${");
                rest = after;
                continue;
            }
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                missing.push("a ${ without its }".into());
                return out;
            };
            *loose = true;
            rest = after;
            self.layer.used.insert(name.to_owned());
            match (self.var)(name) {
                Some(value) => out.push_str(&value),
                None => missing.push(format!("environment variable {} is not set", clean(name))),
            }
        }
        out.push_str(rest);
        out
    }
}

/// The key of a full name, which for a secret may also be `<key>_file`.
pub(super) fn named(name: &str) -> Option<(&'static keys::Key, What)> {
    let whole = keys::find(name).map(|key| (key, What::Value));
    whole.or_else(|| {
        let key = keys::find(name.strip_suffix("_file")?)?;
        key.is_secret().then_some((key, What::SecretFile))
    })
}

/// Every name a file may use.
pub(super) fn names() -> impl Iterator<Item = String> {
    let files = keys::KEYS.iter().filter(|key| key.is_secret()).map(|key| format!("{}_file", key.name));
    keys::KEYS.iter().map(|key| key.name.to_owned()).chain(files)
}

/// An unknown key, and the known one that was probably meant.
pub(super) fn unknown(source: Source, name: &str) -> Problem {
    let names: Vec<String> = names().collect();
    let sections = keys::KEYS.iter().map(|key| key.parts().0).filter(|section| !section.is_empty());
    let last = name.rsplit('.').next().unwrap_or(name);
    // The right word in the wrong section is the commonest slip of all.
    let moved = names.iter().find(|known| known.rsplit('.').next() == Some(last) && !matches!(last, "enabled" | "keep")).cloned();
    let near = nearest(name, names.iter().map(String::as_str).chain(sections)).or(moved);
    Problem::error(Some(source), clean(name), "unknown key").meant(near)
}

fn clean(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS).collect()
}
