//! The protocol's methods by name, for requests that rmcp could not read.

/// Methods that the 2026-07-28 revision no longer has, whatever their params.
const REMOVED: [&str; 5] = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];

/// What the params of a method must look like: rmcp hands requests over as custom when they do not. `None` for what is no method, or
/// none any more in the revision spoken.
pub(super) fn params(method: &str, is_modern: bool) -> Option<&'static str> {
    if is_modern && REMOVED.contains(&method) {
        return None;
    }
    Some(match method {
        "initialize" => "an object with protocolVersion, capabilities and clientInfo {name, version}",
        "tools/call" => "an object with name (a string) and arguments (an object)",
        "tools/list" => "an object, if any, with cursor (a string)",
        "ping" | "server/discover" => "an object, if any",
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => "an object with uri (a string)",
        "resources/list" | "resources/templates/list" | "prompts/list" => "an object, if any, with cursor (a string)",
        "prompts/get" => "an object with name (a string) and arguments (an object)",
        "completion/complete" => "an object with ref and argument {name, value}",
        "logging/setLevel" => "an object with level (a string)",
        "subscriptions/listen" => "an object with notifications (an object)",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_revision_removed_is_no_method_in_it() {
        for method in REMOVED {
            assert!(params(method, false).is_some() && params(method, true).is_none(), "{method}");
        }
        assert!(params("tools/call", true).is_some() && params("tools/none", false).is_none());
    }
}
