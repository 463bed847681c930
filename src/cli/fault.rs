//! Exit codes and the words on standard error.

use crate::base::fault::{Fault, Kind};
use serde_json::json;
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// The exit code of a kind, after sysexits.h.
pub fn exit_code(kind: Kind) -> ExitCode {
    ExitCode::from(match kind {
        Kind::BadInput => 64,
        Kind::NotFound => 66,
        Kind::Unreachable => 69,
        Kind::Bug => 70,
        Kind::Storage => 74,
        Kind::Conflict | Kind::UnknownOutcome | Kind::Busy => 75,
        Kind::Rejected => 76,
        Kind::Unauthenticated | Kind::Denied | Kind::RouterDenied | Kind::Untrusted => 77,
        Kind::Config => 78,
    })
}

/// Says it on standard error.
pub fn tell(fault: &Fault, as_json: bool) {
    // Where nobody reads it the exit code still says it; `eprintln!` would end the process in a panic.
    let _ = writeln!(io::stderr(), "{}{}", if as_json { "" } else { "routeros-mcp: " }, lines(fault, as_json));
}

/// One line, and one for the hint; or one JSON object.
pub fn lines(fault: &Fault, as_json: bool) -> String {
    let said = said(fault);
    if as_json {
        return json!({"error": {"kind": fault.kind.as_str(), "message": said, "hint": fault.hint}}).to_string();
    }
    match &fault.hint {
        Some(hint) => format!("{said}\n  hint: {hint}"),
        None => said,
    }
}

/// The message; with the system's own words where a person at the terminal can do nothing without them: "permission
/// denied", "no space left on device". A one-off command has no log to look into.
fn said(fault: &Fault) -> String {
    if !matches!(fault.kind, Kind::Storage | Kind::Config | Kind::Bug | Kind::Unreachable) {
        return fault.said.clone();
    }
    let mut root: Option<&(dyn Error + 'static)> = fault.source();
    while let Some(deeper) = root.and_then(Error::source) {
        root = Some(deeper);
    }
    // Only the system's words: what libraries say is for the log, except when the mistake is ours.
    let words = match root {
        Some(root) if let Some(io) = root.downcast_ref::<io::Error>() => io_words(io),
        Some(root) if fault.kind == Kind::Bug => root.to_string(),
        _ => return fault.said.clone(),
    };
    if fault.said.contains(&words) { fault.said.clone() } else { format!("{}: {words}", fault.said) }
}

/// A file that the command line names and that cannot be read: a slip there, and not the disk's fault.
pub fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::bad_input(format!("{}: {}", path.display(), io_words(error))).hint("name a file that is there and that you may read")
}

/// The system's words without Rust's `(os error 2)`.
pub fn io_words(error: &io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}
