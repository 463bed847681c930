//! Sealing: secrets at rest under AES-256-GCM.
//!
//! Each purpose has its own key, derived from the master key by HKDF-SHA-256. A sealed value is bound to its place
//! (table, key, field): moved elsewhere it does not open. Layout: format `1`, key id (4 bytes, tells a wrong master
//! key from damage), nonce (12 random bytes), ciphertext and tag.
//!
//! Source: NIST SP 800-38D; RFC 5869.

use crate::base::ids::{hex, random};
use crate::base::secret::Secret;
use crate::store::engine::{Batch, Durability};
use crate::store::error::StoreError;
use crate::store::{Store, sync_parent};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Mutex, MutexGuard};
use zeroize::Zeroizing;

/// The first byte of everything sealed.
const FORMAT: u8 = 1;
const ID: usize = 4;
const NONCE: usize = 12;
const SALT: &[u8] = b"routeros-mcp seal v1";

/// Where a sealed value lives, and what for.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Which derived key, e.g. `device credential`.
    pub purpose: &'static str,
    /// The table.
    pub table: &'a str,
    /// The row.
    pub key: &'a str,
    /// The field in the row.
    pub field: &'a str,
}

impl Place<'_> {
    /// Each part with its length, so that no two places give the same bytes.
    fn associated(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.table, self.key, self.field] {
            bytes.extend((part.len() as u32).to_le_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }
}

/// Seals under one master key, and opens what that one sealed or, while it is being changed, the one before. Clones share
/// their keys: a change reaches all of them.
#[derive(Clone)]
pub struct Seal(Arc<Inner>);

struct Inner {
    keys: RwLock<Keys>,
    /// One change of the key at a time: two would forget each other's.
    changing: Mutex<()>,
}

struct Keys {
    current: Master,
    before: Option<Master>,
}

#[derive(Clone)]
struct Master {
    key: Zeroizing<[u8; 32]>,
    id: [u8; ID],
}

impl Master {
    fn new(key: &[u8; 32]) -> Master {
        let id = derive(key, b"key id");
        Master { key: Zeroizing::new(*key), id: [id[0], id[1], id[2], id[3]] }
    }

    fn cipher(&self, purpose: &'static str) -> Aes256Gcm {
        let key = derive(&self.key, format!("purpose: {purpose}").as_bytes());
        Aes256Gcm::new(&(*key).into())
    }
}

impl Seal {
    /// Under this master key.
    pub fn new(master: &[u8; 32]) -> Seal {
        Seal(Arc::new(Inner { keys: RwLock::new(Keys { current: Master::new(master), before: None }), changing: Mutex::new(()) }))
    }

    /// Which master key this is, as 8 hexadecimal digits; says nothing about the key itself.
    pub fn key_id(&self) -> String {
        hex(&self.current().id)
    }

    /// From now on seals under this key; what the one before sealed still opens.
    pub(super) fn change(&self, master: &[u8; 32]) {
        let mut keys = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut keys.current, Master::new(master));
        if before.id != keys.current.id {
            keys.before = Some(before);
        }
    }

    /// The turn to change the key; nothing while somebody else has it.
    pub(super) fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        self.0.changing.try_lock().ok()
    }

    /// Whether some values may still be sealed under another key than the current one.
    pub fn is_changing(&self) -> bool {
        self.mark_before().is_some()
    }

    /// Nothing that the key before sealed is left.
    pub(super) fn forget_before(&self) {
        self.0.keys.write().unwrap_or_else(PoisonError::into_inner).before = None;
    }

    /// What begins every value that the key before sealed; nothing when there is none.
    pub(super) fn mark_before(&self) -> Option<[u8; MARK]> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).before.as_ref().map(|before| mark(before.id))
    }

    fn current(&self) -> Master {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).current.clone()
    }

    fn of(&self, id: [u8; ID]) -> Option<Master> {
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        [Some(&keys.current), keys.before.as_ref()].into_iter().flatten().find(|master| master.id == id).cloned()
    }

    /// The master key as a key file has it.
    pub fn written(&self) -> Zeroizing<String> {
        write_out(&self.current().key)
    }

    /// Encrypts for one place. A fresh nonce each time: equal secrets look different.
    pub fn seal(&self, at: Place<'_>, plain: &[u8]) -> Vec<u8> {
        let (nonce, master) = (random::<NONCE>(), self.current());
        let aad = at.associated();
        let payload = Payload { msg: plain, aad: &aad };
        let sealed = master.cipher(at.purpose).encrypt(&Nonce::from(nonce), payload);
        let sealed = sealed.expect("AES-GCM refuses only texts over 64 GiB");
        [&mark(master.id)[..], &nonce, &sealed].concat()
    }

    /// Decrypts. Errs with `WrongKey` when another master key sealed it, `Damaged` when the bytes or the place differ.
    pub fn open(&self, at: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let damaged = || StoreError::damaged(format!("table {}, field {}: a sealed value does not open", at.table, at.field));
        let ([FORMAT], rest) = sealed.split_first_chunk::<1>().ok_or_else(damaged)? else { return Err(damaged()) };
        let (id, rest) = rest.split_first_chunk::<ID>().ok_or_else(damaged)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
        let master = self.of(*id).ok_or(StoreError::WrongKey)?;
        let aad = at.associated();
        let plain = master.cipher(at.purpose).decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &aad });
        plain.map(Zeroizing::new).map_err(|_| damaged())
    }

    /// Decrypts what was a text. Errs as `open`, and with `Damaged` when it is none.
    pub fn open_text(&self, at: Place<'_>, sealed: &[u8]) -> Result<Secret, StoreError> {
        let plain = self.open(at, sealed)?;
        let text =
            std::str::from_utf8(&plain).map_err(|_| StoreError::damaged(format!("table {}: a sealed value is not text", at.table)))?;
        Ok(Secret::new(text))
    }

    /// A key of its own for another use than sealing, told apart by `use_of`.
    pub fn derived(&self, use_of: &'static str) -> Zeroizing<[u8; 32]> {
        derive(&self.current().key, format!("key for: {use_of}").as_bytes())
    }
}

fn mark(id: [u8; ID]) -> [u8; MARK] {
    let mut mark = [FORMAT; MARK];
    mark[1..].copy_from_slice(&id);
    mark
}

/// Bytes that begin every value of one master key: format and key id.
pub(super) const MARK: usize = 1 + ID;
/// Bytes around a sealed text: mark, nonce, tag.
pub(super) const AROUND: usize = MARK + NONCE + 16;

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seal(key {})", self.key_id())
    }
}

fn derive(master: &[u8; 32], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let salt = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, SALT);
    let info = [info];
    let prk = salt.extract(master);
    let filled = prk.expand(&info, ring::hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut key[..]));
    filled.expect("32 bytes are within HKDF-SHA-256's reach");
    key
}

/// Reads a master key as it is written in files and settings: 32 bytes in base64.
pub fn parse_master(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(data_encoding::BASE64.decode(text.trim().as_bytes()).ok()?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

fn write_out(master: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(data_encoding::BASE64.encode(master) + "\n")
}

/// Longest key file read: 44 characters, and some room for line ends.
const KEY_FILE_BYTES: u64 = 256;

/// Reads the key file, or makes one with a random key (mode 0600, whole or not at all, on the disk when this returns).
///
/// Errs with `KeyFile` when the file does not hold a key or others may read it.
pub fn load_or_create_master(path: &Path) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    match File::open(path) {
        Ok(file) => load(path, file),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            create(path).map_err(|e| StoreError::io("making the master key", e))?;
            load(path, File::open(path).map_err(|e| StoreError::io("reading the master key", e))?)
        }
        Err(e) => Err(StoreError::io("reading the master key", e)),
    }
}

fn load(path: &Path, file: File) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let wrong = |why| StoreError::KeyFile { path: path.to_owned(), why };
    let mode = file.metadata().map_err(|e| StoreError::io("reading the master key", e))?.mode();
    if mode & 0o077 != 0 {
        return Err(wrong("others may read it"));
    }
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES as usize));
    match file.take(KEY_FILE_BYTES).read_to_string(&mut text) {
        Ok(_) => parse_master(&text).ok_or_else(|| wrong("does not hold 32 bytes in base64")),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => Err(wrong("does not hold 32 bytes in base64")),
        Err(e) => Err(StoreError::io("reading the master key", e)),
    }
}

fn create(path: &Path) -> io::Result<()> {
    write_master(path, &Zeroizing::new(random::<32>()))
}

/// Writes a key file that is not there yet.
pub(super) fn write_master(path: &Path, master: &[u8; 32]) -> io::Result<()> {
    let text = write_out(master);
    let part = path.with_extension(format!("{}.part", hex(&random::<6>())));
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    // Not over a key that somebody else has put there meanwhile: it is the one that counts.
    let placed = written.and_then(|()| match std::fs::hard_link(&part, path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // File systems without hard links (FAT).
        Err(_) => std::fs::rename(&part, path),
        linked => linked,
    });
    let _ = std::fs::remove_file(&part);
    placed.and_then(|()| sync_parent(path))
}

const CANARY: &str = "canary";
pub(super) const CANARY_PLACE: Place<'static> = Place { purpose: "canary", table: "meta", key: CANARY, field: "" };

/// Whether a store has been sealed before: then its key must be found, and a new one would open nothing.
pub fn is_sealed(store: &Store) -> Result<bool, StoreError> {
    Ok(store.get(CANARY_PLACE.table, CANARY)?.is_some())
}

/// Checks at start that this key belongs to this store: opens the canary, or seals one in a store without.
///
/// Errs with `WrongKey`.
pub async fn check_canary(store: &Store, seal: &Seal) -> Result<(), StoreError> {
    match store.get(CANARY_PLACE.table, CANARY)? {
        Some(sealed) => seal.open(CANARY_PLACE, &sealed).map(drop).map_err(|_| StoreError::WrongKey),
        None => {
            let sealed = seal.seal(CANARY_PLACE, b"canary");
            store.commit(Batch::new().expect("meta", CANARY, None).put("meta", CANARY, sealed), Durability::Now).await
        }
    }
}
