//! The answer to HEAD: what GET would be answered with, without its body.
//!
//! HTTP/1.1 leaves the body away by itself. On HTTP/2 hyper sends whatever it is given, and a client that gets a body for HEAD takes the
//! connection for broken; so it is taken away here, once for every route.
//!
//! Source: RFC 9110, 9.3.2; RFC 9113, 8.1.1

use crate::http::Body;
use http_body_util::{BodyExt, Empty};
use hyper::body::Body as _;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Response};

/// The response as it is; to HEAD without its body, whose length stays told where it is known.
pub fn fitting(method: &Method, response: Response<Body>) -> Response<Body> {
    if method != Method::HEAD {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // A body of no bytes has no length worth telling: 204 and 304 must not name one.
    if let Some(bytes) = body.size_hint().exact().filter(|bytes| *bytes > 0) {
        parts.headers.entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(bytes));
    }
    Response::from_parts(parts, Empty::new().boxed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::fault;
    use hyper::StatusCode;

    #[test]
    fn the_length_stays_and_the_body_goes() {
        let told = || fault::text(StatusCode::OK, "seven b".into());
        assert!(!fitting(&Method::GET, told()).body().is_end_stream());
        let response = fitting(&Method::HEAD, told());
        assert_eq!((&response.headers()[header::CONTENT_LENGTH], response.body().is_end_stream()), (&HeaderValue::from(7), true));
        let response = fitting(&Method::HEAD, fault::empty(StatusCode::NO_CONTENT));
        assert!(!response.headers().contains_key(header::CONTENT_LENGTH) && response.body().is_end_stream());
    }
}
