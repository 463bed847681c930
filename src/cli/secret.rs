//! `secret …`: the vault. Secrets come from a prompt, a file or standard input, never argv, and never come back out.

use crate::base::fault::Fault;
use crate::cli::args::{PersonPassword, SecretCommand, SecretSet};
use crate::cli::reach::Way;
use crate::cli::{output, prompt, token};
use crate::shape::table;
use serde_json::{Value, json};

/// Runs one subcommand.
pub async fn run(way: &Way, command: SecretCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        SecretCommand::Set(set) => put(way, set, as_json).await,
        SecretCommand::List => list(way, as_json).await,
        SecretCommand::Remove { name, yes } => {
            if !yes && prompt::someone_there() {
                prompt::yes(&format!("Forget secret \"{name}\"?"), "--yes")?;
            }
            let gone = way.operator("secret.remove", json!({"name": name})).await?;
            if as_json {
                output::json(&gone);
            } else {
                output::text(&format!("secret \"{}\" is forgotten; routers that have it keep it", gone["name"].as_str().unwrap_or(&name)));
            }
            Ok(())
        }
    }
}

async fn put(way: &Way, set: SecretSet, as_json: bool) -> Result<(), Fault> {
    // Spelled out: an empty limit means nothing.
    let devices = if set.devices.is_empty() { vec!["all".to_owned()] } else { set.devices };
    let mut arguments = json!({"name": set.name, "menus": set.menus, "devices": devices});
    let mut warnings = Vec::new();
    if !set.generate {
        let from = PersonPassword { password_file: set.value_file, password_stdin: set.value_stdin };
        let (secret, warning) = prompt::given(&from, "--value-file or --generate", || prompt::password("Secret"), as_json)?;
        arguments["secret"] = secret.expose().into();
        warnings.extend(warning);
    }
    let mut entry = way.operator("secret.set", arguments).await?;
    let unsuited: Vec<String> = entry["unsuited"].as_array().into_iter().flatten().map(table::cell).collect();
    for menu in &unsuited {
        let warning = format!("{menu} has no attribute that holds a secret, as far as we know");
        if !as_json {
            eprintln!("note: {warning}");
        }
        warnings.push(warning);
    }
    warnings.extend(token::unmatched(&entry, as_json));
    if let Some(members) = entry.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "unsuited" | "unmatched"));
    }
    if as_json {
        entry["warnings"] = warnings.into();
    }
    output::one(&entry, as_json);
    Ok(())
}

async fn list(way: &Way, as_json: bool) -> Result<(), Fault> {
    let entries = way.rows("secret.list").await?;
    if as_json {
        output::json(&Value::Array(entries));
    } else if entries.is_empty() {
        output::text("no secrets yet: `routeros-mcp secret set NAME --menu PATH` puts one into the vault");
    } else {
        let columns = ["name", "handle", "menus", "devices", "set_at", "set_by"];
        output::rows(&columns, &entries);
    }
    Ok(())
}
