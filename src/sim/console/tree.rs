//! What the reader of scripts understands: statements, commands and expressions.

use std::sync::Arc;

/// Where in a text: line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(pub usize, pub usize);

/// Why a text is no script, in the console's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Syntax {
    pub said: String,
}

impl Syntax {
    pub(super) fn at(said: &str, place: Place) -> Self {
        Syntax { said: format!("{said} (line {} column {})", place.0, place.1) }
    }
}

/// Statements one after the other, and the menu they leave the reader in.
#[derive(Debug, Default)]
pub(in crate::sim) struct Script {
    pub(super) statements: Vec<Statement>,
    pub(in crate::sim) menu: String,
}

#[derive(Debug)]
pub(super) enum Statement {
    /// `{ … }`: names inside are its own.
    Block(Script),
    /// `[ … ]`, `$f a b`
    Value(Expr, Vec<Argument>),
    /// `:put …` and the like.
    Word(Builtin),
    /// `/ip/address/add …`
    Command(Command),
}

/// A word of the language itself.
#[derive(Debug)]
pub(super) struct Builtin {
    pub word: String,
    pub arguments: Vec<Argument>,
    pub place: Place,
}

/// A command of a menu.
#[derive(Debug)]
pub(super) struct Command {
    pub menu: String,
    pub word: String,
    pub arguments: Vec<Argument>,
    pub condition: Option<Expr>,
    pub place: Place,
}

#[derive(Debug)]
pub(super) enum Argument {
    /// `name=value`
    Named(String, Expr),
    /// A name without value: `detail`.
    Flag(String),
    /// A value without name.
    Bare(Expr),
}

/// `{ … }`: a script or an array, which only its use tells.
#[derive(Debug, Clone)]
pub(super) struct Braces {
    /// What stands between them.
    pub source: String,
    pub script: Option<Arc<Script>>,
    pub items: Option<Arc<Items>>,
}

/// Elements of an array, each with its key if it has one.
pub(super) type Items = Vec<(Option<Expr>, Expr)>;

#[derive(Debug, Clone)]
pub(super) enum Expr {
    /// A word without quotes.
    Word(String),
    /// A string and what it embeds.
    Text(Vec<Piece>),
    Variable(String),
    Braces(Braces),
    Substitution(Arc<Script>),
    Unary(&'static str, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// In a condition: the row's attribute.
    Attribute(String),
}

#[derive(Debug, Clone)]
pub(super) enum Piece {
    Plain(String),
    Value(Expr),
}
