//! Expressions in `( )` and conditions after `where`.

use super::parse::Reader;
use super::scan::Scan;
use super::tree::{Expr, Piece, Syntax};
use super::value::Value;

/// Operators from the loosest to the tightest; each level is read from left to right.
const LEVELS: [&[&str]; 10] = [
    &["or", "||"],
    &["and", "&&"],
    &["in"],
    &["!=", "<=", ">=", "=", "<", ">", "~"],
    &[".", ","],
    &["|", "^", "&"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
    &["->"],
];

impl Reader<'_> {
    /// An expression up to its closing parenthesis.
    pub(super) fn expression(&mut self) -> Result<Expr, Syntax> {
        self.deeper(|this| this.level(0))
    }

    fn level(&mut self, depth: usize) -> Result<Expr, Syntax> {
        let Some(operators) = LEVELS.get(depth) else { return self.unary() };
        let mut left = self.level(depth + 1)?;
        while let Some(operator) = self.operator(operators) {
            let right = self.level(depth + 1)?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operator(&mut self, among: &'static [&'static str]) -> Option<&'static str> {
        self.scan.gaps_in_expression();
        let rest: String = self.scan.chars[self.scan.at..].iter().take(3).collect();
        let found = among.iter().find(|op| {
            let word = op.starts_with(|c: char| c.is_ascii_alphabetic());
            let longer = match **op {
                "-" => rest.starts_with("->"),
                "|" => rest.starts_with("||"),
                "&" => rest.starts_with("&&"),
                "<" => rest.starts_with("<<") || rest.starts_with("<="),
                ">" => rest.starts_with(">>") || rest.starts_with(">="),
                _ => false,
            };
            rest.starts_with(**op) && !longer && !(word && rest[op.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-'))
        })?;
        self.scan.at += found.chars().count();
        Some(found)
    }

    fn unary(&mut self) -> Result<Expr, Syntax> {
        self.scan.gaps_in_expression();
        let operator = match self.scan.peek() {
            Some('!') => "!",
            Some('-') => "-",
            Some('~') => "~",
            _ => return self.operand(),
        };
        self.scan.at += 1;
        Ok(Expr::Unary(operator, Box::new(self.deeper(Self::unary)?)))
    }

    fn operand(&mut self) -> Result<Expr, Syntax> {
        match self.scan.peek() {
            Some('"' | '[' | '{' | '(') => self.any_value(),
            Some('$') => {
                self.scan.at += 1;
                self.scan.variable().map(Expr::Variable)
            }
            Some('*') => {
                self.scan.at += 1;
                Ok(Expr::Word(format!("*{}", self.scan.take_while(|c| c.is_ascii_hexdigit()))))
            }
            Some(')') => Ok(Expr::Text(Vec::new())),
            Some(c) if c.is_ascii_digit() => {
                let start = self.scan.at;
                let long = self.scan.take_while(|c| c.is_ascii_alphanumeric() || "./:".contains(c));
                if Value::of_word(&long).type_name() == "str" {
                    self.scan.at = start;
                    let short = self.scan.take_while(|c| c.is_ascii_alphanumeric() || c == ':');
                    return Ok(Expr::Word(short));
                }
                Ok(Expr::Word(long))
            }
            _ => {
                let word = self.scan.take_while(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
                if word.is_empty() { self.scan.syntax("syntax error") } else { Ok(Expr::Word(word)) }
            }
        }
    }

    /// What stands after `where`: terms side by side are all meant.
    pub(super) fn condition(&mut self) -> Result<Expr, Syntax> {
        self.deeper(|this| {
            let mut any: Option<Expr> = None;
            loop {
                let mut all = this.term()?;
                loop {
                    if this.at_end() || this.word_ahead() == "or" || this.ahead("||") {
                        break;
                    }
                    if this.word_ahead() == "and" {
                        this.scan.at += 3;
                    } else if this.ahead("&&") {
                        this.scan.at += 2;
                    }
                    all = Expr::Binary("and", Box::new(all), Box::new(this.term()?));
                }
                any = Some(match any {
                    Some(before) => Expr::Binary("or", Box::new(before), Box::new(all)),
                    None => all,
                });
                if this.at_end() {
                    break;
                }
                this.scan.at += 2;
            }
            any.map_or_else(|| this.scan.syntax("syntax error"), Ok)
        })
    }

    fn ahead(&self, text: &str) -> bool {
        self.scan.chars[self.scan.at.min(self.scan.chars.len())..].iter().take(text.len()).collect::<String>() == text
    }

    fn term(&mut self) -> Result<Expr, Syntax> {
        self.scan.blanks();
        if self.scan.eat('!') {
            return Ok(Expr::Unary("!", Box::new(self.deeper(Self::term)?)));
        }
        if self.scan.eat('(') {
            let inner = self.condition()?;
            self.close(')')?;
            return Ok(inner);
        }
        if matches!(self.scan.peek(), Some('$' | '[' | '"')) {
            return self.any_value();
        }
        let name = self.scan.take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if name.is_empty() {
            return self.scan.syntax("syntax error");
        }
        let attribute = Expr::Attribute(name);
        let Some(operator) = ["!=", "<=", ">=", "=", "<", ">", "~"].into_iter().find(|op| self.ahead(op)) else { return Ok(attribute) };
        self.scan.at += operator.len();
        let value = self.condition_value()?;
        Ok(Expr::Binary(operator, Box::new(attribute), Box::new(value)))
    }

    fn condition_value(&mut self) -> Result<Expr, Syntax> {
        match self.scan.peek() {
            Some('"' | '[' | '(' | '$' | '{') => self.any_value(),
            None | Some(' ' | ']' | ')' | ';' | '\n') => Ok(Expr::Text(Vec::new())),
            _ => {
                let mut word = self.scan.take_while(|c| !c.is_whitespace() && !";\"[](){}$".contains(c));
                // In a stored script the value ends at the slash: seen on hardware, and the reason to quote.
                if let (true, Some(cut)) = (self.stored, word.find('/')) {
                    word.truncate(cut);
                }
                Ok(Expr::Text(vec![Piece::Plain(word)]))
            }
        }
    }
}

impl Scan {
    fn gaps_in_expression(&mut self) {
        loop {
            self.blanks();
            if self.peek() != Some('\n') {
                return;
            }
            self.at += 1;
        }
    }
}
