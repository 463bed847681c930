//! All problems at once: each with its place, what is allowed, and the known name it resembles.

use crate::base::fault::{Fault, Kind};
use std::fmt;
use std::path::PathBuf;

/// How far two names may differ to be taken for a slip, as a share of the length: one edit in three letters.
const LETTERS_PER_EDIT: usize = 3;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A configuration file.
    File {
        /// Its path.
        path: PathBuf,
        /// The line, from 1, where the format tells.
        line: Option<usize>,
    },
    /// An environment variable.
    Env {
        /// Its name.
        name: String,
        /// The key it stands for, when the name is an alias.
        alias_of: Option<&'static str>,
    },
    /// A command-line flag for this key.
    Flag(String),
    /// A file with the secret alone, and who named it.
    SecretFile(PathBuf, Box<Source>),
    /// A systemd credential.
    Credential(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Source::File { path, line: None } => write!(f, "{}", path.display()),
            Source::Env { name, alias_of: None } => write!(f, "env {name}"),
            Source::Env { name, alias_of: Some(key) } => write!(f, "env {name} (alias of {key})"),
            Source::Flag(key) => write!(f, "flag {key}"),
            Source::SecretFile(path, named_by) => write!(f, "file {} ({named_by})", path.display()),
            Source::Credential(name) => write!(f, "credential {name}"),
        }
    }
}

impl Source {
    /// Whether its own words name this key or variable already.
    fn names(&self, key: &str) -> bool {
        match self {
            Source::Env { name, alias_of } => name == key || *alias_of == Some(key),
            Source::Flag(name) => name == key,
            _ => false,
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing starts.
    Error,
    /// Told; `check --strict` fails.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether it stops the start.
    pub weight: Weight,
    /// Where it stands.
    pub at: Option<Source>,
    /// The key or variable it is about.
    pub key: Option<String>,
    /// What is wrong, and what is allowed.
    pub said: String,
    /// What was probably meant, or what to do.
    pub hint: Option<String>,
}

impl Problem {
    /// Stops the start.
    pub fn error(at: Option<Source>, key: impl Into<String>, said: impl Into<String>) -> Self {
        Problem { weight: Weight::Error, at, key: Some(key.into()), said: said.into(), hint: None }
    }

    /// Is told only.
    pub fn warning(at: Option<Source>, key: impl Into<String>, said: impl Into<String>) -> Self {
        Problem { weight: Weight::Warning, ..Problem::error(at, key, said) }
    }

    /// About a file as a whole.
    pub fn about_file(at: Source, said: impl Into<String>) -> Self {
        Problem { weight: Weight::Error, at: Some(at), key: None, said: said.into(), hint: None }
    }

    /// Adds what was probably meant.
    #[must_use]
    pub fn meant(self, name: Option<String>) -> Self {
        match name {
            Some(name) => self.hint(format!("did you mean {name}?")),
            None => self,
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at.as_ref().filter(|at| **at != Source::Default) {
            write!(f, "{at}: ")?;
        }
        if let Some(key) = self.key.as_ref().filter(|key| !self.at.as_ref().is_some_and(|at| at.names(key))) {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.said)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// What keeps the appliance from starting.
#[derive(Debug, Clone, PartialEq)]
pub struct Problems {
    /// Everything that was found: errors first, warnings after.
    pub list: Vec<Problem>,
    /// What the configuration would be as far as it could be read, for `config show`.
    pub view: Box<super::View>,
}

impl Problems {
    /// The errors alone.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter().filter(|problem| problem.weight == Weight::Error)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.errors().count();
        write!(f, "the configuration has {count} problem{}", if count == 1 { "" } else { "s" })?;
        for problem in self.errors() {
            write!(f, "\n  {problem}")?;
        }
        for problem in self.list.iter().filter(|problem| problem.weight == Weight::Warning) {
            write!(f, "\n  warning: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problems> for Fault {
    fn from(problems: Problems) -> Fault {
        Fault::new(Kind::Config, problems.to_string()).hint("`routeros-mcp config default` prints every key with its range")
    }
}

/// The known name that `word` was probably meant to be.
pub fn nearest<'n>(word: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let word = word.to_ascii_lowercase();
    let limit = (word.chars().count() / LETTERS_PER_EDIT).max(1);
    let scored = known.map(|name| (distance(&word, &name.to_ascii_lowercase()), name));
    let best = scored.filter(|(score, _)| *score <= limit).min_by_key(|(score, _)| *score);
    best.map(|(_, name)| name.to_owned())
}

/// Letters inserted, left out, changed or swapped with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_kind_of_slip_once() {
        for (a, b, edits) in
            [("port", "port", 0), ("prot", "port", 1), ("por", "port", 1), ("sport", "port", 1), ("part", "port", 1), ("", "abc", 3)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    #[test]
    fn a_slip_finds_its_name_and_a_stranger_none() {
        let known = ["mcp.http_port", "mcp.http_host", "oidc.enabled"];
        assert_eq!(nearest("mcp.http_prot", known.into_iter()).as_deref(), Some("mcp.http_port"));
        assert_eq!(nearest("banana", known.into_iter()), None);
    }
}
