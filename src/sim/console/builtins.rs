//! The words of the language: variables, control, conversions.

use super::eval::{Flow, Machine, Slot, Stop};
use super::operate::holds;
use super::tree::{Argument, Builtin, Expr, Script};
use super::value::Value;
use std::sync::Arc;
use std::time::Duration;

/// Turns a loop may take.
pub(super) const TURNS_MAX: usize = 100_000;

/// The arguments of a word, values still to be found.
pub(super) struct Given<'a> {
    pub word: &'a Builtin,
}

impl<'a> Given<'a> {
    pub fn named(&self, name: &str) -> Option<&'a Expr> {
        self.word.arguments.iter().find_map(|a| match a {
            Argument::Named(n, value) if n == name => Some(value),
            _ => None,
        })
    }

    pub fn bare(&self, place: usize) -> Option<&'a Expr> {
        let bare = self.word.arguments.iter().filter_map(|a| if let Argument::Bare(value) = a { Some(value) } else { None });
        bare.into_iter().nth(place)
    }

    pub fn either(&self, name: &str, place: usize) -> Option<&'a Expr> {
        self.named(name).or_else(|| self.bare(place))
    }

    pub fn script(&self, name: &str) -> Option<Arc<Script>> {
        script_of(self.named(name)?)
    }
}

pub(super) fn script_of(expr: &Expr) -> Option<Arc<Script>> {
    match expr {
        Expr::Braces(braces) => braces.script.clone(),
        _ => None,
    }
}

impl Machine {
    pub(super) async fn given(&mut self, expr: Option<&Expr>) -> Flow<Value> {
        match expr {
            Some(expr) => self.eval(expr, None).await,
            None => Ok(Value::Nothing),
        }
    }

    pub(super) async fn builtin(&mut self, word: &Builtin) -> Flow<Value> {
        let given = Given { word };
        match word.word.as_str() {
            "put" => {
                let text = self.given(given.either("message", 0)).await?.text();
                self.write(&format!("{text}\n"));
                Ok(Value::Text(text))
            }
            "local" | "global" | "set" => self.assign(&given).await,
            "if" => self.branch(&given).await,
            "do" => self.try_or_loop(&given).await,
            "onerror" => self.on_error(&given).await,
            "while" => self.repeat(&given).await,
            "for" => self.count(&given).await,
            "foreach" => self.each(&given).await,
            "retry" => self.retry(&given).await,
            "return" => Err(Stop::Return(self.given(given.either("value", 0)).await?)),
            "error" => Stop::error(self.given(given.either("message", 0)).await?.text()),
            "break" => Err(Stop::Break),
            "continue" => Err(Stop::Continue),
            "exit" | "quit" => Err(Stop::Exit),
            "delay" => self.delay(&given).await,
            "execute" => self.execute(&given).await,
            "environment" => {
                let lines: Vec<String> = self.world().globals.iter().map(|((_, n), v)| format!("{n}={}\n", v.text())).collect();
                self.write(&lines.concat());
                Ok(Value::Nothing)
            }
            _ => self.convert(&given).await,
        }
    }

    async fn assign(&mut self, given: &Given<'_>) -> Flow<Value> {
        let name = match given.either("name", 0) {
            Some(Expr::Word(name)) => name.clone(),
            // `:set $x …` is a common slip that the console takes.
            Some(Expr::Variable(name)) => name.clone(),
            Some(other) => self.eval(other, None).await?.text(),
            None => return Stop::error("missing value(s) of argument(s) name"),
        };
        let value = match (given.either("value", usize::from(given.named("name").is_none())), given.named("do")) {
            (None, Some(Expr::Braces(braces))) => Some(Value::Code(braces.source.clone())),
            (Some(value), _) => Some(self.eval(value, None).await?),
            (None, _) => None,
        };
        let key = (self.who.user.clone(), name.clone());
        match given.word.word.as_str() {
            "local" => {
                if let Some(scope) = self.scopes.last_mut() {
                    scope.insert(name, Slot::Local(value.unwrap_or_default()));
                }
            }
            "global" => {
                if let Some(scope) = self.scopes.last_mut() {
                    scope.insert(name, Slot::Global);
                }
                if let Some(value) = value {
                    self.world().globals.insert(key, value);
                }
            }
            _ => {
                let found = self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(&name));
                let declared = found.is_some();
                if let Some(Slot::Local(slot)) = found {
                    *slot = value.unwrap_or_default();
                    return Ok(Value::Nothing);
                }
                let mut world = self.world();
                if !declared && !world.globals.contains_key(&key) {
                    let at = given.word.place;
                    return Stop::error(format!("syntax error (line {} column {})", at.0, at.1 + 4));
                }
                world.globals.insert(key, value.unwrap_or_default());
            }
        }
        Ok(Value::Nothing)
    }

    async fn branch(&mut self, given: &Given<'_>) -> Flow<Value> {
        let condition = self.given(given.either("condition", 0)).await?;
        let chosen = match condition.truth() {
            Some(true) => given.script("do"),
            Some(false) => given.script("else"),
            None => return Stop::error("conditional not boolean"),
        };
        match chosen {
            Some(script) => self.scoped(&script).await,
            None => Ok(Value::Nothing),
        }
    }

    async fn try_or_loop(&mut self, given: &Given<'_>) -> Flow<Value> {
        let Some(body) = given.script("command").or_else(|| script_of(given.bare(0)?)) else {
            return Stop::error("missing value(s) of argument(s) command");
        };
        let mut last = Value::Nothing;
        for _ in 0..TURNS_MAX {
            last = match (self.scoped(&body).await, given.script("on-error")) {
                (Err(Stop::Error(_)), Some(otherwise)) => self.scoped(&otherwise).await?,
                (Err(Stop::Break), _) => return Ok(last),
                (Err(Stop::Continue), _) => Value::Nothing,
                (ran, _) => ran?,
            };
            let again = match given.named("while") {
                Some(condition) => holds(&self.eval(condition, None).await?),
                None => false,
            };
            if !again {
                break;
            }
        }
        Ok(last)
    }

    async fn on_error(&mut self, given: &Given<'_>) -> Flow<Value> {
        let name = match given.either("error", 0) {
            Some(Expr::Word(name)) => name.clone(),
            _ => "error".to_string(),
        };
        let Some(body) = given.script("in") else { return Stop::error("missing value(s) of argument(s) in") };
        match self.scoped(&body).await {
            Err(Stop::Error(said)) => {
                let Some(otherwise) = given.script("do") else { return Ok(Value::Bool(true)) };
                let scope = std::collections::HashMap::from([(name, Slot::Local(Value::Text(said)))]);
                self.scopes.push(scope);
                let ran = self.run(&otherwise).await;
                self.scopes.pop();
                ran.map(|_| Value::Bool(true))
            }
            ran => ran.map(|_| Value::Bool(false)),
        }
    }

    async fn repeat(&mut self, given: &Given<'_>) -> Flow<Value> {
        let Some(body) = given.script("do") else { return Stop::error("missing value(s) of argument(s) do") };
        for _ in 0..TURNS_MAX {
            if !holds(&self.given(given.either("condition", 0)).await?) {
                return Ok(Value::Nothing);
            }
            match self.scoped(&body).await {
                Err(Stop::Break) => return Ok(Value::Nothing),
                Ok(_) | Err(Stop::Continue) => {}
                Err(stop) => return Err(stop),
            }
        }
        Stop::error("failure: runtime limit exceeded")
    }

    async fn turn(&mut self, body: &Script, names: Vec<(String, Value)>) -> Flow<bool> {
        self.scopes.push(names.into_iter().map(|(n, v)| (n, Slot::Local(v))).collect());
        let ran = self.run(body).await;
        self.scopes.pop();
        match ran {
            Err(Stop::Break) => Ok(false),
            Ok(_) | Err(Stop::Continue) => Ok(true),
            Err(stop) => Err(stop),
        }
    }

    fn counters(expr: Option<&Expr>) -> Vec<String> {
        match expr {
            Some(Expr::Word(names)) => names.split(',').map(String::from).collect(),
            _ => Vec::new(),
        }
    }

    async fn count(&mut self, given: &Given<'_>) -> Flow<Value> {
        let names = Self::counters(given.either("counter", 0));
        let Some(body) = given.script("do") else { return Stop::error("missing value(s) of argument(s) do") };
        let number = |v: Value| v.number().ok_or_else(|| Stop::Error("invalid value for argument from".into()));
        let from = number(self.given(given.named("from")).await?)?;
        let to = number(self.given(given.named("to")).await?)?;
        let step = match given.named("step") {
            Some(step) => number(self.eval(step, None).await?)?,
            None if from <= to => 1,
            None => -1,
        };
        let mut at = from;
        let mut turns = 0;
        while step != 0 && turns < TURNS_MAX && if step > 0 { at <= to } else { at >= to } {
            let name = names.first().cloned().unwrap_or_default();
            if !self.turn(&body, vec![(name, Value::Num(at))]).await? {
                break;
            }
            at = at.saturating_add(step);
            turns += 1;
        }
        Ok(Value::Nothing)
    }

    async fn each(&mut self, given: &Given<'_>) -> Flow<Value> {
        let names = Self::counters(given.either("counter", 0));
        let Some(body) = given.script("do") else { return Stop::error("missing value(s) of argument(s) do") };
        let items = match self.given(given.named("in")).await? {
            Value::Array(items) => items,
            Value::Nothing | Value::Nil => Vec::new(),
            one => vec![(None, one)],
        };
        for (at, (key, value)) in items.into_iter().enumerate() {
            let scope = match names.as_slice() {
                [k, v, ..] => vec![(k.clone(), key.map_or(Value::Num(at as i64), Value::Text)), (v.clone(), value)],
                [v] => vec![(v.clone(), value)],
                [] => Vec::new(),
            };
            if !self.turn(&body, scope).await? {
                break;
            }
        }
        Ok(Value::Nothing)
    }

    async fn retry(&mut self, given: &Given<'_>) -> Flow<Value> {
        let Some(body) = given.script("command") else { return Stop::error("missing value(s) of argument(s) command") };
        let most = self.given(given.named("max")).await?.number().unwrap_or(1).clamp(1, 1_000);
        let mut last = Err(Stop::Error("failure: no try".into()));
        for _ in 0..most {
            last = self.scoped(&body).await;
            if !matches!(last, Err(Stop::Error(_))) {
                return last;
            }
            let wait = self.given(given.named("delay")).await?;
            self.wait(&wait).await;
        }
        match given.script("on-error") {
            Some(otherwise) => self.scoped(&otherwise).await,
            None => last,
        }
    }

    async fn delay(&mut self, given: &Given<'_>) -> Flow<Value> {
        let length = self.given(given.either("delay-time", 0)).await?;
        self.wait(&length).await;
        Ok(Value::Nothing)
    }

    /// Waits on the router's clock, which a test may move by hand.
    async fn wait(&mut self, length: &Value) {
        let ms = match length {
            Value::Time(ms) => *ms,
            Value::Nothing => 1_000,
            other => other.number().unwrap_or(0).saturating_mul(1_000),
        };
        let until = self.shared.world().mono().saturating_add(Duration::from_millis(ms.max(0).unsigned_abs()));
        self.pace.clone().until(&self.shared, until).await;
    }

    async fn execute(&mut self, given: &Given<'_>) -> Flow<Value> {
        let source = match given.either("script", 0) {
            Some(Expr::Braces(braces)) => braces.source.clone(),
            other => self.given(other).await?.text(),
        };
        if given.named("as-string").is_some() {
            let before = std::mem::take(&mut self.out);
            let ran = self.stored(&source, "").await;
            let said = std::mem::replace(&mut self.out, before);
            return ran.map(|_| Value::Text(said));
        }
        Ok(Value::Id(crate::sim::row::show_id(self.job(&source)?)))
    }
}
