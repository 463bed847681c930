//! Faults at the MCP edge: which become JSON-RPC errors, and what those say.
//!
//! Nearly everything that goes wrong in a call is a tool result with `isError`, made by the spine. JSON-RPC errors are
//! for what never was a call: an unknown tool (-32602), a bad cursor (-32602), our own mistake (-32603).

use crate::base::fault::{Fault, Kind};
use crate::dispatch::Reply;
use rmcp::ErrorData;
use serde_json::{Value, json};

/// Why an MCP stream ended otherwise than by its client's wish.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// The stream broke or its first message was no beginning of a session.
    #[error("the MCP stream ended before a session began")]
    NoSession(#[source] Box<rmcp::service::ServerInitializeError>),
    /// The task that served the stream died.
    #[error("the MCP session broke off")]
    Broken(#[source] tokio::task::JoinError),
    /// Whoever served the session left, and nobody could take over in time.
    #[error("no server took the session over")]
    NoBackend(#[source] Fault),
}

impl From<McpError> for Fault {
    fn from(error: McpError) -> Fault {
        match error {
            McpError::NoSession(_) => Fault::bad_input(error.to_string()).hint("begin with initialize").cause(error),
            McpError::Broken(_) => Fault::bug(error),
            McpError::NoBackend(ref last) => {
                let (kind, hint) = (last.kind, format!("the last try said: {}", last.said));
                Fault::new(kind, error.to_string()).hint(hint).cause(error)
            }
        }
    }
}

/// Longest name of an unknown tool that is repeated to its sender, in characters.
const NAME_CHARS: usize = 64;

/// No such tool for this caller.
pub fn unknown_tool(name: &str) -> ErrorData {
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect();
    let hint = "call tools.search to find a tool by words";
    ErrorData::invalid_params(format!("unknown tool: {name}; {hint}"), Some(json!({ "hint": hint })))
}

/// A cursor we did not give out; the list is one page, so none is ours.
pub fn invalid_cursor() -> ErrorData {
    ErrorData::invalid_params("invalid cursor: tools/list is one page; call it without cursor", None)
}

/// Our own mistake: a neutral sentence and the thread to follow in the log.
pub fn bug(correlation_id: &str) -> ErrorData {
    ErrorData::internal_error(Fault::bug("").said, Some(json!({ "correlation_id": correlation_id })))
}

/// The reply as a JSON-RPC error, if it is one of those.
pub fn protocol_error(tool: &str, reply: &Reply) -> Option<ErrorData> {
    if reply.unknown_tool {
        return Some(unknown_tool(tool));
    }
    let id = reply.meta.get("correlation_id").and_then(Value::as_str).unwrap_or_default();
    (reply.fault == Some(Kind::Bug)).then(|| bug(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_repeated_short_and_clean() {
        let error = unknown_tool(&format!("a\u{1b}[31m{}", "x".repeat(500)));
        assert_eq!(error.code.0, -32602);
        assert!(error.message.starts_with("unknown tool: a[31mxxx"), "{}", error.message);
        assert!(error.message.len() < 200 && error.message.contains("tools.search"));
    }

    #[test]
    fn only_bugs_and_unknown_tools_are_protocol_errors() {
        for kind in Kind::ALL {
            let reply =
                Reply { structured: json!({}), text: String::new(), meta: Default::default(), fault: Some(kind), unknown_tool: false };
            assert_eq!(protocol_error("a.b", &reply).map(|e| e.code.0), (kind == Kind::Bug).then_some(-32603), "{kind:?}");
        }
    }
}
