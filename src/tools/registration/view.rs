//! How a registration looks in answers: never its token, nor its password.

use crate::base::clock::Wall;
use crate::fleet::registration::Registration;
use crate::routeros::pin::format_fingerprint;
use crate::tools::spec::object;
use serde_json::{Map, Value, json};

/// One of them.
pub(super) fn row(one: &Registration, now: Wall) -> Map<String, Value> {
    let report = one.report.as_ref().map(|report| {
        json!({
            "at": report.at.rfc3339(), "from": report.from, "tls_fingerprint": format_fingerprint(&report.tls), "rest_port": report.rest_port,
            "identity": report.identity, "serial": report.serial, "board": report.board, "version": report.version,
        })
    });
    let row = json!({
        "id": one.id, "name": one.name, "username": one.username, "state": one.state(now), "by": one.by, "created_at": one.created_at.rfc3339(),
        "expires_at": one.expires_at().rfc3339(), "report": report, "device": one.device,
    });
    object(row)
}

/// Written out: the answer is built from the record.
pub(super) fn output() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let schema = json!({"type": "object", "properties": {
        "id": text(), "name": text(), "username": text(), "state": text(), "by": text(), "created_at": text(), "expires_at": text(),
        "report": {"type": ["object", "null"]}, "device": {"type": ["string", "null"]}, "script": {"type": "array", "items": text()}, "warning": {"type": ["string", "null"]},
    }, "required": ["id", "name", "state"]});
    object(schema)
}

/// Fields that a router wrote.
pub(super) const UNTRUSTED: &[&str] = &["/report/identity", "/report/serial", "/report/board", "/report/version"];
