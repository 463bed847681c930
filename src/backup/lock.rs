//! Who may open a backup: age recipients, or whoever knows a passphrase.
//!
//! Only X25519 recipients: they are what `age-keygen` makes and what every age program opens.

use crate::backup::error::BackupError;
use crate::base::secret::Secret;
use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient, scrypt, x25519};
use std::io::{self, Read, Write};

/// scrypt's cost as a power of two: 32 MiB for the time of a guess, which the smallest box still has.
const WORK: u8 = 15;
/// The most that is spent on a backup made elsewhere: 512 MiB.
const WORK_MAX: u8 = 19;
/// Shortest passphrase taken.
const PASSPHRASE_MIN: usize = 12;

/// Shuts a backup.
#[derive(Debug, Clone)]
pub enum Lock {
    /// For these: `age1…`.
    Recipients(Vec<String>),
    /// For whoever knows it.
    Passphrase(Secret),
}

impl Lock {
    /// What is written through the writer, only they can read. Finish it, or the file ends short.
    ///
    /// Errs with `Key` for what is no recipient or a passphrase too short, `Nobody` for an empty list.
    pub fn shut<W: Write>(&self, to: W) -> Result<StreamWriter<W>, BackupError> {
        let recipients: Vec<Box<dyn Recipient>> = match self {
            Lock::Recipients(named) => named.iter().map(|text| recipient(text)).collect::<Result<_, _>>()?,
            Lock::Passphrase(given) => {
                if given.expose().chars().count() < PASSPHRASE_MIN {
                    return Err(BackupError::Key(format!("a passphrase has at least {PASSPHRASE_MIN} characters")));
                }
                let mut recipient = scrypt::Recipient::new(SecretString::from(given.expose()));
                recipient.set_work_factor(WORK);
                vec![Box::new(recipient)]
            }
        };
        let refs = recipients.iter().map(|recipient| &**recipient);
        let encryptor = Encryptor::with_recipients(refs).map_err(|_| BackupError::Nobody)?;
        encryptor.wrap_output(to).map_err(BackupError::io("encrypting"))
    }
}

fn recipient(text: &str) -> Result<Box<dyn Recipient>, BackupError> {
    match text.trim().parse::<x25519::Recipient>() {
        Ok(recipient) => Ok(Box::new(recipient)),
        Err(why) => Err(BackupError::Key(format!("{text:?} is no age recipient: {why}"))),
    }
}

/// Whether somebody can open what is shut for this.
pub fn is_recipient(text: &str) -> bool {
    recipient(text).is_ok()
}

/// Opens a backup.
#[derive(Clone)]
pub enum Opener {
    /// Identities as `age-keygen` writes them: a line each, comments after `#`.
    Identities(Secret),
    /// The passphrase it was made with.
    Passphrase(Secret),
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Opener::Identities(_) => "Opener(identities)",
            Opener::Passphrase(_) => "Opener(passphrase)",
        })
    }
}

impl Opener {
    /// What is inside, as it is read. Each chunk is authenticated before it is given out; the end of the file is too.
    ///
    /// Errs with `Shut` for the wrong key, `Key` for what is no identity, `Damaged` for what is no age file.
    pub fn open<R: Read>(&self, from: R) -> Result<StreamReader<R>, BackupError> {
        let identities: Vec<Box<dyn Identity>> = match self {
            Opener::Identities(text) => identities(text)?,
            Opener::Passphrase(given) => {
                let mut identity = scrypt::Identity::new(SecretString::from(given.expose()));
                identity.set_max_work_factor(WORK_MAX);
                vec![Box::new(identity)]
            }
        };
        let decryptor = Decryptor::new(from).map_err(opened)?;
        decryptor.decrypt(identities.iter().map(|identity| &**identity)).map_err(opened)
    }
}

fn identities(text: &Secret) -> Result<Vec<Box<dyn Identity>>, BackupError> {
    let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let found: Vec<Box<dyn Identity>> = lines
        .map(|line| match line.parse::<x25519::Identity>() {
            Ok(identity) => Ok(Box::new(identity) as Box<dyn Identity>),
            // The line may be a secret: it is not repeated.
            Err(why) => Err(BackupError::Key(format!("a line of the identity file is no identity: {why}"))),
        })
        .collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Err(BackupError::Key("the identity file holds none".into()));
    }
    Ok(found)
}

fn opened(error: DecryptError) -> BackupError {
    match error {
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => BackupError::Shut,
        DecryptError::ExcessiveWork { .. } => BackupError::Key("the passphrase of this backup costs more memory than is spent here".into()),
        DecryptError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof && error.kind() != io::ErrorKind::InvalidData => {
            BackupError::Io { doing: "reading", source: error }
        }
        other => BackupError::damaged(format!("it is no age file: {other}")),
    }
}
