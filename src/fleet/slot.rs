//! What a lane keeps for its device: the queue, the limits, the connection, and the reads under way.
//!
//! All of it is plain state; time passes only while a request is served (`serve.rs`).

mod serve;

use crate::base::ids::DeviceId;
use crate::fleet::breaker::Breaker;
use crate::fleet::config::Config;
use crate::fleet::fault::FleetError;
use crate::fleet::lane::Landed;
use crate::fleet::pace::{Bucket, Governor, Pace};
use crate::fleet::registry::Shared;
use crate::fleet::wire::Wire;
use crate::routeros::RouterError;
use crate::routeros::row::Row;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};

/// Requests that may wait for their turn at one router; more are refused at once. A caller's tool asks a handful.
pub const WAITING_MAX: usize = 64;
/// A connection nobody used for so long is let go.
pub const IDLE_MAX: Duration = Duration::from_secs(90);

/// A read under way: the state of the router it is about, and the question.
pub type Flight = (u64, Arc<str>);

/// One device's lane, inside.
pub struct Slot {
    pub id: DeviceId,
    turns: Arc<Semaphore>,
    in_flight_max: u32,
    waiting: AtomicUsize,
    rhythm: Mutex<Rhythm>,
    breaker_moved: Notify,
    under_way: Mutex<HashMap<Flight, watch::Sender<Landed>>>,
    connection: Mutex<Option<Connection>>,
    generation: AtomicU64,
    /// Who we are to the router, as it said last, and when.
    ourselves: Mutex<Option<(Duration, Vec<Row>)>>,
}

struct Rhythm {
    breaker: Breaker,
    bucket: Bucket,
    governor: Governor,
}

struct Connection {
    /// The device record it was made for.
    epoch: u64,
    wire: Arc<dyn Wire>,
    used: Duration,
}

impl Slot {
    /// For a device that was not asked yet.
    pub fn new(id: DeviceId, config: &Config) -> Self {
        let bucket = Bucket::new(config.requests_per_second, config.burst());
        Slot {
            id,
            turns: Arc::new(Semaphore::new(config.in_flight() as usize)),
            in_flight_max: config.in_flight(),
            waiting: AtomicUsize::new(0),
            rhythm: Mutex::new(Rhythm { breaker: Breaker::default(), bucket, governor: Governor::default() }),
            breaker_moved: Notify::new(),
            under_way: Mutex::default(),
            connection: Mutex::default(),
            generation: AtomicU64::new(0),
            ourselves: Mutex::default(),
        }
    }

    /// The reads under way.
    pub fn flights(&self) -> MutexGuard<'_, HashMap<Flight, watch::Sender<Landed>>> {
        lock(&self.under_way)
    }

    /// Takes a flight off, unless another has taken its place.
    pub fn strike(&self, flight: &Flight, landed: &watch::Sender<Landed>) {
        let mut flights = self.flights();
        if flights.get(flight).is_some_and(|known| known.same_channel(landed)) {
            flights.remove(flight);
        }
    }

    /// Counts changes to the router: reads before one are not given to readers after it.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// The router was changed.
    pub fn next_generation(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Our own rows among the active users, if they were told since then.
    pub fn ourselves(&self, since: Duration) -> Option<Vec<Row>> {
        lock(&self.ourselves).as_ref().filter(|(at, rows)| *at >= since && !rows.is_empty()).map(|(_, rows)| rows.clone())
    }

    /// What the router said of us.
    pub fn know_ourselves(&self, at: Duration, rows: Vec<Row>) {
        *lock(&self.ourselves) = Some((at, rows));
    }

    /// How hard the router may be worked.
    pub fn pace(&self) -> Pace {
        self.rhythm().governor.pace()
    }

    /// The router's CPU load, percent, as it said.
    pub fn cpu_load(&self, percent: u8) {
        self.rhythm().governor.cpu_load(percent);
    }

    /// Lets the next request try even while the breaker is open.
    pub fn allow_a_try(&self, now: Duration) {
        self.rhythm().breaker.allow_a_try(now);
    }

    /// A changed device starts afresh: nothing that failed before says anything about it.
    pub fn start_over(&self) {
        self.rhythm().breaker = Breaker::default();
        self.breaker_moved.notify_waiters();
        lock(&self.connection).take();
        lock(&self.ourselves).take();
        self.next_generation();
    }

    /// Lets go of a connection that nobody used since `moment`.
    pub fn drop_idle(&self, moment: Duration) {
        let mut connection = lock(&self.connection);
        if connection.as_ref().is_some_and(|open| open.used <= moment) {
            connection.take();
        }
    }

    /// Makes the next request connect anew and try everything: somebody asked for a look.
    pub fn drop_connection(&self) {
        lock(&self.connection).take();
    }

    /// Why REST does not work, while answers come another way.
    pub fn trouble(&self) -> Option<RouterError> {
        lock(&self.connection).as_ref()?.wire.trouble()
    }

    /// Whether a connection is kept.
    #[cfg(test)]
    pub fn is_connected(&self) -> bool {
        lock(&self.connection).is_some()
    }

    /// A place in the queue, or `QueueFull`.
    pub fn enqueue(&self, shared: &Shared) -> Result<(), FleetError> {
        let full = |waiting: usize| (waiting < WAITING_MAX).then_some(waiting + 1);
        match self.waiting.fetch_update(Ordering::SeqCst, Ordering::SeqCst, full) {
            Ok(_) => Ok(()),
            Err(waiting) => Err(FleetError::QueueFull { name: shared.name_of(&self.id), waiting }),
        }
    }

    fn rhythm(&self) -> MutexGuard<'_, Rhythm> {
        lock(&self.rhythm)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
