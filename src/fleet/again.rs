//! A device looked at again: what it presents now and is trusted with, what it is and can now.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::fleet::device::{Device, Facts, Pins, Status};
use crate::fleet::enroll::check_pins;
use crate::fleet::fault::FleetError;
use crate::fleet::index::Standing;
use crate::fleet::lane::Read;
use crate::fleet::probe;
use crate::fleet::registry::Fleet;
use crate::fleet::wire::Via;
use crate::routeros::{MenuPath, Query};
use crate::store::Batch;
use futures_util::future::FutureExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

impl Fleet {
    /// Trusts what the device presents now (or, with `expected`, only exactly that), and ends its quarantine.
    ///
    /// Errs with `Untrusted` when a fingerprint differs from the expected one, `Unreachable`, `Conflict` (decommissioned,
    /// or changed by somebody else meanwhile).
    pub async fn pin(&self, id: &DeviceId, expected: Pins) -> Result<Arc<Device>, Fault> {
        let (shared, id) = (self.shared.clone(), id.clone());
        check_pins(&expected)?;
        let (before, epoch) = shared.current(&id)?;
        let mut device = (*before).clone();
        if device.status == Status::Decommissioned {
            return Err(FleetError::Decommissioned { name: device.name }.into());
        }
        let presented = self.present(&device.place()).await?;
        presented.compare(&expected)?;
        let pins = presented.pins(shared.settings.routeros.verify_tls, &expected);
        // A service that does not answer just now is not forgotten. Where somebody names one key the other stays as it is.
        let is_blind = expected.tls.is_none() && expected.ssh.is_none();
        let tls = match is_blind || expected.tls.is_some() {
            true if presented.has_rest() => pins.tls,
            true => pins.tls.or(device.pins.tls),
            false => device.pins.tls,
        };
        let ssh = pins.ssh.filter(|_| is_blind || expected.ssh.is_some());
        device.pins = Pins { ssh: ssh.or(device.pins.ssh.take()), tls };
        device.status = Status::Unknown;
        device.last_error = None;
        device.updated_at = shared.clock.wall();
        let device = self
            .edit(async move {
                shared.unchanged(&id, epoch)?;
                shared.keep(device, Standing::Set, Batch::new()).await
            })
            .await?;
        // Whether the login still works shows in the status; the pins stand either way.
        let identity = Read::fresh(MenuPath::parse("/system/identity")?);
        let _ = self.lane(&device).read(identity).await;
        self.get(&device.id)
    }

    /// Asks the router now, whatever failed before, what it is and can, and stores that. Errs as a read does.
    pub async fn probe(&self, id: &DeviceId) -> Result<Arc<Device>, Fault> {
        let device = self.get(id)?;
        let lane = self.lane(&device);
        // One try: whether the rest follows is for its outcome to say. Over a new connection, for an open one hides that the
        // router shows another certificate by now.
        lane.slot.allow_a_try(self.shared.clock.mono());
        lane.slot.drop_connection();
        let came_over_ssh = AtomicBool::new(false);
        let read = |path: MenuPath, query: Query| {
            let (lane, came_over_ssh) = (lane.clone(), &came_over_ssh);
            async move {
                let answer = lane.read(Read { path, query, max_age: Duration::ZERO }).await?;
                if answer.via == Via::Ssh {
                    came_over_ssh.store(true, Ordering::Relaxed);
                }
                Ok(answer.rows.to_vec())
            }
            .boxed()
        };
        let mut probed = (*device).clone();
        probed.facts = probe::survey(&read, &device.username, self.shared.clock.wall()).await?;
        probed.facts.can.ssh |= came_over_ssh.into_inner();
        self.probe_ssh(&mut probed).await?;
        if let Some(unused) = self.rest_unused(&device).await? {
            probed.facts.unanswered.push(format!("rest: {}", unused.said));
        }
        self.put_facts(id, probed.facts).await
    }

    /// As `prove_ssh` with the stored login; what fails is a finding here.
    async fn probe_ssh(&self, device: &mut Device) -> Result<(), Fault> {
        let (password, key_file) = self.stored_login(device).await?;
        match self.prove_ssh(device, key_file.as_deref(), password).await {
            Err(fault) if fault.kind == Kind::Untrusted => {
                self.shared.quarantine(&device.id, fault.said.clone()).await;
                Err(fault)
            }
            Err(fault) => {
                device.facts.can.ssh = false;
                device.facts.unanswered.push(format!("ssh: {}", fault.said));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn put_facts(&self, id: &DeviceId, facts: Facts) -> Result<Arc<Device>, Fault> {
        let (shared, id) = (self.shared.clone(), id.clone());
        self.edit(async move {
            let mut device = (*shared.current(&id)?.0).clone();
            device.facts = facts;
            device.updated_at = shared.clock.wall();
            shared.keep(device, Standing::AsIs, Batch::new()).await
        })
        .await
    }
}
