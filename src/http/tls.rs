//! TLS of the listener: a certificate of our own making, one from files, or one from an authority (`acme.rs`).
//!
//! What we make lies sealed in the store and stays the same over restarts, so that clients can pin its fingerprint. Files
//! are read again when they change and when we are told to; files that do not fit leave the certificate in use as it is.

use crate::base::clock::{Clock, Wall};
use crate::base::fault::{Fault, Kind};
use crate::http::acme::{self, Acme, kept};
use crate::routeros::pin;
use crate::store::{Batch, Durability, Field, Name, Place, Seal, Store};
use chrono::{Datelike, Days};
use rustls::ServerConfig;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_acme::is_tls_alpn_challenge;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Whether files, if any, can be read and belong together, and when their certificate ends: for checks that open nothing.
pub fn check(source: &Source) -> Result<Option<Wall>, Fault> {
    match source {
        Source::Files { certificate, key } => {
            Ok(read(certificate, key)?.cert.first().and_then(|leaf| kept::validity(leaf)).map(|(_, until)| until))
        }
        Source::Acme(settings) => acme::check(settings).map(|()| None),
        Source::Off | Source::SelfSigned => Ok(None),
    }
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: plain HTTP.
    Off,
    /// Made by ourselves.
    SelfSigned,
    /// PEM files.
    Files {
        /// The chain, our certificate first.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// From an authority; our own until the first one comes.
    Acme(acme::Settings),
}

/// The table of what belongs to the appliance itself.
const BOX: &str = "appliance";
const PLACE: Place<'_> = Place { purpose: "listener", table: BOX, key: "tls", field: "self-signed" };

/// What of it is sealed.
pub const SEALED: Field =
    Field { purpose: PLACE.purpose, table: BOX, field: Name::Is(PLACE.field), about: "keys of this appliance itself", row_stays: false };

/// How long a certificate of ours is good for: as long as all clients take.
const VALID: Days = Days::new(825);
/// With less left at a start, a new one is made.
const RENEW: Days = Days::new(30);

/// A certificate of ours in the store.
#[derive(Serialize, Deserialize)]
struct Kept {
    names: Vec<String>,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The certificate in use.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For connections from now on; open ones keep what they have.
    fn set(&self, key: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }
}

/// TLS, with the certificate that is in use.
pub struct Tls {
    source: Source,
    current: Arc<Current>,
    /// How the files looked when they were last read.
    seen: Mutex<Option<[SystemTime; 2]>>,
    config: Arc<ServerConfig>,
    acme: Option<Arc<Acme>>,
}

impl Tls {
    /// From its source; `None` for plain HTTP. `names` go on a certificate of our own.
    ///
    /// Errs with `Config` when files cannot be read or do not belong together.
    pub async fn new(source: Source, names: Vec<String>, store: &Store, seal: &Seal, clock: &Clock) -> Result<Option<Tls>, Fault> {
        let mut acme = None;
        let (first, seen) = match &source {
            Source::Off => return Ok(None),
            Source::SelfSigned => (own(names, store, seal, clock.wall()).await?, None),
            Source::Files { certificate, key } => (read(certificate, key)?, looks(certificate, key)),
            Source::Acme(settings) => {
                let (made, kept) = Acme::open(settings.clone(), store, seal, clock)?;
                acme = Some(Arc::new(made));
                let first = match kept {
                    Some(kept) => kept,
                    None => own(names, store, seal, clock.wall()).await?,
                };
                (first, None)
            }
        };
        let current = Arc::new(Current(RwLock::new(Arc::new(first))));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(Fault::bug)?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = Ticketer::new().map_err(Fault::bug)?;
        Ok(Some(Tls { source, current, seen: Mutex::new(seen), config: Arc::new(config), acme }))
    }

    /// Shakes hands. `None`: it was an authority that looked at a proof, and is done.
    pub async fn accept(&self, stream: TcpStream) -> std::io::Result<Option<TlsStream<TcpStream>>> {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        if let Some(acme) = self.acme.as_ref().filter(|_| is_tls_alpn_challenge(&hello.client_hello())) {
            hello.into_stream(acme.challenge()).await?.shutdown().await?;
            return Ok(None);
        }
        hello.into_stream(self.config.clone()).await.map(Some)
    }

    /// Asks an authority for certificates until `stop` fires, if that is where they come from.
    pub async fn keep_up(self: Arc<Self>, stop: CancellationToken) {
        if let Some(acme) = &self.acme {
            let current = self.current.clone();
            acme.clone().run(move |key| current.set(key), stop).await;
        }
    }

    /// Whoever asks an authority for certificates.
    pub fn acme(&self) -> Option<&Arc<Acme>> {
        self.acme.as_ref()
    }

    /// The certificate in use.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.current.get().cert.first().cloned()
    }

    /// When the certificate in use ends.
    pub fn ends(&self) -> Option<Wall> {
        kept::validity(self.current.get().cert.first()?).map(|(_, until)| until)
    }

    /// Whether the certificate in use is one that we signed ourselves.
    pub fn is_own(&self) -> bool {
        let current = self.current.get();
        let parsed = current.cert.first().and_then(|leaf| x509_parser::parse_x509_certificate(leaf).ok());
        parsed.is_some_and(|(_, leaf)| leaf.issuer() == leaf.subject())
    }

    /// Where the certificate comes from, in the words of `http.tls`.
    pub fn source(&self) -> &'static str {
        match self.source {
            Source::Off => "off",
            Source::SelfSigned => "self-signed",
            Source::Files { .. } => "files",
            Source::Acme(_) => "acme",
        }
    }

    /// SHA-256 of the certificate in use: `sha256:HEX`.
    pub fn fingerprint(&self) -> String {
        let leaf = self.current.get().cert.first().map(|leaf| pin::fingerprint(leaf));
        leaf.map_or_else(String::new, |leaf| pin::format_fingerprint(&leaf))
    }

    /// Reads the files again, if there are any, and asks an authority again that has not given us a certificate. Errs when
    /// files do not fit; the certificate in use stays.
    pub fn reload(&self) -> Result<bool, Fault> {
        if let Some(acme) = &self.acme {
            acme.again();
        }
        let Source::Files { certificate, key } = &self.source else { return Ok(false) };
        *self.seen() = looks(certificate, key);
        self.current.set(read(certificate, key)?);
        Ok(true)
    }

    /// Whether the files look other than when they were last read.
    pub fn is_stale(&self) -> bool {
        let Source::Files { certificate, key } = &self.source else { return false };
        let now = looks(certificate, key);
        now.is_some() && now != *self.seen()
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Option<[SystemTime; 2]>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Through links, as certbot lays them out.
fn looks(certificate: &Path, key: &Path) -> Option<[SystemTime; 2]> {
    let at = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    Some([at(certificate)?, at(key)?])
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, Fault> {
    let wrong = |key: &str, path: &Path, error: rustls::pki_types::pem::Error| {
        let fault = |said: String| Fault::new(Kind::Config, format!("{key}: {} {said}", path.display()));
        match error {
            rustls::pki_types::pem::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                // systemd's user of the service is made up anew at each start: a group cannot be given access beforehand.
                let hint = "certbot's live/ and archive/ are root's alone: let a deploy hook copy both files to where the service may read them, \
                            see docs://tls-and-proxies";
                fault("may not be read by the user of the service".into()).hint(hint).cause(error)
            }
            rustls::pki_types::pem::Error::Io(error) => {
                fault("cannot be read".into()).hint("name the files that certbot calls fullchain.pem and privkey.pem").cause(error)
            }
            error => fault("cannot be read as PEM".into())
                .hint("it begins with -----BEGIN; convert DER with openssl x509 or openssl pkey")
                .cause(error.to_string()),
        }
    };
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| wrong("http.tls_cert_file", certificate, error))?;
    if chain.is_empty() {
        return Err(Fault::new(Kind::Config, format!("http.tls_cert_file: {} holds no certificate", certificate.display())));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong("http.tls_key_file", key, error))?;
    CertifiedKey::from_der(chain, private, &default_provider()).map_err(|error| {
        let said = match error {
            rustls::Error::InconsistentKeys(_) => {
                format!("http.tls_key_file: the key in {} is not the one of the certificate in {}", key.display(), certificate.display())
            }
            _ => format!("http.tls_cert_file: {} is no certificate that can be used", certificate.display()),
        };
        Fault::new(Kind::Config, said).hint("name the chain and the key that were issued together").cause(error)
    })
}

/// The certificate of our own, from the store; a new one when there is none, its end is near, or the names are others.
async fn own(names: Vec<String>, store: &Store, seal: &Seal, now: Wall) -> Result<CertifiedKey, Fault> {
    let kept = match store.get(BOX, PLACE.key)? {
        Some(sealed) => Some(Zeroizing::new(seal.open(PLACE, &sealed)?.to_vec())),
        None => None,
    };
    let kept = kept.and_then(|plain| postcard::from_bytes::<Kept>(&plain).ok());
    if let Some(kept) = kept.filter(|kept| kept.names == names && lasts(&kept.certificate, now)) {
        return certified(kept);
    }
    let kept = make(names, now)?;
    let plain = Zeroizing::new(postcard::to_stdvec(&kept).map_err(Fault::bug)?);
    // A store in memory loses its key with the certificate: it is made anew at the next start.
    store.commit(Batch::new().put(BOX, PLACE.key, seal.seal(PLACE, &plain)), Durability::Now).await?;
    certified(kept)
}

fn certified(kept: Kept) -> Result<CertifiedKey, Fault> {
    kept::certified(vec![CertificateDer::from(kept.certificate)], &kept.key).map_err(Fault::bug)
}

fn make(names: Vec<String>, now: Wall) -> Result<Kept, Fault> {
    let mut params = rcgen::CertificateParams::new(names.clone()).map_err(Fault::bug)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "routeros-mcp");
    let day = |date: chrono::NaiveDate| rcgen::date_time_ymd(date.year(), date.month() as u8, date.day() as u8);
    let today = today(now);
    params.not_before = day(today.checked_sub_days(Days::new(1)).unwrap_or(today));
    params.not_after = day(today.checked_add_days(VALID).unwrap_or(today));
    let key = rcgen::KeyPair::generate().map_err(Fault::bug)?;
    let certificate = params.self_signed(&key).map_err(Fault::bug)?.der().to_vec();
    Ok(Kept { names, certificate, key: key.serialize_der() })
}

/// The date, or one that is not before this program: boxes boot in 1970.
fn today(now: Wall) -> chrono::NaiveDate {
    chrono::DateTime::from_timestamp_millis(now.max(Wall::FLOOR).0).unwrap_or_default().date_naive()
}

fn lasts(certificate: &[u8], now: Wall) -> bool {
    let until = today(now).checked_add_days(RENEW).and_then(|date| date.and_hms_opt(0, 0, 0)).map(|time| time.and_utc().timestamp_millis());
    kept::validity(certificate).zip(until).is_some_and(|((_, ends), until)| ends.0 > until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Options;
    use std::time::Duration;

    fn pem(dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let made = make(vec![name.into()], Wall(1_790_000_000_000)).unwrap();
        let write = |file: String, label: &str, der: &[u8]| {
            let path = dir.join(file);
            let body = data_encoding::BASE64_MIME.encode(der);
            std::fs::write(&path, format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")).unwrap();
            path
        };
        (write(format!("{name}.crt"), "CERTIFICATE", &made.certificate), write(format!("{name}.key"), "PRIVATE KEY", &made.key))
    }

    #[tokio::test]
    async fn our_own_certificate_stays_until_its_names_change_or_its_end_is_near() {
        let dir = tempfile::tempdir().unwrap();
        let (clock, hand) = Clock::by_hand(Wall(1_790_000_000_000));
        let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
        let seal = Seal::new(&[7; 32]);
        let of = |name: &str| {
            let (names, store, seal, clock) = (vec![name.to_owned()], store.clone(), seal.clone(), clock.clone());
            async move { Tls::new(Source::SelfSigned, names, &store, &seal, &clock).await.unwrap().unwrap().fingerprint() }
        };
        let first = of("a.example").await;
        assert!(first.starts_with("sha256:") && first.len() == 71);
        assert_eq!(of("a.example").await, first);
        let other = of("b.example").await;
        assert_ne!(other, first);
        hand.advance(Duration::from_secs(86_400 * 700));
        assert_eq!(of("b.example").await, other);
        hand.advance(Duration::from_secs(86_400 * 100));
        assert_ne!(of("b.example").await, other, "25 days before its end");
        let sealed = store.get(BOX, "tls").unwrap().unwrap();
        assert!(!sealed.windows(9).any(|bytes| bytes == b"b.example"), "nothing of it is in the clear");
    }

    #[tokio::test]
    async fn files_are_read_again_and_bad_ones_leave_the_good_one_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let (clock, _hand) = Clock::by_hand(Wall(1_790_000_000_000));
        let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
        let seal = Seal::new(&[7; 32]);
        let ((certificate, key), (other, other_key)) = (pem(dir.path(), "a.example"), pem(dir.path(), "b.example"));
        let from = |certificate: &Path, key: &Path| Source::Files { certificate: certificate.into(), key: key.into() };
        let tls = Tls::new(from(&certificate, &key), Vec::new(), &store, &seal, &clock).await.unwrap().unwrap();
        let first = tls.fingerprint();
        std::fs::copy(&other, &certificate).unwrap();
        let fault = tls.reload().unwrap_err();
        assert!(fault.kind == Kind::Config && fault.said.contains("is not the one of the certificate"), "{fault}");
        assert_eq!(tls.fingerprint(), first);
        std::fs::copy(&other_key, &key).unwrap();
        tls.reload().unwrap();
        assert_ne!(tls.fingerprint(), first);
        for (certificate, key) in [(&certificate, &dir.path().join("none")), (&key, &key), (&certificate, &certificate)] {
            let wrong = Tls::new(from(certificate, key), Vec::new(), &store, &seal, &clock).await;
            assert_eq!(wrong.map(|_| ()).unwrap_err().kind, Kind::Config);
        }
    }
}
