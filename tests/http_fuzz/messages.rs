//! Messages of MCP, some as they should be, most of them not.

use super::dice::Dice;
use crate::http_rig::modern;
use serde_json::{Map, Value, json};

const METHODS: [&str; 18] = [
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "notifications/cancelled",
    "no/such",
];

const TOOLS: [&str; 10] = [
    "device.list",
    "device_get",
    "menu.search",
    "menu.read",
    "tools.search",
    "audit.get_events",
    "plan.create",
    "plan.get",
    "system.set_identity",
    "device.remove",
];

const URIS: [&str; 12] = [
    "fleet://summary",
    "docs://tools",
    "audit://recent",
    "device://x/health",
    "device://%2e%2e/health",
    "plan://x/diff",
    "snapshot://x",
    "file:///etc/passwd",
    "http://127.0.0.1/",
    "docs://../../etc/passwd",
    "",
    "fleet://devices/lab",
];

/// A message, the method it names, and whether it is one of a session.
pub fn message(dice: &mut Dice) -> (Value, String, bool) {
    let method = (*dice.pick(&METHODS)).to_owned();
    let mut params = params(dice, &method);
    if dice.strays(4) {
        spoil(dice, &mut params, 3);
    }
    let is_modern = dice.once_in(2) && params.is_object();
    let mut message = if is_modern {
        modern(&method, params)
    } else {
        json!({"jsonrpc": "2.0", "id": dice.below(1_000), "method": method, "params": params})
    };
    if method.starts_with("notifications/") {
        message.as_object_mut().unwrap().shift_remove("id");
    }
    if dice.strays(6) {
        spoil(dice, &mut message, 2);
    }
    (message, method, !is_modern)
}

fn params(dice: &mut Dice, method: &str) -> Value {
    match method {
        "initialize" => json!({"protocolVersion": dice.pick(&["2025-11-25", "2024-11-05", "1999-01-01", "2026-07-28"]), "capabilities": {},
            "clientInfo": {"name": dice.text(), "version": dice.text()}}),
        "tools/call" => json!({"name": dice.pick(&TOOLS), "arguments": arguments(dice)}),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => json!({"uri": dice.pick(&URIS)}),
        "subscriptions/listen" => json!({"notifications": {"resourceSubscriptions": [dice.pick(&URIS)], "resourcesListChanged": true}}),
        "prompts/get" => json!({"name": dice.pick(&["safe-change", "troubleshoot-device", "x"]), "arguments": {"device": dice.text()}}),
        "completion/complete" => {
            let reference = match dice.below(2) {
                0 => json!({"type": "ref/prompt", "name": "safe-change"}),
                _ => json!({"type": "ref/resource", "uri": "device://{id}/health"}),
            };
            json!({"ref": reference, "argument": {"name": dice.pick(&["id", "device"]), "value": dice.text()}})
        }
        "logging/setLevel" => json!({"level": dice.text()}),
        "tasks/get" => json!({"taskId": dice.text()}),
        "notifications/cancelled" => json!({"requestId": dice.below(10)}),
        _ if dice.once_in(2) => json!({"cursor": dice.text()}),
        _ => json!({}),
    }
}

fn arguments(dice: &mut Dice) -> Value {
    const NAMES: [&str; 10] = ["device", "menu", "query", "where", "fields", "limit", "cursor", "plan_id", "edits", "dry_run"];
    let mut arguments = Map::new();
    for _ in 0..dice.below(4) {
        let value = match dice.below(3) {
            0 => dice.text().into(),
            1 => json!(dice.pick(&["/ip/address", "plan-1", "dhcp"])),
            _ => value(dice, 2),
        };
        arguments.insert((*dice.pick(&NAMES)).to_owned(), value);
    }
    Value::Object(arguments)
}

/// Any JSON.
fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(dice.once_in(2)),
        2 => json!(dice.next() as i64),
        3 => json!(u64::MAX),
        4 => json!(1e308),
        5 => dice.text().into(),
        6 => Value::Array((0..dice.below(4)).map(|_| value(dice, depth - 1)).collect()),
        _ => Value::Object((0..dice.below(4)).map(|_| (dice.text(), value(dice, depth - 1))).collect()),
    }
}

/// Something in it becomes something else, goes, or comes on top.
fn spoil(dice: &mut Dice, within: &mut Value, depth: usize) {
    if depth == 0 || dice.once_in(3) {
        *within = value(dice, 2);
        return;
    }
    match within {
        Value::Object(members) if !members.is_empty() => {
            let name = members.keys().nth(dice.below(members.len())).unwrap().clone();
            match dice.below(4) {
                0 => drop(members.shift_remove(&name)),
                1 => drop(members.insert(dice.text(), value(dice, 1))),
                _ => spoil(dice, members.get_mut(&name).unwrap(), depth - 1),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = dice.below(items.len());
            spoil(dice, &mut items[at], depth - 1);
        }
        other => *other = value(dice, 1),
    }
}

/// The text of a message, or of something like one.
pub fn text(dice: &mut Dice, message: &Value) -> Vec<u8> {
    let plain = message.to_string();
    let kind = if dice.strays(5) { dice.below(7) } else { 7 };
    let mut text = match kind {
        0 => format!("[{plain},{plain}]"),
        1 => format!("{plain}{plain}"),
        2 => {
            let n = dice.below(20_000);
            format!("{}{plain}{}", "[".repeat(n), "]".repeat(n))
        }
        3 => plain.replacen("{}", &format!("{{\"a\":{}1{}}}", "{\"a\":".repeat(3_000), "}".repeat(3_000)), 1),
        4 => plain.replacen('{', "{\"id\":1,\"id\":2,", 1),
        5 => plain.replacen(':', ":1e999,\"x\":", 1),
        6 => plain.replacen('"', "\"\\ud800", 1),
        _ => plain,
    }
    .into_bytes();
    if dice.strays(8) {
        dice.spoil(&mut text);
    }
    text
}
