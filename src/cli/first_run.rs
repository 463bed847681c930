//! The address of the first run, on a terminal: at the start of `serve`, and by `setup-token`.

use crate::app::first_run::FirstRun;
use crate::base::fault::Fault;
use crate::cli::output;
use crate::cli::reach::Way;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::Value;
use std::io::IsTerminal;

/// At the start of a daemon. What is no terminal is a log, and logs leave the box.
pub fn announce(first: &FirstRun) {
    if std::io::stderr().is_terminal() {
        eprintln!("\n{}{}", first.words(), picture(first));
        eprintln!("`routeros-mcp setup-token` prints this again; it is also in {}.", first.file.display());
    } else {
        tracing::warn!(file = %first.file.display(), "nobody can sign in yet: run `routeros-mcp setup-token` on this box, or read the file, for the address to begin at");
    }
}

/// `setup-token`.
pub async fn run(way: &Way, as_json: bool) -> Result<(), Fault> {
    let answer = way.op("setup.token", Value::Null).await?;
    if as_json {
        output::json(&answer);
        return Ok(());
    }
    let first: FirstRun = serde_json::from_value(answer).map_err(Fault::bug)?;
    let picture = if std::io::stdout().is_terminal() { picture(&first) } else { String::new() };
    output::text(format!("{}{picture}", first.words()).trim_end());
    Ok(())
}

/// For a camera, where it would lead there: a telephone's own loopback is not ours.
fn picture(first: &FirstRun) -> String {
    if first.tunnel.is_some() {
        return String::new();
    }
    let code = QrCode::new(first.address.as_bytes()).map(|code| code.render::<Dense1x2>().quiet_zone(true).build());
    // Black on white whatever the terminal's own colours are: not every camera reads it the other way round.
    let line = |line: &str| format!("\x1b[30;107m{line}\x1b[0m\n");
    code.map_or_else(|_| String::new(), |code| format!("\n{}\n", code.lines().map(line).collect::<String>()))
}
