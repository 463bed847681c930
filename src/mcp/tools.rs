//! Tools and replies in rmcp's types.

use crate::base::tier::Effect;
use crate::dispatch::{Listed, Reply};
use rmcp::model::{CallToolResult, ContentBlock, Implementation, MetaObject, ResultType, Tool, ToolAnnotations};

/// Where the 2026-07-28 revision wants the server's identity in a result's `_meta`.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// A tool as `tools/list` shows it.
pub fn listed(listed: &Listed) -> Tool {
    Tool::new_with_raw(listed.name.clone(), Some(listed.tool.about.into()), listed.input.clone())
        .with_title(listed.tool.title)
        .with_raw_output_schema(listed.output.clone())
        .with_annotations(annotations(listed.tool.effect))
}

/// Whether a call of that name, in either spelling, may be made twice without harm; not for names this build lacks.
pub fn only_reads(name: &str) -> bool {
    crate::tools::find(name).is_some_and(|tool| tool.only_reads())
}

/// All four hints, never by default: clients decide on them whether to ask a person first.
fn annotations(effect: Effect) -> ToolAnnotations {
    let (reads, destructive, idempotent) = match effect {
        Effect::Reads => (true, false, true),
        // A plan is only written down; two calls write two.
        Effect::Plans => (false, false, false),
        // Settling a plan twice is refused, but the first time does something to a network.
        Effect::Decides => (false, true, false),
        // Direct writes ask for a state: asking again changes nothing.
        Effect::Changes | Effect::Administers | Effect::Approves => (false, true, true),
    };
    // Routers are outside, and others write on them.
    ToolAnnotations::new().read_only(reads).destructive(destructive).idempotent(idempotent).open_world(true)
}

/// The answer to `tools/call`: the structure, and exactly one text block.
pub fn result(reply: Reply) -> CallToolResult {
    let is_error = reply.is_error();
    let text = vec![ContentBlock::text(reply.text)];
    let mut result = if is_error { CallToolResult::error(text) } else { CallToolResult::success(text) };
    result.structured_content = Some(reply.structured);
    result.meta = (!reply.meta.is_empty()).then_some(MetaObject(reply.meta));
    // rmcp takes it off again for peers older than 2026-07-28.
    result.result_type = Some(ResultType::COMPLETE);
    result
}

/// Says who answered, as every result of 2026-07-28 should.
pub fn sign(meta: &mut Option<MetaObject>, server: &Implementation) {
    if let Ok(server) = serde_json::to_value(server) {
        meta.get_or_insert_default().0.insert(SERVER_INFO.into(), server);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_hint_is_explicit_and_reading_never_destroys() {
        for effect in [Effect::Reads, Effect::Changes, Effect::Plans, Effect::Decides, Effect::Administers, Effect::Approves] {
            let shown = serde_json::to_value(annotations(effect)).unwrap();
            for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
                assert!(shown[hint].is_boolean(), "{effect:?} {hint}");
            }
            assert_eq!(shown["readOnlyHint"], effect == Effect::Reads);
            assert!(!(shown["readOnlyHint"] == true && shown["destructiveHint"] == true));
        }
    }

    #[test]
    fn a_reply_is_one_text_block_and_its_structure() {
        let mut reply =
            Reply { structured: json!({"a": 1}), text: "a: 1".into(), meta: Default::default(), fault: None, unknown_tool: false };
        reply.meta.insert("correlation_id".into(), "c".into());
        let shown = serde_json::to_value(result(reply.clone())).unwrap();
        assert_eq!(
            shown,
            json!({"resultType": "complete", "content": [{"type": "text", "text": "a: 1"}], "structuredContent": {"a": 1}, "isError": false, "_meta": {"correlation_id": "c"}})
        );
        reply.fault = Some(crate::base::fault::Kind::Busy);
        assert_eq!(serde_json::to_value(result(reply)).unwrap()["isError"], true);
    }
}
