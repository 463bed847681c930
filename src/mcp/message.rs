//! One JSON-RPC message looked at from outside, without building what is inside.
//!
//! Enough to answer broken messages as JSON-RPC 2.0 asks, to know which request an answer belongs to, and to tolerate
//! one client quirk: serializers of languages whose empty map is an empty list write `"params": []` and
//! `"arguments": []` (or `""`), which `mcp.client_compatibility_mode = "permissive"` reads as `{}`.
//!
//! Source: <https://www.jsonrpc.org/specification>, <https://modelcontextprotocol.io/specification/2025-11-25/basic>

mod envelope;

use envelope::{Envelope, Params, Peek};
use serde_json::{Map, Value, json};

/// The text was no JSON.
pub const PARSE_ERROR: i32 = -32700;
/// The JSON was no message.
pub const INVALID_REQUEST: i32 = -32600;
/// The message's params do not fit.
pub const INVALID_PARAMS: i32 = -32602;
/// Our own mistake.
pub const INTERNAL_ERROR: i32 = -32603;

/// Nesting of arrays and objects that is still read. Nothing of MCP needs more than a few; parsers recurse.
pub const MAX_DEPTH: usize = 64;
/// A whole number of so many digits can be read, whatever they are.
const LARGEST_DIGITS: u32 = 300;

/// A request's id, as JSON text: `7`, `"7"` and `7.5` are three ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id(String);

impl Id {
    /// The id as JSON.
    pub fn json(&self) -> &str {
        &self.0
    }

    /// An id of ours that no client would use by chance.
    pub fn ours(n: u64) -> Self {
        Id(Value::String(format!("~{n}")).to_string())
    }

    /// Whether rmcp repeats it unchanged: strings and whole numbers of 64 bits. Others are stood in for.
    pub fn is_plain(&self) -> bool {
        self.0.starts_with('"') || self.0.parse::<i64>().is_ok_and(|n| n.to_string() == self.0)
    }
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Wants an answer.
    Request(Request),
    /// Wants none.
    Notification {
        /// Its method.
        method: String,
        /// The request a `notifications/cancelled` takes back.
        cancels: Option<Id>,
    },
    /// Answers a request.
    Answer {
        /// Of the request.
        id: Id,
        /// Whether it is a JSON-RPC error.
        is_error: bool,
    },
}

/// What is known of a request from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: Id,
    /// Its method.
    pub method: String,
    /// The tool a `tools/call` names.
    pub tool: Option<String>,
    /// The protocol version it carries in `_meta`, as requests do since 2026-07-28.
    pub version: Option<String>,
    /// Its params or arguments are an empty list or text where an object belongs.
    pub is_quirky: bool,
}

/// Why a message is not passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// JSON-RPC's code.
    pub code: i32,
    /// Of the message, when it could be read.
    pub id: Option<Id>,
    /// What is wrong, for the client.
    pub said: String,
}

impl Refusal {
    /// With an id or without.
    pub fn new(code: i32, id: Option<Id>, said: impl Into<String>) -> Self {
        Refusal { code, id, said: said.into() }
    }

    /// The error response.
    pub fn line(&self) -> Vec<u8> {
        let id = self.id.as_ref().map_or("null", Id::json);
        let error = json!({ "code": self.code, "message": self.said });
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{error}}}").into_bytes()
    }
}

/// Reads one message.
///
/// # Errors
/// The refusal to send: -32700 for what is no JSON, -32600 for what is no JSON-RPC 2.0 message or nests too deeply.
pub fn inspect(line: &[u8]) -> Result<Message, Refusal> {
    let text = std::str::from_utf8(line).map_err(|_| Refusal::new(PARSE_ERROR, None, "the message is not UTF-8"))?;
    let too_deep = depth(line) > MAX_DEPTH;
    let envelope: Envelope = serde_json::from_str(text).map_err(|error| if too_deep { deep(None) } else { unreadable(&error) })?;
    let id = match &envelope.id {
        None => None,
        Some(Peek::Number(n)) => Some(Id(n.to_string())),
        Some(Peek::Text(text)) => Some(Id(Value::String(text.clone()).to_string())),
        Some(_) => return Err(Refusal::new(INVALID_REQUEST, None, "id must be a string or a number")),
    };
    let refuse = |said: &str| Refusal::new(INVALID_REQUEST, id.clone(), said);
    if too_deep {
        return Err(deep(id));
    }
    if is_doubtful(line)
        && let Err(error) = serde_json::from_str::<Value>(text)
    {
        return Err(Refusal { id, ..unreadable(&error) });
    }
    if !matches!(&envelope.jsonrpc, Some(Peek::Text(version)) if version == "2.0") {
        return Err(refuse("jsonrpc must be \"2.0\""));
    }
    match (envelope.method, id.clone()) {
        (Some(Peek::Text(method)), Some(id)) => request(id, method, envelope.params),
        (Some(Peek::Text(method)), None) => {
            let cancels = (method == "notifications/cancelled").then_some(envelope.params.request_id).flatten();
            Ok(Message::Notification { method, cancels })
        }
        (Some(_), _) => Err(refuse("method must be a string")),
        (None, Some(id)) if envelope.has_result || envelope.has_error => Ok(Message::Answer { id, is_error: envelope.has_error }),
        (None, _) => Err(refuse("a message needs a method, or an id and a result or error")),
    }
}

/// Whether a part that the envelope only skips may be one that nobody can read: half a surrogate pair, a number beyond all numbers.
/// The server would drop such a message without a word, and its caller would wait for ever.
fn is_doubtful(line: &[u8]) -> bool {
    let mut digits = 0;
    line.windows(2).any(|pair| {
        digits = if pair[0].is_ascii_digit() { digits + 1 } else { 0 };
        pair == br"\u" || digits > LARGEST_DIGITS || (digits > 0 && matches!(pair[1], b'e' | b'E'))
    })
}

/// The id of an answer of our own server and whether it is an error, by the first bytes alone: answers are long, and
/// nothing else in them is looked at. `None`: begins otherwise, [`inspect`] knows.
pub fn answered(line: &[u8]) -> Option<(Id, bool)> {
    let rest = line.strip_prefix(br#"{"jsonrpc":"2.0","id":"#)?;
    let end = match rest.first()? {
        b'"' => 2 + rest[1..].iter().position(|byte| matches!(byte, b'"' | b'\\')).filter(|at| rest[1 + at] == b'"')?,
        _ => rest.iter().position(|byte| !byte.is_ascii_digit()).filter(|digits| *digits > 0)?,
    };
    let (id, rest) = rest.split_at(end);
    let is_error = if rest.starts_with(br#","result":"#) { false } else { rest.starts_with(br#","error":"#).then_some(true)? };
    Some((Id(std::str::from_utf8(id).ok()?.to_owned()), is_error))
}

fn request(id: Id, method: String, params: Params) -> Result<Message, Refusal> {
    if params.is_wrong {
        return Err(Refusal::new(INVALID_PARAMS, Some(id), "params must be an object"));
    }
    let tool = (method == "tools/call").then_some(params.name).flatten();
    Ok(Message::Request(Request { id, method, tool, version: params.version, is_quirky: params.is_quirky }))
}

fn deep(id: Option<Id>) -> Refusal {
    Refusal::new(INVALID_REQUEST, id, format!("the message nests deeper than {MAX_DEPTH} levels"))
}

fn unreadable(error: &serde_json::Error) -> Refusal {
    match error.classify() {
        serde_json::error::Category::Data => {
            Refusal::new(INVALID_REQUEST, None, "a message must be one JSON object without repeated names")
        }
        _ => Refusal::new(PARSE_ERROR, None, format!("the message is not JSON (column {})", error.column())),
    }
}

/// The deepest nesting outside strings. Broken JSON gives some number too.
pub fn depth(line: &[u8]) -> usize {
    let (mut now, mut most, mut in_text, mut escaped) = (0usize, 0, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !in_text => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// The line with another id, and with `{}` for empty params and arguments of another shape.
/// `None` when the line is no JSON object, which [`inspect`] has excluded.
pub fn rewritten(line: &[u8], id: &Id, mend: bool) -> Option<Vec<u8>> {
    let Value::Object(mut message) = serde_json::from_slice(line).ok()? else { return None };
    message.insert("id".into(), serde_json::from_str(id.json()).ok()?);
    if mend {
        mend_empty(&mut message, "params");
        if let Some(Value::Object(params)) = message.get_mut("params") {
            mend_empty(params, "arguments");
        }
    }
    Some(Value::Object(message).to_string().into_bytes())
}

fn mend_empty(map: &mut Map<String, Value>, key: &str) {
    let is_empty = match map.get(key) {
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Null) => true,
        _ => false,
    };
    if is_empty {
        map.insert(key.into(), json!({}));
    }
}

/// The cancellation of another id.
pub fn cancellation(line: &[u8], id: &Id) -> Option<Vec<u8>> {
    let mut message: Value = serde_json::from_slice(line).ok()?;
    *message.pointer_mut("/params/requestId")? = serde_json::from_str(id.json()).ok()?;
    Some(message.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> (i32, Option<String>) {
        let refusal = inspect(line.as_bytes()).unwrap_err();
        (refusal.code, refusal.id.map(|id| id.json().to_owned()))
    }

    fn id_of(line: &str) -> String {
        match inspect(line.as_bytes()) {
            Ok(Message::Request(request)) => request.id.json().to_owned(),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_quick_look_at_an_answer_agrees_with_the_thorough_one() {
        let mut quick = 0;
        for id in ["1", "0", "18446744073709551615", "\"a\"", "\"\"", "\"a\\\"b\"", "-1", "1.5", "null", "\"é\""] {
            for (member, expected) in [(r#""result":{"id":7}"#, false), (r#""error":{"code":-1,"message":"x"}"#, true)] {
                let line = format!(r#"{{"jsonrpc":"2.0","id":{id},{member}}}"#);
                if let Some((seen, is_error)) = answered(line.as_bytes()) {
                    quick += 1;
                    assert_eq!(is_error, expected);
                    assert!(matches!(inspect(line.as_bytes()), Ok(Message::Answer { id, .. }) if id == seen), "{line}");
                }
            }
        }
        assert_eq!(quick, 12);
        assert!(answered(br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).is_none());
        assert!(answered(br#"{"jsonrpc":"2.0","id":"#).is_none());
    }

    #[test]
    fn broken_messages_get_json_rpcs_codes_and_their_id_when_it_can_be_read() {
        let deep = |n: usize| format!(r#"{{"jsonrpc":"2.0","id":3,"method":"m","params":{{"a":{}{}}}}}"#, "[".repeat(n), "]".repeat(n));
        for (line, code, id) in [
            ("nonsense", PARSE_ERROR, None),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping""#, PARSE_ERROR, None),
            // What is passed over is read all the same: its caller would wait for ever.
            (r#"{"jsonrpc":"2.0","id":4,"method":"ping","x":"\ud800"}"#, PARSE_ERROR, Some("4")),
            (r#"{"jsonrpc":"2.0","id":5,"method":"ping","x":1e999}"#, PARSE_ERROR, Some("5")),
            ("\"text\"", INVALID_REQUEST, None),
            ("7", INVALID_REQUEST, None),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, INVALID_REQUEST, Some("1")),
            (r#"{"id":"a","method":"ping"}"#, INVALID_REQUEST, Some("\"a\"")),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, INVALID_REQUEST, None),
            (r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, INVALID_REQUEST, None),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, INVALID_REQUEST, None),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, INVALID_REQUEST, Some("1")),
            (r#"{"jsonrpc":"2.0","id":1}"#, INVALID_REQUEST, Some("1")),
            (r#"{"jsonrpc":"2.0"}"#, INVALID_REQUEST, None),
            (r#"{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}"#, INVALID_PARAMS, Some("1")),
            (&deep(MAX_DEPTH - 1), INVALID_REQUEST, Some("3")),
            (&deep(100_000), INVALID_REQUEST, Some("3")),
        ] {
            assert_eq!(refusal(line), (code, id.map(str::to_owned)), "{}", &line[..line.len().min(80)]);
        }
        assert!(inspect(deep(MAX_DEPTH - 2).as_bytes()).is_ok());
        assert_eq!(inspect(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").unwrap_err().code, PARSE_ERROR);
    }

    #[test]
    fn brackets_in_text_do_not_nest() {
        assert_eq!(depth(br#"{"a":"[[[[\"[[","b":[{}]}"#), 3);
    }

    #[test]
    fn ids_keep_their_type() {
        for (id, plain) in
            [("7", true), ("-7", true), ("\"7\"", true), ("\"\"", true), ("7.5", false), ("7.0", false), ("9223372036854775808", false)]
        {
            let text = id_of(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
            assert_eq!((text.as_str(), Id(text.clone()).is_plain()), (id, plain));
        }
    }

    #[test]
    fn knows_what_a_request_is_about() {
        let line = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},"name":"a.b","arguments":[]}}"#;
        let Ok(Message::Request(request)) = inspect(line) else { panic!("a request") };
        assert_eq!((request.tool.as_deref(), request.version.as_deref(), request.is_quirky), (Some("a.b"), Some("2026-07-28"), true));
        let cancel = inspect(br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"7"}}"#);
        assert_eq!(cancel, Ok(Message::Notification { method: "notifications/cancelled".into(), cancels: Some(Id("\"7\"".into())) }));
        assert_eq!(inspect(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Ok(Message::Answer { id: Id("1".into()), is_error: false }));
    }

    #[test]
    fn rewriting_mends_only_what_is_empty() {
        let new = |line: &str| String::from_utf8(rewritten(line.as_bytes(), &Id("2".into()), true).unwrap()).unwrap();
        assert_eq!(new(r#"{"id":1,"params":[]}"#), r#"{"id":2,"params":{}}"#);
        assert_eq!(new(r#"{"id":1,"params":{"arguments":""}}"#), r#"{"id":2,"params":{"arguments":{}}}"#);
        assert_eq!(new(r#"{"id":1,"params":{"arguments":[1]}}"#), r#"{"id":2,"params":{"arguments":[1]}}"#);
    }
}
