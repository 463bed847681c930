//! Secrets read as `(secret)`, for everyone.
//!
//! Two places: rows on their way out, and arguments on their way into the audit trail. An empty secret stays empty:
//! that a password is *not* set is worth knowing and tells nothing.

use serde_json::{Map, Value};

use crate::menus::{self, Menu};

/// What a secret reads as.
pub const HIDDEN: &str = "(secret)";

/// Arguments of our own tools whose names are secrets in some menu of RouterOS, and here are none.
const OURS: &[&str] = &["environment"];
/// How deep arguments are read; deeper ones are hidden whole, for nobody can say what they hold.
const DEPTH: usize = 16;

/// Knows what to hide in rows of one menu.
#[derive(Debug, Clone, Copy)]
pub struct Redactor<'a> {
    menu: &'a str,
    facts: Option<&'static Menu>,
}

impl<'a> Redactor<'a> {
    /// For rows of a menu, with or without facts.
    pub fn new(menu: &'a str) -> Redactor<'a> {
        Redactor { menu, facts: menus::find(menu) }
    }

    /// Whether an attribute must not leave.
    pub fn hides(&self, attribute: &str) -> bool {
        menus::secret_of(self.facts, self.menu, attribute)
    }

    /// A value as it may leave.
    pub fn text<'v>(&self, attribute: &str, value: &'v str) -> &'v str {
        if !value.is_empty() && self.hides(attribute) { HIDDEN } else { value }
    }

    /// Hides what must not leave in a row. Keys are RouterOS names.
    pub fn row(&self, row: &mut Map<String, Value>) {
        for (name, value) in row.iter_mut() {
            if !is_empty(value) && self.hides(name) {
                *value = Value::from(HIDDEN);
            }
        }
    }
}

/// Hides what must not leave in one row of a menu; for many rows, keep a [`Redactor`].
pub fn row(menu: &str, row: &mut Map<String, Value>) {
    Redactor::new(menu).row(row);
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A call's arguments as the audit trail may keep them.
///
/// A value is hidden if its name looks like a secret anywhere, or is one in the menu named beside it
/// (`{"menu": "/snmp/community", "values": {"name": …}}`). Handles (`{"secret": "vault:nas"}`) are no secrets and stay.
pub fn arguments(arguments: &Value) -> Value {
    masked(arguments, None, DEPTH)
}

fn masked(value: &Value, menu: Option<&str>, depth: usize) -> Value {
    match value {
        Value::Object(_) | Value::Array(_) if depth == 0 => Value::from(HIDDEN),
        Value::Object(members) => {
            let menu = members.get("menu").and_then(Value::as_str).or(menu);
            Value::Object(members.iter().map(|(name, value)| (name.clone(), member(name, value, menu, depth))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| masked(item, menu, depth - 1)).collect()),
        plain => plain.clone(),
    }
}

fn member(name: &str, value: &Value, menu: Option<&str>, depth: usize) -> Value {
    let attribute = name.trim_end_matches('~');
    let looks = menus::looks_secret(attribute) && !OURS.contains(&attribute);
    let secret = looks || menu.is_some_and(|menu| menus::is_secret(menu, attribute));
    // Lists and objects under such a name are hidden whole; a flag (`keep_secret`) tells nothing.
    match value {
        _ if secret && is_handle(value) => value.clone(),
        _ if secret && !is_empty(value) && !value.is_boolean() => Value::from(HIDDEN),
        value => masked(value, menu, depth - 1),
    }
}

/// `{"secret": "generate"}` or `{"secret": "vault:NAME"}`: says where a secret comes from, not what it is.
fn is_handle(value: &Value) -> bool {
    let says = |text: &str| text == "generate" || text.strip_prefix("vault:").is_some_and(|name| !name.is_empty());
    let Value::Object(members) = value else { return false };
    members.len() == 1 && members.get("secret").and_then(Value::as_str).is_some_and(says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hidden(menu: &str, value: Value) -> Value {
        let Value::Object(mut members) = value else { panic!("a row is an object") };
        row(menu, &mut members);
        Value::Object(members)
    }

    #[test]
    fn secrets_of_known_menus_are_hidden_and_empty_ones_stay_empty() {
        let peer = json!({"public-key": "pub", "private-key": "priv", "preshared-key": "", "comment": "x"});
        let out = hidden("/interface/wireguard/peers", peer);
        assert_eq!(out, json!({"public-key": "pub", "private-key": HIDDEN, "preshared-key": "", "comment": "x"}));
    }

    #[test]
    fn a_community_is_its_own_name() {
        assert_eq!(hidden("/snmp/community", json!({"name": "public"})), json!({"name": HIDDEN}));
        assert_eq!(hidden("/user", json!({"name": "admin"})), json!({"name": "admin"}));
    }

    #[test]
    fn unknown_menus_are_judged_by_name() {
        let out = hidden("/new/menu", json!({"api-token": "t", "size": 3, "x.auth-key": "k"}));
        assert_eq!(out, json!({"api-token": HIDDEN, "size": 3, "x.auth-key": HIDDEN}));
    }

    #[test]
    fn script_bodies_are_hidden() {
        assert_eq!(hidden("/system/scheduler", json!({"name": "n", "on-event": ":log info 1"})), json!({"name": "n", "on-event": HIDDEN}));
    }

    #[test]
    fn arguments_lose_secrets_and_keep_handles() {
        let plan = json!({"device": "a", "edits": [
            {"menu": "/ppp/secret", "op": "add", "values": {"name": "bob", "password": "hunter2"}},
            {"menu": "/snmp/community", "op": "set", "match": {"name": "public"}, "values": {"addresses": "::/0"}},
            {"menu": "/radius", "op": "add", "values": {"secret": {"secret": "vault:radius"}}},
            {"menu": "/radius", "op": "add", "values": {"secret": "plain"}},
        ]});
        let out = arguments(&plan);
        let text = out.to_string();
        assert!(!text.contains("hunter2") && !text.contains("plain") && !text.contains("public"), "{text}");
        assert_eq!(out["edits"][2]["values"]["secret"]["secret"], "vault:radius");
        assert_eq!(out["edits"][0]["values"]["name"], "bob");
        assert_eq!(out["edits"][1]["match"]["name"], HIDDEN);
    }

    #[test]
    fn arguments_hide_searches_for_secrets_and_bottomless_ones() {
        let out = arguments(&json!({"menu": "/user", "where": {"password~": "a", "name": "x"}}));
        assert_eq!(out, json!({"menu": "/user", "where": {"password~": HIDDEN, "name": "x"}}));
        let mut deep = json!("bottom");
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(!arguments(&deep).to_string().contains("bottom"));
    }

    #[test]
    fn a_handle_look_alike_is_hidden() {
        assert_eq!(arguments(&json!({"password": {"secret": "hunter2"}})), json!({"password": HIDDEN}));
        assert_eq!(arguments(&json!({"password": {"secret": "vault:"}})), json!({"password": HIDDEN}));
        assert_eq!(arguments(&json!({"new_password": ["a"], "keep_secret": false})), json!({"new_password": HIDDEN, "keep_secret": false}));
    }
}
