//! Telling the starter, on a file descriptor it gave us, that we are ready.

use crate::base::fault::Fault;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;

/// Writes one JSON line to an inherited file descriptor. Through `/dev/fd`, for there is no safe way to adopt a number.
pub fn tell(fd: i32, line: &Value) -> Result<(), Fault> {
    let wrong =
        |error: std::io::Error| Fault::bad_input(format!("file descriptor {fd}: {error}")).hint("open it in the shell, e.g. 3>ready");
    let mut file = OpenOptions::new().append(true).open(format!("/dev/fd/{fd}")).map_err(wrong)?;
    file.write_all(format!("{line}\n").as_bytes()).map_err(wrong)
}
