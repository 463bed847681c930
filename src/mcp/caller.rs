//! Who asks for a resource, a prompt or a completion, and the one way to an answer: the tool that reads the same thing,
//! through the spine. So policy, redaction, marks of untrusted text, budget and the trail are the same as for the tool.

use crate::access::principal::Principal;
use crate::base::ids::CorrelationId;
use crate::dispatch::{Call, Dispatch, Reply};
use crate::mcp::settings::Settings;
use crate::tools;
use crate::tools::spec::{Audience, Tool};
use futures_util::FutureExt;
use serde_json::{Map, Value};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// One request's surroundings.
#[derive(Clone)]
pub struct Caller {
    /// The spine.
    pub dispatch: Arc<Dispatch>,
    /// How the server presents itself.
    pub settings: Arc<Settings>,
    /// Who asks.
    pub principal: Arc<Principal>,
    /// Fires when nobody waits any more.
    pub cancel: CancellationToken,
    /// The thread of the request, where there is one.
    pub correlation: Option<CorrelationId>,
}

impl Caller {
    /// Runs a tool for what is no call of it. `Err`: it panicked; the id is for whoever asks.
    pub async fn run(&self, tool: &str, arguments: Map<String, Value>) -> Result<Reply, CorrelationId> {
        let mut call = Call::new(tool, arguments, self.principal.clone(), Audience::Model);
        call.cancel = self.cancel.clone();
        call.max_age = self.settings.max_age;
        call.as_tool = false;
        if let Some(id) = &self.correlation {
            call.correlation_id = id.clone();
        }
        let id = call.correlation_id.clone();
        AssertUnwindSafe(self.dispatch.call(call)).catch_unwind().await.map_err(|_| id)
    }

    /// The tool, if this build has it for models.
    pub fn tool(name: &str) -> Option<&'static Tool> {
        tools::find(name).filter(|tool| tool.audience == Audience::Model)
    }

    /// The first of `names` that the tool has an argument for.
    pub fn argument(tool: &Tool, names: &[&'static str]) -> Option<&'static str> {
        let input = (tool.input)();
        names.iter().copied().find(|name| input.get("properties").is_some_and(|known| known.get(*name).is_some()))
    }
}
