//! What changes tables: add, set, unset, remove, move, enable, disable, comment, with the console's refusals.
//!
//! References are checked when a row is written (hard on create) and read as the dead `.id` once their target is gone
//! (soft on delete).

use super::history::Was;
use super::menus::{Attr, Menu, Shape};
use super::refusal::Refusal;
use super::row::{Row, read_id, show_id};
use super::rules;
use super::value::{Type, Wrong};
use super::world::World;

/// Attributes as a request gives them, in its order.
pub(super) type Params = Vec<(String, String)>;

/// Adds a row; gives its `.id`.
pub(super) fn add(world: &mut World, menu: &Menu, params: &Params, by: &str) -> Result<u32, Refusal> {
    if !menu.add {
        return Err(Refusal::no_menu("add"));
    }
    let mut row = match params.iter().find(|(name, _)| name == "copy-from") {
        Some((_, from)) => target(world, menu, from)?,
        None => world.blank(&menu.path),
    };
    row.id = None;
    let mut before = None;
    for (name, given) in params {
        match name.as_str() {
            "copy-from" => {}
            "place-before" if menu.ordered => before = Some(given.clone()),
            _ => write(world, menu, &mut row, name, given)?,
        }
    }
    if let Some(attr) = menu.attrs.iter().find(|a| a.required && a.since <= world.model.version && row.get(&a.name).is_none()) {
        return Err(Refusal::missing(&attr.name));
    }
    rules::before_add(world, menu, &mut row, by)?;
    unique(world, menu, &row)?;
    let before = before.map(|b| read_id(&b).ok_or_else(|| Refusal::no_match("place-before"))).transpose()?;
    let id = world.append(&menu.path, row);
    if before.is_some() {
        place(&mut world.table(&menu.path).rows, &[id], before);
    }
    rules::after_write(world, menu, id, "added", Was::Absent, by);
    Ok(id)
}

/// Sets attributes of the rows (or of the one object).
pub(super) fn set(world: &mut World, menu: &Menu, ids: &[u32], params: &Params, by: &str) -> Result<(), Refusal> {
    if !menu.set {
        return Err(Refusal::no_menu("set"));
    }
    if menu.shape == Shape::Single {
        let mut row = world.table(&menu.path).rows.first().cloned().unwrap_or_default();
        let old = Was::Row(Box::new(row.clone()));
        for (name, given) in params {
            write(world, menu, &mut row, name, given)?;
        }
        rules::before_set(world, menu, None, &mut row, by)?;
        world.table(&menu.path).rows = vec![row];
        rules::after_write(world, menu, 0, "changed", old, by);
        return Ok(());
    }
    for id in ids {
        let old = stored(world, menu, *id)?;
        let mut row = old.clone();
        for (name, given) in params {
            write(world, menu, &mut row, name, given)?;
        }
        rules::before_set(world, menu, Some(&old), &mut row, by)?;
        unique(world, menu, &row)?;
        follow_rename(world, menu, &old, &row);
        replace(world, menu, row);
        rules::after_write(world, menu, *id, "changed", Was::Row(Box::new(old)), by);
    }
    Ok(())
}

/// Takes an attribute out of rows; one with a default gets it back.
pub(super) fn unset(world: &mut World, menu: &Menu, ids: &[u32], name: &str, by: &str) -> Result<(), Refusal> {
    let attr = settable(world, menu, name).ok_or_else(|| Refusal::no_match("value-name"))?;
    for id in ids {
        let mut row = stored(world, menu, *id)?;
        let old = Was::Row(Box::new(row.clone()));
        reset(&mut row, attr);
        replace(world, menu, row);
        rules::after_write(world, menu, *id, "changed", old, by);
    }
    Ok(())
}

/// Removes rows; names that pointed to them read as their dead `.id` from now on.
pub(super) fn remove(world: &mut World, menu: &Menu, ids: &[u32], by: &str) -> Result<(), Refusal> {
    if !menu.remove {
        return Err(Refusal::no_menu("remove"));
    }
    for id in ids {
        let row = stored(world, menu, *id)?;
        rules::before_remove(world, menu, &row)?;
        if let Some(name) = row.get("name") {
            let name = name.to_string();
            repoint(world, menu, &name, &show_id(*id));
        }
        let rows = &mut world.table(&menu.path).rows;
        let at = rows.iter().position(|r| r.id == Some(*id)).unwrap_or(rows.len());
        rows.retain(|r| r.id != Some(*id));
        rules::after_write(world, menu, *id, "removed", Was::Removed(at, Box::new(row)), by);
    }
    Ok(())
}

/// Moves rows before `destination`; without one, or with one that is not there, to the end.
pub(super) fn move_rows(world: &mut World, menu: &Menu, ids: &[u32], destination: Option<&str>, by: &str) -> Result<(), Refusal> {
    let before = destination.and_then(read_id);
    if before.is_some_and(|b| ids.contains(&b)) {
        return Err(Refusal::bad("failure: can not move object before itself"));
    }
    let rows = &mut world.table(&menu.path).rows;
    let order = Was::Order(rows.iter().filter_map(|r| r.id).collect());
    place(rows, ids, before);
    rules::after_write(world, menu, ids.first().copied().unwrap_or_default(), "moved", order, by);
    Ok(())
}

/// The rows a request means: comma list of `.id`, names, comments or positions.
pub(super) fn numbers(world: &mut World, menu: &Menu, params: &mut Params) -> Result<Vec<u32>, Refusal> {
    let at = params.iter().position(|(name, _)| name == ".id" || name == "numbers").ok_or_else(|| Refusal::missing(".id"))?;
    let (_, list) = params.remove(at);
    let rows = world.rows(&menu.path);
    list.split(',').map(|which| one(menu, &rows, which)).collect()
}

fn one(menu: &Menu, rows: &[Row], which: &str) -> Result<u32, Refusal> {
    let by_value = |name: &str| rows.iter().find(|r| r.get(name) == Some(which)).and_then(|r| r.id);
    let found = match read_id(which) {
        Some(id) => rows.iter().find(|r| r.id == Some(id)).and_then(|r| r.id),
        None => (if menu.named { by_value("name") } else { None })
            .or_else(|| by_value("comment"))
            .or_else(|| rows.get(which.parse::<usize>().ok()?)?.id),
    };
    found.ok_or(Refusal::bare(404))
}

/// Finds the row as it is stored; rows the router made itself (and only shows) cannot be changed.
fn stored(world: &mut World, menu: &Menu, id: u32) -> Result<Row, Refusal> {
    let table = owner(world, menu, id);
    if let Some(row) = world.table(&table).rows.iter().find(|r| r.id == Some(id)) {
        return Ok(row.clone());
    }
    match world.rows(&menu.path).iter().any(|r| r.id == Some(id)) {
        true => Err(Refusal::bad("failure: can not change dynamic")),
        false => Err(Refusal::bare(404)),
    }
}

fn replace(world: &mut World, menu: &Menu, row: Row) {
    let table = owner(world, menu, row.id.unwrap_or_default());
    if let Some(old) = world.table(&table).rows.iter_mut().find(|r| r.id == row.id) {
        *old = row;
    }
}

/// `/interface` shows rows of its members: the table that really has this one.
pub(super) fn owner(world: &mut World, menu: &Menu, id: u32) -> String {
    let (defs, model) = (world.defs.clone(), world.model.clone());
    let mut members = defs.family(&menu.path, &model).map(|m| m.path.as_str());
    members.find(|path| world.table(path).rows.iter().any(|r| r.id == Some(id))).unwrap_or(&menu.path).to_string()
}

fn target(world: &mut World, menu: &Menu, which: &str) -> Result<Row, Refusal> {
    let rows = world.table(&menu.path).rows.clone();
    let id = one(menu, &rows, which)?;
    rows.into_iter().find(|r| r.id == Some(id)).ok_or(Refusal::bare(404))
}

fn settable<'a>(world: &World, menu: &'a Menu, name: &str) -> Option<&'a Attr> {
    menu.attr(name).filter(|a| !a.read_only && a.since <= world.model.version)
}

fn reset(row: &mut Row, attr: &Attr) {
    match &attr.default {
        Some(default) => row.put(&attr.name, default.as_str()),
        None => drop(row.take(&attr.name)),
    }
}

fn write(world: &mut World, menu: &Menu, row: &mut Row, name: &str, given: &str) -> Result<(), Refusal> {
    // `"!x":""` is how an API client says unset.
    if let Some(bare) = name.strip_prefix('!') {
        let attr = settable(world, menu, bare).ok_or_else(|| Refusal::bad(format!("unknown parameter {name}")))?;
        reset(row, attr);
        return Ok(());
    }
    let attr = settable(world, menu, name).ok_or_else(|| Refusal::bad(format!("unknown parameter {name}")))?;
    let respelt = world.respelling.filter(|(which, _)| *which == name).map(|(_, spelling)| spelling(given));
    let given = respelt.as_deref().unwrap_or(given);
    // Flags that are there or not: read back without a word when on, and not at all when off.
    if matches!(name, "blackhole" | "fib") {
        match given {
            "" | "yes" | "true" => row.put(name, ""),
            "no" | "false" => drop(row.take(name)),
            _ => return Err(Refusal::bad(format!("invalid value {given} for {name}"))),
        }
        return Ok(());
    }
    // Only free text can be emptied where a menu has another way to take an attribute away.
    let is_emptied = menu.command_names().contains(&"unset") && !matches!(attr.of, Type::Text | Type::Flag);
    if given.is_empty() && is_emptied {
        return Err(Refusal::no_match(name));
    }
    if given.is_empty() && attr.default.is_none() && !attr.required && !matches!(attr.of, Type::Flag) {
        if name == "log-prefix" {
            row.put(name, "");
        } else {
            row.take(name);
        }
        return Ok(());
    }
    let shown = attr.of.take(given).map_err(|wrong| match wrong {
        Wrong::NoMatch => Refusal::no_match(name),
        Wrong::Invalid => Refusal::bad(format!("invalid value for argument {name}")),
        Wrong::OutOfRange(lo, hi) => Refusal::bad(format!("value of {name} out of range ({lo}..{hi})")),
    })?;
    if !refers(world, attr, given) {
        return Err(Refusal::no_match(name));
    }
    row.put(name, shown);
    Ok(())
}

/// Whether a reference points to a row that is there; values of other types always do.
fn refers(world: &mut World, attr: &Attr, given: &str) -> bool {
    let Type::Reference(menus, words, negatable) = &attr.of else { return true };
    let bare = if *negatable { given.strip_prefix('!').unwrap_or(given) } else { given };
    let none = attr.default.as_deref() == Some(given) || bare.is_empty() && !attr.required;
    none || words.iter().any(|w| w == bare) || menus.iter().any(|m| names(world, m, bare))
}

fn names(world: &mut World, menu: &str, name: &str) -> bool {
    world.rows(menu).iter().any(|r| r.get("name") == Some(name) || r.id_text().as_deref() == Some(name))
}

fn unique(world: &mut World, menu: &Menu, row: &Row) -> Result<(), Refusal> {
    let scope = menu.family.as_ref().map_or(menu.path.clone(), |(of, _)| of.clone());
    let named = menu.named && menu.unique.iter().all(|u| u.attrs != ["name"]) && row.get("name").is_some();
    // Open connections show as rows of `/ip/service` under the service's name.
    let taken = |r: &Row| r.id != row.id && r.get("name") == row.get("name") && !r.is("connection");
    if named && world.rows(&scope).iter().any(taken) {
        return Err(Refusal::bad("failure: already have such name"));
    }
    for rule in &menu.unique {
        let key = |r: &Row| rule.attrs.iter().map(|a| r.get(a).map(String::from)).collect::<Vec<_>>();
        let mine = key(row);
        if world.table(&menu.path).rows.iter().any(|r| r.id != row.id && key(r) == mine) {
            return Err(Refusal::bad(rule.refusal.clone()));
        }
    }
    Ok(())
}

fn place(rows: &mut Vec<Row>, ids: &[u32], before: Option<u32>) {
    let (moved, mut rest): (Vec<Row>, Vec<Row>) = rows.drain(..).partition(|r| r.id.is_some_and(|id| ids.contains(&id)));
    let at = before.and_then(|b| rest.iter().position(|r| r.id == Some(b))).unwrap_or(rest.len());
    rest.splice(at..at, moved);
    *rows = rest;
}

/// Whoever points to a row by its name follows when that changes.
pub(super) fn follow_rename(world: &mut World, menu: &Menu, old: &Row, new: &Row) {
    let renamed = old.get("name").zip(new.get("name")).filter(|(from, to)| from != to);
    if let Some((from, to)) = renamed.map(|(from, to)| (from.to_string(), to.to_string())) {
        repoint(world, menu, &from, &to);
    }
}

/// The router keeps references by object, we by name: whoever said the old name says the new one.
fn repoint(world: &mut World, menu: &Menu, from: &str, to: &str) {
    let target = menu.family.as_ref().map_or(menu.path.clone(), |(of, _)| of.clone());
    let (defs, model) = (world.defs.clone(), world.model.clone());
    // Renamed through `/interface`, a bridge is still a bridge to its ports.
    let member =
        |t: &str| menu.path == target && defs.menu(t, &model).is_some_and(|m| m.family.as_ref().is_some_and(|(of, _)| *of == target));
    let points_here = |of: &Type| of.targets().iter().any(|t| *t == target || *t == menu.path || member(t));
    for other in defs.served(&model) {
        let pointing: Vec<&str> = other.attrs.iter().filter(|a| points_here(&a.of)).map(|a| a.name.as_str()).collect();
        if pointing.is_empty() {
            continue;
        }
        for row in &mut world.table(&other.path).rows {
            for name in &pointing {
                let said = row.get(name).map(|v| (v.starts_with('!'), v.trim_start_matches('!') == from));
                if let Some((negated, true)) = said {
                    row.put(name, format!("{}{to}", if negated { "!" } else { "" }));
                }
            }
        }
    }
}

/// `enable` and `disable` are a set of `disabled`.
pub(super) fn switch(world: &mut World, menu: &Menu, ids: &[u32], disabled: bool, by: &str) -> Result<(), Refusal> {
    let value = if disabled { "true" } else { "false" };
    set(world, menu, ids, &vec![("disabled".into(), value.into())], by)
}
