//! Exit codes and the words on standard error.

use crate::base::fault::Fault;
use crate::base::fault::Kind;
use serde_json::json;
use std::process::ExitCode;

/// The exit code of a kind, after sysexits.h.
pub fn code(kind: Kind) -> u8 {
    match kind {
        Kind::BadInput => 64,
        Kind::NotFound => 66,
        Kind::Unreachable => 69,
        Kind::Bug => 70,
        Kind::Storage => 74,
        Kind::Conflict | Kind::UnknownOutcome | Kind::Busy => 75,
        Kind::Rejected => 76,
        Kind::Unauthenticated | Kind::Denied | Kind::RouterDenied | Kind::Untrusted => 77,
        Kind::Config => 78,
    }
}

/// The same as the process's answer.
pub fn exit_code(kind: Kind) -> ExitCode {
    ExitCode::from(code(kind))
}

/// One line, and one for the hint; or one JSON object.
pub fn lines(fault: &Fault, as_json: bool) -> String {
    if as_json {
        return json!({"error": {"kind": fault.kind.as_str(), "message": fault.said, "hint": fault.hint}}).to_string();
    }
    match &fault.hint {
        Some(hint) => format!("{}\n  hint: {hint}", fault.said),
        None => fault.said.clone(),
    }
}
