//! Bodies of requests: within their size and time, or not at all.

use crate::http::fault::Refusal;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Body as _, Incoming};
use std::time::Duration;

/// The whole body, of at most `most` bytes, if it comes within `time`.
pub async fn body(body: Incoming, most: usize, time: Duration) -> Result<Bytes, Refusal> {
    let large = || {
        let said = format!("the body is larger than {most} bytes");
        Refusal::of(StatusCode::PAYLOAD_TOO_LARGE, "body", said).hint("http.max_body_bytes is the limit").closing()
    };
    if body.size_hint().lower() > most as u64 {
        return Err(large());
    }
    match tokio::time::timeout(time, Limited::new(body, most).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(large()),
        Ok(Err(_)) => Err(Refusal::of(StatusCode::BAD_REQUEST, "body", "the body broke off").closing()),
        Err(_) => Err(Refusal::of(StatusCode::REQUEST_TIMEOUT, "body", "the body did not come in time").closing()),
    }
}
