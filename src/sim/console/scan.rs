//! The characters of a script, strings and words.

use super::tree::{Expr, Piece, Place, Syntax};
use crate::sim::row::from_bytes;

/// Reads a text from left to right.
pub(super) struct Scan {
    pub chars: Vec<char>,
    pub at: usize,
}

impl Scan {
    pub fn new(text: &str) -> Self {
        Scan { chars: text.chars().collect(), at: 0 }
    }

    pub fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub fn peek_at(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    pub fn bump(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    pub fn eat(&mut self, want: char) -> bool {
        let hit = self.peek() == Some(want);
        self.at += usize::from(hit);
        hit
    }

    pub fn place(&self) -> Place {
        self.place_of(self.at)
    }

    pub fn place_of(&self, at: usize) -> Place {
        let before = &self.chars[..at.min(self.chars.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        Place(line, before.iter().rev().take_while(|c| **c != '\n').count() + 1)
    }

    pub fn syntax<T>(&self, said: &str) -> Result<T, Syntax> {
        Err(Syntax::at(said, self.place()))
    }

    /// Blanks inside a statement; a backslash at the end of a line continues it.
    pub fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if matches!(self.peek_at(1), Some('\n')) => self.at += 2,
                Some('\\') if self.peek_at(1) == Some('\r') && self.peek_at(2) == Some('\n') => self.at += 3,
                _ => return,
            }
        }
    }

    /// Blanks, line ends, semicolons and comments between statements.
    pub fn gaps(&mut self) {
        loop {
            self.blanks();
            match self.peek() {
                Some('\n' | ';') => self.at += 1,
                Some('#') => self.comment(),
                _ => return,
            }
        }
    }

    pub fn comment(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.at += 1;
        }
    }

    /// Letters that the test likes.
    pub fn take_while(&mut self, test: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&test) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    /// The name after a `$`.
    pub fn variable(&mut self) -> Result<String, Syntax> {
        if self.eat('"') {
            let name = self.take_while(|c| c != '"');
            return if self.eat('"') { Ok(name) } else { self.syntax("syntax error") };
        }
        let name = self.take_while(|c| c.is_ascii_alphanumeric());
        if name.is_empty() { self.syntax("syntax error") } else { Ok(name) }
    }

    /// The index right after the brace that closes the one at `from`.
    pub fn closing(&self, from: usize) -> Option<usize> {
        let mut depth = 0usize;
        let mut at = from;
        let mut fresh = true;
        while let Some(c) = self.chars.get(at).copied() {
            match c {
                '"' => {
                    at += 1;
                    while self.chars.get(at).is_some_and(|c| *c != '"') {
                        at += if self.chars[at] == '\\' { 2 } else { 1 };
                    }
                }
                '{' => depth += 1,
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                '#' if fresh => {
                    while self.chars.get(at + 1).is_some_and(|c| *c != '\n') {
                        at += 1;
                    }
                }
                _ => {}
            }
            fresh = matches!(c, '\n' | ';' | '{') || fresh && matches!(c, ' ' | '\t' | '\r');
            at += 1;
        }
        None
    }
}

/// What a backslash and the letter after it mean; `None` for one that is no escape.
pub(super) fn escape(scan: &mut Scan) -> Option<Vec<u8>> {
    let c = scan.bump()?;
    Some(match c {
        'n' => vec![b'\n'],
        'r' => vec![b'\r'],
        't' => vec![b'\t'],
        '_' => vec![b' '],
        'a' => vec![7],
        'b' => vec![8],
        'f' => vec![12],
        'v' => vec![11],
        '"' | '\\' | '$' | '?' => vec![c as u8],
        '\r' | '\n' => {
            scan.take_while(char::is_whitespace);
            Vec::new()
        }
        c if c.is_ascii_hexdigit() && !c.is_ascii_lowercase() => {
            let low = scan.bump().filter(|c| c.is_ascii_hexdigit() && !c.is_ascii_lowercase())?;
            vec![(c.to_digit(16)? * 16 + low.to_digit(16)?) as u8]
        }
        _ => return None,
    })
}

/// Plain text of a string is collected as bytes: two `\XX` can be one letter.
#[derive(Default)]
pub(super) struct Pieces {
    done: Vec<Piece>,
    bytes: Vec<u8>,
}

impl Pieces {
    pub fn push(&mut self, c: char) {
        self.bytes.extend(crate::sim::row::to_bytes(c.encode_utf8(&mut [0; 4])));
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    pub fn value(&mut self, value: Expr) {
        self.flush();
        self.done.push(Piece::Value(value));
    }

    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            self.done.push(Piece::Plain(from_bytes(&std::mem::take(&mut self.bytes))));
        }
    }

    pub fn end(mut self) -> Expr {
        self.flush();
        Expr::Text(self.done)
    }
}
