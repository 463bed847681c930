//! Whose word an update is: detached minisign signatures over the whole manifest, checked before a byte of it is parsed.
//!
//! - Two keys are built in: the daily key signs releases, the recovery key lies offline and may revoke others.
//!   `update.public_keys` adds keys of the operator's own.
//! - Keys marked `test` are known to debug builds only.
//! - Only prehashed signatures: what `minisign` has made since 0.6.
//!
//! Source: <https://jedisct1.github.io/minisign/>

use crate::update::error::UpdateError;
use data_encoding::BASE64;
use minisign_verify::{PublicKey, Signature};
use serde::Deserialize;
use std::collections::BTreeSet;

/// The longest signature file, bytes; they have some 300.
pub const SIGNATURE_MAX: usize = 4 * 1024;
/// The longest manifest, bytes.
pub const MANIFEST_MAX: usize = 64 * 1024;

/// The keys this build knows.
const BUILT_IN: &str = include_str!("../../assets/update/keys.toml");

/// One key.
#[derive(Debug, Clone)]
pub struct Key {
    /// As `minisign` shows it, 16 hexadecimal digits.
    pub id: String,
    /// May revoke others.
    pub is_recovery: bool,
    public: PublicKey,
}

/// The keys that may sign an update for this appliance.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<Key>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    key: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(rename = "use")]
    used_for: Use,
    public: String,
    #[serde(default)]
    test: bool,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Use {
    Daily,
    Recovery,
}

impl Keys {
    /// The keys of this build. A release build has none but real ones.
    pub fn built_in() -> Result<Keys, UpdateError> {
        Keys::parse(BUILT_IN, cfg!(debug_assertions))
    }

    /// Keys of a file as `assets/update/keys.toml`.
    pub fn parse(text: &str, with_test_keys: bool) -> Result<Keys, UpdateError> {
        let file: File = toml::from_str(text).map_err(|_| UpdateError::refused("the built-in keys cannot be read"))?;
        let wanted = file.key.into_iter().filter(|entry| with_test_keys || !entry.test);
        wanted.map(|entry| key(&entry.public, entry.used_for == Use::Recovery)).collect::<Result<_, _>>().map(Keys)
    }

    /// With the operator's own beside them. Those may not revoke, and the test keys, whose secrets everybody has, are none of them.
    pub fn with(mut self, further: &[String]) -> Result<Keys, UpdateError> {
        let tests = Keys::parse(BUILT_IN, true)?;
        for text in further {
            let added = key(text, false)?;
            let is_test = |key: &Key| key.id == added.id && !self.0.iter().any(|known| known.id == key.id);
            if tests.0.iter().any(is_test) {
                return Err(UpdateError::refused(format!("{} is a test key: everybody has its secret", added.id)));
            }
            if !self.0.iter().any(|known| known.id == added.id) {
                self.0.push(added);
            }
        }
        Ok(self)
    }

    /// Whether nobody can sign anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who signed these bytes.
    ///
    /// Errs when that is nobody we know, or a key that was revoked.
    pub fn verify(&self, manifest: &[u8], signature: &[u8], revoked: &BTreeSet<String>) -> Result<&Key, UpdateError> {
        if manifest.len() > MANIFEST_MAX {
            return Err(UpdateError::refused(format!("its manifest is larger than {} kB", MANIFEST_MAX / 1024)));
        }
        if signature.len() > SIGNATURE_MAX {
            return Err(UpdateError::refused("its signature file is too long"));
        }
        let unreadable = || UpdateError::refused("its signature cannot be read");
        let text = std::str::from_utf8(signature).map_err(|_| unreadable())?;
        let decoded = Signature::decode(text).map_err(|_| unreadable())?;
        let id = text.lines().nth(1).and_then(id_of).ok_or_else(unreadable)?;
        let Some(key) = self.0.iter().find(|key| key.id == id) else {
            return Err(UpdateError::refused(format!("it is signed with the key {id}, which this appliance does not know")));
        };
        if revoked.contains(&id) {
            return Err(UpdateError::refused(format!("it is signed with the key {id}, which was revoked")));
        }
        key.public.verify(manifest, &decoded, false).map_err(|_| UpdateError::refused("its signature does not hold"))?;
        Ok(key)
    }
}

fn key(text: &str, is_recovery: bool) -> Result<Key, UpdateError> {
    let text = text.trim();
    let unreadable = || UpdateError::refused(format!("{:.60} is no minisign public key", text.escape_debug().to_string()));
    let public = PublicKey::from_base64(text).map_err(|_| unreadable())?;
    Ok(Key { id: id_of(text).ok_or_else(unreadable)?, is_recovery, public })
}

/// The key id in a line of base64: two bytes of algorithm, then eight of id, little end first.
fn id_of(line: &str) -> Option<String> {
    let bytes = BASE64.decode(line.as_bytes()).ok()?;
    let id: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
    Some(format!("{:016X}", u64::from_le_bytes(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_build_knows_no_test_key() {
        let (debug, release) = (Keys::parse(BUILT_IN, true).unwrap(), Keys::parse(BUILT_IN, false).unwrap());
        assert!(debug.0.len() >= 2 && debug.0.iter().any(|key| key.is_recovery));
        let text = BUILT_IN.replace("test = true", "test = false");
        assert_eq!(Keys::parse(&text, false).unwrap().0.len(), debug.0.len());
        assert!(release.0.len() < debug.0.len(), "the test keys of this file are marked");
        let test = "RWTneAPJ/bVnrnhG+s93zoLo/HYAcNibSOM13GtAvEZgXymRTlENpywI".to_owned();
        assert!(release.with(std::slice::from_ref(&test)).is_err(), "nor takes one that somebody configures");
        assert!(debug.with(&[test]).is_ok());
    }

    #[test]
    fn ids_are_what_minisign_shows() {
        let key = key("RWTneAPJ/bVnrnhG+s93zoLo/HYAcNibSOM13GtAvEZgXymRTlENpywI", false).unwrap();
        assert_eq!(key.id, "AE67B5FDC90378E7");
        assert!(Keys::default().with(&["RWT".into()]).is_err());
    }
}
