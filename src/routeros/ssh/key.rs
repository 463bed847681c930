//! A private key for logging in: what RouterOS takes of it, and which hash signs.
//!
//! RouterOS knows RSA and, since 7.12, Ed25519; ECDSA never. The file may be OpenSSH's own format, PKCS#8 or PKCS#1. A key
//! with a passphrase cannot be used: nobody is there to type it.

use crate::routeros::fault::RouterError;
use russh::keys::{Algorithm, Error, HashAlg, PrivateKey, decode_secret_key};
use std::{fmt, sync::Arc};

/// A private key that can log in without a person. Wiped when dropped; `Debug` shows its algorithm only.
#[derive(Clone)]
pub struct Key(Arc<PrivateKey>);

impl Key {
    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`RouterError::Argument`] with the reason, in words that repeat nothing of the file.
    pub fn parse(text: &str) -> Result<Key, RouterError> {
        let start = text.trim_start();
        if ["ssh-", "ecdsa-", "sk-", "---- BEGIN SSH2 PUBLIC"].iter().any(|mark| start.starts_with(mark)) {
            return Err(unusable("is a public key; the private one is needed"));
        }
        if text.contains("ENCRYPTED") {
            return Err(locked());
        }
        if !start.starts_with("-----BEGIN ") {
            return Err(unusable("holds no private key in OpenSSH or PEM format"));
        }
        let key = decode_secret_key(start, None).map_err(|error| match error {
            Error::KeyIsEncrypted => locked(),
            Error::UnsupportedKeyType { .. } | Error::UnknownAlgorithm(_) | Error::Sec1(_) => unfit(),
            _ if start.contains("BEGIN EC ") || start.contains("BEGIN DSA ") => unfit(),
            _ => unusable("cannot be read as a private key"),
        })?;
        match key.algorithm() {
            Algorithm::Ed25519 | Algorithm::Rsa { .. } => Ok(Key(Arc::new(key))),
            _ => Err(unfit()),
        }
    }

    /// Its fingerprint, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        self.0.public_key().fingerprint(HashAlg::Sha256).to_string()
    }

    pub(super) fn is_rsa(&self) -> bool {
        self.0.algorithm().is_rsa()
    }

    pub(super) fn with(&self, hash: Option<HashAlg>) -> russh::keys::PrivateKeyWithHashAlg {
        russh::keys::PrivateKeyWithHashAlg::new(self.0.clone(), hash)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.0.algorithm().as_str()).finish()
    }
}

fn unusable(why: &str) -> RouterError {
    RouterError::argument(format!("the SSH key file {why}"))
}

fn locked() -> RouterError {
    unusable("is protected by a passphrase, which nobody is there to type; use a key without one")
}

fn unfit() -> RouterError {
    unusable("is of a kind RouterOS does not take; use Ed25519 (7.12 and newer) or RSA")
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::ssh_key::{EcdsaCurve, LineEnding, private::Ed25519Keypair};

    fn ed25519() -> PrivateKey {
        PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]))
    }

    #[test]
    fn openssh_and_pkcs8_files_of_one_key_are_the_same_key() {
        let openssh = ed25519().to_openssh(LineEnding::LF).unwrap();
        let mut pem = Vec::new();
        russh::keys::encode_pkcs8_pem(&ed25519(), &mut pem).unwrap();
        let (first, second) = (Key::parse(&openssh).unwrap(), Key::parse(std::str::from_utf8(&pem).unwrap()).unwrap());
        assert_eq!(first.fingerprint(), second.fingerprint());
        assert_eq!(Key::parse(&openssh.replace('\n', "\r\n")).unwrap().fingerprint(), first.fingerprint());
        assert_eq!(format!("{first:?}"), "Key(\"ssh-ed25519\")");
    }

    #[test]
    fn what_cannot_log_in_is_told_apart() {
        let mut rng = russh::keys::key::safe_rng();
        let ecdsa = PrivateKey::random(&mut rng, Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }).unwrap();
        let ecdsa = ecdsa.to_openssh(LineEnding::LF).unwrap();
        let public = ed25519().public_key().to_openssh().unwrap();
        let broken = ed25519().to_openssh(LineEnding::LF).unwrap().replacen("b3Bl", "AAAA", 1);
        for (text, word) in [
            (ecdsa.as_str(), "Ed25519"),
            (public.as_str(), "public"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
                "passphrase",
            ),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "passphrase"),
            (ENCRYPTED, "passphrase"),
            ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", "Ed25519"),
            (broken.as_str(), "cannot be read"),
            ("hunter2", "holds no private key"),
            ("", "holds no private key"),
        ] {
            let said = Key::parse(text).unwrap_err().to_string();
            assert!(said.contains(word) && !said.contains("hunter2"), "{word}: {said}");
        }
    }

    /// Made for this test with `ssh-keygen -t ed25519 -N secret`; it opens nothing.
    const ENCRYPTED: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABANDhVi3A
HeGTjRi1fUYD0/AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIDTZ3Zt5xka+qhKt
QrnpaKhjAeasUCF1FtavDGAvQEQyAAAAkGtPLWlBmk0Dvjho8nvK+OfiqDInuSehwqQraj
qJ6K8GoNqDBtDwaXKQVLPSg3WvzT18t5wRX1gmuEPivFIbPP7lIJW4WWdJ3Ize9ea6esLR
HXpgWTKo54aHna67wlbVvkyVn6SBzTXkr5r/MBlSta76uQZcoVvqJeDoX5vW9S5/4xABqv
4gJ18DPmdBxx6DHg==
-----END OPENSSH PRIVATE KEY-----";
}
