//! Changes on their way to one subscriber: heard on the bus, gathered, told once.
//!
//! The first change says when all are told; those that come meanwhile go along. A subscriber hears of addresses, never
//! of contents, and only of devices that he sees.

use crate::base::events::Event;
use crate::mcp::caller::Caller;
use crate::mcp::subscriptions::{Watch, Watches, lock};
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::{Peer, RoleServer, SubscriptionSink};
use serde_json::Value;
use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

/// Hears of changes from a moment on.
#[derive(Debug)]
pub struct Ear {
    events: Receiver<Event>,
    /// Of the devices that the subscriber sees then.
    list: u64,
}

impl Ear {
    /// From now on.
    pub fn new(caller: &Caller) -> Self {
        Ear { events: caller.dispatch.world().fleet.bus().listen(), list: fingerprint(caller) }
    }
}

/// Where changes are told. `false`: nobody is there any more.
pub trait Tell {
    /// The resource at this address is not what it was.
    fn updated(&self, uri: String) -> impl Future<Output = bool> + Send;
    /// The list of resources is not what it was.
    fn list_changed(&self) -> impl Future<Output = bool> + Send;
    /// The list of tools is not what it was.
    fn tools_changed(&self) -> impl Future<Output = bool> + Send;
}

/// Which lists a subscriber wants to hear of.
#[derive(Debug, Clone, Copy)]
pub struct Lists {
    /// Of resources.
    pub resources: bool,
    /// Of tools.
    pub tools: bool,
}

impl Tell for Peer<RoleServer> {
    async fn updated(&self, uri: String) -> bool {
        self.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await.is_ok()
    }

    async fn list_changed(&self) -> bool {
        self.notify_resource_list_changed().await.is_ok()
    }

    async fn tools_changed(&self) -> bool {
        self.notify_tool_list_changed().await.is_ok()
    }
}

impl Tell for SubscriptionSink {
    async fn updated(&self, uri: String) -> bool {
        self.notify_resource_updated(uri).await.is_ok()
    }

    async fn list_changed(&self) -> bool {
        self.notify_resource_list_changed().await.is_ok()
    }

    async fn tools_changed(&self) -> bool {
        self.notify_tool_list_changed().await.is_ok()
    }
}

/// Where an open subscription is left by the handler that accepted it, for an edge that tells of changes by itself. Travels
/// with its request.
#[derive(Clone, Default)]
pub struct Handover(Arc<Mutex<Option<Subscription>>>);

/// A subscription that was accepted.
pub struct Subscription {
    /// Of the request that it began with, as JSON.
    pub id: Value,
    /// What it hears.
    pub news: News,
}

impl Handover {
    /// Leaves it.
    pub fn leave(&self, subscription: Subscription) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(subscription);
    }

    /// Takes it.
    pub fn take(&self) -> Option<Subscription> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Changes on their way to one subscriber.
pub struct News {
    caller: Caller,
    watches: Watches,
    wants: Lists,
    ear: Ear,
    changed: BTreeSet<String>,
    devices_changed: bool,
    tools_changed: bool,
    due: Option<Instant>,
}

impl News {
    /// For what `watches` holds at each moment.
    pub fn new(ear: Ear, caller: Caller, watches: Watches, wants: Lists) -> Self {
        News { caller, watches, wants, ear, changed: BTreeSet::new(), devices_changed: false, tools_changed: false, due: None }
    }

    /// Tells until nobody is there any more.
    pub async fn pass_on(mut self, to: &impl Tell) {
        loop {
            tokio::select! {
                event = self.ear.events.recv() => match event {
                    Ok(event) => self.heard(&event),
                    Err(RecvError::Lagged(_)) => self.missed(),
                    Err(RecvError::Closed) => return,
                },
                () = until(self.due) => {
                    if !self.flush(to).await {
                        return;
                    }
                }
            }
        }
    }

    fn heard(&mut self, event: &Event) {
        let is_device = matches!(event, Event::Device(_));
        let dispatch = &self.caller.dispatch;
        // Whether a plan is his to see was judged when he subscribed.
        let sees = event.device().is_none_or(|id| dispatch.device(&self.caller.principal, id.as_str()).is_some());
        let is_gone = event.device().is_some_and(|id| dispatch.world().fleet.get(id).is_err());
        let changed: Vec<String> = {
            let watches = lock(&self.watches);
            // One that is gone was seen by whoever subscribed to it; of the fleet only what he sees counts.
            let concerns = |watch: &Watch| watch.hears(event) && (sees || (is_gone && watch.kind().is_of_device()));
            watches.iter().filter(|(_, watch)| concerns(watch)).map(|(uri, _)| uri.clone()).collect()
        };
        self.changed.extend(changed);
        self.devices_changed |= is_device;
        self.tools_changed |= matches!(event, Event::Switches);
        self.wait();
    }

    /// Events were lost: everything may have changed.
    fn missed(&mut self) {
        let all: Vec<String> = lock(&self.watches).keys().cloned().collect();
        self.changed.extend(all);
        (self.devices_changed, self.tools_changed) = (true, true);
        self.wait();
    }

    /// The first change says when all are told; later ones come along.
    fn wait(&mut self) {
        if self.due.is_none() && (self.devices_changed || self.tools_changed || !self.changed.is_empty()) {
            self.due = Some(Instant::now() + self.caller.settings.gather);
        }
    }

    async fn flush(&mut self, to: &impl Tell) -> bool {
        self.due = None;
        if std::mem::take(&mut self.tools_changed) && self.wants.tools && !to.tools_changed().await {
            return false;
        }
        let list = if std::mem::take(&mut self.devices_changed) { fingerprint(&self.caller) } else { self.ear.list };
        if list != self.ear.list {
            self.ear.list = list;
            let of_fleet: Vec<String> =
                lock(&self.watches).iter().filter(|(_, watch)| watch.kind().is_of_fleet()).map(|(uri, _)| uri.clone()).collect();
            self.changed.extend(of_fleet);
            if self.wants.resources && !to.list_changed().await {
                return false;
            }
        }
        for uri in std::mem::take(&mut self.changed) {
            let is_watched = lock(&self.watches).contains_key(&uri);
            if is_watched && !to.updated(uri).await {
                return false;
            }
        }
        true
    }
}

/// Changes when a device that the caller sees comes, goes or is renamed: then the list of resources is another one.
fn fingerprint(caller: &Caller) -> u64 {
    let mut hasher = DefaultHasher::new();
    for device in caller.dispatch.devices(&caller.principal) {
        (device.id.as_str(), device.name.as_str()).hash(&mut hasher);
    }
    hasher.finish()
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
