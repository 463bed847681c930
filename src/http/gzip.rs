//! Answers made smaller, for whoever takes gzip: pages, JSON of the admin API, metrics, the files of pages.
//!
//! - Never a stream of events, and never what is sent already packed.
//! - Never the answer to anything but GET: what is made freshly and is secret (a token) stands in the answer to a POST, and how small
//!   a page with a secret and somebody else's words becomes can tell the secret, letter by letter (BREACH). A page that has to show a
//!   secret to a GET says so with [`Plain`]. Pages without one give nothing away; a stranger's page cannot even ask for them as
//!   whoever is signed in, because the cookie is `SameSite=Strict`.
//!
//! Source: RFC 1952; RFC 9110, 12.5.3; <https://breachattack.com>

use crate::http::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Body as _;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Response};

/// Shorter bodies fit into a packet or two as they are.
const LEAST: u64 = 1_000;
/// What is made anew for each answer: most of what is to be had, quickly.
const QUICK: u8 = 5;
/// What is packed once.
const BEST: u8 = 9;

/// Marks a response whose body is never packed.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

/// Whether the client takes gzip.
pub fn is_taken(headers: &HeaderMap) -> bool {
    let mut any = false;
    for value in headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()) {
        for coding in value.split(',') {
            let mut parts = coding.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.trim().parse::<f32>().ok());
            let is_wanted = quality.is_some_and(|q| q > 0.0);
            match name.to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => return is_wanted,
                "*" => any = is_wanted,
                _ => {}
            }
        }
    }
    any
}

/// Bytes as gzip has them, as small as can be.
pub fn packed(plain: &[u8]) -> Vec<u8> {
    pack(plain, BEST)
}

fn pack(plain: &[u8], level: u8) -> Vec<u8> {
    // No name, no time, any system.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(miniz_oxide::deflate::compress_to_vec(plain, level));
    out.extend(crc32fast::hash(plain).to_le_bytes());
    out.extend((plain.len() as u32).to_le_bytes());
    out
}

/// The response, smaller where it may be and the client `takes` it. Says that it may be, in any case.
pub async fn shrunk(response: Response<Body>, method: &Method, takes: bool) -> Response<Body> {
    let is_asked = matches!(*method, Method::GET | Method::HEAD);
    if !is_asked || !may_shrink(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !takes {
        return Response::from_parts(parts, body);
    }
    let Ok(plain) = body.collect().await.map(|whole| whole.to_bytes());
    let packed = pack(&plain, QUICK);
    let body = if packed.len() < plain.len() {
        parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Bytes::from(packed)
    } else {
        plain
    };
    Response::from_parts(parts, Full::new(body).boxed())
}

/// Text of a known length that is long enough, and no secret.
fn may_shrink(response: &Response<Body>) -> bool {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_text = ["text/html", "text/plain", "application/json"].iter().any(|text| kind.starts_with(text));
    is_text
        && !headers.contains_key(header::CONTENT_ENCODING)
        && response.extensions().get::<Plain>().is_none()
        && response.body().size_hint().exact().is_some_and(|size| size >= LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use std::convert::Infallible;

    fn asks(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn only_who_says_so_takes_it() {
        for (value, takes) in [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("deflate, GZIP;q=0.5", true),
            ("*", true),
            ("br, *;q=0.1", true),
            ("gzip;q=0", false),
            ("*, gzip;q=0", false),
            ("*;q=0", false),
            ("gzip; q=0.0", false),
            ("gzip;q=x", false),
            ("identity", false),
            ("", false),
            ("gzipped", false),
        ] {
            assert_eq!(is_taken(&asks(value)), takes, "{value:?}");
        }
        assert!(!is_taken(&HeaderMap::new()));
    }

    fn unpacked(bytes: &[u8]) -> Vec<u8> {
        assert_eq!(bytes[..4], [0x1f, 0x8b, 8, 0]);
        let (deflated, tail) = bytes[10..].split_at(bytes.len() - 18);
        let plain = miniz_oxide::inflate::decompress_to_vec(deflated).unwrap();
        assert_eq!(tail, [crc32fast::hash(&plain).to_le_bytes(), (plain.len() as u32).to_le_bytes()].concat());
        plain
    }

    #[test]
    fn what_is_packed_is_what_gzip_makes() {
        let text = "text that repeats itself, and repeats itself. ".repeat(100);
        let out = packed(text.as_bytes());
        assert!(out.len() < text.len() / 10);
        assert_eq!(unpacked(&out), text.as_bytes());
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926, "the checksum of gzip, not another");
    }

    fn page(kind: &'static str, size: usize) -> Response<Body> {
        let mut response = Response::new(Full::new(Bytes::from("page ".repeat(size / 5))).boxed());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }

    async fn coded(response: Response<Body>, method: Method, takes: bool) -> (bool, bool) {
        let response = shrunk(response, &method, takes).await;
        let has = |name| response.headers().contains_key(name);
        (has(header::CONTENT_ENCODING), has(header::VARY))
    }

    #[tokio::test]
    async fn pages_are_packed_and_answers_with_secrets_streams_and_small_ones_are_not() {
        const HTML: &str = "text/html; charset=utf-8";
        assert_eq!(coded(page(HTML, 5_000), Method::GET, true).await, (true, true));
        assert_eq!(coded(page("application/json", 5_000), Method::GET, true).await, (true, true));
        assert_eq!(coded(page(HTML, 5_000), Method::GET, false).await, (false, true), "a cache has to know");
        assert_eq!(coded(page(HTML, 5_000), Method::POST, true).await, (false, false), "a token just made");
        assert_eq!(coded(page(HTML, 500), Method::GET, true).await, (false, false));
        assert_eq!(coded(page("image/png", 5_000), Method::GET, true).await, (false, false));
        let mut secret = page(HTML, 5_000);
        secret.extensions_mut().insert(Plain);
        assert_eq!(coded(secret, Method::GET, true).await, (false, false));
        let frames = futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b'x'; 5_000])))]);
        let mut stream = Response::new(StreamBody::new(frames).boxed());
        stream.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        assert_eq!(coded(stream, Method::GET, true).await, (false, false));
    }

    #[tokio::test]
    async fn a_page_is_the_same_after_unpacking() {
        let response = shrunk(page("text/html", 5_000), &Method::GET, true).await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(unpacked(&body), "page ".repeat(1_000).as_bytes());
    }
}
