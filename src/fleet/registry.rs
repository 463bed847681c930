//! The fleet: every device in memory, over the store.
//!
//! Reading is free of I/O. Changes go to the store first, all parts of one change in one batch and durable, and only
//! then into memory (`records.rs`); they happen one at a time. A caller who gives up does not leave a change half made.

mod records;

use crate::base::clock::Clock;
use crate::base::events::{Bus, Event};
use crate::base::fault::Fault;
use crate::base::ids::DeviceId;
use crate::fleet::cache::Cache;
use crate::fleet::config::Settings;
use crate::fleet::credential::Credential;
use crate::fleet::device::{Device, Status};
use crate::fleet::discover::table::Table as Neighbours;
use crate::fleet::fault::FleetError;
use crate::fleet::index::{Index, Standing};
use crate::fleet::lane::Lane;
use crate::fleet::naming;
use crate::fleet::rotation::Rotation;
use crate::fleet::slot::{IDLE_MAX, Slot};
use crate::fleet::status::{Health, StatusRecord};
use crate::fleet::ways::{self, Dialled};
use crate::fleet::wire::Wire;
use crate::host::metrics::Meter;
use crate::routeros::RouterError;
use crate::store::{Batch, Durability, Seal, Store, Table};
use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// How long `close` waits for requests under way. Calls were drained before, so these are reads nobody waits for any more
/// (a health reading of a dead router), and an idle process has to be gone within a second.
const CLOSE_MAX: Duration = Duration::from_millis(700);
/// How often idle connections are looked for, at most.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// How connections to routers are made.
pub type Dial = Arc<dyn Fn(Dialled) -> Result<Arc<dyn Wire>, RouterError> + Send + Sync>;

/// What a fleet is built from.
pub struct Parts {
    /// Where devices are kept.
    pub store: Store,
    /// What seals their passwords.
    pub seal: Seal,
    /// Time.
    pub clock: Clock,
    /// Who wants to know of changes.
    pub bus: Bus,
    /// Limits and rules.
    pub settings: Settings,
}

/// Every device, and the lanes to them; clones share it.
#[derive(Clone)]
pub struct Fleet {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub store: Store,
    pub seal: Seal,
    pub clock: Clock,
    pub bus: Bus,
    pub settings: Settings,
    pub cache: Cache,
    pub tracker: TaskTracker,
    pub connect: Dial,
    index: RwLock<Index>,
    lanes: RwLock<HashMap<DeviceId, Arc<Slot>>>,
    /// Logins of a store in RAM, which keeps none.
    unstored: Mutex<HashMap<DeviceId, Credential>>,
    /// Who was heard on our networks, and whose turn it is to listen.
    pub neighbours: Mutex<Neighbours>,
    pub listening: Semaphore,
    edits: Semaphore,
    swept: AtomicU64,
    closing: AtomicBool,
}

impl Fleet {
    /// Reads all devices. Errs when the store cannot be read or holds records of a newer build.
    pub fn open(parts: Parts) -> Result<Fleet, Fault> {
        let clock = parts.clock.clone();
        Fleet::open_with(parts, Arc::new(move |dialled| ways::connect(dialled, clock.clone())))
    }

    /// As `open`, with another way to connect: for tests.
    pub fn open_with(parts: Parts, connect: Dial) -> Result<Fleet, Fault> {
        let Parts { store, seal, clock, bus, settings } = parts;
        let mut statuses: HashMap<String, StatusRecord> = Table::new(store.clone()).all()?.into_iter().collect();
        let mut index = Index::default();
        for (id, mut device) in Table::<Device>::new(store.clone()).all()? {
            let status = statuses.remove(&id).unwrap_or_default();
            status.clone().onto(&mut device);
            index.put(device, Standing::Set, Health::stored(status, clock.mono()));
        }
        let shared = Shared {
            store,
            seal,
            clock,
            bus,
            settings,
            connect,
            cache: Cache::default(),
            tracker: TaskTracker::new(),
            index: RwLock::new(index),
            lanes: RwLock::default(),
            unstored: Mutex::default(),
            neighbours: Mutex::default(),
            listening: Semaphore::new(1),
            edits: Semaphore::new(1),
            swept: AtomicU64::new(0),
            closing: AtomicBool::new(false),
        };
        Ok(Fleet { shared: Arc::new(shared) })
    }

    /// Who counts.
    pub fn meter(&self) -> &Meter {
        &self.shared.settings.meter
    }

    /// Where changes of devices are told.
    pub fn bus(&self) -> &Bus {
        &self.shared.bus
    }

    /// We listen here, and nowhere else: no device may be there.
    pub fn listens_at(&self, own: Vec<SocketAddr>) {
        self.shared.settings.own_listeners.put(own);
    }

    /// Every device, by name.
    pub fn list(&self) -> Vec<Arc<Device>> {
        let index = self.shared.index();
        index.names.values().filter_map(|id| index.devices.get(id)).map(|entry| entry.device.clone()).collect()
    }

    /// How many devices there are.
    pub fn len(&self) -> usize {
        self.shared.index().devices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A device by id or name (without regard to case). Errs with `NotFound`; the hint names similar ones.
    pub fn find(&self, wanted: &str) -> Result<Arc<Device>, Fault> {
        self.find_among(wanted, |_| true)
    }

    /// As `find`, among the devices somebody may see: others do not exist, not even in the hint.
    pub fn find_among(&self, wanted: &str, visible: impl Fn(&Device) -> bool) -> Result<Arc<Device>, Fault> {
        let index = self.shared.index();
        let id = index.names.get(&naming::folded(wanted));
        let entry = index.devices.get(&DeviceId(wanted.to_owned())).or_else(|| index.devices.get(id?));
        if let Some(entry) = entry.filter(|entry| visible(&entry.device)) {
            return Ok(entry.device.clone());
        }
        let names = index.devices.values().filter(|entry| visible(&entry.device)).map(|entry| entry.device.name.as_str());
        let nearest = naming::nearest(wanted, names);
        Err(FleetError::NoDevice { wanted: shown(wanted), nearest }.into())
    }

    /// A device by id. Errs with `NotFound`.
    pub fn get(&self, id: &DeviceId) -> Result<Arc<Device>, Fault> {
        Ok(self.shared.current(id)?.0)
    }

    /// The way to a device's router; made when first asked for.
    pub fn lane(&self, device: &Device) -> Lane {
        self.shared.sweep();
        Lane { shared: self.shared.clone(), slot: self.shared.slot(&device.id) }
    }

    /// Forgets what routers answered lately: the next read of anything asks them. How many answers that were.
    pub fn forget_answers(&self) -> usize {
        self.shared.cache.clear()
    }

    /// Takes a device and its login out, for good. Errs with `NotFound`, `Storage`.
    pub async fn remove(&self, id: &DeviceId) -> Result<Arc<Device>, Fault> {
        let (shared, id) = (self.shared.clone(), id.clone());
        self.edit(async move {
            let (device, _) = shared.current(&id)?;
            let key = id.as_str();
            let batch = Batch::new();
            let batch = Table::<Device>::new(shared.store.clone()).delete_into(batch, key);
            let batch = Table::<StatusRecord>::new(shared.store.clone()).delete_into(batch, key);
            let batch = Table::<Credential>::new(shared.store.clone()).delete_into(batch, key);
            let batch = Table::<Rotation>::new(shared.store.clone()).delete_into(batch, key);
            shared.store.commit(batch, Durability::Now).await?;
            shared.index_mut().take(&id);
            shared.forget(&id);
            shared.bus.tell(Event::Device(id));
            Ok(device)
        })
        .await
    }

    /// Retires a device: its login is destroyed, its record kept, and it is never asked again.
    pub async fn decommission(&self, id: &DeviceId) -> Result<Arc<Device>, Fault> {
        let (shared, id) = (self.shared.clone(), id.clone());
        self.edit(async move {
            let mut device = (*shared.current(&id)?.0).clone();
            device.status = Status::Decommissioned;
            device.last_error = None;
            device.updated_at = shared.clock.wall();
            let batch = Table::<Credential>::new(shared.store.clone()).delete_into(Batch::new(), id.as_str());
            let batch = Table::<Rotation>::new(shared.store.clone()).delete_into(batch, id.as_str());
            let device = shared.keep(device, Standing::Set, batch).await?;
            shared.forget(&id);
            Ok(device)
        })
        .await
    }

    /// Waits until no change of a record is under way.
    pub async fn settled(&self) {
        drop(self.shared.edits.acquire().await);
    }

    /// Waits for requests under way, and stores what is known of devices. The store itself stays open.
    pub async fn close(&self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.shared.tracker.close();
        if tokio::time::timeout(CLOSE_MAX, self.shared.tracker.wait()).await.is_err() {
            tracing::warn!("requests to routers were still under way at shutdown");
        }
        self.shared.store_statuses().await;
    }

    /// Runs one change to the end, after those before it, whether or not the caller waits.
    pub(super) async fn edit<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Fault> {
        let shared = self.shared.clone();
        let whole = async move {
            let _turn = shared.edits.acquire().await.map_err(|_| FleetError::Closing)?;
            change.await
        };
        match self.shared.tracker.spawn(whole).await {
            Ok(result) => result,
            Err(error) => Err(Fault::bug(error)),
        }
    }
}

impl Shared {
    /// May its router be asked at all?
    pub fn admit(&self, id: &DeviceId) -> Result<(), FleetError> {
        if self.closing.load(Ordering::SeqCst) {
            return Err(FleetError::Closing);
        }
        let (device, _) = self.current(id)?;
        self.admits(&device)
    }

    /// May this device's router be asked at all?
    pub fn admits(&self, device: &Device) -> Result<(), FleetError> {
        let (name, ours) = (device.name.clone(), self.settings.environment);
        if device.environment != ours {
            return Err(FleetError::OtherEnvironment { name, theirs: device.environment, ours });
        }
        match device.status {
            Status::Quarantined => {
                let why = device.last_error.clone().unwrap_or_else(|| "it shows another key than the pinned one".into());
                Err(FleetError::Quarantined { name, why })
            }
            Status::Decommissioned => Err(FleetError::Decommissioned { name }),
            Status::Unknown | Status::Reachable | Status::Unreachable => Ok(()),
        }
    }

    /// Why nothing is sent for a moment.
    pub fn resting(&self, id: &DeviceId, retry_in: Duration) -> FleetError {
        let last_error = self.current(id).ok().and_then(|(device, _)| device.last_error.clone());
        FleetError::Resting { name: self.name_of(id), retry_in, last_error }
    }

    /// A device's lane.
    pub fn slot(&self, id: &DeviceId) -> Arc<Slot> {
        if let Some(slot) = self.lanes().get(id) {
            return slot.clone();
        }
        let mut lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        lanes.entry(id.clone()).or_insert_with(|| Arc::new(Slot::new(id.clone(), &self.settings.routeros))).clone()
    }

    /// Lets go of idle connections and old answers, at most every ten seconds.
    pub fn sweep(&self) {
        let now = self.clock.mono();
        let last = self.swept.load(Ordering::Relaxed);
        if now < Duration::from_millis(last) + SWEEP_EVERY {
            return;
        }
        self.swept.store(now.as_millis() as u64, Ordering::Relaxed);
        self.cache.sweep(now);
        if let Some(moment) = now.checked_sub(IDLE_MAX) {
            self.lanes().values().for_each(|slot| slot.drop_idle(moment));
        }
    }

    fn forget(&self, id: &DeviceId) {
        if let Some(slot) = self.lanes.write().unwrap_or_else(PoisonError::into_inner).remove(id) {
            slot.start_over();
        }
        self.unstored().remove(id);
        self.cache.forget(id);
    }

    fn lanes(&self) -> RwLockReadGuard<'_, HashMap<DeviceId, Arc<Slot>>> {
        self.lanes.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What somebody asked for, short and without control characters.
fn shown(wanted: &str) -> String {
    wanted.chars().filter(|c| !c.is_control()).take(64).collect()
}
