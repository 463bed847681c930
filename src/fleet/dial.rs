//! Connections to a device's router: which ways there are, whom to believe on them, and with which login.
//!
//! Nothing is connected before the first question. Where the address points is looked at anew each time.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::fleet::config::VerifyTls;
use crate::fleet::counted::Counts;
use crate::fleet::credential::{Credential, ssh_login};
use crate::fleet::device::Device;
use crate::fleet::fault::FleetError;
use crate::fleet::registry::Shared;
use crate::fleet::trust::{Place, check_place, endpoint};
use crate::fleet::ways::Dialled;
use crate::fleet::wire::Wire;
use crate::routeros::rest::MAX_ANSWER_BYTES;
use crate::routeros::ssh::{Endpoint as SshEndpoint, Login};
use crate::routeros::{Console, Endpoint, RouterError, Ssh, Trust};
use std::sync::Arc;

impl Shared {
    /// The ways that are given; nothing is connected yet.
    fn open_ways(&self, device: &Device, rest: Option<Endpoint>, ssh: Option<SshEndpoint>) -> Result<Arc<dyn Wire>, Fault> {
        let timeout = self.settings.routeros.rest_timeout();
        let counts = Counts { device: device.id.clone(), meter: self.settings.meter.clone() };
        Ok((self.connect)(Dialled { rest, ssh, timeout, counts })?)
    }

    /// A connection to a device as its record says, with its stored login. Checks where the address points by now.
    pub(super) async fn dial(&self, device: &Device) -> Result<Arc<dyn Wire>, Fault> {
        let credential = self.credential(device)?;
        let password = credential.open(&device.id, &self.seal, &self.settings).await?;
        let ssh = if device.facts.can.ssh {
            match ssh_login(credential.ssh_key_file.as_deref(), password.clone()).await {
                Ok(login) => self.ssh_endpoint(device, login),
                // REST does not need the key.
                Err(fault) => {
                    tracing::warn!(device = %device.id, why = %fault.said, "no SSH for this device");
                    None
                }
            }
        } else {
            None
        };
        let place = check_place(&device.place(), &self.settings).await?;
        let rest = match self.rest_endpoint(device, &place, password) {
            Ok(rest) => Some(rest),
            // It was taken in over SSH, or nobody has said yet that its certificate is the right one.
            Err(_) if ssh.is_some() => None,
            Err(fault) => return Err(fault),
        };
        self.open_ways(device, rest, ssh)
    }

    /// As `dial`, each way by itself: REST, and SSH where it is known to work.
    pub(super) async fn dial_each(&self, device: &Device) -> Result<(Arc<dyn Wire>, Option<Arc<dyn Wire>>), Fault> {
        let credential = self.credential(device)?;
        let password = credential.open(&device.id, &self.seal, &self.settings).await?;
        self.dial_each_with(device, &credential, password).await
    }

    /// The same with another password than the stored one.
    pub(super) async fn dial_each_as(&self, device: &Device, password: Secret) -> Result<(Arc<dyn Wire>, Option<Arc<dyn Wire>>), Fault> {
        self.dial_each_with(device, &self.credential(device)?, Some(password)).await
    }

    async fn dial_each_with(
        &self,
        device: &Device,
        credential: &Credential,
        password: Option<Secret>,
    ) -> Result<(Arc<dyn Wire>, Option<Arc<dyn Wire>>), Fault> {
        let rest = self.dial_rest(device, password.clone()).await?;
        if !device.facts.can.ssh || device.pins.ssh.is_none() {
            return Ok((rest, None));
        }
        let login = ssh_login(credential.ssh_key_file.as_deref(), password).await?;
        Ok((rest, Some(self.dial_ssh(device, login).await?)))
    }

    /// A connection over REST alone, with a login that is being tried.
    pub(super) async fn dial_rest(&self, device: &Device, password: Option<Secret>) -> Result<Arc<dyn Wire>, Fault> {
        let place = check_place(&device.place(), &self.settings).await?;
        self.open_ways(device, Some(self.rest_endpoint(device, &place, password)?), None)
    }

    /// The same over SSH alone. Errs with `Untrusted` when no host key is pinned.
    pub(super) async fn dial_ssh(&self, device: &Device, login: Login) -> Result<Arc<dyn Wire>, Fault> {
        check_place(&device.place(), &self.settings).await?;
        let ssh = self.ssh_endpoint(device, login);
        let why = || FleetError::Quarantined { name: device.name.clone(), why: "no SSH host key is pinned for it".into() };
        self.open_ways(device, None, Some(ssh.ok_or_else(why)?))
    }

    /// Where and how to log in over REST. Errs with `Untrusted` when nobody vouches for the certificate, `RouterDenied` without
    /// a password: then nothing is sent there.
    fn rest_endpoint(&self, device: &Device, place: &Place, password: Option<Secret>) -> Result<Endpoint, Fault> {
        let trust = trust_of(device, self.settings.routeros.verify_tls)?;
        let password = password.ok_or_else(|| FleetError::NoCredential { name: device.name.clone() })?;
        Ok(endpoint(place, &self.settings, device.username.clone(), password, trust))
    }

    /// Why REST is not used for this device, whether or not it answers. Its login is not looked at beyond that there is one.
    pub(super) fn rest_unused(&self, device: &Device, has_password: bool) -> Option<Fault> {
        let trust = trust_of(device, self.settings.routeros.verify_tls).err();
        trust.or_else(|| (!has_password).then(|| FleetError::NoCredential { name: device.name.clone() }.into()))
    }

    /// Where and how to log in over SSH; none for a device whose host key is not pinned, since nothing may be sent there.
    fn ssh_endpoint(&self, device: &Device, login: Login) -> Option<SshEndpoint> {
        Some(SshEndpoint {
            host: device.address.clone(),
            port: device.ssh_port,
            pin: device.pins.ssh.clone()?,
            user: device.username.clone(),
            login,
            connect_timeout: self.settings.routeros.connect_timeout(),
            max_answer_bytes: MAX_ANSWER_BYTES,
        })
    }

    /// Logs in over SSH and has the console print something; the connection is closed again. `None` when no host key is
    /// pinned. The place is one that was checked.
    pub(super) async fn try_ssh(&self, device: &Device, login: Login) -> Option<Result<(), RouterError>> {
        let endpoint = self.ssh_endpoint(device, login)?;
        let within = self.settings.routeros.rest_timeout();
        Some(match Ssh::new(endpoint) {
            Ok(ssh) => Console::new(ssh, within).version().await.map(drop),
            Err(error) => Err(error),
        })
    }
}

/// Whom to believe at a device's address. Errs with `Untrusted` when nothing is pinned and pins are the rule.
fn trust_of(device: &Device, verify: VerifyTls) -> Result<Trust, Fault> {
    match (device.pins.tls, verify) {
        _ if device.plain_http => Ok(Trust::Off),
        (Some(sha256), _) => Ok(Trust::Pin(sha256)),
        (None, VerifyTls::Ca) => Ok(Trust::Ca),
        (None, VerifyTls::Off) => Ok(Trust::Off),
        (None, VerifyTls::Pin) => {
            let why = "no certificate is pinned for it".to_owned();
            Err(FleetError::Quarantined { name: device.name.clone(), why }.into())
        }
    }
}
