//! Faults a test can set while the router runs, and what it counts.

mod ssh;

pub use ssh::{SshFault, SshRule, SshSeen};

use super::hold;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::watch;

/// Requests remembered; older ones are forgotten, the counters are not.
const SEEN_MAX: usize = 100_000;
/// Real routers close a request after this long.
const SESSION_LIMIT: Duration = Duration::from_secs(60);
/// A cleanly closed terminal is noticed after this long.
const NOTICE_OF_CLOSE: Duration = Duration::from_secs(2);
/// A terminal whose link died is noticed after this long at most.
const NOTICE_OF_DEATH: Duration = Duration::from_secs(540);

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The answer takes this long (real time); beyond the session limit it is `Session closed`.
    Latency(Duration),
    /// It is worked on this much later by the router's own clock.
    Late(Duration),
    /// The connection closes and nothing was done.
    CloseBefore,
    /// It is done, then the connection closes without an answer.
    CloseAfter,
    /// Nothing is done, no answer comes, the connection stays open.
    Hang,
    /// The answer has the body of `/system/resource`, as seen seconds after boot.
    WrongBody,
    /// It is done, the answer is a 400 nevertheless.
    DoneButRefused,
    /// A 500, nothing done.
    ServerError,
    /// A byte that is no UTF-8 stands in the first value.
    InvalidUtf8,
    /// Control characters stand unescaped in the first value.
    RawControl,
    /// The body is cut in the middle.
    CutJson,
    /// The body is no JSON at all.
    GarbageJson,
    /// The body never ends.
    EndlessJson,
    /// The list has this many rows more.
    BigTable(u32),
    /// A 401 that belongs to another request.
    OthersAnswer,
}

/// Which requests a fault hits.
#[derive(Debug, Clone)]
pub struct Rule {
    fault: Fault,
    path: Option<String>,
    method: Option<String>,
    skip: u32,
    times: Option<u32>,
}

impl Rule {
    /// Every request, until cleared.
    pub fn always(fault: Fault) -> Self {
        Rule { fault, path: None, method: None, skip: 0, times: None }
    }

    /// The next request only.
    pub fn once(fault: Fault) -> Self {
        Rule { times: Some(1), ..Rule::always(fault) }
    }

    /// Only requests whose path after `/rest` starts like this: `/ip/route`.
    #[must_use]
    pub fn on(mut self, path: &str) -> Self {
        self.path = Some(path.to_string());
        self
    }

    /// Only this method: `PATCH`.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_string());
        self
    }

    /// That often, then no more.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }
}

/// How the router treats new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Line {
    /// Serves them.
    #[default]
    Open,
    /// Refuses them: the ports are closed.
    Refuse,
    /// Accepts them and says nothing, not even in TLS.
    HalfOpen,
    /// Speaks plain HTTP on the TLS port.
    PlainOnTls,
}

/// One request as the router saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `GET`
    pub method: String,
    /// As on the wire, query string included: `/rest/ip/route?dynamic=false`.
    pub target: String,
    /// Who, if a user was named.
    pub user: Option<String>,
    /// The connection it came on, counted from 1.
    pub connection: u64,
    /// The request's body.
    pub body: String,
}

impl Seen {
    /// The path after `/rest`, without query string.
    pub fn path(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        path.strip_prefix("/rest").unwrap_or(path)
    }
}

/// Faults and counters of one router.
#[derive(Debug)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    by_path: Mutex<BTreeMap<String, usize>>,
    session_limit: Mutex<Duration>,
    line: watch::Sender<Line>,
    pub(super) in_flight: Gauge,
    pub(super) connections: Gauge,
    pub(super) working: Gauge,
    aborted: AtomicUsize,
    ssh_rules: Mutex<Vec<SshRule>>,
    ssh_seen: Mutex<Vec<SshSeen>>,
    ssh_line: watch::Sender<Line>,
    notice_of_loss: Mutex<Option<Duration>>,
    scheduler_dead: AtomicBool,
    pub(super) ssh_connections: Gauge,
    pub(super) ssh_running: Gauge,
}

/// A number that goes up and down, its highest value and how often it rose.
#[derive(Debug, Default)]
pub struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
    total: AtomicUsize,
}

impl Gauge {
    pub(super) fn rise(&self) -> Raised<'_> {
        self.total.fetch_add(1, SeqCst);
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
        Raised(self)
    }

    /// Right now.
    pub fn now(&self) -> usize {
        self.now.load(SeqCst)
    }

    /// At its highest.
    pub fn most(&self) -> usize {
        self.most.load(SeqCst)
    }

    /// How often it rose.
    pub fn total(&self) -> usize {
        self.total.load(SeqCst)
    }
}

/// Lowers the gauge when dropped.
pub(super) struct Raised<'a>(&'a Gauge);

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
    }
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            rules: Mutex::default(),
            seen: Mutex::default(),
            by_path: Mutex::default(),
            session_limit: Mutex::new(SESSION_LIMIT),
            line: watch::Sender::new(Line::Open),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            working: Gauge::default(),
            aborted: AtomicUsize::new(0),
            ssh_rules: Mutex::default(),
            ssh_seen: Mutex::default(),
            ssh_line: watch::Sender::new(Line::Open),
            notice_of_loss: Mutex::default(),
            scheduler_dead: AtomicBool::new(false),
            ssh_connections: Gauge::default(),
            ssh_running: Gauge::default(),
        }
    }
}

impl Faults {
    /// From now on, requests that fit the rule go wrong.
    pub fn inject(&self, rule: Rule) {
        hold(&self.rules).push(rule);
    }

    /// No request and no command goes wrong any more, the lines are open and the scheduler runs; limits and notices stay as they were set.
    pub fn clear(&self) {
        hold(&self.rules).clear();
        hold(&self.ssh_rules).clear();
        self.set_line(Line::Open);
        self.set_scheduler_dead(false);
    }

    /// Changes how new connections of every service are treated.
    pub fn set_line(&self, line: Line) {
        self.line.send_replace(line);
        self.ssh_line.send_replace(line);
    }

    /// Changes how new connections to the web server are treated; SSH stays as it is.
    pub fn set_rest_line(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// Changes how new connections over SSH are treated; the web server stays as it is.
    pub fn set_ssh_line(&self, line: Line) {
        self.ssh_line.send_replace(line);
    }

    /// Whether scheduler entries silently do not run: they show a `next-run` that goes on and on, and nothing happens.
    pub fn set_scheduler_dead(&self, dead: bool) {
        self.scheduler_dead.store(dead, SeqCst);
    }

    pub(super) fn scheduler_is_dead(&self) -> bool {
        self.scheduler_dead.load(SeqCst)
    }

    /// Open connections: how many now, at most, in all.
    pub fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// Requests that came and are not answered yet, queued ones included.
    pub fn in_flight(&self) -> &Gauge {
        &self.in_flight
    }

    /// Requests being worked on: one a user.
    pub fn working(&self) -> &Gauge {
        &self.working
    }

    /// Requests whose client went away before the answer.
    pub fn aborted(&self) -> usize {
        self.aborted.load(SeqCst)
    }

    /// Requests so far, in all.
    pub fn requests_total(&self) -> usize {
        self.in_flight.total()
    }

    /// Requests so far to this path after `/rest`: `/ip/route`.
    pub fn requests_to(&self, path: &str) -> usize {
        hold(&self.by_path).get(path).copied().unwrap_or(0)
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        hold(&self.seen).clone()
    }

    pub(super) fn forget_seen(&self) {
        hold(&self.seen).clear();
        hold(&self.by_path).clear();
        hold(&self.ssh_seen).clear();
    }

    pub(super) fn see(&self, seen: Seen) {
        *hold(&self.by_path).entry(seen.path().to_string()).or_default() += 1;
        let mut all = hold(&self.seen);
        if all.len() >= SEEN_MAX {
            all.remove(0);
        }
        all.push(seen);
    }

    /// Counts a request given up.
    pub(super) fn count_aborted(&self) {
        self.aborted.fetch_add(1, SeqCst);
    }

    /// Shortens the 60 s after which a request ends with `Session closed`.
    pub fn set_session_limit(&self, limit: Duration) {
        *hold(&self.session_limit) = limit;
    }

    pub(super) fn session_limit(&self) -> Duration {
        *hold(&self.session_limit)
    }

    pub(super) fn line(&self) -> watch::Receiver<Line> {
        self.line.subscribe()
    }

    /// The faults that hit this request; uses them up.
    pub(super) fn strike(&self, method: &str, path: &str) -> Vec<Fault> {
        let mut rules = hold(&self.rules);
        let mut hits = Vec::new();
        for rule in rules.iter_mut() {
            let fits = rule.path.as_deref().is_none_or(|p| path.starts_with(p)) && rule.method.as_deref().is_none_or(|m| m == method);
            if !fits || rule.times == Some(0) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.times = rule.times.map(|n| n - 1);
            hits.push(rule.fault);
        }
        rules.retain(|r| r.times != Some(0));
        hits
    }
}
