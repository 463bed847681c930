//! Reads everything, in order, and gives either a configuration or all that is wrong with it.

use super::checks::Checks;
use super::file::Layer;
use super::keys::{CONFIG_FILE, KEYS};
use super::merge::{Around, Merged, merge};
use super::report::{Problem, Problems, Source, Weight};
use super::sections::Config;
use super::{Entry, View, environ, file, merge as merging, show};
use crate::base::tier::Environment;
use crate::host::paths::{Places, SYSTEM_CONFIG, is_root};
use std::path::{Path, PathBuf};

/// Everything a configuration is made of, as arguments, so that a test can be any machine.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// `--config`.
    pub config_flag: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// Keys that other flags set: full name and text.
    pub flags: Vec<(String, String)>,
    /// The environment variables. `ROUTEROS_MCP_CONFIG_FILE` set to nothing means "no file at all".
    pub env: Vec<(String, String)>,
}

impl Inputs {
    /// With this process's environment.
    pub fn from_process(config_flag: Option<PathBuf>, data_dir: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        let env = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Inputs { config_flag, data_dir, flags, env }
    }

    fn var(&self, name: &str) -> Option<String> {
        self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// The main file. One that somebody names must exist.
    fn file(&self) -> Option<PathBuf> {
        if let Some(path) = &self.config_flag {
            return Some(path.clone());
        }
        match self.var(CONFIG_FILE) {
            Some(path) => Some(PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty()),
            None => Some(PathBuf::from(SYSTEM_CONFIG)).filter(|path| path.exists()),
        }
    }
}

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Typed, by section.
    pub config: Config,
    /// What the operator should know.
    pub warnings: Vec<Problem>,
    /// The state directory; not created yet.
    pub state_dir: PathBuf,
    /// The runtime directory; not created yet.
    pub runtime_dir: PathBuf,
    /// Each key with its value and source, for `config show`.
    pub view: View,
}

/// Reads the configuration. Touches nothing but the files it reads.
///
/// # Errors
/// Everything that is wrong, at once, with what could be read all the same.
pub fn load(inputs: &Inputs) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let places = places(inputs, &mut problems);
    let layers = read_layers(inputs, &mut problems);
    let credentials = inputs.var("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let around = Around { environment: layers.environment, state_dir: &places.state, credentials: credentials.as_deref() };
    let merged = merge(&layers.given, &around, &mut problems);
    // With a file missing, half of what these checks would say is not true.
    if !layers.unreadable {
        Checks { values: &merged, environment: layers.environment, state_dir: &places.state, problems: &mut problems }.run();
    }
    let view = view(&merged, layers.environment, layers.files, &places);
    finish(&merged, view, problems)
}

fn places(inputs: &Inputs, problems: &mut Vec<Problem>) -> Places {
    let found = Places::find(inputs.data_dir.as_deref(), |name| inputs.var(name), is_root());
    found.unwrap_or_else(|error| {
        problems.push(Problem::error(None, "--data-dir", error.to_string()));
        Places { state: PathBuf::from("."), runtime: PathBuf::from("run") }
    })
}

/// What all layers give, the strongest last.
struct Layers {
    given: Vec<merging::Given>,
    environment: Environment,
    files: Vec<PathBuf>,
    unreadable: bool,
}

fn read_layers(inputs: &Inputs, problems: &mut Vec<Problem>) -> Layers {
    let var = |name: &str| inputs.var(name);
    let base = inputs.file();
    let main = base.as_deref().map(|path| file::read(path, &var)).unwrap_or_default();
    let flags = environ::flags(&inputs.flags);
    // Which environment it is decides on the second file, and that one cannot change it.
    let outside = environ::variables(&inputs.env, &main.used);
    let chosen: Vec<_> = [&main.given, &outside.given, &flags.given].into_iter().flatten().cloned().collect();
    let (environment, _) = merging::environment(&chosen);
    let second = base.as_deref().and_then(|path| file::overlay(path, environment));
    let over = second.as_deref().map(|path| file::read(path, &var)).unwrap_or_default();
    let used = main.used.union(&over.used).cloned().collect();
    let outside = environ::variables(&inputs.env, &used);
    another_environment(&over, environment, problems);

    let unreadable = main.unreadable || over.unreadable;
    problems.extend(main.problems.into_iter().chain(over.problems).chain(outside.problems).chain(flags.problems));
    let given = main.given.into_iter().chain(over.given).chain(outside.given).chain(flags.given).collect();
    Layers { given, environment, files: base.into_iter().chain(second).collect(), unreadable }
}

/// `config.prod.toml` that says `environment = "lab"` is a slip of the hand.
fn another_environment(over: &Layer, environment: Environment, problems: &mut Vec<Problem>) {
    let (said, source) = merging::environment(&over.given);
    if source != Source::Default && said != environment {
        let text = format!("this file is for {}, and says {}", environment.as_str(), said.as_str());
        problems.push(Problem::error(Some(source), "environment", text));
    }
}

fn view(merged: &Merged, environment: Environment, files: Vec<PathBuf>, places: &Places) -> View {
    let entry = |key: &'static super::Key| {
        let value = show::masked(key, merged.value(key.name));
        Entry { key: key.name, value_shown: show::literal(key, &value), value, source: merged.source(key.name).clone() }
    };
    View {
        environment,
        files: files.iter().map(|path| absolute(path)).collect(),
        state_dir: places.state.clone(),
        runtime_dir: places.runtime.clone(),
        entries: KEYS.iter().map(entry).collect(),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn finish(merged: &Merged, view: View, mut problems: Vec<Problem>) -> Result<Loaded, Problems> {
    problems.sort_by_key(|problem| problem.weight);
    let config = typed(merged);
    if config.is_none() {
        let said = "a key and its typed section disagree: this is a mistake in the program";
        problems.insert(0, Problem::error(None, "configuration", said));
    }
    match config {
        Some(config) if problems.iter().all(|problem| problem.weight == Weight::Warning) => {
            Ok(Loaded { config, warnings: problems, state_dir: view.state_dir.clone(), runtime_dir: view.runtime_dir.clone(), view })
        }
        _ => Err(Problems { list: problems, view: Box::new(view) }),
    }
}

/// `None` only when the list of keys and the typed sections disagree. The reader's own words may hold secrets, so they stay here.
fn typed(merged: &Merged) -> Option<Config> {
    serde_json::from_value(merged.tree()).ok()
}
