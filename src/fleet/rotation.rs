//! A login that is being changed on its router: what of it is in the store, so that one that works always is.
//!
//! The new password is sealed here before the router hears of it, and the old one stays the device's until the new one is proven.
//! Then, in one batch, the new one becomes the device's and the old one moves here, until the router is seen to refuse it. A death at
//! any point leaves the one the router has in one place or the other.
//!
//! A new password that did not come about is kept for the next time: a request whose answer was lost may still arrive.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::secret::Secret;
use crate::fleet::credential::Credential;
use crate::fleet::device::Device;
use crate::fleet::fault::FleetError;
use crate::fleet::registry::{Fleet, Shared};
use crate::store::{Batch, Field, Name, Place, Record, Table, decode, encode};
use serde::{Deserialize, Serialize};

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The router may have either password; the old one is the device's.
    Pending,
    /// The new one is the device's; whether the old one is refused has not been seen.
    Stored,
    /// Nothing is under way.
    Done,
}

/// Of the two passwords of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one that is to come.
    New,
    /// The one that was.
    Previous,
}

/// A device's rotation as it stands in the store, under the device's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rotation {
    /// How far it is.
    pub stage: Stage,
    /// Whose password it is.
    pub username: String,
    new: Option<Vec<u8>>,
    previous: Option<Vec<u8>>,
    /// When it began.
    pub begun_at: Wall,
    /// While it is pending: when the router was last seen to have the old password.
    pub seen_old_at: Option<Wall>,
    /// When the login last became another one.
    pub done_at: Option<Wall>,
    /// Why a person has to look.
    pub attention: Option<String>,
}

impl Record for Rotation {
    const TABLE: &'static str = "rotation";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Rotation);

impl Rotation {
    /// Whether somebody has to find out what the router has.
    pub fn is_open(&self) -> bool {
        match self.stage {
            Stage::Pending => self.seen_old_at.is_none(),
            Stage::Stored => true,
            Stage::Done => false,
        }
    }

    /// The same after the router was seen to have the old password.
    #[must_use]
    pub fn with_old_seen(&self, now: Wall) -> Rotation {
        Rotation { seen_old_at: Some(now), attention: None, ..self.clone() }
    }

    /// The same, with a reason for a person to look.
    #[must_use]
    pub fn with_attention(&self, why: &str) -> Rotation {
        Rotation { attention: Some(why.to_owned()), ..self.clone() }
    }
}

/// What of it is sealed.
pub const SEALED: [Field; 2] = [sealed("new"), sealed("previous")];

const fn sealed(name: &'static str) -> Field {
    let about = "logins of routers that were being changed";
    Field { purpose: "rotation", table: Rotation::TABLE, field: Name::Is(name), about, row_stays: false }
}

fn place(device: &str, which: Which) -> Place<'_> {
    let field = match which {
        Which::New => "new",
        Which::Previous => "previous",
    };
    Place { purpose: "rotation", table: Rotation::TABLE, key: device, field }
}

impl Fleet {
    /// What is known of a device's rotations; none when its login never changed here.
    pub fn rotation(&self, id: &DeviceId) -> Result<Option<Rotation>, Fault> {
        Ok(self.rotation_table().get(id.as_str())?)
    }

    /// Every device's, by id.
    pub fn rotations(&self) -> Result<Vec<(DeviceId, Rotation)>, Fault> {
        Ok(self.rotation_table().all()?.into_iter().map(|(id, rotation)| (DeviceId(id), rotation)).collect())
    }

    /// The password that is sealed in the store for a device.
    ///
    /// # Errors
    /// `Conflict` when it lies elsewhere or there is none, `Denied` where nothing is kept, `RouterDenied` without a login.
    pub async fn sealed_password(&self, device: &Device) -> Result<Secret, Fault> {
        let (shared, name) = (&self.shared, &device.name);
        if shared.store.is_volatile() {
            return Err(Fault::denied("this appliance keeps its state in RAM, where a new password would be lost")
                .hint("give it a state directory on a disk"));
        }
        let credential = shared.credential(device)?;
        if !credential.has_password() {
            return Err(Fault::new(Kind::Conflict, format!("device \"{name}\": its login is a key alone, there is no password to change"))
                .hint(format!("keep the key, or give it a password: routeros-mcp device update {name} --password-file FILE")));
        }
        if !credential.is_sealed() {
            return Err(Fault::new(Kind::Conflict, format!("device \"{name}\": its password lies outside the store and is changed there"))
                .hint(format!(
                    "change it at its source, or let the store keep it: routeros-mcp device update {name} --password-file FILE"
                )));
        }
        credential.open(&device.id, &shared.seal, &shared.settings).await?.ok_or_else(|| no_credential(device))
    }

    /// Whether a device's password is sealed in the store, where it can be changed.
    pub fn keeps_password(&self, device: &Device) -> bool {
        !self.shared.store.is_volatile() && self.shared.credential(device).is_ok_and(|credential| credential.is_sealed())
    }

    /// One of the passwords of a rotation; none when it holds no such one. Errs with `Storage` when it does not open.
    pub fn rotation_secret(&self, id: &DeviceId, rotation: &Rotation, which: Which) -> Result<Option<Secret>, Fault> {
        let sealed = match which {
            Which::New => &rotation.new,
            Which::Previous => &rotation.previous,
        };
        let Some(sealed) = sealed else { return Ok(None) };
        Ok(Some(self.shared.seal.open_text(place(id.as_str(), which), sealed)?))
    }

    /// A rotation begins: the record, and the batch that makes it durable. It holds as long as the device's password is still `old`.
    ///
    /// # Errors
    /// `Conflict` when the login was changed meanwhile.
    pub async fn rotation_begun(&self, device: &Device, old: &Secret, new: &Secret) -> Result<(Rotation, Batch), Fault> {
        let id = &device.id;
        let (raw, credential) = self.credential_as_stored(device)?;
        let now = credential.open(id, &self.shared.seal, &self.shared.settings).await?;
        if now.as_ref() != Some(old) {
            return Err(FleetError::Changed { name: device.name.clone() }.into());
        }
        let before = self.rotation(id)?;
        let after = Rotation {
            stage: Stage::Pending,
            username: device.username.clone(),
            new: Some(self.shared.seal.seal(place(id.as_str(), Which::New), new.expose().as_bytes())),
            previous: None,
            begun_at: self.shared.clock.wall(),
            seen_old_at: None,
            done_at: before.as_ref().and_then(|before| before.done_at),
            attention: None,
        };
        let batch = Batch::new().expect(Credential::TABLE, id.as_str(), Some(raw));
        Ok((after.clone(), self.rotation_into(batch, id, before.as_ref(), &after)))
    }

    /// It goes from one record to the next.
    pub fn rotation_moved(&self, id: &DeviceId, before: &Rotation, after: &Rotation) -> Batch {
        self.rotation_into(Batch::new(), id, Some(before), after)
    }

    /// The new password is the device's from now on, and the old one waits to be seen refused.
    pub async fn rotation_stored(&self, device: &Device, before: &Rotation) -> Result<(Rotation, Batch), Fault> {
        let (shared, id) = (&self.shared, &device.id);
        let missing = || Fault::bug("a pending rotation holds no new password");
        let new = self.rotation_secret(id, before, Which::New)?.ok_or_else(missing)?;
        let (raw, credential) = self.credential_as_stored(device)?;
        let old = credential.open(id, &shared.seal, &shared.settings).await?.ok_or_else(|| no_credential(device))?;
        let after = Rotation {
            stage: Stage::Stored,
            new: None,
            previous: Some(shared.seal.seal(place(id.as_str(), Which::Previous), old.expose().as_bytes())),
            seen_old_at: None,
            done_at: Some(shared.clock.wall()),
            attention: None,
            ..before.clone()
        };
        let batch = Batch::new().expect(Credential::TABLE, id.as_str(), Some(raw));
        let batch = Table::new(shared.store.clone()).put_into(batch, id.as_str(), &credential.with_password(&new, id, &shared.seal));
        Ok((after.clone(), self.rotation_into(batch, id, Some(before), &after)))
    }

    /// It is over: no password is kept beside the device's own.
    pub fn rotation_done(&self, id: &DeviceId, before: &Rotation) -> (Rotation, Batch) {
        let after = Rotation { stage: Stage::Done, new: None, previous: None, attention: None, ..before.clone() };
        (after.clone(), self.rotation_moved(id, before, &after))
    }

    /// The stored login is another one: connections made with the old one are dropped.
    pub fn login_moved(&self, id: &DeviceId) {
        self.shared.slot(id).start_over();
        self.shared.cache.forget(id);
    }

    fn rotation_into(&self, batch: Batch, id: &DeviceId, before: Option<&Rotation>, after: &Rotation) -> Batch {
        let table = self.rotation_table();
        table.put_into(table.expect_into(batch, id.as_str(), before), id.as_str(), after)
    }

    fn credential_as_stored(&self, device: &Device) -> Result<(Vec<u8>, Credential), Fault> {
        let raw = self.shared.store.get(Credential::TABLE, device.id.as_str())?.ok_or_else(|| no_credential(device))?;
        let credential = decode(&raw)?;
        Ok((raw, credential))
    }

    fn rotation_table(&self) -> Table<Rotation> {
        Table::new(self.shared.store.clone())
    }
}

impl Shared {
    /// A person gave another login, which let us in: whatever was under way is over. A new password that was asked for stays here all
    /// the same: that request may still arrive. The batch holds as long as nothing began since.
    pub(super) fn end_rotation(&self, batch: Batch, device: &Device, before: Option<&Rotation>) -> Batch {
        let now = self.clock.wall();
        let after = match before {
            Some(before) if before.stage == Stage::Pending && before.username == device.username => {
                Rotation { done_at: Some(now), ..before.with_old_seen(now) }
            }
            _ => Rotation {
                stage: Stage::Done,
                username: device.username.clone(),
                new: None,
                previous: None,
                begun_at: before.map_or(now, |before| before.begun_at),
                seen_old_at: None,
                done_at: Some(now),
                attention: None,
            },
        };
        let key = device.id.as_str();
        batch.expect(Rotation::TABLE, key, before.map(encode)).put(Rotation::TABLE, key, encode(&after))
    }
}

fn no_credential(device: &Device) -> Fault {
    FleetError::NoCredential { name: device.name.clone() }.into()
}
