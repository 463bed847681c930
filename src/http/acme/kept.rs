//! What ACME keeps in the store: an account key for each authority, and the last good certificate. Keys are sealed.

use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::http::acme::Settings;
use crate::store::{Durability, Field, Name, Place, Record, Seal, Store, StoreError, Table};
use rustls::crypto::ring::{default_provider, sign};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use zeroize::Zeroizing;

/// The only certificate.
const KEY: &str = "listener";
const CERTIFICATE: Place<'static> = Place { purpose: "acme", table: Certificate::TABLE, key: KEY, field: "key" };

/// What of both is sealed.
pub const SEALED: [Field; 2] = [sealed(Certificate::TABLE, "the certificate's key"), sealed(Account::TABLE, "the account's key")];

const fn sealed(table: &'static str, about: &'static str) -> Field {
    Field { purpose: "acme", table, field: Name::Is("key"), about, row_stays: false }
}

/// An account with one authority, under its directory's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Account {
    /// PKCS #8, sealed.
    key: Vec<u8>,
    made_at: Wall,
}

impl Record for Account {
    const TABLE: &'static str = "acme_account";
    const VERSION: u8 = 1;
}

/// The last good certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Who gave it.
    pub directory: String,
    /// What was asked for.
    pub domains: Vec<String>,
    /// DER, ours first.
    pub chain: Vec<Vec<u8>>,
    /// PKCS #8, sealed.
    key: Vec<u8>,
    /// When we got it, by our clock.
    pub got_at: Wall,
}

impl Record for Certificate {
    const TABLE: &'static str = "acme_certificate";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Account, Certificate);

/// The part of a lifetime that is left when a new certificate is asked for: a third, as authorities suggest.
const LEFT: u32 = 3;
/// The part of a lifetime that passes at least between two orders, whatever the clocks say.
const APART: u32 = 10;

impl Certificate {
    /// One that is in use and could not be stored; its key is not here.
    pub fn unkept(settings: &Settings, chain: &[CertificateDer<'_>], got_at: Wall) -> Certificate {
        let chain = chain.iter().map(|der| der.to_vec()).collect();
        Certificate { directory: settings.directory.clone(), domains: settings.domains.clone(), chain, key: Vec::new(), got_at }
    }

    /// When to ask for the next one. `None`: at once, for this one is for other names, from another authority, or not to be read.
    pub fn due(&self, settings: &Settings, now: Wall) -> Option<Wall> {
        if self.directory != settings.directory || self.domains != settings.domains {
            return None;
        }
        let (from, until) = validity(self.chain.first()?)?;
        let life = Duration::from_millis(u64::try_from(until.0 - from.0).ok()?);
        let by_its_end = until.0 - (life / LEFT).as_millis() as i64;
        // A clock that is far ahead sees every certificate ended. One that was, and was set right since, has no say.
        let by_the_last = if self.got_at <= now { self.got_at.0 + (life / APART).as_millis() as i64 } else { i64::MIN };
        Some(Wall(by_its_end.max(by_the_last)))
    }
}

/// From when until when a certificate is good.
pub fn validity(certificate: &[u8]) -> Option<(Wall, Wall)> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let validity = parsed.validity();
    Some((Wall(validity.not_before.timestamp() * 1_000), Wall(validity.not_after.timestamp() * 1_000)))
}

/// A chain and its key as rustls takes them. Errs when they do not belong together.
pub fn certified(chain: Vec<CertificateDer<'static>>, key: &[u8]) -> Result<CertifiedKey, rustls::Error> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
    CertifiedKey::from_der(chain, key, &default_provider())
}

/// The shelf of both.
pub struct Shelf {
    accounts: Table<Account>,
    certificates: Table<Certificate>,
    seal: Seal,
}

impl Shelf {
    /// In this store.
    pub fn new(store: Store, seal: Seal) -> Self {
        Shelf { accounts: Table::new(store.clone()), certificates: Table::new(store), seal }
    }

    /// The last good certificate and its key. What cannot be read is as good as gone: an authority gives another one.
    pub fn certificate(&self) -> Option<(Certificate, CertifiedKey)> {
        let read = || -> Result<Option<(Certificate, CertifiedKey)>, Fault> {
            let Some(kept) = self.certificates.get(KEY)? else { return Ok(None) };
            let key = self.seal.open(CERTIFICATE, &kept.key)?;
            let chain = kept.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
            let certified = certified(chain, &key).map_err(Fault::bug)?;
            Ok(Some((kept, certified)))
        };
        read().unwrap_or_else(|fault| {
            tracing::error!("the kept certificate cannot be used: {}", fault.chain());
            None
        })
    }

    /// Keeps a new certificate; its key is on the disk when this returns.
    pub async fn keep(&self, settings: &Settings, chain: &[CertificateDer<'_>], key: &[u8], now: Wall) -> Result<Certificate, StoreError> {
        let kept = Certificate { key: self.seal.seal(CERTIFICATE, key), ..Certificate::unkept(settings, chain, now) };
        self.certificates.put(KEY, &kept, Durability::Now).await?;
        Ok(kept)
    }

    /// The key of our account with an authority; made and kept when first needed.
    pub async fn account(&self, directory: &str, now: Wall) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let place = Place { purpose: "acme", table: Account::TABLE, key: directory, field: "key" };
        match self.accounts.get(directory).and_then(|kept| kept.map(|kept| self.seal.open(place, &kept.key)).transpose()) {
            Ok(Some(key)) if sign::any_ecdsa_type(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_slice()))).is_ok() => {
                return Ok(key);
            }
            Ok(None) => {}
            Ok(Some(_)) => tracing::warn!("the kept ACME account is no key; a new one is made"),
            Err(error) => tracing::warn!(%error, "the kept ACME account cannot be read; a new one is made"),
        }
        let key = Zeroizing::new(rustls_acme::acme::Account::generate_key_pair());
        let account = Account { key: self.seal.seal(place, &key), made_at: now };
        self.accounts.put(directory, &account, Durability::Now).await?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::acme::Proof;
    use crate::store::Options;

    const DAY: i64 = 86_400_000;
    const MAY_2026: Wall = Wall(1_780_000_000_000);

    fn settings(domain: &str) -> Settings {
        Settings {
            domains: vec![domain.into()],
            contact: None,
            directory: "https://ca.example/dir".into(),
            proof: Proof::TlsAlpn01,
            ca_file: None,
            http_port: 80,
        }
    }

    fn ninety_days() -> (Vec<CertificateDer<'static>>, Vec<u8>) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["a.example".into()]).unwrap();
        let day = |n: i64| (std::time::UNIX_EPOCH + Duration::from_millis((MAY_2026.0 + n * DAY) as u64)).into();
        (params.not_before, params.not_after) = (day(0), day(90));
        (vec![params.self_signed(&key).unwrap().der().clone()], key.serialize_der())
    }

    #[tokio::test]
    async fn keys_lie_sealed_and_are_the_same_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
        let shelf = Shelf::new(store.clone(), Seal::new(&[7; 32]));
        let account = shelf.account("https://ca.example/dir", Wall(0)).await.unwrap();
        let (chain, key) = ninety_days();
        shelf.keep(&settings("a.example"), &chain, &key, MAY_2026).await.unwrap();
        let again = Shelf::new(store.clone(), Seal::new(&[7; 32]));
        assert_eq!(again.account("https://ca.example/dir", Wall(9)).await.unwrap(), account);
        assert_ne!(again.account("https://other.example/dir", Wall(9)).await.unwrap(), account);
        assert_eq!(again.certificate().unwrap().1.cert, chain);
        drop((shelf, again));
        store.close().await.unwrap();
        let bytes = std::fs::read(dir.path().join("s.redb")).unwrap();
        // The scalar; behind it stands the public key, which the certificate shows anyway.
        for secret in [&key[36..68], &account[36..68]] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "a key is in the clear");
        }
    }

    #[tokio::test]
    async fn a_new_one_is_due_after_two_thirds_and_for_other_names_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
        let shelf = Shelf::new(store, Seal::new(&[7; 32]));
        let (chain, key) = ninety_days();
        let kept = shelf.keep(&settings("a.example"), &chain, &key, MAY_2026).await.unwrap();
        let days = |at: Option<Wall>| at.map(|at| (at.0 - MAY_2026.0) / DAY);
        assert_eq!(days(kept.due(&settings("a.example"), MAY_2026)), Some(60));
        assert_eq!(kept.due(&settings("b.example"), MAY_2026), None);
        assert_eq!(kept.due(&Settings { directory: "https://other.example/".into(), ..settings("a.example") }, MAY_2026), None);
        // A clock that is a year ahead: nine days between two orders, not none.
        let ahead = Wall(MAY_2026.0 + 365 * DAY);
        let kept = shelf.keep(&settings("a.example"), &chain, &key, ahead).await.unwrap();
        assert_eq!(days(kept.due(&settings("a.example"), ahead)), Some(365 + 9));
        assert_eq!(days(kept.due(&settings("a.example"), Wall(MAY_2026.0 + DAY))), Some(60), "and set right since");
    }
}
