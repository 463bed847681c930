//! What a token says of itself, judged without its signature; those are in the journeys, with real keys.

use super::*;
use serde_json::json;

const ISSUER: &str = "https://login.example/tenant";
const AUDIENCE: &str = "https://box.example/mcp";
/// The middle of 2026, in seconds.
const NOW: i64 = 1_782_000_000;

fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

fn token(head: &Value, claims: &Value) -> String {
    format!("{}.{}.{}", encoded(head), encoded(claims), BASE64URL_NOPAD.encode(&[1; 64]))
}

fn head() -> Value {
    json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"})
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "00u1", "exp": NOW + 300, "iat": NOW - 5})
}

/// With members set; `null` takes one away.
fn with(mut base: Value, more: Value) -> Value {
    let members = base.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    base
}

fn judged(head: &Value, claims: &Value) -> Result<Checked, Refused> {
    let rules = Rules { issuer: ISSUER, audience: AUDIENCE, skew: Duration::from_secs(30) };
    Jwt::parse(&token(head, claims))?.check(&rules, Wall(NOW * 1_000))
}

#[test]
fn what_a_token_must_say_it_must_say_exactly() {
    for (changed, expected) in [
        (json!({}), Ok(())),
        (json!({"aud": [AUDIENCE]}), Ok(())),
        (json!({"aud": ["https://login.example/userinfo", AUDIENCE]}), Ok(())),
        (json!({"nonce": "n"}), Ok(())),
        (json!({"exp": (NOW + 300) as f64 + 0.5}), Ok(())),
        (json!({"sub": "auth0|5f7c"}), Ok(())),
        // Whose it is.
        (json!({"iss": null}), Err(Refused::Issuer)),
        (json!({"iss": format!("{ISSUER}/")}), Err(Refused::Issuer)),
        (json!({"iss": ISSUER.to_uppercase()}), Err(Refused::Issuer)),
        (json!({"iss": [ISSUER]}), Err(Refused::Issuer)),
        (json!({"iss": "https://evil.example"}), Err(Refused::Issuer)),
        // Whom it is for.
        (json!({"aud": null}), Err(Refused::Audience)),
        (json!({"aud": []}), Err(Refused::Audience)),
        (json!({"aud": "https://other.example"}), Err(Refused::Audience)),
        (json!({"aud": format!("{AUDIENCE}/")}), Err(Refused::Audience)),
        (json!({"aud": format!("x {AUDIENCE}")}), Err(Refused::Audience)),
        (json!({"aud": [[AUDIENCE]]}), Err(Refused::Audience)),
        (json!({"aud": {"x": AUDIENCE}}), Err(Refused::Audience)),
        // Who calls.
        (json!({"sub": null}), Err(Refused::Claims)),
        (json!({"sub": ""}), Err(Refused::Claims)),
        (json!({"sub": 7}), Err(Refused::Claims)),
        (json!({"sub": "a\nb"}), Err(Refused::Claims)),
        (json!({"sub": "x".repeat(256)}), Err(Refused::Claims)),
        // When.
        (json!({"exp": null}), Err(Refused::Claims)),
        (json!({"exp": "never"}), Err(Refused::Claims)),
        (json!({"exp": 1e300}), Err(Refused::Claims)),
        (json!({"exp": -1}), Err(Refused::Claims)),
        (json!({"exp": NOW - 29}), Ok(())),
        (json!({"exp": NOW - 30}), Err(Refused::Expired)),
        (json!({"exp": 0}), Err(Refused::Expired)),
        (json!({"nbf": NOW + 30}), Ok(())),
        (json!({"nbf": NOW + 31}), Err(Refused::Early)),
        (json!({"nbf": "x"}), Err(Refused::Claims)),
        (json!({"iat": NOW + 31}), Err(Refused::Early)),
        (json!({"iat": null}), Ok(())),
        // In milliseconds: the year 58000.
        (json!({"exp": NOW * 1_000}), Err(Refused::Claims)),
    ] {
        assert_eq!(judged(&head(), &with(claims(), changed.clone())).map(|_| ()), expected, "{changed}");
    }
}

#[test]
fn a_head_asks_for_nothing_but_one_of_four_algorithms() {
    for (changed, expected) in [
        (json!({"alg": "RS256"}), Ok(())),
        (json!({"alg": "PS256"}), Ok(())),
        (json!({"alg": "EdDSA"}), Ok(())),
        (json!({"kid": null}), Ok(())),
        (json!({"typ": "application/at+jwt"}), Ok(())),
        (json!({"typ": "AT+JWT"}), Ok(())),
        (json!({"typ": "JWT"}), Ok(())),
        (json!({"typ": null}), Ok(())),
        (json!({"jku": "https://evil.example/jwks", "jwk": {"kty": "oct"}, "x5u": "https://evil.example"}), Ok(())),
        (json!({"alg": "none"}), Err(Refused::Algorithm)),
        (json!({"alg": "None"}), Err(Refused::Algorithm)),
        (json!({"alg": ""}), Err(Refused::Algorithm)),
        (json!({"alg": null}), Err(Refused::Algorithm)),
        (json!({"alg": ["ES256"]}), Err(Refused::Algorithm)),
        (json!({"alg": "es256"}), Err(Refused::Algorithm)),
        (json!({"alg": "HS256"}), Err(Refused::Algorithm)),
        (json!({"alg": "HS512"}), Err(Refused::Algorithm)),
        (json!({"alg": "RS1"}), Err(Refused::Algorithm)),
        (json!({"alg": "ES512"}), Err(Refused::Algorithm)),
        (json!({"alg": "RSA-OAEP", "enc": "A256GCM"}), Err(Refused::Algorithm)),
        (json!({"kid": 7}), Err(Refused::Malformed)),
        (json!({"typ": 7}), Err(Refused::Malformed)),
        (json!({"typ": "id+jwt"}), Err(Refused::Type)),
        (json!({"typ": "logout+jwt"}), Err(Refused::Type)),
        (json!({"typ": "dpop+jwt"}), Err(Refused::Type)),
        (json!({"typ": "secevent+jwt"}), Err(Refused::Type)),
        (json!({"crit": ["b64"], "b64": false}), Err(Refused::Type)),
        (json!({"crit": []}), Err(Refused::Type)),
    ] {
        assert_eq!(judged(&with(head(), changed.clone()), &claims()).map(|_| ()), expected, "{changed}");
    }
}

#[test]
fn id_tokens_are_refused_where_they_can_be_told() {
    let plain = with(head(), json!({"typ": "JWT"}));
    for (changed, expected) in [
        (json!({}), Ok(())),
        (json!({"typ": "Bearer", "nonce": "n"}), Ok(())),
        (json!({"typ": "ID"}), Err(Refused::Type)),
        (json!({"typ": "Refresh"}), Err(Refused::Type)),
        (json!({"typ": ["Bearer"]}), Err(Refused::Type)),
        (json!({"nonce": "n"}), Err(Refused::Type)),
        (json!({"at_hash": "h"}), Err(Refused::Type)),
        (json!({"c_hash": "h"}), Err(Refused::Type)),
    ] {
        assert_eq!(judged(&plain, &with(claims(), changed.clone())).map(|_| ()), expected, "{changed}");
    }
}

#[test]
fn what_is_no_token_is_malformed() {
    let good = token(&head(), &claims());
    let (first, rest) = good.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let long = token(&head(), &with(claims(), json!({"groups": vec!["x".repeat(36); 600]})));
    for bad in [
        String::new(),
        "x".into(),
        "..".into(),
        format!("{first}.{body}"),
        format!("{good}.x"),
        format!("{first}.{body}.{signature}="),
        format!("{first}.{body}.+/"),
        format!("{first}=.{body}.{signature}"),
        format!(" {good}"),
        format!("{first}.{}.{signature}", BASE64URL_NOPAD.encode(b"[]")),
        format!("{first}.{}.{signature}", BASE64URL_NOPAD.encode(b"{\"iss\":")),
        format!("{}.{body}.{signature}", BASE64URL_NOPAD.encode(b"7")),
        format!(
            "{first}.{}.{signature}",
            BASE64URL_NOPAD.encode(format!("{{\"a\":{}1{}}}", "[".repeat(9_000), "]".repeat(9_000)).as_bytes())
        ),
        long,
    ] {
        let short: String = bad.chars().take(60).collect();
        assert_eq!(Jwt::parse(&bad).map(|_| ()), Err(Refused::Malformed), "{short}");
    }
}
