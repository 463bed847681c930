//! Requests that run in the console: `/execute`, `/export`, `/import`, stored scripts.

use super::front::{Answer, nothing, ret};
use super::params::Arguments;
use crate::sim::agenda;
use crate::sim::console::{Machine, Stop};
use crate::sim::refusal::Refusal;
use crate::sim::shared::Shared;
use crate::sim::world::Login;
use std::sync::Arc;
use std::time::Duration;

/// A script to run for a request.
#[derive(Debug)]
pub(super) struct Execution {
    login: Login,
    source: String,
    /// What it writes is the answer, or nothing is.
    answer: Said,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Runs on by itself; the answer is its job.
    Job,
    /// The answer is what it wrote.
    Text,
    /// The answer is empty.
    Nothing,
}

/// Runs a script in the name of who asked.
pub(super) async fn execute(shared: &Arc<Shared>, script: &Execution, limit: Duration) -> Result<Answer, Refusal> {
    let mut machine = Machine::new(shared, script.login.clone());
    let ran = match script.answer {
        Said::Job => {
            let started = machine.start(&script.source);
            agenda::settle(shared);
            shared.agenda.stir();
            started
        }
        _ => {
            let source = script.source.clone();
            let ran = agenda::attend(shared, machine.pace.clone(), Some(limit), async move { machine.said(&source).await });
            ran.await.unwrap_or(Err(Stop::Forever))
        }
    };
    match (ran, script.answer) {
        (Ok(_), Said::Nothing) => Ok(nothing()),
        (Ok(text), _) => Ok(ret(text.trim_end_matches('\n'))),
        (Err(Stop::Error(said)), _) if said.starts_with("not enough permissions") => Err(Refusal::server(said)),
        (Err(Stop::Error(said)), _) => Err(Refusal::bad(said)),
        (Err(Stop::Forever), _) => Err(Refusal::session_closed()),
        (Err(_), _) => Ok(nothing()),
    }
}

/// Commands that run in the console: `/execute`, `/export`, `/import`, a stored script.
pub(super) fn script(login: &Login, path: &str, word: &str, arguments: &Arguments) -> Option<Result<Execution, Refusal>> {
    let get = |name: &str| arguments.values.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let quoted = |text: &str| {
        let mut out = String::from("\"");
        for c in text.chars() {
            if matches!(c, '"' | '\\' | '$') {
                out.push('\\');
            }
            out.push(c);
        }
        out + "\""
    };
    let of = |source: String, answer| Some(Ok(Execution { login: login.clone(), source, answer }));
    match (path, word) {
        ("", "execute") => {
            if let Err(refusal) = login.need("write") {
                return Some(Err(refusal));
            }
            let Some(source) = get("script") else { return Some(Err(Refusal::missing("script"))) };
            // The name alone says it: `as-string:"false"` waits too.
            of(source.to_string(), if arguments.has("as-string") { Said::Text } else { Said::Job })
        }
        (path, "export") => {
            let Some(file) = get("file") else { return Some(Err(Refusal::missing("file"))) };
            let flags = ["compact", "terse", "verbose", "show-sensitive"].into_iter().filter(|f| arguments.has(f));
            of(format!("{path}/export file={} {}", quoted(file), flags.collect::<Vec<_>>().join(" ")), Said::Nothing)
        }
        ("", "import") => {
            let Some(file) = get("file-name") else { return Some(Err(Refusal::missing("file-name"))) };
            of(format!("/import file-name={}", quoted(file)), Said::Nothing)
        }
        ("/system/script", "run") => {
            let Some(which) = get(".id").or_else(|| get("number")).or_else(|| get("numbers")) else {
                return Some(Err(Refusal::missing(".id")));
            };
            of(format!("/system/script/run {}", quoted(which)), Said::Nothing)
        }
        ("/system/backup", "save") => of(format!("/system/backup/save name={}", quoted(get("name").unwrap_or("backup"))), Said::Nothing),
        _ => None,
    }
}
