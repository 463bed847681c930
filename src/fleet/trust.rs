//! What a router presents before we send it anything, compared with what a person expects.

use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::base::tier::Environment;
use crate::fleet::address;
use crate::fleet::config::{Settings, VerifyTls};
use crate::fleet::device::{Device, Pins};
use crate::fleet::fault::FleetError;
use crate::fleet::registry::Fleet;
use crate::fleet::ways;
use crate::routeros::pin::format_fingerprint;
use crate::routeros::{Endpoint, HostKey, Presented as Certificate, RouterError, Trust, net, probe_host_key, probe_is_routeros, probe_tls};
use std::net::IpAddr;

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
    let own = settings.own_listeners.get();
    let rules = address::Rules { loopback: true, own_listeners: &own };
    let host = address::parse_host(&place.address, place.rest_port, &rules)?;
    check_ports(place)?;
    match host.parse() {
        Ok(ip) => check_each(place, ip, &rules),
        Err(_) => Ok(()),
    }
}

/// The place with its address in one spelling, checked as text and where it points.
pub(super) async fn check_place(place: &Place, settings: &Settings) -> Result<Place, Fault> {
    let own = settings.own_listeners.get();
    let rules = address::Rules { loopback: true, own_listeners: &own };
    let limit = settings.routeros.connect_timeout();
    let host = address::parse_host(&place.address, place.rest_port, &rules)?;
    check_ports(place)?;
    for ip in address::resolve(&host, place.rest_port, &rules, limit).await? {
        check_each(place, ip, &rules)?;
    }
    Ok(Place { address: host, ..place.clone() })
}

fn check_ports(place: &Place) -> Result<(), Fault> {
    for (port, flag) in [(place.rest_port, "--rest-port"), (place.ssh_port, "--ssh-port")] {
        if port == 0 {
            return Err(Fault::bad_input("port 0 is none").hint(format!("give {flag} 1 to 65535")));
        }
    }
    Ok(())
}

/// Neither service of a router is one of ours.
fn check_each(place: &Place, ip: IpAddr, rules: &address::Rules<'_>) -> Result<(), Fault> {
    [place.rest_port, place.ssh_port].into_iter().try_for_each(|port| address::check(ip, port, rules))
}

/// Where and how to talk to a router.
pub(super) fn endpoint(place: &Place, settings: &Settings, user: String, password: Secret, trust: Trust) -> Endpoint {
    let mut endpoint = Endpoint::new(place.address.clone(), place.rest_port, user, password, trust);
    endpoint.plain = place.plain_http;
    endpoint.connect_timeout = settings.routeros.connect_timeout();
    endpoint.timeout = settings.routeros.rest_timeout();
    endpoint
}

impl Device {
    /// Where its router listens.
    pub fn place(&self) -> Place {
        Place { address: self.address.clone(), rest_port: self.rest_port, ssh_port: self.ssh_port, plain_http: self.plain_http }
    }
}
