//! What routers measure for us, and where a packet would go.
//!
//! A measurement is cut into pieces of a few seconds, each a command that ends by itself: partial results are told after
//! each, and no request is aborted in flight: after a cancel, or at the end of the tool's time, no further piece begins, and
//! what was measured until then is the answer, with `complete: false` (to whoever still listens: MCP answers no cancelled
//! request).

use crate::tools::spec::Tool;

mod bandwidth_test;
pub mod limits;
mod outcome;
mod path;
mod ping;
pub mod tables;
mod target;
mod torch;
mod traceroute;

pub(crate) use path::row as shown_row;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&ping::TOOL, &traceroute::TOOL, &torch::TOOL, &bandwidth_test::TOOL, &path::TOOL];
