//! A person who edits the router in WinBox: the same refusals, history and log lines as anybody's edits.

use super::access;
use super::menus::Menu;
use super::refusal::Refusal;
use super::row::show_id;
use super::world::World;
use super::write::{self, Params};

/// Edits in the name of a user; see [`World::by_hand`].
#[derive(Debug)]
pub struct Hand<'w> {
    world: &'w mut World,
    user: String,
}

impl World {
    /// Edits as this user would in WinBox, from the management station's address.
    pub fn by_hand(&mut self, user: &str) -> Hand<'_> {
        Hand { world: self, user: user.to_string() }
    }
}

fn params(values: &[(&str, &str)]) -> Params {
    values.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect()
}

impl Hand<'_> {
    fn menu(&mut self, path: &str) -> Result<Menu, Refusal> {
        let menu = self.world.menu(path).cloned().ok_or_else(|| Refusal::no_menu(path))?;
        let login = access::fresh(self.world, &self.user, "winbox");
        login.need_write(&menu)?;
        self.world.acting = login.label();
        Ok(menu)
    }

    fn ids(&mut self, menu: &Menu, which: &str) -> Result<Vec<u32>, Refusal> {
        if which.is_empty() {
            return Ok(Vec::new());
        }
        write::numbers(self.world, menu, &mut vec![("numbers".to_string(), which.to_string())])
    }

    /// Adds a row; gives its `.id`.
    pub fn add(&mut self, path: &str, values: &[(&str, &str)]) -> Result<String, Refusal> {
        let menu = self.menu(path)?;
        write::add(self.world, &menu, &params(values), &self.user).map(show_id)
    }

    /// Sets attributes of the rows with that `.id`, name or comment; of the one object when `which` is empty.
    pub fn set(&mut self, path: &str, which: &str, values: &[(&str, &str)]) -> Result<(), Refusal> {
        let menu = self.menu(path)?;
        let ids = self.ids(&menu, which)?;
        write::set(self.world, &menu, &ids, &params(values), &self.user)
    }

    /// Removes the rows with that `.id`, name or comment.
    pub fn remove(&mut self, path: &str, which: &str) -> Result<(), Refusal> {
        let menu = self.menu(path)?;
        let ids = self.ids(&menu, which)?;
        write::remove(self.world, &menu, &ids, &self.user)
    }

    /// Moves the row before another; to the end without one.
    pub fn move_before(&mut self, path: &str, which: &str, before: Option<&str>) -> Result<(), Refusal> {
        let menu = self.menu(path)?;
        let ids = self.ids(&menu, which)?;
        let before = match before {
            Some(before) => self.ids(&menu, before)?.first().map(|id| show_id(*id)),
            None => None,
        };
        write::move_rows(self.world, &menu, &ids, before.as_deref(), &self.user)
    }
}
