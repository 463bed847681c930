//! What can go wrong with a certificate authority, in words for the operator, and how long to wait after it.
//!
//! Source: RFC 8555 section 6.7 (problem documents), <https://letsencrypt.org/docs/rate-limits/>

use crate::base::ids::random;
use crate::store::StoreError;
use rustls_acme::acme::{AcmeError, Problem};
use std::time::Duration;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// No answer, or one that only a broken service gives.
    #[error("the certificate authority does not answer: {0}")]
    Silent(String),
    /// Its own certificate is signed by nobody we know.
    #[error("the certificate authority's own TLS certificate is not trusted: {0}")]
    Untrusted(String),
    /// It wants to be asked less often.
    #[error("the certificate authority limits how often it may be asked: {0}")]
    Limited(String),
    /// Our nonce was too old for it; asking again is all there is to do (RFC 8555 section 6.5).
    #[error("the certificate authority refused one nonce after another")]
    Nonce,
    /// It said no.
    #[error("the certificate authority refused ({kind}): {said}")]
    Refused {
        /// The end of the problem's type: `externalAccountRequired`.
        kind: String,
        /// Its words.
        said: String,
    },
    /// It did not find at the name what we put there.
    #[error("the certificate authority could not check {domain}: {said}")]
    NotProven {
        /// The name.
        domain: String,
        /// Its words.
        said: String,
    },
    /// Its answers are not ACME.
    #[error("the certificate authority's answer is not understood: {0}")]
    Odd(String),
    /// The store.
    #[error("the certificate cannot be kept: {0}")]
    Store(#[from] StoreError),
}

/// How problem types begin.
const TYPE: &str = "urn:ietf:params:acme:error:";
/// Of an outsider's words so many characters are repeated.
const SHOWN: usize = 400;

impl Trouble {
    /// From what the library says; `what` was being done.
    pub fn of(what: &str, error: &AcmeError) -> Trouble {
        let text = error.to_string();
        match (error, status(&text)) {
            (AcmeError::HttpRequest(_), Some((status, problem))) => Trouble::told(what, status, &problem),
            (AcmeError::HttpRequest(_) | AcmeError::Io(_), None) if text.contains("InvalidCertificate") => Trouble::Untrusted(words(&text)),
            (AcmeError::HttpRequest(_) | AcmeError::Io(_), None) => Trouble::Silent(format!("{what}: {}", words(&text))),
            (AcmeError::NoTlsAlpn01Challenge | AcmeError::NoHttp01Challenge, _) => Trouble::Refused {
                kind: "challenge".into(),
                said: "it does not offer the challenge of acme.challenge for this name".into(),
            },
            _ => Trouble::Odd(format!("{what}: {}", words(&text))),
        }
    }

    fn told(what: &str, status: u16, problem: &Problem) -> Trouble {
        let kind = problem.typ.as_deref().map_or("", |typ| typ.strip_prefix(TYPE).unwrap_or(typ));
        let said = problem.detail.as_deref().map_or_else(|| format!("{what}: HTTP status {status}"), clean);
        match (kind, status) {
            ("badNonce", _) => Trouble::Nonce,
            ("rateLimited", _) | (_, 429) => Trouble::Limited(said),
            (_, 500..) => Trouble::Silent(format!("{what}: HTTP status {status}")),
            _ => Trouble::Refused { kind: if kind.is_empty() { format!("HTTP status {status}") } else { clean(kind) }, said },
        }
    }

    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Trouble::Silent(_) => "check acme.directory_url, and that this box may call it: DNS, routes, firewall",
            Trouble::Untrusted(_) => "for an authority of your own, name its root in acme.ca_file; else check this box's clock",
            Trouble::Limited(_) => "nothing needs to be done: it is asked again when the limit may be over. Restarts do not help",
            Trouble::Nonce => "it is asked again by itself",
            Trouble::Refused { kind, .. } if kind == "externalAccountRequired" => {
                "authorities that want an account made elsewhere (EAB: ZeroSSL, Google) are not supported; use another, or http.tls = \"files\""
            }
            Trouble::Refused { kind, .. } if kind == "rejectedIdentifier" || kind == "malformed" => "check acme.domains and acme.contact",
            Trouble::Refused { .. } | Trouble::NotProven { .. } => {
                "each name in acme.domains must lead here from the authority's side: DNS, port 443 for tls-alpn-01, port 80 for http-01. SIGHUP tries again at once"
            }
            Trouble::Odd(_) => "check acme.directory_url",
            Trouble::Store(_) => "see what the log says about the store",
        }
    }

    /// How long to wait after so many failures in a row (1 at first), a little more or less each time.
    ///
    /// Let's Encrypt takes five failed checks of a name an hour: 0, 2, 6, 14 and 30 minutes are within that.
    pub fn pause(&self, failures: u32) -> Duration {
        let (first, most) = match self {
            Trouble::Nonce => (1, 60),
            Trouble::Silent(_) => (3, 3_600),
            Trouble::Untrusted(_) | Trouble::Odd(_) | Trouble::Store(_) => (60, 6 * 3_600),
            Trouble::Refused { .. } | Trouble::NotProven { .. } => (120, 6 * 3_600),
            Trouble::Limited(_) => (3_600, 24 * 3_600),
        };
        let doubled = 1_u64.checked_shl(failures.saturating_sub(1)).and_then(|times| times.checked_mul(first)).unwrap_or(most);
        jittered(Duration::from_secs(doubled.min(most)))
    }
}

/// Up to a quarter longer: boxes that lost their line together do not come back together.
pub fn jittered(span: Duration) -> Duration {
    let [byte] = random::<1>();
    span + span * u32::from(byte) / 1_024
}

/// Words of others, fit for a line of a log.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect::<String>().trim().to_owned()
}

/// The status and the problem in an error of the library. It shows them only as text: the type that holds them is private.
fn status(text: &str) -> Option<(u16, Problem)> {
    let (_, rest) = text.split_once("non 2xx http status: ")?;
    let (status, body) = rest.split_once(' ')?;
    let problem = serde_json::from_str(&undebugged(body)).unwrap_or(Problem { typ: None, detail: None });
    Some((status.parse().ok()?, problem))
}

/// Undoes `{:?}` of a string.
fn undebugged(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let (mut plain, mut rest) = (String::with_capacity(inner.len()), inner.chars());
    while let Some(c) = rest.next() {
        match (c, if c == '\\' { rest.next() } else { None }) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('r')) => plain.push('\r'),
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some('0')) => plain.push('\0'),
            ('\\', Some('u')) => {
                let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                plain.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            ('\\', Some(other)) => plain.push(other),
            _ => plain.push(c),
        }
    }
    plain
}

/// The system's own words out of an error that is shown as the library holds it: `… message: "Connection refused" …`.
fn words(text: &str) -> String {
    let message = text.split_once("message: \"").and_then(|(_, rest)| rest.split_once('"')).map(|(message, _)| message);
    let tls = text.split_once("InvalidCertificate(").map(|(_, rest)| rest.split([')', '(', ' ', '{']).next().unwrap_or(rest));
    clean(tls.or(message).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Trouble {
        let (status, problem) = status(text).unwrap();
        Trouble::told("newOrder", status, &problem)
    }

    #[test]
    fn problems_are_read_out_of_the_librarys_text() {
        let body =
            "{\n  \"type\": \"urn:ietf:params:acme:error:rateLimited\",\n  \"detail\": \"too many \\\"certificates\\\" \u{e9}\\u0007\"\n}";
        let text = format!("http request error: non 2xx http status: {} {:?}", 429, body);
        assert_eq!(of(&text).to_string(), "the certificate authority limits how often it may be asked: too many \"certificates\" é");
        let text = |status: u16, body: &str| format!("non 2xx http status: {status} {body:?}");
        assert!(matches!(of(&text(400, r#"{"type":"urn:ietf:params:acme:error:badNonce"}"#)), Trouble::Nonce));
        assert!(matches!(of(&text(429, "slow down")), Trouble::Limited(_)));
        assert!(matches!(of(&text(503, "<html>\n")), Trouble::Silent(said) if said == "newOrder: HTTP status 503"));
        let eab = of(&text(403, r#"{"type":"urn:ietf:params:acme:error:externalAccountRequired","detail":"no"}"#));
        assert!(matches!(&eab, Trouble::Refused { kind, .. } if kind == "externalAccountRequired") && eab.hint().contains("EAB"), "{eab}");
    }

    #[test]
    fn the_systems_words_are_found() {
        let refused = r#"http request error: http error: ConnectError(TcpConnect(Os { code: 111, kind: ConnectionRefused, message: "Connection refused" }))"#;
        assert_eq!(words(refused), "Connection refused");
        assert_eq!(words("TlsConnect(Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) })"), "UnknownIssuer");
        assert_eq!(words("plain\nwords"), "plain words");
    }

    #[test]
    fn pauses_grow_and_end_somewhere() {
        let silent = Trouble::Silent(String::new());
        for (failures, least) in [(1, 3), (2, 6), (3, 12), (40, 3_600), (u32::MAX, 3_600)] {
            let pause = silent.pause(failures);
            let least = Duration::from_secs(least);
            assert!(pause >= least && pause <= least * 5 / 4, "{failures}: {pause:?}");
        }
        let unproven = Trouble::NotProven { domain: String::new(), said: String::new() };
        let in_an_hour: Duration = (1..=5).map(|failures| unproven.pause(failures)).sum();
        assert!(in_an_hour > Duration::from_secs(3_600), "five failed checks an hour is what Let's Encrypt takes");
        assert!(Trouble::Limited(String::new()).pause(1) >= Duration::from_secs(3_600));
    }
}
