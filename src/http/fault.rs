//! No, in the words of HTTP.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::CorrelationId;
use crate::http::Body;
use crate::mcp::message::INVALID_REQUEST;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

/// Why a request is not answered.
#[derive(Debug)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// A short name for log lines and counters.
    pub reason: &'static str,
    kind: Kind,
    said: String,
    hint: Option<String>,
    /// A JSON-RPC error in the body instead.
    message: Option<Vec<u8>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The status of a fault.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::BadInput => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unreachable | Kind::RouterDenied | Kind::Untrusted => StatusCode::BAD_GATEWAY,
        Kind::UnknownOutcome => StatusCode::GATEWAY_TIMEOUT,
        Kind::Busy => StatusCode::TOO_MANY_REQUESTS,
        Kind::Storage => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Config | Kind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Refusal {
    /// With a status and words of its own.
    pub fn of(status: StatusCode, reason: &'static str, said: impl Into<String>) -> Self {
        let kind = match status {
            StatusCode::NOT_FOUND => Kind::NotFound,
            StatusCode::UNAUTHORIZED => Kind::Unauthenticated,
            StatusCode::FORBIDDEN => Kind::Denied,
            StatusCode::TOO_MANY_REQUESTS => Kind::Busy,
            StatusCode::SERVICE_UNAVAILABLE => Kind::Storage,
            _ => Kind::BadInput,
        };
        Refusal { status, reason, kind, said: said.into(), hint: None, message: None, headers: Vec::new() }
    }

    /// A method that the path does not know; it takes those `allowed`: `GET, HEAD`.
    pub fn method(allowed: &str) -> Self {
        let refusal = Refusal::of(StatusCode::METHOD_NOT_ALLOWED, "method", format!("this path takes {allowed}"));
        match HeaderValue::from_str(allowed) {
            Ok(value) => refusal.with(header::ALLOW, value),
            Err(_) => refusal,
        }
    }

    /// What it says, and what the sender can do next.
    pub fn words(&self) -> (String, Option<String>) {
        (self.said.clone(), self.hint.clone())
    }

    /// The headers it comes with.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        self.headers.iter().cloned()
    }

    /// A JSON-RPC error.
    pub fn rpc(status: StatusCode, reason: &'static str, message: Vec<u8>) -> Self {
        Refusal { message: Some(message), ..Refusal::of(status, reason, "") }
    }

    /// In the words of JSON-RPC, where MCP is spoken: clients show those to whoever asked.
    #[must_use]
    pub fn spoken(mut self, correlation: &CorrelationId) -> Self {
        if self.message.is_none() {
            let said = self.hint.as_ref().map_or_else(|| self.said.clone(), |hint| format!("{}; {hint}", self.said));
            let data = json!({"kind": self.kind.as_str(), "hint": self.hint, "correlation_id": correlation.as_str()});
            let error = json!({"code": INVALID_REQUEST, "message": said, "data": data});
            self.message = Some(json!({"jsonrpc": "2.0", "id": null, "error": error}).to_string().into_bytes());
        }
        self
    }

    /// What the sender can do next.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Refusal { hint: Some(hint.into()), ..self }
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Nothing more is read from the connection.
    #[must_use]
    pub fn closing(self) -> Self {
        self.with(header::CONNECTION, HeaderValue::from_static("close"))
    }

    /// As it is sent.
    pub fn response(self, correlation: &CorrelationId) -> Response<Body> {
        let body = match self.message {
            Some(message) => message,
            None => {
                let error = json!({
                    "kind": self.kind.as_str(), "message": self.said, "hint": self.hint, "correlation_id": correlation.as_str(),
                });
                json!({ "error": error }).to_string().into_bytes()
            }
        };
        let mut response = bytes(self.status, "application/json", body);
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        if fault.kind == Kind::Bug {
            tracing::error!("{}", fault.chain());
        }
        let status = status(fault.kind);
        Refusal { kind: fault.kind, hint: fault.hint, ..Refusal::of(status, fault.kind.as_str(), fault.said) }
    }
}

/// Refuses what does not just read.
pub fn only_reads(method: &Method) -> Result<(), Refusal> {
    if matches!(*method, Method::GET | Method::HEAD) { Ok(()) } else { Err(Refusal::method("GET, HEAD")) }
}

/// A response without a body.
pub fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().boxed());
    *response.status_mut() = status;
    response
}

/// A JSON document.
pub fn json(status: StatusCode, document: &Value) -> Response<Body> {
    bytes(status, "application/json", document.to_string().into_bytes())
}

/// Plain text.
pub fn text(status: StatusCode, text: String) -> Response<Body> {
    bytes(status, "text/plain; charset=utf-8", text.into_bytes())
}

fn bytes(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body)).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
