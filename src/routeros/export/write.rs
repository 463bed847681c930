//! Rows to text: menu headers, one command a line, never wrapped.

use super::{Command, END, Export, Line, Target};
use crate::routeros::script;
use std::fmt::Write;

/// Begins a comment that holds a line nobody could read, as a literal.
pub(super) const UNREAD: &str = "?? ";

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
        let _ = writeln!(out, "#error exporting {gap}");
    }
    if export.ended {
        let _ = writeln!(out, "{END}");
    }
    out
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
pub(crate) fn value(out: &mut String, text: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b':' | b',' | b'*' | b'!' | b'-' | b'+' | b'@');
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
