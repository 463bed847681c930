//! JSON Schemas (2020-12) of Rust types, made small: a model pays for every byte of them.
//!
//! The unit tests make them and hold `assets/schemas.txt` against that; every other build reads that file, packed.

#[cfg(not(test))]
mod carried;
#[cfg(test)]
mod made;

use crate::tools::spec::object;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

#[cfg(test)]
pub use made::SEEN;

/// The schema of a tool's arguments: closed, inlined, without decoration.
pub fn input<T: JsonSchema>() -> Map<String, Value> {
    closed(of::<T>(Nulls::Dropped))
}

fn closed(mut schema: Map<String, Value>) -> Map<String, Value> {
    schema.insert("additionalProperties".into(), Value::Bool(false));
    schema.entry("properties").or_insert_with(|| json!({}));
    schema
}

/// The whole schema of a tool's answer: what a router does not tell is null there.
pub fn output<T: JsonSchema>() -> Map<String, Value> {
    of::<T>(Nulls::Kept)
}

/// The schema of an answer that is built from records, not from a type of its own.
pub(super) fn written(members: &[(&str, Value)], required: &[&str]) -> Map<String, Value> {
    let properties: Map<String, Value> = members.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect();
    object(json!({"type": "object", "properties": properties, "required": required}))
}

/// What becomes of `null` beside a type.
#[derive(Clone, Copy, PartialEq)]
enum Nulls {
    /// An absent argument is absent, never null.
    Dropped,
    /// Strict clients check answers, nulls too.
    Kept,
}

impl Nulls {
    /// What such a schema is of.
    fn side(self) -> &'static str {
        match self {
            Nulls::Dropped => "input",
            Nulls::Kept => "output",
        }
    }
}

/// An answer's schema as `tools/list` shows it: an object. Its keys stand in the catalogue (`catalog`, and here `output`): in the
/// list every model would pay for them, tool by tool, before it asked anything. None is required, because an error carries
/// `error` in their place and strict clients check that too.
pub fn outline() -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), "object".into())])
}

/// An argument that pages and programs use, and that no model would miss: it costs no room in `tools/list`.
pub const UNLISTED: &str = "x-unlisted";

/// The arguments as `tools/list` shows them: without what a caller who is wrong about it is told anyway. All of it is enforced.
pub fn face(input: &Map<String, Value>) -> Map<String, Value> {
    let mut face = input.clone();
    if let Some(Value::Object(properties)) = face.get_mut("properties") {
        properties.retain(|_, property| property.get(UNLISTED).is_none());
    }
    // That the whole is closed is said; that its parts are too, whoever errs is told.
    face.values_mut().for_each(bare);
    face
}

/// Drops lengths, lowest numbers, defaults that say nothing, and whether inner objects are open.
fn bare(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|name, value| match name.as_str() {
                "minLength" | "maxLength" | "minItems" | "maxItems" => !value.is_number(),
                "minimum" => !matches!(value.as_u64(), Some(0 | 1)),
                "default" => !matches!(value, Value::Bool(false)) && value.as_str() != Some(""),
                "additionalProperties" => !value.is_boolean(),
                _ => true,
            });
            map.values_mut().for_each(bare);
        }
        Value::Array(items) => items.iter_mut().for_each(bare),
        _ => {}
    }
}

/// A type's schema. Builds have all of them as text, `assets/schemas.txt`: what makes them would be 3 % of a release build.
fn of<T: JsonSchema>(nulls: Nulls) -> Map<String, Value> {
    #[cfg(test)]
    return made::of::<T>(nulls);
    #[cfg(not(test))]
    carried::find(nulls.side(), std::any::type_name::<T>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Args {
        /// Host name
        /// or address.
        address: String,
        /// How many.
        #[schemars(range(min = 1, max = 20))]
        count: Option<u8>,
        /// Which.
        which: Option<Which>,
    }

    #[derive(JsonSchema)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code, reason = "only its schema is looked at")]
    enum Which {
        One,
        Two,
    }

    #[test]
    fn arguments_are_closed_inlined_and_undecorated() {
        assert_eq!(
            Value::Object(input::<Args>()),
            json!({
                "type": "object",
                "properties": {
                    "address": {"type": "string", "description": "Host name or address."},
                    "count": {"type": "integer", "minimum": 1, "maximum": 20, "description": "How many."},
                    "which": {"type": "string", "enum": ["one", "two"], "description": "Which."}
                },
                "required": ["address"],
                "additionalProperties": false
            })
        );
    }

    #[test]
    fn the_list_leaves_out_what_a_wrong_caller_is_told_and_keeps_names_that_look_like_it() {
        let input = json!({"type": "object", "additionalProperties": false, "properties": {
            "device": {"type": "string", "minLength": 1},
            "rule": {"type": "object", "additionalProperties": true, "default": {}},
            "dry_run": {"type": "boolean", "default": false},
            "default": {"type": "string", "maxLength": 9, "default": "x"}}});
        let face = face(input.as_object().unwrap());
        assert_eq!(
            Value::Object(face),
            json!({"type": "object", "additionalProperties": false, "properties": {
                "device": {"type": "string"}, "rule": {"type": "object", "default": {}}, "dry_run": {"type": "boolean"},
                "default": {"type": "string", "default": "x"}}})
        );
    }

    #[test]
    fn an_answer_may_leave_out_by_null_what_it_does_not_know() {
        #[derive(JsonSchema)]
        #[allow(dead_code, reason = "only its schema is looked at")]
        struct Answer {
            serial: Option<String>,
            count: u32,
        }
        let schema = output::<Answer>();
        assert_eq!(schema["properties"]["serial"], json!({"type": ["string", "null"]}));
        assert_eq!(schema["required"], json!(["count"]));
    }
}
