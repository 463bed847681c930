//! Commands on rows: add, set, find and the rest, under the same policies and refusals as over REST.

use super::eval::{Flow, Machine, Stop};
use super::operate::holds;
use super::print;
use super::tree::{Argument, Command, Expr};
use super::value::Value;
use crate::sim::access;
use crate::sim::menus::{Menu, Shape};
use crate::sim::refusal::Refusal;
use crate::sim::row::{Row, show_id};
use crate::sim::write::{self, Params};

/// What a command was given, values found.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub named: Vec<(String, Value)>,
    pub flags: Vec<String>,
    pub bare: Vec<Value>,
}

impl Given {
    pub fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|f| f == name) || self.named.iter().any(|(n, v)| n == name && v.truth() != Some(false))
    }

    pub fn value(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(Value::argument)
    }

    /// The names of `proplist`.
    pub fn proplist(&self) -> Option<Vec<String>> {
        self.text("proplist").map(|list| list.split(',').map(String::from).collect())
    }

    fn params(&self) -> Params {
        let named = self.named.iter().filter(|(n, _)| !matches!(n.as_str(), "numbers" | "number")).map(|(n, v)| (n.clone(), v.argument()));
        // A name alone is an attribute that needs no value: `passive`.
        named.chain(self.flags.iter().map(|f| (f.clone(), "yes".to_string()))).collect()
    }
}

/// A refusal in the console's words.
pub(super) fn told(refusal: &Refusal, command: &Command) -> Stop {
    let said = match refusal.detail.as_deref() {
        None if refusal.status == 404 => "no such item".to_string(),
        None => format!("failure: {}", refusal.status),
        Some(detail) => match detail.strip_prefix("missing =").and_then(|d| d.strip_suffix('=')) {
            Some(name) => format!("missing value(s) of argument(s) {name}"),
            None if detail.starts_with("no such command") => {
                format!("bad command name {} (line {} column {})", command.word, command.place.0, command.place.1)
            }
            None if detail == "Session closed" => return Stop::Forever,
            None => detail.to_string(),
        },
    };
    Stop::Error(said)
}

impl Machine {
    pub(super) async fn command(&mut self, command: &Command) -> Flow<Value> {
        let given = self.arguments(&command.arguments).await?;
        let menu = self.shared.world().menu(&command.menu).cloned();
        let Some(menu) = menu.filter(|_| !command.menu.is_empty()) else { return self.special(command, None, given).await };
        if menu.commands.contains_key(&command.word) && !matches!(command.word.as_str(), "unset" | "move") || command.word == "export" {
            return self.special(command, Some(&menu), given).await;
        }
        let fail = |refusal: Refusal| told(&refusal, command);
        match command.word.as_str() {
            "print" => {
                self.who.need("read").map_err(fail)?;
                let rows = self.matching(&menu, command.condition.as_ref()).await?;
                return Ok(self.print(&menu, rows, &given));
            }
            "find" => {
                self.who.need("read").map_err(fail)?;
                let rows = self.matching(&menu, command.condition.as_ref()).await?;
                return Ok(Value::list(rows.iter().filter_map(Row::id_text).map(Value::Id)));
            }
            "get" => {
                self.who.need("read").map_err(fail)?;
                return self.get(&menu, command, given);
            }
            _ => {}
        }
        self.change(&menu, command, given).map_err(fail)
    }

    async fn arguments(&mut self, arguments: &[Argument]) -> Flow<Given> {
        let mut given = Given::default();
        for argument in arguments {
            match argument {
                Argument::Named(name, value) => {
                    let value = match value {
                        // A script given as a value is its text.
                        Expr::Braces(braces) if braces.items.is_none() => Value::Code(braces.source.clone()),
                        value => self.eval(value, None).await?,
                    };
                    given.named.push((name.clone(), value));
                }
                Argument::Flag(name) => given.flags.push(name.clone()),
                Argument::Bare(value) => given.bare.push(self.eval(value, None).await?),
            }
        }
        Ok(given)
    }

    pub(super) async fn matching(&mut self, menu: &Menu, condition: Option<&Expr>) -> Flow<Vec<Row>> {
        let rows = access::visible(&mut self.world(), menu, &self.who);
        let Some(condition) = condition else { return Ok(rows) };
        let mut kept = Vec::new();
        for row in rows {
            if holds(&self.eval(condition, Some(&row)).await?) {
                kept.push(row);
            }
        }
        Ok(kept)
    }

    fn print(&mut self, menu: &Menu, rows: Vec<Row>, given: &Given) -> Value {
        if given.has("count-only") {
            let count = rows.len();
            if self.inside == 0 {
                self.write(&format!("{count}\n"));
            }
            return Value::Num(count as i64);
        }
        let proplist = given.proplist();
        let shown = |name: &str| {
            proplist.as_ref().is_none_or(|p| p.iter().any(|n| n == name))
                && (given.has("stats") || proplist.is_some() || !print::is_counter(menu, name))
        };
        if given.has("as-value") {
            let one = |row: &Row| print::as_value(menu, row, &shown);
            return match menu.shape {
                Shape::Single => rows.first().map_or(Value::Nothing, one),
                _ => Value::list(rows.iter().map(one)),
            };
        }
        let text = match menu.shape {
            Shape::Single => rows.first().map(|r| print::single(r, &shown)).unwrap_or_default(),
            _ if given.has("terse") => print::terse(menu, &rows, &shown),
            _ if given.has("detail") => print::detail(menu, &rows, &shown),
            _ => print::table(menu, &rows, proplist.as_deref()),
        };
        self.write(&text);
        Value::Nothing
    }

    fn get(&mut self, menu: &Menu, command: &Command, mut given: Given) -> Flow<Value> {
        let rows = access::visible(&mut self.world(), menu, &self.who);
        let name = given.value("value-name").cloned();
        let (row, name) = if menu.shape == Shape::Single {
            (rows.into_iter().next().unwrap_or_default(), name.or_else(|| given.bare.first().cloned()))
        } else {
            let which = given.value("numbers").or(given.value("number")).or(given.value(".id")).cloned();
            let which = which.unwrap_or_else(|| if given.bare.is_empty() { Value::Nothing } else { given.bare.remove(0) });
            let ids = self.ids(menu, which).map_err(|r| told(&r, command))?;
            let row = rows.into_iter().find(|r| r.id.is_some() && r.id == ids.first().copied());
            (row.map_or_else(|| Stop::error("no such item"), Ok)?, name.or_else(|| given.bare.first().cloned()))
        };
        match name {
            Some(name) => {
                let name = name.text();
                let known = name == ".id" || menu.attr(&name).is_some() || row.get(&name).is_some();
                if !known {
                    return Stop::error("input does not match any value of value-name");
                }
                Ok(print::value_of(menu, &row, &name))
            }
            None => Ok(print::as_value(menu, &row, &|_| true)),
        }
    }

    /// The rows that numbers, names or ids mean; an empty list means none.
    fn ids(&self, menu: &Menu, which: Value) -> Result<Vec<u32>, Refusal> {
        let list = which.argument();
        if list.is_empty() {
            return Ok(Vec::new());
        }
        write::numbers(&mut self.world(), menu, &mut vec![("numbers".to_string(), list)])
    }

    fn change(&mut self, menu: &Menu, command: &Command, mut given: Given) -> Result<Value, Refusal> {
        self.who.need_write(menu)?;
        let by = self.who.user.clone();
        if command.word == "add" {
            let id = write::add(&mut self.world(), menu, &given.params(), &by)?;
            return Ok(Value::Id(show_id(id)));
        }
        if menu.shape == Shape::Single {
            write::set(&mut self.world(), menu, &[], &given.params(), &by)?;
            return Ok(Value::Nothing);
        }
        let named = given.value("numbers").or(given.value(".id")).cloned();
        let which = match named {
            Some(which) => which,
            None if given.bare.is_empty() => return Err(Refusal::missing("numbers")),
            None => given.bare.remove(0),
        };
        given.named.retain(|(n, _)| n != ".id");
        let ids = self.ids(menu, which)?;
        if ids.is_empty() {
            return Ok(Value::Nothing);
        }
        let next = given.bare.first().map(Value::argument);
        let mut world = self.world();
        match command.word.as_str() {
            "set" | "comment" => write::set(&mut world, menu, &ids, &given.params(), &by)?,
            "remove" => write::remove(&mut world, menu, &ids, &by)?,
            "enable" => write::switch(&mut world, menu, &ids, false, &by)?,
            "disable" => write::switch(&mut world, menu, &ids, true, &by)?,
            "unset" => {
                let name = given.text("value-name").or(next).ok_or_else(|| Refusal::missing("value-name"))?;
                write::unset(&mut world, menu, &ids, &name, &by)?;
            }
            "move" => {
                let to = given.text("destination").or(next);
                let to = match to.as_deref() {
                    // An empty find as destination is none: to the end, without a word.
                    Some("") => None,
                    Some(to) if !to.starts_with('*') => {
                        write::numbers(&mut world, menu, &mut vec![("numbers".to_string(), to.to_string())])?.first().map(|id| show_id(*id))
                    }
                    to => to.map(String::from),
                };
                write::move_rows(&mut world, menu, &ids, to.as_deref(), &by)?;
            }
            "edit" => return Err(Refusal::bad("failure: no terminal")),
            _ => return Err(Refusal::no_command()),
        }
        Ok(Value::Nothing)
    }
}
