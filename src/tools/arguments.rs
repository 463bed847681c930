//! Strict arguments: checked against the published schema itself, so that what is listed is what is enforced.
//!
//! Covers the part of JSON Schema that `schema.rs` produces; `"false"` is not a boolean, unknown names are refused.

use crate::base::fault::Fault;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Problems named in one answer; more would only bury the first ones.
const MOST_PROBLEMS: usize = 5;

/// Checks `arguments`; the fault names every problem and says what would be right.
pub fn check(tool: &str, schema: &Map<String, Value>, arguments: &Map<String, Value>) -> Result<(), Fault> {
    let mut problems = Vec::new();
    object(schema, arguments, "", &mut problems);
    if problems.is_empty() {
        return Ok(());
    }
    let more = problems.len().saturating_sub(MOST_PROBLEMS);
    problems.truncate(MOST_PROBLEMS);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    Err(Fault::bad_input(format!("{tool}: {}", problems.join("; "))).hint(usage(tool, schema)))
}

/// The same where whoever asks may not give `ours`, and is not told of it: an edge fills it in.
pub fn check_but(tool: &str, schema: &Map<String, Value>, arguments: &Map<String, Value>, ours: &str) -> Result<(), Fault> {
    let mut schema = schema.clone();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.remove(ours);
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name != ours);
    }
    check(tool, &schema, arguments)
}

/// Reads checked arguments into their type. What still fails here is a rule that the schema cannot say.
pub fn typed<T: DeserializeOwned>(arguments: Map<String, Value>) -> Result<T, Fault> {
    serde_json::from_value(Value::Object(arguments)).map_err(|error| Fault::bad_input(format!("arguments: {error}")))
}

/// `takes device (required), hours` in the schema's words.
fn usage(tool: &str, schema: &Map<String, Value>) -> String {
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return format!("{tool} takes no arguments");
    };
    if properties.is_empty() {
        return format!("{tool} takes no arguments");
    }
    format!("{tool} takes {}", listed(schema, properties))
}

fn object(schema: &Map<String, Value>, given: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    for name in names(schema.get("required")) {
        if !given.contains_key(name) {
            problems.push(format!("{at}{name} is missing"));
        }
    }
    for (name, value) in given {
        let place = format!("{at}{}", shown(name));
        match (properties.get(name), schema.get("additionalProperties")) {
            (Some(Value::Object(inner)), _) => one(inner, value, &place, problems),
            (Some(_), _) => {}
            (None, Some(Value::Object(inner))) => one(inner, value, &place, problems),
            (None, Some(Value::Bool(false))) => problems.push(format!("{place} is not an argument{}", nearest(name, properties))),
            (None, _) => {}
        }
    }
}

fn one(schema: &Map<String, Value>, value: &Value, at: &str, problems: &mut Vec<String>) {
    if let Some(Value::Array(choices)) = schema.get("anyOf").or(schema.get("oneOf")) {
        let fits = |choice: &Value| {
            let mut inner = Vec::new();
            choice.as_object().is_none_or(|choice| {
                one(choice, value, at, &mut inner);
                inner.is_empty()
            })
        };
        if !choices.iter().any(fits) {
            problems.push(format!("{at} has none of the allowed forms"));
        }
        return;
    }
    let kinds = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is(value, kind)) {
        problems.push(format!("{at} must be {}{}, not {}", kinds.join(" or "), members(schema), name_of(value)));
        return;
    }
    bounds(schema, value, at, problems);
    match value {
        Value::Object(map) => object(schema, map, &format!("{at}."), problems),
        Value::Array(items) => {
            if let Some(Value::Object(inner)) = schema.get("items") {
                for (n, item) in items.iter().enumerate() {
                    one(inner, item, &format!("{at}[{n}]"), problems);
                }
            }
        }
        _ => {}
    }
}

/// ` with address (required), comment`: what an object has, where the schema says.
fn members(schema: &Map<String, Value>) -> String {
    let known = schema.get("properties").and_then(Value::as_object).filter(|known| !known.is_empty());
    known.map(|known| format!(" with {}", listed(schema, known))).unwrap_or_default()
}

/// `address (required), comment`.
fn listed(schema: &Map<String, Value>, properties: &Map<String, Value>) -> String {
    let required = names(schema.get("required"));
    let list: Vec<String> =
        properties.keys().map(|name| if required.contains(&name.as_str()) { format!("{name} (required)") } else { name.clone() }).collect();
    list.join(", ")
}

fn bounds(schema: &Map<String, Value>, value: &Value, at: &str, problems: &mut Vec<String>) {
    let words = schema.get("enum").and_then(Value::as_array);
    if let Some(words) = words
        && !words.contains(value)
    {
        let list: Vec<String> = words.iter().map(|w| w.as_str().map_or_else(|| w.to_string(), str::to_owned)).collect();
        problems.push(format!("{at} must be one of {}", list.join(", ")));
    }
    if let Some(number) = value.as_f64() {
        let (low, high) = (schema.get("minimum").and_then(Value::as_f64), schema.get("maximum").and_then(Value::as_f64));
        if low.is_some_and(|low| number < low) || high.is_some_and(|high| number > high) {
            problems.push(match (low, high) {
                (Some(low), Some(high)) => format!("{at} must be from {low} to {high}"),
                (Some(low), None) => format!("{at} must be at least {low}"),
                _ => format!("{at} must be at most {}", high.unwrap_or_default()),
            });
        }
    }
    let length = value.as_str().map(|text| text.chars().count()).or(value.as_array().map(Vec::len));
    if let Some(length) = length {
        for (key, wrong) in [("minLength", 1), ("minItems", 1), ("maxLength", 0), ("maxItems", 0)] {
            let Some(bound) = schema.get(key).and_then(Value::as_u64) else { continue };
            let fits = if wrong == 1 { length as u64 >= bound } else { length as u64 <= bound };
            if key.ends_with("Length") == value.is_string() && !fits {
                problems.push(format!(
                    "{at} must have {} {bound} {}",
                    if wrong == 1 { "at least" } else { "at most" },
                    if value.is_string() { "characters" } else { "items" }
                ));
            }
        }
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn names(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).map(|items| items.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// What the caller gave, short enough to repeat in a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// ` (did you mean device?)` when one known name shares most letters.
fn nearest(name: &str, known: &Map<String, Value>) -> String {
    let best = known.keys().map(|k| (distance(&shown(name), k), k)).min();
    match best {
        Some((far, k)) if far <= 2.max(k.len() / 3) => format!(" (did you mean {k}?)"),
        _ => String::new(),
    }
}

/// Levenshtein's edit distance over characters.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(given: Value) -> String {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["device"],
            "properties": {
                "device": {"type": "string", "minLength": 1},
                "hours": {"type": "integer", "minimum": 1, "maximum": 720},
                "dry_run": {"type": "boolean"},
                "table": {"type": "string", "enum": ["filter", "nat"]},
                "where": {"type": "object", "additionalProperties": {"type": "string"}},
                "fields": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
                "add": {"type": "array", "items": {"type": "object", "properties": {"address": {}, "comment": {}}, "required": ["address"]}}
            }
        });
        let (Value::Object(schema), Value::Object(given)) = (schema, given) else { panic!("objects") };
        check("t.t", &schema, &given).err().map(|fault| fault.said).unwrap_or_default()
    }

    #[test]
    fn says_what_is_wrong_and_what_would_be_right() {
        for (given, said) in [
            (json!({"device": "a"}), ""),
            (json!({"device": "a", "hours": 24, "dry_run": false, "where": {"a~": "b"}, "fields": ["x"]}), ""),
            (json!({}), "t.t: device is missing"),
            (json!({"device": 7}), "t.t: device must be string, not a number"),
            (json!({"device": ""}), "t.t: device must have at least 1 characters"),
            (json!({"device": "a", "dry_run": "false"}), "t.t: dry_run must be boolean, not a string"),
            (json!({"device": "a", "hours": 0}), "t.t: hours must be from 1 to 720"),
            (json!({"device": "a", "hours": 1.5}), "t.t: hours must be integer, not a number"),
            (json!({"device": "a", "table": "raw"}), "t.t: table must be one of filter, nat"),
            (json!({"device": "a", "devcie": "b"}), "t.t: devcie is not an argument (did you mean device?)"),
            (json!({"device": "a", "where": {"a": 1}}), "t.t: where.a must be string, not a number"),
            (json!({"device": "a", "fields": [1]}), "t.t: fields[0] must be string, not a number"),
            (json!({"device": "a", "add": ["x"]}), "t.t: add[0] must be object with address (required), comment, not a string"),
            (json!({"device": "a", "fields": ["a", "b", "c"]}), "t.t: fields must have at most 2 items"),
        ] {
            assert_eq!(problems(given.clone()), said, "{given}");
        }
    }
}
