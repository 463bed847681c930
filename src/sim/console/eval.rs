//! Runs statements. The router's tables are locked for one command at a time, never over a wait.

use super::operate::{attribute, binary, holds};
use super::parse::Reader;
use super::tree::{Argument, Command, Expr, Piece, Script, Statement};
use super::value::Value;
use crate::sim::agenda::Pace;
use crate::sim::menus::Definitions;
use crate::sim::profiles::Model;
use crate::sim::row::Row;
use crate::sim::shared::Shared;
use crate::sim::world::{Login, World};
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};
use tokio_util::sync::CancellationToken;

/// Statements a run may take: an endless loop in a test ends with an error.
const STEPS_MAX: u64 = 2_000_000;
/// Scripts that run scripts that run scripts.
const NESTING_MAX: usize = 20;
/// Longest output of one run.
const OUTPUT_MAX: usize = 16 * 1024 * 1024;

/// Why a run ends before its last statement.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sim) enum Stop {
    /// An error, in the console's words.
    Error(String),
    /// `:return`
    Return(Value),
    Break,
    Continue,
    /// `:quit` and `:exit`
    Exit,
    /// A command that runs until its session ends.
    Forever,
}

impl Stop {
    pub(super) fn error<T>(said: impl Into<String>) -> Flow<T> {
        Err(Stop::Error(said.into()))
    }
}

pub(super) type Flow<T> = Result<T, Stop>;

#[derive(Debug)]
pub(super) enum Slot {
    Local(Value),
    Global,
}

/// One run of a text by somebody.
pub(in crate::sim) struct Machine {
    pub(super) shared: Arc<Shared>,
    pub(super) who: Login,
    /// What was written so far, lines ending in `\n`.
    pub(in crate::sim) out: String,
    pub(super) scopes: Vec<HashMap<String, Slot>>,
    /// How deep in `[ ]` we are: there, values are given back instead of shown.
    pub(super) inside: usize,
    pub(super) nesting: usize,
    /// The name of the script that runs.
    pub(super) script: Option<String>,
    /// How the log names what it changes, if not by its login.
    pub(super) label: Option<String>,
    /// The job it is.
    pub(super) job: Option<u32>,
    /// The terminal it belongs to.
    pub(in crate::sim) session: Option<u64>,
    /// Cancelled when it is to stop.
    pub(super) stop: CancellationToken,
    /// Until when it waits.
    pub(in crate::sim) pace: Arc<Pace>,
    /// The command that failed last.
    pub(super) slip: Option<Slip>,
    steps: u64,
}

/// A command that failed.
pub(super) struct Slip {
    pub said: String,
    pub command: String,
    pub line: usize,
}

impl Machine {
    pub(in crate::sim) fn new(shared: &Arc<Shared>, who: Login) -> Self {
        Machine {
            shared: shared.clone(),
            who,
            out: String::new(),
            scopes: vec![HashMap::new()],
            inside: 0,
            nesting: 0,
            script: None,
            label: None,
            job: None,
            session: None,
            stop: CancellationToken::new(),
            pace: Arc::default(),
            slip: None,
            steps: 0,
        }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.shared.world();
        world.acting = self.label.clone().unwrap_or_else(|| self.who.label());
        world
    }

    pub(super) fn write(&mut self, text: &str) {
        if self.out.len() < OUTPUT_MAX {
            self.out.push_str(text);
        }
    }

    /// Reads and runs a line; gives the menu it leaves the console in. Errors are written out, as on the router.
    pub(in crate::sim) async fn line(&mut self, text: &str, menu: &str) -> Result<String, Stop> {
        let script = match self.read(text, menu, false) {
            Ok(script) => script,
            Err(said) => {
                self.write(&format!("{said}\n"));
                return Ok(menu.to_string());
            }
        };
        self.scopes.push(HashMap::new());
        let ran = self.run(&script).await;
        self.scopes.pop();
        match ran {
            Ok(_) | Err(Stop::Return(_) | Stop::Break | Stop::Continue) => {}
            Err(Stop::Error(said)) => self.write(&format!("{said}\n")),
            Err(stop) => return Err(stop),
        }
        Ok(script.menu)
    }

    /// Reads and runs a stored script, in a scope of its own.
    pub(super) async fn stored(&mut self, text: &str, name: &str) -> Flow<Value> {
        if self.nesting >= NESTING_MAX {
            return Stop::error("failure: too many nested scripts");
        }
        let script = self.read(text, "", true).or_else(Stop::error)?;
        let outer = (std::mem::replace(&mut self.scopes, vec![HashMap::new()]), self.script.replace(name.to_string()));
        self.nesting += 1;
        let ran = self.run(&script).await;
        self.nesting -= 1;
        (self.scopes, self.script) = outer;
        match ran {
            Err(Stop::Return(value)) => Ok(value),
            Err(Stop::Break | Stop::Continue | Stop::Exit) => Ok(Value::Nothing),
            other => other,
        }
    }

    /// Runs a file: what stood before an error stays done, be it a slip in the text.
    pub(in crate::sim) async fn file(&mut self, text: &str) -> Flow<()> {
        let (defs, model) = self.router();
        let (script, slip) = Reader::new(text, "", true, &defs, &model).leading();
        let outer = std::mem::replace(&mut self.scopes, vec![HashMap::new()]);
        let ran = self.run(&script).await;
        self.scopes = outer;
        match ran {
            Ok(_) | Err(Stop::Return(_)) => slip.map_or(Ok(()), |slip| Stop::error(slip.said)),
            Err(stop) => Err(stop),
        }
    }

    /// What names are looked up in.
    fn router(&self) -> (Arc<Definitions>, Arc<Model>) {
        let world = self.shared.world();
        (world.defs.clone(), world.model.clone())
    }

    pub(super) fn read(&self, text: &str, menu: &str, stored: bool) -> Result<Script, String> {
        let (defs, model) = self.router();
        Reader::new(text, menu, stored, &defs, &model).script().map_err(|e| e.said)
    }

    /// Runs statements one after the other; the value is the last one's.
    pub(super) fn run<'a>(&'a mut self, script: &'a Script) -> BoxFuture<'a, Flow<Value>> {
        Box::pin(async move {
            let mut last = Value::Nothing;
            for statement in &script.statements {
                self.steps += 1;
                if self.steps > STEPS_MAX {
                    return Stop::error("failure: runtime limit exceeded");
                }
                if self.stop.is_cancelled() {
                    return Err(Stop::Exit);
                }
                last = match statement {
                    Statement::Block(inner) => self.scoped(inner).await?,
                    Statement::Word(word) => self.builtin(word).await?,
                    Statement::Command(command) => {
                        let ran = self.command(command).await;
                        self.mark(command, &ran);
                        ran?
                    }
                    Statement::Value(value, arguments) => self.call(value, arguments).await?,
                };
            }
            Ok(last)
        })
    }

    /// Remembers where an error came from: the innermost command has it first.
    fn mark(&mut self, command: &Command, ran: &Flow<Value>) {
        if let Err(Stop::Error(said)) = ran
            && self.slip.as_ref().is_none_or(|slip| slip.said != *said)
        {
            let path = format!("{}/{}", command.menu, command.word);
            self.slip = Some(Slip { said: said.clone(), command: path, line: command.place.0 });
        }
    }

    /// Runs statements whose names are their own.
    pub(super) async fn scoped(&mut self, script: &Script) -> Flow<Value> {
        self.scopes.push(HashMap::new());
        let ran = self.run(script).await;
        self.scopes.pop();
        ran
    }

    /// `$f a b=c`: a function, or just a value.
    async fn call(&mut self, value: &Expr, arguments: &[Argument]) -> Flow<Value> {
        let function = self.eval(value, None).await?;
        let Value::Code(source) = function else { return Ok(function) };
        let mut scope = HashMap::new();
        let mut place = 0;
        for argument in arguments {
            match argument {
                Argument::Named(name, expr) => drop(scope.insert(name.clone(), Slot::Local(self.eval(expr, None).await?))),
                Argument::Bare(expr) => {
                    place += 1;
                    let value = self.eval(expr, None).await?;
                    scope.insert(place.to_string(), Slot::Local(value));
                }
                Argument::Flag(_) => {}
            }
        }
        if self.nesting >= NESTING_MAX {
            return Stop::error("failure: too many nested scripts");
        }
        let script = self.read(&source, "", true).or_else(Stop::error)?;
        self.scopes.push(scope);
        self.nesting += 1;
        let ran = self.run(&script).await;
        self.nesting -= 1;
        self.scopes.pop();
        match ran {
            Err(Stop::Return(value)) => Ok(value),
            other => other,
        }
    }

    pub(super) fn lookup(&self, name: &str) -> Value {
        for scope in self.scopes.iter().rev() {
            match scope.get(name) {
                Some(Slot::Local(value)) => return value.clone(),
                Some(Slot::Global) => break,
                None => {}
            }
        }
        let world = self.shared.world();
        let own = world.globals.get(&(self.who.user.clone(), name.to_string()));
        // Those of others are seen with enough policies.
        let sees_all = ["read", "write", "policy", "test"].into_iter().all(|p| self.who.may(p));
        let others = || world.globals.iter().find(|((_, n), _)| sees_all && n == name).map(|(_, value)| value);
        own.or_else(others).cloned().unwrap_or_default()
    }

    /// The value of an expression; `row` is what attributes of a condition belong to.
    pub(super) fn eval<'a>(&'a mut self, expr: &'a Expr, row: Option<&'a Row>) -> BoxFuture<'a, Flow<Value>> {
        Box::pin(async move {
            Ok(match expr {
                Expr::Word(word) => Value::of_word(word),
                Expr::Text(pieces) => {
                    let mut text = String::new();
                    for piece in pieces {
                        match piece {
                            Piece::Plain(plain) => text.push_str(plain),
                            Piece::Value(inner) => text.push_str(&self.eval(inner, row).await?.text()),
                        }
                    }
                    Value::Text(text)
                }
                Expr::Variable(name) => self.lookup(name),
                Expr::Attribute(name) => attribute(row, name),
                Expr::Substitution(script) => {
                    self.inside += 1;
                    let ran = self.run(script).await;
                    self.inside -= 1;
                    ran?
                }
                Expr::Braces(braces) => match &braces.items {
                    Some(items) => {
                        let mut values = Vec::new();
                        for (key, value) in items.iter() {
                            let key = match key {
                                Some(Expr::Word(word)) => Some(word.clone()),
                                Some(key) => Some(self.eval(key, row).await?.text()),
                                None => None,
                            };
                            values.push((key, self.eval(value, row).await?));
                        }
                        Value::Array(values)
                    }
                    None => Value::Code(braces.source.clone()),
                },
                Expr::Unary(operator, inner) => {
                    let value = self.eval(inner, row).await?;
                    match (*operator, &value) {
                        ("!", value) => Value::Bool(!holds(value)),
                        ("-", Value::Time(ms)) => Value::Time(ms.wrapping_neg()),
                        ("-", value) => {
                            Value::Num(value.number().map_or_else(|| Stop::error("cannot negate this value"), |n| Ok(n.wrapping_neg()))?)
                        }
                        (_, value) => Value::Num(!value.number().unwrap_or_default()),
                    }
                }
                Expr::Binary(operator, left, right) => {
                    let left = self.eval(left, row).await?;
                    // The second half of `and` and `or` is not looked at when the first decides.
                    match *operator {
                        "and" | "&&" if !holds(&left) => return Ok(Value::Bool(false)),
                        "or" | "||" if holds(&left) => return Ok(Value::Bool(true)),
                        _ => {}
                    }
                    let right = self.eval(right, row).await?;
                    binary(operator, left, right)?
                }
            })
        })
    }
}
