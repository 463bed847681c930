//! Certificates from an authority (ACME), asked for and renewed by ourselves.
//!
//! - Until the first one there is a certificate of our own making; from then on the last good one stays in use whatever
//!   happens, even past its end: who pinned it goes on working, and everybody else is told the truth by their own client.
//! - It is renewed when two thirds of its lifetime are over, for new connections; open ones stay. A restart takes the kept one
//!   and orders nothing.
//! - Whoever does not answer, refuses or limits us is asked again later and later (`trouble.rs`); the log and `/health` say so.
//! - A box whose clock is still in 1970 waits: it could not tell whether the authority's certificate is good.
//!
//! Source: RFC 8555, RFC 8737

pub mod kept;
pub mod order;
pub mod proof;
pub mod trouble;

use crate::base::clock::{Clock, Wall};
use crate::base::fault::{Fault, Kind};
use crate::routeros::pin;
use crate::store::{Seal, Store};
use kept::{Certificate, Shelf};
use order::{Fresh, Order};
use proof::Proofs;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use trouble::Trouble;

/// `[acme]` in the config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Names on the certificate, in small letters.
    pub domains: Vec<String>,
    /// Whom the authority may write to.
    pub contact: Option<String>,
    /// The authority.
    pub directory: String,
    /// How we prove that the names are ours.
    pub proof: Proof,
    /// Roots of a private authority, PEM; then no others count.
    pub ca_file: Option<PathBuf>,
    /// Where the authority asks for proofs of http-01.
    pub http_port: u16,
}

/// How we prove that a name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// In a TLS handshake on our own listener.
    TlsAlpn01,
    /// By a text over plain HTTP.
    Http01,
}

/// Between two looks at the clock while it cannot be right.
const CLOCK: Duration = Duration::from_secs(5);
/// Longest sleep: clocks are set, boxes are suspended.
const NAP: Duration = Duration::from_secs(3_600);

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// `waiting`, `ordering`, `good` or `failing`.
    pub word: &'static str,
    /// What is wrong, for people.
    pub said: Option<String>,
    /// When something is tried next.
    pub next: Option<Wall>,
}

/// Asks for certificates.
pub struct Acme {
    settings: Settings,
    shelf: Shelf,
    clock: Clock,
    client: Arc<ClientConfig>,
    proofs: Arc<Proofs>,
    challenge: Arc<ServerConfig>,
    kept: Mutex<Option<Certificate>>,
    status: Mutex<Status>,
    /// Somebody wants it tried now.
    again: Notify,
}

impl Acme {
    /// Over the store, and the last good certificate if there is one. Errs with `Config` when the CA file cannot be used.
    pub fn open(settings: Settings, store: &Store, seal: &Seal, clock: &Clock) -> Result<(Acme, Option<CertifiedKey>), Fault> {
        let client = Arc::new(client(&settings)?);
        let shelf = Shelf::new(store.clone(), seal.clone());
        if store.is_volatile() {
            tracing::warn!("state lies in RAM: each restart orders a new certificate, and authorities limit how many there may be");
        }
        let (kept, certified) = shelf.certificate().unzip();
        let proofs = Arc::new(Proofs::default());
        let challenge = proofs.tls()?;
        let status = Mutex::new(Status { word: "waiting", said: None, next: None });
        let acme =
            Acme { settings, shelf, clock: clock.clone(), client, proofs, challenge, kept: Mutex::new(kept), status, again: Notify::new() };
        Ok((acme, certified))
    }

    /// Asks for certificates whenever one is due, and hands them to `deploy`, until `stop` fires.
    pub async fn run(self: Arc<Self>, deploy: impl Fn(CertifiedKey), stop: CancellationToken) {
        let work = async {
            let mut failures = 0;
            loop {
                self.turn(&mut failures, &deploy).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
    }

    /// Tries at once what waits.
    pub fn again(&self) {
        self.again.notify_one();
    }

    /// How it stands.
    pub fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What an authority looks for at a path over plain HTTP.
    pub fn text_at(&self, path: &str) -> Option<String> {
        self.proofs.text_at(path)
    }

    /// TLS for connections that only look at a proof.
    pub fn challenge(&self) -> Arc<ServerConfig> {
        self.challenge.clone()
    }

    async fn turn(&self, failures: &mut u32, deploy: &impl Fn(CertifiedKey)) {
        let now = self.clock.wall();
        if !now.is_plausible() {
            let said = format!("the clock says {}; certificates are asked for when it is set", now.rfc3339());
            self.say("waiting", Some(said), None);
            return self.wait(CLOCK).await;
        }
        let due = self.kept().as_ref().and_then(|kept| kept.due(&self.settings, now));
        if let Some(due) = due.filter(|due| *due > now) {
            self.say("good", None, Some(due));
            return self.wait(NAP.min(Duration::from_millis((due.0 - now.0) as u64))).await;
        }
        self.say("ordering", None, None);
        tracing::info!(domains = self.settings.domains.join(","), directory = self.settings.directory, "asking for a certificate");
        match self.order(now).await {
            Ok(certified) => {
                *failures = 0;
                deploy(certified);
            }
            Err(trouble) => {
                *failures = failures.saturating_add(1);
                let pause = trouble.pause(*failures);
                let next = Wall(self.clock.wall().0 + pause.as_millis() as i64);
                tracing::error!(hint = trouble.hint(), next_try = next.rfc3339(), "no new certificate: {trouble}; the one in use stays");
                self.say("failing", Some(trouble.to_string()), Some(next));
                self.wait(pause).await;
            }
        }
    }

    async fn order(&self, now: Wall) -> Result<CertifiedKey, Trouble> {
        let account = self.shelf.account(&self.settings.directory, now).await?;
        let order = Order { settings: &self.settings, client: &self.client, account: &account, proofs: &self.proofs };
        let Fresh { chain, key, certified } = order.run().await?;
        let got_at = self.clock.wall();
        // Used even when it cannot be kept: it is good, and asking again costs the authority more than us.
        match self.shelf.keep(&self.settings, &chain, &key, got_at).await {
            Ok(kept) => *self.kept() = Some(kept),
            Err(error) => {
                tracing::error!(%error, "the new certificate is in use but not kept: a restart orders another");
                *self.kept() = Some(Certificate::unkept(&self.settings, &chain, got_at));
            }
        }
        let ends = chain.first().and_then(|leaf| kept::validity(leaf)).map(|(_, until)| until.rfc3339());
        let fingerprint = chain.first().map(|leaf| pin::format_fingerprint(&pin::fingerprint(leaf)));
        tracing::info!(domains = self.settings.domains.join(","), ends, fingerprint, "a new certificate is in use");
        Ok(certified)
    }

    async fn wait(&self, span: Duration) {
        tokio::select! {
            () = self.clock.sleep(span) => {}
            () = self.again.notified() => {}
        }
    }

    fn say(&self, word: &'static str, said: Option<String>, next: Option<Wall>) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = Status { word, said, next };
    }

    fn kept(&self) -> MutexGuard<'_, Option<Certificate>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the authority's own certificate is checked: by the public roots, or by those of the CA file alone.
fn client(settings: &Settings) -> Result<ClientConfig, Fault> {
    let roots = match &settings.ca_file {
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        Some(path) => {
            let wrong = |why: &str| {
                Fault::new(Kind::Config, format!("acme.ca_file: {} {why}", path.display()))
                    .hint("name a file with the authority's root certificate in PEM")
            };
            let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let read = read.map_err(|error| wrong("cannot be read as PEM").cause(error.to_string()))?;
            let mut roots = RootCertStore::empty();
            if roots.add_parsable_certificates(read).0 == 0 {
                return Err(wrong("holds no certificate"));
            }
            roots
        }
    };
    let builder =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions().map_err(Fault::bug)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Whether an authority could be asked with these settings, without asking: for checks that open nothing.
pub fn check(settings: &Settings) -> Result<(), Fault> {
    client(settings).map(drop)
}
