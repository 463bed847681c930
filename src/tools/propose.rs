//! Tools that write a plan for their caller: edits in, the plan out. One engine, one format.

use crate::base::fault::Fault;
use crate::plan::edit::{Edit, Request};
use crate::tools::context::Cx;
use crate::tools::plan;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A plan as it was just written down.
pub type Proposed = Map<String, Value>;

/// What is done to a row.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(in crate::tools) enum Action {
    Add,
    Modify,
    Remove,
}

/// The schema of a plan.
pub fn output() -> Map<String, Value> {
    plan::output()
}

/// Drafts the edits on these devices, in the name of the tool that runs.
pub async fn plan(cx: &Cx, devices: Vec<String>, reason: String, edits: Vec<Edit>) -> Result<Proposed, Fault> {
    plan::keep_draft(cx, Request { devices, reason, edits, ..Request::default() }).await
}

/// Names as RouterOS spells them: `src_address` is `src-address`.
pub fn spelled(attributes: Map<String, Value>) -> Map<String, Value> {
    attributes.into_iter().map(|(name, value)| (name.replace('_', "-"), value)).collect()
}
