//! How a process ends in the middle of its work: at a write or a request, and nothing of it reaches the disk after that.

use futures_util::future::{BoxFuture, FutureExt};
use routeros_mcp::plan::record::{Draft, Progress};
use routeros_mcp::plan::state::{DeviceState, PlanState};
use routeros_mcp::plan::{Engine, Journal};
use routeros_mcp::sim::hooks::When;
use routeros_mcp::store::{Batch, Durability, Store, StoreError};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// The end of a process.
#[derive(Default)]
pub(crate) struct Death {
    dead: AtomicBool,
    bell: Notify,
}

impl Death {
    pub fn come(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.bell.notify_waiters();
    }

    /// Another process begins.
    pub fn begin_anew(&self) {
        self.dead.store(false, Ordering::SeqCst);
    }

    pub fn is_here(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub async fn wait(&self) {
        loop {
            let rung = self.bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            if self.is_here() {
                return;
            }
            rung.await;
        }
    }
}

/// On which side of a write or a request.
pub(crate) type Side = When;

/// The way to the disk: counts, kills, and gives a person's word the moment it is waited for.
pub(super) struct Diary {
    pub(super) store: Store,
    pub(super) death: Arc<Death>,
    pub(super) kill: Option<(usize, Side)>,
    pub(super) full: Option<usize>,
    pub(super) room: Arc<AtomicBool>,
    pub(super) written: Arc<AtomicUsize>,
    pub(super) keep: bool,
    pub(super) window: Option<Window>,
    pub(super) waited: AtomicBool,
    pub(super) engine: Mutex<Option<Engine>>,
}

/// What happens the moment a plan waits for a person.
pub(crate) type Window = Arc<dyn Fn() + Send + Sync>;

impl Journal for Diary {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let number = self.written.fetch_add(1, Ordering::SeqCst) + 1;
            if self.kill == Some((number, When::Before)) {
                self.death.come();
            }
            if self.death.is_here() {
                std::future::pending::<()>().await;
            }
            if self.full.is_some_and(|full| number >= full) && !self.room.load(Ordering::SeqCst) {
                return Err(StoreError::Io { doing: "committing", source: Arc::new(std::io::ErrorKind::StorageFull.into()) });
            }
            let done = self.store.commit(batch, Durability::Now).await;
            if self.kill == Some((number, When::After)) {
                self.death.come();
                std::future::pending::<()>().await;
            }
            self.word().await;
            if self.death.is_here() {
                std::future::pending::<()>().await;
            }
            done
        }
        .boxed()
    }
}

impl Diary {
    async fn word(&self) {
        let engine = self.engine.lock().unwrap().clone();
        let Some(engine) = engine.filter(|_| self.keep || self.window.is_some()) else { return };
        for plan in engine.list().unwrap().iter().filter(|plan| plan.state == PlanState::Executing) {
            let (_, devices) = engine.plan(&plan.id).unwrap();
            let waits = |(_, at): &(Draft, Progress)| at.state == DeviceState::Verified && at.intent.is_none() && !at.keep_asked;
            if !devices.iter().any(waits) {
                continue;
            }
            if let Some(window) = self.window.as_ref().filter(|_| !self.waited.swap(true, Ordering::SeqCst)) {
                window();
            }
            if self.keep {
                engine.confirm(&plan.id).await.ok();
            }
        }
    }
}
