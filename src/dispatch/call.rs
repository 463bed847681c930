//! What goes into the spine and what comes out.

use crate::access::Proven;
use crate::access::principal::Principal;
use crate::access::role::Role;
use crate::base::fault::Kind;
use crate::base::ids::CorrelationId;
use crate::tools::context::Progress;
use crate::tools::spec::{Audience, Tool};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// One call, however it came in.
#[derive(Clone)]
pub struct Call {
    /// `category.action`; `category_action` is taken too.
    pub tool: String,
    /// As the caller wrote them.
    pub arguments: Map<String, Value>,
    /// Who asks.
    pub principal: Arc<Principal>,
    /// The call's thread through log and audit.
    pub correlation_id: CorrelationId,
    /// The edge it came through: `mcp/` always says `Model`.
    pub audience: Audience,
    /// Fires when the caller no longer wants the answer.
    pub cancel: CancellationToken,
    /// Where progress goes, if the caller wants it.
    pub progress: Option<Arc<dyn Progress>>,
    /// How old a router's answer may be. Zero asks anew; only reads are ever kept.
    pub max_age: Duration,
    /// What the caller proved, where the edge knows more than who they are.
    pub proven: Option<Proven>,
    /// A person reads the answer: nothing in it is cut to what a model may be given.
    pub for_person: bool,
    /// Asked for as a tool, which `mcp.enable_tools` switches; resources and prompts have switches of their own.
    pub as_tool: bool,
}

impl Call {
    /// A call without progress that nobody cancels.
    pub fn new(tool: impl Into<String>, arguments: Map<String, Value>, principal: Arc<Principal>, audience: Audience) -> Self {
        Call {
            tool: tool.into(),
            arguments,
            principal,
            correlation_id: CorrelationId::random(),
            audience,
            cancel: CancellationToken::new(),
            progress: None,
            max_age: Duration::ZERO,
            proven: None,
            for_person: audience == Audience::Operator,
            as_tool: true,
        }
    }

    /// An operator's verb that nobody asked for: the appliance vouches for itself.
    pub fn of_appliance(tool: impl Into<String>, arguments: Map<String, Value>) -> Self {
        let principal = Principal { role: Role::Admin, ..Principal::background() };
        Call::new(tool, arguments, Arc::new(principal), Audience::Operator)
    }
}

/// The answer to a call; errors are answers too.
#[derive(Debug, Clone)]
pub struct Reply {
    /// `structuredContent`: the tool's answer, or `{"error": …}`.
    pub structured: Value,
    /// The same for reading: a compact table or `key: value` lines.
    pub text: String,
    /// `_meta`.
    pub meta: Map<String, Value>,
    /// What went wrong, if something did.
    pub fault: Option<Kind>,
    /// No such tool for this audience: MCP answers that with a protocol error.
    pub unknown_tool: bool,
}

impl Reply {
    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        self.fault.is_some()
    }

    /// The MCP `tools/call` result object.
    pub fn to_mcp(&self) -> Value {
        json!({
            "content": [{"type": "text", "text": self.text}],
            "structuredContent": self.structured,
            "isError": self.is_error(),
            "_meta": self.meta,
        })
    }
}

/// A tool as a client sees it in `tools/list`.
#[derive(Debug, Clone)]
pub struct Listed {
    /// With the configured separator.
    pub name: String,
    /// The tool itself.
    pub tool: &'static Tool,
    /// Schema of the arguments, as far as it helps before a call.
    pub input: Arc<Map<String, Value>>,
    /// Schema of the answer: an object.
    pub output: Arc<Map<String, Value>>,
}
