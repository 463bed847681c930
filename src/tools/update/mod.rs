//! Updates of this appliance: for people alone. Nothing here is shown to a model, and no token completes it.

use crate::tools::spec::Tool;

mod apply;
mod check;
mod get_status;
mod person;
mod roll_back;
mod stage;
mod view;

/// In the order in which they are needed.
pub const TOOLS: &[&Tool] = &[&get_status::TOOL, &check::TOOL, &stage::TOOL, &apply::TOOL, &roll_back::TOOL];
