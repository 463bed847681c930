//! `user …`: local users, the people who may approve. Passwords come from a prompt, a file or standard input, never argv.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::cli::args::{PersonPassword, UserCommand};
use crate::cli::reach::Way;
use crate::cli::{output, prompt};
use crate::shape::table;
use serde_json::{Value, json};

/// Users asked for at a time: the most one call gives.
const PAGE: u16 = 500;

/// What is missing when nothing says where a password is.
pub const FILE: &str = "--password-file";

/// Runs one subcommand.
pub async fn run(way: &Way, command: UserCommand, as_json: bool) -> Result<(), Fault> {
    let (verb, arguments, warning) = match command {
        UserCommand::List => return list(way, as_json).await,
        UserCommand::Add { name, role, password } => {
            let given = given(&password, FILE, prompt::new_password, as_json)?;
            ("user.add", json!({"name": name, "role": role, "password": given.0.expose()}), given.1)
        }
        UserCommand::Password { name, password } => {
            let given = given(&password, FILE, prompt::new_password, as_json)?;
            ("user.set_password", json!({"name": name, "password": given.0.expose()}), given.1)
        }
        UserCommand::Check { name, password } => {
            let given = given(&password, FILE, || prompt::password(&format!("Password of {name}")), as_json)?;
            ("user.check", json!({"name": name, "password": given.0.expose()}), given.1)
        }
        UserCommand::SetRole { name, role, role_flag } => ("user.set_role", json!({"name": name, "role": role.or(role_flag)}), None),
        UserCommand::Disable { name } => ("user.disable", json!({"name": name}), None),
        UserCommand::Enable { name } => ("user.enable", json!({"name": name}), None),
        UserCommand::Link { name, identity } => ("user.link", json!({"name": name, "identity": identity}), None),
        UserCommand::Unlink { name, identity } => ("user.unlink", json!({"name": name, "identity": identity}), None),
    };
    let mut user = way.operator(verb, arguments).await?;
    if as_json {
        user["warnings"] = warning.into_iter().collect();
        output::json(&user);
    } else {
        output::text(&table::text(&user));
    }
    Ok(())
}

/// The password of a person, and what is to be said about where it lay. People hear it now, programs in the answer: their
/// standard error holds nothing but an error.
///
/// Without a person to `ask`, the fault says that `flag` is missing.
pub fn given(
    from: &PersonPassword,
    flag: &str,
    ask: impl FnOnce() -> Result<Secret, Fault>,
    as_json: bool,
) -> Result<(Secret, Option<String>), Fault> {
    match from {
        PersonPassword { password_file: Some(file), .. } => {
            let secret = prompt::password_from_file(file)?;
            let warning = prompt::readable_by_others(file);
            if let Some(warning) = warning.as_deref().filter(|_| !as_json) {
                eprintln!("note: {warning}");
            }
            Ok((secret, warning))
        }
        PersonPassword { password_stdin: true, .. } => Ok((prompt::password_from_stdin()?, None)),
        _ if prompt::someone_there() => Ok((ask()?, None)),
        _ => Err(prompt::missing(&[flag])),
    }
}

async fn list(way: &Way, as_json: bool) -> Result<(), Fault> {
    let users = way.rows("user.list", PAGE).await?;
    if as_json {
        output::json(&Value::Array(users));
    } else if users.is_empty() {
        output::text("no users yet: `routeros-mcp user add NAME --role approver` makes one");
    } else {
        let columns = ["name", "role", "disabled", "locked_until", "last_seen", "identities"];
        output::rows(&columns, &users);
    }
    Ok(())
}
