//! TLS of the listener: a certificate of our own making, or one from files.
//!
//! What we make lies sealed in the store and stays the same over restarts, so that clients can pin its fingerprint. Files
//! are read again when they change and when we are told to; files that do not fit leave the certificate in use as it is.

use crate::base::clock::{Clock, Wall};
use crate::base::fault::{Fault, Kind};
use crate::routeros::pin;
use crate::store::{Batch, Durability, Place, Seal, Store};
use chrono::{Datelike, Days};
use rustls::ServerConfig;
use rustls::crypto::ring::{Ticketer, default_provider, sign};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

/// Whether files, if any, can be read and belong together: for checks that open nothing.
pub fn check(source: &Source) -> Result<(), Fault> {
    match source {
        Source::Files { certificate, key } => read(certificate, key).map(drop),
        Source::Off | Source::SelfSigned => Ok(()),
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
}

/// The table of what belongs to the appliance itself.
const BOX: &str = "appliance";
const PLACE: Place<'_> = Place { purpose: "listener", table: BOX, key: "tls", field: "self-signed" };

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
}

/// TLS, with the certificate that is in use.
pub struct Tls {
    source: Source,
    current: Arc<Current>,
    /// How the files looked when they were last read.
    seen: Mutex<Option<[SystemTime; 2]>>,
    /// For new connections.
    pub acceptor: TlsAcceptor,
}

impl Tls {
    /// From its source; `None` for plain HTTP. `names` go on a certificate of our own.
    ///
    /// Errs with `Config` when files cannot be read or do not belong together.
    pub async fn new(source: Source, names: Vec<String>, store: &Store, seal: &Seal, clock: &Clock) -> Result<Option<Tls>, Fault> {
        let (first, seen) = match &source {
            Source::Off => return Ok(None),
            Source::SelfSigned => (own(names, store, seal, clock.wall()).await?, None),
            Source::Files { certificate, key } => (read(certificate, key)?, looks(certificate, key)),
        };
        let current = Arc::new(Current(RwLock::new(Arc::new(first))));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(Fault::bug)?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = Ticketer::new().map_err(Fault::bug)?;
        Ok(Some(Tls { source, current, seen: Mutex::new(seen), acceptor: TlsAcceptor::from(Arc::new(config)) }))
    }

    /// SHA-256 of the certificate in use: `sha256:HEX`.
    pub fn fingerprint(&self) -> String {
        let leaf = self.current.get().cert.first().map(|leaf| pin::fingerprint(leaf));
        leaf.map_or_else(String::new, |leaf| pin::format_fingerprint(&leaf))
    }

    /// Reads the files again, if there are any. Errs when they do not fit; the certificate in use stays.
    pub fn reload(&self) -> Result<bool, Fault> {
        let Source::Files { certificate, key } = &self.source else { return Ok(false) };
        *self.seen() = looks(certificate, key);
        let read = Arc::new(read(certificate, key)?);
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = read;
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
        let fault = Fault::new(Kind::Config, format!("{key}: {} cannot be read as PEM", path.display()));
        let fault = fault.hint("the user of the service needs to read it: with certbot, copy it in a deploy hook or give the group access");
        match error {
            rustls::pki_types::pem::Error::Io(error) => fault.cause(error),
            error => fault.cause(error.to_string()),
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
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(kept.key));
    let key = sign::any_supported_type(&key).map_err(Fault::bug)?;
    Ok(CertifiedKey::new(vec![CertificateDer::from(kept.certificate)], key))
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
    let floor = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default();
    chrono::DateTime::from_timestamp_millis(now.0).map_or(floor, |now| now.date_naive().max(floor))
}

fn lasts(certificate: &[u8], now: Wall) -> bool {
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else { return false };
    let until = today(now).checked_add_days(RENEW).and_then(|date| date.and_hms_opt(0, 0, 0)).map(|time| time.and_utc().timestamp());
    until.is_some_and(|until| parsed.validity().not_after.timestamp() > until)
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
