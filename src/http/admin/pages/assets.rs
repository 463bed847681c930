//! The files pages load: three, embedded, each under the digest of its content, so that browsers keep them for good; packed once,
//! when the first of them is asked for.

use crate::base::ids::hex;
use crate::http::Body;
use crate::http::fault::{self, Refusal};
use crate::http::gzip;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use std::sync::OnceLock;

struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const FILES: &[File] = &[
    File { name: "style.css", kind: "text/css; charset=utf-8", text: include_str!("../../../../assets/ui/style.css") },
    File { name: "app.js", kind: "text/javascript; charset=utf-8", text: include_str!("../../../../assets/ui/app.js") },
    File { name: "icon.svg", kind: "image/svg+xml", text: include_str!("../../../../assets/ui/icon.svg") },
];

/// The digests of the files, in their order.
fn digests() -> &'static [String] {
    static DIGESTS: OnceLock<Vec<String>> = OnceLock::new();
    DIGESTS.get_or_init(|| {
        let digest = |file: &File| hex(&ring::digest::digest(&ring::digest::SHA256, file.text.as_bytes()).as_ref()[..6]);
        FILES.iter().map(digest).collect()
    })
}

/// The files as gzip has them, in their order.
fn packed() -> &'static [Bytes] {
    static PACKED: OnceLock<Vec<Bytes>> = OnceLock::new();
    PACKED.get_or_init(|| FILES.iter().map(|file| Bytes::from(gzip::packed(file.text.as_bytes()))).collect())
}

/// Where a file is: `/admin/assets/0123456789ab-style.css`.
pub fn address(name: &str) -> String {
    let known = FILES.iter().zip(digests()).find(|(file, _)| file.name == name);
    known.map_or_else(String::new, |(file, digest)| format!("/admin/assets/{digest}-{}", file.name))
}

/// Answers a request for one.
pub fn answer(wanted: &str, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
    let is_it =
        |(file, digest): (&File, &String)| wanted.strip_prefix(digest.as_str()).and_then(|rest| rest.strip_prefix('-')) == Some(file.name);
    let Some(at) = FILES.iter().zip(digests()).position(is_it) else {
        return Err(Refusal::of(StatusCode::NOT_FOUND, "path", "there is no such file"));
    };
    let (file, digest, is_packed) = (&FILES[at], &digests()[at], gzip::is_taken(headers));
    let body = if is_packed { packed()[at].clone() } else { Bytes::from_static(file.text.as_bytes()) };
    // Other bytes, another tag.
    let tag = format!("\"{digest}{}\"", if is_packed { "-gz" } else { "" });
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes());
    let mut response = if is_known { fault::empty(StatusCode::NOT_MODIFIED) } else { Response::new(Full::new(body).boxed()) };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_packed_for_who_takes_it_under_a_tag_of_its_own() {
        let name = address("style.css");
        let name = name.strip_prefix("/admin/assets/").unwrap();
        let asks = |pairs: &[(header::HeaderName, &str)]| -> HeaderMap {
            pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
        };
        let plain = answer(name, &HeaderMap::new()).unwrap();
        let packed = answer(name, &asks(&[(header::ACCEPT_ENCODING, "gzip")])).unwrap();
        assert!(plain.headers().get(header::CONTENT_ENCODING).is_none() && packed.headers()[header::CONTENT_ENCODING] == "gzip");
        let tag = packed.headers()[header::ETAG].to_str().unwrap().to_owned();
        assert_ne!(plain.headers()[header::ETAG], tag.as_str());
        let again = answer(name, &asks(&[(header::ACCEPT_ENCODING, "gzip"), (header::IF_NONE_MATCH, &tag)])).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let other = answer(name, &asks(&[(header::IF_NONE_MATCH, &tag)])).unwrap();
        assert_eq!(other.status(), StatusCode::OK, "it was the packed one that is known");
    }

    #[test]
    fn every_file_is_where_its_address_says_and_nowhere_else() {
        for file in FILES {
            let address = address(file.name);
            let name = address.strip_prefix("/admin/assets/").unwrap();
            assert_eq!(answer(name, &HeaderMap::new()).unwrap().status(), StatusCode::OK);
            assert!(answer(file.name, &HeaderMap::new()).is_err());
            assert!(answer(&format!("000000000000-{}", file.name), &HeaderMap::new()).is_err());
        }
        for odd in ["", "../style.css", "%2e%2e/style.css"] {
            assert!(answer(odd, &HeaderMap::new()).is_err(), "{odd}");
        }
    }
}
