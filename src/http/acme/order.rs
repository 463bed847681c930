//! One order: from the authority's directory to a chain with its key.
//!
//! The library has the protocol's messages; the order of them is ours, because every request gets a deadline, a fresh nonce
//! as often as the authority wants one, and only addresses that we would call.
//!
//! Source: RFC 8555 section 7

use crate::base::address::forbidden_among;
use crate::http::acme::proof::Proofs;
use crate::http::acme::trouble::{Trouble, clean, jittered};
use crate::http::acme::{Proof, Settings, kept};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::CertifiedKey;
use rustls_acme::acme::{Account, AcmeError, Auth, AuthStatus, Challenge, Directory, Identifier, Order as Ordered, OrderStatus, Problem};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use zeroize::Zeroizing;

/// One request takes no longer.
const REQUEST: Duration = Duration::from_secs(30);
/// The authority looks at a name, or makes a certificate, within this.
const DONE: Duration = Duration::from_secs(120);
/// Between two looks at what the authority is doing: at first, and at most.
const LOOK: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(5));
/// Times a request is repeated because of its nonce. Pebble refuses one in twenty on purpose.
const NONCES: u32 = 15;
/// The pause before that.
const BREATH: Duration = Duration::from_millis(50);

/// What came of an order.
pub struct Fresh {
    /// Ours first.
    pub chain: Vec<CertificateDer<'static>>,
    /// PKCS #8.
    pub key: Zeroizing<Vec<u8>>,
    /// Both, as rustls takes them.
    pub certified: CertifiedKey,
}

/// What an order is made with.
pub struct Order<'o> {
    /// For which names, from whom.
    pub settings: &'o Settings,
    /// How the authority's own certificate is checked.
    pub client: &'o Arc<ClientConfig>,
    /// Our account, PKCS #8.
    pub account: &'o [u8],
    /// Where proofs are shown.
    pub proofs: &'o Proofs,
}

impl Order<'_> {
    /// Goes through with it.
    pub async fn run(&self) -> Result<Fresh, Trouble> {
        let (client, settings) = (self.client, self.settings);
        allowed(&settings.directory).await?;
        let directory = ask("the directory", || Directory::discover(client, &settings.directory)).await?;
        for url in [&directory.new_nonce, &directory.new_account, &directory.new_order] {
            allowed(url).await?;
        }
        let contact: Vec<String> = settings.contact.iter().map(|address| mailto(address)).collect();
        let account = ask("the account", || Account::create_with_keypair(client, directory.clone(), &contact, self.account)).await?;
        let (key, request) = request(&settings.domains)?;
        let (url, mut order) = ask("the order", || account.new_order(client, settings.domains.clone())).await?;
        allowed(&url).await?;
        let (began, mut pause) = (Instant::now(), LOOK.0);
        loop {
            match &order.status {
                OrderStatus::Pending => {
                    for url in &order.authorizations {
                        self.prove(&account, url).await?;
                    }
                    order = ask("the order", || account.order(client, &url)).await?;
                    // Some authorities take a moment to see that all names are proven.
                    if !matches!(order.status, OrderStatus::Pending) {
                        continue;
                    }
                }
                OrderStatus::Ready => {
                    allowed(&order.finalize).await?;
                    order = ask("the request", || account.finalize(client, &order.finalize, &request)).await?;
                    continue;
                }
                OrderStatus::Processing => {}
                OrderStatus::Valid { certificate } => {
                    allowed(certificate).await?;
                    let chain = ask("the certificate", || account.certificate(client, certificate)).await?;
                    return fresh(&chain, key);
                }
                OrderStatus::Invalid => return Err(refused(&order)),
            }
            wait(began, &mut pause).await?;
            order = ask("the order", || account.order(client, &url)).await?;
        }
    }

    /// Proves that one name is ours, unless the authority remembers that it is.
    async fn prove(&self, account: &Account, url: &str) -> Result<(), Trouble> {
        allowed(url).await?;
        let auth = ask("an authorization", || account.auth(self.client, url)).await?;
        match auth.status {
            AuthStatus::Valid => return Ok(()),
            AuthStatus::Pending => {}
            _ => return Err(unproven(&auth)),
        }
        let Identifier::Dns(domain) = &auth.identifier;
        if !self.settings.domains.iter().any(|ours| ours.eq_ignore_ascii_case(domain)) {
            return Err(Trouble::Odd(format!("it asks for a proof of {}, which we did not order", clean(domain))));
        }
        let (challenge, _shown) = match self.settings.proof {
            Proof::TlsAlpn01 => {
                let made = account.tls_alpn_01(&auth.challenges, domain.clone());
                let (challenge, certificate) = made.map_err(|error| Trouble::of("tls-alpn-01", &error))?;
                (challenge, self.proofs.show_certificate(&domain.to_ascii_lowercase(), certificate))
            }
            Proof::Http01 => {
                let made = account.http_01(&auth.challenges);
                let (challenge, text) = made.map_err(|error| Trouble::of("http-01", &error))?;
                (challenge, self.proofs.show_text(&challenge.token, text))
            }
        };
        self.until_seen(account, url, challenge).await
    }

    /// Tells the authority to look, and waits until it has.
    async fn until_seen(&self, account: &Account, url: &str, challenge: &Challenge) -> Result<(), Trouble> {
        allowed(&challenge.url).await?;
        ask("a challenge", || account.challenge(self.client, &challenge.url)).await?;
        let (began, mut pause) = (Instant::now(), LOOK.0);
        loop {
            wait(began, &mut pause).await?;
            let auth = ask("an authorization", || account.auth(self.client, url)).await?;
            match auth.status {
                AuthStatus::Valid => return Ok(()),
                AuthStatus::Pending => {}
                _ => return Err(unproven(&auth)),
            }
        }
    }
}

/// One request; again when the authority did not like its nonce, which each try gets anew.
async fn ask<T, F: Future<Output = Result<T, AcmeError>>>(what: &'static str, request: impl Fn() -> F) -> Result<T, Trouble> {
    within(REQUEST, what, request).await
}

async fn within<T, F>(most: Duration, what: &'static str, request: impl Fn() -> F) -> Result<T, Trouble>
where
    F: Future<Output = Result<T, AcmeError>>,
{
    for _ in 0..NONCES {
        let answer = timeout(most, request()).await;
        let Ok(answer) = answer else { return Err(Trouble::Silent(format!("{what}: no answer within {most:?}"))) };
        match answer.map_err(|error| Trouble::of(what, &error)) {
            Err(Trouble::Nonce) => sleep(jittered(BREATH)).await,
            answer => return answer,
        }
    }
    Err(Trouble::Nonce)
}

async fn wait(began: Instant, pause: &mut Duration) -> Result<(), Trouble> {
    if began.elapsed() > DONE {
        return Err(Trouble::Silent(format!("it was not done within {} s", DONE.as_secs())));
    }
    sleep(*pause).await;
    *pause = (*pause * 2).min(LOOK.1);
    Ok(())
}

/// Where an authority may send us: https, and nothing that only this link or cloud knows. A name is judged by what it
/// resolves to; the library resolves it again, so that only a name that lies about itself from one moment to the next gets by.
async fn allowed(url: &str) -> Result<(), Trouble> {
    let odd = |why: &str| Trouble::Odd(format!("it names an address that is not called: {} ({why})", clean(url)));
    let parsed: http::Uri = url.parse().map_err(|_| odd("no address"))?;
    let host = parsed.host().unwrap_or_default().trim_matches(['[', ']']);
    if parsed.scheme_str() != Some("https") || host.is_empty() {
        return Err(odd("only https is"));
    }
    let found = match host.parse::<std::net::IpAddr>() {
        Ok(address) => vec![address],
        // A name that leads nowhere is told by the request itself, in its own words.
        Err(_) => tokio::net::lookup_host((host, 443)).await.map(|found| found.map(|at| at.ip()).collect()).unwrap_or_default(),
    };
    match forbidden_among(found) {
        Some(why) => Err(odd(why)),
        None => Ok(()),
    }
}

fn mailto(address: &str) -> String {
    if address.starts_with("mailto:") { address.to_owned() } else { format!("mailto:{address}") }
}

/// A key of its own for each certificate, and the request for it.
fn request(domains: &[String]) -> Result<(rcgen::KeyPair, Vec<u8>), Trouble> {
    let odd = |error: rcgen::Error| Trouble::Odd(format!("no request can be made: {error}"));
    let mut params = rcgen::CertificateParams::new(domains.to_vec()).map_err(odd)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    let key = rcgen::KeyPair::generate().map_err(odd)?;
    let request = params.serialize_request(&key).map_err(odd)?.der().to_vec();
    Ok((key, request))
}

fn fresh(pem: &str, key: rcgen::KeyPair) -> Result<Fresh, Trouble> {
    let odd = |why: &str| Trouble::Odd(format!("the certificate {why}"));
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(|_| odd("is not PEM"))?;
    let key = Zeroizing::new(key.serialize_der());
    let certified = kept::certified(chain.clone(), &key).map_err(|_| odd("is not for the key we sent"))?;
    let leaf = chain.first().ok_or_else(|| odd("is missing"))?;
    kept::validity(leaf).ok_or_else(|| odd("cannot be read"))?;
    Ok(Fresh { chain, key, certified })
}

fn refused(order: &Ordered) -> Trouble {
    let (kind, said) = told(order.error.as_ref());
    Trouble::Refused { kind, said }
}

fn unproven(auth: &Auth) -> Trouble {
    let Identifier::Dns(domain) = &auth.identifier;
    let (kind, said) = told(auth.challenges.iter().find_map(|challenge| challenge.error.as_ref()));
    if kind == "rateLimited" { Trouble::Limited(said) } else { Trouble::NotProven { domain: clean(domain), said } }
}

fn told(problem: Option<&Problem>) -> (String, String) {
    let kind = problem.and_then(|problem| problem.typ.as_deref()).unwrap_or("no reason");
    let said = problem.and_then(|problem| problem.detail.as_deref()).unwrap_or("it gave no reason");
    (clean(kind.rsplit(':').next().unwrap_or(kind)), clean(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_authority_sends_us_to_https_addresses_only() {
        for url in ["https://localhost:14000/x", "https://no-such-name.invalid/x", "https://10.0.0.1:9000/x", "https://[::1]:14000/x"] {
            assert!(allowed(url).await.is_ok(), "{url}");
        }
        for url in [
            "http://ca.example/x",
            "https://169.254.169.254/x",
            "https://[fe80::1]/x",
            "https://[::ffff:169.254.169.254]/",
            "ftp://x/",
            "/x",
            "",
        ] {
            assert!(matches!(allowed(url).await, Err(Trouble::Odd(_))), "{url}");
        }
    }

    #[tokio::test]
    async fn a_request_that_fails_is_not_repeated_and_one_without_an_answer_ends() {
        let tries = std::sync::atomic::AtomicU32::new(0);
        let outcome = within(REQUEST, "x", || async {
            tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Err::<(), _>(AcmeError::MissingHeader("Location"))
        });
        assert!(matches!(outcome.await, Err(Trouble::Odd(_))));
        assert_eq!(tries.into_inner(), 1, "only a nonce's fault is repeated");
        let silent = within(Duration::from_millis(50), "x", std::future::pending::<Result<(), AcmeError>>).await;
        assert!(matches!(silent, Err(Trouble::Silent(said)) if said.contains("no answer within 50ms")));
    }
}
