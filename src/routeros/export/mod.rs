//! `/export` as data: which rows a configuration text holds, menu by menu, in the text's own order.
//!
//! Both forms are read: the wrapped one with menu headers, and `terse` with the whole path on each line. Nothing is lost:
//! comments, flags without a value, lines that could not be read and menus the router failed to export all keep their
//! place, so `parse(write(x)) == x` for anything that was parsed. What a stored copy must not hold (clock, serial number,
//! secrets) is taken out elsewhere, from this form.
//!
//! Shortened names are written out (`remote.address=… .as=…` has the attribute `remote.as`).
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328155/Configuration+Management>

mod lex;
mod read;
mod write;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use read::parse;
pub use write::{wrapped, write};

/// The line that ends a text whose end was seen: a text without it may have been cut off on its way.
pub const END: &str = "# end of export";

/// One configuration text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Export {
    /// Comments above the first menu: date and version, model, serial number.
    pub head: Vec<String>,
    /// The menus, as often and in the order they come; two in a row are never the same.
    pub sections: Vec<Section>,
    /// What the router could not export, in its words: `"/interface/wifi" (timeout)`.
    pub gaps: Vec<String>,
    /// Whether [`END`] was there.
    pub ended: bool,
}

/// A run of lines of one menu.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// `/ip/firewall/filter`; empty for lines above any menu.
    pub menu: String,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// One line, wrapped or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// `add …` or `set …`.
    Row(Command),
    /// A comment, without its `#`.
    Note(String),
    /// What could not be read, as it stands.
    Unread(String),
}

/// One command of a menu.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// `add`, `set`, …
    pub verb: String,
    /// Which row it is about, when it is not about a new one or the menu itself.
    pub target: Option<Target>,
    /// Attributes in the text's order; a flag has no value.
    pub values: Vec<(String, Option<String>)>,
}

/// The row a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `[ find default-name=ether1 ]`
    Find(Vec<(String, Option<String>)>),
    /// `set www …`, `set 0 …`
    Item(String),
}

impl Export {
    /// `7.20.8` of `2026-02-25 14:41:32 by RouterOS 7.20.8`.
    pub fn version(&self) -> Option<&str> {
        let version = self.head.iter().find_map(|line| line.split_once("by RouterOS "))?.1.trim();
        (!version.is_empty()).then_some(version)
    }

    /// Every command with its menu.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &Command)> {
        self.sections.iter().flat_map(|section| {
            section.lines.iter().filter_map(|line| match line {
                Line::Row(command) => Some((section.menu.as_str(), command)),
                Line::Note(_) | Line::Unread(_) => None,
            })
        })
    }

    /// Menus with a line that could not be read; more than once when more lines are.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.sections
            .iter()
            .flat_map(|section| section.lines.iter().filter(|line| matches!(line, Line::Unread(_))).map(|_| section.menu.as_str()))
    }

    /// The menus of [`Export::gaps`]; empty where the router named none.
    pub fn gap_menus(&self) -> impl Iterator<Item = String> {
        self.gaps.iter().map(|said| gap_menu(said))
    }
}

impl Command {
    /// The value of an attribute; the last one counts, as it does on the console. A flag reads as empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_deref().unwrap_or_default())
    }
}

/// `/interface/wifi` of `"/interface/wifi" (timeout)` or `/interface wifi`.
fn gap_menu(said: &str) -> String {
    let path = said.split(['(', ',']).next().unwrap_or_default().replace(['"', ' '], "/");
    let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
    let is_path = said.trim_start_matches('"').starts_with('/');
    if is_path && words.iter().all(|word| read::is_word(word)) { format!("/{}", words.join("/")) } else { String::new() }
}

/// Bytes as text that loses nothing: what is no UTF-8 (a comment in CP1251) becomes `U+FFFD` and the byte's two digits.
pub fn readable(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\u{FFFD}{byte:02X}")));
    }
    Cow::Owned(out)
}
