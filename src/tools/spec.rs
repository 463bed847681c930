//! What a tool is: everything about it but its work, declared once.
//!
//! From a [`Tool`] come the listing, both schemas, the annotations, the policy target, the audit record and the
//! contract tests.

use crate::access::policy::Target;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

/// Who a tool is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Models through MCP, and operators.
    Model,
    /// Operators alone: the command line and the admin pages.
    Operator,
}

/// One verb.
pub struct Tool {
    /// `category.action`; the file is named for the action.
    pub name: &'static str,
    /// For menus in client programs.
    pub title: &'static str,
    /// What comes back and when to use it: read by models.
    pub about: &'static str,
    /// The set it is listed in.
    pub toolset: &'static str,
    /// What it asks of the caller.
    pub tier: Tier,
    /// What it does.
    pub effect: Effect,
    /// Whom it is for.
    pub audience: Audience,
    /// How long it may take before the caller gets `unreachable`.
    pub timeout: Span,
    /// RouterOS menus it touches.
    pub paths: &'static [&'static str],
    /// JSON pointers, `*` for any index, of answer fields that outsiders can write on a router.
    pub untrusted: &'static [&'static str],
    /// Schema of the arguments.
    pub input: fn() -> Map<String, Value>,
    /// Schema of the answer.
    pub output: fn() -> Map<String, Value>,
    /// Its work.
    pub run: Run,
}

/// Arguments, already valid against `input`, to an answer that fits `output`.
pub type Run = for<'a> fn(&'a Cx, Map<String, Value>) -> BoxFuture<'a, Result<Value, Fault>>;

impl Tool {
    /// `system` of `system.get_overview`.
    pub fn category(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// What policy judges before any device is known.
    pub fn target(&self) -> Target<'static> {
        Target {
            tool: self.name,
            toolset: self.toolset,
            tier: self.tier,
            effect: self.effect,
            for_operators: self.audience == Audience::Operator,
            device: None,
            inner: None,
        }
    }

    /// Nothing changes by calling it.
    pub fn only_reads(&self) -> bool {
        self.effect == Effect::Reads
    }
}

impl std::fmt::Debug for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Makes a [`Run`] of `async fn(&Cx, Args) -> Result<Answer, Fault>`; the second argument turns the answer into JSON where
/// that is cheaper than serializing it.
macro_rules! run {
    ($handler:path) => {
        run!($handler, $crate::tools::spec::json)
    };
    ($handler:path, $json:path) => {
        |cx, arguments| {
            ::std::boxed::Box::pin(async move {
                let arguments = $crate::tools::arguments::typed(arguments)?;
                $json($handler(cx, arguments).await?)
            })
        }
    };
}

pub(crate) use run;

/// The members of an object that `json!` wrote.
pub(in crate::tools) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Any answer as JSON.
pub(crate) fn json(answer: impl serde::Serialize) -> Result<Value, Fault> {
    serde_json::to_value(answer).map_err(Fault::bug)
}
