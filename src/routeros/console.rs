//! What REST reads, read on the console over SSH: the same rows, counts and refusals.
//!
//! - Answers prove themselves. JSON (`:serialize`, 7.13 and newer) is whole or it is not; older consoles write lines that each
//!   carry a mark made for that one command. What is neither is the console's complaint (`complaint`): it exits 0 all
//!   the same, and a row may well contain such words, so words alone are never taken for an error.
//! - Which of the ways a console knows is asked of its version once a connection, and stepped down from when it stumbles.
//! - Conditions are decided here, on the rows that came; the router only helps to send fewer, where its comparison of
//!   quoted text is known to work.
//! - Values are spelt the console's way (`00:00:15`); `routeros::value` reads both.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>, and outputs recorded on 7.12 to 7.23

mod complaint;
mod dialect;

use crate::base::ids::{hex, random};
use crate::routeros::export::END;
use crate::routeros::fault::RouterError;
use crate::routeros::path::MenuPath;
use crate::routeros::query::Query;
use crate::routeros::row::Row;
use crate::routeros::script;
use crate::routeros::ssh::Ssh;
use crate::routeros::version::Version;
use complaint::Complaint;
use dialect::{Asked, Dialect, text};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an export may take: a slow board with thousands of rows.
const EXPORT_MAX: Duration = Duration::from_secs(120);
/// Menus remembered that take no `detail`.
const PLAIN_MAX: usize = 256;

/// Attributes by which the console is trusted to compare quoted text.
const COMPARED: &[&str] = &["address", "chain", "comment", "interface", "list", "mac-address", "name"];
/// Menus whose counters come with `stats` only.
const COUNTED: &[&str] = &[
    "/interface",
    "/ip/firewall/filter",
    "/ip/firewall/mangle",
    "/ip/firewall/nat",
    "/ip/firewall/raw",
    "/ipv6/firewall/filter",
    "/ipv6/firewall/mangle",
    "/ipv6/firewall/nat",
    "/ipv6/firewall/raw",
    "/queue/simple",
    "/queue/tree",
];

/// A router's console; clones share its connection and what was learnt of it.
#[derive(Clone)]
pub struct Console {
    ssh: Ssh,
    /// For one command.
    timeout: Duration,
    learnt: Arc<Mutex<Learnt>>,
}

#[derive(Debug, Default)]
struct Learnt {
    dialect: Option<Dialect>,
    /// It has answered in that dialect.
    proven: bool,
    /// Menus that take no `detail`: those without rows.
    plain: HashSet<MenuPath>,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Console").field(&self.ssh.at()).finish()
    }
}

impl Console {
    /// Over this connection, each command within `timeout`.
    pub fn new(ssh: Ssh, timeout: Duration) -> Self {
        Console { ssh, timeout, learnt: Arc::default() }
    }

    /// The connection.
    pub fn ssh(&self) -> &Ssh {
        &self.ssh
    }

    /// Logs in and has the console print the router's version: proof that commands are run for us.
    pub async fn version(&self) -> Result<Option<Version>, RouterError> {
        let line = script::put("/system/resource/get version");
        let output = self.exec(&line, self.timeout).await?;
        let version = Version::parse(&output);
        if version.is_none() {
            // A user who may not read this may still be let in.
            match Complaint::of(&output, &line).error(self.ssh.at()) {
                RouterError::Garbage { why } => return Err(RouterError::Garbage { why }),
                error => tracing::debug!(at = self.ssh.at(), %error, "the console does not tell its version"),
            }
        }
        let mut learnt = self.learnt();
        if learnt.dialect.is_none() {
            learnt.dialect = Some(Dialect::of(version));
        }
        Ok(version)
    }

    /// A menu's rows, as [`Rest::print`](crate::routeros::Rest::print) gives them.
    pub async fn print(&self, path: &MenuPath, query: &Query) -> Result<Vec<Row>, RouterError> {
        query.check()?;
        let conditions = conditions(query);
        let mut rows = self.whole(path, &conditions).await?;
        if rows.is_empty() {
            self.is_empty(path, &conditions).await?;
        }
        if wants_counters(path, query) {
            self.add_counters(path, &conditions, &mut rows).await?;
        }
        for row in &mut rows {
            // REST leaves an empty comment out.
            row.retain(|name, value| !(name == "comment" && value.is_empty()));
        }
        rows.retain(|row| query.keeps(row) && !row.is_empty());
        if !query.proplist.is_empty() {
            rows.iter_mut().for_each(|row| row.retain(|name, _| name == ".id" || query.proplist.iter().any(|wanted| wanted == name)));
        }
        Ok(rows)
    }

    /// Errs where a console that showed no row counts some: an answer that was cut off says as little.
    async fn is_empty(&self, path: &MenuPath, conditions: &[(&str, &str)]) -> Result<(), RouterError> {
        let line = script::put(&script::print(path, &["count-only"], conditions)?);
        match self.exec(&line, self.timeout).await?.trim().parse::<u64>() {
            Ok(n) if n > 0 => Err(RouterError::Garbage { why: format!("it shows no row, and counts {n}") }),
            // Menus without rows do not count.
            _ => Ok(()),
        }
    }

    /// How many rows the query meets.
    pub async fn count(&self, path: &MenuPath, query: &Query) -> Result<u64, RouterError> {
        query.check()?;
        if !query.is_whole() {
            return Ok(self.print(path, query).await?.len() as u64);
        }
        let line = script::put(&script::print(path, &["count-only"], &[])?);
        let output = self.exec(&line, self.timeout).await?;
        output.trim().parse().map_err(|_| Complaint::of(&output, &line).error(self.ssh.at()))
    }

    /// Runs a bounded command and gives its rows.
    pub async fn run(&self, path: &MenuPath, command: &str, args: &[(String, String)], within: Duration) -> Result<Vec<Row>, RouterError> {
        self.value(&script::call(path, command, args, &["as-value"])?, within).await
    }

    /// The whole configuration as text, one command a line, without secrets. What the router could not print stands in it
    /// as `#error exporting …`.
    pub async fn export(&self) -> Result<String, RouterError> {
        const LINE: &str = "/export terse";
        let is_one = |output: &str| output.trim_start().starts_with(['#', '/']);
        // A channel that closes has not said all for that: the line behind it tells.
        let output = self.exec(&format!("{LINE}; :put {}", script::quote(END)), EXPORT_MAX).await?;
        if is_one(&output) && output.trim() != END {
            return Ok(output);
        }
        let output = self.exec(LINE, EXPORT_MAX).await?;
        if is_one(&output) { Ok(output) } else { Err(Complaint::of(&output, LINE).error(self.ssh.at())) }
    }

    /// All rows; a menu without rows refuses `detail`.
    async fn whole(&self, path: &MenuPath, conditions: &[(&str, &str)]) -> Result<Vec<Row>, RouterError> {
        if !self.learnt().plain.contains(path) {
            let expression = script::print(path, &["detail", "as-value"], conditions)?;
            match self.attempt(&expression, self.timeout).await? {
                Ok(rows) => return Ok(rows),
                Err(complaint) if !complaint.is_about("detail") => return Err(complaint.error(self.ssh.at())),
                Err(_) => {}
            }
        }
        let rows = self.value(&script::print(path, &["as-value"], conditions)?, self.timeout).await?;
        let mut learnt = self.learnt();
        if learnt.plain.len() < PLAIN_MAX {
            learnt.plain.insert(path.clone());
        }
        Ok(rows)
    }

    /// Counters of the rows read, by `.id`; a menu that gives none leaves the rows as they are.
    async fn add_counters(&self, path: &MenuPath, conditions: &[(&str, &str)], rows: &mut [Row]) -> Result<(), RouterError> {
        let Ok(counted) = self.attempt(&script::print(path, &["stats", "as-value"], conditions)?, self.timeout).await? else {
            return Ok(());
        };
        let counted: HashMap<&str, &Row> = counted.iter().filter_map(|row| Some((row.id()?, row))).collect();
        for row in rows {
            let Some(more) = row.id().and_then(|id| counted.get(id)) else { continue };
            if more.iter().any(|(name, _)| row.get(name).is_none()) {
                *row = Row::from_pairs(more.iter().chain(row.iter()));
            }
        }
        Ok(())
    }

    async fn value(&self, expression: &str, within: Duration) -> Result<Vec<Row>, RouterError> {
        self.attempt(expression, within).await?.map_err(|complaint| complaint.error(self.ssh.at()))
    }

    /// The rows an expression gives, or what the console says against it; in the richest dialect it knows.
    async fn attempt(&self, expression: &str, within: Duration) -> Result<Result<Vec<Row>, Complaint>, RouterError> {
        let mut dialect = self.dialect().await?;
        loop {
            let complaint = match self.ask(dialect, expression, within).await? {
                Ok(rows) => {
                    let mut learnt = self.learnt();
                    (learnt.dialect, learnt.proven) = (Some(dialect), true);
                    return Ok(Ok(rows));
                }
                Err(complaint) => complaint,
            };
            let proven = self.learnt().proven;
            // Marked lines are a small program: until it has worked once, an unclear refusal may be about that.
            let unclear = dialect == Dialect::Marked && !proven && complaint.is_unclear();
            match dialect.lower() {
                Some(lower) if unclear || complaint.is_about_the_frame(proven) => dialect = lower,
                _ => return Ok(Err(complaint)),
            }
        }
    }

    async fn ask(&self, dialect: Dialect, expression: &str, within: Duration) -> Result<Result<Vec<Row>, Complaint>, RouterError> {
        let asked = Asked::new(dialect, expression, format!("~{}~", hex(&random::<12>())));
        let output = self.bytes(&asked.line, within).await?;
        asked.answer(&output)
    }

    /// What the console knows; asked anew for a new connection, since a router comes back upgraded.
    async fn dialect(&self) -> Result<Dialect, RouterError> {
        if !self.ssh.is_connected() {
            *self.learnt() = Learnt::default();
        }
        let known = self.learnt().dialect;
        match known {
            Some(dialect) => Ok(dialect),
            None => {
                self.version().await?;
                let learnt = self.learnt().dialect;
                Ok(learnt.unwrap_or(Dialect::Exact))
            }
        }
    }

    async fn exec(&self, line: &str, within: Duration) -> Result<String, RouterError> {
        Ok(text(&self.bytes(line, within).await?))
    }

    async fn bytes(&self, line: &str, within: Duration) -> Result<Vec<u8>, RouterError> {
        let output = self.ssh.exec(line, within).await?;
        // RouterOS has no error stream; whoever uses it complains there.
        Ok(if output.stdout.trim_ascii().is_empty() && !output.stderr.is_empty() { output.stderr } else { output.stdout })
    }

    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads an output as the answer to a question in the n-th dialect, for the fuzz targets.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read_as(nth: usize, mark: &str, output: &[u8]) -> Result<Vec<Row>, RouterError> {
    let dialect = [Dialect::Exact, Dialect::Json, Dialect::Marked, Dialect::Plain][nth];
    let asked = Asked::new(dialect, "/interface/print detail as-value where name=\"a\"", mark.to_owned());
    asked.answer(output)?.map_err(|complaint| {
        let _ =
            (complaint.is_about("detail"), complaint.is_about_the_frame(true), complaint.is_about_the_frame(false), complaint.is_unclear());
        complaint.error("192.0.2.7:22")
    })
}

/// The equalities the router may check itself, when the query is made of conditions that must all hold.
fn conditions(query: &Query) -> Vec<(&str, &str)> {
    if query.words.iter().any(|word| word.starts_with('#')) {
        return Vec::new();
    }
    let pairs = query.words.iter().filter_map(|word| word.split_once('='));
    pairs.filter(|(name, value)| COMPARED.contains(name) && !value.is_empty() && value.len() <= 1_000).collect()
}

fn wants_counters(path: &MenuPath, query: &Query) -> bool {
    let counts = |name: &str| name.contains("byte") || name.contains("packet") || name.contains("drop") || name.contains("error");
    let named = |words: &[String]| words.iter().any(|word| counts(word));
    COUNTED.contains(&path.as_str()) && (query.proplist.is_empty() || named(&query.proplist) || named(&query.words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_equalities_are_left_to_the_router() {
        let whole = Query::new().eq("name", "a").eq("disabled", "true").has("comment");
        assert_eq!(conditions(&whole), [("name", "a")]);
        let either = Query { words: vec!["name=a".into(), "name=b".into(), "#|".into()], ..Query::new() };
        assert!(conditions(&either).is_empty());
    }
}
