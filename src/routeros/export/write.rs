//! Rows to text: menu headers, one command a line, never wrapped.

use super::{Command, END, Export, Line, Target};
use crate::routeros::script;
use std::fmt::Write;

/// Begins a comment that holds a line nobody could read, as a literal.
pub(super) const UNREAD: &str = "?? ";
/// Begins a comment that says what the router could not export, in its own words.
pub(super) const GAP: &str = "error exporting";

/// The export as one text, the same for equal exports.
pub fn write(export: &Export) -> String {
    let mut out = String::new();
    export.head.iter().for_each(|text| note(&mut out, text));
    for section in &export.sections {
        if !section.menu.is_empty() {
            out.push_str(&section.menu);
            out.push('\n');
        }
        for line in &section.lines {
            match line {
                Line::Row(row) => command(&mut out, row),
                Line::Note(text) => note(&mut out, text),
                Line::Unread(text) => {
                    let _ = writeln!(out, "#{UNREAD}{}", script::quote(text));
                }
            }
        }
    }
    for gap in &export.gaps {
        let _ = writeln!(out, "#{GAP} {gap}");
    }
    if export.ended {
        let _ = writeln!(out, "{END}");
    }
    out
}

/// A line of [`write`] in pieces of about `most` characters, wrapped as RouterOS does: put together with line feeds they
/// read the same.
pub fn wrapped(line: &str, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = line;
    let mut indent = "";
    // Comments are not wrapped.
    while !line.starts_with('#') && rest.chars().nth(most).is_some() {
        let Some(at) = break_at(rest, most) else { break };
        lines.push(format!("{indent}{}\\", &rest[..at]));
        (rest, indent) = (&rest[at..], "    ");
    }
    lines.push(format!("{indent}{rest}"));
    lines
}

/// How long an escape is behind its backslash.
fn escape(behind: &str) -> usize {
    let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    if behind.len() >= 2 && behind.bytes().take(2).all(|byte| is_hex(&byte)) { 2 } else { 1 }
}

/// Where to wrap: behind a blank if there is one in the second half, else anywhere outside an escape. Blanks that begin
/// the next line would be lost.
fn break_at(text: &str, most: usize) -> Option<usize> {
    let mut best = None;
    // Characters of an escape that are still to come: `\n` is two, `\0A` three.
    let mut left = 0;
    for (nth, (at, c)) in text.char_indices().enumerate() {
        if nth > most / 2 && left == 0 && c != ' ' && c != '\t' {
            let behind_blank = text[..at].ends_with(' ');
            if behind_blank || !matches!(best, Some((_, true))) {
                best = Some((at, behind_blank));
            }
        }
        if nth >= most && best.is_some() {
            break;
        }
        left = match left {
            0 if c == '\\' => escape(&text[at + 1..]),
            0 => 0,
            left => left - 1,
        };
    }
    best.map(|(at, _)| at)
}

fn note(out: &mut String, text: &str) {
    out.push('#');
    if !text.is_empty() {
        out.push(' ');
        out.push_str(text);
    }
    out.push('\n');
}

fn command(out: &mut String, command: &Command) {
    out.push_str(&command.verb);
    match &command.target {
        None => {}
        Some(Target::Item(name)) => {
            out.push(' ');
            value(out, name);
        }
        Some(Target::Find(pairs)) => {
            out.push_str(" [ find");
            pairs.iter().for_each(|(name, value)| attribute(out, name, value.as_deref()));
            out.push_str(" ]");
        }
    }
    command.values.iter().for_each(|(name, value)| attribute(out, name, value.as_deref()));
    out.push('\n');
}

fn attribute(out: &mut String, name: &str, text: Option<&str>) {
    out.push(' ');
    match text {
        None => value(out, name),
        Some(text) => {
            out.push_str(name);
            out.push('=');
            value(out, text);
        }
    }
}

/// A value, in quotes where it needs them. Letters of any script stay readable, as they do when typed.
fn value(out: &mut String, text: &str) {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b':' | b',' | b'*' | b'!' | b'-' | b'+' | b'@');
    if !text.is_empty() && text.bytes().all(plain) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '$' => out.push_str("\\$"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || c == '\x7f' => {
                let _ = write!(out, "\\{:02X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
