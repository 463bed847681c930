//! Records of devices and their logins: in memory, over the store.
//!
//! The store hears of a change first. What it did not take is not in memory either.

use crate::base::events::Event;
use crate::base::fault::Fault;
use crate::base::ids::DeviceId;
use crate::fleet::credential::Credential;
use crate::fleet::device::Device;
use crate::fleet::fault::FleetError;
use crate::fleet::index::{Entry, Index, Standing};
use crate::fleet::naming;
use crate::fleet::registry::Shared;
use crate::fleet::status::{Health, StatusRecord};
use crate::store::{Batch, Durability, Table};
use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError, RwLockReadGuard, RwLockWriteGuard};

impl Shared {
    /// Stores a record and what else belongs to the change; then everybody sees it. Where it does not set the status, that stays
    /// what it is at that moment: an edit must not end a quarantine it did not see.
    pub async fn keep(&self, device: Device, standing: Standing, with: Batch) -> Result<Arc<Device>, Fault> {
        let key = device.id.as_str();
        let status = StatusRecord::of(&device);
        let mut batch = Table::new(self.store.clone()).put_into(with, key, &device);
        if standing == Standing::Set {
            batch = Table::new(self.store.clone()).put_into(batch, key, &status);
        }
        self.store.commit(batch, Durability::Now).await?;
        let id = device.id.clone();
        let device = self.index_mut().put(device, standing, Health::stored(status, self.clock.mono()));
        if let Some(slot) = self.lanes().get(&id) {
            slot.start_over();
        }
        self.cache.forget(&id);
        self.bus.tell(Event::Device(id));
        Ok(device)
    }

    /// Stores new records and what belongs to them, all or none.
    pub async fn keep_new(&self, devices: Vec<Device>, with: Batch) -> Result<Vec<Arc<Device>>, Fault> {
        let mut batch = with;
        for device in &devices {
            batch = Table::new(self.store.clone()).put_into(batch, device.id.as_str(), device);
            batch = Table::new(self.store.clone()).put_into(batch, device.id.as_str(), &StatusRecord::of(device));
        }
        self.store.commit(batch, Durability::Now).await?;
        let now = self.clock.mono();
        let put = |device: Device| {
            let health = Health::stored(StatusRecord::of(&device), now);
            let device = self.index_mut().put(device, Standing::Set, health);
            self.bus.tell(Event::Device(device.id.clone()));
            device
        };
        Ok(devices.into_iter().map(put).collect())
    }

    /// The batch with a login in it; one for a store in RAM is kept in memory instead.
    pub fn keep_credential(&self, batch: Batch, id: &DeviceId, credential: Credential) -> Batch {
        if self.store.is_volatile() {
            self.unstored().insert(id.clone(), credential);
            return batch;
        }
        Table::new(self.store.clone()).put_into(batch, id.as_str(), &credential)
    }

    /// A device's login. Errs with `RouterDenied` when there is none.
    pub fn credential(&self, device: &Device) -> Result<Credential, Fault> {
        let unstored = self.unstored().get(&device.id).cloned();
        let stored = match unstored {
            Some(credential) => Some(credential),
            None => Table::new(self.store.clone()).get(device.id.as_str())?,
        };
        Ok(stored.ok_or_else(|| FleetError::NoCredential { name: device.name.clone() })?)
    }

    /// A device as it is now, and the number of its last change.
    pub fn current(&self, id: &DeviceId) -> Result<(Arc<Device>, u64), FleetError> {
        let index = self.index();
        let entry = index.devices.get(id).ok_or_else(|| FleetError::NoDevice { wanted: id.to_string(), nearest: Vec::new() })?;
        Ok((entry.device.clone(), entry.epoch))
    }

    /// Errs with `Conflict` when the record changed since `epoch`.
    pub fn unchanged(&self, id: &DeviceId, epoch: u64) -> Result<(), FleetError> {
        let (device, now) = self.current(id)?;
        if now == epoch { Ok(()) } else { Err(FleetError::Changed { name: device.name.clone() }) }
    }

    /// Errs with `Conflict` when a device other than `id` has this name.
    pub fn check_name_free(&self, name: &str, id: Option<&DeviceId>) -> Result<(), FleetError> {
        let index = self.index();
        match index.names.get(&naming::folded(name)).filter(|taken| Some(*taken) != id).and_then(|taken| index.devices.get(taken)) {
            Some(other) => Err(FleetError::NameTaken { name: other.device.name.clone() }),
            None => Ok(()),
        }
    }

    /// A device's name, or its id when it is gone.
    pub fn name_of(&self, id: &DeviceId) -> String {
        self.current(id).map_or_else(|_| id.to_string(), |(device, _)| device.name.clone())
    }

    /// Changes what is known of a device's health; not its record, so connections stay.
    pub fn with_entry<T>(&self, id: &DeviceId, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.index_mut().devices.get_mut(id).map(change)
    }

    /// Every device's id.
    pub fn ids(&self) -> Vec<DeviceId> {
        self.index().devices.keys().cloned().collect()
    }

    pub(super) fn unstored(&self) -> MutexGuard<'_, HashMap<DeviceId, Credential>> {
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}
