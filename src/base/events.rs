//! Who else wants to know: a bus of ids, never of contents.
//!
//! A listener that falls behind loses the oldest events and is told how many; it then re-reads what it cares about.
//! Events are numbered as they are told, so that whoever keeps an answer can see, without listening, whether anything
//! happened to its device since.

use crate::base::ids::DeviceId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Something happened to the thing with this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A device was added, changed or removed.
    Device(DeviceId),
    /// A device's reachability or health changed.
    Health(DeviceId),
    /// A router's configuration changed: we wrote to it, or it is not what it was when last looked at.
    Config(DeviceId),
    /// A plan was made, or it or a device in it moved on. Its id as text: what a plan is stands further up.
    Plan(String),
    /// A router took the change of this plan back by itself.
    Fired(String),
    /// An alert was told, or is over.
    Alert,
    /// A program came in through MCP. Its caller's subject.
    Client(String),
    /// An update of this appliance moved on.
    Update,
    /// Somebody set a kill switch: what may be done, and what is listed, is not what it was.
    Switches,
}

impl Event {
    /// The device it is about, if it is about one.
    pub fn device(&self) -> Option<&DeviceId> {
        match self {
            Event::Device(id) | Event::Health(id) | Event::Config(id) => Some(id),
            Event::Plan(_) | Event::Fired(_) | Event::Alert | Event::Client(_) | Event::Update | Event::Switches => None,
        }
    }
}

/// How many events wait for a slow listener.
const BACKLOG: usize = 256;

/// Sends to whoever listens now.
#[derive(Debug, Clone)]
pub struct Bus {
    told: broadcast::Sender<Event>,
    numbers: Arc<Mutex<Numbers>>,
}

/// The number of the last event: of all, and of each device.
#[derive(Debug, Default)]
struct Numbers {
    last: u64,
    of: HashMap<DeviceId, u64>,
}

impl Default for Bus {
    fn default() -> Self {
        Bus { told: broadcast::channel(BACKLOG).0, numbers: Arc::default() }
    }
}

impl Bus {
    /// Tells everybody; nobody listening is fine.
    pub fn tell(&self, event: Event) {
        {
            let mut numbers = self.numbers();
            numbers.last += 1;
            let last = numbers.last;
            if let Some(device) = event.device() {
                numbers.of.insert(device.clone(), last);
            }
        }
        let _ = self.told.send(event);
    }

    /// From now on.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.told.subscribe()
    }

    /// The number of the last event.
    pub fn last(&self) -> u64 {
        self.numbers().last
    }

    /// Whether nothing was told of the device after event number `since`.
    pub fn is_quiet(&self, device: &DeviceId, since: u64) -> bool {
        self.numbers().of.get(device).is_none_or(|last| *last <= since)
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_quiet_until_something_is_told_of_it() {
        let bus = Bus::default();
        let (a, b) = (DeviceId("a".into()), DeviceId("b".into()));
        let before = bus.last();
        bus.tell(Event::Health(a.clone()));
        assert!(!bus.is_quiet(&a, before) && bus.is_quiet(&b, before));
        assert!(bus.is_quiet(&a, bus.last()), "what is read after it is new");
    }
}
