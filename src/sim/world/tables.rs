//! A router's tables. Each is made when it is first looked at, so that a router nobody asks costs a few hundred bytes.

use super::World;
use crate::sim::agenda::timers;
use crate::sim::menus::{Menu, Shape};
use crate::sim::row::{Row, read_id};
use crate::sim::{device_mode, generate, live, profiles};

/// Rows `/log` and `/system/history` keep before they forget the oldest.
const MEMORY_ROWS: usize = 1_000;
/// The highest `.id` a row is given; a long test stays there rather than start anew.
const ID_LAST: u32 = 0xFFFF_FFF0;
/// From here on are the numbers of rows a router makes by itself; those of later rows do not go on from them.
const HIGH_IDS: u32 = 0x1000_0000;

/// Rows of one menu and the next `.id`.
#[derive(Debug, Default, Clone)]
pub struct Table {
    /// Rows in their order.
    pub rows: Vec<Row>,
    next: u32,
}

impl Table {
    /// A number no row of this table had before.
    fn fresh(&mut self) -> u32 {
        let id = self.next;
        self.next = self.next.saturating_add(1).min(ID_LAST);
        id
    }
}

impl World {
    /// The menu's definition on this router.
    pub fn menu(&self, path: &str) -> Option<&Menu> {
        self.defs.menu(path, &self.model)
    }

    /// Rows as a print shows them, computed values and dynamic rows included; a singleton is one row without `.id`.
    pub fn rows(&mut self, path: &str) -> Vec<Row> {
        let mut rows = live::rows(self, path).unwrap_or_else(|| self.table(path).rows.clone());
        device_mode::note(self, path, &mut rows);
        rows
    }

    /// The rows as written, made if nobody looked before.
    pub fn table(&mut self, path: &str) -> &mut Table {
        self.touched += 1;
        if !self.tables.contains_key(path) {
            self.load(path);
        }
        self.tables.entry(path.to_string()).or_default()
    }

    /// The rows as written, if anybody looked before; else they are still those of the profile.
    pub(in crate::sim) fn stored(&self, path: &str) -> Option<&[Row]> {
        self.tables.get(path).map(|t| t.rows.as_slice())
    }

    /// The row with that `.id` (`*1A`) or name.
    pub fn find(&mut self, path: &str, which: &str) -> Option<Row> {
        self.rows(path).into_iter().find(|r| r.is_called(which))
    }

    /// Adds a row as the router itself would: defaults filled in, nothing refused. Gives its `.id`.
    pub fn add(&mut self, path: &str, values: &[(&str, &str)]) -> u32 {
        let mut row = self.blank(path);
        for (name, value) in values {
            row.put(name, *value);
        }
        self.append(path, row)
    }

    /// Writes one value of the row with that `.id` or name; false when there is no such row.
    pub fn set(&mut self, path: &str, which: &str, name: &str, value: &str) -> bool {
        let found = self.table(path).rows.iter_mut().find(|r| r.is_called(which));
        let there = found.map(|row| row.put(name, value)).is_some();
        if path == timers::SCHEDULER {
            timers::sync(self);
        }
        there
    }

    /// Writes one value of a singleton.
    pub fn put_single(&mut self, path: &str, name: &str, value: &str) {
        if let Some(row) = self.table(path).rows.first_mut() {
            row.put(name, value);
        }
    }

    /// Takes the row with that `.id` or name out; false when there is none.
    pub fn remove(&mut self, path: &str, which: &str) -> bool {
        let rows = &mut self.table(path).rows;
        let before = rows.len();
        rows.retain(|r| !r.is_called(which));
        rows.len() < before
    }

    /// A row with the menu's defaults and no `.id` yet.
    pub(in crate::sim) fn blank(&self, path: &str) -> Row {
        let mut row = Row::new(None);
        let Some(menu) = self.menu(path) else { return row };
        for attr in menu.attrs.iter().filter(|a| a.since <= self.model.version) {
            if let Some(default) = &attr.default {
                row.put(&attr.name, default.as_str());
            }
        }
        row
    }

    /// Puts a row at the end of its table under a new `.id`.
    pub(in crate::sim) fn append(&mut self, path: &str, mut row: Row) -> u32 {
        self.table(path);
        // Members of a family share their numbers: `/interface/vlan` rows are `/interface` rows.
        let counter = self.menu(path).and_then(|m| m.family.clone()).map_or(path.to_string(), |(of, _)| of);
        let id = self.tables.entry(counter).or_default().fresh();
        row.id = Some(id);
        self.table(path).rows.push(row);
        if path == timers::SCHEDULER {
            timers::sync(self);
        }
        id
    }

    /// Appends to a table that forgets its oldest rows.
    pub(in crate::sim) fn remember(&mut self, path: &str, values: &[(&str, &str)]) -> u32 {
        let id = self.add(path, values);
        let rows = &mut self.table(path).rows;
        if rows.len() > MEMORY_ROWS {
            rows.remove(0);
        }
        id
    }

    fn load(&mut self, path: &str) {
        let (defs, model) = (self.defs.clone(), self.model.clone());
        let Some(menu) = defs.menu(path, &model) else {
            self.tables.insert(path.to_string(), Table { rows: Vec::new(), next: 1 });
            return;
        };
        let family = menu.family.as_ref().map(|(of, _)| of.as_str()).or((path == "/interface").then_some(path));
        if let Some(of) = family {
            return self.load_family(of);
        }
        let mut table = Table { rows: Vec::new(), next: menu.first };
        self.fill(menu, &mut table.rows);
        for row in table.rows.iter_mut().filter(|_| menu.shape == Shape::List) {
            let id = row.id.unwrap_or(table.next);
            row.id = Some(id);
            table.next = table.next.max(if id < HIGH_IDS || menu.first >= HIGH_IDS { id + 1 } else { 0 });
        }
        self.tables.insert(path.to_string(), table);
    }

    fn load_family(&mut self, of: &str) {
        let (defs, model) = (self.defs.clone(), self.model.clone());
        let mut shared = Table { rows: Vec::new(), next: 1 };
        for member in defs.family(of, &model) {
            let mut table = Table { rows: Vec::new(), next: 0 };
            self.fill(member, &mut table.rows);
            for row in &mut table.rows {
                row.id = Some(shared.fresh());
            }
            self.tables.insert(member.path.clone(), table);
        }
        self.tables.insert(of.to_string(), shared);
    }

    fn fill(&mut self, menu: &Menu, rows: &mut Vec<Row>) {
        let blank = self.blank(&menu.path);
        if menu.shape == Shape::Single {
            let mut row = blank;
            for (name, value) in profiles::rows(&self.model, &menu.path).into_iter().flatten() {
                row.put(&name, value);
            }
            rows.push(row);
            return;
        }
        for values in profiles::rows(&self.model, &menu.path) {
            let mut row = blank.clone();
            for (name, value) in values {
                match name.as_str() {
                    ".id" => row.id = read_id(&value),
                    _ => row.put(&name, value),
                }
            }
            rows.push(row);
        }
        generate::rows(self, menu, &blank, rows);
    }
}
