//! What a router presents before we send it anything, compared with what a person expects.

use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::base::tier::Environment;
use crate::fleet::address;
use crate::fleet::config::{Settings, VerifyTls};
use crate::fleet::counted::Counts;
use crate::fleet::credential::{Credential, ssh_login};
use crate::fleet::device::{Device, Pins};
use crate::fleet::fault::FleetError;
use crate::fleet::registry::{Fleet, Shared};
use crate::fleet::ways::{self, Dialled};
use crate::fleet::wire::Wire;
use crate::routeros::pin::format_fingerprint;
use crate::routeros::rest::MAX_ANSWER_BYTES;
use crate::routeros::ssh::{Endpoint as SshEndpoint, Login};
use crate::routeros::{
    Console, Endpoint, HostKey, Presented as Certificate, RouterError, Ssh, Trust, net, probe_host_key, probe_is_routeros, probe_tls,
};
use std::sync::Arc;

/// Where a router listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Host name or IP address.
    pub address: String,
    /// Port of REST.
    pub rest_port: u16,
    /// Port of SSH.
    pub ssh_port: u16,
    /// REST without TLS.
    pub plain_http: bool,
}

/// What is there, seen without sending a credential.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The certificate; `None` on plain HTTP, and where nobody shows one.
    pub tls: Option<Certificate>,
    /// Why REST is no way in, when it is none while SSH answers: then SSH alone is trusted. A certificate shown meanwhile is
    /// that of a web server which did not prove to be a router's.
    pub rest_error: Option<String>,
    /// The SSH host key; `None` when SSH does not answer, which is no hindrance while REST does.
    pub ssh: Option<HostKey>,
    /// Why there is no host key.
    pub ssh_error: Option<String>,
    /// Whether adding the device pins the certificate; otherwise certificate authorities vouch for it, or nobody.
    pub pins_tls: bool,
}

impl Presented {
    /// Of a place whose host key alone is looked at.
    fn ssh_alone(key: HostKey) -> Self {
        Presented { tls: None, rest_error: Some("it was not asked".into()), ssh: Some(key), ssh_error: None, pins_tls: false }
    }

    /// Whether REST answers as a router's does.
    pub(super) fn has_rest(&self) -> bool {
        self.rest_error.is_none()
    }

    /// What to pin of it under a way of verifying; with `expected` given, that is pinned whatever the way.
    pub(super) fn pins(&self, verify: VerifyTls, expected: &Pins) -> Pins {
        let pinned = (verify == VerifyTls::Pin && self.has_rest()) || expected.tls.is_some();
        Pins { tls: self.tls.as_ref().filter(|_| pinned).map(|tls| tls.sha256), ssh: self.ssh.as_ref().map(|ssh| ssh.fingerprint.clone()) }
    }

    /// The same without what `expected` does not name: nobody compared that. A certificate counts where it is what we would pin.
    pub(super) fn named_alone(mut self, expected: &Pins) -> Presented {
        if self.pins_tls && expected.tls.is_none() {
            self.tls = None;
            self.rest_error.get_or_insert_with(|| "nobody compared its certificate".into());
        }
        if expected.ssh.is_none() {
            self.ssh = None;
        }
        self
    }

    /// Errs with `Untrusted` when a fingerprint differs, `Unreachable` when one was expected and nothing is shown.
    pub(super) fn compare(&self, expected: &Pins) -> Result<(), Fault> {
        if let Some(tls) = &expected.tls {
            let presented = self.tls.as_ref().map(|shown| shown.sha256);
            match presented {
                Some(shown) if shown == *tls => {}
                Some(shown) => return Err(differs("TLS", format_fingerprint(tls), format_fingerprint(&shown))),
                None if self.rest_error.is_some() => {
                    let why = self.rest_error.as_deref().unwrap_or_default();
                    return Err(Fault::new(Kind::Unreachable, format!("the TLS fingerprint cannot be compared: {why}"))
                        .hint("enable www-ssl on the router, or leave the TLS fingerprint out to pin the SSH host key alone"));
                }
                None => {
                    return Err(Fault::bad_input("plain HTTP has no TLS fingerprint").hint("leave out --plain-http, or the fingerprint"));
                }
            }
        }
        match (&expected.ssh, &self.ssh) {
            (None, _) => Ok(()),
            (Some(ssh), Some(shown)) if *ssh == shown.fingerprint => Ok(()),
            (Some(ssh), Some(shown)) => Err(differs("SSH", ssh.clone(), shown.fingerprint.clone())),
            (Some(_), None) => {
                let why = self.ssh_error.as_deref().unwrap_or("no answer");
                Err(Fault::new(Kind::Unreachable, format!("the SSH fingerprint cannot be compared: {why}"))
                    .hint("enable the ssh service on the router, or leave the SSH fingerprint out"))
            }
        }
    }
}

fn differs(what: &'static str, expected: String, presented: String) -> Fault {
    FleetError::Fingerprint { what, expected, presented }.into()
}

impl Fleet {
    /// Looks at what a place presents; sends no credential.
    ///
    /// Where REST is off but SSH answers, that is no error: `rest_error` says so.
    ///
    /// Errs with `BadInput` for an address no router may have, `Unreachable` when nothing answers, when TLS fails or
    /// when what answers is not RouterOS.
    pub async fn present(&self, place: &Place) -> Result<Presented, Fault> {
        let settings = &self.shared.settings;
        refuse_plain(place, settings)?;
        let place = check_place(place, settings).await?;
        let limit = settings.routeros.connect_timeout();
        let (rest, ssh) = tokio::join!(rest_shown(&place, settings), probe_host_key(&place.address, place.ssh_port, limit));
        let (ssh, ssh_error) = match ssh {
            Ok(key) => (Some(key), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let (tls, rest_error) = match rest {
            Ok(tls) => (tls, None),
            Err(NoRest { tls, error, is_absent: true }) if ssh.is_some() => (tls, Some(error.to_string())),
            Err(NoRest { error, .. }) => return Err(error.into()),
        };
        Ok(Presented { tls, rest_error, ssh, ssh_error, pins_tls: settings.routeros.verify_tls == VerifyTls::Pin })
    }

    /// Looks at the SSH host key alone, whatever REST would show. Errs as `present`.
    pub(super) async fn present_ssh(&self, place: &Place) -> Result<Presented, Fault> {
        let settings = &self.shared.settings;
        let place = check_place(place, settings).await?;
        Ok(Presented::ssh_alone(probe_host_key(&place.address, place.ssh_port, settings.routeros.connect_timeout()).await?))
    }
}

/// What was seen of a REST service that cannot be used.
struct NoRest {
    /// A certificate was shown all the same.
    tls: Option<Certificate>,
    error: RouterError,
    /// There is none at all, as opposed to a strange one.
    is_absent: bool,
}

/// Shakes hands with REST and asks whether it is RouterOS; sends no credential. The certificate; none on plain HTTP.
async fn rest_shown(place: &Place, settings: &Settings) -> Result<Option<Certificate>, NoRest> {
    let limit = settings.routeros.connect_timeout();
    let mut tls = None;
    if !place.plain_http {
        match probe_tls(&place.address, place.rest_port, limit).await {
            Ok(shown) => tls = Some(shown),
            // Whoever takes the connection and then says nothing is there, and ill.
            Err(error @ RouterError::Timeout { .. }) => {
                let is_absent = net::connect(&place.address, place.rest_port, limit).await.is_err();
                return Err(NoRest { tls, error, is_absent });
            }
            Err(error) => return Err(NoRest { tls, is_absent: ways::is_absent(&error), error }),
        }
    }
    // Pinned to what was just shown: the peer that is asked is the one that will be trusted.
    let trust = tls.as_ref().map_or(Trust::Off, |shown| Trust::Pin(shown.sha256));
    let nobody = endpoint(place, settings, String::new(), Secret::default(), trust);
    match probe_is_routeros(&nobody).await {
        Ok(()) => Ok(tls),
        Err(error) => Err(NoRest { tls, is_absent: ways::is_absent(&error), error }),
    }
}

/// Errs with `BadInput` for HTTP without TLS where that is not allowed.
pub(super) fn refuse_plain(place: &Place, settings: &Settings) -> Result<(), Fault> {
    if place.plain_http && settings.environment == Environment::Prod {
        return Err(Fault::bad_input("plain HTTP is refused in prod").hint("give the router a certificate and enable www-ssl"));
    }
    Ok(())
}

/// The place as it is written, without asking a resolver.
pub(super) fn check_written(place: &Place, settings: &Settings) -> Result<(), Fault> {
    let rules = address::Rules { loopback: true, own_listeners: &settings.own_listeners };
    let host = address::parse_host(&place.address, place.rest_port, &rules)?;
    match host.parse() {
        Ok(ip) => address::check(ip, place.rest_port, &rules),
        Err(_) => Ok(()),
    }
}

/// The place with its address in one spelling, checked as text and where it points.
pub(super) async fn check_place(place: &Place, settings: &Settings) -> Result<Place, Fault> {
    let rules = address::Rules { loopback: true, own_listeners: &settings.own_listeners };
    let limit = settings.routeros.connect_timeout();
    let host = address::parse_host(&place.address, place.rest_port, &rules)?;
    for (port, flag) in [(place.rest_port, "--rest-port"), (place.ssh_port, "--ssh-port")] {
        if port == 0 {
            return Err(Fault::bad_input("port 0 is none").hint(format!("give {flag} 1 to 65535")));
        }
    }
    address::resolve(&host, place.rest_port, &rules, limit).await?;
    Ok(Place { address: host, ..place.clone() })
}

/// Where and how to talk to a router.
pub(super) fn endpoint(place: &Place, settings: &Settings, user: String, password: Secret, trust: Trust) -> Endpoint {
    let mut endpoint = Endpoint::new(place.address.clone(), place.rest_port, user, password, trust);
    endpoint.plain = place.plain_http;
    endpoint.connect_timeout = settings.routeros.connect_timeout();
    endpoint.timeout = settings.routeros.rest_timeout();
    endpoint
}

/// Whom to believe at a device's address. Errs with `Untrusted` when nothing is pinned and pins are the rule.
pub(super) fn trust_of(device: &Device, verify: VerifyTls) -> Result<Trust, Fault> {
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

impl Device {
    /// Where its router listens.
    pub fn place(&self) -> Place {
        Place { address: self.address.clone(), rest_port: self.rest_port, ssh_port: self.ssh_port, plain_http: self.plain_http }
    }
}

impl Shared {
    fn counts(&self, device: &Device) -> Counts {
        Counts { device: device.id.clone(), meter: self.settings.meter.clone() }
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
        Ok((self.connect)(Dialled { rest, ssh, timeout: self.settings.routeros.rest_timeout(), counts: self.counts(device) })?)
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
        let rest = Some(self.rest_endpoint(device, &place, password)?);
        Ok((self.connect)(Dialled { rest, ssh: None, timeout: self.settings.routeros.rest_timeout(), counts: self.counts(device) })?)
    }

    /// The same over SSH alone. Errs with `Untrusted` when no host key is pinned.
    pub(super) async fn dial_ssh(&self, device: &Device, login: Login) -> Result<Arc<dyn Wire>, Fault> {
        check_place(&device.place(), &self.settings).await?;
        let ssh = self.ssh_endpoint(device, login);
        let why = || FleetError::Quarantined { name: device.name.clone(), why: "no SSH host key is pinned for it".into() };
        let ssh = Some(ssh.ok_or_else(why)?);
        Ok((self.connect)(Dialled { rest: None, ssh, timeout: self.settings.routeros.rest_timeout(), counts: self.counts(device) })?)
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
    pub(super) fn ssh_endpoint(&self, device: &Device, login: Login) -> Option<SshEndpoint> {
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
