//! Standard output: one place writes to it.

use crate::base::fault::{Fault, Kind};
use crate::shape::table;
use serde_json::Value;
use std::io::{self, Write};
use std::sync::OnceLock;

/// Why something that was to be printed is not there. Beside the process's one standard output, and as global as that: what a
/// command did is not undone by it, so it goes on and the end of the process tells.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Standard output that takes everything: a reader that left (`| head`) is no error, and any other is told by [`complete`].
pub struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        noted(io::stdout().lock().write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        noted(io::stdout().lock().flush());
        Ok(())
    }
}

/// What went wrong first is what is told.
fn noted(done: io::Result<()>) {
    if let Err(error) = done
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error);
    }
}

/// What somebody else could not print.
pub fn lost(error: io::Error) -> Result<(), Fault> {
    noted(Err(error));
    complete()
}

/// Whether everything that was printed got out. Errs with `Storage`.
pub fn complete() -> Result<(), Fault> {
    match LOST.get() {
        None => Ok(()),
        Some(error) => {
            let why = crate::cli::fault::io_words(error);
            Err(Fault::new(Kind::Storage, format!("standard output cannot be written: {why}"))
                .hint("what was asked for is done; what it says is incomplete"))
        }
    }
}

/// Prints text and ends the line.
pub fn text(text: &str) {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = Out.write_all(text.as_bytes()).and_then(|()| Out.write_all(end.as_bytes())).and_then(|()| Out.flush());
}

/// Prints JSON, indented for people on a terminal and compact for programs.
pub fn json(value: &Value) {
    let line = if io::IsTerminal::is_terminal(&io::stdout()) { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text(&line.unwrap_or_default());
}

/// One object: JSON, or a line a field.
pub fn one(value: &Value, as_json: bool) {
    if as_json {
        json(value);
    } else {
        text(&table::text(value));
    }
}

/// Columns of a terminal nobody widened.
#[cfg(feature = "sim")]
const COLUMNS: usize = 80;

/// Text in lines that fit a terminal, each after `indent`; a word that is longer has a line of its own. For `demo`.
#[cfg(feature = "sim")]
pub fn folded(indent: &str, text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() < COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines.join("\n")
}

/// The named members of JSON rows as a table for people: columns as wide as their widest cell.
pub fn rows(head: &[&str], rows: &[Value]) {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| head.iter().map(|name| table::cell(&row[*name])).collect()).collect();
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        format!("{}\n", line.trim_end())
    };
    let mut out = line(&mut head.iter().copied());
    for row in &rows {
        out.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text(&out);
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::*;

    #[test]
    fn folded_text_fits_a_terminal_and_loses_no_word() {
        let text = "a change that cuts us off is undone by the router itself, ".repeat(6) + &"x".repeat(100);
        let lines = folded("   ", &text);
        assert!(lines.lines().all(|line| line.starts_with("   ") && (line.len() < COLUMNS || line.trim().len() == 100)), "{lines}");
        assert_eq!(lines.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
        assert!(lines.lines().count() > 4);
    }
}
