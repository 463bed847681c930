//! The signed head of an export: the box vouches with its ed25519 key for how far the trail reached and what was exported.
//!
//! Signed text: `routeros-mcp audit head v1\nSEQ\nHASH\nRECORDS\nDIGEST\n`, numbers in decimal, hashes in hexadecimal.

use crate::audit::chain::Head;
use crate::audit::error::AuditError;
use crate::base::ids::hex;
use crate::store::{Batch, Durability, Field, Name, Place, Seal, Store, StoreError};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The table of what belongs to the appliance itself.
const BOX: &str = "appliance";

/// What of it is sealed here.
pub const SEALED: Field =
    Field { purpose: "audit", table: BOX, field: Name::Is("pkcs8"), about: "keys of this appliance itself", row_stays: false };

/// A new ed25519 key in PKCS#8 (DER). Keep it sealed.
pub fn generate_key() -> Zeroizing<Vec<u8>> {
    let key = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new());
    Zeroizing::new(key.expect("the operating system gives random bytes").as_ref().to_vec())
}

/// The box's own key, sealed in the store; made when first needed.
pub async fn box_key(store: &Store, seal: &Seal) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let place = Place { purpose: "audit", table: BOX, key: "audit", field: "pkcs8" };
    if let Some(sealed) = store.get(BOX, "audit")? {
        return seal.open(place, &sealed);
    }
    let key = generate_key();
    store.commit(Batch::new().expect(BOX, "audit", None).put(BOX, "audit", seal.seal(place, &key)), Durability::Now).await?;
    Ok(key)
}

/// The word for our only algorithm.
pub(crate) const ED25519_WORD: &str = "ed25519";

/// Signs a text; answers public key and signature in hexadecimal.
pub(crate) fn sign(key: &[u8], text: &str) -> Result<(String, String), AuditError> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key).map_err(|_| AuditError::Key)?;
    Ok((hex(pair.public_key().as_ref()), hex(pair.sign(text.as_bytes()).as_ref())))
}

/// Whether a text was signed with a key; all in hexadecimal.
pub(crate) fn is_by(public_key: &str, text: &str, signature: &str) -> bool {
    let bytes = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap_or_default();
    UnparsedPublicKey::new(&ED25519, bytes(public_key)).verify(text.as_bytes(), &bytes(signature)).is_ok()
}

/// What an export ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// The last record of the trail.
    pub seq: u64,
    /// Its hash, in hexadecimal.
    pub hash: String,
    /// How many records were exported.
    pub records: u64,
    /// SHA-256 of the exported records as they stand in the export: each with its line end.
    pub digest: String,
    /// `ed25519`, or empty when no key was given.
    pub algorithm: String,
    /// The public key in hexadecimal.
    pub public_key: String,
    /// The signature in hexadecimal.
    pub signature: String,
}

impl SignedHead {
    pub(crate) fn new(head: Head, records: u64, digest: &[u8], key: Option<&[u8]>) -> Result<Self, AuditError> {
        let mut signed = SignedHead {
            seq: head.seq,
            hash: hex(&head.hash),
            records,
            digest: hex(digest),
            algorithm: String::new(),
            public_key: String::new(),
            signature: String::new(),
        };
        if let Some(key) = key {
            signed.algorithm = ED25519_WORD.into();
            (signed.public_key, signed.signature) = sign(key, &signed.text())?;
        }
        Ok(signed)
    }

    /// Whether the signature is by the key it names. Whose key that is, the caller must know.
    pub fn is_signed(&self) -> bool {
        is_by(&self.public_key, &self.text(), &self.signature)
    }

    fn text(&self) -> String {
        format!("routeros-mcp audit head v1\n{}\n{}\n{}\n{}\n", self.seq, self.hash, self.records, self.digest)
    }
}
