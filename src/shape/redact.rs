//! Secrets read as `(secret)`, for everyone.
//!
//! Three places: which attributes of a menu, logins inside of URLs wherever they stand, and arguments on their way into the
//! audit trail. An empty secret stays empty: that a password is *not* set is worth knowing and tells nothing.

use serde_json::Value;
use std::borrow::Cow;

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
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A text without the logins of its URLs: `https://user:password@host/` reads `https://(secret)@host/`.
pub fn without_login(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut kept, mut from) = (0, 0);
    while let Some(at) = text[from..].find("://") {
        let start = from + at + 3;
        let end =
            start + text[start..].find(|c: char| matches!(c, '/' | '?' | '#' | '"') || c.is_whitespace()).unwrap_or(text.len() - start);
        if let Some(sign) = text[start..end].rfind('@').filter(|sign| text[start..start + sign].contains(':')) {
            out.push_str(&text[kept..start]);
            out.push_str(HIDDEN);
            kept = start + sign;
        }
        from = end;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
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
        Value::String(text) => Value::from(without_login(text)),
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

    fn hidden<'n>(menu: &str, names: &[&'n str]) -> Vec<&'n str> {
        names.iter().copied().filter(|name| Redactor::new(menu).hides(name)).collect()
    }

    #[test]
    fn attributes_are_secrets_by_the_facts_of_their_menu_and_by_name_where_there_are_none() {
        assert_eq!(
            hidden("/interface/wireguard/peers", &["public-key", "private-key", "preshared-key", "comment"]),
            ["private-key", "preshared-key"]
        );
        assert_eq!(hidden("/snmp/community", &["name"]), ["name"], "a community is its own name");
        assert_eq!(hidden("/user", &["name"]), [""; 0]);
        assert_eq!(hidden("/new/menu", &["api-token", "size", "x.auth-key"]), ["api-token", "x.auth-key"]);
        assert_eq!(hidden("/system/scheduler", &["name", "on-event"]), ["on-event"], "scripts hold passwords");
    }

    #[test]
    fn urls_lose_their_logins_and_nothing_else() {
        for (text, shown) in [
            ("https://u:p@lists.example/a?x=y@z", "https://(secret)@lists.example/a?x=y@z"),
            ("fetch: https://u:p@a.example/ and ftp://v:q@b.example", "fetch: https://(secret)@a.example/ and ftp://(secret)@b.example"),
            ("https://u:p@w@host", "https://(secret)@host"),
            ("/tool fetch url=\"sftp://u:p@h/x\" mode=sftp", "/tool fetch url=\"sftp://(secret)@h/x\" mode=sftp"),
        ] {
            assert_eq!(without_login(text), shown);
        }
        for text in ["https://host/a:b@c", "https://user@host/", "mail a@b.example", "::1", "https://[2001:db8::1]:8443/", "a://b://c"] {
            assert!(matches!(without_login(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert_eq!(arguments(&json!({"url": "https://u:p@h/"})), json!({"url": "https://(secret)@h/"}));
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
