//! A router on a clock that a test moves, and what differs between two looks at it.

use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::sim::faults::Line;
use routeros_mcp::sim::menus::Definitions;
use routeros_mcp::sim::profiles::{Profile, Version};
use routeros_mcp::sim::row::Row;
use routeros_mcp::sim::{Options, Sim};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// When drafts are made.
pub(crate) const DRAFTED: Wall = Wall(1_790_000_000_000);
/// Menus that are no configuration: they move by themselves.
const MOVING: [&str; 6] = ["/log", "/system/history", "/system/script/job", "/ip/firewall/connection", "/ip/dns/cache", "/system/resource"];
/// Attributes that are no configuration.
const COUNTERS: [&str; 9] =
    ["bytes", "packets", "run-count", "next-run", "last-started", "last-logged-in", "creation-time", "current-tagged", "current-untagged"];

/// Where all routers of this process run.
pub(crate) fn routers() -> &'static Runtime {
    static ROUTERS: OnceLock<Runtime> = OnceLock::new();
    ROUTERS.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

/// A router and the clock it and its appliances go by.
#[derive(Clone)]
pub(crate) struct Router {
    pub sim: Arc<Sim>,
    pub clock: Clock,
    pub hand: Arc<Hand>,
    heals: Arc<Mutex<Option<Duration>>>,
}

impl Router {
    /// One of this profile on a clock that starts so long after drafts are made.
    pub fn start(profile: Profile, ssh: bool, later: Duration) -> Router {
        Router::start_as(profile, None, ssh, later)
    }

    /// The same with another version of RouterOS.
    pub fn start_as(profile: Profile, version: Option<Version>, ssh: bool, later: Duration) -> Router {
        let (clock, hand) = Clock::by_hand(Wall(DRAFTED.0 + later.as_millis() as i64));
        Router::with(Options { version, ..Options::new(profile, "edge") }, ssh, clock, hand)
    }

    /// One of several on a clock they share.
    pub fn on(profile: Profile, ssh: bool, seed: u64, clock: Clock, hand: Arc<Hand>) -> Router {
        Router::with(Options { seed, plain: false, ..Options::new(profile, "edge") }, ssh, clock, hand)
    }

    fn with(options: Options, ssh: bool, clock: Clock, hand: Arc<Hand>) -> Router {
        let options = Options { clock: clock.clone(), ssh, ..options };
        let sim = Arc::new(routers().block_on(Sim::start(options)).unwrap());
        Router { sim, clock, hand, heals: Arc::default() }
    }

    /// Its configuration as written, without ids: by menu, in order where order means something. A flag that is off is not there.
    pub fn rows(&self) -> BTreeMap<String, Vec<String>> {
        let definitions = Definitions::own();
        let ports = [self.sim.https_port(), self.sim.http_port(), self.sim.ssh_port()].map(|port| port.to_string());
        let mut world = self.sim.world();
        let mut all = BTreeMap::new();
        for path in definitions.paths().filter(|path| !MOVING.contains(path)) {
            let Some(ordered) = world.menu(path).map(|menu| menu.ordered) else { continue };
            let text = |row: &Row| {
                let mut words: Vec<String> = row
                    .iter()
                    .filter(|(name, value)| !value.is_empty() && *value != "false" && !COUNTERS.contains(name))
                    // Where this one listens is no configuration.
                    .map(
                        |(name, value)| {
                            if ports.iter().any(|port| port == value) { format!("{name}=*") } else { format!("{name}={value}") }
                        },
                    )
                    .collect();
                words.sort();
                words.join(" ")
            };
            let rows = if path == "/ip/service" { world.rows(path) } else { world.table(path).rows.clone() };
            let mut rows: Vec<String> = rows.iter().filter(|row| !row.is("connection")).map(text).collect();
            if !ordered {
                rows.sort();
            }
            all.insert(path.to_owned(), rows);
        }
        all
    }

    /// Scripts, timers and jobs of ours.
    pub fn leftovers(&self) -> Vec<String> {
        let mut world = self.sim.world();
        let mut left = Vec::new();
        for menu in ["/system/script", "/system/scheduler"] {
            let rows = world.rows(menu);
            left.extend(
                rows.iter().filter_map(|row| row.get("name")).filter(|name| name.starts_with("mcp-")).map(|n| format!("{menu} {n}")),
            );
        }
        left.extend(world.rows("/system/script/job").iter().map(|job| format!("job {:?}", job.iter().collect::<Vec<_>>())));
        left
    }

    /// What it logged of our guards.
    pub fn said(&self) -> Vec<String> {
        let mut world = self.sim.world();
        let log = world.rows("/log");
        log.iter()
            .filter_map(|row| row.get("message"))
            .filter(|text| text.contains("mcp-guard") || text.contains("error"))
            .map(Into::into)
            .collect()
    }

    /// Gives our group the rights that undoing a change of users takes.
    pub fn let_us_change_users(&self) {
        let policy = "ssh,ftp,reboot,read,write,policy,test,password,sensitive,api,rest-api";
        self.sim.world().by_hand("admin").set("/user/group", "mcp", &[("policy", policy)]).unwrap();
    }

    /// Lets time pass while nobody of ours is there.
    pub fn pass(&self, span: Duration) {
        self.hand.advance(span);
        self.sim.settle();
    }

    /// A link that is cut comes back at this moment: seen by the next who dials.
    pub fn heal_at(&self, moment: Option<Duration>) {
        *self.heals.lock().unwrap() = moment;
    }

    pub(super) fn dialled(&self) {
        let mut heals = self.heals.lock().unwrap();
        if heals.is_some_and(|at| self.clock.mono() >= at) {
            *heals = None;
            self.sim.faults().set_line(Line::Open);
        }
    }
}

/// What differs between two looks at a router, for messages.
pub(crate) fn difference(a: &BTreeMap<String, Vec<String>>, b: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut differing = Vec::new();
    for (menu, rows) in a {
        let other = &b[menu];
        if rows != other {
            let gone = rows.iter().filter(|row| !other.contains(row)).map(|row| format!("{menu} - {row}"));
            let come = other.iter().filter(|row| !rows.contains(row)).map(|row| format!("{menu} + {row}"));
            let before = differing.len();
            differing.extend(gone.chain(come));
            if differing.len() == before {
                differing.push(format!("{menu}: another order"));
            }
        }
    }
    differing
}
