//! The vault: secrets that changes put into routers, and those made for them.
//!
//! - An *entry* was given by an operator under a name and is bound to menus and devices. The binding is sealed in with the
//!   value: a record rebound by other means than [`Vault::set`] does not open.
//! - A *made* secret belongs to one change. Asked for twice under the same key it is the same one, so that a change taken up
//!   after a crash writes what it wrote before. When the change is settled it can be looked at once, and is gone then.
//! - Nothing is kept on a RAM disk, whose master key lies beside it.

mod error;

pub use error::VaultError;

use crate::base::clock::{Clock, Wall};
use crate::base::ids::random;
use crate::base::secret::Secret;
use crate::base::selector::{Selector, Traits};
use crate::store::Store;
use crate::store::engine::Durability;
use crate::store::error::StoreError;
use crate::store::record::{Record, decode};
use crate::store::reseal::{Field, Name};
use crate::store::seal::{Place, Seal};
use crate::store::table::Table;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The longest secret, bytes: a private key of RSA with 8,192 bits takes 6,400.
pub const VALUE_MAX: usize = 16_384;
/// The longest name, bytes.
const NAME_MAX: usize = 63;
/// Menus and selectors one entry may be bound to.
const BOUND_MAX: usize = 32;

/// What made secrets consist of: nothing that is mistaken for another when somebody types it off a screen (`0O1lIo`), and
/// nothing that needs quotes anywhere.
const ALPHABET: &[u8; 56] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// How many characters: 139 bits, and short enough for any attribute of RouterOS.
const MADE_CHARS: usize = 24;

/// Where an entry may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// RouterOS menus, `/interface/wifi/security`; those below them count.
    pub menus: Vec<String>,
    /// Devices; `Selector::All` is spelled out.
    pub devices: Vec<Selector>,
}

/// An entry as it stands in the store, under its folded name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// As it was given; found in any case.
    pub name: String,
    /// Where it may be used.
    pub binding: Binding,
    value: Vec<u8>,
    /// When it was set.
    pub set_at: Wall,
    /// By whom, for people.
    pub set_by: String,
}

impl Record for Entry {
    const TABLE: &'static str = "vault";
    const VERSION: u8 = 1;
}

/// What a made secret is for, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The device's name.
    pub device: String,
    /// The menu.
    pub menu: String,
    /// The attribute.
    pub attribute: String,
}

/// A made secret as it stands in the store, under its change's key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// What it is for.
    pub about: Use,
    /// Gone once somebody has seen it.
    value: Option<Vec<u8>>,
    /// When it was made.
    pub made_at: Wall,
    /// The change is settled: somebody may look.
    pub offered: bool,
    /// When somebody did, and who.
    pub seen: Option<(Wall, String)>,
}

impl Record for Made {
    const TABLE: &'static str = "made_secret";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Entry, Made);

/// The vault, over the store; clones share it.
#[derive(Clone)]
pub struct Vault {
    store: Store,
    seal: Seal,
    clock: Clock,
}

impl Vault {
    /// Over a store, with what seals its values.
    pub fn new(store: Store, seal: Seal, clock: Clock) -> Self {
        Vault { store, seal, clock }
    }

    /// Sets an entry, instead of one of that name if there is one. Menus are in REST spelling.
    pub async fn set(&self, name: &str, value: &Secret, binding: Binding, by: &str) -> Result<Entry, VaultError> {
        if self.store.is_volatile() {
            return Err(VaultError::Volatile);
        }
        check(name, value, &binding)?;
        let key = folded(name);
        let sealed = self.seal.seal(entry_place(&key, &binding.field()), value.expose().as_bytes());
        let entry = Entry { name: name.into(), binding, value: sealed, set_at: self.clock.wall(), set_by: by.into() };
        self.entries().put(&key, &entry, Durability::Now).await?;
        Ok(entry)
    }

    /// All entries, by name.
    pub fn list(&self) -> Result<Vec<Entry>, VaultError> {
        Ok(self.entries().all()?.into_iter().map(|(_, entry)| entry).collect())
    }

    /// Forgets an entry. Routers that have the value keep it.
    pub async fn remove(&self, name: &str) -> Result<Entry, VaultError> {
        let entry = self.entry(name)?;
        self.entries().delete(&folded(name)).await?;
        Ok(entry)
    }

    /// Whether the entry may be used there, without looking at it: for drafts.
    pub fn check(&self, name: &str, menu: &str, device: &Traits<'_>) -> Result<(), VaultError> {
        self.entry(name)?.allows(menu, device)
    }

    /// The secret, if the entry is for this menu and this device.
    pub fn take(&self, name: &str, menu: &str, device: &Traits<'_>) -> Result<Secret, VaultError> {
        let entry = self.entry(name)?;
        entry.allows(menu, device)?;
        self.open(entry_place(&folded(name), &entry.binding.field()), &entry.value)
    }

    /// The secret made under a change's key; made now if it was not yet. Errs with `Seen` when it is gone.
    pub async fn make(&self, key: &str, about: Use) -> Result<Secret, VaultError> {
        if self.store.is_volatile() {
            return Err(VaultError::Volatile);
        }
        if let Some(made) = self.made().get(key)? {
            return self.opened(key, &made);
        }
        let secret = made_for(&about.attribute);
        let value = Some(self.seal.seal(made_place(key), secret.expose().as_bytes()));
        let made = Made { about, value, made_at: self.clock.wall(), offered: false, seen: None };
        let batch = self.made().expect_into(self.made().put_batch(&made, key), key, None);
        match self.store.commit(batch, Durability::Now).await {
            Ok(()) => Ok(secret),
            // Somebody was quicker: theirs is the one.
            Err(StoreError::Expectation { .. }) => {
                let made = self.made().get(key)?.ok_or(VaultError::NotMade)?;
                self.opened(key, &made)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The change is settled and the router has the secret: somebody may look at it, once.
    pub async fn offer(&self, key: &str) -> Result<(), VaultError> {
        let made = self.made().get(key)?.ok_or(VaultError::NotMade)?;
        self.replace(key, &made, Made { offered: true, ..made.clone() }).await
    }

    /// The change was undone: nobody needs the secret.
    pub async fn discard(&self, key: &str) -> Result<(), VaultError> {
        Ok(self.made().delete(key).await?)
    }

    /// Made secrets of a change, whose keys begin so, seen ones too; never the values.
    pub fn made_of(&self, change: &str) -> Result<Vec<(String, Made)>, VaultError> {
        Ok(self.made().all()?.into_iter().filter(|(key, _)| key.starts_with(change)).collect())
    }

    /// Shows an offered secret, the first time and never again: it is out of the store before anybody sees it.
    pub async fn reveal(&self, key: &str, to: &str) -> Result<(Use, Secret), VaultError> {
        let (made, secret) = self.offered(key)?;
        let seen = Some((self.clock.wall(), to.to_owned()));
        // Of two who look at once, one is refused here.
        self.replace(key, &made, Made { value: None, seen, ..made.clone() }).await?;
        Ok((made.about, secret))
    }

    /// Whether somebody may look at a made secret now; the error says why not.
    pub fn may_reveal(&self, key: &str) -> Result<(), VaultError> {
        self.offered(key).map(drop)
    }

    fn offered(&self, key: &str) -> Result<(Made, Secret), VaultError> {
        let made = self.made().get(key)?.ok_or(VaultError::NotMade)?;
        let secret = self.opened(key, &made)?;
        if made.offered { Ok((made, secret)) } else { Err(VaultError::NotOffered) }
    }

    async fn replace(&self, key: &str, old: &Made, new: Made) -> Result<(), VaultError> {
        let batch = self.made().expect_into(self.made().put_batch(&new, key), key, Some(old));
        Ok(self.store.commit(batch, Durability::Now).await?)
    }

    fn entry(&self, name: &str) -> Result<Entry, VaultError> {
        let unknown = || VaultError::Unknown { name: name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect() };
        if !is_name(name) {
            return Err(unknown());
        }
        self.entries().get(&folded(name))?.ok_or_else(unknown)
    }

    fn opened(&self, key: &str, made: &Made) -> Result<Secret, VaultError> {
        match (&made.value, &made.seen) {
            (Some(value), _) => self.open(made_place(key), value),
            (None, Some((at, to))) => Err(VaultError::Seen { to: to.clone(), at: *at }),
            (None, None) => Err(StoreError::damaged("a made secret is neither there nor seen").into()),
        }
    }

    fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Secret, VaultError> {
        Ok(self.seal.open_text(place, sealed)?)
    }

    fn entries(&self) -> Table<Entry> {
        Table::new(self.store.clone())
    }

    fn made(&self) -> Table<Made> {
        Table::new(self.store.clone())
    }
}

impl Entry {
    fn allows(&self, menu: &str, device: &Traits<'_>) -> Result<(), VaultError> {
        let below = |bound: &String| menu == bound || menu.strip_prefix(bound.as_str()).is_some_and(|rest| rest.starts_with('/'));
        if !self.binding.menus.iter().any(below) {
            return Err(VaultError::Menu { name: self.name.clone(), menu: menu.into() });
        }
        if !self.binding.devices.iter().any(|selector| selector.matches(device)) {
            return Err(VaultError::Device { name: self.name.clone(), device: device.name.into() });
        }
        Ok(())
    }
}

impl Binding {
    /// What the value is sealed to; no menu or selector holds a line end.
    fn field(&self) -> String {
        let devices = self.devices.iter().map(Selector::to_string);
        self.menus.iter().cloned().chain(["".into()]).chain(devices).collect::<Vec<_>>().join("\n")
    }
}

fn entry_place<'a>(key: &'a str, field: &'a str) -> Place<'a> {
    Place { purpose: "vault", table: Entry::TABLE, key, field }
}

fn made_place(key: &str) -> Place<'_> {
    Place { purpose: "made secret", table: Made::TABLE, key, field: "value" }
}

/// An entry opens only under what it is bound to.
fn bound(row: &[u8]) -> Option<String> {
    decode::<Entry>(row).ok().map(|entry| entry.binding.field())
}

/// What the vault seals.
pub const SEALED: [Field; 2] = [
    Field { purpose: "vault", table: Entry::TABLE, field: Name::In(bound), about: "secrets in the vault", row_stays: false },
    Field { purpose: "made secret", table: Made::TABLE, field: Name::Is("value"), about: "secrets made for changes", row_stays: false },
];

fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn check(name: &str, value: &Secret, binding: &Binding) -> Result<(), VaultError> {
    let rule = |said: String| Err(VaultError::Rule(said));
    if !is_name(name) {
        return rule("the name of a secret has 1 to 63 letters, digits, dots, dashes and underscores".into());
    }
    if value.is_empty() {
        return rule(format!("secret \"{name}\" is empty"));
    }
    if value.expose().len() > VALUE_MAX {
        return rule(format!("secret \"{name}\" is longer than {VALUE_MAX} bytes"));
    }
    if binding.menus.is_empty() || binding.devices.is_empty() {
        return rule(format!("secret \"{name}\" is bound to no menu or no device, so that nothing could use it"));
    }
    if binding.menus.len() > BOUND_MAX || binding.devices.len() > BOUND_MAX {
        return rule(format!("secret \"{name}\" is bound to more than {BOUND_MAX} menus or selectors"));
    }
    let texts = binding.menus.iter().cloned().chain(binding.devices.iter().map(Selector::to_string));
    if texts.into_iter().any(|text| text.chars().any(char::is_control)) {
        return rule("menus and selectors hold no control characters".into());
    }
    Ok(())
}

/// What an attribute takes: keys of WireGuard are 32 bytes in base64, everything else is a word.
fn made_for(attribute: &str) -> Secret {
    match attribute {
        "private-key" | "preshared-key" => Secret::new(Zeroizing::new(BASE64.encode(&*Zeroizing::new(random::<32>()))).as_str()),
        _ => generate(),
    }
}

/// A random secret: 24 letters and digits that nobody mistakes for others.
pub fn generate() -> Secret {
    let mut text = Zeroizing::new(String::with_capacity(MADE_CHARS));
    while text.len() < MADE_CHARS {
        let bytes = Zeroizing::new(random::<64>());
        // Six bits each; those past the alphabet's end are thrown away, or some letters would come more often.
        let letters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 0x3f)));
        let wanted = MADE_CHARS - text.len();
        text.extend(letters.take(wanted).map(|byte| char::from(*byte)));
    }
    Secret::new(text.as_str())
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
