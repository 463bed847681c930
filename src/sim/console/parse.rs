//! From text to statements. Menus, commands and argument names are looked up while reading, as the console does: a line with a
//! misspelt name does nothing at all.

use super::scan::Scan;
use super::tree::{Argument, Builtin, Command, Expr, Place, Script, Statement, Syntax};
use super::values::As;
use super::words;
use crate::sim::menus::{Definitions, Shape};
use crate::sim::profiles::Model;

/// Deepest nesting of brackets; a hostile text must not overflow the stack.
const DEPTH_MAX: usize = 60;

/// Reads a text as the console of this router.
pub(in crate::sim) struct Reader<'a> {
    pub(super) scan: Scan,
    defs: &'a Definitions,
    model: &'a Model,
    pub(super) menu: String,
    /// The text is a stored script, whose reader is pickier about values with a slash.
    pub(super) stored: bool,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(in crate::sim) fn new(text: &str, menu: &str, stored: bool, defs: &'a Definitions, model: &'a Model) -> Self {
        Reader { scan: Scan::new(text), defs, model, menu: menu.to_string(), stored, depth: 0 }
    }

    /// Reads the whole text.
    pub(in crate::sim) fn script(mut self) -> Result<Script, Syntax> {
        let script = self.statements(None)?;
        match self.scan.peek() {
            None => Ok(script),
            Some(_) => self.scan.syntax("syntax error"),
        }
    }

    /// Reads statements up to the first that cannot be read: an import does what stood before it.
    pub(in crate::sim) fn leading(mut self) -> (Script, Option<Syntax>) {
        let mut statements = Vec::new();
        let slip = loop {
            self.scan.gaps();
            if self.scan.peek().is_none() {
                break None;
            }
            match self.statement() {
                Ok(statement) => statements.extend(statement),
                Err(slip) => break Some(slip),
            }
            self.scan.blanks();
            if !matches!(self.scan.peek(), None | Some('\n' | ';')) {
                break self.scan.syntax::<()>("expected end of command").err();
            }
        };
        (Script { statements, menu: self.menu }, slip)
    }

    /// Reads what stands inside something else; refuses what is nested too deep.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Syntax>) -> Result<T, Syntax> {
        if self.depth >= DEPTH_MAX {
            return self.scan.syntax("nesting too deep");
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    pub(super) fn statements(&mut self, end: Option<char>) -> Result<Script, Syntax> {
        self.deeper(|this| {
            let outer = this.menu.clone();
            let mut statements = Vec::new();
            loop {
                this.scan.gaps();
                match this.scan.peek() {
                    None => break,
                    c if c == end => break,
                    Some(_) => statements.extend(this.statement()?),
                }
                this.scan.blanks();
                match this.scan.peek() {
                    None | Some('\n' | ';') => {}
                    c if c == end => {}
                    _ => return this.scan.syntax("expected end of command"),
                }
            }
            let menu = std::mem::replace(&mut this.menu, outer);
            if this.depth == 1 {
                this.menu.clone_from(&menu);
            }
            Ok(Script { statements, menu })
        })
    }

    fn statement(&mut self) -> Result<Option<Statement>, Syntax> {
        match self.scan.peek() {
            Some('{') => {
                self.scan.at += 1;
                let script = self.statements(Some('}'))?;
                self.close('}')?;
                Ok(Some(Statement::Block(script)))
            }
            Some('[' | '$' | '(' | '"') => {
                let value = self.value(As::Either)?;
                let arguments = self.loose_arguments()?;
                Ok(Some(Statement::Value(value, arguments)))
            }
            Some(':') => {
                self.scan.at += 1;
                self.builtin().map(Some)
            }
            Some(_) => self.command(),
            None => Ok(None),
        }
    }

    pub(super) fn close(&mut self, c: char) -> Result<(), Syntax> {
        self.scan.gaps();
        if self.scan.eat(c) { Ok(()) } else { self.scan.syntax("syntax error") }
    }

    fn builtin(&mut self) -> Result<Statement, Syntax> {
        let place = self.scan.place();
        let start = self.scan.at;
        let word = self.scan.take_while(|c| c.is_ascii_alphanumeric() || c == '-');
        if word == "log" {
            self.scan.at = start;
            let outer = std::mem::take(&mut self.menu);
            let read = self.command();
            self.menu = outer;
            return read?.map_or_else(|| self.scan.syntax("expected command name"), Ok);
        }
        let Some(names) = words::arguments(&word, self.model.version) else {
            return Err(unknown(&word, place));
        };
        let arguments = self.arguments_of(&word, names)?;
        Ok(Statement::Word(Builtin { word, arguments, place }))
    }

    /// Arguments of a word of the language: values in order, or by one of its names.
    fn arguments_of(&mut self, word: &str, names: &[&str]) -> Result<Vec<Argument>, Syntax> {
        let mut arguments = Vec::new();
        while !self.at_end() {
            if let Some(name) = self.name_before_equals() {
                if !names.contains(&name.as_str()) {
                    return self.scan.syntax("expected end of command");
                }
                self.scan.at += name.chars().count() + 1;
                let mode = match name.as_str() {
                    "do" | "else" | "on-error" | "command" | "script" => As::Script,
                    "in" if word == "onerror" => As::Script,
                    "in" => As::Array,
                    _ => As::Either,
                };
                let value = self.value_or_empty(mode)?;
                arguments.push(Argument::Named(name, value));
            } else {
                let mode = if matches!(word, "do" | "execute") { As::Script } else { As::Either };
                arguments.push(Argument::Bare(self.value(mode)?));
            }
            self.scan.blanks();
        }
        if words::BARE_MAX.iter().any(|(w, most)| *w == word && arguments.iter().filter(|a| matches!(a, Argument::Bare(_))).count() > *most)
        {
            return self.scan.syntax("expected end of command");
        }
        Ok(arguments)
    }

    /// What stands behind a value: the arguments of a function.
    fn loose_arguments(&mut self) -> Result<Vec<Argument>, Syntax> {
        let mut arguments = Vec::new();
        self.scan.blanks();
        while !self.at_end() {
            match self.name_before_equals() {
                Some(name) => {
                    self.scan.at += name.chars().count() + 1;
                    arguments.push(Argument::Named(name, self.value_or_empty(As::Either)?));
                }
                None => arguments.push(Argument::Bare(self.value(As::Either)?)),
            }
            self.scan.blanks();
        }
        Ok(arguments)
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.scan.blanks();
        matches!(self.scan.peek(), None | Some('\n' | ';' | '}' | ']' | ')'))
    }

    /// A name with `=` right behind it, not yet taken.
    fn name_before_equals(&self) -> Option<String> {
        let letters = self.scan.chars[self.scan.at..].iter().take_while(|c| c.is_ascii_alphanumeric() || "-_.!/".contains(**c));
        let name: String = letters.collect();
        (!name.is_empty() && self.scan.peek_at(name.chars().count()) == Some('=')).then_some(name)
    }

    fn command(&mut self) -> Result<Option<Statement>, Syntax> {
        let mut at = self.menu.clone();
        if self.scan.peek() == Some('/') {
            at.clear();
            self.scan.at += 1;
        }
        let absolute = at.is_empty();
        let mut first = true;
        loop {
            self.scan.blanks();
            if self.at_end() {
                self.menu = at;
                return Ok(None);
            }
            let place = self.scan.place();
            if self.scan.peek() == Some('.') && self.scan.peek_at(1) == Some('.') {
                self.scan.at += 2;
                at.truncate(at.rfind('/').unwrap_or(0));
                self.scan.eat('/');
                continue;
            }
            if first && self.scan.peek() == Some(':') {
                self.scan.at += 1;
                return self.builtin().map(Some);
            }
            let start = self.scan.at;
            let word = self.scan.take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            let next = format!("{at}/{word}");
            if !word.is_empty() && self.defs.knows(&next, self.model) {
                at = next;
                self.scan.eat('/');
                first = false;
                continue;
            }
            // Inside its brackets a command is at home: `/ip/address/remove [find]`.
            let outer = std::mem::replace(&mut self.menu, at.clone());
            let command = self.menu_command(&at, &word, place);
            self.menu = outer;
            if let Some(command) = command? {
                return Ok(Some(Statement::Command(command)));
            }
            if first && (!absolute || self.menu.is_empty()) && words::arguments(&word, self.model.version).is_some() {
                self.scan.at = start;
                return self.builtin().map(Some);
            }
            return Err(unknown(&word, place));
        }
    }

    /// The names of a command's arguments; `None` for a command the menu does not have.
    fn names_of(&self, at: &str, word: &str) -> Option<Vec<String>> {
        if let Some((_, names)) = words::ROOT.iter().find(|(w, _)| at.is_empty() && *w == word) {
            return Some(names.iter().map(|n| n.to_string()).collect());
        }
        if word == "export" && self.defs.knows(at, self.model) {
            return Some(words::EXPORT.iter().map(|n| n.to_string()).collect());
        }
        let menu = self.defs.menu(at, self.model).filter(|m| m.command_names().contains(&word))?;
        let names = menu.arguments(word).into_iter();
        Some(names.filter(|n| menu.attr(n).is_none_or(|a| a.since <= self.model.version)).collect())
    }

    /// A command of the menu we are at; `None` when the menu has none of that name.
    fn menu_command(&mut self, at: &str, word: &str, place: Place) -> Result<Option<Command>, Syntax> {
        let Some(known) = self.names_of(at, word) else { return Ok(None) };
        let single = self.defs.menu(at, self.model).is_some_and(|m| m.shape == Shape::Single);
        let mut command = Command { menu: at.to_string(), word: word.to_string(), arguments: Vec::new(), condition: None, place };
        if word == "find" {
            self.scan.blanks();
            if self.word_ahead() == "where" {
                self.scan.at += 5;
            }
            if !self.at_end() {
                command.condition = Some(self.condition()?);
            }
            return Ok(Some(command));
        }
        let generic: &[&str] = match word {
            "print" => &words::PRINT,
            "add" | "export" => &[],
            _ => &words::GENERIC,
        };
        let open = known.is_empty() && !matches!(word, "print" | "add" | "set");
        while !self.at_end() {
            if let Some(name) = self.name_before_equals() {
                let bare = name.trim_start_matches('!');
                let dotted = bare.starts_with('.') && bare != ".id";
                let full = if dotted { self.expanded(&command, bare) } else { bare.to_string() };
                if !(open || known.contains(&full) || generic.contains(&full.as_str()) || full == ".id") {
                    return self.scan.syntax("expected end of command");
                }
                self.scan.at += name.chars().count() + 1;
                let mode =
                    if matches!(full.as_str(), "source" | "script" | "on-event" | "do" | "on-error") { As::Script } else { As::Either };
                let value = self.value_or_empty(mode)?;
                command.arguments.push(Argument::Named(if name.starts_with('!') { name } else { full }, value));
                continue;
            }
            let ahead = self.word_ahead();
            if ahead == "where" && matches!(word, "print" | "export") {
                self.scan.at += 5;
                command.condition = Some(self.condition()?);
                continue;
            }
            let flag = known.contains(&ahead) && !matches!(ahead.as_str(), "numbers" | "number") || generic.contains(&ahead.as_str());
            let named_value = matches!(word, "get" | "unset") && !ahead.is_empty();
            if flag && !named_value && !(single && word == "print" && ahead == "detail") {
                self.scan.at += ahead.chars().count();
                command.arguments.push(Argument::Flag(ahead));
                continue;
            }
            if let Some(unset) = ahead.strip_prefix('!').filter(|n| word != "print" && known.contains(&n.to_string())) {
                self.scan.at += ahead.chars().count();
                command.arguments.push(Argument::Named(format!("!{unset}"), Expr::Text(Vec::new())));
                continue;
            }
            if matches!(word, "print" | "add" | "export") || single && word == "set" {
                return self.scan.syntax("expected end of command");
            }
            let bare = self.value(As::Either)?;
            command.arguments.push(Argument::Bare(bare));
        }
        Ok(Some(command))
    }

    /// `.as` after `remote.address` is `remote.as`.
    fn expanded(&self, command: &Command, short: &str) -> String {
        let last = command.arguments.iter().rev().find_map(|a| if let Argument::Named(name, _) = a { Some(name.as_str()) } else { None });
        last.and_then(|l| l.rsplit_once('.')).map_or_else(|| short.to_string(), |(prefix, _)| format!("{prefix}{short}"))
    }

    pub(super) fn word_ahead(&self) -> String {
        self.scan.chars[self.scan.at..].iter().take_while(|c| c.is_ascii_alphanumeric() || "-_.!".contains(**c)).collect()
    }
}

fn unknown(word: &str, place: Place) -> Syntax {
    match word {
        "" => Syntax::at("expected command name", place),
        word => Syntax::at(&format!("bad command name {word}"), place),
    }
}
