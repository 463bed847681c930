//! The gate to one router: policy on the inner operation, then the device's lane; secrets stay behind it.
//!
//! Tools never see raw rows. A [`Seen`] hands out values one by one and answers `(secret)` for what must not leave,
//! so that no tool can forget to redact.

use crate::access::policy::Verb;
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::fleet::{Capability, Device, Lane, Printed, Read, Via};
use crate::history::config;
use crate::menus::{self, Menu};
use crate::routeros::export::{self, Export};
use crate::routeros::path::MenuPath;
use crate::routeros::query::Query;
use crate::routeros::row::Row;
use crate::routeros::value;
use crate::shape::redact::HIDDEN;
use crate::tools::context::{Cx, Reading};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Answers younger than this are not asked for again: a model that asks two tools about one thing costs one request.
pub const FRESH: Duration = Duration::from_secs(5);

/// For what changes only by hand: identity, packages, clock settings.
pub const STEADY: Duration = Duration::from_secs(30);

/// How long a probe may take; `/console/inspect` answers at once or, on a word it dislikes, after half a minute.
const PROBE: Duration = Duration::from_secs(10);

/// A device, reached for one call.
pub struct Router<'a> {
    cx: &'a Cx,
    /// Our record of it.
    pub device: Arc<Device>,
    lane: Lane,
}

impl<'a> Router<'a> {
    pub(super) fn new(cx: &'a Cx, device: Arc<Device>) -> Self {
        let lane = cx.world.fleet.lane(&device);
        Router { cx, device, lane }
    }

    /// Rows of a menu, at most `max_age` old.
    pub async fn rows(&self, menu: &str, query: Query, max_age: Duration) -> Result<Seen, Fault> {
        let path = MenuPath::parse(menu)?;
        self.cx.judge(&self.device, path.as_str(), Verb::Read)?;
        let menu = path.as_str().to_owned();
        let answer = self.lane.read_own(Read { path, query, max_age }).await?;
        self.cx.read(Reading { read_at: answer.read_at, age_ms: answer.age_ms, cached: answer.cached, via: answer.via });
        self.cx.hear(&answer.rows);
        Ok(Seen::new(menu, answer.rows))
    }

    /// All of a menu.
    pub async fn all(&self, menu: &str, max_age: Duration) -> Result<Seen, Fault> {
        self.rows(menu, Query::default(), max_age).await
    }

    /// All of a menu, or none if this router does not have it.
    pub async fn all_if_there(&self, menu: &str, max_age: Duration) -> Result<Option<Seen>, Fault> {
        self.rows_if_there(menu, Query::default(), max_age).await
    }

    /// Rows of a menu, or none if this router does not have it.
    pub async fn rows_if_there(&self, menu: &str, query: Query, max_age: Duration) -> Result<Option<Seen>, Fault> {
        match self.rows(menu, query, max_age).await {
            Ok(seen) => Ok(Some(seen)),
            Err(fault) if fault.kind == Kind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// How many rows a menu has, without reading them: what is asked before a table that may be huge.
    pub async fn count(&self, menu: &str, query: Query, max_age: Duration) -> Result<u64, Fault> {
        let path = MenuPath::parse(menu)?;
        self.cx.judge(&self.device, path.as_str(), Verb::Read)?;
        let counted = self.lane.count(Read { path, query, max_age }).await?;
        self.cx.read(Reading { read_at: counted.read_at, age_ms: counted.age_ms, cached: counted.cached, via: Via::Rest });
        Ok(counted.count)
    }

    /// Runs a command that changes nothing and answers at once: `/console/inspect`, `monitor once`.
    pub async fn probe(&self, menu: &str, command: &str, arguments: &[(&str, &str)]) -> Result<Seen, Fault> {
        self.measure(menu, command, arguments, Verb::Probe, Duration::ZERO).await
    }

    /// Runs a command that measures for a while and ends by itself. It is never cut off in flight, so keep it to a few
    /// seconds: who cancels waits for its end, and so do others who ask this router.
    pub async fn measure(&self, menu: &str, command: &str, arguments: &[(&str, &str)], verb: Verb, lasts: Duration) -> Result<Seen, Fault> {
        let path = MenuPath::parse(menu)?;
        self.cx.judge(&self.device, path.as_str(), verb)?;
        let menu = path.as_str().to_owned();
        match self.lane.run(path, command, arguments, lasts + PROBE).await {
            Ok(answer) => {
                self.cx.read(Reading { read_at: answer.read_at, age_ms: answer.age_ms, cached: answer.cached, via: answer.via });
                self.cx.hear(&answer.rows);
                Ok(Seen::new(menu, answer.rows))
            }
            Err(fault) => {
                if fault.kind == Kind::Rejected {
                    // It did answer: some refusals are what the caller wants to know.
                    self.cx.read(Reading { read_at: self.cx.world.clock.wall(), age_ms: 0, cached: false, via: Via::Rest });
                }
                Err(fault)
            }
        }
    }

    /// The running configuration, at most `max_age` old.
    ///
    /// Errs as a read does, and with what the router said when it prints no export.
    pub async fn configuration(&self, max_age: Duration) -> Result<Running, Fault> {
        self.cx.judge(&self.device, "/export", Verb::Read)?;
        self.running(self.lane.export(max_age).await?)
    }

    /// The same by all means: through a file on the router where it prints no export and its owner allows changes.
    pub async fn configuration_by_all_means(&self) -> Result<Running, Fault> {
        let refused = match self.configuration(Duration::ZERO).await {
            Err(fault) if matches!(fault.kind, Kind::Rejected | Kind::NotFound) => fault,
            other => return other,
        };
        let hint = if !self.device.capabilities.contains(&Capability::Writes) {
            "exporting to a file on the router would work too, but the device has not the capability writes"
        } else if self.device.plain_http {
            "exporting to a file on the router would work too, but over plain HTTP nothing is written"
        } else {
            self.cx.judge(&self.device, "/file", Verb::Write)?;
            return self.running(self.lane.export_by_file().await?);
        };
        Err(refused.hint(hint))
    }

    fn running(&self, printed: Printed) -> Result<Running, Fault> {
        self.cx.read(Reading { read_at: printed.read_at, age_ms: printed.age_ms, cached: printed.cached, via: printed.via });
        let read = export::parse(&printed.text);
        let version = read.version().map(str::to_owned);
        let export = config::normal(&read);
        if export.rows().next().is_none() && export.gaps.is_empty() {
            let said = format!("device \"{}\": the router prints no configuration", self.device.name);
            return Err(Fault::new(Kind::Rejected, said).hint("its user there may lack the policy read"));
        }
        Ok(Running { export, version, at: printed.read_at })
    }
}

/// A router's configuration as it is now, without secrets.
#[derive(Debug, Clone)]
pub struct Running {
    /// Its rows.
    pub export: Export,
    /// The version that printed it.
    pub version: Option<String>,
    /// When.
    pub at: Wall,
}

/// Rows as a tool may see them.
#[derive(Debug, Clone)]
pub struct Seen {
    menu: String,
    facts: Option<&'static Menu>,
    rows: Arc<Vec<Row>>,
}

impl Seen {
    fn new(menu: String, rows: Arc<Vec<Row>>) -> Self {
        Seen { facts: menus::find(&menu), menu, rows }
    }

    /// Rows made up for a test.
    #[cfg(test)]
    pub fn of(menu: &str, rows: Vec<Row>) -> Self {
        Seen::new(menu.to_owned(), Arc::new(rows))
    }

    /// What a router would answer, for tests of shaping: `json` is the body of a REST answer.
    #[cfg(test)]
    pub(crate) fn answered(menu: &str, json: &str) -> Self {
        Seen::new(menu.to_owned(), Arc::new(crate::routeros::rows(json.as_bytes()).expect("rows of a REST answer")))
    }

    /// One by one, in the router's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = View<'_>> {
        self.rows.iter().map(|row| View { menu: &self.menu, facts: self.facts, row })
    }

    /// The first row: all there is of a singleton.
    pub fn first(&self) -> Option<View<'_>> {
        self.iter().next()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As the router sent them: for answers about its console, which hold no secrets.
    pub(super) fn raw(&self) -> Arc<Vec<Row>> {
        self.rows.clone()
    }

    /// The rows as they may be seen, secrets hidden, for what works on rows.
    pub fn shown(&self) -> Vec<Row> {
        let shown = |row: View<'_>| Row::from_pairs(row.row.iter().filter_map(|(name, _)| Some((name, row.text(name)?))));
        self.iter().map(shown).collect()
    }
}

/// One row as a tool may see it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    menu: &'a str,
    facts: Option<&'static Menu>,
    row: &'a Row,
}

impl<'a> View<'a> {
    /// The attribute's text; `(secret)` for a secret that is set.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.row.get(name)?;
        if !text.is_empty() && self.is_secret(name) { Some(HIDDEN) } else { Some(text) }
    }

    /// The same, owned; empty counts as absent.
    pub fn string(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// What tells the row apart: these attributes, joined.
    pub(super) fn key(&self, names: &[&str]) -> String {
        names.iter().map(|name| self.text(name).unwrap_or_default()).collect::<Vec<_>>().join("|")
    }

    /// A whole number.
    pub fn count(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// Whether it is one of these words that everybody knows: the one thing a secret may be asked.
    pub fn is_one_of(&self, name: &str, words: &'static [&'static str]) -> bool {
        self.row.get(name).is_some_and(|text| words.contains(&text))
    }

    /// A length of time in whole seconds.
    pub fn seconds(&self, name: &str) -> Option<u64> {
        value::span_ms(self.text(name)?).map(|ms| ms / 1_000)
    }

    /// A speed in bit/s.
    pub fn rate(&self, name: &str) -> Option<u64> {
        value::rate(self.text(name)?)
    }

    /// The words of a list; none when it is absent.
    pub fn words(&self, name: &str) -> Vec<&'a str> {
        self.text(name).map(|text| value::list(text).collect()).unwrap_or_default()
    }

    /// A date on the router's clock as `YYYY-MM-DD HH:MM:SS`; one that nobody can read stays as it is.
    pub fn time(&self, name: &str) -> Option<String> {
        let text = self.text(name).filter(|text| !text.is_empty())?;
        Some(value::date(text).and_then(value::Date::normal).unwrap_or_else(|| text.to_owned()))
    }

    /// A flag that says no by being absent; one without a value is set.
    pub fn is(&self, name: &str) -> bool {
        self.flag(name) == Some(true)
    }

    /// A flag; absent is `None`.
    pub fn flag(&self, name: &str) -> Option<bool> {
        value::flag(self.text(name)?)
    }

    /// The value in its own type.
    pub fn typed(&self, name: &str, kind: value::Kind) -> Option<Value> {
        let text = self.text(name)?;
        Some(match text {
            _ if self.is_secret(name) => Value::from(text),
            // Without facts a router's own spelling of a flag is still one, unless people write there.
            "true" | "false" if kind == value::Kind::Any && !menus::untrusted_of(self.facts, name) => Value::from(text == "true"),
            _ => value::typed(kind, text),
        })
    }

    fn is_secret(&self, name: &str) -> bool {
        menus::secret_of(self.facts, self.menu, name)
    }

    /// Attribute names, without `.id` and the router's own marks.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.row.iter().map(|(name, _)| name).filter(|name| !name.starts_with('.'))
    }
}
