//! The trail for people and other programs: JSON or CSV.
//!
//! JSON is one document, a record a line: `{"records":[` … `],"head":{…},"archived":…}`; `archived` is the last record before it that
//! is in an archive, or null. CSV has a header line (RFC 4180); cells that a spreadsheet would calculate begin with an apostrophe.

use crate::audit::archive::{self, Label};
use crate::audit::chain::Frame;
use crate::audit::error::AuditError;
use crate::audit::record::{self, Stored};
use crate::audit::sign::SignedHead;
use crate::audit::verify::{Reach, walk};
use crate::base::clock::Wall;
use crate::base::ids::hex;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON document, ending with the signed head.
    Json,
    /// Comma-separated values; the head is only returned.
    Csv,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "json" => Ok(Format::Json),
            "csv" => Ok(Format::Csv),
            other => Err(format!("`{other}` is not an export format: json or csv")),
        }
    }
}

/// Writes all records from a time on (`None`: all), and checks the chain on the way. `key` signs the head
/// (ed25519, PKCS#8).
///
/// Errs with `Broken` at the first record that is not as it was written; what was written to `out` so far is then
/// not a whole document.
pub fn export(
    dir: &Path,
    reach: Reach,
    format: Format,
    since: Option<Wall>,
    key: Option<&[u8]>,
    out: &mut dyn Write,
) -> Result<SignedHead, AuditError> {
    export_if(dir, reach, format, &|stored| since.is_none_or(|since| stored.time >= since), key, out)
}

/// The same for the records that are wanted; the chain is checked over all of them.
pub fn export_if(
    dir: &Path,
    reach: Reach,
    format: Format,
    wants: &dyn Fn(&Stored) -> bool,
    key: Option<&[u8]>,
    out: &mut dyn Write,
) -> Result<SignedHead, AuditError> {
    let failed = AuditError::io("writing the export");
    let mut lines = Lines::begin(format, wants, out)?;
    let report = walk(dir, reach, &mut |frame| lines.add(frame))?;
    let Lines { digest, records, out, .. } = lines;
    let head = SignedHead::new(report.head, records, digest.finish().as_ref(), key)?;
    if format == Format::Json {
        let (seq, hash) = (report.archived.seq, hex(&report.archived.hash));
        let archived = if seq == 0 { Value::Null } else { json!({"seq": seq, "hash": hash}) };
        let head = serde_json::to_string(&head).map_err(io::Error::other).map_err(&failed)?;
        out.write_all(format!("],\"head\":{head},\"archived\":{archived}}}\n").as_bytes()).map_err(&failed)?;
    }
    out.flush().map_err(&failed)?;
    Ok(head)
}

/// Writes the records of one archive; its label stands where the head stands in an export.
///
/// Errs with `Broken` when it is not what was archived, or not signed by the key it names.
pub fn export_archive(path: &Path, format: Format, out: &mut dyn Write) -> Result<Label, AuditError> {
    let failed = AuditError::io("writing the export");
    // Before a word of it is written.
    archive::verify_archive(path)?;
    let mut lines = Lines::begin(format, &|_| true, out)?;
    let label = archive::open(path, &mut |frame| lines.add(frame))?;
    let Lines { out, .. } = lines;
    if format == Format::Json {
        let label = serde_json::to_string(&label).map_err(io::Error::other).map_err(&failed)?;
        out.write_all(format!("],\"archive\":{label}}}\n").as_bytes()).map_err(&failed)?;
    }
    out.flush().map_err(&failed)?;
    Ok(label)
}

/// Records as lines of a document.
struct Lines<'a> {
    format: Format,
    wants: &'a dyn Fn(&Stored) -> bool,
    digest: ring::digest::Context,
    records: u64,
    out: &'a mut dyn Write,
}

impl<'a> Lines<'a> {
    fn begin(format: Format, wants: &'a dyn Fn(&Stored) -> bool, out: &'a mut dyn Write) -> Result<Lines<'a>, AuditError> {
        out.write_all(opening(format).as_bytes()).map_err(AuditError::io("writing the export"))?;
        Ok(Lines { format, wants, digest: ring::digest::Context::new(&ring::digest::SHA256), records: 0, out })
    }

    fn add(&mut self, frame: &Frame) -> Result<(), AuditError> {
        let stored = record::decode(frame.seq, &frame.payload)?;
        if !(self.wants)(&stored) {
            return Ok(());
        }
        let line = match self.format {
            Format::Json => format!("{}{}\n", if self.records == 0 { "" } else { "," }, json(&stored)),
            Format::Csv => csv(&stored),
        };
        self.digest.update(line.as_bytes());
        self.records += 1;
        self.out.write_all(line.as_bytes()).map_err(AuditError::io("writing the export"))
    }
}

fn opening(format: Format) -> String {
    match format {
        Format::Json => "{\"records\":[\n".into(),
        Format::Csv => COLUMNS.join(",") + "\r\n",
    }
}

/// Columns of the CSV in this order, and keys of a JSON record.
const COLUMNS: [&str; 27] = [
    "seq",
    "time",
    "boot_id",
    "correlation_id",
    "issuer",
    "subject",
    "name",
    "role",
    "client",
    "client_version",
    "address",
    "tool",
    "tier",
    "effect",
    "device",
    "device_name",
    "environment",
    "plan_id",
    "job_id",
    "risk",
    "phase",
    "outcome",
    "error_kind",
    "duration_ms",
    "bytes",
    "arguments",
    "arguments_digest",
];

/// A record as the export and the tools show it: flat, absent things are null.
pub fn json(stored: &Stored) -> Value {
    COLUMNS.iter().zip(cells(stored)).map(|(name, value)| ((*name).to_owned(), value)).collect::<serde_json::Map<_, _>>().into()
}

fn cells(stored: &Stored) -> [Value; COLUMNS.len()] {
    let r = &stored.record;
    [
        json!(stored.seq),
        json!(stored.time.rfc3339()),
        json!(stored.boot_id),
        json!(r.correlation_id),
        json!(r.principal.issuer),
        json!(r.principal.subject),
        json!(r.principal.name),
        json!(r.principal.role),
        json!(r.client.name),
        json!(r.client.version),
        json!(r.client.address),
        json!(r.tool),
        json!(r.tier),
        json!(r.effect),
        json!(r.device),
        json!(r.device_name),
        json!(r.environment),
        json!(r.plan_id),
        json!(r.job_id),
        json!(r.risk),
        json!(r.phase),
        json!(r.outcome),
        json!(r.error_kind),
        json!(r.duration_ms),
        json!(r.bytes),
        json!(r.arguments),
        json!(hex(&r.arguments_digest)),
    ]
}

fn csv(stored: &Stored) -> String {
    let cells: Vec<String> = cells(stored).iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => return other.to_string(),
    };
    // Some of these words were chosen by clients and routers.
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\n', '\r']) {
        return text;
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (text, cell_text) in
            [("plain", "plain"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("=1+1", "\"'=1+1\""), ("", "")]
        {
            assert_eq!(cell(&json!(text)), cell_text);
        }
    }
}
