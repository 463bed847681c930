//! The parts that tools stand on, and what the configuration chooses for them.

use crate::access::local::Access;
use crate::access::policy::Rules;
use crate::access::principal::Principal;
use crate::alert::Alerts;
use crate::audit::Audit;
use crate::backup::Backups;
use crate::base::clock::Clock;
use crate::base::events::Event;
use crate::base::fault::Fault;
use crate::base::ids::DeviceId;
use crate::base::shared::Shared;
use crate::fleet::Fleet;
use crate::history::config::{Kept, Shelf, Taken};
use crate::history::health::{Sample, Thresholds, Verdict, judge_after};
use crate::history::look::{Depth, Look};
use crate::history::series::History;
use crate::host::metrics::Meter;
use crate::plan::Engine;
use crate::plan::record::PlanId;
use crate::store::{Store, Vault};
use crate::tools::diagnose::limits::Limits;
use crate::update::Updates;
use serde_json::Value;

/// The parts that tools stand on; one for the whole appliance.
pub struct World {
    /// The devices and the lanes to them.
    pub fleet: Fleet,
    /// What was done.
    pub audit: Audit,
    /// What was.
    pub history: History,
    /// What was configured.
    pub configs: Shelf,
    /// Plans, and the jobs that work on them.
    pub plans: Engine,
    /// Users and the persons behind them.
    pub access: Access,
    /// Secrets for routers.
    pub vault: Vault,
    /// The way back.
    pub backups: Backups,
    /// Other versions of this program.
    pub updates: Updates,
    /// Where caches that survive a restart live.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// The operator's switches.
    pub rules: Rules,
    /// Who measures what right now.
    pub diagnostics: Limits,
    /// What somebody has to know.
    pub alerts: Alerts,
    /// Sizes and choices.
    pub settings: Settings,
}

impl World {
    /// Who counts.
    pub fn meter(&self) -> &Meter {
        self.fleet.meter()
    }

    /// A program came in through MCP; whoever waits for it hears so.
    pub fn met(&self, principal: &Principal) {
        if self.access.meet(principal) {
            self.fleet.bus().tell(Event::Client(principal.subject.clone()));
        }
    }

    /// Looks at a router now and keeps what it saw in the history.
    pub async fn look(&self, id: &DeviceId, depth: Depth) -> Result<Look, Fault> {
        let status = || self.health(id).map(|(_, verdict)| verdict.status);
        let before = status();
        let look = self.history.look(&self.fleet, &self.clock, id, depth).await?;
        if before.is_some_and(|before| Some(before) != status()) {
            self.fleet.bus().tell(Event::Health(id.clone()));
        }
        Ok(look)
    }

    /// Takes a configuration in. Whoever watches the device hears of it when it is another than the newest one kept.
    pub async fn keep(&self, id: &DeviceId, taken: Taken) -> Result<Kept, Fault> {
        let kept = self.configs.put(id, taken).await?;
        if kept.is_new {
            self.fleet.bus().tell(Event::Config(id.clone()));
        }
        Ok(kept)
    }

    /// The newest sample since this process started, judged against the hour before it.
    pub fn health(&self, id: &DeviceId) -> Option<(Sample, Verdict)> {
        let hour = self.history.last_hour(id);
        let (newest, before) = hour.split_last()?;
        Some((*newest, judge_after(before, newest, &self.settings.health.get())))
    }
}

/// Sizes and choices of the tools, from the configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Toolsets that are listed; `None` is all.
    pub toolsets: Option<Vec<String>>,
    /// Between category and action in `tools/list`: `.` or `_`.
    pub separator: char,
    /// Errors carry what only the log says elsewhere: `debug`.
    pub causes: bool,
    /// Answers above this many estimated tokens carry a warning.
    pub warn_tokens: u64,
    /// Lists above this are cut, other answers refused.
    pub most_tokens: u64,
    /// Where SSH listens unless a device says otherwise.
    pub ssh_port: u16,
    /// Whether tools are offered at all.
    pub enable_tools: bool,
    /// Where people approve plans: the address that `/admin/plans/…` is appended to.
    pub public_url: Option<String>,
    /// Where our own listener is, once it is: pages are there when nobody named another address.
    pub door: Shared<Option<String>>,
    /// From where on a vital counts against a router's health.
    pub health: Shared<Thresholds>,
    /// The effective configuration as `config show` has it, secrets masked.
    pub config: Shared<Value>,
    /// Answers of reads kept for those who take older ones: `resource_cache.max_entries`.
    pub kept_answers: usize,
}

impl Settings {
    /// The page where people approve a plan, if there is one.
    pub fn plan_url(&self, id: &PlanId) -> Option<String> {
        let door = self.door.get();
        let base = self.public_url.as_ref().or(door.as_ref().as_ref())?;
        Some(format!("{}/admin/plans/{id}", base.trim_end_matches('/')))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            toolsets: Some(vec!["core".into(), "system".into(), "diagnose".into()]),
            separator: '.',
            warn_tokens: 5_000,
            causes: false,
            most_tokens: 50_000,
            ssh_port: 22,
            enable_tools: true,
            public_url: None,
            door: Shared::default(),
            health: Shared::default(),
            config: Shared::default(),
            kept_answers: 1_000,
        }
    }
}
