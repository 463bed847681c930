//! Secrets out of arguments.

use serde_json::{Map, Value};

/// Arguments as the trail keeps them.
pub fn arguments(given: &Map<String, Value>) -> Value {
    let mut masked = given.clone();
    for (name, value) in &mut masked {
        if ["password", "ssh_key", "secret", "token"].iter().any(|word| name.contains(word)) {
            *value = "(secret)".into();
        }
    }
    Value::Object(masked)
}
