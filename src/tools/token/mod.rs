//! Static API tokens for programs that call over HTTP.

use crate::tools::spec::Tool;

mod create;
mod list;
mod revoke;
pub(super) mod view;

/// In the order of `token --help`.
pub const TOOLS: &[&Tool] = &[&create::TOOL, &list::TOOL, &revoke::TOOL];
