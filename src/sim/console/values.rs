//! Values where an argument may stand: words, strings, substitutions, and braces that are a script or an array.

use super::parse::Reader;
use super::scan::{Pieces, escape};
use super::tree::{Braces, Expr, Items, Syntax};
use std::sync::Arc;

/// How `{ … }` is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    Script,
    Array,
    Either,
}

impl Reader<'_> {
    /// A value that may be left out.
    pub(super) fn value_or_empty(&mut self, mode: As) -> Result<Expr, Syntax> {
        match self.scan.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | ';' | ']' | '}' | ')') => Ok(Expr::Text(Vec::new())),
            _ => self.value(mode),
        }
    }

    /// A value where an argument may stand.
    pub(super) fn value(&mut self, mode: As) -> Result<Expr, Syntax> {
        match self.scan.peek() {
            Some('{') => self.braces(mode),
            _ => self.any_value(),
        }
    }

    pub(super) fn any_value(&mut self) -> Result<Expr, Syntax> {
        match self.scan.peek() {
            Some('{') => self.braces(As::Either),
            Some('"') => self.string(),
            Some('[') => self.substitution(),
            Some('(') => {
                self.scan.at += 1;
                let inner = self.expression()?;
                self.close(')')?;
                Ok(inner)
            }
            Some('$') => {
                self.scan.at += 1;
                let mut value = Expr::Variable(self.scan.variable()?);
                while self.scan.peek() == Some('-') && self.scan.peek_at(1) == Some('>') {
                    self.scan.at += 2;
                    value = Expr::Binary("->", Box::new(value), Box::new(self.any_value()?));
                }
                Ok(value)
            }
            _ => {
                let word = self.scan.take_while(|c| !c.is_whitespace() && !";\"[](){}$".contains(c));
                if word.is_empty() { self.scan.syntax("syntax error") } else { Ok(Expr::Word(word)) }
            }
        }
    }

    fn substitution(&mut self) -> Result<Expr, Syntax> {
        self.scan.at += 1;
        let outer = self.menu.clone();
        let script = self.statements(Some(']'))?;
        self.menu = outer;
        self.close(']')?;
        Ok(Expr::Substitution(Arc::new(script)))
    }

    fn string(&mut self) -> Result<Expr, Syntax> {
        let open = self.scan.at;
        self.scan.at += 1;
        let mut pieces = Pieces::default();
        loop {
            match self.scan.bump() {
                Some('"') => return Ok(pieces.end()),
                Some('\\') => match escape(&mut self.scan) {
                    Some(bytes) => pieces.bytes(&bytes),
                    None => return Err(Syntax::at("syntax error", self.scan.place())),
                },
                Some('$') => match self.scan.peek() {
                    Some('(') => {
                        self.scan.at += 1;
                        let inner = self.deeper(Self::expression)?;
                        self.close(')')?;
                        pieces.value(inner);
                    }
                    Some('[') => pieces.value(self.substitution()?),
                    _ => pieces.value(Expr::Variable(self.scan.variable()?)),
                },
                Some(c) => pieces.push(c),
                None => return Err(Syntax::at("expected closing quote", self.scan.place_of(open))),
            }
        }
    }

    fn braces(&mut self, mode: As) -> Result<Expr, Syntax> {
        let open = self.scan.at;
        let Some(end) = self.scan.closing(open) else { return self.scan.syntax("expected closing brace") };
        let source: String = self.scan.chars[open + 1..end - 1].iter().collect();
        let mut items = None;
        if mode != As::Script {
            self.scan.at = open + 1;
            items = self.deeper(Self::items).ok().filter(|_| self.scan.at == end).map(Arc::new);
        }
        let mut script = None;
        if mode == As::Script || items.is_none() {
            self.scan.at = open + 1;
            let read = self.statements(Some('}'))?;
            self.close('}')?;
            script = Some(Arc::new(read));
        }
        self.scan.at = end;
        Ok(Expr::Braces(Braces { source, script, items }))
    }

    /// `1;2;3` or `a=1;b=2` up to the closing brace.
    fn items(&mut self) -> Result<Items, Syntax> {
        let mut items = Vec::new();
        loop {
            self.scan.gaps();
            if self.scan.eat('}') {
                return Ok(items);
            }
            let first = self.element()?;
            self.scan.blanks();
            if self.scan.eat('=') {
                self.scan.blanks();
                let value = self.element()?;
                items.push((Some(first), value));
            } else {
                items.push((None, first));
            }
            self.scan.blanks();
            if !matches!(self.scan.peek(), Some(';' | '}' | '\n')) {
                return self.scan.syntax("syntax error");
            }
        }
    }

    fn element(&mut self) -> Result<Expr, Syntax> {
        match self.scan.peek() {
            Some('{' | '"' | '[' | '(' | '$') => self.any_value(),
            _ => {
                let word = self.scan.take_while(|c| !c.is_whitespace() && !";\"[](){}$=".contains(c));
                if word.is_empty() || word.starts_with([':', '/']) { self.scan.syntax("syntax error") } else { Ok(Expr::Word(word)) }
            }
        }
    }
}
