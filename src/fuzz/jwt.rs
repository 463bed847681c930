//! Access tokens: nothing is believed that no key of the provider signed, and of what one signed nothing but what fits.

use super::{Pieces, Samples, Target};
use crate::access::oidc::jwt::{Jwt, Rules};
use crate::access::oidc::keys::{Alg, Keys, Verdict};
use crate::base::clock::Wall;
use data_encoding::BASE64URL_NOPAD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use std::time::Duration;

pub(super) const TARGET: Target = Target {
    name: "jwt",
    about: "access tokens and key sets of a provider",
    longest: 8 << 10,
    check,
    seeds,
    words: &[
        "\"alg\":\"none\"",
        "\"alg\":\"EdDSA\"",
        "\"alg\":\"HS256\"",
        "\"alg\":\"ES256\"",
        "\"kid\":\"ed\"",
        "\"typ\":\"at+jwt\"",
        "\"typ\":\"JWT\"",
        "\"crit\":[]",
        "\"iss\":\"https://login.example\"",
        "\"aud\":\"https://box.example/mcp\"",
        "\"aud\":[",
        "\"sub\":\"",
        "\"exp\":1782000300",
        "\"nbf\":",
        "\"iat\":",
        "\"nonce\":\"",
        "1e10",
        "1e300",
        "-1",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"",
        ".",
        "e30",
        "\u{0}",
    ],
};

const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "https://box.example/mcp";
/// The middle of 2026, in seconds.
const NOW: i64 = 1_782_000_000;
const SKEW: i64 = 30;

/// The provider: its pair, and the keys it publishes. Nobody knows the secrets of the two others.
static PROVIDER: LazyLock<(Ed25519KeyPair, Keys)> = LazyLock::new(|| {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any 32 bytes are a seed");
    let mut modulus = [0xa5; 256];
    modulus[255] = 0x9d;
    // The generator of P-256.
    let hex = |text: &str| BASE64URL_NOPAD.encode(&data_encoding::HEXLOWER.decode(text.as_bytes()).expect("digits"));
    let document = json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": BASE64URL_NOPAD.encode(pair.public_key().as_ref())},
        {"kty": "RSA", "kid": "rsa", "e": "AQAB", "n": BASE64URL_NOPAD.encode(&modulus)},
        {"kty": "EC", "crv": "P-256", "kid": "ec",
         "x": hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
         "y": hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")},
    ]});
    let keys = Keys::parse(document.to_string().as_bytes()).expect("all three can be used");
    (pair, keys)
});

fn signed(head: &[u8], claims: &[u8]) -> String {
    let text = format!("{}.{}", BASE64URL_NOPAD.encode(head), BASE64URL_NOPAD.encode(claims));
    let signature = PROVIDER.0.sign(text.as_bytes());
    format!("{text}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

/// A token as the provider makes them.
static GOOD: LazyLock<String> = LazyLock::new(|| signed(head().to_string().as_bytes(), claims().to_string().as_bytes()));

fn head() -> Value {
    json!({"alg": "EdDSA", "kid": "ed", "typ": "at+jwt"})
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": [AUDIENCE], "sub": "00u1", "exp": NOW + 300, "iat": NOW - 5, "groups": ["netops"]})
}

fn check(data: &[u8]) {
    let (kind, rest) = data.split_first().unwrap_or((&0, &[]));
    match kind % 3 {
        0 => {
            if let Ok(token) = std::str::from_utf8(rest) {
                forged(token);
            }
        }
        1 => said(rest),
        _ => published(rest),
    }
}

/// Whatever anybody sends: only the provider's own token is signed.
fn forged(token: &str) {
    let Ok(jwt) = Jwt::parse(token) else { return };
    let is_signed = jwt.is_signed(&PROVIDER.1).is_ok();
    assert!(!is_signed || token == *GOOD, "believed: {token}");
    assert!(jwt.has_key(&PROVIDER.1) || !is_signed);
    let _ = (jwt.check(&rules(), now()), jwt.issuer().len());
}

/// Whatever a provider signs, who has keys that are real: accepted is only what it must be, read by other eyes.
fn said(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (head, claims) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let token = signed(head, claims);
    let Ok(jwt) = Jwt::parse(&token) else { return };
    let good = jwt.is_signed(&PROVIDER.1).is_ok();
    let Ok(checked) = jwt.check(&rules(), now()) else { return };
    let (head, claims) = (object(head), object(claims));
    let text = |from: &Map<String, Value>, name: &str| from.get(name).and_then(Value::as_str).map(str::to_owned);
    assert_eq!(good, text(&head, "alg").as_deref() == Some("EdDSA") && text(&head, "kid").is_none_or(|kid| kid == "ed"));
    assert!(!head.contains_key("crit"));
    assert_eq!(text(&claims, "iss").as_deref(), Some(ISSUER));
    let audiences = match &claims["aud"] {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    assert!(audiences.iter().any(|audience| audience == AUDIENCE));
    let subject = text(&claims, "sub").expect("a subject");
    assert!(checked.subject == subject && !subject.is_empty() && !subject.chars().any(char::is_control));
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
    assert!(seconds("exp").expect("an end") > (NOW - SKEW) as f64);
    assert!(["nbf", "iat"].into_iter().filter_map(seconds).all(|from| from <= (NOW + SKEW) as f64 + 0.001));
    assert_ne!(text(&claims, "typ").as_deref(), Some("ID"), "an ID token calls: {claims:?}");
}

/// Whatever a provider publishes: no key set makes a signature of nothing good.
fn published(document: &[u8]) {
    let Ok(keys) = Keys::parse(document) else { return };
    for alg in Alg::ALL {
        assert_ne!(keys.judge(alg, None, b"signed by nobody", &[0x5a; 64]), Verdict::Good);
        assert!(keys.knows(alg, None) || keys.judge(alg, None, b"", &[]) == Verdict::NoKey);
    }
    let _ = keys.set();
}

fn object(bytes: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(bytes).expect("it was read as an object")
}

fn rules() -> Rules<'static> {
    Rules { issuer: ISSUER, audience: AUDIENCE, skew: Duration::from_secs(SKEW as u64) }
}

fn now() -> Wall {
    Wall(NOW * 1_000)
}

fn seeds(_: &Samples) -> Vec<Vec<u8>> {
    let with_head = |head: Value| [b"\x01", head.to_string().as_bytes(), b"\0", claims().to_string().as_bytes()].concat();
    let mut all = vec![
        [b"\x00", GOOD.as_bytes()].concat(),
        with_head(head()),
        with_head(json!({"alg": "none", "typ": "JWT"})),
        with_head(json!({"alg": "EdDSA", "typ": "application/at+jwt", "kid": null})),
        b"\x02{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"use\":\"sig\",\"x\":\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\"},{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"pQ\",\"alg\":\"RS256\",\"key_ops\":[\"verify\"]}]}".to_vec(),
    ];
    // The same token with a piece of another: a body of one and a signature of the other.
    let other = signed(head().to_string().as_bytes(), b"{\"sub\":\"root\"}");
    let mut parts = GOOD.split('.').zip(other.split('.'));
    if let (Some((head, _)), Some((_, body)), Some((signature, _))) = (parts.next(), parts.next(), parts.next()) {
        all.push(format!("\0{head}.{body}.{signature}").into_bytes());
    }
    let mut pieces = Pieces(GOOD.as_bytes());
    all.push([b"\x00", pieces.take(40)].concat());
    all
}
