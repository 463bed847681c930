//! What leaves: an answer with what is known about it, cut to what a model may be given, or an error in words.

use super::Reply;
use crate::base::fault::{Fault, Kind};
use crate::base::tier::Effect;
use crate::fleet::Via;
use crate::routeros::fault::REFUSED;
use crate::shape::redact::without_login;
use crate::shape::{budget, table, untrusted};
use crate::tools::context::{Cx, Notes};
use crate::tools::spec::{Audience, Tool};
use serde_json::{Map, Value, json};

/// A tool's answer or fault, as it may leave.
pub(super) fn reply(cx: &Cx, notes: &Notes, result: Result<Value, Fault>) -> Reply {
    let mut meta = Map::new();
    meta.insert("correlation_id".into(), cx.correlation_id.as_str().into());
    let mut value = match result {
        Ok(value) => value,
        Err(fault) => return failed(cx, notes, &fault, meta),
    };
    say_whence(notes, &mut meta);
    let pointers: Vec<String> = cx.tool.untrusted.iter().map(|p| (*p).to_owned()).chain(notes.untrusted.iter().cloned()).collect();
    untrusted::answer(&mut value, if cx.for_person { &[] } else { &pointers });
    if !pointers.is_empty() {
        meta.insert("untrusted".into(), json!(pointers));
    }
    let settings = &cx.world.settings;
    let mut text = table::text(&value);
    let mut tokens = read_by_model(&value, &text);
    // No model reads what operators' verbs answer, and what was done cannot be refused any more.
    let has_limit = cx.tool.audience == Audience::Model && cx.tool.effect == Effect::Reads;
    if tokens > settings.warn_tokens {
        cx.world.meter().budget(cx.tool.name, tokens > settings.most_tokens && has_limit);
    }
    if tokens > settings.most_tokens && has_limit {
        match cut(&mut value, notes, settings.most_tokens) {
            Some(whole) => {
                meta.insert("token_warning".into(), format!("cut to fit {} tokens; go on with next_cursor", settings.most_tokens).into());
                text = whole;
                tokens = read_by_model(&value, &text);
            }
            None => return failed(cx, notes, &too_long(cx.tool, tokens, settings.most_tokens), meta),
        }
    } else if tokens > settings.warn_tokens {
        let hint = format!("about {tokens} tokens; name fields, narrow with where, or lower limit");
        meta.insert("token_warning".into(), hint.into());
    }
    meta.insert("estimated_tokens".into(), tokens.into());
    Reply { structured: value, text, meta, fault: None, unknown_tool: false }
}

/// The device the answer is about, and how and when it was read.
fn say_whence(notes: &Notes, meta: &mut Map<String, Value>) {
    if let Some((id, ..)) = &notes.device {
        meta.insert("device_id".into(), id.as_str().into());
    }
    if let Some(reading) = notes.reading {
        meta.insert("read_at".into(), reading.read_at.rfc3339().into());
        meta.insert("age_ms".into(), reading.age_ms.into());
        meta.insert("cached".into(), reading.cached.into());
        if reading.via != Via::Rest {
            meta.insert("via".into(), reading.via.as_str().into());
        }
    }
}

/// What a model reads of an answer: clients show it the text or the structured content, so the longer of the two.
fn read_by_model(structured: &Value, text: &str) -> u64 {
    budget::tokens(budget::json_bytes(structured).max(text.len()))
}

fn too_long(tool: &Tool, tokens: u64, most: u64) -> Fault {
    Fault::bad_input(format!("{}: the answer would be about {tokens} tokens, more than the {most} allowed", tool.name))
        .hint("ask for less: name a device, fewer hours, or a narrower menu")
}

/// Ends a list early, as late as fits; answers its text, or nothing when it is no list or not even a row fits.
fn cut(value: &mut Value, notes: &Notes, most_tokens: u64) -> Option<String> {
    let paged = notes.paged.as_ref()?;
    let rows = std::mem::take(value.get_mut("rows")?.as_array_mut()?);
    let mut keep = |count: usize| {
        let members = value.as_object_mut()?;
        members.insert("rows".into(), Value::Array(rows[..count].to_vec()));
        members.insert("next_cursor".into(), paged.next(count)?.into());
        let text = table::text(value);
        (read_by_model(value, &text) <= most_tokens).then_some(text)
    };
    // All rows do not fit; none always would.
    let (mut fits, mut too_many) = (0, rows.len());
    while fits + 1 < too_many {
        let middle = fits.midpoint(too_many);
        if keep(middle).is_some() { fits = middle } else { too_many = middle }
    }
    keep(fits)
}

fn failed(cx: &Cx, notes: &Notes, fault: &Fault, mut meta: Map<String, Value>) -> Reply {
    if matches!(fault.kind, Kind::Bug | Kind::Storage) {
        tracing::error!(tool = cx.tool.name, correlation_id = cx.correlation_id.as_str(), cause = fault.chain(), "call failed");
    } else {
        tracing::debug!(tool = cx.tool.name, correlation_id = cx.correlation_id.as_str(), cause = fault.chain(), "call refused");
    }
    let device = notes.device.as_ref().map(|(id, ..)| id.as_str());
    if let Some(id) = device {
        meta.insert("device_id".into(), id.into());
    }
    let mut reply = error_reply(fault, device, cx.correlation_id.as_str(), meta);
    if cx.world.settings.causes {
        reply.structured["error"]["cause"] = tidy(&fault.chain()).into();
    }
    reply
}

/// Longest message or hint, in characters: enough for five wrong arguments, too short for a speech.
const MOST_SAID: usize = 500;

/// Words of an error on one line, without what nobody sees: they may repeat what a caller or a router wrote.
fn tidy(text: &str) -> String {
    untrusted::cut(&untrusted::strip(&without_login(text)), MOST_SAID).into_owned()
}

pub(super) fn error_reply(fault: &Fault, device: Option<&str>, correlation_id: &str, mut meta: Map<String, Value>) -> Reply {
    let said = tidy(&fault.said);
    let hint = fault.hint.as_deref().map(tidy).filter(|hint| !hint.is_empty());
    let mut error = Map::new();
    error.insert("kind".into(), fault.kind.as_str().into());
    error.insert("message".into(), said.as_str().into());
    error.insert("hint".into(), hint.as_deref().map_or(Value::Null, Value::from));
    error.insert("retryable".into(), fault.kind.may_retry().into());
    if let Some(id) = device {
        error.insert("device_id".into(), id.into());
    }
    error.insert("correlation_id".into(), correlation_id.into());
    let mut others = Vec::new();
    if !fault.candidates.is_empty() {
        let mut rows = json!(fault.candidates);
        untrusted::answer(&mut rows, &["/*".to_owned()]);
        error.insert("candidates".into(), rows);
        others.push("/error/candidates");
    }
    if fault.said.contains(REFUSED) {
        others.push("/error/message");
    }
    if !others.is_empty() {
        meta.insert("untrusted".into(), json!(others));
    }
    let structured = json!({ "error": error });
    let text = match hint {
        Some(hint) => format!("{said}\nhint: {hint}"),
        None => said,
    };
    meta.insert("estimated_tokens".into(), read_by_model(&structured, &text).into());
    Reply { structured, text, meta, fault: Some(fault.kind), unknown_tool: false }
}
