//! What takes a person at the command line: their name and password, from the terminal or a file, never argv.

use crate::base::fault::{Fault, Kind};
use crate::cli::args::PersonPassword;
use crate::cli::prompt;
use crate::cli::reach::Way;
use serde_json::{Value, json};

/// Calls a verb of people. Without a user the appliance says whether one is needed; on a terminal that person is then asked.
pub(super) async fn as_person(
    way: &Way,
    verb: &str,
    mut arguments: Value,
    user: Option<String>,
    password: &PersonPassword,
    as_json: bool,
) -> Result<Value, Fault> {
    let name = match user {
        Some(name) => name,
        None if password.password_file.is_some() || password.password_stdin => return Err(prompt::missing(&["--user"])),
        None => match way.operator(verb, arguments.clone()).await {
            Err(fault) if fault.kind == Kind::Denied && fault.said.contains("takes a person") && prompt::someone_there() => {
                prompt::line("Your user name", "--user")?
            }
            other => return other,
        },
    };
    let (secret, warning) = prompt::given(password, "--password-file", || prompt::password("Your password"), as_json)?;
    arguments["user"] = name.into();
    arguments["password"] = secret.expose().into();
    let mut done = way.operator(verb, arguments).await?;
    if let Some(warning) = warning {
        done["warnings"] = json!([warning]);
    }
    Ok(done)
}
