//! Schemas made of types.

use super::Nulls;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    /// Lines of `assets/schemas.txt` for the schemas made since the thread began: `input`, a tab, the type's path, a tab, its schema.
    pub static SEEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// That type's, inlined and without decoration.
pub(super) fn of<T: JsonSchema>(nulls: Nulls) -> Map<String, Value> {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    slim(&mut schema, nulls);
    let Value::Object(mut map) = schema else { return Map::new() };
    map.entry("type").or_insert_with(|| "object".into());
    map.remove("description");
    let line = format!("{}\t{}\t{}", nulls.side(), std::any::type_name::<T>(), Value::Object(map.clone()));
    SEEN.with_borrow_mut(|seen| seen.insert(line));
    map
}

/// Drops what costs tokens and says nothing: titles, formats, null defaults.
fn slim(value: &mut Value, nulls: Nulls) {
    match value {
        Value::Object(map) => {
            if map.get("title").is_some_and(Value::is_string) {
                map.remove("title");
            }
            map.remove("$schema");
            if map.get("format").is_some_and(Value::is_string) {
                map.remove("format");
            }
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            if nulls == Nulls::Dropped {
                drop_null(map);
            }
            map.values_mut().for_each(|value| slim(value, nulls));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| slim(item, nulls)),
        _ => {}
    }
}

/// `["string", "null"]` becomes just `string`, and a choice loses its null.
fn drop_null(map: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = map.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            map.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(words)) = map.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if choices.len() == 1
            && let Some(Value::Object(only)) = choices.pop()
        {
            map.remove("anyOf");
            for (key, value) in only {
                map.entry(key).or_insert(value);
            }
        }
    }
}
