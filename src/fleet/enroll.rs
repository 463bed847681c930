//! A device's way in, and changes to its record: looked at, compared, logged in to, probed, and only then stored.
//!
//! Whatever fails on the way leaves nothing behind: the record, its status and its sealed login are one batch.
//!
//! REST is the way in; where it is off and SSH answers, the host key alone is trusted and everything is done over SSH. What
//! REST shows later is then a stranger's until somebody pins it.

use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::ids::DeviceId;
use crate::base::secret::Secret;
use crate::base::tier::Environment;
use crate::fleet::credential::{Credential, NewCredential, ssh_login};
use crate::fleet::device::{Capability, Device, Facts, Pins, Status};
use crate::fleet::fault::FleetError;
use crate::fleet::naming;
use crate::fleet::probe::{self, Reader};
use crate::fleet::registry::Fleet;
use crate::fleet::trust::{Place, check_place, check_written, refuse_plain};
use crate::fleet::wire::{Ask, Said, Wire};
use crate::routeros::ssh::is_fingerprint;
use crate::routeros::{MenuPath, Query, RouterError};
use crate::store::Batch;
use futures_util::future::FutureExt;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most devices one appliance looks after.
const DEVICES_MAX: usize = 5_000;
/// The longest user name RouterOS takes is shorter; characters.
const USERNAME_MAX: usize = 128;

/// A device as an operator describes it.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// 1 to 63 letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// Where it listens.
    pub place: Place,
    /// Who we are there.
    pub username: String,
    /// Where it belongs; must be the appliance's own.
    pub environment: Environment,
    /// `(key, value)` pairs.
    pub tags: Vec<(String, String)>,
    /// What we may do beyond reading.
    pub capabilities: BTreeSet<Capability>,
    /// Whoever looked at the fingerprints saw an SSH host key alone: REST is left alone, whatever it shows by now.
    pub ssh_only: bool,
    /// Somebody compared fingerprints: only what the expected ones name is trusted, and nothing else is sent a login.
    pub only_named: bool,
}

/// A device that was logged in to, and is not stored yet.
pub struct Ready {
    device: Device,
    credential: Credential,
}

impl Ready {
    /// What it will be known by.
    pub fn id(&self) -> &DeviceId {
        &self.device.id
    }

    /// What will be stored.
    pub fn device(&self) -> &Device {
        &self.device
    }
}

impl Fleet {
    /// Adds a device: compares what it presents with `expected` (first use trusts what is presented), logs in, probes,
    /// and stores all or nothing.
    ///
    /// Errs with `BadInput`, `Conflict` (name taken), `Unreachable`, `Untrusted` (a fingerprint differs; no credential
    /// was sent), `RouterDenied` (wrong login), `Storage`.
    pub async fn enroll(&self, new: NewDevice, credential: NewCredential, expected: Pins) -> Result<Arc<Device>, Fault> {
        let ready = self.examine(new, credential, expected).await?;
        self.take_in_one(ready, Batch::new()).await
    }

    /// All of `enroll` but storing it.
    pub async fn examine(&self, new: NewDevice, credential: NewCredential, expected: Pins) -> Result<Ready, Fault> {
        let shared = &self.shared;
        self.check(&new, &expected)?;
        let password = credential.password.read(&shared.settings).await?;
        let place = check_place(&new.place, &shared.settings).await?;
        let presented = if new.ssh_only { self.present_ssh(&place).await? } else { self.present(&place).await? };
        presented.compare(&expected)?;
        let presented = if new.only_named { presented.named_alone(&expected) } else { presented };
        let pins = presented.pins(shared.settings.routeros.verify_tls, &expected);
        let mut device = fresh(new, place, pins, shared.clock.wall());
        let key_file = credential.ssh_key_file.as_deref();
        if presented.has_rest() {
            self.log_in(&mut device, key_file, password).await?;
        } else {
            self.log_in_over_ssh(&mut device, key_file, password).await?;
        }
        device.last_seen = Some(shared.clock.wall());
        device.status = Status::Reachable;
        let credential = Credential::seal(&credential, &device.id, &shared.seal);
        Ok(Ready { device, credential })
    }

    /// Stores what was examined, all or none. Errs with `Conflict` when a name was taken meanwhile, `BadInput` when there is no
    /// room for all, `Storage`.
    pub async fn take_in(&self, ready: Vec<Ready>) -> Result<Vec<Arc<Device>>, Fault> {
        self.take_in_with(ready, Batch::new()).await
    }

    /// One device, together with what else then holds.
    pub(super) async fn take_in_one(&self, ready: Ready, batch: Batch) -> Result<Arc<Device>, Fault> {
        let mut devices = self.take_in_with(vec![ready], batch).await?;
        devices.pop().ok_or_else(|| Fault::bug("a device that was stored is not told"))
    }

    async fn take_in_with(&self, ready: Vec<Ready>, mut batch: Batch) -> Result<Vec<Arc<Device>>, Fault> {
        let (shared, fleet) = (self.shared.clone(), self.clone());
        self.edit(async move {
            fleet.has_room(ready.len())?;
            let mut names = BTreeSet::new();
            for one in &ready {
                shared.check_name_free(&one.device.name, None)?;
                if !names.insert(naming::folded(&one.device.name)) {
                    return Err(FleetError::NameTaken { name: one.device.name.clone() }.into());
                }
            }
            let mut devices = Vec::with_capacity(ready.len());
            for Ready { device, credential } in ready {
                batch = shared.keep_credential(batch, &device.id, credential);
                devices.push(device);
            }
            shared.keep_new(devices, batch).await
        })
        .await
    }

    /// Errs with `BadInput` for what `enroll` would refuse without asking anybody.
    pub fn check_new(&self, new: &NewDevice, expected: &Pins) -> Result<(), Fault> {
        self.check(new, expected)?;
        check_written(&new.place, &self.shared.settings)
    }

    /// Errs with `BadInput` when so many more are too many.
    pub fn has_room(&self, more: usize) -> Result<(), Fault> {
        match self.len() + more > DEVICES_MAX {
            true => Err(Fault::bad_input(format!("this appliance looks after at most {DEVICES_MAX} devices; it has {}", self.len()))),
            false => Ok(()),
        }
    }

    /// Over REST, with a look at whether SSH lets us in too.
    pub(super) async fn log_in(&self, device: &mut Device, key_file: Option<&Path>, password: Option<Secret>) -> Result<(), Fault> {
        if password.is_none() {
            return Err(Fault::bad_input("REST answers there, and takes a password only").hint("give the password too"));
        }
        let wire = self.shared.dial_rest(device, password.clone()).await?;
        device.facts = self.survey(&wire, &device.username).await?;
        self.prove_ssh(device, key_file, password).await
    }

    /// Over SSH alone. Errs as `log_in`.
    pub(super) async fn log_in_over_ssh(
        &self,
        device: &mut Device,
        key_file: Option<&Path>,
        password: Option<Secret>,
    ) -> Result<(), Fault> {
        let login = ssh_login(key_file, password).await?;
        let wire = self.shared.dial_ssh(device, login).await?;
        device.facts = self.survey(&wire, &device.username).await?;
        // Whatever the services' menu says of it: we came that way.
        device.facts.can.ssh = true;
        Ok(())
    }

    pub(super) async fn stored_login(&self, device: &Device) -> Result<(Option<Secret>, Option<PathBuf>), Fault> {
        let shared = &self.shared;
        let stored = shared.credential(device)?;
        Ok((stored.open(&device.id, &shared.seal, &shared.settings).await?, stored.ssh_key_file))
    }

    /// Finds out whether SSH lets us in, where a host key is pinned and the survey saw nothing against it. A key that was given
    /// must work, and another host key is always an error; a password that SSH refuses only means that there is no SSH.
    pub(super) async fn prove_ssh(&self, device: &mut Device, key_file: Option<&Path>, password: Option<Secret>) -> Result<(), Fault> {
        let login = ssh_login(key_file, password).await?;
        let worth_trying = std::mem::take(&mut device.facts.can.ssh) || key_file.is_some();
        if !worth_trying {
            return Ok(());
        }
        match self.shared.try_ssh(device, login).await {
            Some(Ok(())) => device.facts.can.ssh = true,
            None => {}
            Some(Err(error @ RouterError::HostKeyChanged { .. })) => return Err(error.into()),
            Some(Err(error @ RouterError::Denied { .. })) if key_file.is_some() => return Err(error.into()),
            Some(Err(error)) => device.facts.unanswered.push(format!("ssh: {error}")),
        }
        Ok(())
    }

    /// A survey over a connection that is being tried.
    async fn survey(&self, wire: &Arc<dyn Wire>, username: &str) -> Result<Facts, Fault> {
        let read = |path: MenuPath, query: Query| {
            let (wire, ask) = (wire.clone(), Ask::Print(path, query));
            async move {
                match wire.ask(&ask).await?.0 {
                    Said::Rows(rows) => Ok(rows),
                    Said::Count(_) | Said::Text(_) | Said::Bytes(_) => Ok(Vec::new()),
                }
            }
            .boxed()
        };
        let read: &Reader<'_> = &read;
        probe::survey(read, username, self.shared.clock.wall()).await
    }

    fn check(&self, new: &NewDevice, expected: &Pins) -> Result<(), Fault> {
        let ours = self.shared.settings.environment;
        naming::check_name(&new.name)?;
        naming::check_tags(&new.tags)?;
        check_username(&new.username)?;
        check_pins(expected)?;
        if new.environment != ours {
            let (theirs, ours) = (new.environment.as_str(), ours.as_str());
            return Err(Fault::bad_input(format!("environment {theirs} is not this appliance's ({ours})"))
                .hint("leave --environment out, or use the appliance of that environment"));
        }
        refuse_plain(&new.place, &self.shared.settings)?;
        self.has_room(1)?;
        Ok(self.shared.check_name_free(&new.name, None)?)
    }
}

fn fresh(new: NewDevice, place: Place, pins: Pins, now: Wall) -> Device {
    Device {
        id: DeviceId::random(),
        name: new.name,
        address: place.address,
        rest_port: place.rest_port,
        ssh_port: place.ssh_port,
        plain_http: place.plain_http,
        username: new.username,
        environment: new.environment,
        tags: new.tags,
        capabilities: new.capabilities,
        pins,
        facts: Facts::default(),
        added_at: now,
        updated_at: now,
        status: Status::Unknown,
        last_seen: None,
        last_error: None,
    }
}

/// HTTP's Basic login ends a name at the first colon.
pub(super) fn check_username(name: &str) -> Result<(), Fault> {
    let ok = !name.is_empty() && name.chars().count() <= USERNAME_MAX && !name.contains(':') && !name.chars().any(char::is_control);
    if ok { Ok(()) } else { Err(Fault::bad_input("a user name has 1 to 128 characters, none of them a colon or control character")) }
}

pub(super) fn check_pins(pins: &Pins) -> Result<(), Fault> {
    match &pins.ssh {
        Some(ssh) if !is_fingerprint(ssh) => {
            Err(Fault::bad_input("an SSH fingerprint is SHA256: and 43 characters of base64").hint("as `ssh-keygen -lf` prints it"))
        }
        _ => Ok(()),
    }
}
