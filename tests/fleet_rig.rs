//! A fleet of one appliance beside a simulated router.

use crate::ssh_router::{Proof, Reply, SshRouter};
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::base::events::Bus;
use routeros_mcp::base::fault::Fault;
use routeros_mcp::base::secret::Secret;
use routeros_mcp::base::tier::Environment;
use routeros_mcp::fleet::{Capability, Config, Device, Fleet, NewCredential, NewDevice, Parts, Pins, Place, Read, Settings};
use routeros_mcp::routeros::MenuPath;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options as SimOptions, Sim};
use routeros_mcp::store::{Options, Seal, Store};
use std::ops::Bound;
use std::sync::Arc;

/// An appliance's fleet beside one router with an SSH port.
pub struct Rig {
    pub fleet: Fleet,
    pub store: Store,
    pub sim: Sim,
    pub ssh: SshRouter,
    pub hand: Arc<Hand>,
    pub settings: Settings,
    pub clock: Clock,
    pub dir: tempfile::TempDir,
}

impl Rig {
    pub async fn new(profile: Profile) -> Self {
        Rig::with(profile, Settings { routeros: quick(), ..Settings::new(Environment::Lab) }).await
    }

    pub async fn with(profile: Profile, settings: Settings) -> Self {
        // Not the system's temporary directory: that may be in RAM, where no credentials are kept.
        Rig::at(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(), profile, settings).await
    }

    pub async fn at(dir: tempfile::TempDir, profile: Profile, settings: Settings) -> Self {
        let store = open(&dir);
        let (clock, hand) = Clock::by_hand(Wall(1_790_000_000_000));
        let fleet = fleet(&store, &clock, &settings);
        let sim = Sim::start(SimOptions::new(profile, "edge")).await.unwrap();
        let ssh = console(&sim.credentials().mcp.password).await;
        Rig { fleet, store, sim, ssh, hand, settings, clock, dir }
    }

    pub fn place(&self) -> Place {
        Place { address: "127.0.0.1".into(), rest_port: self.sim.https_port(), ssh_port: self.ssh.port, plain_http: false }
    }

    pub fn new_device(&self, name: &str) -> NewDevice {
        NewDevice {
            name: name.into(),
            place: self.place(),
            username: "mcp".into(),
            environment: Environment::Lab,
            tags: vec![("site".into(), "north".into())],
            capabilities: [Capability::Writes].into(),
            ssh_only: false,
            only_named: false,
        }
    }

    pub fn login(&self) -> NewCredential {
        NewCredential::password(self.sim.credentials().mcp.password)
    }

    pub async fn add(&self, name: &str) -> Result<Arc<Device>, Fault> {
        self.fleet.enroll(self.new_device(name), self.login(), Pins::default()).await
    }

    /// Keys in the tables a device has rows in.
    pub fn stored(&self) -> Vec<String> {
        let tables = ["device", "device_status", "credential"];
        tables.iter().flat_map(|table| self.store.scan(table, Bound::Unbounded, 100).unwrap()).map(|(key, _)| key).collect()
    }

    pub fn holds_nothing(&self) {
        assert!(self.stored().is_empty(), "stored: {:?}", self.stored());
        assert!(self.fleet.list().is_empty());
    }

    /// No request of any kind named a user.
    pub fn sent_no_credential(&self) {
        let named: Vec<_> = self.sim.requests().into_iter().filter(|seen| seen.user.is_some()).collect();
        assert!(named.is_empty(), "{named:?}");
    }
}

/// Short limits: a test about a dead router should not take long.
pub fn quick() -> Config {
    Config { connect_timeout_seconds: 1, rest_timeout_seconds: 1, retry_attempts: 1, requests_per_second: 1_000, ..Config::default() }
}

pub fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("store.redb")) }).unwrap()
}

pub fn fleet(store: &Store, clock: &Clock, settings: &Settings) -> Fleet {
    let parts =
        Parts { store: store.clone(), seal: Seal::new(&[3; 32]), clock: clock.clone(), bus: Bus::default(), settings: settings.clone() };
    Fleet::open(parts).unwrap()
}

pub fn fresh(path: &str) -> Read {
    Read::fresh(MenuPath::parse(path).unwrap())
}

/// An SSH console that lets our user in and knows its version.
async fn console(password: &Secret) -> SshRouter {
    let ssh = SshRouter::start(1).await;
    ssh.lets_in(Proof::Password(password.expose().to_owned()));
    ssh.answers(|line| {
        Reply::from(if line == ":put [/system/resource/get version]" { "7.20.5 (stable)" } else { "syntax error (line 1 column 1)" })
    });
    ssh
}
