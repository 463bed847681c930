//! What a backup says about itself.

use crate::backup::error::BackupError;
use crate::backup::{CONFIG, MASTER_KEY, STORE};
use crate::base::clock::Wall;
use crate::base::ids::hex;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// The shape of a backup that this build writes, and the newest it reads.
pub const FORMAT: u32 = 1;
/// A manifest is at most so long, bytes.
pub(super) const MANIFEST_MAX: u64 = 256 << 10;
/// Ours, and nobody else's.
const PRODUCT: &str = "routeros-mcp";

/// The first entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// `routeros-mcp`.
    pub product: String,
    /// The build that made it.
    pub version: String,
    /// When, RFC 3339 by the box's clock.
    pub made_at: String,
    /// The appliance's environment.
    pub environment: String,
    /// The store's schema.
    pub store_schema: u32,
    /// Which master key seals the secrets, 8 hexadecimal digits.
    pub key_id: String,
    /// Rows of each table.
    pub tables: BTreeMap<String, u64>,
    /// How far the audit trail had come.
    pub audit: AuditHead,
    /// Settings that are secrets and stand nowhere in here.
    pub left_out: Vec<String>,
    /// Every other entry, in their order.
    pub parts: Vec<Part>,
}

/// The last record of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuditHead {
    /// Its sequence number.
    pub seq: u64,
    /// Its hash, in hexadecimal.
    pub hash: String,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name in the tar file.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// With what is known before anything is read.
    pub(super) fn new(made_at: Wall, environment: &str, key_id: String) -> Manifest {
        Manifest {
            format: FORMAT,
            product: PRODUCT.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            made_at: made_at.rfc3339(),
            environment: environment.into(),
            store_schema: crate::store::SCHEMA,
            key_id,
            tables: BTreeMap::new(),
            audit: AuditHead::default(),
            left_out: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// From its JSON. Errs with `Damaged`, or `Newer` when this build does not read what it describes.
    pub(super) fn read(bytes: &[u8]) -> Result<Manifest, BackupError> {
        #[derive(Deserialize)]
        struct First {
            format: u32,
            product: String,
            version: String,
        }
        let damaged = |error: serde_json::Error| BackupError::damaged(format!("its manifest cannot be read: {error}"));
        let first: First = serde_json::from_slice(bytes).map_err(damaged)?;
        if first.product != PRODUCT {
            return Err(BackupError::damaged("it is of another program"));
        }
        if first.format > FORMAT {
            return Err(BackupError::Newer { by: first.version });
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(damaged)?;
        if manifest.store_schema > crate::store::SCHEMA {
            return Err(BackupError::Newer { by: manifest.version });
        }
        let names: Vec<&str> = manifest.parts.iter().map(|part| part.name.as_str()).collect();
        if names != [STORE, CONFIG] && names != [STORE, CONFIG, MASTER_KEY] {
            return Err(BackupError::damaged("its manifest names other entries than a backup has"));
        }
        Ok(manifest)
    }

    /// Whether the master key is in it.
    pub fn has_master_key(&self) -> bool {
        self.parts.iter().any(|part| part.name == MASTER_KEY)
    }
}

/// Counts and hashes what passes.
pub(super) struct Hashing<T> {
    inner: T,
    context: Context,
    bytes: u64,
}

impl<T> Hashing<T> {
    pub(super) fn new(inner: T) -> Self {
        Hashing { inner, context: Context::new(&SHA256), bytes: 0 }
    }

    /// What passed, as an entry of that name.
    pub(super) fn part(self, name: &str) -> Part {
        Part { name: name.into(), bytes: self.bytes, sha256: hex(self.context.finish().as_ref()) }
    }

    fn saw(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.saw(out.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.saw(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
