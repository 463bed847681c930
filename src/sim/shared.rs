//! What all connections of one router share, over whatever service they came: its tables, keys, faults, hooks and tasks.

use super::agenda::clock::BoardClock;
use super::agenda::{self, Agenda};
use super::faults::{Faults, Line};
use super::hold;
use super::hooks::{Hooks, Verdict, When};
use super::tls::Identity;
use super::world::World;
use russh::keys::PrivateKey;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What all connections of one router share.
#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    identity: Mutex<Identity>,
    pub faults: Faults,
    users: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    cut: watch::Sender<u64>,
    count: AtomicU64,
    host_key: Mutex<PrivateKey>,
    pub agenda: Agenda,
    pub hooks: Hooks,
}

impl Shared {
    pub fn new(world: World, identity: Identity, host_key: PrivateKey) -> Self {
        Shared {
            world: Mutex::new(world),
            identity: Mutex::new(identity),
            faults: Faults::default(),
            users: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            cut: watch::Sender::new(0),
            count: AtomicU64::new(0),
            host_key: Mutex::new(host_key),
            agenda: Agenda::default(),
            hooks: Hooks::default(),
        }
    }

    pub fn host_key(&self) -> PrivateKey {
        hold(&self.host_key).clone()
    }

    pub fn set_host_key(&self, key: PrivateKey) {
        *hold(&self.host_key) = key;
    }

    /// Runs until done or until the router stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Tells when all connections are cut.
    pub fn cut(&self) -> watch::Receiver<u64> {
        self.cut.subscribe()
    }

    /// A number for a new connection of any service.
    pub fn next_connection(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        hold(&self.world)
    }

    pub fn identity(&self) -> Identity {
        hold(&self.identity).clone()
    }

    pub fn set_identity(&self, identity: Identity) {
        *hold(&self.identity) = identity;
    }

    pub fn cut_connections(&self) {
        self.cut.send_modify(|n| *n += 1);
    }

    pub fn cancel(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.agenda.clear();
    }

    pub async fn stop(&self) {
        self.cancel();
        self.tasks.wait().await;
    }

    /// Calls the hooks of a request and does what they say to the router.
    pub fn hooked(self: &Arc<Self>, when: When, request: (&str, &str, &str)) -> Verdict {
        if !self.hooks.any() {
            return Verdict::Go;
        }
        agenda::settle(self);
        let verdict = self.hooks.call(when, request, &mut self.world());
        match verdict {
            Verdict::Go | Verdict::Close | Verdict::Silence => {}
            Verdict::CutLink => {
                self.faults.set_line(Line::Refuse);
                self.cut_connections();
            }
            Verdict::Reboot => {
                self.cut_connections();
                self.world().reboot();
            }
            Verdict::PowerCut => {
                self.cut_connections();
                self.world().power_cut(BoardClock::Kept);
            }
        }
        self.agenda.stir();
        verdict
    }

    /// The queue of this user: the web server works on one request of it at a time.
    pub fn queue(&self, user: &str) -> Arc<tokio::sync::Mutex<()>> {
        hold(&self.users).entry(user.to_string()).or_default().clone()
    }
}
