//! Who answers MCP: whatever makes handlers.
//!
//! The listener keeps the transport, its callers and their limits; what is listed and done behind it comes from a
//! provider. The appliance is one.

use crate::access::principal::Principal;
use crate::dispatch::Dispatch;
use crate::mcp::handler::Handler;
use crate::mcp::settings::Settings;
use rmcp::ServerHandler;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// When a handler's work ends, though nobody asked for it.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    /// Open subscriptions get their last answer now.
    pub over: CancellationToken,
    /// Calls still running are cut short now, while there is time to say so.
    pub late: CancellationToken,
}

/// Makes the handler of a session, or of one request where there are no sessions.
pub trait Provider: Send + Sync + 'static {
    /// Answers the protocol's methods.
    type Handler: ServerHandler;

    /// For `who`, and nobody else.
    fn handler(&self, who: Arc<Principal>, ends: Ends) -> Self::Handler;
}

/// The appliance itself.
pub struct Appliance {
    dispatch: Arc<Dispatch>,
    settings: Arc<Settings>,
}

impl Appliance {
    /// Over the spine.
    pub fn new(dispatch: Arc<Dispatch>, settings: Arc<Settings>) -> Self {
        Appliance { dispatch, settings }
    }
}

impl Provider for Appliance {
    type Handler = Handler;

    fn handler(&self, who: Arc<Principal>, ends: Ends) -> Handler {
        Handler::new(self.dispatch.clone(), who, self.settings.clone(), ends)
    }
}
