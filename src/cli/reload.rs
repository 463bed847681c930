//! SIGHUP: certificates and configuration are read again. What cannot be read leaves the one in use as it is, and is told.

use crate::access::principal::Principal;
use crate::app::App;
use crate::base::fault::Kind;
use crate::config::{self, Entry, Inputs, Loaded, Problem, Problems, View};
use crate::host::log;
use crate::http::Listener;
use serde_json::{Map, Value, json};

/// Operation in the audit trail.
const OPERATION: &str = "config.reload";
/// Names of keys, or errors of files, told in one line; a rewritten file changes many.
const NAMED: usize = 12;

/// Reads again what was read at the start.
pub struct Reloader {
    inputs: Inputs,
    /// What is in force.
    view: View,
    log: Option<log::Handle>,
}

impl Reloader {
    /// From what the start read.
    pub fn new(inputs: Inputs, loaded: &Loaded, log: Option<log::Handle>) -> Self {
        Reloader { inputs, view: loaded.view.clone(), log }
    }

    /// Reads all of it; answers a line for the service manager.
    pub async fn reload(&mut self, app: &App, listener: &Listener) -> String {
        let certificate = match listener.reload() {
            Ok(true) => "certificate read again",
            Ok(false) => "no certificate to read again",
            Err(fault) => {
                tracing::error!("SIGHUP: {}; the certificate in use stays", fault.chain());
                "the certificate on disk cannot be used"
            }
        };
        let configuration = match config::load(&self.inputs) {
            Ok(loaded) => self.take(app, listener, loaded).await,
            Err(problems) => refused(app, &problems).await,
        };
        tracing::info!("SIGHUP: {certificate}; {configuration}");
        format!("serving; {configuration}")
    }

    async fn take(&mut self, app: &App, listener: &Listener, loaded: Loaded) -> String {
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        if let Some(why) = self.is_another(&loaded.view) {
            tracing::error!("SIGHUP: {why}; the configuration in use stays");
            let given = Map::from_iter([("refused".to_owned(), Value::from(why.as_str()))]);
            note(app, &given, Some(Kind::Config)).await;
            return format!("{why}: the configuration in use stays");
        }
        let (live, late) = self.changed(&loaded.view);
        if !late.is_empty() {
            tracing::warn!("SIGHUP: these count from the next start: {}", named(&late));
        }
        let at_start = if late.is_empty() { String::new() } else { format!("; from the next start: {}", named(&late)) };
        if live.is_empty() {
            return format!("the configuration in use stays{at_start}; secrets are read at a start alone");
        }
        // Written down first: what nobody can look up afterwards is not done.
        let (names, given) = (live.iter().map(|entry| entry.key).collect::<Vec<_>>(), self.given(&live, &late));
        if let Err(fault) = app.dispatch.note(&Principal::operator(), OPERATION, &given, None).await {
            tracing::error!("SIGHUP: {}; the configuration in use stays", fault.chain());
            return "the audit trail cannot be written: the configuration in use stays".into();
        }
        let view = self.with(&live);
        app.take(&loaded.config, &view, listener);
        if let Some(log) = &self.log {
            log.set_level(loaded.config.log.level);
        }
        self.view = view;
        format!("in force now: {}{at_start}", named(&names))
    }

    /// Why what was found is not the configuration of the start, changed: a file that is not there, or that we may not read any more,
    /// would give everything back that it took away, and another environment is judged by other rules.
    fn is_another(&self, found: &View) -> Option<String> {
        if let Some(gone) = self.view.files.iter().find(|file| !found.files.contains(file)) {
            return Some(format!("{} is gone, or cannot be read any more", gone.display()));
        }
        (found.environment != self.view.environment).then(|| "another environment counts from the next start".to_owned())
    }

    /// What is different on disk: what a running appliance takes, and the names of what it does not.
    fn changed(&self, found: &View) -> (Vec<Entry>, Vec<&'static str>) {
        let (mut live, mut late) = (Vec::new(), Vec::new());
        for (entry, before) in found.entries.iter().zip(&self.view.entries).filter(|(entry, before)| entry.value != before.value) {
            debug_assert_eq!(entry.key, before.key, "both are in the order of the list");
            if config::find(entry.key).is_some_and(|key| key.live) { live.push(entry.clone()) } else { late.push(entry.key) }
        }
        (live, late)
    }

    /// What is in force once these are.
    fn with(&self, live: &[Entry]) -> View {
        let mut view = self.view.clone();
        for entry in &mut view.entries {
            if let Some(new) = live.iter().find(|new| new.key == entry.key) {
                *entry = new.clone();
            }
        }
        view
    }

    /// For the trail: each key with its value before and now.
    fn given(&self, live: &[Entry], late: &[&str]) -> Map<String, Value> {
        let before = |key: &str| self.view.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value);
        let changed: Map<String, Value> =
            live.iter().map(|entry| (entry.key.to_owned(), json!({"from": before(entry.key), "to": entry.value}))).collect();
        Map::from_iter([("changed".to_owned(), changed.into()), ("from_next_start".to_owned(), json!(late))])
    }
}

/// Nothing of a configuration with errors counts.
async fn refused(app: &App, problems: &Problems) -> String {
    for problem in problems.errors() {
        tracing::error!("SIGHUP: {problem}");
    }
    let at: Vec<String> = problems.errors().map(place).collect();
    let given = Map::from_iter([("problems_at".to_owned(), json!(at))]);
    note(app, &given, Some(Kind::Config)).await;
    let at: Vec<&str> = at.iter().map(String::as_str).collect();
    format!("the configuration on disk has errors ({}), the one in use stays: `routeros-mcp check` tells them", named(&at))
}

/// The key, or what the parser says of a file that it cannot read: line and column, never a value.
fn place(problem: &Problem) -> String {
    problem.key.clone().unwrap_or_else(|| problem.to_string())
}

/// Writes down what is not done: nothing waits for that.
async fn note(app: &App, given: &Map<String, Value>, outcome: Option<Kind>) {
    if let Err(fault) = app.dispatch.note(&Principal::operator(), OPERATION, given, outcome).await {
        tracing::error!(cause = fault.chain(), "the audit trail does not have that the configuration on disk is not used");
    }
}

/// The first of many names.
fn named(names: &[&str]) -> String {
    let shown = names[..names.len().min(NAMED)].join(", ");
    if names.len() > NAMED { format!("{shown} and {} more", names.len() - NAMED) } else { shown }
}
