//! The two cookies of the UI.
//!
//! `__Host-` makes browsers take them only over TLS, from this very host and for all of it, so that no neighbour under the same
//! domain can plant one. On plain http, which is loopback only, they have plain names and no `Secure`.
//!
//! Source: RFC 6265bis

use crate::http::fault::Refusal;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};
use std::time::Duration;

/// The longest value, bytes; browsers keep no more than 4096 with the name.
const VALUE_MAX: usize = 3_800;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// Holds a session's id; never sent by a page of another site.
    Session,
    /// Holds a sign-in through the identity provider, which sends the browser back from another site.
    SignIn,
}

impl Cookie {
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Cookie::Session, true) => "__Host-rmcp",
            (Cookie::Session, false) => "rmcp",
            (Cookie::SignIn, true) => "__Host-rmcp-login",
            (Cookie::SignIn, false) => "rmcp-login",
        }
    }

    /// Its value. Errs with two of one name: whoever planted one chose which of them is first.
    pub fn of(self, headers: &HeaderMap, secure: bool) -> Result<Option<&str>, Refusal> {
        let name = self.name(secure);
        let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
        let mut found = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(known, _)| *known == name);
        let value = found.next().map(|(_, value)| value).filter(|value| !value.is_empty() && value.len() <= VALUE_MAX);
        match found.next() {
            None => Ok(value),
            Some(_) => {
                Err(Refusal::of(StatusCode::BAD_REQUEST, "cookie", "there are two cookies of one name")
                    .hint("clear the cookies of this site"))
            }
        }
    }

    /// As it is set. Without `lasts` it goes with the browser.
    pub fn set(self, value: &str, secure: bool, lasts: Option<Duration>) -> Option<HeaderValue> {
        let site = match self {
            Cookie::Session => "Strict",
            Cookie::SignIn => "Lax",
        };
        let age = lasts.map_or_else(String::new, |lasts| format!("; Max-Age={}", lasts.as_secs()));
        let secure_word = if secure { "; Secure" } else { "" };
        let name = self.name(secure);
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite={site}{secure_word}{age}")).ok()
    }

    /// As it is taken away.
    pub fn clear(self, secure: bool) -> Option<HeaderValue> {
        self.set("", secure, Some(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::COOKIE, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_once() {
        for (values, secure, expected) in [
            (&["__Host-rmcp=abc"][..], true, Some("abc")),
            (&["a=1; __Host-rmcp=abc;b=2"], true, Some("abc")),
            (&["a=1", "__Host-rmcp=abc"], true, Some("abc")),
            (&["rmcp=abc"], false, Some("abc")),
            // A plain one where TLS is spoken was planted.
            (&["rmcp=abc"], true, None),
            (&["__Host-rmcp=abc"], false, None),
            (&["__host-rmcp=abc", "x__Host-rmcp=abc", "__Host-rmcp-login=abc", "__Host-rmcp="], true, None),
            (&[], true, None),
        ] {
            assert_eq!(Cookie::Session.of(&headers(values), secure).unwrap(), expected, "{values:?}");
        }
        assert!(Cookie::Session.of(&headers(&["__Host-rmcp=a; __Host-rmcp=b"]), true).is_err());
        assert!(Cookie::SignIn.of(&headers(&["__Host-rmcp-login=a", "__Host-rmcp-login=a"]), true).is_err());
    }

    #[test]
    fn cookies_are_set_as_the_contract_has_them() {
        let text = |value: Option<HeaderValue>| value.unwrap().to_str().unwrap().to_owned();
        assert_eq!(text(Cookie::Session.set("v", true, None)), "__Host-rmcp=v; Path=/; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(text(Cookie::Session.set("v", false, None)), "rmcp=v; Path=/; HttpOnly; SameSite=Strict");
        let ten = Some(Duration::from_secs(600));
        assert_eq!(text(Cookie::SignIn.set("v", true, ten)), "__Host-rmcp-login=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=600");
        assert_eq!(text(Cookie::SignIn.clear(true)), "__Host-rmcp-login=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0");
    }
}
