//! What was configured and what changed since: snapshots, differences, drift.

use crate::tools::spec::Tool;

mod diff;
mod get_drift;
mod get_snapshot;
mod list_snapshots;
mod plan_address_list_sync;
mod plan_dns_ntp_rollout;
mod plan_restore;
mod set_baseline;
mod show;
mod side;
mod take_snapshot;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[
    &list_snapshots::TOOL,
    &get_snapshot::TOOL,
    &diff::TOOL,
    &get_drift::TOOL,
    &take_snapshot::TOOL,
    &set_baseline::TOOL,
    &plan_restore::TOOL,
    &plan_dns_ntp_rollout::TOOL,
    &plan_address_list_sync::TOOL,
];
