//! `audit …`: read the trail, export it, check its chain.

use crate::audit::{self, AuditError, Format, Label};
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::cli::args::{AuditCommand, ExportFormat};
use crate::cli::fault::unreadable;
use crate::cli::output;
use crate::cli::reach::Way;
use crate::cli::told::Told;
use crate::config::Loaded;
use serde_json::json;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
        AuditCommand::Verify { archives, .. } => {
            let report = if archives { audit::verify_all(&dir)? } else { audit::verify(&dir)? };
            audit::reaches(&places.audit_mark(), &report)?;
            if as_json {
                output::json(
                    &json!({"ok": true, "records": report.records, "last_seq": report.head.seq, "archived_up_to": report.archived.seq}),
                );
            } else {
                let before = match report.archived.seq {
                    0 => String::new(),
                    seq => format!(", those up to {seq} were archived"),
                };
                output::text(&format!("audit trail whole: {} records, last sequence number {}{before}", report.records, report.head.seq));
            }
        }
        AuditCommand::Export { format, since, archives, .. } => {
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
            let made = way.op("audit.export", json!({"format": format, "since": since.map(|at| at.0), "archives": archives})).await?;
            let told = Told::of(way, loaded, &places.runtime, &made["path"])?;
            let copied = io::copy(&mut told.read()?, &mut output::Out).and_then(|_| output::Out.flush());
            let _ = told.remove();
            copied.map_err(|error| Fault::new(Kind::Storage, format!("export file: {error}")))?;
        }
    }
    Ok(())
}

/// What is about archives that lie anywhere, and needs no appliance: `None` is another subcommand.
pub fn of_files(command: &AuditCommand, as_json: bool) -> Option<Result<(), Fault>> {
    match command {
        AuditCommand::Verify { files, .. } if !files.is_empty() => Some(verify_files(files, as_json)),
        AuditCommand::Export { format, from: Some(file), .. } => {
            let export = || audit::export_archive(file, (*format).into(), &mut output::Out).map_err(|error| named(file, error));
            Some(is_there(file).and_then(|()| export()).map(drop))
        }
        _ => None,
    }
}

fn verify_files(files: &[PathBuf], as_json: bool) -> Result<(), Fault> {
    let labels = files.iter().map(|file| verified(file)).collect::<Result<Vec<_>, Fault>>()?;
    if as_json {
        output::json(&json!(labels));
        return Ok(());
    }
    for (file, label) in files.iter().zip(labels) {
        let Label { first_seq, last_seq, newest, public_key, .. } = label;
        let file = file.display();
        output::text(&format!("{file}: whole, records {first_seq} to {last_seq}, newest {newest}, signed by {public_key}"));
    }
    Ok(())
}

fn verified(file: &Path) -> Result<Label, Fault> {
    is_there(file)?;
    audit::verify_archive(file).map_err(|error| named(file, error))
}

/// A name that is none says nothing about the trail.
fn is_there(file: &Path) -> Result<(), Fault> {
    File::open(file).map(drop).map_err(|error| unreadable(file, &error))
}

/// Which of several archives it is.
fn named(file: &Path, error: AuditError) -> Fault {
    let fault = Fault::from(error);
    Fault { said: format!("{}: {}", file.display(), fault.said), ..fault }
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Format {
        match format {
            ExportFormat::Json => Format::Json,
            ExportFormat::Csv => Format::Csv,
        }
    }
}
