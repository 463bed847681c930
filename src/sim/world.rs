//! What one simulated router holds: its time, who is logged in, and its tables.

mod tables;

pub use tables::Table;

use super::agenda::timers::{self, Timers};
use super::console::Value;
use super::device_mode::NotAllowed;
use super::history::{Action, Safe};
use super::live;
use super::menus::Definitions;
use super::profiles::{Entry, Model};
use crate::base::clock::{Clock, Wall};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the web server remembers a login's group policy, as on the router.
const LOGIN_KEPT: Duration = Duration::from_secs(600);

/// A login the web server remembers.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub user: String,
    pub group: String,
    pub from: IpAddr,
    pub policies: Vec<String>,
    /// The service: `rest-api`, `ssh`, `sftp`.
    pub via: &'static str,
    pub since: Duration,
    pub when: Wall,
}

/// An open TCP connection to one of our services.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub service: &'static str,
    pub local: String,
    pub remote: String,
}

/// An attribute, and how what is written to it is kept.
pub(super) type Respelling = (&'static str, fn(&str) -> String);

/// One router's state.
#[derive(Debug)]
pub struct World {
    pub(super) model: Arc<Model>,
    pub(super) defs: Arc<Definitions>,
    pub(super) clock: Clock,
    pub(super) seed: u64,
    pub(super) logins: Vec<Login>,
    pub(super) connections: HashMap<u64, Connection>,
    /// Who is logged in over SSH, by connection.
    pub(super) sessions: BTreeMap<u64, Login>,
    pub(super) ports: (u16, u16),
    /// Where `ssh` listens; 0 when it does not.
    pub(super) ssh_port: u16,
    /// Who changes things now, as the log says it: `ssh:admin@192.0.2.10`.
    pub(super) acting: String,
    /// What can be taken back, oldest first.
    pub(super) actions: VecDeque<Action>,
    /// Who holds safe mode.
    pub(super) safe: Option<Safe>,
    /// Global variables of the console, by user and name.
    pub(super) globals: BTreeMap<(String, String), Value>,
    /// Scripts that run, by the number of their job.
    pub(super) jobs: HashMap<u32, CancellationToken>,
    /// How often the router booted since it was made: what ran before the last boot runs no more.
    pub(super) boots: u32,
    /// While the router catches up: when what happens happens.
    pub(super) moment: Option<Duration>,
    /// The latest moment it caught up with.
    pub(super) settled: Duration,
    /// The wall clock at monotonic zero, and what it was stepped by since, in milliseconds.
    pub(super) epoch: i64,
    pub(super) step_ms: i64,
    /// When NTP answers after a power cut.
    pub(super) ntp_at: Option<Duration>,
    /// A session that held safe mode is gone, and when the router notices.
    pub(super) lost: Option<(u64, Duration)>,
    pub(super) timers: Timers,
    /// Entries with `start-time=startup` follow steps of the wall clock, as old documentation may be read.
    pub startup_follows_wall: bool,
    /// Adding scripts and scheduler entries needs `policy`, which is not documented either way.
    pub scripts_need_policy: bool,
    /// What becomes of entries device-mode does not allow.
    pub when_not_allowed: NotAllowed,
    /// Somebody stands by and confirms updates of device-mode with the button.
    pub button_pressed: bool,
    /// The last event of [`live`] that the log tells.
    pub(super) events: Option<u64>,
    /// Connection-tracking rows made up on demand besides those of the table.
    pub(super) flows: u32,
    /// Where our frames arrive.
    pub(super) entry: Entry,
    /// We are beyond other routers: whatever way our answers leave by, they find us.
    pub(super) beyond: bool,
    /// Rises whenever a table may have been written, so that what was worked out from them can be kept until then.
    pub(super) touched: u64,
    /// How values of an attribute are kept that somebody writes, where that is not as they are written.
    pub(super) respelling: Option<Respelling>,
    seen_from: IpAddr,
    boot: Duration,
    uptime_at_start: Duration,
    tables: HashMap<String, Table>,
}

impl World {
    pub(super) fn new(model: Arc<Model>, defs: Arc<Definitions>, clock: Clock, seed: u64, name: &str) -> Self {
        let mut world = World {
            boot: clock.mono(),
            boots: 0,
            moment: None,
            settled: Duration::ZERO,
            epoch: clock.wall().0.saturating_sub(clock.mono().as_millis() as i64),
            step_ms: 0,
            ntp_at: None,
            lost: None,
            timers: Timers::new(),
            startup_follows_wall: false,
            scripts_need_policy: false,
            when_not_allowed: NotAllowed::Refused,
            button_pressed: false,
            uptime_at_start: Duration::from_secs(3_600 * 26 + seed % 500_000),
            respelling: None,
            seen_from: model.seen_from,
            entry: model.entry,
            beyond: false,
            touched: 0,
            model,
            defs,
            clock,
            seed,
            logins: Vec::new(),
            connections: HashMap::new(),
            sessions: BTreeMap::new(),
            ports: (443, 80),
            ssh_port: 0,
            acting: String::new(),
            actions: VecDeque::new(),
            safe: None,
            globals: BTreeMap::new(),
            jobs: HashMap::new(),
            events: None,
            flows: 0,
            tables: HashMap::new(),
        };
        if !name.is_empty() {
            world.put_single("/system/identity", "name", name);
        }
        timers::sync(&mut world);
        world
    }

    /// Time since the router's last boot.
    pub fn uptime(&self) -> Duration {
        self.mono().saturating_sub(self.boot) + self.uptime_at_start
    }

    /// The address our requests come from, as the router sees it.
    pub fn seen_from(&self) -> IpAddr {
        self.seen_from
    }

    /// Moves us elsewhere: address limits of users and services, the firewall and the way back look at this, not at the loopback address
    /// of the test. We still arrive where we did; beyond the networks of that port, answers find us whatever way they leave by.
    pub fn set_seen_from(&mut self, from: IpAddr) {
        self.touched += 1;
        self.seen_from = from;
        self.beyond = from != self.model.seen_from;
    }

    /// Moves us to another port of the router, in a network of its own or behind one.
    pub fn set_entry(&mut self, entry: Entry) {
        self.touched += 1;
        self.entry = entry;
    }

    /// Restarts the router: uptime from zero, logins and what lives in memory gone.
    pub fn reboot(&mut self) {
        self.boot = self.mono();
        self.boots += 1;
        (self.ntp_at, self.lost) = (None, None);
        self.uptime_at_start = Duration::ZERO;
        self.logins.clear();
        self.actions.clear();
        self.globals.clear();
        self.events = None;
        self.safe = None;
        for (_, job) in self.jobs.drain() {
            job.cancel();
        }
        for path in ["/log", "/system/history", "/system/script/job", "/ip/firewall/connection", "/ip/dns/cache"] {
            self.table(path).rows.clear();
        }
        for row in &mut self.table("/system/scheduler").rows {
            row.put("run-count", "0");
        }
        timers::booted(self);
    }

    /// Makes the connection-tracking table this much longer. Such rows are made while they are sent, so that even 200,000 of them take
    /// no memory; only REST shows them.
    pub fn set_tracked_connections(&mut self, more: u32) {
        self.flows = more;
    }

    /// From now on the router keeps what is written to this attribute, in whatever menu, in a spelling of its own.
    pub fn respell(&mut self, attribute: &'static str, spelling: fn(&str) -> String) {
        self.respelling = Some((attribute, spelling));
    }

    /// Forgets cached logins, so that changed group policies act on the next request.
    pub fn forget_logins(&mut self) {
        self.logins.clear();
    }

    pub(super) fn login(&mut self, user: &str) -> Option<Login> {
        let (now, from) = (self.mono(), self.seen_from);
        self.logins.retain(|l| now.saturating_sub(l.since) < LOGIN_KEPT);
        self.logins.iter().find(|l| l.user == user && l.from == from).cloned()
    }

    /// Notes an open connection to one of our services; `/ip/service` shows it.
    pub(super) fn open_connection(&mut self, id: u64, service: &'static str, peer: SocketAddr, at: SocketAddr) {
        let local = format!("{}:{}", self.model.management, at.port());
        let remote = format!("{}:{}", self.seen_from, peer.port());
        self.connections.insert(id, Connection { service, local, remote });
    }

    /// Writes a line to `/log`.
    pub fn log(&mut self, topics: &str, message: &str) {
        let time = live::date_time(self.now());
        self.remember("/log", &[("time", &time), ("topics", topics), ("message", message)]);
    }
}
