//! The spine: one call's whole journey.

pub mod call;

use crate::access::principal::Principal;
use crate::base::fault::Kind;
use crate::tools::spec::Audience;
pub use call::{Call, Listed, Progress, Reply};

/// Takes every call, whoever makes it.
pub struct Dispatch {}

impl Dispatch {
    /// Runs one call to its answer. Never panics, never returns early without an audit record.
    pub async fn call(&self, call: Call) -> Reply {
        Reply { structured: serde_json::json!({}), text: call.tool, meta: Default::default(), fault: Some(Kind::Bug), unknown_tool: false }
    }

    /// The tools this principal is shown, in their fixed order.
    pub fn list(&self, _principal: &Principal, _audience: Audience) -> Vec<Listed> {
        Vec::new()
    }
}
