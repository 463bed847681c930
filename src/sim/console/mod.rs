//! The console's scripting language over the router's tables: what SSH lines, `/execute`, stored scripts and imports run in.
//!
//! | file | holds |
//! |---|---|
//! | `scan.rs`, `words.rs`, `parse.rs`, `values.rs`, `expr.rs`, `tree.rs` | from text to statements; names are looked up while reading |
//! | `value.rs`, `regex.rs` | what it computes with |
//! | `eval.rs`, `operate.rs`, `builtins.rs`, `convert.rs` | statements, variables, operators, words of the language |
//! | `command.rs`, `special.rs` | commands of menus, under the same policies and refusals as REST |
//! | `print.rs`, `export.rs` | tables, details, configuration as text |
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>

mod builtins;
mod command;
mod convert;
mod eval;
mod export;
mod expr;
mod operate;
mod parse;
mod print;
mod regex;
mod scan;
mod special;
mod tree;
mod value;
mod values;
mod words;

pub(super) use eval::{Machine, Stop};
pub(super) use parse::Reader;
pub use value::Value;

use super::world::World;

/// Whether a stored script can be read on this router: `invalid` of `/system/script`.
pub(super) fn readable(world: &World, source: &str) -> bool {
    Reader::new(source, "", true, &world.defs, &world.model).script().is_ok()
}
