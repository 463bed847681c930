//! What the suite expects to find listed, as data.

use rmcp::model::{Prompt, Resource, ResourceTemplate, Tool};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A red pixel, and a moment of silence.
pub const IMAGE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";
pub const AUDIO: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

/// Tools without arguments.
const PLAIN: [&str; 27] = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_tool_with_logging",
    "test_error_handling",
    "test_tool_with_progress",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_reconnection",
    "test_trigger_tool_change",
    "test_trigger_prompt_change",
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_logging_tool",
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
    "failing_job",
    "protocol_error_job",
    "multi_input",
];

fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn tools() -> Vec<Tool> {
    let text = || json!({"type": "string"});
    let with = |name: &str, properties: Value, required: Value| json!({"name": name, "description": name, "inputSchema": {"type": "object", "properties": properties, "required": required}});
    let plain = PLAIN.iter().map(|name| with(name, json!({}), json!([])));
    let others = [
        with("test_sampling", json!({"prompt": text()}), json!(["prompt"])),
        with("test_elicitation", json!({"message": text()}), json!(["message"])),
        with("test_custom_header", json!({"value": {"type": "string", "x-mcp-header": "Value"}}), json!(["value"])),
        with("greet", json!({"name": text()}), json!(["name"])),
        with("slow_compute", json!({"seconds": {"type": "number"}, "label": text()}), json!([])),
        with("confirm_delete", json!({"filename": text()}), json!([])),
        with("test_tool_with_task", json!({}), json!([])),
        json!({"name": "json_schema_2020_12_tool", "description": "Carries what JSON Schema 2020-12 has", "inputSchema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {"address": {
                "$anchor": "address", "type": "object",
                "properties": {"street": text(), "city": text()},
            }},
            "properties": {"name": text(), "address": {"$ref": "#/$defs/address"}},
            "allOf": [{"anyOf": [{"required": ["name"]}, {"required": ["address"]}]}],
            "if": {"required": ["address"]},
            "then": {"properties": {"address": {"required": ["street"]}}},
            "else": {"required": ["name"]},
            "additionalProperties": false,
        }}),
    ];
    plain.chain(others).map(typed).collect()
}

pub fn resources() -> Vec<Resource> {
    typed(json!([
        {"uri": "test://static-text", "name": "Static text", "mimeType": "text/plain"},
        {"uri": "test://static-binary", "name": "Static binary", "mimeType": "image/png"},
        {"uri": "test://watched-resource", "name": "Watched", "mimeType": "text/plain"},
    ]))
}

pub fn templates() -> Vec<ResourceTemplate> {
    typed(json!([{"uriTemplate": "test://template/{id}/data", "name": "Templated", "mimeType": "application/json"}]))
}

/// The content at an address of the suite's.
pub fn content(uri: &str) -> Option<Value> {
    let id = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
    Some(match (uri, id) {
        ("test://static-text", _) => {
            json!({"uri": uri, "mimeType": "text/plain", "text": "This is the content of the static text resource."})
        }
        ("test://static-binary", _) => json!({"uri": uri, "mimeType": "image/png", "blob": IMAGE}),
        ("test://watched-resource", _) => json!({"uri": uri, "mimeType": "text/plain", "text": "Watched"}),
        (_, Some(id)) => {
            let text = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")}).to_string();
            json!({"uri": uri, "mimeType": "application/json", "text": text})
        }
        _ => return None,
    })
}

pub fn prompts() -> Vec<Prompt> {
    let argument = |name: &str| json!({"name": name, "description": name, "required": true});
    typed(json!([
        {"name": "test_simple_prompt", "description": "Without arguments"},
        {"name": "test_prompt_with_arguments", "description": "With arguments", "arguments": [argument("arg1"), argument("arg2")]},
        {"name": "test_prompt_with_embedded_resource", "description": "With a resource", "arguments": [argument("resourceUri")]},
        {"name": "test_prompt_with_image", "description": "With an image"},
        {"name": "test_input_required_result_prompt", "description": "Asks for more"},
    ]))
}

/// The messages of a prompt of the suite's.
pub fn messages(name: &str, given: impl Fn(&str) -> String) -> Option<Value> {
    let text = |text: String| json!({"role": "user", "content": {"type": "text", "text": text}});
    Some(match name {
        "test_simple_prompt" => json!([text("This is a simple prompt for testing.".into())]),
        "test_prompt_with_arguments" => {
            json!([text(format!("Prompt with arguments: arg1='{}', arg2='{}'", given("arg1"), given("arg2")))])
        }
        "test_prompt_with_embedded_resource" => {
            let resource = json!({"uri": given("resourceUri"), "mimeType": "text/plain", "text": "Embedded resource content for testing."});
            json!([
                {"role": "user", "content": {"type": "resource", "resource": resource}},
                text("Please process the embedded resource above.".into()),
            ])
        }
        "test_prompt_with_image" => json!([
            {"role": "user", "content": {"type": "image", "data": IMAGE, "mimeType": "image/png"}},
            text("Please analyze the image above.".into()),
        ]),
        _ => return None,
    })
}
