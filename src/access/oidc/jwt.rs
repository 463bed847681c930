//! Access tokens of an identity provider: what makes one good. Pure, over the time given.
//!
//! - The signature counts, not what the token says of itself: the algorithm is one of four, and of the kind of the key.
//! - `iss` is ours to the letter, `aud` names us, `exp` is there. Times may differ by the skew.
//! - ID tokens tell an application who signed in to it; they are not for calling. Where they can be told they are refused.
//!
//! Source: RFC 7515, RFC 7519, RFC 8725, RFC 9068

use crate::access::oidc::keys::{Alg, Keys, Verdict};
use crate::access::token::Refused;
use crate::base::clock::Wall;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use std::time::Duration;

/// The longest token, bytes: people in hundreds of groups have 8 kB.
const TOKEN_MAX: usize = 16 << 10;
/// The longest subject, characters, as OpenID Connect has it.
const SUBJECT_MAX: usize = 255;

/// What a token must be.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'r> {
    /// Who must have made it.
    pub issuer: &'r str,
    /// Whom it must be for.
    pub audience: &'r str,
    /// How far clocks may differ.
    pub skew: Duration,
}

/// A token taken apart; nothing of it is true yet.
#[derive(Debug)]
pub struct Jwt<'t> {
    alg: Alg,
    kid: Option<String>,
    is_access_token: bool,
    claims: Map<String, Value>,
    signed: &'t str,
    signature: Vec<u8>,
}

/// What a token says of its caller, where all that must be said is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The issuer's name for the caller.
    pub subject: String,
    /// When it ends, the skew included.
    pub expires_at: Wall,
}

impl<'t> Jwt<'t> {
    /// Takes a token apart.
    pub fn parse(token: &'t str) -> Result<Jwt<'t>, Refused> {
        let mut parts = token.split('.');
        let (Some(head), Some(body), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(Refused::Malformed);
        };
        if token.len() > TOKEN_MAX {
            return Err(Refused::Malformed);
        }
        let (head, claims) = (object(head)?, object(body)?);
        let signed = &token[..token.len() - signature.len() - 1];
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| Refused::Malformed)?;
        if head.contains_key("crit") {
            // Something that must be understood, and is not.
            return Err(Refused::Type);
        }
        let alg = head.get("alg").and_then(Value::as_str).and_then(Alg::named).ok_or(Refused::Algorithm)?;
        let kid = match head.get("kid") {
            None | Some(Value::Null) => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(Refused::Malformed),
        };
        Ok(Jwt { alg, kid, is_access_token: is_access_token(&head, &claims)?, claims, signed, signature })
    }

    /// Whether a key for it is known.
    pub fn has_key(&self, keys: &Keys) -> bool {
        keys.knows(self.alg, self.kid.as_deref())
    }

    /// Whether the provider made it.
    pub fn is_signed(&self, keys: &Keys) -> Result<(), Refused> {
        match keys.judge(self.alg, self.kid.as_deref(), self.signed.as_bytes(), &self.signature) {
            Verdict::Good => Ok(()),
            Verdict::Bad => Err(Refused::Signature),
            Verdict::NoKey => Err(Refused::Key),
        }
    }

    /// Whether it says what it must. Cheap, so it is asked before the signature is looked at; it proves nothing alone.
    pub fn check(&self, rules: &Rules<'_>, now: Wall) -> Result<Checked, Refused> {
        let claims = &self.claims;
        if claims.get("iss").and_then(Value::as_str) != Some(rules.issuer) {
            return Err(Refused::Issuer);
        }
        let is_ours = |audience: &Value| audience.as_str() == Some(rules.audience);
        let for_us = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().any(is_ours),
            Some(one) => is_ours(one),
            None => false,
        };
        if !for_us {
            return Err(Refused::Audience);
        }
        if !self.is_access_token {
            return Err(Refused::Type);
        }
        let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| is_subject(subject)).ok_or(Refused::Claims)?;
        let skew = rules.skew.as_millis() as i64;
        let end = time(claims, "exp")?.ok_or(Refused::Claims)?;
        if now.0 >= end.0.saturating_add(skew) {
            return Err(Refused::Expired);
        }
        for name in ["nbf", "iat"] {
            // One that was issued in the future was made by a clock that nobody can rely on.
            if time(claims, name)?.is_some_and(|from| from.0 > now.0.saturating_add(skew)) {
                return Err(Refused::Early);
            }
        }
        Ok(Checked { subject: subject.to_owned(), expires_at: Wall(end.0.saturating_add(skew)) })
    }

    /// All that it says.
    pub fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    /// Who it says made it; for the log, so that an operator sees what to configure.
    pub fn issuer(&self) -> &str {
        self.claims.get("iss").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Whether it is a token for calling. `at+jwt` says so; others tell by what ID tokens alone have.
fn is_access_token(head: &Map<String, Value>, claims: &Map<String, Value>) -> Result<bool, Refused> {
    let typ = match head.get("typ") {
        // Okta's have none.
        None | Some(Value::Null) => "jwt".to_owned(),
        Some(Value::String(typ)) => typ.to_ascii_lowercase(),
        Some(_) => return Err(Refused::Malformed),
    };
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "at+jwt" => Ok(true),
        "jwt" => Ok(match claims.get("typ") {
            // Keycloak says here which of its tokens it is; older ones put the nonce into each.
            Some(kind) => kind == "Bearer",
            None => !["nonce", "at_hash", "c_hash", "s_hash"].iter().any(|name| claims.contains_key(*name)),
        }),
        _ => Err(Refused::Type),
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Refused> {
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Refused::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Refused::Malformed)
}

/// Seconds since 1970, with fractions where somebody likes them.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Wall>, Refused> {
    /// Year 5138: beyond it nobody means a time in seconds.
    const LAST: f64 = 1e11;
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            Some(seconds) if (0.0..=LAST).contains(&seconds) => Ok(Some(Wall((seconds * 1_000.0) as i64))),
            _ => Err(Refused::Claims),
        },
    }
}

/// Whether a subject is one that can stand in records.
pub fn is_subject(subject: &str) -> bool {
    !subject.is_empty() && subject.chars().count() <= SUBJECT_MAX && !subject.chars().any(char::is_control)
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
