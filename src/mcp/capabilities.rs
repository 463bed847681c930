//! What clients say they can do.

use crate::mcp::fault::short;
use rmcp::model::ClientCapabilities;

/// Names told in a line of the log.
const TOLD: usize = 8;

/// Tells whoever reads the log what a client offers beyond the protocol: nobody here uses it.
pub(super) fn tell_unknown(said: &ClientCapabilities) {
    let unknown = unknown(said);
    if !unknown.is_empty() {
        tracing::info!(capabilities = unknown.join(", "), "a client has capabilities that we do not know");
    }
}

fn unknown(said: &ClientCapabilities) -> Vec<String> {
    let experimental = said.experimental.iter().flat_map(|all| all.keys());
    let extensions = said.extensions.iter().flat_map(|all| all.keys());
    experimental.chain(extensions).take(TOLD).map(|name| short(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_beyond_the_protocol_are_named_and_hidden_characters_are_not() {
        let said = serde_json::json!({"roots": {}, "experimental": {"x\u{200b}y": {}}, "extensions": {"io.example/ui": {}}});
        assert_eq!(unknown(&serde_json::from_value(said).unwrap()), ["xy", "io.example/ui"]);
        assert!(unknown(&ClientCapabilities::default()).is_empty());
    }
}
