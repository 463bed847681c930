//! `user …`: local users, the people who may approve. Passwords come from a prompt, a file or standard input, never argv.

use crate::base::fault::Fault;
use crate::cli::args::UserCommand;
use crate::cli::reach::Way;
use crate::cli::{output, prompt};
use serde_json::{Value, json};

/// What is missing when nothing says where a password is.
const FILE: &str = "--password-file";

/// Runs one subcommand.
pub async fn run(way: &Way, command: UserCommand, as_json: bool) -> Result<(), Fault> {
    let (verb, arguments, warning) = match command {
        UserCommand::List => return list(way, as_json).await,
        UserCommand::Add { name, role, password } => {
            let given = prompt::given(&password, FILE, prompt::new_password, as_json)?;
            ("user.add", json!({"name": name, "role": role, "password": given.0.expose()}), given.1)
        }
        UserCommand::Password { name, password } => {
            let given = prompt::given(&password, FILE, prompt::new_password, as_json)?;
            ("user.set_password", json!({"name": name, "password": given.0.expose()}), given.1)
        }
        UserCommand::Check { name, password } => {
            let given = prompt::given(&password, FILE, || prompt::password(&format!("Password of {name}")), as_json)?;
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
    }
    output::one(&user, as_json);
    Ok(())
}

async fn list(way: &Way, as_json: bool) -> Result<(), Fault> {
    let users = way.rows("user.list").await?;
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
