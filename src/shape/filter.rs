//! `where`: `{"address": "192.0.2.1/24", "comment~": "iot"}`, exact or contains.
//!
//! The router filters what it can; this decides the rest, and has the last word on both. A condition on a secret is
//! refused: its answer would tell the secret bit by bit.

use serde_json::{Map, Value};

use crate::menus::{self, Absent, Menu};
use crate::routeros::value::Kind;

use super::ShapeError;

/// Most conditions in one `where`.
const MOST_CONDITIONS: usize = 16;
/// Longest value of a condition, in bytes.
const LONGEST_VALUE: usize = 512;

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The attribute, without `~`.
    pub name: String,
    /// What it is compared with.
    pub value: String,
    /// Contains rather than equals, whatever the case of ASCII letters.
    pub contains: bool,
}

/// All conditions; a row must meet each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    conditions: Vec<Condition>,
}

impl Filter {
    /// Reads a `where` object; values are text, numbers or booleans.
    pub fn parse(wanted: &Map<String, Value>) -> Result<Filter, ShapeError> {
        if wanted.len() > MOST_CONDITIONS {
            return Err(ShapeError::Where("at most 16 conditions"));
        }
        Ok(Filter { conditions: wanted.iter().map(|(name, value)| condition(name, value)).collect::<Result<_, _>>()? })
    }

    /// The conditions, in the order given.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Whether every row passes.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Refuses conditions on secrets of a menu.
    pub fn check(&self, menu: &str) -> Result<(), ShapeError> {
        let facts = menus::find(menu);
        // `_key` is ours: the natural key, in which secrets are hidden already.
        match self.conditions.iter().find(|one| one.name != "_key" && menus::secret_of(facts, menu, &one.name)) {
            Some(one) => Err(ShapeError::SecretCondition(one.name.clone())),
            None => Ok(()),
        }
    }

    /// The conditions the router can check itself without missing rows, as API query words (`name=value`).
    ///
    /// Left out: contains; an empty or false value, for a router never matches an attribute that is absent; kinds it
    /// may spell otherwise (lengths of time, sizes, speeds, lists).
    pub fn words(&self, facts: Option<&Menu>) -> Vec<String> {
        self.conditions.iter().filter(|one| router_can(facts, one)).map(|one| format!("{}={}", one.name, one.value)).collect()
    }

    /// Whether a row as it came from the router passes; `get` reads its attributes.
    pub fn passes<'r>(&self, facts: Option<&Menu>, get: impl Fn(&str) -> Option<&'r str>) -> bool {
        self.conditions.iter().all(|one| match get(&one.name) {
            Some(text) => one.holds(text),
            None => one.holds_absent(facts),
        })
    }

    /// Whether a shaped row passes: numbers and booleans by their JSON spelling, arrays by any of their items or all of
    /// them joined with commas, objects by any `name=value` in them.
    pub fn passes_json(&self, row: &Map<String, Value>) -> bool {
        self.conditions.iter().all(|one| match row.get(&one.name) {
            Some(Value::Array(items)) => {
                let texts: Vec<String> = items.iter().map(text_of).collect();
                texts.iter().any(|text| one.holds(text)) || one.holds(&texts.join(","))
            }
            Some(Value::Object(members)) => members.iter().any(|(name, value)| one.holds(&format!("{name}={}", text_of(value)))),
            Some(value) => one.holds(&text_of(value)),
            None => one.holds_absent(None),
        })
    }
}

impl Condition {
    fn holds(&self, text: &str) -> bool {
        if self.contains {
            text.to_ascii_lowercase().contains(&self.value.to_ascii_lowercase())
        } else {
            text == self.value || (!menus::is_prose(&self.name) && same_flag(text, &self.value)) || same_mac(text, &self.value)
        }
    }

    /// An absent attribute is empty where nothing else is known, and false where RouterOS leaves false out.
    fn holds_absent(&self, facts: Option<&Menu>) -> bool {
        let no = facts.and_then(|facts| facts.attr(&self.name)).is_some_and(|attr| attr.absent == Absent::No);
        self.value.is_empty() || (no && !self.contains && same_flag("false", &self.value))
    }
}

/// `true` is also `yes`, in questions and answers.
fn same_flag(left: &str, right: &str) -> bool {
    let read = |text: &str| match text {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    };
    read(left).is_some() && read(left) == read(right)
}

/// `aa-bb-cc-dd-ee-ff` is `AA:BB:CC:DD:EE:FF`: people copy hardware addresses from everywhere.
fn same_mac(left: &str, right: &str) -> bool {
    let pairs = |text: &str| -> Option<Vec<u8>> {
        let pair = |pair: &str| u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2 && !pair.starts_with('+'));
        Some(text.split([':', '-']).map(pair).collect::<Option<Vec<u8>>>()?).filter(|pairs| pairs.len() == 6)
    };
    // Nearly all text has another length.
    left.len() == 17 && right.len() == 17 && pairs(left).is_some_and(|left| Some(left) == pairs(right))
}

fn router_can(facts: Option<&Menu>, one: &Condition) -> bool {
    let Some(attr) = facts.and_then(|facts| facts.attr(&one.name)) else { return false };
    router_checks(attr.kind) && !one.contains && !one.value.is_empty() && same_spelling(attr.kind, &one.value)
}

/// Whether a router compares values of this kind as callers spell them.
pub fn router_checks(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Name | Kind::Int | Kind::Mac | Kind::Address | Kind::Prefix | Kind::Enum(_))
}

/// Whether the router spells the value as the caller did; it compares letters.
fn same_spelling(kind: Kind, value: &str) -> bool {
    match kind {
        Kind::Mac => value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b':'),
        Kind::Int => value.bytes().all(|b| b.is_ascii_digit()),
        // `yes` and `true` may be meant alike.
        Kind::Enum(_) | Kind::Text => !["true", "false", "yes", "no"].contains(&value),
        _ => true,
    }
}

fn condition(name: &str, value: &Value) -> Result<Condition, ShapeError> {
    let (name, contains) = name.strip_suffix('~').map_or((name, false), |name| (name, true));
    if name.is_empty() || name.starts_with('.') || name.len() > 64 {
        return Err(ShapeError::Where("a condition names an attribute, e.g. \"comment~\""));
    }
    if !matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)) {
        return Err(ShapeError::Condition(name.to_owned()));
    }
    let value = text_of(value);
    if value.len() > LONGEST_VALUE {
        return Err(ShapeError::Where("a value has at most 512 bytes"));
    }
    Ok(Condition { name: name.to_owned(), value, contains })
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filter(value: Value) -> Result<Filter, ShapeError> {
        Filter::parse(value.as_object().unwrap())
    }

    fn passes(wanted: Value, row: &[(&str, &str)]) -> bool {
        let get = |name: &str| row.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        filter(wanted).unwrap().passes(menus::find("/ip/route"), get)
    }

    #[test]
    fn exact_and_contains_must_all_hold() {
        let row = [("dst-address", "10.0.0.0/8"), ("comment", "IoT network"), ("distance", "1")];
        assert!(passes(json!({"dst-address": "10.0.0.0/8", "comment~": "iot"}), &row));
        assert!(passes(json!({"distance": 1}), &row));
        assert!(!passes(json!({"dst-address": "10.0.0.0"}), &row));
        assert!(!passes(json!({"comment": "iot"}), &row));
        assert!(!passes(json!({"comment~": "iot", "distance": 2}), &row));
        assert!(passes(json!({}), &row));
    }

    #[test]
    fn absent_is_empty_and_false_where_routeros_leaves_it_out() {
        let row = [("dst-address", "10.0.0.0/8")];
        assert!(passes(json!({"dynamic": false}), &row));
        assert!(passes(json!({"dynamic": "no", "comment": ""}), &row));
        assert!(!passes(json!({"dynamic": true}), &row));
        assert!(!passes(json!({"gateway": "x"}), &row));
        assert!(passes(json!({"active": "yes"}), &[("active", "true")]));
    }

    #[test]
    fn a_hardware_address_is_found_in_every_spelling() {
        let row = json!({"mac_address": "BC:C7:46:E7:7F:2D"});
        let passes = |mac: &str| filter(json!({"mac_address": mac})).unwrap().passes_json(row.as_object().unwrap());
        assert!(passes("bc:c7:46:e7:7f:2d") && passes("BC-C7-46-E7-7F-2D"));
        assert!(!passes("bc:c7:46:e7:7f:2e") && !passes("bc:c7:46:e7:7f") && !passes("bcc746e77f2d"));
        assert!(!same_mac("+1:c7:46:e7:7f:2d", "01:C7:46:E7:7F:2D"));
    }

    #[test]
    fn words_of_people_are_compared_to_the_letter() {
        let row = json!({"comment": "true", "name": "no", "disabled": "true"});
        let passes = |wanted: Value| filter(wanted).unwrap().passes_json(row.as_object().unwrap());
        assert!(passes(json!({"comment": "true", "name": "no", "disabled": "yes"})));
        assert!(!passes(json!({"comment": "yes"})) && !passes(json!({"name": false})));
    }

    #[test]
    fn odd_conditions_are_refused() {
        assert_eq!(filter(json!({"a": ["x"]})).unwrap_err(), ShapeError::Condition("a".to_owned()));
        assert_eq!(filter(json!({"a": null})).unwrap_err(), ShapeError::Condition("a".to_owned()));
        for odd in [json!({"": 1}), json!({"~": 1}), json!({".id": "*1"}), json!({"a": "x".repeat(600)})] {
            assert!(matches!(filter(odd), Err(ShapeError::Where(_))));
        }
        let many: Map<String, Value> = (0..17).map(|n| (format!("a{n}"), json!(1))).collect();
        assert!(Filter::parse(&many).is_err());
    }

    #[test]
    fn secrets_cannot_be_searched() {
        let guess = filter(json!({"private-key~": "a"})).unwrap();
        assert_eq!(guess.check("/interface/wireguard"), Err(ShapeError::SecretCondition("private-key".to_owned())));
        assert!(filter(json!({"name": "wg0"})).unwrap().check("/interface/wireguard").is_ok());
        assert!(filter(json!({"name": "public"})).unwrap().check("/snmp/community").is_err());
        assert!(filter(json!({"x-password": "a"})).unwrap().check("/new/menu").is_err());
    }

    #[test]
    fn the_router_gets_only_what_it_cannot_get_wrong() {
        let facts = menus::find("/ip/dhcp-server/lease");
        let all = filter(json!({"address": "10.0.0.5", "comment~": "x", "dynamic": false, "lease-time": "600", "server": "",
                                "mac-address": "aa:bb:cc:dd:ee:ff", "unheard-of": "1"}))
        .unwrap();
        assert_eq!(all.words(facts), ["address=10.0.0.5"]);
        assert!(all.words(None).is_empty());
    }

    #[test]
    fn shaped_rows_compare_by_their_json() {
        let row = json!({"uptime_seconds": 90, "running": true, "topics": ["info", "dhcp"], "name": "Ether1"});
        let row = row.as_object().unwrap();
        let passes = |wanted: Value| filter(wanted).unwrap().passes_json(row);
        assert!(passes(json!({"uptime_seconds": 90, "running": "yes", "topics": "dhcp", "name~": "ether"})));
        assert!(passes(json!({"topics": "info,dhcp"})));
        assert!(!passes(json!({"topics": "dns"})));
        let tagged = json!({"tags": {"site": "north", "role": "ap"}});
        let tagged = |wanted: Value| filter(wanted).unwrap().passes_json(tagged.as_object().unwrap());
        assert!(tagged(json!({"tags": "role=ap"})) && tagged(json!({"tags~": "north"})) && !tagged(json!({"tags": "ap"})));
        assert!(!passes(json!({"missing": "x"})));
    }
}
