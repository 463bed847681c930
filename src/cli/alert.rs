//! `alert …`: what is told, where it goes, and whether it arrives. The secret comes from a prompt, a file or standard input.

use crate::base::fault::{Fault, Kind};
use crate::cli::args::{AlertCommand, AlertSecret, PersonPassword};
use crate::cli::reach::Way;
use crate::cli::{output, prompt};
use crate::shape::table;
use serde_json::{Value, json};

/// Runs one subcommand.
pub async fn run(way: &Way, command: AlertCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        AlertCommand::List { live, over } => list(way, live, over, as_json).await,
        AlertCommand::Status => status(way, as_json).await,
        AlertCommand::Test => test(way, as_json).await,
        AlertCommand::SetSecret(from) => set_secret(way, from, as_json).await,
    }
}

async fn list(way: &Way, live: bool, over: bool, as_json: bool) -> Result<(), Fault> {
    let asked = if live || over { json!({"live": live}) } else { json!({}) };
    let alerts = way.rows_of("alert.list", asked).await?;
    if as_json {
        output::json(&Value::Array(alerts));
    } else if alerts.is_empty() {
        output::text("no alerts");
    } else {
        output::rows(&["state", "severity", "kind", "summary", "since", "told_at", "ended_at"], &alerts);
    }
    Ok(())
}

async fn status(way: &Way, as_json: bool) -> Result<(), Fault> {
    let status = way.operator("alert.get_status", json!({})).await?;
    if as_json {
        output::json(&status);
        return Ok(());
    }
    match status["channels"].as_array() {
        Some(channels) if !channels.is_empty() => {
            output::rows(&["channel", "to", "waiting", "outcome", "said", "at", "next_try", "secret"], channels);
        }
        _ => output::text("alerts go nowhere yet: set alert.webhook_url or alert.syslog in the configuration"),
    }
    output::text("");
    output::rows(&["kind", "severity", "enabled", "for", "cooldown"], status["kinds"].as_array().map_or(&[], Vec::as_slice));
    Ok(())
}

/// Fails when any channel did, so that a script notices.
async fn test(way: &Way, as_json: bool) -> Result<(), Fault> {
    let tried = way.operator("alert.test", json!({})).await?;
    let channels = tried["channels"].as_array().map_or(&[][..], Vec::as_slice);
    if as_json {
        output::json(&tried);
    } else {
        output::rows(&["channel", "to", "delivered", "said", "took_ms"], channels);
    }
    match channels.iter().filter(|channel| channel["delivered"] != true).count() {
        0 => Ok(()),
        failed => Err(Fault::new(Kind::Unreachable, format!("{failed} of {} channels did not take the test", channels.len()))
            .hint("what each said stands in the answer")),
    }
}

async fn set_secret(way: &Way, from: AlertSecret, as_json: bool) -> Result<(), Fault> {
    let from = PersonPassword { password_file: from.value_file, password_stdin: from.value_stdin };
    let (secret, warning) = prompt::given(&from, "--value-file or --value-stdin", || prompt::password("Secret"), as_json)?;
    let mut set = way.operator("alert.set_secret", json!({"secret": secret.expose()})).await?;
    if as_json {
        set["warnings"] = warning.into_iter().collect();
        output::json(&set);
    } else {
        output::text(&format!("the secret is in the {} now; the receiver has to know the same", table::cell(&set["secret"])));
    }
    Ok(())
}
