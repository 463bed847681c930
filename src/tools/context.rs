//! What a tool works with.

/// One call's surroundings.
pub struct Cx {}
