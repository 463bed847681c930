//! What clients say they can do.

use crate::access::principal::Principal;
use crate::mcp::fault::short;
use rmcp::model::ClientCapabilities;

/// Names told in a line of the log.
const TOLD: usize = 8;

/// Tells whoever reads the log what a client brings as experimental or as an extension: nobody here uses it.
pub(super) fn tell_unknown(who: &Principal, said: &ClientCapabilities) {
    let unknown = unknown(said);
    if !unknown.is_empty() {
        let (client, version) = (&who.client.name, &who.client.version);
        tracing::info!(principal = who.name, %client, %version, capabilities = unknown.join(", "), "a client has capabilities that we do not know");
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
    use serde_json::json;

    #[test]
    fn capabilities_beyond_the_protocol_are_named_and_hidden_characters_are_not() {
        let said = json!({"roots": {}, "experimental": {"x\u{200b}y": {}}, "extensions": {"io.example/ui": {}}});
        assert_eq!(unknown(&serde_json::from_value(said).unwrap()), ["xy", "io.example/ui"]);
        assert!(unknown(&ClientCapabilities::default()).is_empty());
        let many: serde_json::Map<_, _> = (0..99).map(|n| (format!("c{n}"), json!({}))).collect();
        assert_eq!(unknown(&serde_json::from_value(json!({"experimental": many})).unwrap()).len(), TOLD);
    }
}
