//! Changes to a device's record. A new way in is tried before it is stored.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::fleet::credential::{Credential, NewCredential};
use crate::fleet::device::{Capability, Device, Pins, Status};
use crate::fleet::enroll::{check_pins, check_username};
use crate::fleet::index::Standing;
use crate::fleet::naming;
use crate::fleet::registry::Fleet;
use crate::fleet::trust::check_place;
use crate::store::Batch;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Changes to a record; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Another name.
    pub name: Option<String>,
    /// Another address; it must present the pinned keys.
    pub address: Option<String>,
    /// Another REST port.
    pub rest_port: Option<u16>,
    /// Another SSH port.
    pub ssh_port: Option<u16>,
    /// Another user there.
    pub username: Option<String>,
    /// Another login.
    pub credential: Option<NewCredential>,
    /// These tags instead.
    pub tags: Option<Vec<(String, String)>>,
    /// These capabilities instead.
    pub capabilities: Option<BTreeSet<Capability>>,
    /// What it presents at its new address, where that is not what is pinned: a router that was moved and got a new certificate.
    pub pins: Pins,
}

impl Changes {
    /// Whether the router must be asked if the new way works.
    fn touch_the_way(&self) -> bool {
        self.touch_rest() || self.ssh_port.is_some()
    }

    fn moves(&self) -> bool {
        self.address.is_some() || self.rest_port.is_some() || self.ssh_port.is_some()
    }

    fn touch_the_login(&self) -> bool {
        self.username.is_some() || self.credential.is_some()
    }

    fn touch_rest(&self) -> bool {
        self.address.is_some() || self.rest_port.is_some() || self.username.is_some() || self.credential.is_some()
    }
}

impl Fleet {
    /// Changes a record. When the way to the router changes, the new one must lead to the pinned router and log in
    /// before anything is stored. Errs as `enroll`, and with `Conflict` when somebody else changed the record meanwhile.
    pub async fn update(&self, id: &DeviceId, changes: Changes) -> Result<Arc<Device>, Fault> {
        let (shared, id) = (self.shared.clone(), id.clone());
        let (before, epoch) = shared.current(&id)?;
        let rotation = self.rotation(&id)?;
        let is_pinned_anew = changes.pins != Pins::default();
        check_pins(&changes.pins)?;
        if is_pinned_anew && !changes.moves() {
            return Err(Fault::bad_input("fingerprints are given here with a new address or port").hint("use `device pin`"));
        }
        let changes = self.with_key_kept(&before, changes)?;
        let mut device = changed(&before, &changes)?;
        shared.check_name_free(&device.name, Some(&id))?;
        if changes.touch_the_way() {
            self.try_the_way(&before, &mut device, &changes).await.map_err(|fault| match fault.kind {
                Kind::Untrusted if changes.moves() => fault.hint(
                    "if the router was moved and got new keys too, name them along with the address (tls_fingerprint, ssh_fingerprint)",
                ),
                _ => fault,
            })?;
        }
        device.updated_at = shared.clock.wall();
        self.edit(async move {
            shared.unchanged(&id, epoch)?;
            shared.check_name_free(&device.name, Some(&id))?;
            let mut batch = Batch::new();
            if changes.touch_the_login() {
                // It was tried with the login as it was then: one that began to change meanwhile must not be written over.
                batch = shared.end_rotation(batch, &device, rotation.as_ref());
            }
            if let Some(new) = &changes.credential {
                batch = shared.keep_credential(batch, &id, Credential::seal(new, &id, &shared.seal));
            }
            shared.keep(device, if is_pinned_anew { Standing::Set } else { Standing::AsIs }, batch).await
        })
        .await
    }

    /// A password that joins a key without one does not take the key away: the key is how we are let in so far.
    fn with_key_kept(&self, before: &Device, mut changes: Changes) -> Result<Changes, Fault> {
        if let Some(new) = changes.credential.as_mut().filter(|new| new.ssh_key_file.is_none()) {
            // One may be missing: a backup was restored without its master key.
            let stored = match self.shared.credential(before) {
                Err(fault) if fault.kind == Kind::RouterDenied => None,
                found => Some(found?),
            };
            new.ssh_key_file = stored.filter(|stored| !stored.has_password()).and_then(|stored| stored.ssh_key_file);
        }
        Ok(changes)
    }

    /// Connects as the changed record says, with the new login or the stored one, and takes the facts along.
    async fn try_the_way(&self, before: &Device, device: &mut Device, changes: &Changes) -> Result<(), Fault> {
        let shared = &self.shared;
        shared.admits(device)?;
        device.address = check_place(&device.place(), &shared.settings).await?.address;
        let (password, key_file) = match &changes.credential {
            Some(new) => (new.password.read(&shared.settings).await?, new.ssh_key_file.clone()),
            None => self.stored_login(before).await?,
        };
        let key_file = key_file.as_deref();
        if shared.rest_unused(device, password.is_some()).is_some() && before.facts.can.ssh {
            return self.log_in_over_ssh(device, key_file, password).await;
        }
        if changes.touch_rest() {
            return self.log_in(device, key_file, password).await;
        }
        // Another SSH port alone: what was found at the old one says nothing.
        device.facts.can.ssh = true;
        self.prove_ssh(device, key_file, password).await
    }
}

fn changed(before: &Device, changes: &Changes) -> Result<Device, Fault> {
    let mut device = before.clone();
    if let Some(name) = &changes.name {
        naming::check_name(name)?;
        device.name.clone_from(name);
    }
    if let Some(tags) = &changes.tags {
        naming::check_tags(tags)?;
        device.tags.clone_from(tags);
    }
    if let Some(username) = &changes.username {
        check_username(username)?;
        device.username.clone_from(username);
    }
    if let Some(address) = &changes.address {
        device.address.clone_from(address);
    }
    device.rest_port = changes.rest_port.unwrap_or(device.rest_port);
    device.ssh_port = changes.ssh_port.unwrap_or(device.ssh_port);
    if let Some(capabilities) = &changes.capabilities {
        device.capabilities.clone_from(capabilities);
    }
    if changes.pins != Pins::default() {
        device.pins.tls = changes.pins.tls.or(device.pins.tls);
        device.pins.ssh = changes.pins.ssh.clone().or(device.pins.ssh);
        // It ends a quarantine, for the new way is tried before it is kept.
        device.status = Status::Unknown;
        device.last_error = None;
    }
    Ok(device)
}
