//! Paths that whoever holds the store tells. Root's command line goes where they lead, and the service may have been taken over:
//! only names in directories of ours are believed.

use crate::base::fault::Fault;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The file of `dir` that was told.
///
/// Errs with `Denied` for a path that leads anywhere else.
pub fn file_in(dir: &Path, told: &Value) -> Result<PathBuf, Fault> {
    let path = PathBuf::from(told.as_str().unwrap_or_default());
    match path.file_name() {
        Some(name) if path == dir.join(name) => Ok(path),
        _ => Err(elsewhere(dir, told)),
    }
}

/// Whether `dir` itself was told.
///
/// Errs as [`file_in`].
pub fn this(dir: &Path, told: &Value) -> Result<(), Fault> {
    if told.as_str().map(Path::new) == Some(dir) { Ok(()) } else { Err(elsewhere(dir, told)) }
}

fn elsewhere(dir: &Path, told: &Value) -> Fault {
    let told: String = told.as_str().unwrap_or("nothing").chars().filter(|c| !c.is_control()).take(200).collect();
    Fault::denied(format!("the appliance names {told}, and not {}: nothing was touched there", dir.display()))
        .hint("use the --data-dir and --config that it was started with")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_service_leads_the_command_line_to_no_file_but_its_own() {
        let dir = Path::new("/var/lib/routeros-mcp/backups");
        assert_eq!(file_in(dir, &json!("/var/lib/routeros-mcp/backups/a.age")).unwrap(), dir.join("a.age"));
        for told in [
            json!("/etc/shadow"),
            json!("/var/lib/routeros-mcp/backups"),
            json!("/var/lib/routeros-mcp/backups/"),
            json!("/var/lib/routeros-mcp/backups/.."),
            json!("/var/lib/routeros-mcp/backups/../../shadow"),
            json!("/var/lib/routeros-mcp/backups/deeper/a.age"),
            json!("a.age"),
            json!(""),
            json!(null),
        ] {
            assert!(file_in(dir, &told).is_err(), "{told}");
        }
        assert!(this(dir, &json!("/var/lib/routeros-mcp/backups")).is_ok());
        for told in [json!("/etc"), json!("/var/lib/routeros-mcp/backups/.."), json!(""), json!(null)] {
            assert!(this(dir, &told).is_err(), "{told}");
        }
    }
}
