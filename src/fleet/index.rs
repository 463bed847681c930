//! The devices in memory: by id, by name, and how often each has changed.

use crate::base::ids::DeviceId;
use crate::fleet::device::Device;
use crate::fleet::naming;
use crate::fleet::status::{Health, StatusRecord};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Devices by id and by name.
#[derive(Default)]
pub(super) struct Index {
    pub devices: HashMap<DeviceId, Entry>,
    /// By folded name.
    pub names: BTreeMap<String, DeviceId>,
    epochs: u64,
}

pub(super) struct Entry {
    pub device: Arc<Device>,
    /// Grows with each change of the record; a connection made for an older one is dropped.
    pub epoch: u64,
    /// What the store knows of its status, and since when (monotonic).
    pub health: Health,
}

/// Whether a change of the record is one of the status too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The record says the status.
    Set,
    /// The status stays.
    AsIs,
}

impl Index {
    /// Adds or replaces a device under the name it has now.
    pub fn put(&mut self, mut device: Device, standing: Standing, mut health: Health) -> Arc<Device> {
        if let Some(before) = self.take(&device.id)
            && standing == Standing::AsIs
        {
            StatusRecord::of(&before.device).onto(&mut device);
            health = before.health;
        }
        self.epochs += 1;
        let device = Arc::new(device);
        self.names.insert(naming::folded(&device.name), device.id.clone());
        self.devices.insert(device.id.clone(), Entry { device: device.clone(), epoch: self.epochs, health });
        device
    }

    /// Takes a device out.
    pub fn take(&mut self, id: &DeviceId) -> Option<Entry> {
        let gone = self.devices.remove(id)?;
        self.names.remove(&naming::folded(&gone.device.name));
        Some(gone)
    }
}
