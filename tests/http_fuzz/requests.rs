//! Requests of HTTP/1.1, some as they should be, most of them not.

use super::dice::Dice;
use super::messages;
use crate::http_rig::{headers, in_session};
use serde_json::Value;

/// What a case may use.
pub struct Ground {
    pub token: String,
    pub session: String,
}

/// A case: its bytes in the pieces they are sent in, and whether our side is closed after them.
pub struct Case {
    pub pieces: Vec<Vec<u8>>,
    pub half_closed: bool,
}

const PATHS: [&str; 22] = [
    "/mcp",
    "/mcp/",
    "//mcp",
    "/mcp/../mcp",
    "/%6dcp",
    "/mcp%00",
    "/mcp?x=1",
    "/mcp?access_token=x",
    "/mcp#x",
    "/mcp;x",
    "/health",
    "/health/live",
    "/health/../mcp",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/admin/",
    "/metrics",
    "*",
    "http://localhost/mcp",
    "http://evil.example/mcp",
    "localhost:80",
    "/\u{7f}\u{e9}",
];

const METHODS: [&str; 12] =
    ["POST", "GET", "DELETE", "OPTIONS", "PUT", "HEAD", "PATCH", "CONNECT", "TRACE", "PRI", "post", "A-VERY-LONG-METHOD"];

pub fn case(dice: &mut Dice, ground: &Ground) -> Case {
    let mut bytes = if dice.once_in(40) { dice.bytes(3_000) } else { request(dice, ground) };
    if dice.strays(6) {
        dice.spoil(&mut bytes);
    }
    let half_closed = dice.strays(8);
    let mut pieces = vec![bytes];
    while dice.once_in(3) && pieces.len() < 5 {
        let last = pieces.pop().unwrap();
        let (one, other) = last.split_at(if last.is_empty() { 0 } else { dice.below(last.len()) });
        pieces.extend([one.to_vec(), other.to_vec()]);
    }
    Case { pieces, half_closed }
}

fn request(dice: &mut Dice, ground: &Ground) -> Vec<u8> {
    let (message, method, of_session) = messages::message(dice);
    let body = messages::text(dice, &message);
    let verb = if dice.strays(8) { *dice.pick(&METHODS) } else { "POST" };
    let path = if dice.strays(8) { *dice.pick(&PATHS) } else { "/mcp" };
    let version = if dice.strays(16) { *dice.pick(&["HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTP/1.1x", ""]) } else { "HTTP/1.1" };
    let mut head = format!("{verb} {path} {version}\r\n");
    head.push_str(&fields(dice, ground));
    head.push_str(&belonging(dice, ground, &message, &method, of_session));
    let (framing, body) = framed(dice, body);
    head.push_str(&framing);
    if dice.once_in(2) {
        head.push_str("Connection: close\r\n");
    }
    head.push_str("\r\n");
    [head.into_bytes(), body].concat()
}

/// What every request says of itself.
fn fields(dice: &mut Dice, ground: &Ground) -> String {
    let mut fields = String::new();
    let mut add = |line: String| fields.push_str(&line);
    match if dice.strays(10) { dice.below(3) } else { 3 } {
        0 => {}
        1 => add(format!("Host: {}\r\n", dice.text())),
        2 => add("Host: localhost\r\nHost: localhost\r\n".into()),
        _ => add("Host: localhost\r\n".into()),
    }
    match if dice.strays(6) { dice.below(3) } else { 3 } {
        0 => {}
        1 => add(format!("Authorization: {}\r\n", dice.text())),
        2 => add(format!("Authorization: Bearer rmcp_{}\r\n", dice.next())),
        _ => add(format!("Authorization: Bearer {}\r\n", ground.token)),
    }
    match if dice.strays(10) { dice.below(2) } else { 2 } {
        0 => {}
        1 => add(format!("Content-Type: {}\r\n", dice.pick(&["text/plain", "application/json5", "multipart/form-data", ";", ""]))),
        _ => {
            add(format!("Content-Type: {}\r\n", dice.pick(&["application/json", "application/json; charset=utf-16", "APPLICATION/JSON ;"])))
        }
    }
    match if dice.strays(12) { dice.below(2) } else { 2 } {
        0 => {}
        1 => add(format!("Accept: {}\r\n", dice.pick(&["*/*", "text/html", "application/json", "text/event-stream", ",,,", "q=0"]))),
        _ => add("Accept: application/json, text/event-stream\r\n".into()),
    }
    if dice.strays(6) {
        fields.push_str(&odd(dice));
    }
    fields
}

/// Its session, or the headers that repeat what is in it.
fn belonging(dice: &mut Dice, ground: &Ground, message: &Value, method: &str, of_session: bool) -> String {
    let repeated = || headers(method, message.get("params").unwrap_or(&Value::Null));
    match if dice.strays(8) { dice.below(4) } else { 4 } {
        0 => String::new(),
        1 => in_session(&dice.text()),
        2 => format!("{}{}", in_session(&ground.session), repeated()),
        3 => format!("MCP-Protocol-Version: {}\r\n", dice.text()),
        _ if of_session && method == "initialize" => String::new(),
        _ if of_session => in_session(&ground.session),
        _ => repeated(),
    }
}

/// Fields that nobody needs.
fn odd(dice: &mut Dice) -> String {
    match dice.below(12) {
        0 => format!("X-Long: {}\r\n", "a".repeat(40_000)),
        1 => "X-Many: 1\r\n".repeat(200),
        2 => format!("{}: x\r\n", "N".repeat(5_000)),
        3 => format!("X-Odd: {}\r\n", dice.text()),
        4 => format!(" folded: {}\r\n", dice.text()),
        5 => format!("{}: x\r\n", dice.text()),
        6 => format!("Last-Event-ID: {}\r\n", dice.pick(&["0/0", "99999999999999999999/1", "x", "-1", "0"])),
        7 => format!("Origin: {}\r\n", dice.pick(&["null", "http://localhost", "https://evil.example", ""])),
        8 => format!("X-Correlation-ID: {}\r\n", dice.text()),
        9 => format!("Expect: {}\r\n", dice.pick(&["100-continue", "x"])),
        10 => format!("Upgrade: {}\r\nConnection: upgrade\r\n", dice.pick(&["websocket", "h2c"])),
        _ => format!("Content-Encoding: {}\r\nX-Forwarded-For: {}\r\n", dice.pick(&["gzip", "identity"]), dice.text()),
    }
}

/// How the body says where it ends, and the body so written.
fn framed(dice: &mut Dice, body: Vec<u8>) -> (String, Vec<u8>) {
    let right = format!("Content-Length: {}\r\n", body.len());
    match if dice.strays(6) { dice.below(8) } else { 8 + dice.below(4) } {
        0 => (String::new(), body),
        1 => (format!("Content-Length: {}\r\n", dice.pick(&["-1", "99999999999999999999", "0x10", "5, 5", "5,6", "+3", "", " 7"])), body),
        2 => (format!("Content-Length: {}\r\n", body.len() + 1 + if dice.once_in(2) { 2_000_000 } else { dice.below(100) }), body),
        3 => (format!("Content-Length: {}\r\n", dice.below(body.len() + 1)), body),
        4 => (format!("{right}{right}"), body),
        5 => (format!("{right}Transfer-Encoding: chunked\r\n"), body),
        6 => (
            format!("Transfer-Encoding: {}\r\n", dice.pick(&["gzip", "chunked, chunked", "identity", "xchunked", "chunked;", "\tchunked"])),
            body,
        ),
        7 => ("Transfer-Encoding: chunked\r\n".to_owned(), chunked(dice, &body, 4)),
        8 => ("Transfer-Encoding: chunked\r\n".to_owned(), chunked(dice, &body, usize::MAX)),
        _ => (right, body),
    }
}

/// In chunks, one in so many of which is wrong.
fn chunked(dice: &mut Dice, body: &[u8], wrong: usize) -> Vec<u8> {
    let mut all = Vec::new();
    for part in body.chunks(1 + dice.below(body.len().max(1))) {
        let size = match dice.below(12) {
            0 => {
                (*dice.pick(&["-1", "ffffffffffffffff", "10000000000000000", "0x5", "", "g", " 3", "3;ext=\"", "00000000000000000000003"]))
                    .to_owned()
            }
            1 => format!("{:X};name=value", part.len()),
            _ => format!("{:x}", part.len()),
        };
        all.extend(size.into_bytes());
        all.extend(b"\r\n");
        all.extend(part);
        all.extend(if dice.once_in(wrong) { &b"\n"[..] } else { b"\r\n" });
    }
    let ends = [&b"0\r\nX-Trailer: 1\r\n\r\n"[..], b"", b"0\r\n", b"0\n\n"];
    all.extend(if dice.once_in(wrong) { *dice.pick(&ends) } else { b"0\r\n\r\n" });
    all
}
