//! `plan.create`: writes a change down, worked out on the routers as they are now.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{MAX_EDITS, MAX_REASON, Request};
use crate::tools::context::Cx;
use crate::tools::plan::show;
use crate::tools::spec::{Audience, Tool, object, run};
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "plan.create",
    title: "Plan a change",
    about: "Drafts a change of any menu on 1 to 50 devices and changes nothing: answers diff, risk, whether it can cut our access, approvals needed. Then plan.apply.",
    toolset: "core",
    tier: Tier::Basic,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &[],
    untrusted: &[],
    input,
    output: show::output,
    run: run!(run),
};

/// The plan object of the contract, in the words a model needs: derived from [`Request`] it would be twice as long. A test holds the
/// two together.
fn input() -> Map<String, Value> {
    let text = |about: &str| json!({"type": "string", "description": about});
    let flag = |about: &str| json!({"type": "boolean", "description": about});
    let row = |about: &str| json!({"type": "object", "description": about});
    let edit = json!({
        "type": "object",
        "properties": {
            "menu": text("e.g. /ip/firewall/filter"),
            "op": {"type": "string", "enum": ["add", "set", "remove", "move", "enable", "disable", "run"]},
            "match": row("Attributes that only this row has."),
            "each": flag("Several rows may match."),
            "values": row("Attributes to write; null unsets; secrets as {\"secret\": \"generate\"} or {\"secret\": \"vault:NAME\"}."),
            "place_before": {"type": ["object", "null"], "description": "The row to stand before; null: the end."},
            "command": text("For run: flush, renew, reset-counters, wol."),
            "match_all": flag("A rule without matchers is meant."),
        },
        "required": ["menu", "op"],
        "additionalProperties": false,
    });
    let check = json!({
        "type": "object",
        "properties": {"ping": {"type": "string"}, "from": {"type": "string"}, "reach": {"type": "string"}},
        "additionalProperties": false,
    });
    let batch = json!({
        "type": "object",
        "description": "The pace.",
        "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 50}, "canary": {"type": "integer", "minimum": 0, "maximum": 50}, "pause": {"type": "string"},
            "on_failure": {"type": "string", "enum": ["stop", "roll_back_all"]},
        },
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "devices": {"type": "array", "items": {"type": "string"}, "description": "Ids or names of one environment; or select."},
            "select": {
                "type": "object", "description": "Every device that fits.",
                "properties": {"environment": {"type": "string"}, "tags": {}}, "additionalProperties": false,
            },
            "reason": {"type": "string", "maxLength": MAX_REASON, "description": "Why, for who approves."},
            "edits": {"type": "array", "items": edit, "minItems": 1, "maxItems": MAX_EDITS, "description": "What to change, in order, in RouterOS names."},
            "confirm": {"type": "string", "enum": ["auto", "manual"], "description": "Kept once verified, or by a confirm; by risk unless set."},
            "confirm_timeout": text("How long a manual plan waits, e.g. 10m."),
            "verify": {"type": "array", "items": check, "description": "Must hold afterwards: ping an address, reach a device."},
            "batch": batch,
            "unguarded": flag("Apply even where no guard can be had."),
        },
        "required": ["edits"],
        "additionalProperties": false,
    });
    object(schema)
}

async fn run(cx: &Cx, request: Request) -> Result<Map<String, Value>, Fault> {
    keep_draft(cx, request).await
}

/// Drafts a plan in the name of the tool that runs, and shows it.
pub(in crate::tools) async fn keep_draft(cx: &Cx, request: Request) -> Result<Map<String, Value>, Fault> {
    let id = cx.world.plans.create_for(&cx.principal, cx.person()?, request, cx.tool.name).await?;
    show::shown(cx, &id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::schema;
    use std::collections::BTreeSet;

    fn names(schema: &Value) -> BTreeSet<&String> {
        schema["properties"].as_object().into_iter().flat_map(Map::keys).collect()
    }

    #[test]
    fn what_is_listed_is_what_a_plan_object_has() {
        let (listed, made) = (Value::Object(input()), Value::Object(schema::input::<Request>()));
        assert_eq!(names(&listed), names(&made));
        for inner in ["/properties/edits/items", "/properties/verify/items", "/properties/batch", "/properties/select"] {
            let of = |schema: &'_ Value| schema.pointer(inner).cloned().unwrap_or_default();
            assert_eq!(names(&of(&listed)), names(&of(&made)), "{inner}");
        }
    }
}
