//! Bytes in and out: response bodies, bodies that misbehave, and reads that lose a pipelined request.

use crate::sim::refusal::Refusal;
use crate::sim::row::Row;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::{Response, header};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A response body.
pub(super) type Body = BoxBody<Bytes, Infallible>;

/// First `.id` of rows made while they are sent.
pub(super) const FIRST_MADE: u32 = 0x10_0000;
/// Rows in one piece of a long generated body.
const ROWS_A_PIECE: u32 = 500;

/// A JSON answer; 204 has neither body nor type.
pub(super) fn json(status: u16, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(body).boxed());
    if let Ok(code) = hyper::StatusCode::from_u16(status) {
        *response.status_mut() = code;
    }
    if status != 204 {
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    }
    response
}

/// An error answer.
pub(super) fn refused(refusal: &Refusal) -> Response<Body> {
    if refusal.status == 403 {
        let page =
            Bytes::from_static(b"<!doctype html><html><head><title>Error 403: Forbidden</title></head><body>Forbidden</body></html>");
        let mut response = json(403, page);
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html"));
        return response;
    }
    let mut response = json(refusal.status, Bytes::from(refusal.body()));
    if refusal.status == 401 {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Basic realm=\"RouterOS\""));
    }
    response
}

/// An array that never ends.
pub(super) fn endless() -> Response<Body> {
    let rows = stream::unfold(0u32, |n| async move {
        let open = if n == 0 { "[" } else { "," };
        Some((
            Ok::<_, Infallible>(Frame::data(Bytes::from(format!("{open}{{\".id\":\"*{n:X}\",\"name\":\"row{n}\"}}")))),
            n.wrapping_add(1),
        ))
    });
    let mut response = json(200, Bytes::new());
    *response.body_mut() = StreamBody::new(rows).boxed();
    response
}

/// The list in `body` and `rows` made-up ones after it, in pieces.
pub(super) fn with_more_rows(body: Vec<u8>, path: &str, rows: u32) -> Response<Body> {
    let menu = path.to_string();
    let more = More { rows, row: Arc::new(move |n| Some(made_up(&menu, n))), show: Arc::new(|_| true) };
    with_more(body, more)
}

/// Rows made while they are sent.
#[derive(Clone)]
pub(super) struct More {
    pub rows: u32,
    /// The nth row, unless it is filtered out.
    pub row: Arc<dyn Fn(u32) -> Option<Row> + Send + Sync>,
    /// Whether an attribute is asked for.
    pub show: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl std::fmt::Debug for More {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "More({})", self.rows)
    }
}

/// The list in `body` and more rows after it, in pieces.
pub(super) fn with_more(body: Vec<u8>, more: More) -> Response<Body> {
    let rows = more.rows;
    if body.first() != Some(&b'[') {
        return json(200, Bytes::from(body));
    }
    let empty = body.iter().filter(|b| !b.is_ascii_whitespace()).count() <= 2;
    let head = body[..body.len() - 1].to_vec();
    let pieces = stream::unfold((Some(head), 0u32, empty), move |(head, from, mut first)| {
        let more = more.clone();
        async move {
            if let Some(head) = head {
                return Some((head, (None, from, first)));
            }
            if from > rows {
                return None;
            }
            let to = from.saturating_add(ROWS_A_PIECE).min(rows);
            let mut piece = Vec::new();
            for row in (from..to).filter_map(|n| (more.row)(n)) {
                if !std::mem::take(&mut first) {
                    piece.push(b',');
                }
                row.write(&mut piece, |name| (more.show)(name));
            }
            let next = if to == rows { rows + 1 } else { to };
            if to == rows {
                piece.push(b']');
            }
            Some((piece, (None, next, first)))
        }
    });
    let frames = futures_util::StreamExt::map(pieces, |piece| Ok::<_, Infallible>(Frame::data(Bytes::from(piece))));
    let mut response = json(200, Bytes::new());
    *response.body_mut() = StreamBody::new(Box::pin(frames)).boxed();
    response
}

fn made_up(menu: &str, n: u32) -> Row {
    let row =
        Row::new(Some(FIRST_MADE + n)).with("comment", format!("generated row {n}")).with("disabled", "false").with("dynamic", "false");
    match menu {
        m if m.ends_with("address-list") => row
            .with("list", "generated")
            .with("address", format!("10.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255))
            .with("creation-time", "2026-03-02 19:46:26"),
        m if m.contains("/firewall/") => {
            row.with("chain", "forward").with("action", "accept").with("bytes", "0").with("packets", "0").with("invalid", "false")
        }
        _ => row.with("name", format!("row{n}")).with("address", format!("10.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255)),
    }
}

/// Puts bytes right behind the start of the first `comment`, or else of the first value.
pub(super) fn taint(body: &mut Vec<u8>, bytes: &[u8]) {
    let find = |what: &[u8]| body.windows(what.len()).position(|w| w == what).map(|at| at + what.len());
    if let Some(at) = find(b"\"comment\":\"").or_else(|| find(b"\":\"")) {
        body.splice(at..at, bytes.iter().copied());
    }
}

/// A stream whose reads keep only one request: what follows the first one in the same read is lost.
pub(super) struct OneAtATime<S>(S);

impl<S> OneAtATime<S> {
    pub fn new(stream: S) -> Self {
        OneAtATime(stream)
    }
}

/// Where a second request starts in what was read, if one does.
fn second_request(bytes: &[u8]) -> Option<usize> {
    const STARTS: [&[u8]; 5] = [b"GET /", b"POST /", b"PUT /", b"PATCH /", b"DELETE /"];
    if !STARTS.iter().any(|s| bytes.starts_with(s)) {
        return None;
    }
    // Inside a JSON body these words can only stand in a string; a line break before them cannot.
    let after_head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let is_start = |at: usize| STARTS.iter().any(|s| bytes[at..].starts_with(s)) && matches!(bytes[at - 1], b'\n' | b'}');
    (after_head..bytes.len()).find(|at| is_start(*at))
}

impl<S: AsyncRead + Unpin> AsyncRead for OneAtATime<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.0).poll_read(cx, buf);
        if let Some(cut) = second_request(&buf.filled()[before..]) {
            buf.set_filled(before + cut);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for OneAtATime<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
