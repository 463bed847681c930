//! SSH towards one router: its host key, a login, commands and files.
//!
//! Trust: the host key is compared before any credential is offered (`session`), and nothing is ever sent to a server
//! whose key is not known. RouterOS has one host key, RSA unless changed, so the order of algorithms decides nothing on a
//! router; every SSH client of ours still uses the one of [`config`], or a server with several keys would show another.
//!
//! No terminal is ever asked for: a command runs by itself on a channel of its own, so there are no prompts, no colours and
//! no licence question (`client`). What the console's words mean is `routeros::console`'s business.
//!
//! Source: RFC 4251 to 4254, <https://help.mikrotik.com/docs/spaces/ROS/pages/132350014/SSH>

pub mod client;
pub mod key;
mod session;
pub mod sftp;

pub use client::{Output, Ssh};
pub use key::Key;
pub use session::{Endpoint, Login};

use crate::routeros::fault::{RouterError, Stage};
use crate::routeros::net;
use russh::client as library;
use russh::keys::{HashAlg, PublicKeyOrCertificate};
use std::{sync::Arc, sync::Mutex, time::Duration};

/// The key a port showed, with the proof that it holds the private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    /// `SHA256:` and base64 without padding, as OpenSSH and `--ssh-fingerprint` write it.
    pub fingerprint: String,
    /// `ssh-rsa`, `ssh-ed25519`, `ecdsa-sha2-nistp256` …
    pub algorithm: String,
}

/// Whether the text is a fingerprint as [`HostKey`] shows it.
pub fn is_fingerprint(text: &str) -> bool {
    let base64 = text.strip_prefix("SHA256:").unwrap_or("");
    data_encoding::BASE64_NOPAD.decode(base64.as_bytes()).is_ok_and(|bytes| bytes.len() == 32)
}

/// The exchange of keys may take so many times what connecting may: a slow board computes two signatures and a secret for it.
const EXCHANGE_TIMES: u32 = 3;

/// Exchanges keys, notes the host key, refuses it and hangs up: no name, no login. `within` bounds connecting; the
/// exchange may take three times that.
///
/// # Errors
/// Unreachable, timeout, or [`RouterError::HostKey`] when the port speaks no SSH that we do.
pub async fn probe_host_key(host: &str, port: u16, within: Duration) -> Result<HostKey, RouterError> {
    let stream = net::connect(host, port, within).await?;
    let at = net::place(host, port);
    let seen = Arc::new(Mutex::new(None));
    // The session's own task must end as well when a peer stalls in mid-exchange.
    let limit = within * EXCHANGE_TIMES;
    let exchange = library::connect_stream(config(limit), stream, Looker { seen: seen.clone() });
    let outcome = tokio::time::timeout(limit, exchange).await;
    if let Some(key) = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
        return Ok(key);
    }
    match outcome {
        Err(_) => Err(RouterError::Timeout { at, after: limit, stage: Stage::Connect }),
        Ok(Ok(_)) => Err(RouterError::HostKey { at, why: "the exchange ended without a key".into() }),
        Ok(Err(error)) => Err(RouterError::HostKey { at, why: words(&error).into() }),
    }
}

/// The same for every connection. The session's own task ends when nothing comes or goes for `silence`.
fn config(silence: Duration) -> Arc<library::Config> {
    Arc::new(library::Config { inactivity_timeout: Some(silence), nodelay: true, ..library::Config::default() })
}

/// The key a server shows; none when it shows a certificate, which is not offered, so none should come.
fn host_key(shown: &PublicKeyOrCertificate) -> Option<HostKey> {
    match shown {
        PublicKeyOrCertificate::PublicKey { key, .. } => {
            Some(HostKey { fingerprint: key.fingerprint(HashAlg::Sha256).to_string(), algorithm: key.algorithm().to_string() })
        }
        PublicKeyOrCertificate::Certificate(_) => None,
    }
}

/// The library's errors by what they mean here; their own texts can hold what the peer sent.
fn words(error: &russh::Error) -> &'static str {
    match error {
        russh::Error::NoCommonAlgo { .. } => "no algorithm in common",
        russh::Error::Version | russh::Error::Inconsistent => "it does not speak SSH 2",
        russh::Error::Disconnect | russh::Error::HUP => "it closed the connection",
        russh::Error::IO(_) => "the connection broke",
        russh::Error::WrongServerSig | russh::Error::KeyChanged { .. } => "its signature is wrong",
        russh::Error::InactivityTimeout | russh::Error::ConnectionTimeout => "it stopped answering",
        _ => "the key exchange failed",
    }
}

/// Notes the key and trusts nobody.
struct Looker {
    seen: Arc<Mutex<Option<HostKey>>>,
}

impl library::Handler for Looker {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        *self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = host_key(shown);
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_told_from_other_text() {
        assert!(is_fingerprint("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"));
        for wrong in [
            "",
            "SHA256:",
            "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "MD5:00:11",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        ] {
            assert!(!is_fingerprint(wrong), "{wrong}");
        }
    }
}
