//! What was configured and what changed since: snapshots, differences, drift.

use crate::tools::spec::Tool;

mod diff;
mod get_drift;
mod get_snapshot;
mod list_snapshots;
mod set_baseline;
mod show;
mod side;
mod take_snapshot;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] =
    &[&list_snapshots::TOOL, &get_snapshot::TOOL, &diff::TOOL, &get_drift::TOOL, &take_snapshot::TOOL, &set_baseline::TOOL];
