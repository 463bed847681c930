//! Certificates of simulated routers: self-signed, as `/certificate/sign` makes them.

use super::{SimError, TlsOption};
use ring::digest;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::{Arc, OnceLock};
use tokio_rustls::TlsAcceptor;

/// What a router shows, and its fingerprint.
#[derive(Clone)]
pub(super) struct Identity {
    pub acceptor: TlsAcceptor,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// The certificate in DER.
    pub certificate: Vec<u8>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", data_encoding::HEXLOWER.encode(&self.fingerprint))
    }
}

/// The identity the option asks for; `Shared` makes one for all routers of this process.
pub(super) fn identity(option: TlsOption, name: &str) -> Result<Identity, SimError> {
    static SHARED: OnceLock<Identity> = OnceLock::new();
    if option == TlsOption::Own {
        return make(name, false);
    }
    if let Some(shared) = SHARED.get() {
        return Ok(shared.clone());
    }
    let made = make("shared", false)?;
    Ok(SHARED.get_or_init(|| made).clone())
}

/// A new key and certificate.
pub(super) fn make(name: &str, expired: bool) -> Result<Identity, SimError> {
    let wrong = |e: rcgen::Error| SimError::Certificate(e.to_string());
    let mut names = vec!["localhost".to_string(), "127.0.0.1".to_string()];
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        names.push(name.to_string());
    }
    let mut params = rcgen::CertificateParams::new(names).map_err(wrong)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = if expired { rcgen::date_time_ymd(2025, 1, 1) } else { rcgen::date_time_ymd(2036, 1, 1) };
    let key = rcgen::KeyPair::generate().map_err(wrong)?;
    let certificate = params.self_signed(&key).map_err(wrong)?.der().to_vec();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12, &rustls::version::TLS13])
        .and_then(|b| b.with_no_client_auth().with_single_cert(vec![CertificateDer::from(certificate.clone())], private))
        .map_err(|e| SimError::Certificate(e.to_string()))?;
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest::digest(&digest::SHA256, &certificate).as_ref());
    Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint, certificate })
}
