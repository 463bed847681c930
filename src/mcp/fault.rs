//! Faults at the MCP edge: which become JSON-RPC errors, and what those say.
//!
//! Nearly everything that goes wrong in a call is a tool result with `isError`, made by the spine. JSON-RPC errors are
//! for what never was a call: an unknown tool (-32602), a bad cursor (-32602), our own mistake (-32603), and for
//! resources and prompts, whose results have no `isError` (-32000): the spine's error stands in `data` then.

use crate::base::fault::{Fault, Kind};
use crate::dispatch::Reply;
use crate::shape::untrusted;
use rmcp::ErrorData;
use rmcp::model::ErrorCode;
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

/// Longest name of an unknown tool or resource that is repeated to its sender, in characters.
const NAME_CHARS: usize = 64;

/// No such tool for this caller.
pub fn unknown_tool(name: &str) -> ErrorData {
    let name = short(name);
    let hint = "call tools.search to find a tool by words";
    ErrorData::invalid_params(format!("unknown tool: {name}; {hint}"), Some(json!({ "hint": hint })))
}

/// A cursor we did not give out; the list is one page, so none is ours.
pub fn invalid_cursor(list: &str) -> ErrorData {
    ErrorData::invalid_params(format!("invalid cursor: {list} is one page; call it without cursor"), None)
}

/// A cursor that is none, or of another list.
pub fn stale_cursor(list: &str) -> ErrorData {
    ErrorData::invalid_params(format!("invalid cursor: pass nextCursor of {list} as it came, or none to begin again"), None)
}

/// An address that is no resource, or not one for this caller. -32002, which 2026-07-28 spells -32602 (rmcp sees to it).
pub fn unknown_resource(uri: &str) -> ErrorData {
    let uri = short(uri);
    let hint = "resources/list and resources/templates/list tell the addresses there are";
    ErrorData::resource_not_found(format!("no such resource: {uri}; {hint}"), Some(json!({ "uri": uri, "hint": hint })))
}

/// An address of the contract whose tool this build lacks.
pub fn not_in_this_build(uri: &str, tool: &str) -> ErrorData {
    let uri = short(uri);
    ErrorData::resource_not_found(format!("{uri} cannot be read: {tool} is not in this build"), Some(json!({ "uri": uri })))
}

/// Nothing of ours broke, but it was not read: of the range that JSON-RPC leaves to servers.
const UNREAD: ErrorCode = ErrorCode(-32000);

/// Why a resource was not read: the fault of the tool behind it. Another's device is as unknown as none.
pub fn unread(reply: &Reply, uri: &str) -> ErrorData {
    let mut error = reply.structured.get("error").cloned().unwrap_or_default();
    let said = error.get("message").and_then(Value::as_str).unwrap_or("it could not be read").to_owned();
    error["uri"] = short(uri).into();
    match reply.fault {
        Some(Kind::NotFound) => ErrorData::resource_not_found(said, Some(error)),
        Some(Kind::BadInput) => ErrorData::invalid_params(said, Some(error)),
        Some(Kind::Bug) | None => ErrorData::internal_error(said, Some(error)),
        Some(_) => ErrorData::new(UNREAD, said, Some(error)),
    }
}

/// More subscriptions than one device, or one session, may have.
pub fn too_many(said: String) -> ErrorData {
    let hint = "end a subscription first, or raise sse.max_subscriptions_per_device";
    let error = json!({ "kind": Kind::Busy.as_str(), "hint": hint, "retryable": Kind::Busy.may_retry() });
    ErrorData::internal_error(said, Some(error))
}

/// What a client wrote, short enough to repeat.
pub fn short(text: &str) -> String {
    text.chars().filter(|c| !untrusted::is_unseen(*c)).take(NAME_CHARS).collect()
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
