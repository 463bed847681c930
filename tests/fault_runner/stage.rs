//! A scenario's stage: two routers and everybody outside, a state directory, and one process after the other over it.
//!
//! All go by one clock that stands until [`Stage::flow`] moves it: a little while anything is under way, in ever longer strides while
//! nothing is. So an hour of waiting takes a blink, timers fire in the order of their times, and a slow machine changes nothing.

use super::disk;
use super::outside::{Endpoint, Provider};
use super::scenario::ROUTERS;
use super::secrets::{Canaries, Log};
use super::witness::Witness;
use crate::admin_rig::PASSWORD;
use crate::oidc_rig::AUDIENCE;
use crate::plan_rig::{DRAFTED, Router, home};
use crate::plan_tools::opened;
use crate::site::arrival;
use routeros_mcp::access::token::{self, Wanted};
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::app::App;
use routeros_mcp::base::clock::Clock;
use routeros_mcp::base::secret::Secret;
use routeros_mcp::base::selector::Selector;
use routeros_mcp::config::{self, Inputs};
use routeros_mcp::dispatch::{Call, Reply};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools::spec::Audience;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// Who approves.
pub const APPROVER: &str = "anna";
/// What alerts are signed with.
const SECRET: &str = "whsec_canary_0123456789";
/// Between looks whether anything is under way (the machine's time).
const GLANCE: Duration = Duration::from_millis(1);
/// How often something is asked again that a machine under load may not have answered in time.
pub const TRIES: u32 = 3;
/// Longer than anything here takes (the machine's time): what is not over by then hangs.
pub const PATIENCE: Duration = Duration::from_secs(180);

pub struct Stage {
    pub seed: u64,
    pub routers: Vec<Router>,
    pub witness: Arc<Witness>,
    pub provider: Provider,
    pub endpoint: Endpoint,
    pub canaries: Canaries,
    pub log: Log,
    pub token: String,
    /// Virtual time that went by.
    pub passed_ms: AtomicUsize,
    /// How many seconds the machine may take for what should be soon.
    pub patience_s: AtomicUsize,
    /// What was seen to be wrong beside a burst's own calls.
    pub told: Mutex<Vec<String>>,
    home: tempfile::TempDir,
}

/// The appliance, while its process lives.
pub struct Running {
    pub app: App,
    pub at: SocketAddr,
    /// Tasks beside the calls, right after the start.
    pub tasks: usize,
}

impl Stage {
    pub fn start(seed: u64) -> Stage {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (clock, hand) = Clock::by_hand(DRAFTED);
        let routers = vec![
            Router::on(Profile::Office, true, seed * 2 + 1, clock.clone(), hand.clone()),
            Router::on(Profile::Office, false, seed * 2 + 2, clock.clone(), hand.clone()),
        ];
        let mut canaries = Canaries::of(&[PASSWORD, SECRET, "sim-mcp-pass"]);
        for router in &routers {
            canaries.plant(&mut router.sim.world());
        }
        let token = token::make().expose().to_owned();
        canaries.add(&token);
        Stage {
            seed,
            witness: Witness::new(clock, hand),
            routers,
            provider: Provider::start(),
            endpoint: Endpoint::start(),
            log: Log::default(),
            canaries,
            token,
            passed_ms: AtomicUsize::new(0),
            patience_s: AtomicUsize::new(PATIENCE.as_secs() as usize),
            told: Mutex::default(),
            home: home(),
        }
    }

    pub fn state_dir(&self) -> PathBuf {
        self.home.path().join("state")
    }

    fn loaded(&self) -> config::Loaded {
        let url = format!("http://127.0.0.1:{}/", self.endpoint.port);
        let issuer = self.provider.issuer();
        let flags = [
            ("routeros.requests_per_second", "1000"),
            ("routeros.connect_timeout_seconds", "2"),
            ("routeros.rest_timeout_seconds", "3"),
            ("routeros.retry_backoff_seconds", "0.1"),
            ("log.level", "WARN"),
            ("mcp.toolsets", "all"),
            ("mcp.transport", "both"),
            ("mcp.http_port", "0"),
            ("metrics.enabled", "true"),
            ("rate_limit.enabled", "false"),
            ("snapshot.enabled", "false"),
            ("backup.enabled", "false"),
            ("update.check", "false"),
            ("alert.webhook_url", url.as_str()),
            ("alert.webhook_secret", SECRET),
            ("oidc.enabled", "true"),
            ("oidc.provider_url", issuer.as_str()),
            ("oidc.client_id", "rmcp-ui"),
            ("oidc.audience", AUDIENCE),
            ("oidc.role_map", "viewers=read_only,ops=ops_rw"),
        ];
        let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let env = vec![("ROUTEROS_MCP_CONFIG_FILE".to_owned(), String::new())];
        config::load(&Inputs { config_flag: None, data_dir: Some(self.state_dir()), flags, env })
            .map_err(|problems| format!("{:?}", problems.list))
            .unwrap()
    }

    /// A process over the state directory, with its doors open.
    pub async fn open(&self) -> Running {
        disk::expect_the_signal();
        let app = App::build_on(&self.loaded(), self.witness.clock.clone()).await.unwrap();
        app.open_doors().await.unwrap();
        let listener = app.listen().await.unwrap();
        let at = listener.url.rsplit('/').next().unwrap().parse().unwrap();
        self.witness.follow(Some(app.dispatch.world().audit.clone()));
        let tasks = app.tasks.len();
        Running { app, at, tasks }
    }

    /// Takes the routers into care and lets people and programs in; once, in the first process.
    pub async fn settle_in(&self, running: &Running) {
        for (name, router) in ROUTERS.iter().zip(&self.routers) {
            let mut arguments = arrival(name, &router.sim);
            arguments.extend(opened().as_object().cloned().unwrap());
            if router.sim.ssh_port() == 0 {
                arguments.remove("ssh_port");
            }
            let mut reply = running.operator("device.add", Value::Object(arguments.clone())).await;
            for _ in 0..TRIES {
                if reply.fault.is_some() {
                    reply = running.operator("device.add", Value::Object(arguments.clone())).await;
                }
            }
            assert!(reply.fault.is_none(), "{name}: {}", reply.text);
        }
        let access = &running.app.dispatch.world().access;
        access.add(APPROVER, Role::Approver, Secret::new(PASSWORD)).await.unwrap();
        let (digest, devices) = (token::digest(&self.token), vec![Selector::All]);
        let wanted = Wanted { name: "runner".into(), digest, role: Some(Role::OpsRw), devices, owner: None, expires_at: None };
        access.add_token(wanted).await.unwrap();
    }

    /// Lets time pass at once, while nobody of ours is there or nothing is to be waited for.
    pub fn pass(&self, span: Duration) {
        self.witness.hand.advance(span);
        self.passed_ms.fetch_add(span.as_millis() as usize, Ordering::Relaxed);
        self.witness.heal(&self.routers);
        self.routers.iter().for_each(|router| router.sim.settle());
    }

    /// Moves time on for ever, the faster the longer nothing happens.
    async fn flow(&self) {
        let mut look = tokio::time::interval(GLANCE);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut calm, mut seen) = (0_u32, 0);
        loop {
            look.tick().await;
            let faults = || self.routers.iter().map(|router| router.sim.faults());
            let requests: usize = faults().map(|faults| faults.requests_total() + faults.ssh_running().total()).sum();
            if requests != seen {
                (seen, calm) = (requests, 0);
                continue;
            }
            calm += 1;
            let busy = faults().any(|faults| faults.in_flight().now() > 0);
            // A disk or a handshake may take as long as the first stretch without anybody missing their moments.
            self.pass(Duration::from_millis(match calm {
                // Somebody waits for an answer, and gives up after seconds.
                _ if busy => 10,
                0..=50 => 20,
                51..=100 => 200,
                101..=150 => 2_000,
                _ => 10_000,
            }));
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_s.load(Ordering::Relaxed) as u64)
    }

    /// Does it while time flows; none when it takes longer than anything should.
    pub async fn while_time_flows<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = tokio::time::timeout(self.patience(), work) => done.ok(),
            () = self.flow() => None,
        }
    }

    /// Waits, while time flows, until it is so; false when it is not in time.
    pub async fn until(&self, is_so: impl FnMut() -> bool) -> bool {
        self.within(self.patience(), is_so).await
    }

    /// The same, no longer than this by the machine's time.
    pub async fn within(&self, most: Duration, mut is_so: impl FnMut() -> bool) -> bool {
        let looked = async {
            let mut look = tokio::time::interval(GLANCE);
            // A look may take longer than the time between two: time has to flow in between nevertheless.
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !is_so() {
                look.tick().await;
            }
        };
        let looked = self.while_time_flows(tokio::time::timeout(most, looked)).await;
        looked.is_some_and(|looked| looked.is_ok())
    }
}

impl Running {
    /// As the operator at the command line.
    pub async fn operator(&self, tool: &str, arguments: Value) -> Reply {
        self.call(Principal::operator(), Audience::Operator, tool, arguments).await
    }

    /// As the local client of an assistant.
    pub async fn inside(&self, tool: &str, arguments: Value) -> Reply {
        self.call(Principal::stdio(Role::OpsRw), Audience::Model, tool, arguments).await
    }

    async fn call(&self, principal: Principal, audience: Audience, tool: &str, arguments: Value) -> Reply {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        self.app.dispatch.call(Call::new(tool, arguments, Arc::new(principal), audience)).await
    }
}
