//! Who calls: the token in `Authorization`, and nowhere else.
//!
//! Source: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>, RFC 6750, RFC 9728

use crate::access::principal::Client;
use crate::access::scope::Scope;
use crate::access::token::{Bearer, PREFIX, Refused};
use crate::http::fault::Refusal;
use crate::http::{Asked, Body, Edge, METADATA};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};

/// Whoever sent the request. Every way of being nobody looks the same from outside, apart from sending no token at all.
pub async fn caller(edge: &Edge, asked: &Asked, headers: &HeaderMap) -> Result<Bearer, Refusal> {
    let client = Client { address: asked.client.to_string(), ..Client::default() };
    let anonymous = edge.settings.anonymous.filter(|_| asked.is_here);
    // Whoever showed many bad ones has the keys of the provider fetched for no more of them, and nobody waits for that.
    let is_spent = edge.failures.is_spent(asked.client);
    let found = match presented(headers) {
        Ok(Some(token)) if token.starts_with(PREFIX) && !edge.settings.tokens => Err(Refused::Unknown),
        Ok(Some(token)) => match &edge.oidc {
            Some(oidc) if !token.starts_with(PREFIX) && is_spent => oidc.bearer_by_known_keys(token, client).await,
            Some(oidc) if !token.starts_with(PREFIX) => oidc.bearer(token, client).await,
            _ => edge.dispatch.world().access.bearer(token, client).await,
        },
        Ok(None) => match anonymous {
            Some(role) => Ok(Bearer::anonymous(role, client)),
            None => return Err(nobody(edge, asked, "missing", "")),
        },
        Err(refused) => Err(refused),
    };
    found.map_err(|refused| match refused {
        Refused::Store | Refused::Provider => {
            Refusal::of(StatusCode::SERVICE_UNAVAILABLE, refused.as_str(), "tokens cannot be checked now")
                .hint("try again in a moment; /health says whether the store and the identity provider are well")
                .with(header::RETRY_AFTER, HeaderValue::from_static("5"))
        }
        // Somebody, by a token that is good: told what is missing, or they would sign in again and again.
        Refused::Role => {
            edge.meter().auth_failed(refused.as_str());
            Refusal::of(StatusCode::FORBIDDEN, refused.as_str(), "you are known, and have no role here")
                .hint("ask an administrator to map one of your groups or roles in oidc.role_map")
        }
        _ => nobody(edge, asked, refused.as_str(), "error=\"invalid_token\", "),
    })
}

/// Whether a caller has a good token, where none is needed.
pub async fn is_known(edge: &Edge, asked: &Asked, headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION)
        && caller(edge, asked, headers).await.is_ok_and(|bearer| bearer.scopes.contains(&Scope::Read))
}

/// The token sent; `None` when none was.
fn presented(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| Refused::Malformed)?;
    match text.split_once(' ') {
        // Two of them: whoever stands between could have judged the other one.
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && values.next().is_none() => {
            Ok(Some(token.trim_start_matches(' ')))
        }
        _ => Err(Refused::Malformed),
    }
}

/// 401, with where to learn how to get a token; 429 for an address that has no good one too often.
fn nobody(edge: &Edge, asked: &Asked, reason: &'static str, error: &str) -> Refusal {
    if let Err(too_many) = edge.failures.count(asked.client) {
        edge.meter().rate_limited("anonymous");
        return too_many;
    }
    edge.meter().auth_failed(reason);
    let challenge = format!("Bearer {error}scope=\"{}\", resource_metadata=\"{}\"", Scope::Read.as_str(), metadata(edge, asked));
    let hint = match &edge.oidc {
        Some(_) => "send Authorization: Bearer with an access token of the identity provider, or one of `routeros-mcp token create`",
        None => "send Authorization: Bearer with a token of `routeros-mcp token create`",
    };
    challenged(Refusal::of(StatusCode::UNAUTHORIZED, reason, "a valid token is needed").hint(hint), &challenge)
}

/// 403, with the scopes that would do.
pub fn insufficient(edge: &Edge, asked: &Asked, needed: &[Scope]) -> Refusal {
    let scopes = needed.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scopes}\", resource_metadata=\"{}\"", metadata(edge, asked));
    let hint = "ask an administrator for a token of a wider role";
    challenged(Refusal::of(StatusCode::FORBIDDEN, "scope", format!("this needs the scope {scopes}")).hint(hint), &challenge)
}

/// The answer, with the challenge that every 401 has to carry (RFC 9110, 15.5.2): what signs in with a password or a session says so
/// as well. One that has its own keeps it.
pub fn challenging(answered: Result<Response<Body>, Refusal>, metadata: &str) -> Result<Response<Body>, Refusal> {
    let challenge = || format!("Bearer resource_metadata=\"{metadata}\"");
    match answered {
        Ok(mut response) if response.status() == StatusCode::UNAUTHORIZED => {
            if let (false, Ok(value)) = (response.headers().contains_key(header::WWW_AUTHENTICATE), HeaderValue::from_str(&challenge())) {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
            }
            Ok(response)
        }
        Err(refusal)
            if refusal.status == StatusCode::UNAUTHORIZED && refusal.headers().all(|(name, _)| name != header::WWW_AUTHENTICATE) =>
        {
            Err(challenged(refusal, &challenge()))
        }
        other => other,
    }
}

fn challenged(refusal: Refusal, challenge: &str) -> Refusal {
    match HeaderValue::from_str(challenge) {
        Ok(value) => refusal.with(header::WWW_AUTHENTICATE, value),
        Err(_) => refusal,
    }
}

/// Where the metadata of RFC 9728 is, for whoever asked.
pub fn metadata(edge: &Edge, asked: &Asked) -> String {
    format!("{}{METADATA}{}", asked.origin, edge.settings.base.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_from_one_bearer_header_only() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            presented(&headers).map(|token| token.map(str::to_owned))
        };
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&["Bearer x"]), Ok(Some("x".into())));
        assert_eq!(of(&["bearer x"]), Ok(Some("x".into())));
        for bad in [&["Bearer"][..], &["x"], &["Basic eDp5"], &["Bearer x", "Bearer x"], &["Bearer\tx"], &["Bearer \u{e9}"], &[""]] {
            assert_eq!(of(bad), Err(Refused::Malformed), "{bad:?}");
        }
    }
}
