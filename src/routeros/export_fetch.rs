//! `/export` over REST, which has no call that answers with one.
//!
//! `execute … as-string` answers with what a script printed. Whether it does so for a whole export of any size is not
//! written anywhere, so the script prints one more line behind it ([`END`]): a text that ends with that line was not cut
//! off. A router that does not run the second command gives a text without it, which is taken for what it is.
//!
//! The sure way is a file on the router: exported, read in pieces, removed again. That writes to the router, so it is
//! only taken when its owner allows changes.

use crate::routeros::command::MAX_DURATION;
use crate::routeros::export::END;
use crate::routeros::fault::{Denial, RouterError, Stage};
use crate::routeros::path::MenuPath;
use crate::routeros::query::Query;
use crate::routeros::rest::Rest;
use crate::routeros::script;
use std::time::Duration;

/// Longest configuration taken: ten times the largest seen.
const MOST_BYTES: usize = 8 << 20;

/// The router's own limit of one piece of a file.
const PIECE: usize = 32_768;

/// How long a piece, or the file's removal, may take.
const STEP: Duration = Duration::from_secs(20);

/// Longest answer of the console repeated in an error, in characters.
const MOST_SAID: usize = 160;

/// The configuration as the router prints it, one command a line, without secrets.
pub async fn by_execute(rest: &Rest) -> Result<String, RouterError> {
    let source = format!("/export terse; :put {}", script::quote(END));
    match run(rest, &source).await {
        Ok(text) if looks_like_one(&text) => return Ok(text),
        // Another console than we know, perhaps: asked again in the plainest words there are.
        Ok(_) | Err(RouterError::Rejected { .. } | RouterError::NoSuchMenu { .. }) => {}
        Err(error) => return Err(error),
    }
    let text = run(rest, "/export terse").await?;
    if looks_like_one(&text) { Ok(text) } else { Err(refusal(rest.at(), &text)) }
}

/// The same through a file on the router, `name.rsc`, which is removed again.
pub async fn by_file(rest: &Rest, name: &str) -> Result<String, RouterError> {
    let file = format!("{name}.rsc");
    rest.run_within(&MenuPath::root(), "export", &[("file", name), ("terse", "")], MAX_DURATION).await?;
    let text = read(rest, &file).await;
    let removed = remove(rest, &file).await;
    if let Err(error) = &removed {
        tracing::warn!(at = rest.at(), file, %error, "a file of ours stayed on the router");
    }
    let text = text?;
    removed?;
    // A file is read to its end.
    if looks_like_one(&text) { Ok(format!("{text}\n{END}\n")) } else { Err(refusal(rest.at(), &text)) }
}

async fn run(rest: &Rest, source: &str) -> Result<String, RouterError> {
    match rest.execute(source, MAX_DURATION).await {
        // A script may change things, so its silence counts as an unknown outcome; this one changes nothing.
        Err(RouterError::LostAnswer { at, .. }) => Err(RouterError::Timeout { at, after: MAX_DURATION, stage: Stage::Answer }),
        other => other,
    }
}

async fn read(rest: &Rest, file: &str) -> Result<String, RouterError> {
    let menu = MenuPath::parse("/file")?;
    let size = PIECE.to_string();
    let mut text = String::new();
    for piece in 0..MOST_BYTES / PIECE {
        let offset = (piece * PIECE).to_string();
        let asked = [("file", file), ("chunk-size", size.as_str()), ("offset", offset.as_str())];
        let rows = match rest.run_within(&menu, "read", &asked, STEP).await {
            Ok(rows) => rows,
            // Behind the end of a file whose length is a whole number of pieces.
            Err(RouterError::Rejected { detail, .. }) if piece > 0 && detail.contains("out of file bounds") => return Ok(text),
            Err(error) => return Err(error),
        };
        match rows.first().and_then(|row| row.get("data")) {
            None | Some("") => return Ok(text),
            Some(data) => text.push_str(data),
        }
    }
    Err(RouterError::Garbage { why: format!("a configuration of more than {} MB", MOST_BYTES >> 20) })
}

async fn remove(rest: &Rest, file: &str) -> Result<(), RouterError> {
    let menu = MenuPath::parse("/file")?;
    let rows = rest.print(&menu, &Query::new().eq("name", file)).await?;
    for id in rows.iter().filter(|row| row.get("name") == Some(file)).filter_map(|row| row.get(".id")) {
        rest.remove(&menu, id).await?;
    }
    Ok(())
}

/// Whether a text has what every export begins with, or at least a menu.
fn looks_like_one(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty()).take(20);
    lines.any(|line| line.starts_with('/') || (line.starts_with('#') && line.contains("by RouterOS")))
}

/// What a text says that is no export.
fn refusal(at: &str, text: &str) -> RouterError {
    if text.contains("not enough permissions") {
        return RouterError::Denied { at: at.to_owned(), denial: Denial::Policy };
    }
    let first: String = text.trim().lines().next().unwrap_or("").chars().filter(|c| !c.is_control()).take(MOST_SAID).collect();
    let detail = if first.is_empty() { "/export printed nothing".to_owned() } else { format!("/export printed no configuration: {first}") };
    RouterError::Rejected { status: 200, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_told_from_words_of_the_console() {
        for text in [
            "# 2026-08-02 01:44:02 by RouterOS 7.23.2\r\n#\r\n",
            "\r\n# nov/09/2022 15:49:15 by RouterOS 7.6\r\n/interface bridge\r\nadd name=x\r\n",
            "/ip dns set servers=1.1.1.1\n",
        ] {
            assert!(looks_like_one(text), "{text}");
        }
        for text in [
            "",
            "bad command name export (line 1 column 2)",
            "not enough permissions (9)",
            "# end of export\r\n",
            "{}",
            "syntax error (line 1 column 15)",
        ] {
            assert!(!looks_like_one(text), "{text}");
        }
    }

    #[test]
    fn refusals_say_what_is_missing() {
        assert!(matches!(refusal("r", "not enough permissions (9)\r\n"), RouterError::Denied { denial: Denial::Policy, .. }));
        let RouterError::Rejected { detail, .. } = refusal("r", "bad command name export\u{1b}[0m\r\nmore") else { panic!("another kind") };
        assert_eq!(detail, "/export printed no configuration: bad command name export[0m");
    }
}
