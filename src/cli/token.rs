//! `token …`: API tokens for programs that call over HTTP. A token is made here and shown once; the appliance gets its
//! digest.

use crate::access::token;
use crate::base::fault::Fault;
use crate::base::ids::hex;
use crate::cli::args::{TokenCommand, TokenCreate};
use crate::cli::output;
use crate::cli::reach::Way;
use crate::shape::table;
use serde_json::{Value, json};

/// Runs one subcommand.
pub async fn run(way: &Way, command: TokenCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        TokenCommand::Create(asked) => create(way, asked, as_json).await,
        TokenCommand::List => list(way, as_json).await,
        TokenCommand::Revoke { id } => {
            let gone = way.operator("token.revoke", json!({"id": id})).await?;
            output::one(&gone, as_json);
            Ok(())
        }
    }
}

async fn create(way: &Way, asked: TokenCreate, as_json: bool) -> Result<(), Fault> {
    let secret = token::make();
    // Spelled out: an empty limit means nothing.
    let devices = if asked.devices.is_empty() { vec!["all".to_owned()] } else { asked.devices };
    let mut arguments = json!({
        "name": asked.name, "role": asked.role, "devices": devices, "digest": hex(&token::digest(secret.expose())),
    });
    for (name, value) in [("owner", asked.owner), ("expires", asked.expires)] {
        if let Some(value) = value {
            arguments[name] = value.into();
        }
    }
    let made = way.operator("token.create", arguments).await?;
    let warnings = unmatched(&made, as_json);
    if as_json {
        let mut shown = json!({"id": made["id"], "token": secret.expose()});
        for name in ["name", "role", "devices", "owner", "expires_at"] {
            shown[name] = made[name].clone();
        }
        shown["warnings"] = warnings.into();
        output::json(&shown);
    } else {
        // The token alone on standard output, for `TOKEN=$(…)`.
        eprintln!("token {} ({}): shown this once", made["id"].as_str().unwrap_or_default(), made["role"].as_str().unwrap_or_default());
        output::text(secret.expose());
    }
    Ok(())
}

/// What is to be said about devices that were named and are not there. People hear it now, programs in the answer.
pub(super) fn unmatched(made: &Value, as_json: bool) -> Vec<String> {
    let names = made["unmatched"].as_array().into_iter().flatten().map(table::cell);
    let warnings: Vec<String> = names.map(|name| format!("no device is called {name} yet")).collect();
    if !as_json {
        warnings.iter().for_each(|warning| eprintln!("note: {warning}"));
    }
    warnings
}

async fn list(way: &Way, as_json: bool) -> Result<(), Fault> {
    let tokens = way.rows("token.list").await?;
    if as_json {
        output::json(&Value::Array(tokens));
    } else if tokens.is_empty() {
        output::text("no tokens yet: `routeros-mcp token create --name NAME --role read_only` makes one");
    } else {
        output::rows(&["id", "name", "role", "state", "devices", "owner", "expires_at", "last_used"], &tokens);
    }
    Ok(())
}
