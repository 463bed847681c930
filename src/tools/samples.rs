//! Recorded answers of real routers, where the shared reference is at hand: what tools make of them loses nothing unnoticed.

use crate::menus;
use crate::routeros::value::Kind;
use crate::tools::router::{Seen, View};
use serde_json::Value;
use std::path::PathBuf;

/// A recorded answer of a menu, or nothing (said aloud) where there are no recordings.
pub(super) fn sample(menu: &str, file: &str) -> Option<Seen> {
    let root =
        std::env::var_os("ROUTEROS_SHARED").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("routeros/samples").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no recording at {}", path.display());
        return None;
    };
    // Some recordings stand in an envelope.
    let json: Value = serde_json::from_str(&text).expect("a recording is JSON");
    let rows = json.get("parsed").cloned().unwrap_or(json);
    let seen = Seen::answered(menu, &rows.to_string());
    assert!(!seen.is_empty(), "{file} has no rows");
    Some(seen)
}

/// Answers of a menu in which every attribute has the same odd value, two rows each: nothing of that may make us stumble.
pub(super) fn odd(menu: &str) -> Vec<Seen> {
    const VALUES: &[&str] = &[
        "",
        " ",
        "0",
        "-1",
        "18446744073709551615",
        "99999999999999999999999",
        "1.5",
        "true",
        "never",
        "none",
        "*1",
        ",",
        "a,b",
        "-",
        "/",
        "0/0",
        "1-",
        "0.0.0.0",
        "255.255.255.255/0",
        "0.0.0.0-255.255.255.255",
        "192.0.2.9-192.0.2.1",
        "::/0",
        "::1",
        "fe80::1%ether1",
        "1w2d3h",
        "99999999999w",
        "1Gbps",
        "99999999999Tbps",
        "999999999TiB",
        "4095-1",
        "\u{202e}é",
        "\u{0}",
    ];
    let facts = menus::find(menu).expect("a menu with facts");
    let rows = |value: &&str| {
        let row: serde_json::Map<String, Value> = facts.attrs.iter().map(|attr| (attr.name.to_owned(), Value::from(*value))).collect();
        Seen::answered(menu, &Value::Array(vec![row.clone().into(), row.into()]).to_string())
    };
    VALUES.iter().map(rows).collect()
}

/// Checks that each value of a recorded row stands in one of the cells, or is left out on purpose.
pub(super) fn accounted(menu: &str, row: View<'_>, cells: &[Value], left_out: &[&str]) {
    let facts = menus::find(menu);
    for name in row.names().filter(|name| !left_out.contains(name)) {
        let text = row.text(name).unwrap_or_default();
        // Empty is told by leaving out.
        if text.is_empty() || text == "none" {
            continue;
        }
        let kind = facts.and_then(|facts| facts.attr(name)).map_or(Kind::Any, |attr| attr.kind);
        let typed = row.typed(name, kind).unwrap_or_default();
        let same = |cell: &Value| *cell == typed || *cell == text || cell.as_f64().is_some_and(|n| typed.as_f64() == Some(n));
        assert!(cells.iter().any(same), "{menu} {name}={text} is told nowhere: {cells:?}");
    }
}
