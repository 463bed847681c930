//! Who else wants to know: a bus of ids, never of contents.
//!
//! A listener that falls behind loses the oldest events and is told how many; it then re-reads what it cares about.

use crate::base::ids::DeviceId;
use tokio::sync::broadcast;

/// Something happened to the thing with this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A device was added, changed or removed.
    Device(DeviceId),
    /// A device's reachability or health changed.
    Health(DeviceId),
}

/// How many events wait for a slow listener.
const BACKLOG: usize = 256;

/// Sends to whoever listens now.
#[derive(Debug, Clone)]
pub struct Bus(broadcast::Sender<Event>);

impl Default for Bus {
    fn default() -> Self {
        Bus(broadcast::channel(BACKLOG).0)
    }
}

impl Bus {
    /// Tells everybody; nobody listening is fine.
    pub fn tell(&self, event: Event) {
        let _ = self.0.send(event);
    }

    /// From now on.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}
