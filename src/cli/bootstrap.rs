//! `device bootstrap`: prints the RouterOS script that makes our user; needs no store.

use crate::base::fault::Fault;
use crate::cli::args::Bootstrap as Arguments;
use crate::cli::output;
use crate::fleet::bootstrap::{self, Bootstrap};
use serde_json::json;

/// Prints the script, with a password made for it.
pub fn run(arguments: &Arguments, as_json: bool) -> Result<(), Fault> {
    let Arguments { username, writes, rotates, ssh, from } = arguments.clone();
    let password = bootstrap::password();
    let user = Bootstrap { username, writes, rotates, ssh, from };
    user.check()?;
    let script = user.script(&password);
    if as_json {
        output::json(&json!({"username": arguments.username, "password": password.expose(), "script": script}));
        return Ok(());
    }
    output::text(&script);
    eprintln!("Paste the script into a terminal of the router as a full user. Then, here:");
    eprintln!("  routeros-mcp device add --name NAME --address ADDRESS --username {}", arguments.username);
    eprintln!("The password it asks for stands in the script, and nowhere else.");
    Ok(())
}
