//! What we show an authority to prove that a name is ours: a certificate in a TLS handshake, or a text over plain HTTP.
//!
//! Source: RFC 8737 (tls-alpn-01), RFC 8555 section 8.3 (http-01)

use crate::base::fault::Fault;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_acme::acme::ACME_TLS_ALPN_NAME;
use rustls_acme::is_tls_alpn_challenge;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where an authority looks for the text of http-01; the token follows.
pub const PATH: &str = "/.well-known/acme-challenge/";

/// Proofs that an authority may ask for just now.
#[derive(Debug, Default)]
pub struct Proofs {
    /// By name, for tls-alpn-01.
    certificates: Mutex<HashMap<String, Arc<CertifiedKey>>>,
    /// By token, for http-01.
    texts: Mutex<HashMap<String, String>>,
}

/// One proof on show; taken away with this.
pub struct Shown<'p> {
    proofs: &'p Proofs,
    key: String,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.proofs.certificates().remove(&self.key);
        self.proofs.texts().remove(&self.key);
    }
}

impl Proofs {
    /// Shows a certificate to whoever asks for it by the challenge's protocol.
    pub fn show_certificate(&self, domain: &str, certificate: CertifiedKey) -> Shown<'_> {
        self.certificates().insert(domain.to_owned(), Arc::new(certificate));
        Shown { proofs: self, key: domain.to_owned() }
    }

    /// Shows a text below [`PATH`].
    pub fn show_text(&self, token: &str, text: String) -> Shown<'_> {
        self.texts().insert(token.to_owned(), text);
        Shown { proofs: self, key: token.to_owned() }
    }

    /// The text at a path, if it is one that an authority asks for.
    pub fn text_at(&self, path: &str) -> Option<String> {
        self.texts().get(path.strip_prefix(PATH)?).cloned()
    }

    /// TLS for nothing but a challenge: no name, protocol or ticket of it is good for anything else.
    pub fn tls(self: &Arc<Self>) -> Result<Arc<ServerConfig>, Fault> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Fault::bug)?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![ACME_TLS_ALPN_NAME.to_vec()];
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    fn certificates(&self) -> MutexGuard<'_, HashMap<String, Arc<CertifiedKey>>> {
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn texts(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Proofs {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().filter(|_| is_tls_alpn_challenge(&hello))?;
        self.certificates().get(&name.to_ascii_lowercase()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_there_as_long_as_it_is_shown_and_under_its_token_alone() {
        let proofs = Proofs::default();
        let shown = proofs.show_text("tok", "tok.thumb".into());
        assert_eq!(proofs.text_at("/.well-known/acme-challenge/tok").as_deref(), Some("tok.thumb"));
        for path in
            ["/.well-known/acme-challenge/", "/.well-known/acme-challenge/tok/", "/tok", "tok", "/.well-known/acme-challenge/../tok"]
        {
            assert_eq!(proofs.text_at(path), None, "{path}");
        }
        drop(shown);
        assert_eq!(proofs.text_at("/.well-known/acme-challenge/tok"), None);
    }
}
