//! The two pages that are there before any page of the UI: one that goes on, one that says why not.
//!
//! A browser that comes from another site brings no `Strict` cookie. A page that sends it on within this site makes the next request
//! one of ours.

use crate::http::{Body, fault};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

/// Where people go on when nothing else was asked for.
pub const HOME: &str = "/admin/";

/// A page of ours that somebody may be sent on to: nothing that a browser could take for another site.
pub fn local(path: &str) -> Option<&str> {
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~?=&%#".contains(&byte));
    (path.starts_with(HOME) && plain && !path.contains("//") && path.len() <= 512).then_some(path)
}

/// Goes on to a page of ours, as if somebody had clicked there.
pub fn onward(to: &str) -> Response<Body> {
    let to = escaped(local(to).unwrap_or(HOME));
    html(
        StatusCode::OK,
        &format!(
            "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url={to}\"><title>routeros-mcp</title><p><a href=\"{to}\">Go on</a>"
        ),
    )
}

/// Says why somebody is not signed in.
pub fn sorry(status: StatusCode, said: &str, hint: Option<&str>) -> Response<Body> {
    let (said, hint) = (escaped(said), escaped(hint.unwrap_or_default()));
    html(
        status,
        &format!(
            "<!doctype html><meta charset=\"utf-8\"><title>routeros-mcp</title><h1>Not signed in</h1><p>{said}.<p>{hint}<p><a href=\"{HOME}\">Back</a>"
        ),
    )
}

fn html(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = fault::empty(status);
    *response.body_mut() = Full::new(Bytes::from(text.to_owned())).boxed();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut safe, c| {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_on_to_pages_of_ours_only() {
        for good in ["/admin/", "/admin/plans/plan-1", "/admin/audit?limit=5&device=x#last"] {
            assert_eq!(local(good), Some(good));
        }
        let long = format!("/admin/{}", "a".repeat(600));
        for bad in [
            "",
            "/",
            "/mcp",
            "/admin",
            "//evil.example/admin/",
            "/admin//evil.example",
            "https://evil.example/admin/",
            "/admin/\\evil",
            "/admin/\"><script>",
            "/admin/a b",
            "/admin/\n",
            "javascript:alert(1)",
            &long,
        ] {
            assert_eq!(local(bad), None, "{bad}");
        }
        assert_eq!(escaped("<a href=\"x\">'&'"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
    }
}
