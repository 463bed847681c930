//! From verb and URL to the console's commands and back.
//!
//! | verb | command | answer |
//! |---|---|---|
//! | GET | print | 200, array; one object for a singleton, `.id` or name |
//! | PUT | add | 201, `Location`, the whole row |
//! | PATCH | set | 200, the whole row; singletons refuse |
//! | DELETE | remove | 204 |
//! | POST | any | 200 |

use super::execute::{self, Execution};
use super::params::{self, Arguments};
use super::wire::More;
use super::{auth, print};
use crate::sim::access;
use crate::sim::commands;
use crate::sim::inspect;
use crate::sim::menus::{Menu, Shape};
use crate::sim::refusal::Refusal;
use crate::sim::row::{Row, quote, read_id, show_id};
use crate::sim::world::{Login, World};
use crate::sim::write;
use bytes::Bytes;
use hyper::Method;
use std::time::Duration;

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    pub method: Method,
    pub target: String,
    pub authorization: Option<String>,
    pub content_type: Option<String>,
    pub body: Bytes,
    pub secure: bool,
}

impl Asked {
    /// The path after `/rest`, as on the wire.
    pub fn path(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        path.strip_prefix("/rest").unwrap_or(path)
    }
}

/// An answer that is not a refusal.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub body: Vec<u8>,
    /// Says nothing until the session ends.
    pub hangs: bool,
    /// What to run for the answer, once the tables are free again.
    pub script: Option<Execution>,
    /// Rows to send after those of the body.
    pub more: Option<More>,
}

impl Answer {
    fn ok(body: Vec<u8>) -> Self {
        Answer { status: 200, body, ..Answer::default() }
    }
}

/// A menu (or a path to menus) and the words after it.
struct Place {
    path: String,
    rest: Vec<String>,
}

/// Does what a request asks for.
pub(super) fn respond(world: &mut World, asked: &Asked, limit: Duration) -> Result<Answer, Refusal> {
    let path = asked.target.split('?').next().unwrap_or_default();
    let Some(path) = path.strip_prefix("/rest").filter(|p| p.is_empty() || p.starts_with('/')) else {
        return Err(Refusal::bare(404));
    };
    if world.menu("/ip/service/webserver").is_some() {
        let switch = if asked.secure { "rest-secure" } else { "rest-plain" };
        if world.table("/ip/service/webserver").rows.first().is_some_and(|r| r.get(switch) == Some("false")) {
            return Err(Refusal::bare(403));
        }
    }
    let login = auth::login(world, asked.authorization.as_deref())?;
    world.acting = login.label();
    let words: Vec<String> = path.split('/').filter(|w| !w.is_empty()).map(|w| params::decode(w, false)).collect();
    let place = resolve(world, &words);
    let call = Call { world, login, limit };
    match asked.method {
        Method::GET => {
            let query = asked.target.split_once('?').map_or("", |(_, q)| q);
            call.get(&place, &params::of_query_string(query))
        }
        Method::PUT => call.put(&place, asked),
        Method::PATCH => call.patch(&place, asked),
        Method::DELETE => call.delete(&place),
        Method::POST => call.post(&place, asked),
        _ => Err(Refusal::bare(501)),
    }
}

/// The longest path that is a menu or leads to one, and what stands after it.
fn resolve(world: &World, words: &[String]) -> Place {
    let mut path = String::new();
    let mut used = 0;
    for word in words {
        let next = format!("{path}/{word}");
        if !world.defs.knows(&next, &world.model) {
            break;
        }
        path = next;
        used += 1;
    }
    Place { path, rest: words[used..].to_vec() }
}

struct Call<'w> {
    world: &'w mut World,
    login: Login,
    limit: Duration,
}

impl Call<'_> {
    fn need(&self, policy: &str) -> Result<(), Refusal> {
        self.login.need(policy)
    }

    fn get(mut self, place: &Place, arguments: &Arguments) -> Result<Answer, Refusal> {
        let defs = self.world.defs.clone();
        let menu = defs.menu(&place.path, &self.world.model).cloned().unwrap_or(Menu { shape: Shape::Commands, ..Menu::default() });
        let menu = &menu;
        match place.rest.as_slice() {
            [] if menu.shape == Shape::Commands => Err(Refusal::no_command()),
            [] => {
                self.need("read")?;
                let body = print::get(self.world, menu, &self.login, arguments);
                Ok(Answer { more: print::more(self.world, menu, arguments, true), ..Answer::ok(body) })
            }
            [word] if place.path.is_empty() && matches!(word.as_str(), "execute" | "export" | "import") => Err(Refusal::no_command()),
            [word] if menu.command_names().contains(&word.as_str()) || is_root_command(place, word) => Err(Refusal::no_command()),
            [word] if menu.shape == Shape::List => {
                let row = self.which(menu, word)?;
                self.need("read")?;
                Ok(Answer::ok(print::object(&row, arguments)))
            }
            [word, ..] => Err(Refusal::no_menu(word)),
        }
    }

    /// The row a URL names, in the order the console looks for it.
    fn which(&mut self, menu: &Menu, word: &str) -> Result<Row, Refusal> {
        let probe = access::visible(self.world, menu, &self.login);
        if word.starts_with('*') {
            let id = read_id(word).ok_or_else(|| Refusal::bad("no such command prefix"))?;
            return probe.into_iter().find(|r| r.id == Some(id)).ok_or(Refusal::bare(404));
        }
        if !menu.named || word.to_ascii_uppercase().contains("%2A") {
            return Err(Refusal::bad("no such command prefix"));
        }
        probe.into_iter().find(|r| r.get("name") == Some(word)).ok_or_else(|| Refusal::no_menu(word))
    }

    fn put(self, place: &Place, asked: &Asked) -> Result<Answer, Refusal> {
        let menu = self.menu(place)?;
        if let Some(word) = place.rest.first() {
            return Err(Refusal::no_menu(word));
        }
        let arguments = params::of_body(&asked.body, asked.content_type.as_deref())?;
        self.need_write(&menu)?;
        if menu.shape == Shape::Single || !menu.add {
            return Err(Refusal::no_menu("add"));
        }
        let id = write::add(self.world, &menu, &arguments.values, &self.login.user)?;
        Ok(Answer {
            status: 201,
            location: Some(format!("/rest{}/{}", menu.path, show_id(id))),
            body: self.row(&menu, id, &arguments),
            ..Answer::default()
        })
    }

    fn patch(mut self, place: &Place, asked: &Asked) -> Result<Answer, Refusal> {
        let menu = self.menu(place)?;
        let arguments = params::of_body(&asked.body, asked.content_type.as_deref())?;
        let [word] = place.rest.as_slice() else { return Err(Refusal::no_identifier()) };
        if menu.shape != Shape::List || !self.login.may("write") {
            return Err(Refusal::no_identifier());
        }
        self.need_write(&menu)?;
        let row = self.which(&menu, word).map_err(|r| if word.starts_with('*') { r } else { Refusal::no_identifier() })?;
        let ids: Vec<u32> = row.id.into_iter().collect();
        write::set(self.world, &menu, &ids, &arguments.values, &self.login.user).map_err(|refusal| {
            let unknown = refusal.detail.as_deref().is_some_and(|d| d.starts_with("unknown parameter"));
            if unknown && !word.starts_with('*') { Refusal::no_identifier() } else { refusal }
        })?;
        let body = ids.first().map(|id| self.row(&menu, *id, &arguments)).unwrap_or_default();
        Ok(Answer::ok(body))
    }

    fn delete(mut self, place: &Place) -> Result<Answer, Refusal> {
        let menu = self.menu(place)?;
        let [word] = place.rest.as_slice() else { return Err(Refusal::no_identifier()) };
        self.need_write(&menu)?;
        if menu.shape != Shape::List || !menu.remove {
            return Err(Refusal::no_menu("remove"));
        }
        let row = self.which(&menu, word)?;
        let ids: Vec<u32> = row.id.into_iter().collect();
        write::remove(self.world, &menu, &ids, &self.login.user)?;
        Ok(Answer { status: 204, ..Answer::default() })
    }

    fn post(mut self, place: &Place, asked: &Asked) -> Result<Answer, Refusal> {
        let mut arguments = params::of_body(&asked.body, asked.content_type.as_deref())?;
        let word = match place.rest.as_slice() {
            [] => return Err(Refusal::no_command()),
            [word] => word.as_str(),
            [word, ..] => return Err(Refusal::no_menu(word)),
        };
        if let Some(execution) = execute::script(&self.login, &place.path, word, &arguments) {
            return execution.map(|script| Answer { script: Some(script), ..Answer::default() });
        }
        if is_root_command(place, word) {
            return self.run(&Menu { path: "/tool".into(), ..Menu::default() }, word, &arguments);
        }
        let menu = self.menu(place).map_err(|_| Refusal::no_menu(word))?;
        if (menu.path.as_str(), word) == ("/console", "inspect") {
            self.need("read")?;
            return Ok(match inspect::rows(self.world, &arguments.values)? {
                Some(rows) => Answer::ok(print::array(rows.iter(), |name| arguments.wants(name))),
                None => Answer { hangs: true, ..Answer::default() },
            });
        }
        if !menu.command_names().contains(&word) {
            return Err(Refusal::no_menu(word));
        }
        self.row_command(&menu, word, &mut arguments)
    }

    fn row_command(&mut self, menu: &Menu, word: &str, arguments: &mut Arguments) -> Result<Answer, Refusal> {
        match word {
            "print" if menu.path == "/system/device-mode" => return Err(Refusal::server("std failure: not allowed (9)")),
            "print" => {
                self.need("read")?;
                let body = print::print(self.world, menu, &self.login, arguments);
                let more = if arguments.has("count-only") { None } else { print::more(self.world, menu, arguments, false) };
                return Ok(Answer { more, ..Answer::ok(body) });
            }
            "get" => return self.value(menu, arguments),
            "find" => {
                self.need("read")?;
                let rows = access::visible(self.world, menu, &self.login);
                let ids: Vec<String> = rows.iter().filter(|r| arguments.query.keeps(r)).filter_map(Row::id_text).collect();
                return Ok(ret(&ids.join(";")));
            }
            _ if menu.commands.contains_key(word) && !matches!(word, "unset" | "move") => return self.run(menu, word, arguments),
            _ => self.need_write(menu)?,
        }
        let by = self.login.user.clone();
        if word == "add" {
            return write::add(self.world, menu, &arguments.values, &by).map(|id| ret(&show_id(id)));
        }
        if menu.shape == Shape::Single {
            return write::set(self.world, menu, &[], &arguments.values, &by).map(|()| nothing());
        }
        let ids = write::numbers(self.world, menu, &mut arguments.values)?;
        match word {
            "set" | "comment" => write::set(self.world, menu, &ids, &arguments.values, &by)?,
            "remove" => write::remove(self.world, menu, &ids, &by)?,
            "enable" => write::switch(self.world, menu, &ids, false, &by)?,
            "disable" => write::switch(self.world, menu, &ids, true, &by)?,
            "unset" => {
                let name = arguments.take("value-name").ok_or_else(|| Refusal::missing("value-name"))?;
                write::unset(self.world, menu, &ids, &name, &by)?;
            }
            "move" => write::move_rows(self.world, menu, &ids, arguments.take("destination").as_deref(), &by)?,
            _ => return Err(Refusal::no_command()),
        }
        Ok(nothing())
    }

    fn run(&mut self, menu: &Menu, word: &str, arguments: &Arguments) -> Result<Answer, Refusal> {
        self.need(commands::policy(&menu.path, word))?;
        let asked = commands::Asked { menu, word, arguments: &arguments.values, by: &self.login.user, limit: self.limit };
        let rows = commands::run(self.world, &asked)?;
        Ok(Answer::ok(print::array(rows.iter(), |name| arguments.wants(name))))
    }

    fn value(&mut self, menu: &Menu, arguments: &mut Arguments) -> Result<Answer, Refusal> {
        self.need("read")?;
        let name = arguments.take("value-name");
        let rows = access::visible(self.world, menu, &self.login);
        let row = if menu.shape == Shape::Single {
            rows.first().cloned().unwrap_or_default()
        } else {
            let ids = write::numbers(self.world, menu, &mut arguments.values)?;
            rows.into_iter().find(|r| r.id == ids.first().copied()).ok_or(Refusal::bare(404))?
        };
        match name {
            Some(name) => Ok(ret(row.get(&name).unwrap_or_default())),
            None => Ok(ret(&row.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(";"))),
        }
    }

    fn menu(&self, place: &Place) -> Result<Menu, Refusal> {
        let menu = self.world.defs.menu(&place.path, &self.world.model).cloned();
        menu.ok_or_else(|| place.rest.first().map_or_else(Refusal::no_command, |w| Refusal::no_menu(w)))
    }

    fn need_write(&self, menu: &Menu) -> Result<(), Refusal> {
        self.login.need_write(menu)
    }

    fn row(self, menu: &Menu, id: u32, arguments: &Arguments) -> Vec<u8> {
        let rows = access::visible(self.world, menu, &self.login);
        rows.iter().find(|r| r.id == Some(id)).map(|row| print::object(row, arguments)).unwrap_or_else(|| b"{}".to_vec())
    }
}

fn is_root_command(place: &Place, word: &str) -> bool {
    place.path.is_empty() && matches!(word, "ping" | "password")
}

pub(super) fn ret(value: &str) -> Answer {
    let mut out = b"{\"ret\":".to_vec();
    quote(&mut out, value);
    out.push(b'}');
    Answer::ok(out)
}

pub(super) fn nothing() -> Answer {
    Answer::ok(b"[]".to_vec())
}
