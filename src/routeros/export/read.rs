//! Text to rows.

use super::lex::{Lexer, Odd, Word};
use super::write::{GAP, UNREAD};
use super::{Command, END, Export, Line, Section, Target};
use crate::routeros::script;

/// Commands that exports are made of.
const VERBS: &[&str] = &["add", "set", "remove", "unset", "enable", "disable", "move", "reset"];

/// How often a text may be read in vain: brackets that never close make the reader look for their end line by line, and
/// somebody may write nothing else.
const VAIN_READINGS: usize = 4;

/// Reads an export, wrapped or terse, with any line ends. Never fails: what cannot be read is kept as [`Line::Unread`].
pub fn parse(text: &str) -> Export {
    let mut export = Export::default();
    let mut menu = String::new();
    let (mut at, mut in_vain) = (0, 0);
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'#' => {
                let end = line_end(text, at);
                comment(&mut export, &menu, text[at + 1..end].trim_end());
                at = end;
            }
            _ => {
                let mut lexer = Lexer::new(text, at);
                lexer.one_line = in_vain > VAIN_READINGS * text.len();
                match lexer.command().and_then(command) {
                    Ok(read) => {
                        if let Some(path) = read.path {
                            menu = path;
                            section(&mut export, &menu);
                        }
                        if let Some(row) = read.row {
                            section(&mut export, &menu).lines.push(Line::Row(row));
                        }
                        at = lexer.at;
                    }
                    Err(Odd) => {
                        // A quote that never ends must not swallow the lines below: only this one is given up.
                        in_vain += lexer.at - at;
                        let end = line_end(text, at);
                        section(&mut export, &menu).lines.push(Line::Unread(text[at..end].trim_end().to_owned()));
                        at = end;
                    }
                }
            }
        }
    }
    export
}

/// Where the text's line ends, without its line feed.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |length| at + length)
}

/// The section that lines of a menu go to now.
fn section<'a>(export: &'a mut Export, menu: &str) -> &'a mut Section {
    if export.sections.last().is_none_or(|last| last.menu != menu) {
        export.sections.push(Section { menu: menu.to_owned(), lines: Vec::new() });
    }
    export.sections.last_mut().expect("one was pushed if there was none")
}

fn comment(export: &mut Export, menu: &str, text: &str) {
    if text.trim() == END[1..].trim() {
        export.ended = true;
        return;
    }
    if let Some(literal) = text.strip_prefix(UNREAD)
        && let Some(line) = script::unquote(literal).and_then(|bytes| String::from_utf8(bytes).ok())
    {
        section(export, menu).lines.push(Line::Unread(line));
        return;
    }
    if let Some(said) = text.trim_start().strip_prefix(GAP) {
        export.gaps.push(said.trim_start().to_owned());
        return;
    }
    let text = text.strip_prefix(' ').unwrap_or(text).to_owned();
    if export.sections.is_empty() {
        export.head.push(text);
    } else {
        section(export, menu).lines.push(Line::Note(text));
    }
}

/// What a line says: a menu to go to, a command, or both.
struct Read {
    path: Option<String>,
    row: Option<Command>,
}

fn command(words: Vec<Word>) -> Result<Read, Odd> {
    let mut words = words.into_iter().peekable();
    let starts_path = matches!(words.peek(), Some(Word::Plain { text, quoted: false }) if text.starts_with('/'));
    if !starts_path {
        let verb = match words.next() {
            Some(Word::Plain { text, quoted: false }) if VERBS.contains(&text.as_str()) => text,
            _ => return Err(Odd),
        };
        return Ok(Read { path: None, row: Some(arguments(verb, words)?) });
    }
    let mut path = String::new();
    while let Some(Word::Plain { text, quoted: false }) = words.next_if(|word| matches!(word, Word::Plain { quoted: false, .. })) {
        let mut steps = text.split('/').filter(|step| !step.is_empty());
        while let Some(step) = steps.next() {
            if VERBS.contains(&step) && !path.is_empty() {
                if steps.next().is_some() {
                    return Err(Odd);
                }
                let row = arguments(step.to_owned(), words)?;
                return Ok(Read { path: Some(path), row: Some(row) });
            }
            if !is_word(step) {
                return Err(Odd);
            }
            path.push('/');
            path.push_str(step);
        }
    }
    if words.next().is_some() || path.is_empty() {
        return Err(Odd);
    }
    Ok(Read { path: Some(path), row: None })
}

/// Whether a step of a path is spelt as they all are.
pub(super) fn is_word(step: &str) -> bool {
    step.len() <= 64 && step.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn arguments(verb: String, words: impl Iterator<Item = Word>) -> Result<Command, Odd> {
    let mut command = Command { verb, ..Command::default() };
    let mut prefix: Option<String> = None;
    for word in words {
        let is_first = command.target.is_none() && command.values.is_empty();
        match word {
            Word::Find(pairs) if is_first => command.target = Some(Target::Find(pairs)),
            Word::Find(_) => return Err(Odd),
            Word::Plain { text, .. } if is_first && command.verb != "add" => command.target = Some(Target::Item(text)),
            Word::Plain { text, .. } => command.values.push((text, None)),
            Word::Pair(name, value) => {
                let name = match (&prefix, name.strip_prefix('.')) {
                    (Some(prefix), Some(rest)) => format!("{prefix}.{rest}"),
                    _ => name,
                };
                if let Some((above, _)) = name.rsplit_once('.').filter(|(above, _)| !above.is_empty()) {
                    prefix = Some(above.to_owned());
                }
                command.values.push((name, Some(value)));
            }
        }
    }
    Ok(command)
}
