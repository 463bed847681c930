//! `audit …`: read the trail, export it, check its chain.

use crate::audit;
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::cli::args::{AuditCommand, ExportFormat};
use crate::cli::reach::Way;
use crate::cli::{output, told};
use crate::config::Loaded;
use crate::host::files;
use serde_json::json;
use std::io;

/// Runs one subcommand.
pub async fn run(way: &Way, loaded: &Loaded, command: AuditCommand, as_json: bool) -> Result<(), Fault> {
    let places = crate::app::places(loaded);
    let dir = crate::app::audit_dir(&places);
    match command {
        AuditCommand::List { limit } => {
            let page = way.operator("audit.get_events", json!({"limit": limit})).await?;
            if as_json {
                output::json(&page["rows"]);
            } else {
                let columns = ["seq", "time", "principal", "tool", "device", "outcome", "duration_ms", "correlation_id"];
                output::rows(&columns, page["rows"].as_array().map_or(&[], Vec::as_slice));
            }
        }
        AuditCommand::Verify => {
            let report = audit::verify(&dir)?;
            if as_json {
                output::json(&json!({"ok": true, "records": report.records, "last_seq": report.head.seq}));
            } else {
                output::text(&format!("audit trail whole: {} records, last sequence number {}", report.records, report.head.seq));
            }
        }
        AuditCommand::Export { format, since } => {
            let since = since
                .as_deref()
                .map(|text| {
                    Wall::parse(text).ok_or_else(|| Fault::bad_input(format!("--since {text}: write 2026-11-25 or 2026-11-25T08:00:00Z")))
                })
                .transpose()?;
            let format = match format {
                ExportFormat::Json => "json",
                ExportFormat::Csv => "csv",
            };
            let made = way.op("audit.export", json!({"format": format, "since": since.map(|at| at.0)})).await?;
            let path = told::file_in(&places.runtime, &made["path"])?;
            let copied = files::unlinked().read(true).open(&path).and_then(|mut file| io::copy(&mut file, &mut io::stdout().lock()));
            let _ = std::fs::remove_file(&path);
            copied.map_err(|error| Fault::new(Kind::Storage, format!("export file: {error}")))?;
        }
    }
    Ok(())
}
