//! Standard output: one place writes to it.

use crate::shape::table;
use serde_json::Value;
use std::io::{self, Write};

/// Prints text and ends the line. A reader that left (`| head`) is no error.
pub fn text(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Prints JSON, indented for people on a terminal and compact for programs.
pub fn json(value: &Value) {
    let line = if io::IsTerminal::is_terminal(&io::stdout()) { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text(&line.unwrap_or_default());
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
