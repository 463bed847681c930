//! A firewall rule as a person reads it: what it matches in one column, what it does in two.

use crate::tools::columns::put_some;
use crate::tools::router::View;
use serde_json::{Map, Value};

/// What matches, in the order people read it; every other matcher follows as the router names it.
const FIRST: &[&str] = &[
    "protocol",
    "src-address",
    "src-address-list",
    "src-port",
    "dst-address",
    "dst-address-list",
    "dst-port",
    "port",
    "in-interface",
    "in-interface-list",
    "out-interface",
    "out-interface-list",
    "connection-state",
    "connection-nat-state",
];

/// Neither matcher nor part of the action.
const ABOUT: &[&str] = &["chain", "action", "comment", "disabled", "dynamic", "invalid", "bytes", "packets", "log", "log-prefix"];

/// How the action does it. An attribute of no list is a matcher: one that a newer RouterOS brings must not be lost.
const THEN: &[&str] = &[
    "address-list",
    "address-list-timeout",
    "jump-target",
    "reject-with",
    "to-addresses",
    "to-ports",
    "passthrough",
    "route-dst",
    "sniff-id",
    "sniff-target",
    "sniff-target-port",
    "hw-offload",
    "randomise-ports",
    "same-not-by-dst",
    "socks5-server",
    "socks5-port",
    "socksify-service",
];

/// One rule, as answered. `position` counts from 0, as the router prints it.
pub(super) fn shape(position: usize, row: View<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    let packets = row.count("packets");
    let idle = packets == Some(0) && !row.is("disabled") && !row.is("invalid");
    out.insert("position".into(), position.into());
    put_some(&mut out, "chain", row.text("chain"));
    // What an absent action stands for.
    out.insert("action".into(), row.text("action").unwrap_or("accept").into());
    out.insert("match".into(), matches(row).into());
    put_some(&mut out, "then", Some(then(row)).filter(|text| !text.is_empty()));
    put_some(&mut out, "packets", packets);
    put_some(&mut out, "bytes", row.count("bytes"));
    out.insert("never_hit".into(), idle.into());
    for name in ["disabled", "invalid", "dynamic", "log"] {
        out.insert(name.into(), row.is(name).into());
    }
    put_some(&mut out, "log_prefix", row.string("log-prefix"));
    put_some(&mut out, "comment", row.string("comment"));
    out
}

/// `protocol=tcp dst-port=22 in-interface-list=!LAN`; `any` for a rule that matches every packet of its chain.
fn matches(row: View<'_>) -> String {
    let others = row.names().filter(|name| !FIRST.contains(name) && !ABOUT.contains(name) && !is_then(name));
    let text = pairs(row, FIRST.iter().copied().chain(others));
    if text.is_empty() { "any".to_owned() } else { text }
}

fn then(row: View<'_>) -> String {
    pairs(row, row.names().filter(|name| is_then(name)))
}

fn is_then(name: &str) -> bool {
    THEN.contains(&name) || name.starts_with("new-")
}

fn pairs<'a>(row: View<'a>, names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for name in names {
        let Some(value) = row.text(name).filter(|value| !value.is_empty()) else { continue };
        if !text.is_empty() {
            text.push(' ');
        }
        let quote = if value.contains(' ') { "\"" } else { "" };
        text.push_str(&format!("{name}={quote}{value}{quote}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::router::Seen;
    use serde_json::json;

    fn rule(json: &str) -> Value {
        Value::Object(shape(4, Seen::answered("/ip/firewall/filter", json).first().unwrap()))
    }

    #[test]
    fn a_rule_reads_as_what_it_matches_and_what_it_does() {
        let nat = rule(
            r#"{".id":"*1","action":"dst-nat","bytes":"9001","chain":"dstnat","comment":"web","disabled":"false","dst-port":"443",
               "dynamic":"false","in-interface-list":"!LAN","invalid":"false","log":"true","log-prefix":"w","packets":"42","protocol":"tcp",
               "to-addresses":"10.0.0.4","to-ports":"8443","content":"GET /"}"#,
        );
        let expected = json!({
            "position": 4, "chain": "dstnat", "action": "dst-nat",
            "match": "protocol=tcp dst-port=443 in-interface-list=!LAN content=\"GET /\"",
            "then": "to-addresses=10.0.0.4 to-ports=8443", "packets": 42, "bytes": 9001, "never_hit": false,
            "disabled": false, "invalid": false, "dynamic": false, "log": true, "log_prefix": "w", "comment": "web"
        });
        assert_eq!(nat, expected);
    }

    #[test]
    fn attributes_that_come_and_go_mislead_nobody() {
        let bare = rule(r#"{".id":"*1","action":"accept","bytes":"0","chain":"input","dynamic":"false","invalid":"false","packets":"0"}"#);
        assert_eq!((&bare["match"], &bare["never_hit"], &bare["disabled"]), (&json!("any"), &json!(true), &json!(false)));
        assert!(bare.get("comment").is_none() && bare.get("then").is_none());
        let off = rule(r#"{"action":"drop","bytes":"0","chain":"input","disabled":"true","packets":"0"}"#);
        assert_eq!((&off["never_hit"], &off["disabled"]), (&json!(false), &json!(true)), "a disabled rule cannot be hit");
        let silent = rule(r#"{"action":"drop","chain":"input"}"#);
        assert!(silent.get("packets").is_none() && silent["never_hit"] == false, "what is not told is not judged");
        let new =
            rule(r#"{"action":"mark-routing","chain":"prerouting","new-routing-mark":"isp-b","passthrough":"false","quantum-state":"up"}"#);
        assert_eq!((&new["match"], &new["then"]), (&json!("quantum-state=up"), &json!("new-routing-mark=isp-b passthrough=false")));
    }
}
