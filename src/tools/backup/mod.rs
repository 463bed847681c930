//! Backups of this appliance: making, checking and removing them. Restoring is for the command line, while nothing runs.

use crate::tools::spec::Tool;

mod create;
mod download;
mod list;
mod remove;
mod verify;
mod view;

/// In the order of `backup --help`.
pub const TOOLS: &[&Tool] = &[&create::TOOL, &list::TOOL, &verify::TOOL, &download::TOOL, &remove::TOOL];
