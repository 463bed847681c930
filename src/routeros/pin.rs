//! Whom a TLS session is trusted to: a pinned leaf certificate, a certificate authority, or anybody.
//!
//! A pin is the SHA-256 of the leaf certificate as sent. It is the whole trust: names, issuers and dates of a pinned
//! certificate do not matter (routers sign their own, and boxes boot in 1970), but the peer must still prove in the
//! handshake that it holds the key. TLS 1.2 and 1.3; RouterOS speaks up to 1.2.

use crate::base::ids::hex;
use crate::routeros::fault::RouterError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use std::sync::{Arc, LazyLock};

/// The algorithms, the same for all routers; kept once because a fleet has a configuration per device.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));

/// Mozilla's roots, for boxes without ca-certificates.
static PUBLIC: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }));

/// TLS sessions remembered per router: one for each connection kept.
const SESSIONS: usize = 2;

/// Whom to believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The leaf certificate with this SHA-256.
    Pin([u8; 32]),
    /// Certificates that a root we know signed for the host's name.
    Ca,
    /// Anybody: whoever sits between reads the password.
    Off,
}

/// The roots for [`Trust::Ca`]; cheap to clone. By default the public ones.
#[derive(Debug, Clone, Default)]
pub struct Roots(Option<Arc<RootCertStore>>);

impl Roots {
    /// The public roots and the certificates of a CA file (PEM).
    ///
    /// # Errors
    /// [`RouterError::Argument`] when the file holds no certificate, or a broken one.
    pub fn with_pem(pem: &[u8]) -> Result<Self, RouterError> {
        let wrong = |why: &str| RouterError::argument(format!("the CA file {why}"));
        let mut store = RootCertStore::clone(&PUBLIC);
        let before = store.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| wrong("is not PEM"))?;
            store.add(certificate).map_err(|_| wrong("has a certificate that cannot be read"))?;
        }
        if store.len() == before {
            return Err(wrong("holds no certificate"));
        }
        Ok(Roots(Some(Arc::new(store))))
    }
}

/// The SHA-256 of a certificate: what is pinned.
pub fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    let digest = ::ring::digest::digest(&::ring::digest::SHA256, certificate);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// `sha256:` and 64 hexadecimal digits, as `--tls-fingerprint` takes it.
pub fn format_fingerprint(sha256: &[u8; 32]) -> String {
    format!("sha256:{}", hex(sha256))
}

/// Reads `sha256:HEX`; upper case, colons between bytes and a missing prefix are fine, since RouterOS and openssl write so.
pub fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    let text = match text.get(..7) {
        Some(prefix) if prefix.eq_ignore_ascii_case("sha256:") => &text[7..],
        _ => text,
    };
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b':').collect();
    data_encoding::HEXLOWER_PERMISSIVE.decode(&digits).ok()?.try_into().ok()
}

/// The client's side of TLS towards one router.
///
/// # Errors
/// [`RouterError::Argument`] when there are no roots to trust.
pub fn client_config(trust: Trust, roots: &Roots) -> Result<ClientConfig, RouterError> {
    let wrong = |error: &dyn std::fmt::Display| RouterError::argument(format!("TLS cannot be set up: {error}"));
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Ca => {
            let store = roots.0.clone().unwrap_or_else(|| PUBLIC.clone());
            WebPkiServerVerifier::builder_with_provider(store, PROVIDER.clone()).build().map_err(|e| wrong(&e))?
        }
        Trust::Pin(sha256) => Arc::new(LeafVerifier { pin: Some(sha256) }),
        Trust::Off => Arc::new(LeafVerifier { pin: None }),
    };
    let builder = ClientConfig::builder_with_provider(PROVIDER.clone()).with_safe_default_protocol_versions().map_err(|e| wrong(&e))?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}

/// Another certificate came than the pinned one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("another certificate than the pinned one")]
pub(crate) struct Mismatch {
    pub expected: [u8; 32],
    pub presented: [u8; 32],
}

/// Looks at the leaf alone.
#[derive(Debug)]
struct LeafVerifier {
    pin: Option<[u8; 32]>,
}

impl ServerCertVerifier for LeafVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let presented = fingerprint(leaf);
        match self.pin {
            Some(expected) if expected != presented => {
                let mismatch = Mismatch { expected, presented };
                Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(mismatch)))))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, &PROVIDER.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &PROVIDER.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_read_back_in_every_spelling() {
        let sha256 = fingerprint(b"leaf");
        let text = format_fingerprint(&sha256);
        assert_eq!(parse_fingerprint(&text), Some(sha256));
        assert_eq!(parse_fingerprint(&text.to_uppercase()), Some(sha256));
        assert_eq!(parse_fingerprint(&text[7..]), Some(sha256));
        let colons: Vec<String> = sha256.iter().map(|b| format!("{b:02X}")).collect();
        assert_eq!(parse_fingerprint(&colons.join(":")), Some(sha256));
        for wrong in ["", "sha256:", "sha256:00", "sha1:00", &text[..70], &format!("{text}0"), "sha256:zz", "é"] {
            assert_eq!(parse_fingerprint(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_ca_file_without_certificates_is_refused() {
        assert!(Roots::with_pem(b"").is_err());
        assert!(Roots::with_pem(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err());
        assert!(client_config(Trust::Ca, &Roots::default()).is_ok());
    }
}
