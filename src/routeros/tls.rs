//! What a TLS port shows before any credential is sent.

use crate::base::clock::Wall;
use crate::routeros::fault::{RouterError, Stage, TlsTrouble, spoken};
use crate::routeros::{net, pin};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error};
use std::{io, sync::Arc, time::Duration};
use tokio_rustls::TlsConnector;

/// The certificate a port showed, with the proof that it holds the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// SHA-256 of the leaf, to show and to pin.
    pub sha256: [u8; 32],
    /// End of its validity; `None` when the certificate cannot be read that far.
    pub not_after: Option<Wall>,
    /// Its subject, cleaned and cut; whoever answers chose it, so it is no identity.
    pub subject: String,
}

/// Shakes hands and hangs up. `within` bounds connecting and the handshake each.
///
/// # Errors
/// Unreachable, timeout, or why there is no TLS there; never a pin mismatch, since nothing is trusted.
pub async fn probe_tls(host: &str, port: u16, within: Duration) -> Result<Presented, RouterError> {
    let stream = net::connect(host, port, within).await?;
    let at = net::place(host, port);
    let name = ServerName::try_from(host.to_owned()).map_err(|_| RouterError::argument("not a host name"))?;
    let config = pin::client_config(pin::Trust::Off, &pin::Roots::default())?;
    let shaking = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let late = |_| RouterError::Timeout { at: at.clone(), after: within, stage: Stage::Connect };
    let session = tokio::time::timeout(within, shaking).await.map_err(late)?.map_err(|e| handshake_error(&at, &e))?;
    let leaf = session.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let leaf = leaf.ok_or_else(|| RouterError::Tls { at: at.clone(), trouble: TlsTrouble::Refused("no certificate".into()) })?;
    Ok(presented(leaf))
}

fn presented(leaf: &[u8]) -> Presented {
    let parsed = x509_parser::parse_x509_certificate(leaf).ok().map(|(_, certificate)| certificate);
    Presented {
        sha256: pin::fingerprint(leaf),
        not_after: parsed.as_ref().map(|c| Wall(c.validity().not_after.timestamp().saturating_mul(1000))),
        subject: parsed.map(|c| spoken(&c.subject().to_string())).unwrap_or_default(),
    }
}

/// Why a handshake failed.
fn handshake_error(at: &str, error: &io::Error) -> RouterError {
    match net::find_cause::<Error>(error) {
        Some(tls) => tls_error(at, tls),
        None if error.kind() == io::ErrorKind::UnexpectedEof => RouterError::Tls { at: at.into(), trouble: TlsTrouble::ClosedEarly },
        None => RouterError::Unreachable { at: at.into(), why: net::io_words(error) },
    }
}

/// What the TLS library found, sorted by what a person can do about it.
pub(crate) fn tls_error(at: &str, error: &Error) -> RouterError {
    let trouble = match error {
        Error::InvalidCertificate(CertificateError::Other(other)) if other.0.is::<pin::Mismatch>() => {
            let mismatch = other.0.downcast_ref::<pin::Mismatch>().expect("the guard looked");
            return RouterError::Pin { at: at.into(), expected: mismatch.expected, presented: mismatch.presented };
        }
        Error::InvalidCertificate(certificate) => certificate_trouble(certificate),
        // The first byte of a record is none of TLS's: `H` of HTTP, `S` of SSH.
        Error::InvalidMessage(_) => return RouterError::PlainOnTls { at: at.into() },
        Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity) => {
            TlsTrouble::Refused("no common cipher, as with a service that has no certificate".into())
        }
        Error::AlertReceived(AlertDescription::ProtocolVersion) => TlsTrouble::Refused("it does not speak TLS 1.2".into()),
        Error::AlertReceived(alert) => TlsTrouble::Refused(format!("alert {alert:?}")),
        Error::PeerIncompatible(why) => TlsTrouble::Refused(format!("{why:?}")),
        Error::NoCertificatesPresented => TlsTrouble::Refused("no certificate".into()),
        other => TlsTrouble::Other(spoken(&other.to_string())),
    };
    RouterError::Tls { at: at.into(), trouble }
}

fn certificate_trouble(error: &CertificateError) -> TlsTrouble {
    use CertificateError as C;
    match error {
        C::Expired | C::ExpiredContext { .. } => TlsTrouble::Expired,
        C::NotValidYet | C::NotValidYetContext { .. } => TlsTrouble::NotYetValid,
        C::UnknownIssuer => TlsTrouble::UnknownIssuer,
        C::NotValidForName | C::NotValidForNameContext { .. } => TlsTrouble::WrongName,
        C::BadEncoding => TlsTrouble::BadCertificate("it cannot be read".into()),
        C::BadSignature => TlsTrouble::BadCertificate("a signature is wrong".into()),
        // Variant names only: some carry the peer's own words.
        other => TlsTrouble::BadCertificate(format!("{other:?}").split([' ', '(', '{']).next().unwrap_or("unknown").to_owned()),
    }
}
