//! Commands that are not about rows: exports, scripts, jobs, files, safe mode, and those that measure.

use super::command::{Given, told};
use super::eval::{Flow, Machine, Stop};
use super::export::{Export, export};
use super::print;
use super::tree::Command;
use super::value::Value;
use crate::sim::commands::{self, Asked};
use crate::sim::files;
use crate::sim::history::{self, Safe};
use crate::sim::menus::Menu;
use crate::sim::refusal::Refusal;
use crate::sim::row::{from_bytes, to_bytes};
use std::time::Duration;

/// A command over SSH may run this long; REST has its session limit instead.
const LONGEST: Duration = Duration::from_secs(86_400);

impl Machine {
    pub(super) async fn special(&mut self, command: &Command, menu: Option<&Menu>, given: Given) -> Flow<Value> {
        let fail = |refusal: Refusal| told(&refusal, command);
        let path = menu.map_or("", |m| m.path.as_str());
        match (path, command.word.as_str()) {
            (_, "export") => self.exported(&command.menu, &given).map_err(fail),
            ("", "quit") => Err(Stop::Exit),
            ("", "undo") => {
                self.who.need("write").map_err(fail)?;
                history::undo(&mut self.world()).map_err(fail)?;
                Ok(Value::Nothing)
            }
            ("", "redo") => Stop::error("failure: nothing to redo"),
            ("", "import") => self.import(&given).await,
            ("", "ping" | "password") => self.measured(command, &Menu { path: "/tool".into(), ..Menu::default() }, &given).map_err(fail),
            ("/system/script", "run") => self.run_script(&given).await,
            ("/system/backup", "save") => {
                self.backup(&given.text("name").unwrap_or_else(|| "backup".into())).map_err(fail)?;
                self.write("Saving system configuration\nConfiguration backup saved\n");
                Ok(Value::Nothing)
            }
            ("/safe-mode", word) => self.safe_mode(word, &given),
            ("/system", "reboot" | "shutdown") => {
                self.who.need("reboot").map_err(fail)?;
                self.world().reboot();
                self.shared.cut_connections();
                Err(Stop::Exit)
            }
            (_, word) => match menu {
                Some(menu) => self.measured(command, menu, &given).map_err(fail),
                None => Stop::error(format!("bad command name {word} (line {} column {})", command.place.0, command.place.1)),
            },
        }
    }

    /// Writes `NAME.backup`: an export behind the four bytes a backup starts with.
    fn backup(&self, name: &str) -> Result<(), Refusal> {
        for policy in ["ftp", "read", "write", "test", "sensitive"] {
            self.who.need(policy)?;
        }
        let mut world = self.world();
        let text = export(&mut world, &Export { show_sensitive: true, terse: true, ..Export::default() });
        let bytes = [&[0x88_u8, 0xAC, 0xA1, 0xB1][..], &to_bytes(&text)[..]].concat();
        files::write(&mut world, &format!("{name}.backup"), &bytes).map_err(|_| Refusal::bad("failure: no space left"))
    }

    fn exported(&mut self, menu: &str, given: &Given) -> Result<Value, Refusal> {
        self.who.need("read")?;
        let how = Export {
            under: menu.to_string(),
            terse: given.has("terse"),
            verbose: given.has("verbose"),
            show_sensitive: given.has("show-sensitive") && self.who.may("sensitive"),
        };
        let file = given.text("file");
        if file.is_some() {
            self.who.need("ftp")?;
            self.who.need("write")?;
        }
        let mut world = self.world();
        let text = export(&mut world, &how);
        match file {
            Some(file) => {
                let name = if file.ends_with(".rsc") { file } else { format!("{file}.rsc") };
                let text = text.replace('\n', "\r\n");
                files::write(&mut world, &name, &to_bytes(&text)).map_err(|_| Refusal::bad("failure: no space left"))?;
            }
            None => {
                drop(world);
                self.write(&text);
            }
        }
        Ok(Value::Nothing)
    }

    async fn import(&mut self, given: &Given) -> Flow<Value> {
        let name = given.text("file-name").or_else(|| given.bare.first().map(Value::argument)).unwrap_or_default();
        let read = files::read(&mut self.world(), &name);
        let Ok(bytes) = read else { return Stop::error(format!("file \"{name}\" not found")) };
        let text = from_bytes(&bytes).replace("\r\n", "\n");
        if given.has("dry-run") {
            self.read(&text, "", true).or_else(Stop::error)?;
            return Ok(Value::Nothing);
        }
        Box::pin(self.file(&text)).await?;
        self.write("Script file loaded and executed successfully\n");
        Ok(Value::Nothing)
    }

    async fn run_script(&mut self, given: &Given) -> Flow<Value> {
        let which = given.value("number").or(given.value("numbers")).or(given.value(".id")).or(given.bare.first()).map(Value::argument);
        let Some(which) = which else { return Stop::error("missing value(s) of argument(s) number") };
        let script = self.named(&which, given.has("use-script-permissions"))?;
        let name = script.name.clone();
        let ran = self.run_stored(script).await;
        if let Err(Stop::Error(said)) = &ran {
            let mut world = self.world();
            world.log("script,error", &format!("executing script {name} failed, please check it manually"));
            world.log("script,error,debug", &format!("(script:{name}) {said}"));
        }
        ran
    }

    /// `/safe-mode` belongs to a terminal; from elsewhere only a stale lock can be cleared.
    fn safe_mode(&mut self, word: &str, given: &Given) -> Flow<Value> {
        let mine = self.session.map(|session| Safe { user: self.who.user.clone(), session });
        let mut world = self.world();
        let holder = world.safe.clone();
        match (word, mine) {
            ("unroll", _) => history::unroll(&mut world),
            ("release", _) => history::release(&mut world),
            ("toggle", Some(mine)) if holder.as_ref() == Some(&mine) => history::release(&mut world),
            ("take" | "toggle", Some(mine)) => {
                if holder.is_some_and(|h| h != mine) {
                    match given.text("on-error").as_deref().unwrap_or("abort") {
                        "unroll" => history::unroll(&mut world),
                        "release" => history::release(&mut world),
                        _ => return Stop::error("failure: Safe Mode is taken by current user in another session"),
                    }
                }
                history::take(&mut world, mine);
            }
            _ => return Stop::error("failure: can not use safe mode in this session"),
        }
        Ok(Value::Nothing)
    }

    fn measured(&mut self, command: &Command, menu: &Menu, given: &Given) -> Result<Value, Refusal> {
        self.who.need(commands::policy(&menu.path, &command.word))?;
        let mut arguments: Vec<(String, String)> = given.named.iter().map(|(n, v)| (n.clone(), v.argument())).collect();
        let shown = ["as-value", "without-paging", "proplist"];
        arguments.retain(|(n, _)| !shown.contains(&n.as_str()));
        arguments.extend(given.flags.iter().filter(|f| !shown.contains(&f.as_str())).map(|f| (f.clone(), "yes".to_string())));
        if let Some(bare) = given.bare.first() {
            let name = match (menu.path.as_str(), command.word.as_str()) {
                ("/log", _) => "message",
                ("/tool", "torch") | ("/interface", "monitor-traffic") => "interface",
                ("/tool", _) => "address",
                _ => ".id",
            };
            arguments.push((name.to_string(), bare.argument()));
        }
        let asked = Asked { menu, word: &command.word, arguments: &arguments, by: &self.who.user, limit: LONGEST };
        let rows = commands::run(&mut self.world(), &asked)?;
        let all = |_: &str| true;
        if given.has("as-value") || self.inside > 0 {
            return Ok(Value::list(rows.iter().map(|row| print::as_value(menu, row, &all))));
        }
        let text = match rows.as_slice() {
            [] => String::new(),
            [one] => print::single(one, &all),
            many => print::columns(many),
        };
        self.write(&text);
        Ok(Value::Nothing)
    }

    /// Runs a text as `/execute` with `as-string` does: what it wrote, or its error.
    pub(in crate::sim) async fn said(&mut self, source: &str) -> Result<String, Stop> {
        self.stored(source, "").await?;
        Ok(std::mem::take(&mut self.out))
    }
}
