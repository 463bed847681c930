//! Bodies of requests: within their size and time, or not at all.

use crate::http::fault::Refusal;
use crate::http::inflow::Inflow;
use crate::mcp::message::{MAX_DEPTH, depth};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use hyper::header::{self, HeaderMap};
use hyper::{Request, StatusCode};
use serde_json::{Map, Value};
use std::time::Duration;

/// The whole body, of at most `most` bytes, if it comes within `time`.
pub async fn body(body: Inflow, most: usize, time: Duration) -> Result<Bytes, Refusal> {
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

/// A body of that media type.
pub async fn of_kind(kind: &str, headers: &HeaderMap, incoming: Inflow, most: usize, time: Duration) -> Result<Bytes, Refusal> {
    let is_it = |given: &str| given.split(';').next().is_some_and(|given| given.trim().eq_ignore_ascii_case(kind));
    if !headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok()).is_some_and(is_it) {
        return Err(Refusal::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", format!("send Content-Type: {kind}")).closing());
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Refusal::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_encoding", "send the body as it is").closing());
    }
    body(incoming, most, time).await
}

/// The members of a JSON object; none when the request has no body at all.
pub async fn object(request: Request<Inflow>, most: usize, time: Duration) -> Result<Map<String, Value>, Refusal> {
    let (parts, incoming) = request.into_parts();
    if incoming.is_end_stream() && !parts.headers.contains_key(header::CONTENT_TYPE) {
        return Ok(Map::new());
    }
    let bytes = of_kind("application/json", &parts.headers, incoming, most, time).await?;
    let wrong = |said: &str| Refusal::of(StatusCode::BAD_REQUEST, "body", said);
    if depth(&bytes) > MAX_DEPTH {
        return Err(wrong("the body nests too deep"));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(wrong("the body is no JSON object")),
        Err(_) => Err(wrong("the body is not JSON")),
    }
}
