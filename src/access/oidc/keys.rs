//! The keys an identity provider signs with, as far as they are any good to us.
//!
//! Of a key set only public signature keys of four algorithms are taken: RS256 and PS256 (RSA of 2048 to 4096 bits), ES256 (P-256)
//! and EdDSA (Ed25519). A key fits one kind of algorithm, so that a token cannot choose how it is to be judged: `none` and
//! `HS256` are not even names here.
//!
//! Source: RFC 7517, RFC 7518, RFC 8037

use data_encoding::BASE64URL_NOPAD;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey, JsonWebKeySet};
use serde_json::Value;

/// Keys of one provider that are looked at.
const KEYS_MAX: usize = 100;
/// Bits of an RSA key; below, it can be broken, above, it costs too much to check.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;
/// The longest `kid`, bytes.
const KID_MAX: usize = 256;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alg {
    /// RSA, PKCS #1 v1.5, SHA-256.
    Rs256,
    /// RSA, PSS, SHA-256.
    Ps256,
    /// ECDSA on P-256, SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Alg {
    /// All that are accepted.
    pub const ALL: [Alg; 4] = [Alg::Rs256, Alg::Ps256, Alg::Es256, Alg::EdDsa];

    /// The name in tokens and keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Alg::Rs256 => "RS256",
            Alg::Ps256 => "PS256",
            Alg::Es256 => "ES256",
            Alg::EdDsa => "EdDSA",
        }
    }

    /// By its name, in exactly that spelling.
    pub fn named(name: &str) -> Option<Alg> {
        Alg::ALL.into_iter().find(|alg| alg.as_str() == name)
    }

    /// As the library has it.
    pub fn core(self) -> CoreJwsSigningAlgorithm {
        match self {
            Alg::Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            Alg::Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            Alg::Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            Alg::EdDsa => CoreJwsSigningAlgorithm::EdDsa,
        }
    }
}

/// What a signature turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Made with one of the keys.
    Good,
    /// Made with none of those it could be made with.
    Bad,
    /// There is no key of that name and kind: there may be a newer set.
    NoKey,
}

/// The usable keys of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    kid: Option<String>,
    algs: Vec<Alg>,
    jwk: CoreJsonWebKey,
}

impl Keys {
    /// Reads a key set; what is of no use is left out. Errs when nothing is left.
    pub fn parse(document: &[u8]) -> Result<Keys, &'static str> {
        let document: Value = serde_json::from_slice(document).map_err(|_| "its key set is not JSON")?;
        let all = document.get("keys").and_then(Value::as_array).ok_or("its key set has no list of keys")?;
        let usable: Vec<Key> = all.iter().take(KEYS_MAX).filter_map(key).collect();
        if usable.is_empty() { Err("its key set has no key for RS256, PS256, ES256 or EdDSA") } else { Ok(Keys(usable)) }
    }

    /// Whether a key fits a token's head.
    pub fn knows(&self, alg: Alg, kid: Option<&str>) -> bool {
        self.fitting(alg, kid).next().is_some()
    }

    /// Judges a signature. A token without `kid` is tried with every key of its kind.
    pub fn judge(&self, alg: Alg, kid: Option<&str>, signed: &[u8], signature: &[u8]) -> Verdict {
        let mut verdict = Verdict::NoKey;
        for key in self.fitting(alg, kid) {
            if key.jwk.verify_signature(&alg.core(), signed, signature).is_ok() {
                return Verdict::Good;
            }
            verdict = Verdict::Bad;
        }
        verdict
    }

    /// As the library takes them.
    pub fn set(&self) -> JsonWebKeySet<CoreJsonWebKey> {
        JsonWebKeySet::new(self.0.iter().map(|key| key.jwk.clone()).collect())
    }

    fn fitting<'k>(&'k self, alg: Alg, kid: Option<&'k str>) -> impl Iterator<Item = &'k Key> {
        self.0.iter().filter(move |key| key.algs.contains(&alg) && (kid.is_none() || key.kid.as_deref() == kid))
    }
}

fn key(from: &Value) -> Option<Key> {
    let text = |name: &str| from.get(name).and_then(Value::as_str);
    let is_for_signatures = match from.get("use") {
        None | Some(Value::Null) => true,
        Some(word) => word == "sig",
    };
    let verifies = match from.get("key_ops") {
        None | Some(Value::Null) => true,
        Some(ops) => ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")),
    };
    let kid = match from.get("kid") {
        None | Some(Value::Null) => None,
        Some(kid) => Some(kid.as_str().filter(|kid| kid.len() <= KID_MAX)?.to_owned()),
    };
    let mut algs = match (text("kty")?, text("crv")) {
        ("RSA", _) if RSA_BITS.contains(&bits(text("n")?)?) => vec![Alg::Rs256, Alg::Ps256],
        ("EC", Some("P-256")) => vec![Alg::Es256],
        ("OKP", Some("Ed25519")) => vec![Alg::EdDsa],
        _ => return None,
    };
    if let Some(only) = from.get("alg").filter(|alg| !alg.is_null()) {
        let only = Alg::named(only.as_str()?)?;
        algs.retain(|alg| *alg == only);
    }
    if !is_for_signatures || !verifies || algs.is_empty() {
        return None;
    }
    Some(Key { kid, algs, jwk: serde_json::from_value(from.clone()).ok()? })
}

/// Length of a modulus, without its leading zeros.
fn bits(modulus: &str) -> Option<usize> {
    let bytes = BASE64URL_NOPAD.decode(modulus.as_bytes()).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some((bytes.len() - first) * 8 - bytes[first].leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A key with a modulus of so many bits; nothing was ever signed with it.
    fn rsa(bits: usize) -> Value {
        let mut modulus = vec![0xa5; bits / 8];
        modulus[0] |= 0x80;
        json!({"kty": "RSA", "kid": "r", "e": "AQAB", "n": BASE64URL_NOPAD.encode(&modulus)})
    }

    fn with(mut key: Value, more: Value) -> Value {
        key.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        key
    }

    fn algs(key: Value) -> Vec<&'static str> {
        let parsed = Keys::parse(json!({"keys": [key]}).to_string().as_bytes());
        parsed.map(|keys| keys.0[0].algs.iter().map(|alg| alg.as_str()).collect()).unwrap_or_default()
    }

    #[test]
    fn a_key_is_for_one_kind_of_algorithm_and_for_signatures() {
        let x = BASE64URL_NOPAD.encode(&[7; 32]);
        let ec = json!({"kty": "EC", "crv": "P-256", "x": x, "y": x});
        let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
        for (key, expected) in [
            (rsa(2_048), &["RS256", "PS256"][..]),
            (with(rsa(2_048), json!({"alg": "PS256"})), &["PS256"]),
            (with(rsa(2_048), json!({"use": "sig", "key_ops": ["verify"]})), &["RS256", "PS256"]),
            (ec.clone(), &["ES256"]),
            (okp.clone(), &["EdDSA"]),
            (rsa(4_096), &["RS256", "PS256"]),
            // None of these is of any use.
            (rsa(1_024), &[]),
            (rsa(8_192), &[]),
            (with(rsa(2_048), json!({"use": "enc"})), &[]),
            (with(rsa(2_048), json!({"use": 1})), &[]),
            (with(rsa(2_048), json!({"key_ops": ["encrypt"]})), &[]),
            (with(rsa(2_048), json!({"alg": "HS256"})), &[]),
            (with(rsa(2_048), json!({"alg": "RS512"})), &[]),
            (with(rsa(2_048), json!({"alg": "ES256"})), &[]),
            (with(ec.clone(), json!({"alg": "RS256"})), &[]),
            (with(ec, json!({"crv": "P-384"})), &[]),
            (with(okp, json!({"crv": "X25519"})), &[]),
            (json!({"kty": "oct", "k": x, "alg": "HS256"}), &[]),
            (json!({"kty": "oct", "k": x, "alg": "RS256"}), &[]),
            (json!({}), &[]),
            (json!(null), &[]),
        ] {
            assert_eq!(algs(key.clone()), expected, "{key}");
        }
    }

    #[test]
    fn what_is_no_key_set_is_told_from_one_without_use() {
        for (document, why) in [
            ("", "not JSON"),
            ("<html>", "not JSON"),
            ("[]", "no list"),
            ("{}", "no list"),
            (r#"{"keys": {}}"#, "no list"),
            (r#"{"keys": []}"#, "no key"),
            (r#"{"keys": [1, null, {"kty": "oct"}]}"#, "no key"),
        ] {
            let error = Keys::parse(document.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{document}: {error}");
        }
        let mixed = json!({"keys": [{"kty": "oct"}, rsa(2_048), 7]}).to_string();
        assert!(Keys::parse(mixed.as_bytes()).unwrap().knows(Alg::Rs256, Some("r")));
    }

    #[test]
    fn a_key_is_found_by_its_name_and_kind_or_by_its_kind_alone() {
        let keys = Keys::parse(json!({"keys": [rsa(2_048)]}).to_string().as_bytes()).unwrap();
        assert!(keys.knows(Alg::Rs256, Some("r")) && keys.knows(Alg::Ps256, None));
        assert!(!keys.knows(Alg::Es256, Some("r")) && !keys.knows(Alg::Rs256, Some("R")) && !keys.knows(Alg::Rs256, Some("")));
        assert_eq!(keys.judge(Alg::Es256, Some("r"), b"x", b"y"), Verdict::NoKey);
        assert_eq!(keys.judge(Alg::Rs256, None, b"x", &[0; 256]), Verdict::Bad);
    }
}
