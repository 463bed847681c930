//! Words of a command line, across the places where an export wraps it.
//!
//! A backslash at a line's end, and the blanks below it, are not there: neither between words nor inside them.

use super::readable;
use crate::routeros::script;

/// A command line ends at a line's end outside quotes; longer ones are no export of a router.
const MOST_BYTES: usize = 1 << 20;

/// One word.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// `add`, `ether1`; or in quotes.
    Plain { text: String, quoted: bool },
    /// `name=value`
    Pair(String, String),
    /// `[ find default-name=ether1 ]`, what stands after `find`.
    Find(Vec<(String, Option<String>)>),
}

/// The line is not one that an export writes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Odd;

/// Reads words of a text from a place on.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    pub at: usize,
    /// Brackets have to close on their line.
    pub one_line: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str, at: usize) -> Self {
        Lexer { bytes: text.as_bytes(), at, one_line: false }
    }

    /// The words up to the command's end; `at` stands behind its line break then.
    pub fn command(&mut self) -> Result<Vec<Word>, Odd> {
        let (start, mut words) = (self.at, Vec::new());
        loop {
            self.blanks();
            match self.peek() {
                None => return Ok(words),
                Some(b'\n') => {
                    self.at += 1;
                    return Ok(words);
                }
                Some(b'[') => words.push(self.find()?),
                Some(_) => words.push(self.word(false)?),
            }
            if self.at - start > MOST_BYTES {
                return Err(Odd);
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Blanks and wraps; a carriage return before a line feed is a blank as well.
    fn blanks(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.wrap() => {}
                _ => return,
            }
        }
    }

    /// Steps over a wrap, if here is one.
    fn wrap(&mut self) -> bool {
        if self.one_line {
            return false;
        }
        let Some(length) = wrap_length(&self.bytes[self.at..]) else { return false };
        self.at += length;
        true
    }

    fn word(&mut self, inside: bool) -> Result<Word, Odd> {
        if self.peek() == Some(b'"') {
            return Ok(Word::Plain { text: self.quoted()?, quoted: true });
        }
        let mut name = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => break,
                b']' if inside => break,
                b'\\' if self.wrap() => {}
                b'=' if is_name(&name) => {
                    self.at += 1;
                    let value = self.value(inside)?;
                    return Ok(Word::Pair(readable(&name).into_owned(), value));
                }
                b'"' | b'[' => return Err(Odd),
                byte => {
                    name.push(byte);
                    self.at += 1;
                }
            }
        }
        Ok(Word::Plain { text: readable(&name).into_owned(), quoted: false })
    }

    fn value(&mut self, inside: bool) -> Result<String, Odd> {
        let mut value = Vec::new();
        let start = loop {
            match self.peek() {
                Some(b'\\') if self.wrap() => {}
                other => break other,
            }
        };
        match start {
            Some(b'"') => return self.quoted_value(inside),
            Some(b'{' | b'(' | b'[') => return self.balanced(),
            _ => {}
        }
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => break,
                b']' if inside => break,
                b'\\' if self.wrap() => {}
                b'"' => return Err(Odd),
                byte => {
                    value.push(byte);
                    self.at += 1;
                }
            }
        }
        Ok(readable(&value).into_owned())
    }

    /// A quoted value ends its word.
    fn quoted_value(&mut self, inside: bool) -> Result<String, Odd> {
        let value = self.quoted()?;
        match self.peek() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n') => Ok(value),
            Some(b']') if inside => Ok(value),
            Some(b'\\') if wrap_length(&self.bytes[self.at..]).is_some() => Ok(value),
            Some(_) => Err(Odd),
        }
    }

    fn quoted(&mut self) -> Result<String, Odd> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.bytes.get(end) {
                None => return Err(Odd),
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
            }
        }
        self.at = end + 1;
        Ok(readable(&unescape(&self.bytes[start..end])).into_owned())
    }

    /// `{…}` and the like, as somebody may type them; quotes inside hold what they hold.
    fn balanced(&mut self) -> Result<String, Odd> {
        let (start, mut open) = (self.at, Vec::new());
        loop {
            match self.peek().ok_or(Odd)? {
                b'"' => {
                    self.quoted()?;
                    continue;
                }
                b'\n' if self.one_line => return Err(Odd),
                b'{' => open.push(b'}'),
                b'(' => open.push(b')'),
                b'[' => open.push(b']'),
                close @ (b'}' | b')' | b']') if open.pop() != Some(close) => return Err(Odd),
                b'\\' => self.at += usize::from(self.at + 1 < self.bytes.len()),
                _ => {}
            }
            self.at += 1;
            if open.is_empty() {
                return Ok(readable(&self.bytes[start..self.at]).into_owned());
            }
        }
    }

    fn find(&mut self) -> Result<Word, Odd> {
        self.at += 1;
        let mut pairs = Vec::new();
        let mut first = true;
        loop {
            self.blanks();
            match self.peek() {
                None | Some(b'\n' | b'[') => return Err(Odd),
                Some(b']') => {
                    self.at += 1;
                    return if first { Err(Odd) } else { Ok(Word::Find(pairs)) };
                }
                Some(_) => {}
            }
            match self.word(true)? {
                Word::Plain { text, quoted: false } if first && text == "find" => first = false,
                _ if first => return Err(Odd),
                Word::Plain { text, .. } if text.is_empty() => return Err(Odd),
                Word::Plain { text, .. } if text == "where" => {}
                Word::Plain { text, .. } => pairs.push((text, None)),
                Word::Pair(name, value) => pairs.push((name, Some(value))),
                Word::Find(_) => return Err(Odd),
            }
        }
    }
}

/// Bytes of a wrap: the backslash, the line break, and the blanks of the line below.
fn wrap_length(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"\\")?;
    let breaks = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.first() == Some(&b'\n')) };
    let blanks = rest.get(breaks..)?.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    (breaks > 0).then_some(1 + breaks + blanks)
}

/// `.as`, `src-address`, `!comment`.
fn is_name(word: &[u8]) -> bool {
    let first = word.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'!' | b'_'));
    first && word[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// What stands between quotes. An escape nobody knows stays as it is.
fn unescape(inner: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(inner.len());
    let mut at = 0;
    while let Some(byte) = inner.get(at) {
        if *byte != b'\\' {
            // A bare line break inside quotes is content; the carriage return before it belongs to the transport.
            if !inner[at..].starts_with(b"\r\n") {
                out.push(*byte);
            }
            at += 1;
            continue;
        }
        if let Some(length) = wrap_length(&inner[at..]) {
            at += length;
            continue;
        }
        let (byte, length) = script::escaped(&inner[at + 1..]).unwrap_or((b'\\', 0));
        out.push(byte);
        at += 1 + length;
    }
    out
}
