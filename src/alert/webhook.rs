//! A webhook: JSON by POST over https, signed.
//!
//! - By the rules for addresses that people configure (`host/outgoing.rs`): https, no redirects, never link-local or metadata.
//! - `RMCP-Signature: t=<seconds since 1970>,v1=<hex>`: HMAC-SHA-256 with the shared secret over `<t>.<body>`, made anew for each
//!   try, so that a receiver can refuse old ones. `RMCP-Message` is the message's id, the same in each try.
//! - Whoever answers 2xx has it. 400, 413 and 422 say that no other try will do; everything else is tried again.
//! - The address may hold a secret of the receiver's: it is shown without path and query, and told to nobody.

use crate::alert::channel::Failure;
use crate::alert::message::{From, Message};
use crate::base::clock::Wall;
use crate::base::ids::hex;
use crate::base::secret::Secret;
use crate::host::outgoing::{Outgoing, OutgoingError};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, StatusCode};
use ring::hmac;

/// Names the message.
pub const MESSAGE: HeaderName = HeaderName::from_static("rmcp-message");
/// Proves who sent it.
pub const SIGNATURE: HeaderName = HeaderName::from_static("rmcp-signature");

/// Where messages are posted.
pub struct Webhook {
    url: Secret,
    outgoing: Outgoing,
}

impl Webhook {
    /// To that address.
    pub fn new(url: Secret, outgoing: Outgoing) -> Webhook {
        Webhook { url, outgoing }
    }

    /// The address as it may be seen: scheme, host and port.
    pub fn shown(&self) -> String {
        shown(self.url.expose())
    }

    /// Posts a message; answers what came back, in words.
    pub async fn send(&self, message: &Message, from: &From, secret: &Secret, now: Wall) -> Result<String, Failure> {
        let body = message.json(from).to_string().into_bytes();
        let header = |text: String| HeaderValue::from_str(&text).map_err(|_| Failure::for_good("a header cannot be made"));
        let request = Request::post(self.url.expose())
            .header(CONTENT_TYPE, "application/json")
            .header(MESSAGE, header(message.id.clone())?)
            .header(SIGNATURE, header(signature(secret, now.0.div_euclid(1_000), &body))?)
            .body(body)
            .map_err(|_| Failure::again("alert.webhook_url is no address"))?;
        let answer = self.outgoing.send(request).await.map_err(|error| failed(&error))?;
        match answer.status() {
            status if status.is_success() => Ok(format!("answered {status}")),
            status if status.is_redirection() => Err(Failure::again(format!("answered {status}: redirects are not followed"))),
            status @ (StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY) => {
                Err(Failure::for_good(format!("answered {status}: it does not take this message")))
            }
            status => Err(Failure::again(format!("answered {status}"))),
        }
    }
}

/// The words of the error without its address.
fn failed(error: &OutgoingError) -> Failure {
    Failure::again(match error {
        OutgoingError::Refused { why, .. } => format!("not called: {why}"),
        OutgoingError::Unreachable { why, .. } => format!("no answer: {why}"),
        OutgoingError::TooLong { .. } => "the answer is too long".into(),
        // Those of downloads.
        OutgoingError::NoFile { .. } | OutgoingError::Write { .. } => error.to_string(),
        OutgoingError::Client(_) => "no TLS client can be made here".into(),
    })
}

/// The header that proves who sent a body: `t=…,v1=…`.
pub fn signature(secret: &Secret, seconds: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(seconds.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    format!("t={seconds},v1={}", hex(context.sign().as_ref()))
}

/// An address without what may be secret in it.
pub fn shown(url: &str) -> String {
    match url.parse::<http::Uri>() {
        Ok(uri) => format!(
            "{}://{}",
            uri.scheme_str().unwrap_or("https"),
            uri.authority().map_or("", |at| at.as_str().rsplit('@').next().unwrap_or(""))
        ),
        Err(_) => "https://…".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_others_compute() {
        // printf '1790000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_planted_0123456789
        assert_eq!(
            signature(&Secret::new("whsec_planted_0123456789"), 1_790_000_000, br#"{"a":1}"#),
            "t=1790000000,v1=4ddfbf9b731a1658cd3ca9294cfcb94965bc507f0582bc3414ab4e27806b8615"
        );
    }

    #[test]
    fn what_may_be_secret_in_an_address_is_not_shown() {
        for (url, seen) in [
            ("https://hooks.example:8443/services/T0/B0/PLANTED?key=PLANTED", "https://hooks.example:8443"),
            ("https://user:PLANTED@hooks.example/", "https://hooks.example"),
            ("https://a b/PLANTED", "https://…"),
        ] {
            assert_eq!(shown(url), seen);
        }
    }
}
