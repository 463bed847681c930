//! Tools of the suite that answer by themselves, and those that ask their client on the way, as sessions do.

use super::catalog::{AUDIO, IMAGE};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientResult, LoggingLevel, ProgressNotificationParam,
    ServerRequest,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Value, json};

/// A result, written as JSON.
pub fn result(content: Value) -> CallToolResult {
    serde_json::from_value(json!({"content": content, "resultType": "complete"})).unwrap()
}

pub fn text(said: impl Into<String>) -> CallToolResult {
    result(json!([{"type": "text", "text": said.into()}]))
}

/// Calls a tool; `None`: it is none of these.
pub async fn call(request: &CallToolRequestParams, cx: &RequestContext<RoleServer>) -> Option<Result<CallToolResponse, ErrorData>> {
    let given = |name: &str| request.arguments.as_ref().and_then(|given| given.get(name)).and_then(Value::as_str).unwrap_or_default();
    let resource =
        |uri: &str, kind: &str, text: &str| json!({"type": "resource", "resource": {"uri": uri, "mimeType": kind, "text": text}});
    let image = json!({"type": "image", "data": IMAGE, "mimeType": "image/png"});
    let result = match request.name.as_ref() {
        "test_simple_text" => text("This is a simple text response for testing."),
        "test_image_content" => result(json!([image])),
        "test_audio_content" => result(json!([{"type": "audio", "data": AUDIO, "mimeType": "audio/wav"}])),
        "test_embedded_resource" => {
            result(json!([resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")]))
        }
        "test_multiple_content_types" => {
            let more = resource("test://mixed-content-resource", "application/json", r#"{"test":"data","value":123}"#);
            result(json!([{"type": "text", "text": "Multiple content types test:"}, image, more]))
        }
        "test_error_handling" => {
            let mut result = text("This tool intentionally returns an error for testing");
            result.is_error = Some(true);
            result
        }
        "test_tool_with_logging" => logging(cx).await,
        "test_tool_with_progress" => progress(cx).await,
        "test_logging_tool" => {
            if let Some(level) = cx.meta.log_level() {
                log(cx, level, "a level was asked for").await;
            }
            text("Logging tool completed")
        }
        "test_custom_header" => text(given("value")),
        "json_schema_2020_12_tool" => text(format!("Hello, {}!", given("name"))),
        "test_sampling" => sampled(cx, given("prompt")).await,
        "test_elicitation" => elicited(cx, given("message"), answers()).await,
        "test_elicitation_sep1034_defaults" => elicited(cx, "Please review and update the form fields with defaults", defaults()).await,
        "test_elicitation_sep1330_enums" => elicited(cx, "Please choose", enums()).await,
        "test_reconnection" => text("Reconnection test completed"),
        "test_missing_capability" => {
            if cx.client_capabilities().is_none_or(|client| client.sampling.is_none()) {
                let needed: ClientCapabilities = serde_json::from_value(json!({"sampling": {}})).unwrap();
                return Some(Err(ErrorData::missing_required_client_capability(needed)));
            }
            text("The client can sample")
        }
        _ => return None,
    };
    Some(Ok(result.into()))
}

async fn log(cx: &RequestContext<RoleServer>, level: LoggingLevel, said: &str) {
    let param = rmcp::model::LoggingMessageNotificationParam::new(level, json!(said));
    cx.peer.notify_logging_message(param).await.unwrap();
}

async fn logging(cx: &RequestContext<RoleServer>) -> CallToolResult {
    for said in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        log(cx, LoggingLevel::Info, said).await;
    }
    text("Logging completed")
}

async fn progress(cx: &RequestContext<RoleServer>) -> CallToolResult {
    for done in [0.0, 50.0, 100.0] {
        if let Some(token) = cx.meta.get_progress_token() {
            cx.peer.notify_progress(ProgressNotificationParam::new(token, done).with_total(100.0)).await.unwrap();
        }
    }
    text("Progress completed")
}

/// Asks the client; what it says, as JSON.
async fn ask(cx: &RequestContext<RoleServer>, request: Value) -> Result<Value, String> {
    let request: ServerRequest = serde_json::from_value(request).unwrap();
    let answer: ClientResult = cx.peer.send_request(request).await.map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(answer).unwrap())
}

async fn sampled(cx: &RequestContext<RoleServer>, prompt: &str) -> CallToolResult {
    let messages = json!([{"role": "user", "content": {"type": "text", "text": prompt}}]);
    match ask(cx, json!({"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": 100}})).await {
        Ok(answer) => text(format!("LLM response: {}", answer["content"]["text"].as_str().unwrap_or("none"))),
        Err(error) => text(format!("Sampling error: {error}")),
    }
}

async fn elicited(cx: &RequestContext<RoleServer>, message: &str, schema: Value) -> CallToolResult {
    match ask(cx, json!({"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}})).await
    {
        Ok(answer) => {
            text(format!("Elicitation completed: action={}, content={}", answer["action"].as_str().unwrap_or("none"), answer["content"]))
        }
        Err(error) => text(format!("Elicitation error: {error}")),
    }
}

fn answers() -> Value {
    json!({"type": "object", "properties": {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    }, "required": ["username", "email"]})
}

fn defaults() -> Value {
    json!({"type": "object", "properties": {
        "name": {"type": "string", "description": "User name", "default": "John Doe"},
        "age": {"type": "integer", "description": "User age", "default": 30},
        "score": {"type": "number", "description": "User score", "default": 95.5},
        "status": {"type": "string", "description": "User status", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "description": "Verification status", "default": true},
    }, "required": []})
}

fn enums() -> Value {
    let titled = |names: [&str; 3]| -> Vec<Value> {
        let value = |(n, title): (usize, &&str)| json!({"const": format!("value{}", n + 1), "title": title});
        names.iter().enumerate().map(value).collect()
    };
    json!({"type": "object", "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {"type": "string", "oneOf": titled(["First Option", "Second Option", "Third Option"])},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled(["First Choice", "Second Choice", "Third Choice"])}},
    }, "required": []})
}
