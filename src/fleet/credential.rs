//! How we log in to a router: sealed in the store, or read where it lies at each use.
//!
//! A password is sealed under its own purpose and bound to the device's row: copied to another device's record, it
//! does not open. A reference (`file:PATH`, `credential:NAME`) keeps the password out of the store altogether; it is
//! read anew for every connection, so that whoever rotates it has nothing to tell us.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::secret::Secret;
use crate::fleet::config::Settings;
use crate::routeros::ssh::{Key, Login};
use crate::store::{Field, Name, Place, Record, Seal, StoreError, body_as};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

/// The longest password read from a file, bytes.
const PASSWORD_MAX: u64 = 4_096;
/// The longest private key read from a file, bytes; RSA of 8,192 bits takes 6,400.
const KEY_MAX: u64 = 16_384;

/// A login as an operator gives it.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// The password, or where it lies.
    pub password: Password,
    /// A private key for SSH, in a file of this machine.
    pub ssh_key_file: Option<PathBuf>,
}

impl NewCredential {
    /// A password alone.
    pub fn password(password: Secret) -> Self {
        NewCredential { password: Password::Given(password), ssh_key_file: None }
    }
}

/// The login for SSH: by the key, where there is a key file, else by password. Errs with `Unauthenticated` when the file
/// cannot be read, `BadInput` when no login can be made of it.
pub async fn ssh_login(key_file: Option<&Path>, password: Option<Secret>) -> Result<Login, Fault> {
    let path = match (key_file, password) {
        (Some(path), _) => path,
        (None, Some(password)) => return Ok(Login::Password(password)),
        (None, None) => return Err(Fault::bad_input("a login needs a password or a private key for SSH")),
    };
    let text = read_text(path, "SSH key", KEY_MAX).await?;
    let key = Key::parse(&text).map_err(|error| {
        let fault = Fault::from(error);
        Fault::new(fault.kind, format!("{}: {}", path.display(), fault.said)).hint("make one with: ssh-keygen -t ed25519 -N \"\" -f FILE")
    })?;
    Ok(Login::Key(key))
}

/// A password, or where it lies.
#[derive(Debug, Clone)]
pub enum Password {
    /// To be sealed in the store.
    Given(Secret),
    /// To be read at each use.
    At(Reference),
    /// There is none: a key is the whole login, and REST, which takes passwords only, is out of reach.
    None,
}

/// Where a password lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reference {
    /// A file of this machine, by its whole path.
    File(PathBuf),
    /// A systemd credential of the service.
    Credential(String),
}

impl FromStr for Reference {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong =
            |why: &str| Err(Fault::bad_input(format!("a password reference {why}")).hint("write file:/whole/path or credential:NAME"));
        match text.split_once(':') {
            Some(("file", path)) if Path::new(path).is_absolute() => Ok(Reference::File(path.into())),
            Some(("file", _)) => wrong("of kind file needs the whole path"),
            // The name becomes a file name below the credentials directory: nothing may lead out of it.
            Some(("credential", name)) if is_file_name(name) => Ok(Reference::Credential(name.into())),
            Some(("credential", _)) => wrong("of kind credential needs a name of letters, digits, dots, dashes and underscores"),
            _ => wrong("is file:PATH or credential:NAME"),
        }
    }
}

fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// A login as it stands in the store, under the device's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credential {
    password: Stored,
    /// A private key for SSH, in a file of this machine.
    pub ssh_key_file: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Stored {
    Sealed(Vec<u8>),
    At(Reference),
    None,
}

impl Record for Credential {
    const TABLE: &'static str = "credential";
    const VERSION: u8 = 2;

    /// v1 always had a password: it knew the first two kinds of `Stored`, which stand where they stood.
    fn upgrade(version: u8, body: &[u8]) -> Result<Self, StoreError> {
        body_as(Self::TABLE, version, body)
    }
}

#[cfg(test)]
crate::store::golden!(Credential);

/// What of it is sealed.
pub const SEALED: Field =
    Field { purpose: "credential", table: Credential::TABLE, field: Name::Is("password"), about: "logins of routers", row_stays: false };

fn place(key: &str) -> Place<'_> {
    Place { purpose: "credential", table: Credential::TABLE, key, field: "password" }
}

impl Credential {
    /// Seals a new login for one device.
    pub fn seal(new: &NewCredential, device: &DeviceId, seal: &Seal) -> Self {
        let password = match &new.password {
            Password::Given(password) => Stored::Sealed(seal.seal(place(device.as_str()), password.expose().as_bytes())),
            Password::At(reference) => Stored::At(reference.clone()),
            Password::None => Stored::None,
        };
        Credential { password, ssh_key_file: new.ssh_key_file.clone() }
    }

    /// Whether the password itself is kept here, as opposed to a reference or none.
    pub fn is_sealed(&self) -> bool {
        matches!(self.password, Stored::Sealed(_))
    }

    /// The same with another password, sealed here.
    pub fn with_password(&self, password: &Secret, device: &DeviceId, seal: &Seal) -> Self {
        let sealed = seal.seal(place(device.as_str()), password.expose().as_bytes());
        Credential { password: Stored::Sealed(sealed), ssh_key_file: self.ssh_key_file.clone() }
    }

    /// Whether there is a password, read or not.
    pub fn has_password(&self) -> bool {
        self.password != Stored::None
    }

    /// The password, if there is one. Errs with `Storage` when it does not open, `Unauthenticated` when its file cannot be read.
    pub async fn open(&self, device: &DeviceId, seal: &Seal, settings: &Settings) -> Result<Option<Secret>, Fault> {
        match &self.password {
            Stored::Sealed(sealed) => Ok(Some(seal.open_text(place(device.as_str()), sealed)?)),
            Stored::At(reference) => reference.read(settings).await.map(Some),
            Stored::None => Ok(None),
        }
    }
}

impl Password {
    /// The password itself, read if it has to be; `None` where there is none.
    pub async fn read(&self, settings: &Settings) -> Result<Option<Secret>, Fault> {
        match self {
            Password::Given(password) => Ok(Some(password.clone())),
            Password::At(reference) => reference.read(settings).await.map(Some),
            Password::None => Ok(None),
        }
    }
}

impl Reference {
    /// Reads the password: the file's text without one line end.
    async fn read(&self, settings: &Settings) -> Result<Secret, Fault> {
        match self {
            Reference::File(path) => read_file(path).await,
            Reference::Credential(name) => {
                let dir = settings.credentials_dir.as_ref().ok_or_else(|| {
                    Fault::new(Kind::Unauthenticated, format!("credential `{name}`: this service was started without credentials"))
                        .hint("add LoadCredential= to the service, or use file:PATH")
                })?;
                read_file(&dir.join(name)).await
            }
        }
    }
}

async fn read_file(path: &Path) -> Result<Secret, Fault> {
    let text = read_text(path, "password", PASSWORD_MAX).await?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(line.strip_suffix('\r').unwrap_or(line)))
}

async fn read_text(path: &Path, what: &str, max: u64) -> Result<Zeroizing<String>, Fault> {
    let cannot = |why: String| {
        Fault::new(Kind::Unauthenticated, format!("{what} file {}: {why}", path.display())).hint("check that the service may read it")
    };
    let file = tokio::fs::File::open(path).await.map_err(|e| cannot(e.kind().to_string()))?;
    // Room made once: growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(max as usize + 1));
    file.take(max + 1).read_to_string(&mut text).await.map_err(|e| cannot(e.kind().to_string()))?;
    if text.len() as u64 > max {
        return Err(cannot(format!("longer than {max} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::tier::Environment;

    fn id(n: u8) -> DeviceId {
        DeviceId(format!("dev_00000000000{n}"))
    }

    #[tokio::test]
    async fn a_sealed_password_opens_for_its_device_and_no_other() {
        let (seal, settings) = (Seal::new(&[7; 32]), Settings::new(Environment::Lab));
        let stored = Credential::seal(&NewCredential::password(Secret::new("hunter2")), &id(1), &seal);
        assert_eq!(stored.open(&id(1), &seal, &settings).await.unwrap().unwrap().expose(), "hunter2");
        assert!(stored.open(&id(2), &seal, &settings).await.is_err(), "moved to another row");
        assert!(stored.open(&id(1), &Seal::new(&[8; 32]), &settings).await.is_err(), "another master key");
        assert!(!format!("{stored:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_reference_is_read_at_each_use() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(Environment::Lab);
        settings.credentials_dir = Some(dir.path().into());
        let file = dir.path().join("edge");
        std::fs::write(&file, "first\n").unwrap();
        let by_path: Reference = format!("file:{}", file.display()).parse().unwrap();
        let new = NewCredential { password: Password::At("credential:edge".parse().unwrap()), ssh_key_file: None };
        let stored = Credential::seal(&new, &id(1), &Seal::new(&[7; 32]));
        assert_eq!(stored.open(&id(1), &Seal::new(&[7; 32]), &settings).await.unwrap().unwrap().expose(), "first");
        std::fs::write(&file, "second\r\n").unwrap();
        assert_eq!(stored.open(&id(1), &Seal::new(&[7; 32]), &settings).await.unwrap().unwrap().expose(), "second");
        assert_eq!(by_path.read(&settings).await.unwrap().expose(), "second");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(by_path.read(&settings).await.unwrap_err().kind, Kind::Unauthenticated);
    }

    #[tokio::test]
    async fn a_login_of_the_first_shape_reads_and_one_without_password_is_told_apart_from_an_empty_one() {
        let (seal, settings) = (Seal::new(&[7; 32]), Settings::new(Environment::Lab));
        let old = Credential::seal(&NewCredential::password(Secret::new("hunter2")), &id(1), &seal);
        assert_eq!(Credential::upgrade(1, &postcard::to_extend(&old, vec![]).unwrap()).unwrap(), old);
        let key = |password| NewCredential { password, ssh_key_file: Some("/etc/key".into()) };
        let none = Credential::seal(&key(Password::None), &id(1), &seal);
        assert!(none.open(&id(1), &seal, &settings).await.unwrap().is_none());
        let empty = Credential::seal(&key(Password::Given(Secret::new(""))), &id(1), &seal);
        assert_eq!(empty.open(&id(1), &seal, &settings).await.unwrap().unwrap().expose(), "");
    }

    #[test]
    fn references_that_lead_elsewhere_are_refused() {
        for bad in ["file:relative", "credential:", "credential:../x", "credential:a/b", "credential:.hidden", "env:X", "hunter2", ""] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }
}
