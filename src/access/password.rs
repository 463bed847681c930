//! Passwords of local users: the rules for a new one, and Argon2id.
//!
//! What is kept is salt, cost and hash, never the password. The cost is kept beside each hash, so that it can rise with
//! later builds while older hashes go on to work.
//!
//! Source: RFC 9106; OWASP Password Storage Cheat Sheet (m = 19 MiB, t = 2, p = 1).

use crate::base::fault::Fault;
use crate::base::ids::random;
use crate::base::secret::Secret;
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// Memory of one hash, KiB: a seventh of the smallest box there is, and only one is made at a time.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
const PASSES: u32 = 2;
/// One core: small boxes have no more to give.
const LANES: u32 = 1;

/// The shortest password, characters.
pub const SHORTEST: usize = 10;
/// The longest, bytes: a file given by mistake is longer.
const LONGEST_BYTES: usize = 1_024;

/// A hashed password.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Hash {
    salt: [u8; 16],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    out: [u8; 32],
}

impl Hash {
    /// Hashes a new password. Takes the time of a sign-in and 19 MiB: not for an async thread.
    pub fn of(password: &Secret) -> Result<Hash, Fault> {
        let mut made = Hash::blank();
        made.out = made.run(password)?;
        Ok(made)
    }

    /// A hash that no password has: for names that nobody has, so that both cost the same.
    pub fn of_nobody() -> Hash {
        Hash::blank()
    }

    fn blank() -> Hash {
        Hash { salt: random(), memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, out: [0; 32] }
    }

    /// Whether this is the password. As costly as [`Hash::of`].
    pub fn matches(&self, password: &Secret) -> Result<bool, Fault> {
        let out = self.run(password)?;
        // All bytes are looked at, however early two differ.
        Ok(bool::from(self.out.ct_eq(&out)))
    }

    fn run(&self, password: &Secret) -> Result<[u8; 32], Fault> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|e| Fault::bug(e.to_string()))?;
        let mut out = [0; 32];
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into(password.expose().as_bytes(), &self.salt, &mut out).map_err(|e| Fault::bug(e.to_string()))?;
        Ok(out)
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(•••)")
    }
}

/// Whether a password may become somebody's: 10 characters or more, not the name, nothing that no keyboard types.
pub fn check(user: &str, password: &Secret) -> Result<(), Fault> {
    let text = password.expose();
    let wrong = |why: String| Err(Fault::bad_input(format!("the password {why}")).hint("several words in a row are easy to keep in mind"));
    let length = text.chars().count();
    if length < SHORTEST {
        return wrong(format!("has {length} characters; it takes at least {SHORTEST}"));
    }
    if text.len() > LONGEST_BYTES {
        return wrong(format!("is longer than {LONGEST_BYTES} bytes"));
    }
    if text.chars().any(char::is_control) {
        return wrong("holds control characters".into());
    }
    if text.trim().eq_ignore_ascii_case(user) {
        return wrong("is the name of the user".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let hash = Hash::of(&Secret::new("correct horse 9")).unwrap();
        assert!(hash.matches(&Secret::new("correct horse 9")).unwrap());
        for other in ["correct horse 8", "correct horse 9 ", "Correct horse 9", ""] {
            assert!(!hash.matches(&Secret::new(other)).unwrap(), "{other:?}");
        }
        assert_ne!(hash, Hash::of(&Secret::new("correct horse 9")).unwrap(), "each has a salt of its own");
        assert_eq!(format!("{hash:?}"), "Hash(•••)");
    }

    #[test]
    fn a_hash_is_argon2id_as_others_compute_it() {
        // By OpenSSL: Argon2id(salt=b"0123456789abcdef", length=32, iterations=2, lanes=1, memory_cost=19456)
        let mut hash = Hash::of_nobody();
        hash.salt = *b"0123456789abcdef";
        let known = "a55d9670f269666a32472506f4d3a2f2fc1b7e113ecf18cfbbc566ca302dc619";
        assert_eq!(crate::base::ids::hex(&hash.run(&Secret::new("correct horse 9")).unwrap()), known);
    }

    #[test]
    fn nobodys_hash_matches_nothing_and_costs_the_same() {
        let nobody = Hash::of_nobody();
        assert!(!nobody.matches(&Secret::new("")).unwrap());
        let somebody = Hash::of(&Secret::new("correct horse 9")).unwrap();
        let cost = |hash: &Hash| (hash.memory_kib, hash.passes, hash.lanes);
        assert_eq!(cost(&nobody), cost(&somebody));
    }

    #[test]
    fn rules_for_new_passwords_say_what_is_wrong() {
        for (password, wrong) in [
            ("", Some("has 0 characters")),
            ("ninechars", Some("at least 10")),
            ("тайнатайн", Some("has 9 characters")),
            ("тайнатайна", None),
            ("tencharact", None),
            ("Annabelle-Lee", Some("the name")),
            (" annabelle-lee ", Some("the name")),
            ("annabelle-lee!", None),
            ("bell\u{7}in here", Some("control")),
            ("   spaces count   ", None),
        ] {
            let judged = check("annabelle-lee", &Secret::new(password));
            match wrong {
                None => assert!(judged.is_ok(), "{password:?}: {judged:?}"),
                Some(why) => assert!(judged.unwrap_err().said.contains(why), "{password:?}"),
            }
        }
        assert!(check("a", &Secret::new("x".repeat(1_025))).unwrap_err().said.contains("longer"));
    }
}
