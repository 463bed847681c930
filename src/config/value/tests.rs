//! Values as files, variables and flags spell them, and which of two is the stricter.

use super::*;
use serde_json::json;

/// Somebody's, of age's own documentation.
const AGE: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

fn key(kind: Kind) -> Key {
    super::super::key::key("t.key", kind, "").is("x")
}

#[test]
fn a_file_needs_the_right_type_and_a_variable_is_text() {
    let text = |text: &str| Node::Text(text.into());
    let int = Kind::Int(1, 10, "");
    for (kind, node, strict, loose) in [
        (Kind::Flag, text("true"), None, Some(json!(true))),
        (Kind::Flag, Node::Flag(true), Some(json!(true)), Some(json!(true))),
        (Kind::Flag, Node::Int(1), None, None),
        (int, Node::Int(10), Some(json!(10)), Some(json!(10))),
        (int, Node::Int(11), None, None),
        (int, Node::Int(0), None, None),
        (int, Node::Real(2.0), None, None),
        (int, text("2"), None, Some(json!(2))),
        (int, text(" 2 "), None, Some(json!(2))),
        (int, text("2x"), None, None),
        (int, Node::Null, Some(Value::Null), Some(Value::Null)),
        (Kind::Real(0.0, 5.0, ""), Node::Int(2), Some(json!(2.0)), Some(json!(2.0))),
        (Kind::Real(0.0, 5.0, ""), Node::Real(f64::NAN), None, None),
        (Kind::Span(30, 3600), text("90s"), Some(json!("1m30s")), Some(json!("1m30s"))),
        (Kind::Span(30, 3600), Node::Int(60), Some(json!("1m")), Some(json!("1m"))),
        (Kind::Span(30, 3600), text("60"), Some(json!("1m")), Some(json!("1m"))),
        (Kind::Span(30, 3600), text("29s"), None, None),
        (Kind::Span(30, 3600), Node::Int(-60), None, None),
        (Kind::Span(30, 3600), Node::Real(f64::INFINITY), None, None),
        (Kind::Size(1, 1 << 20), text("1 MiB"), Some(json!(1 << 20)), Some(json!(1 << 20))),
        (Kind::Size(1, 1 << 20), text("2MiB"), None, None),
        (Kind::Size(1, 1 << 20), text("99999999999999999999"), None, None),
        (Kind::Name, text(" "), None, Some(Value::Null)),
        (Kind::List(Item::Net), text("10.1.2.3/8, ::1"), Some(json!(["10.0.0.0/8", "::1/128"])), Some(json!(["10.0.0.0/8", "::1/128"]))),
        (Kind::List(Item::Net), Node::List(vec![text("10.0.0.0/33")]), None, None),
        (Kind::List(Item::Text), Node::List(vec![text("a"), text("a"), text("b")]), Some(json!(["a", "b"])), Some(json!(["a", "b"]))),
        (Kind::List(Item::Text), Node::List(vec![Node::Int(1)]), None, None),
        (
            Kind::Roles,
            text("g1=admin,g2=read_only"),
            Some(json!({"g1": "admin", "g2": "read_only"})),
            Some(json!({"g1": "admin", "g2": "read_only"})),
        ),
        (Kind::Roles, text("g1=root"), None, None),
    ] {
        assert_eq!(read(&key(kind), &node, false).ok(), strict, "{kind:?} {node:?} in a file");
        assert_eq!(read(&key(kind), &node, true).ok(), loose, "{kind:?} {node:?} in a variable");
    }
}

#[test]
fn routes_hosts_and_origins_are_told_from_what_resembles_them() {
    for (kind, good, bad) in [
        (
            Kind::Route,
            &["/mcp", "/a/b", "/administrator"][..],
            &["mcp", "/", "/mcp/", "/admin", "/admin/x", "/health", "/a//b", "/a?b", "/.well-known/x"][..],
        ),
        (Kind::Host, &["127.0.0.1", "::1", "[::1]", "box.example", "0.0.0.0"][..], &["", "a b", "127.0.0.1:80", "-x", "http://x"][..]),
        (Kind::List(Item::Origin), &["https://a.example", "http://localhost:3000"][..], &["https://a.example/x", "a.example", "*"][..]),
        (Kind::List(Item::Tool), &["dns.flush_cache", "firewall.*", "system_set_identity"][..], &["*", "fire wall", "a/b"][..]),
        (Kind::List(Item::Recipient), &[AGE][..], &["ssh-ed25519", "age1bad", "age1"][..]),
    ] {
        let reads = |text: &str| {
            let text = Node::Text(text.into());
            let node = if matches!(kind, Kind::List(_)) { Node::List(vec![text]) } else { text };
            read(&key(kind), &node, false)
        };
        for text in good {
            assert!(reads(text).is_ok(), "{kind:?} {text}");
        }
        for text in bad {
            assert!(reads(text).is_err(), "{kind:?} {text}");
        }
    }
}

#[test]
fn a_master_key_is_32_bytes_in_any_common_base64() {
    let bytes = [0xfb; 32];
    for text in [BASE64.encode(&bytes), BASE64_NOPAD.encode(&bytes), BASE64URL.encode(&bytes), BASE64URL_NOPAD.encode(&bytes)] {
        assert_eq!(master_key(&format!("{text}\n")).as_deref(), Some(&bytes), "{text}");
    }
    for bad in [BASE64.encode(&[0; 31]), BASE64.encode(&[0; 33]), "fb".repeat(32), String::new()] {
        assert_eq!(master_key(&bad), None, "{bad}");
    }
}

#[test]
fn only_the_machine_itself_reaches_loopback() {
    for (host, loopback) in [
        ("127.0.0.1", true),
        ("127.9.9.9", true),
        ("::1", true),
        ("[::1]", true),
        ("LocalHost", true),
        ("0.0.0.0", false),
        ("::", false),
        ("box", false),
    ] {
        assert_eq!(is_loopback(host), loopback, "{host}");
    }
}

#[test]
fn user_and_password_leave_an_address() {
    assert_eq!(without_userinfo("https://u:p@h/x@y"), "https://•••@h/x@y");
    assert_eq!(without_userinfo("https://h/x@y"), "https://h/x@y");
    assert_eq!(without_userinfo("plain@text"), "plain@text");
}

#[test]
fn stricter_and_looser_are_what_they_say() {
    for (strict, old, new, want) in [
        (Strict::Less, json!("2h"), json!("90m"), false),
        (Strict::Less, json!("2h"), json!("3h"), true),
        (Strict::Less, json!(false), json!(true), true),
        (Strict::More, json!(true), json!(false), true),
        (Strict::More, json!(1), json!(2), false),
        (Strict::Later(&["off", "on"]), json!("on"), json!("off"), true),
        (Strict::Later(&["off", "on"]), json!("off"), json!("on"), false),
        (Strict::Never, json!("a"), json!("a"), false),
        (Strict::Never, json!("a"), json!("b"), true),
    ] {
        assert_eq!(looser(strict, &old, &new), want, "{strict:?} {old} {new}");
    }
}
