//! Plans: changes that are written down first, and done once whoever must has said yes.
//!
//! A model proposes, applies what was approved, and undoes; only a person approves.

use crate::tools::spec::Tool;

mod apply;
mod approve;
mod cancel;
mod confirm;
mod create;
mod get;
mod get_diff;
mod keep;
mod list;
mod list_jobs;
mod live;
mod refuse;
mod reveal;
mod roll_back;
pub(super) mod show;

pub(in crate::tools) use create::keep_draft;
pub use live::Live;
pub use show::is_visible;
pub(in crate::tools) use show::output;

/// In the order of `tools/list`; then the verbs of people.
pub const TOOLS: &[&Tool] = &[
    &create::TOOL,
    &get::TOOL,
    &list::TOOL,
    &apply::TOOL,
    &confirm::TOOL,
    &roll_back::TOOL,
    &cancel::TOOL,
    &approve::TOOL,
    &refuse::TOOL,
    &keep::TOOL,
    &get_diff::TOOL,
    &list_jobs::TOOL,
    &reveal::TOOL,
];
