//! What was changed and how to take it back: `/system/history`, `/undo`, and safe mode, which takes back in one go.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328155/Configuration+Management>

use super::agenda::timers;
use super::live;
use super::menus::Menu;
use super::refusal::Refusal;
use super::row::{Row, show_id};
use super::world::World;
use super::write;

/// Actions the router can take back; safe mode ends without a word beyond it.
pub(super) const ACTIONS_MAX: usize = 100;

/// What a change replaced.
#[derive(Debug, Clone)]
pub(super) enum Was {
    /// Nothing: the row is new.
    Absent,
    /// Another row in its place (or another object, for a singleton).
    Row(Box<Row>),
    /// A row that is gone, and where it stood.
    Removed(usize, Box<Row>),
    /// Another order.
    Order(Vec<u32>),
}

/// One action that can be taken back.
#[derive(Debug, Clone)]
pub(super) struct Action {
    path: String,
    id: u32,
    was: Was,
    /// The row of `/system/history` that tells it.
    told: u32,
    /// Made while somebody held safe mode.
    floating: bool,
}

/// Who holds safe mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Safe {
    pub user: String,
    /// The session that holds it, told apart from others of the same user.
    pub session: u64,
}

/// Remembers a change and tells it in `/system/history`; gives the number of its row and the command.
pub(super) fn record(world: &mut World, menu: &Menu, id: u32, was: Was, action: &str, by: &str) -> (u32, String) {
    // A row of `/interface` is kept by the menu of its kind.
    let table = write::owner(world, menu, id);
    let now = world.table(&table).rows.iter().find(|r| r.id == Some(id) || r.id.is_none()).cloned();
    let (undo, redo) = commands(menu, id, &was, now.as_ref());
    let time = live::date_time(world.now());
    let floating = world.safe.is_some();
    let flag = |yes: bool| if yes { "true" } else { "false" };
    let row = [
        ("action", action),
        ("by", by),
        ("floating-undo", flag(floating)),
        ("policy", "write"),
        ("redo", redo.as_str()),
        ("redoable", "false"),
        ("time", time.as_str()),
        ("undo", undo.as_str()),
        ("undoable", "true"),
    ];
    let told = world.remember("/system/history", &row);
    world.actions.push_back(Action { path: table, id, was, told, floating });
    if floating && world.actions.iter().filter(|a| a.floating).count() > ACTIONS_MAX {
        // Too many to take back: safe mode ends, and everything stays.
        release(world);
    }
    while world.actions.len() > ACTIONS_MAX {
        if let Some(old) = world.actions.pop_front() {
            world.table("/system/history").rows.retain(|r| r.id != Some(old.told));
        }
    }
    (told, redo)
}

/// The commands that take a change back and make it again.
fn commands(menu: &Menu, id: u32, was: &Was, now: Option<&Row>) -> (String, String) {
    let (path, at) = (menu.path.replace('/', " ").trim().to_string(), show_id(id));
    // As in an export, secrets are left out.
    let told = |name: &str| !menu.attr(name).is_some_and(|a| a.secret || a.hidden);
    let words = |row: &Row| row.iter().filter(|(n, _)| told(n)).map(|(n, v)| format!("{n}={}", quoted(v))).collect::<Vec<_>>().join(" ");
    let differs = |from: &Row, to: &Row| {
        let changed = from.iter().filter(|(n, v)| told(n) && to.get(n) != Some(*v)).map(|(n, v)| format!("{n}={}", quoted(v)));
        let gone = to.iter().filter(|(n, _)| told(n) && from.get(n).is_none()).map(|(n, _)| format!("{n}=\"\""));
        changed.chain(gone).collect::<Vec<_>>().join(" ")
    };
    match (was, now) {
        (Was::Absent, Some(row)) => (format!("/{path} remove {at}"), format!("/{path} add {}", words(row))),
        (Was::Row(old), Some(row)) if row.id.is_none() => {
            (format!("/{path} set {}", differs(old, row)), format!("/{path} set {}", differs(row, old)))
        }
        (Was::Row(old), Some(row)) => {
            (format!("/{path} set {at} {}", differs(old, row)), format!("/{path} set {at} {}", differs(row, old)))
        }
        (Was::Removed(_, old), _) => (format!("/{path} add {}", words(old)), format!("/{path} remove {at}")),
        _ => (format!("/{path} move {at}"), format!("/{path} move {at}")),
    }
}

fn quoted(value: &str) -> String {
    let plain = !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:,*+@".contains(c));
    if plain { value.to_string() } else { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$")) }
}

/// Takes the last action back.
pub(super) fn undo(world: &mut World) -> Result<(), Refusal> {
    let action = world.actions.pop_back().ok_or_else(|| Refusal::bad("failure: nothing to undo"))?;
    take_back(world, action);
    Ok(())
}

fn take_back(world: &mut World, action: Action) {
    let rows = &mut world.table(&action.path).rows;
    let at = rows.iter().position(|r| r.id == Some(action.id) || r.id.is_none());
    let mut renamed = None;
    match (action.was, at) {
        (Was::Absent, Some(at)) => drop(rows.remove(at)),
        (Was::Row(old), Some(at)) => renamed = Some((std::mem::replace(&mut rows[at], (*old).clone()), old)),
        (Was::Removed(at, old), _) => rows.insert(at.min(rows.len()), *old),
        (Was::Order(order), _) => rows.sort_by_key(|r| order.iter().position(|id| Some(*id) == r.id)),
        (_, None) => {}
    }
    if let Some((now, old)) = renamed
        && let Some(menu) = world.menu(&action.path).cloned()
    {
        write::follow_rename(world, &menu, &now, &old);
    }
    if action.path.starts_with("/user") {
        world.logins.clear();
    }
    world.table("/system/history").rows.retain(|r| r.id != Some(action.told));
    if action.path == timers::SCHEDULER {
        timers::sync(world);
    }
}

/// Takes safe mode; false when another session has it.
pub(super) fn take(world: &mut World, safe: Safe) -> bool {
    if world.safe.as_ref().is_some_and(|held| *held != safe) {
        return false;
    }
    world.safe = Some(safe);
    true
}

/// Ends safe mode and keeps what was done.
pub(super) fn release(world: &mut World) {
    world.safe = None;
    for action in &mut world.actions {
        action.floating = false;
    }
    for row in &mut world.table("/system/history").rows {
        row.put("floating-undo", "false");
    }
}

/// Ends safe mode and takes back everything done since, by whomever.
pub(super) fn unroll(world: &mut World) {
    if world.safe.take().is_none() {
        return;
    }
    let (floating, kept) = std::mem::take(&mut world.actions).into_iter().partition::<Vec<_>, _>(|a| a.floating);
    world.actions = kept.into();
    for action in floating.into_iter().rev() {
        take_back(world, action);
    }
    world.log("system,info", "safe mode unrolled");
}
