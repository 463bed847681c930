//! A fleet of one device whose router is a script.

use crate::base::clock::{Clock, Hand, Wall};
use crate::base::events::Bus;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::secret::Secret;
use crate::base::tier::Environment;
use crate::fleet::credential::{Credential, NewCredential};
use crate::fleet::device::{Device, Facts, Pins, Status};
use crate::fleet::index::Standing;
use crate::fleet::lane::{Answer, Lane, Read};
use crate::fleet::registry::{Dial, Fleet, Parts};
use crate::fleet::wire::{Ask, Said, Via, Wire};
use crate::fleet::{Config, Settings};
use crate::routeros::{MenuPath, RouterError, rows};
use crate::store::{Batch, Options, Seal, Store};
use futures_util::future::{BoxFuture, FutureExt};
use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A router that answers as told: the script first, then rows for ever. It waits for a turn if it has a gate.
pub(super) struct Script {
    answers: Mutex<VecDeque<RouterError>>,
    asked: AtomicUsize,
    now: AtomicUsize,
    pub(super) most: AtomicUsize,
    gate: Option<Semaphore>,
    pub(super) dialled: AtomicUsize,
}

impl Script {
    pub(super) fn new(answers: impl IntoIterator<Item = RouterError>, gated: bool) -> Arc<Self> {
        Arc::new(Script {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            gate: gated.then(|| Semaphore::new(0)),
            dialled: AtomicUsize::new(0),
        })
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(super) fn let_go(&self, requests: usize) {
        self.gate.as_ref().unwrap().add_permits(requests);
    }

    /// Waits until so many requests have reached the router; other tasks run meanwhile.
    pub(super) async fn reached(&self, requests: usize) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.asked() < requests {
            assert!(Instant::now() < deadline, "{} of {requests} requests came", self.asked());
            tokio::task::yield_now().await;
        }
    }
}

impl Wire for Script {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<(Said, Via), RouterError>> {
        async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            if let Some(gate) = &self.gate {
                gate.acquire().await.unwrap().forget();
            }
            self.now.fetch_sub(1, Ordering::SeqCst);
            let answer = self.answers.lock().unwrap().pop_front();
            let said = match (answer, ask) {
                (Some(error), _) => Err(error),
                (None, Ask::Count(..)) => Ok(Said::Count(3)),
                (None, _) => Ok(Said::Rows(rows(r#"[{".id":"*1","name":"a","version":"7.20 (stable)","cpu-load":"9"}]"#).unwrap())),
            };
            said.map(|said| (said, Via::Rest))
        }
        .boxed()
    }
}

pub(super) struct Rig {
    pub(super) fleet: Fleet,
    pub(super) device: Arc<Device>,
    pub(super) script: Arc<Script>,
    pub(super) hand: Arc<Hand>,
    _dir: tempfile::TempDir,
}

impl Rig {
    pub(super) async fn new(script: Arc<Script>, config: Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { volatile_ok: true, ..Options::at(dir.path().join("store.redb")) };
        let (clock, hand) = Clock::by_hand(Wall(1_000_000));
        let mut settings = Settings::new(Environment::Lab);
        settings.routeros = config;
        let dialled = script.clone();
        let dial: Dial = Arc::new(move |_| {
            dialled.dialled.fetch_add(1, Ordering::SeqCst);
            Ok(dialled.clone() as Arc<dyn Wire>)
        });
        let parts = Parts { store: Store::open(options).unwrap(), seal: Seal::new(&[1; 32]), clock, bus: Bus::default(), settings };
        let fleet = Fleet::open_with(parts, dial).unwrap();
        let device = adopt(&fleet, "edge", Environment::Lab).await;
        Rig { fleet, device, script, hand, _dir: dir }
    }

    pub(super) fn lane(&self) -> Lane {
        self.fleet.lane(&self.device)
    }

    pub(super) fn status(&self) -> Status {
        self.fleet.get(&self.device.id).unwrap().status
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.hand.advance(Duration::from_secs(seconds));
    }
}

/// Puts a device in without asking its router.
pub(super) async fn adopt(fleet: &Fleet, name: &str, environment: Environment) -> Arc<Device> {
    let device = Device {
        id: DeviceId::random(),
        name: name.into(),
        address: "127.0.0.1".into(),
        rest_port: 443,
        ssh_port: 22,
        plain_http: false,
        username: "mcp".into(),
        environment,
        tags: vec![],
        capabilities: BTreeSet::new(),
        pins: Pins { tls: Some([5; 32]), ssh: None },
        facts: Facts::default(),
        added_at: Wall(0),
        updated_at: Wall(0),
        status: Status::Unknown,
        last_seen: None,
        last_error: None,
    };
    let credential = Credential::seal(&NewCredential::password(Secret::new("secret")), &device.id, &fleet.shared.seal);
    let batch = fleet.shared.keep_credential(Batch::new(), &device.id, credential);
    fleet.shared.keep(device, Standing::Set, batch).await.unwrap()
}

/// One try, no pause: what is repeated is tested by itself.
pub(super) fn once() -> Config {
    Config { retry_attempts: 1, ..Config::default() }
}

pub(super) fn menu(path: &str) -> Read {
    Read::fresh(MenuPath::parse(path).unwrap())
}

pub(super) fn refused() -> RouterError {
    RouterError::Unreachable { at: "127.0.0.1:443".into(), why: "connection refused".into() }
}

pub(super) fn kind(result: &Result<Answer, Fault>) -> Option<Kind> {
    result.as_ref().err().map(|fault| fault.kind)
}
