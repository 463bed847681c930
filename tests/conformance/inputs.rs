//! Tools and a prompt of the suite that answer with a question, as requests do since 2026-07-28. What they must remember
//! until the answer travels with the client, sealed.

use super::calls::text;
use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, CallToolResponse, ClientCapabilities, InputRequiredResult};
use serde_json::{Map, Value, json};

/// Seals what clients carry. A process's own is enough: no test outlives it.
const KEY: &[u8] = b"of the conformance fixtures alone";

fn key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, KEY)
}

fn sealed(state: &Value) -> String {
    let state = state.to_string();
    let tag = hmac::sign(&key(), state.as_bytes());
    format!("{}.{}", BASE64URL_NOPAD.encode(state.as_bytes()), BASE64URL_NOPAD.encode(tag.as_ref()))
}

fn opened(sealed: &str) -> Result<Value, ErrorData> {
    let open = || {
        let (state, tag) = sealed.split_once('.')?;
        let (state, tag) = (BASE64URL_NOPAD.decode(state.as_bytes()).ok()?, BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?);
        hmac::verify(&key(), &state, &tag).ok()?;
        serde_json::from_slice(&state).ok()
    };
    open().ok_or_else(|| ErrorData::invalid_params("requestState is not what was given out", None))
}

/// A form with one field.
pub fn form(message: &str, field: &str, kind: &str) -> Value {
    let schema = json!({"type": "object", "properties": {field: {"type": kind}}, "required": [field]});
    json!({"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}})
}

fn sampling(prompt: &str) -> Value {
    let messages = json!([{"role": "user", "content": {"type": "text", "text": prompt}}]);
    json!({"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": 100}})
}

fn roots() -> Value {
    json!({"method": "roots/list"})
}

/// The answer that asks.
pub fn asking(requests: Value, state: Option<Value>) -> InputRequiredResult {
    let mut result = json!({"resultType": "input_required", "inputRequests": requests});
    if let Some(state) = state {
        result["requestState"] = sealed(&state).into();
    }
    serde_json::from_value(result).unwrap()
}

/// What a client answered: objects only, anything else is asked for again.
pub struct Answers<'a>(pub Option<&'a std::collections::BTreeMap<String, Value>>);

impl Answers<'_> {
    fn get(&self, key: &str) -> Option<&Map<String, Value>> {
        self.0?.get(key)?.as_object()
    }

    /// A field of the form answered under this key.
    pub fn field(&self, key: &str, field: &str) -> Option<String> {
        let content = self.get(key)?.get("content")?;
        Some(content.get(field).and_then(Value::as_str).unwrap_or("none").to_owned())
    }
}

/// Calls a tool; `None`: it is none of these.
pub fn call(request: &CallToolRequestParams, client: &ClientCapabilities) -> Option<Result<CallToolResponse, ErrorData>> {
    let answers = Answers(request.input_responses.as_ref());
    let name = form("What is your name?", "name", "string");
    let everything = || json!({"user_name": name, "greeting": sampling("Generate a greeting"), "client_roots": roots()});
    let state = request.request_state.as_deref().map(opened).transpose();
    let state = match state {
        Ok(state) => state,
        Err(error) => return Some(Err(error)),
    };
    let asked = |requests: Value, state: Option<Value>| -> CallToolResponse { asking(requests, state).into() };
    let part = request
        .name
        .strip_prefix("test_input_required_result_")
        .or((request.name == "test_streaming_elicitation").then_some("streaming"))?;
    Some(Ok(match part {
        "streaming" => asked(json!({"value": form("Provide a value", "value", "string")}), None),
        "elicitation" => match answers.field("user_name", "name") {
            Some(name) => text(format!("Hello, {name}!")).into(),
            None => asked(json!({"user_name": name}), None),
        },
        "sampling" => match answers.get("capital_question") {
            Some(answer) => text(format!("Sampled: {}", answer["content"])).into(),
            None => asked(json!({"capital_question": sampling("What is the capital of France?")}), None),
        },
        "list_roots" => match answers.get("client_roots") {
            Some(answer) => text(format!("Roots: {}", answer["roots"])).into(),
            None => asked(json!({"client_roots": roots()}), None),
        },
        "request_state" | "tampered_state" => match state {
            Some(_) => text("Confirmed: state-ok").into(),
            None => asked(json!({"confirm": form("Please confirm", "ok", "boolean")}), Some(json!({"stage": "confirm"}))),
        },
        "multiple_inputs" => match ["user_name", "greeting", "client_roots"].iter().all(|key| answers.get(key).is_some()) {
            true if state.is_some() => text("All inputs received").into(),
            _ => asked(everything(), Some(json!({"stage": "gather"}))),
        },
        "multi_round" => match state.map_or(0, |state| state["round"].as_u64().unwrap_or(0)) {
            0 => asked(json!({"step1": form("Step 1: What is your name?", "name", "string")}), Some(json!({"round": 1}))),
            1 => asked(json!({"step2": form("Step 2: What is your favorite color?", "color", "string")}), Some(json!({"round": 2}))),
            _ => text("Multi-round flow complete").into(),
        },
        "capabilities" if answers.0.is_some() => text("Capability-aware flow complete").into(),
        "capabilities" => {
            let mut requests = everything();
            let can = [
                ("user_name", client.elicitation.is_some()),
                ("greeting", client.sampling.is_some()),
                ("client_roots", client.roots.is_some()),
            ];
            for (key, _) in can.iter().filter(|(_, can)| !can) {
                requests.as_object_mut().unwrap().shift_remove(*key);
            }
            match can.iter().any(|(_, can)| *can) {
                true => asked(requests, None),
                false => text("The client can answer nothing").into(),
            }
        }
        _ => return None,
    }))
}
