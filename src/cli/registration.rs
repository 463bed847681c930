//! `registration …`: routers that register themselves. What a script holds is shown once; nothing is trusted before a person
//! compared the fingerprint with the one on the router's own terminal.

use crate::base::fault::{Fault, Kind};
use crate::cli::args::{RegistrationAccept, RegistrationCommand, RegistrationCreate};
use crate::cli::fault::unreadable;
use crate::cli::reach::Way;
use crate::cli::{output, prompt};
use crate::fleet::registration::REPORT_MAX;
use crate::shape::table;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Runs one subcommand.
pub async fn run(way: &Way, command: RegistrationCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        RegistrationCommand::Create(asked) => create(way, asked, as_json).await,
        RegistrationCommand::List => list(way, as_json).await,
        RegistrationCommand::Paste { id, report_file } => {
            let report = report(report_file.as_deref())?;
            output::one(&way.operator("registration.paste", json!({"id": id, "report": report})).await?, as_json);
            Ok(())
        }
        RegistrationCommand::Accept(asked) => accept(way, asked, as_json).await,
        RegistrationCommand::Revoke { id, yes } => {
            if !yes && prompt::someone_there() {
                prompt::yes(&format!("End registration {id}?"), "--yes")?;
            }
            output::one(&way.operator("registration.revoke", json!({"id": id})).await?, as_json);
            Ok(())
        }
    }
}

async fn create(way: &Way, asked: RegistrationCreate, as_json: bool) -> Result<(), Fault> {
    let user = asked.user;
    let mut arguments =
        json!({"name": asked.name, "username": user.username, "writes": user.writes, "rotates": user.rotates, "ssh": user.ssh});
    for (name, value) in [("url", asked.url), ("from", user.from)] {
        if let Some(value) = value {
            arguments[name] = value.into();
        }
    }
    let made = way.operator("registration.create", arguments).await?;
    if as_json {
        output::json(&made);
        return Ok(());
    }
    if let Some(warning) = made["warning"].as_str() {
        eprintln!("note: {warning}");
    }
    let lines: Vec<&str> = made["script"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // The script alone on standard output, for a pipe to where it is pasted from.
    output::text(&lines.join("\n"));
    let id = table::cell(&made["id"]);
    eprintln!("Paste the script into a terminal of the router as a full user; good until {}.", table::cell(&made["expires_at"]));
    eprintln!("Compare the fingerprint it prints there, and take the router in:");
    eprintln!("  routeros-mcp registration accept {id}");
    Ok(())
}

async fn list(way: &Way, as_json: bool) -> Result<(), Fault> {
    let mut rows = way.rows("registration.list").await?;
    if as_json {
        output::json(&Value::Array(rows));
    } else if rows.is_empty() {
        output::text("no registrations yet: `routeros-mcp registration create --name NAME` opens one");
    } else {
        for row in &mut rows {
            row["tls_fingerprint"] = row["report"]["tls_fingerprint"].take();
        }
        output::rows(&["id", "name", "state", "by", "expires_at", "tls_fingerprint"], &rows);
    }
    Ok(())
}

/// The reported fingerprint is shown and a yes waited for; a script names the one that somebody compared.
async fn accept(way: &Way, asked: RegistrationAccept, as_json: bool) -> Result<(), Fault> {
    let compared = match asked.tls_fingerprint {
        Some(compared) => compared,
        None => compare(way, &asked.id).await?,
    };
    let mut arguments = json!({"id": asked.id, "tls_fingerprint": compared, "tags": asked.tags, "capabilities": asked.capabilities});
    if let Some(address) = asked.address {
        arguments["address"] = address.into();
    }
    output::one(&way.operator("registration.accept", arguments).await?, as_json);
    Ok(())
}

async fn compare(way: &Way, id: &str) -> Result<String, Fault> {
    if !prompt::someone_there() {
        return Err(prompt::missing(&["--tls-fingerprint"]));
    }
    let rows = way.rows("registration.list").await?;
    let row = rows.iter().find(|row| row["id"] == id).ok_or_else(|| Fault::new(Kind::NotFound, format!("no registration `{id}`")))?;
    let report = &row["report"];
    let Some(reported) = report["tls_fingerprint"].as_str() else {
        return Err(Fault::new(Kind::Conflict, "its router has not reported yet").hint("paste its script there, or `registration paste`"));
    };
    for name in ["from", "identity", "board", "serial", "version"] {
        eprintln!("{name:9} {}", table::cell(&report[name]));
    }
    eprintln!("TLS       {reported}");
    prompt::yes("Does the router's own terminal show this fingerprint?", "--tls-fingerprint")?;
    Ok(reported.to_owned())
}

/// The lines of a report; longer ones are none.
fn report(file: Option<&Path>) -> Result<String, Fault> {
    let name = file.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let mut text = String::new();
    let most = REPORT_MAX as u64 + 1;
    let read = match file {
        Some(path) => File::open(path).and_then(|file| file.take(most).read_to_string(&mut text)),
        None => io::stdin().lock().take(most).read_to_string(&mut text),
    };
    read.map_err(|error| unreadable(Path::new(&name), &error))?;
    match text.len() {
        0 => Err(Fault::bad_input(format!("{name} is empty")).hint("give the lines that the script printed on the router")),
        length if length > REPORT_MAX => Err(Fault::bad_input(format!("{name} is no report: it is longer than {REPORT_MAX} bytes"))),
        _ => Ok(text),
    }
}
