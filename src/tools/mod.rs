//! Verbs: what callers can ask for. A folder a category, a file a tool.

pub mod arguments;
pub mod context;
pub mod schema;
pub mod spec;
