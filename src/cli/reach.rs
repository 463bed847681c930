//! Who holds the store: a running appliance, through its control socket, or this process itself.

use crate::access::principal::Principal;
use crate::app::App;
use crate::base::fault::{Fault, Kind};
use crate::config::Loaded;
use crate::control::{Speaker, client};
use crate::dispatch::Call;
use crate::tools::spec::Audience;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long to wait for a holder that is just starting or leaving.
pub const HOLDER_WAIT: Duration = Duration::from_secs(5);

/// The pause between two tries at it.
pub const RETRY: Duration = Duration::from_millis(50);

/// Rows or lines asked for at a time: the most one call gives.
pub const PAGE: u16 = 500;

/// The way to the store.
pub enum Way {
    /// A running appliance has it.
    Holder(PathBuf),
    /// Nobody had it, so we do.
    Own(Box<App>),
}

/// The answer to a call, whichever way it went.
#[derive(Debug)]
pub struct Answered {
    /// The MCP result object.
    pub mcp: Value,
    /// What went wrong, if something did.
    pub kind: Option<Kind>,
}

impl Answered {
    /// The text block.
    pub fn text(&self) -> &str {
        self.mcp["content"][0]["text"].as_str().unwrap_or("")
    }

    /// The error, as this process reports it.
    pub fn fault(&self) -> Option<Fault> {
        let kind = self.kind?;
        let error = &self.mcp["structuredContent"]["error"];
        let fault = Fault::new(kind, error["message"].as_str().unwrap_or("the call failed"));
        Some(match error["hint"].as_str() {
            Some(hint) => fault.hint(hint),
            None => fault,
        })
    }
}

/// Lets a person take a call back with Ctrl-C and see what it has until then; the second time nothing is waited for.
async fn until_interrupted<T>(over: &CancellationToken, call: impl Future<Output = T>) -> Result<T, Fault> {
    let mut call = std::pin::pin!(call);
    loop {
        tokio::select! {
            answer = &mut call => return Ok(answer),
            Ok(()) = tokio::signal::ctrl_c() => match over.is_cancelled() {
                false => over.cancel(),
                true => return Err(Fault::new(Kind::Conflict, "interrupted")),
            },
        }
    }
}

/// Finds the way: the holder if one answers, else the store itself.
pub async fn find(loaded: &Loaded) -> Result<Way, Fault> {
    let socket = crate::app::places(loaded).control_socket();
    let deadline = tokio::time::Instant::now() + HOLDER_WAIT;
    loop {
        match client::hello(&socket).await {
            Ok(_) => return Ok(Way::Holder(socket)),
            Err(error) if error.is_nobody() => {}
            Err(error) => return Err(error.into()),
        }
        match App::build(loaded).await {
            Ok(app) => return Ok(Way::Own(Box::new(app))),
            // Another process took it between our two looks, and will answer on its socket soon.
            Err(fault) if fault.kind == Kind::Conflict && tokio::time::Instant::now() < deadline => tokio::time::sleep(RETRY).await,
            Err(fault) => return Err(fault),
        }
    }
}

impl Way {
    /// An operator's verb: its answer, or its fault.
    pub async fn operator(&self, tool: &str, arguments: Value) -> Result<Value, Fault> {
        let mut answered = self.call(tool, arguments, Audience::Operator).await?;
        match answered.fault() {
            Some(fault) => Err(fault),
            None => Ok(answered.mcp["structuredContent"].take()),
        }
    }

    /// All rows of an operator's list, page by page.
    pub async fn rows(&self, tool: &str) -> Result<Vec<Value>, Fault> {
        self.rows_of(tool, json!({})).await
    }

    /// The same of a list that takes arguments.
    pub async fn rows_of(&self, tool: &str, mut asked: Value) -> Result<Vec<Value>, Fault> {
        let mut rows = Vec::new();
        asked["limit"] = PAGE.into();
        loop {
            let mut answer = self.operator(tool, asked.clone()).await?;
            if let Value::Array(more) = answer["rows"].take() {
                rows.extend(more);
            }
            match answer["next_cursor"].as_str() {
                Some(next) => asked["cursor"] = next.into(),
                None => return Ok(rows),
            }
        }
    }

    /// A tool as the local MCP client would call it.
    pub async fn model(&self, tool: &str, arguments: Value) -> Result<Answered, Fault> {
        self.call(tool, arguments, Audience::Model).await
    }

    async fn call(&self, tool: &str, arguments: Value, audience: Audience) -> Result<Answered, Fault> {
        let arguments = match arguments {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let over = CancellationToken::new();
        match self {
            Way::Holder(path) => {
                let speaker = match audience {
                    Audience::Operator => Speaker::Operator,
                    Audience::Model => Speaker::Model,
                };
                let call = client::call_until(path, tool, arguments, speaker, over.clone(), |_, _, _| {});
                let reply = until_interrupted(&over, call).await??;
                Ok(Answered { kind: reply.fault, mcp: reply.to_mcp() })
            }
            Way::Own(app) => {
                let principal = match audience {
                    Audience::Operator => Principal::operator(),
                    Audience::Model => app.stdio_principal().through_our_command_line(),
                };
                let call = Call { cancel: over.clone(), ..Call::new(tool, arguments, Arc::new(principal), audience) };
                let reply = until_interrupted(&over, app.dispatch.call(call)).await?;
                Ok(Answered { mcp: reply.to_mcp(), kind: reply.fault })
            }
        }
    }

    /// What `tools/list` answers the local client.
    pub async fn tools(&self) -> Result<Value, Fault> {
        self.op("tools.list", Value::Null).await
    }

    /// An operation of the holder that is no call.
    pub async fn op(&self, name: &str, arguments: Value) -> Result<Value, Fault> {
        match self {
            Way::Holder(path) => Ok(client::op(path, name, arguments.as_object().cloned().unwrap_or_default()).await?),
            Way::Own(app) => app.ops().run(name, arguments).await,
        }
    }

    /// Goes on with plans that were being applied when the last process left, where nobody else does.
    pub async fn resume_plans(&self) -> Result<(), Fault> {
        match self {
            Way::Holder(_) => Ok(()),
            Way::Own(app) => app.plans().resume().await,
        }
    }

    /// Leaves the store in order, once no router is between two steps of a plan: what waits for a person can wait without us.
    pub async fn close(self) {
        if let Way::Own(app) = self {
            if let Err(fault) = app.plans().rest(false).await {
                tracing::error!("plans could not be waited for: {}", fault.chain());
            }
            app.close().await;
        }
    }
}
