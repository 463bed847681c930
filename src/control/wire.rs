//! The lines of the control socket.

use crate::base::fault::{Fault, Kind};
use crate::control::fault::ControlError;
use crate::dispatch::Reply;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The protocol's version. Both sides must speak the same: they are installed together.
pub const VERSION: u64 = 1;

/// For whom a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The local administrator: every verb.
    Operator,
    /// As `mcp.stdio_role`: what MCP offers.
    Model,
}

/// What a connection wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "open", rename_all = "snake_case")]
pub enum Open {
    /// Who holds the store.
    Hello,
    /// An MCP byte stream.
    Mcp,
    /// One call.
    Call {
        /// `category.action`.
        tool: String,
        /// As for `tools/call`.
        #[serde(default)]
        arguments: Map<String, Value>,
        /// For whom.
        audience: Speaker,
    },
    /// A local operation.
    Op {
        /// Its name, `audit.verify`.
        op: String,
        /// What it takes.
        #[serde(default)]
        arguments: Map<String, Value>,
    },
}

impl Open {
    /// The first line of a connection.
    pub fn line(&self) -> String {
        let mut line = serde_json::to_value(self).unwrap_or_default();
        line["version"] = VERSION.into();
        line["client"] = json!({ "name": "routeros-mcp", "version": env!("CARGO_PKG_VERSION") });
        line.to_string()
    }

    /// Reads the first line of a connection.
    ///
    /// # Errors
    /// `conflict` for another protocol version, `bad_input` for what is no opening.
    pub fn read(line: &[u8]) -> Result<Open, Fault> {
        let wrong = |why: String| {
            Fault::bad_input(format!("the first line must say what to open: {why}")).hint("use the routeros-mcp command line")
        };
        let value: Value = serde_json::from_slice(line).map_err(|_| wrong("it is not JSON".into()))?;
        match value.get("version").and_then(Value::as_u64) {
            None => return Err(wrong("it has no version".into())),
            Some(theirs) if theirs != VERSION => return Err(ControlError::Version { theirs, ours: VERSION }.into()),
            Some(_) => {}
        }
        Open::deserialize(&value).map_err(|error| wrong(error.to_string().chars().take(200).collect()))
    }
}

/// Who holds the store, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Always true.
    pub ok: bool,
    /// The control protocol it speaks.
    pub version: u64,
    /// The build's version.
    pub server: String,
    /// Its process id.
    pub pid: u32,
    /// Its state directory.
    pub data_dir: String,
}

/// A refusal's line.
pub fn refusal(fault: &Fault) -> String {
    json!({ "error": { "kind": fault.kind, "message": fault.said, "hint": fault.hint } }).to_string()
}

/// A reply's line.
pub fn reply(reply: &Reply) -> String {
    json!({ "result": reply.to_mcp(), "kind": reply.fault, "unknown_tool": reply.unknown_tool }).to_string()
}

/// A progress line.
pub fn progress(done: f64, total: Option<f64>, message: &str) -> String {
    json!({ "progress": { "done": done, "total": total, "message": message } }).to_string()
}

/// The refusal in an answer, if it is one.
pub fn refused(answer: &Value) -> Option<Fault> {
    let error = answer.get("error")?;
    let kind = error.get("kind").and_then(|kind| Kind::deserialize(kind).ok()).unwrap_or(Kind::Bug);
    let fault = Fault::new(kind, error.get("message").and_then(Value::as_str).unwrap_or("refused"));
    Some(match error.get("hint").and_then(Value::as_str) {
        Some(hint) => fault.hint(hint),
        None => fault,
    })
}

/// The reply in an answer, if it is one.
pub fn replied(mut answer: Value) -> Option<Reply> {
    let fault = Option::<Kind>::deserialize(answer.get("kind")?).ok()?;
    let unknown_tool = answer.get("unknown_tool").and_then(Value::as_bool).unwrap_or_default();
    let result = answer.get_mut("result")?;
    let text = result.pointer("/content/0/text")?.as_str()?.to_owned();
    let structured = result.get_mut("structuredContent")?.take();
    let Value::Object(meta) = result.get_mut("_meta")?.take() else { return None };
    Some(Reply { structured, text, meta, fault, unknown_tool })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_read_what_they_write() {
        let arguments = Map::from_iter([("a".to_owned(), json!([1]))]);
        for open in [
            Open::Hello,
            Open::Mcp,
            Open::Call { tool: "device.list".into(), arguments: arguments.clone(), audience: Speaker::Operator },
            Open::Op { op: "audit.verify".into(), arguments },
        ] {
            assert_eq!(Open::read(open.line().as_bytes()).unwrap(), open);
        }
    }

    #[test]
    fn another_version_is_told_apart_from_nonsense() {
        for (line, kind) in [
            (r#"{"open":"mcp","version":2}"#, Kind::Conflict),
            (r#"{"open":"mcp"}"#, Kind::BadInput),
            (r#"{"open":"door","version":1}"#, Kind::BadInput),
            (r#"{"open":"call","version":1,"tool":"a.b","audience":"root"}"#, Kind::BadInput),
            ("GET / HTTP/1.1", Kind::BadInput),
        ] {
            assert_eq!(Open::read(line.as_bytes()).unwrap_err().kind, kind, "{line}");
        }
    }

    #[test]
    fn replies_and_refusals_survive_the_wire() {
        let sent = Reply {
            structured: json!({"error": {"kind": "busy"}}),
            text: "busy".into(),
            meta: Map::from_iter([("correlation_id".to_owned(), json!("c"))]),
            fault: Some(Kind::Busy),
            unknown_tool: true,
        };
        let got = replied(serde_json::from_str(&reply(&sent)).unwrap()).unwrap();
        assert_eq!(
            (got.structured, got.text, got.meta, got.fault, got.unknown_tool),
            (sent.structured, sent.text, sent.meta, sent.fault, true)
        );
        let fault = refused(&serde_json::from_str(&refusal(&Fault::denied("no").hint("ask"))).unwrap()).unwrap();
        assert_eq!((fault.kind, fault.said.as_str(), fault.hint.as_deref()), (Kind::Denied, "no", Some("ask")));
    }
}
