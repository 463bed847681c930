//! Who hears of changes: `resources/subscribe` in sessions, `subscriptions/listen` in the revision without them.
//!
//! Changes come over the bus as ids of devices. They are gathered for `sse.update_batch_interval_seconds` after the
//! first one, then each subscriber hears once of each address that changed; what changed he reads himself, and policy
//! is judged then. A seat is counted for each subscription to a device, over all sessions, and given back when the
//! subscription or its session ends.
//!
//! Source: <https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/subscriptions>

use crate::base::events::Event;
use crate::base::ids::DeviceId;
use crate::mcp::caller::Caller;
use crate::mcp::fault;
use crate::mcp::news::{Ear, Lists, News};
use crate::mcp::resources::{self, Kind};
use rmcp::ErrorData;
use rmcp::service::{Peer, RoleServer};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Subscriptions of one session, about whatever: each is some hundred bytes.
const MOST_OF_SESSION: usize = 2_000;

/// As `sse.max_subscriptions_per_device` says unless set.
const MOST_OF_DEVICE: usize = 100;

/// Subscriptions to each device, in all sessions; and where tasks of sessions run.
#[derive(Debug, Clone)]
pub struct Watchers {
    most: usize,
    taken: Arc<Mutex<HashMap<DeviceId, usize>>>,
    open: Arc<AtomicUsize>,
    tasks: TaskTracker,
}

impl Default for Watchers {
    fn default() -> Self {
        Watchers::new(MOST_OF_DEVICE, TaskTracker::new())
    }
}

impl Watchers {
    /// At most so many to one device.
    pub fn new(most: usize, tasks: TaskTracker) -> Self {
        Watchers { most, taken: Arc::default(), open: Arc::default(), tasks }
    }

    /// How many subscriptions to the device there are.
    pub fn count(&self, device: &DeviceId) -> usize {
        self.taken().get(device).copied().unwrap_or_default()
    }

    /// How many subscriptions there are, to whatever.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn seat(&self, device: Option<&DeviceId>) -> Option<Seat> {
        if let Some(device) = device {
            let mut taken = self.taken();
            let count = taken.entry(device.clone()).or_default();
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Seat { watchers: self.clone(), device: device.cloned() })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<DeviceId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One subscription's place; given back when dropped.
#[derive(Debug)]
struct Seat {
    watchers: Watchers,
    device: Option<DeviceId>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.watchers.open.fetch_sub(1, Ordering::Relaxed);
        let Some(device) = &self.device else { return };
        let mut taken = self.watchers.taken();
        if let Some(count) = taken.get_mut(device) {
            *count -= 1;
            if *count == 0 {
                taken.remove(device);
            }
        }
    }
}

/// One subscription.
#[derive(Debug)]
pub struct Watch {
    kind: &'static Kind,
    seat: Seat,
    /// The plan, where it is one.
    plan: Option<String>,
}

impl Watch {
    /// What is watched.
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Whether the event may have changed it.
    pub fn hears(&self, event: &Event) -> bool {
        let of_it = match event {
            Event::Plan(id) => self.plan.as_ref() == Some(id),
            _ => self.kind.is_of_fleet() || (self.seat.device.is_some() && self.seat.device.as_ref() == event.device()),
        };
        of_it && self.kind.hears(event)
    }
}

/// Subscriptions by address, as their subscriber wrote it.
pub type Watches = Arc<Mutex<HashMap<String, Watch>>>;

/// What one session subscribed to.
#[derive(Debug)]
pub struct Session {
    watches: Watches,
    /// Accepted for a `listen` that has not begun.
    promised: Mutex<Promised>,
    is_told: AtomicBool,
    over: CancellationToken,
    _ends: DropGuard,
}

/// What waits between the acceptance of a `listen` and its beginning, when the client may already act on it.
#[derive(Debug, Default)]
struct Promised {
    watches: Vec<(String, Watch)>,
    ears: VecDeque<Ear>,
}

/// Ears that wait at most; each is claimed by the `listen` it was made for, moments later.
const MOST_EARS: usize = 16;

impl Default for Session {
    fn default() -> Self {
        let over = CancellationToken::new();
        Session {
            watches: Watches::default(),
            promised: Mutex::default(),
            is_told: AtomicBool::new(false),
            _ends: over.clone().drop_guard(),
            over,
        }
    }
}

impl Session {
    /// `resources/subscribe`. Twice is once.
    ///
    /// # Errors
    /// As reading it would be refused before any router is asked, and when all seats are taken.
    pub fn subscribe(&self, caller: &Caller, uri: &str) -> Result<(), ErrorData> {
        let mut watches = lock(&self.watches);
        if watches.contains_key(uri) {
            return Ok(());
        }
        if watches.len() >= MOST_OF_SESSION {
            return Err(fault::too_many(format!("a session has at most {MOST_OF_SESSION} subscriptions")));
        }
        watches.insert(uri.to_owned(), watch(caller, uri)?);
        Ok(())
    }

    /// `resources/unsubscribe`. Ending what never was is no error.
    pub fn unsubscribe(&self, uri: &str) {
        lock(&self.watches).remove(uri);
    }

    /// The addresses of a `subscriptions/listen` that are accepted; their seats, and what happens meanwhile, wait for
    /// [`Session::claim`].
    pub fn promise(&self, caller: &Caller, uris: &[String]) -> Vec<String> {
        let ear = Ear::new(caller);
        let mut promised = self.promised();
        if promised.ears.len() >= MOST_EARS {
            promised.ears.pop_front();
        }
        promised.ears.push_back(ear);
        let mut accepted: Vec<String> = Vec::new();
        for uri in uris {
            if accepted.contains(uri) || promised.watches.len() >= MOST_OF_SESSION {
                continue;
            }
            if let Ok(watch) = watch(caller, uri) {
                promised.watches.push((uri.clone(), watch));
                accepted.push(uri.clone());
            }
        }
        accepted
    }

    /// The subscriptions of a `listen` that begins.
    pub fn claim(&self, caller: &Caller, uris: &[String]) -> (Ear, HashMap<String, Watch>) {
        let mut promised = self.promised();
        let mut claimed = HashMap::new();
        for uri in uris {
            if let Some(at) = promised.watches.iter().position(|(known, _)| known == uri) {
                let (uri, watch) = promised.watches.swap_remove(at);
                claimed.insert(uri, watch);
            }
        }
        // An older one than its own hears more, never less.
        let ear = promised.ears.pop_front().unwrap_or_else(|| Ear::new(caller));
        (ear, claimed)
    }

    fn promised(&self) -> MutexGuard<'_, Promised> {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the session's client of changes from now on, until the session ends; the second time does nothing.
    pub fn tell(&self, caller: Caller, peer: Peer<RoleServer>) {
        if self.is_told.swap(true, Ordering::SeqCst) {
            return;
        }
        let (watches, over, tasks) = (self.watches.clone(), self.over.clone(), caller.settings.watchers.tasks.clone());
        let lists = Lists { resources: caller.settings.resources, tools: caller.settings.tools };
        let news = News::new(Ear::new(&caller), caller, watches, lists);
        tasks.spawn(async move {
            tokio::select! {
                () = over.cancelled() => {}
                () = news.pass_on(&peer) => {}
            }
        });
    }
}

/// The subscriptions at this moment.
pub fn lock(watches: &Watches) -> MutexGuard<'_, HashMap<String, Watch>> {
    watches.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A subscription with its seat, if the caller may read what he wants to hear of.
fn watch(caller: &Caller, uri: &str) -> Result<Watch, ErrorData> {
    let (kind, value) = resources::find(uri).ok_or_else(|| fault::unknown_resource(uri))?;
    if !kind.is_there() {
        return Err(fault::not_in_this_build(uri, kind.tool().unwrap_or("it")));
    }
    let device = match kind.is_of_device() {
        true => Some(caller.dispatch.device(&caller.principal, &value).ok_or_else(|| fault::unknown_resource(uri))?),
        false => None,
    };
    if !kind.is_open_to(caller, device.as_deref()) {
        return Err(fault::unknown_resource(uri));
    }
    if kind.is_of_plan() && !caller.dispatch.sees_plan(&caller.principal, &value) {
        return Err(fault::unknown_resource(uri));
    }
    let plan = kind.is_of_plan().then_some(value);
    let id = device.map(|device| device.id.clone());
    let seat = caller
        .settings
        .watchers
        .seat(id.as_ref())
        .ok_or_else(|| fault::too_many(format!("{} subscriptions to this device already", caller.settings.watchers.most)))?;
    Ok(Watch { kind, seat, plan })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_counted_and_given_back() {
        let watchers = Watchers::new(2, TaskTracker::new());
        let id = DeviceId("dev_1".into());
        let (one, two) = (watchers.seat(Some(&id)), watchers.seat(Some(&id)));
        assert!(one.is_some() && two.is_some() && watchers.seat(Some(&id)).is_none());
        assert!(watchers.seat(Some(&DeviceId("dev_2".into()))).is_some() && watchers.seat(None).is_some());
        drop(one);
        assert_eq!(watchers.count(&id), 1);
        assert!(watchers.seat(Some(&id)).is_some(), "given back");
        drop(two);
        assert!(watchers.taken().is_empty(), "nothing is kept of devices nobody watches");
    }

    #[test]
    fn an_event_concerns_its_device_and_the_fleet() {
        let watchers = Watchers::default();
        let (id, other) = (DeviceId("dev_1".into()), DeviceId("dev_2".into()));
        let watch = |uri: &str, device: Option<&DeviceId>| {
            let (kind, value) = resources::find(uri).unwrap();
            Watch { kind, seat: watchers.seat(device).unwrap(), plan: kind.is_of_plan().then_some(value) }
        };
        let health = watch("device://dev_1/health", Some(&id));
        let config = watch("device://dev_1/config", Some(&id));
        let fleet = watch("fleet://summary", None);
        let docs = watch("docs://tools", None);
        let of = |event: Event| [&health, &config, &fleet, &docs].map(|watch| watch.hears(&event));
        assert_eq!(of(Event::Health(id.clone())), [true, false, true, false]);
        assert_eq!(of(Event::Config(id.clone())), [false, true, false, false]);
        assert_eq!(of(Event::Device(id)), [true, false, true, false]);
        assert_eq!(of(Event::Health(other)), [false, false, true, false]);
        let plan = watch("plan://plan-1/diff", None);
        let heard = |id: &str| plan.hears(&Event::Plan(id.into()));
        assert_eq!((heard("plan-1"), heard("plan-2"), fleet.hears(&Event::Plan("plan-1".into()))), (true, false, false));
    }
}
