//! Rows as an answer: who may see what, which rows, which attributes.

use super::auth::may;
use super::params::Arguments;
use crate::sim::menus::{Menu, Shape};
use crate::sim::query::same;
use crate::sim::row::Row;
use crate::sim::world::{Login, World};

/// All rows of a menu without what this user may not see.
pub(super) fn visible(world: &mut World, menu: &Menu, login: &Login) -> Vec<Row> {
    let mut rows = world.rows(&menu.path);
    let sensitive = may(login, "sensitive");
    let unseen: Vec<&str> = menu.attrs.iter().filter(|a| a.hidden || a.secret && !sensitive).map(|a| a.name.as_str()).collect();
    if !unseen.is_empty() {
        for row in &mut rows {
            for name in &unseen {
                row.take(name);
            }
        }
    }
    rows
}

/// A GET: filters by equal values, always with `.id`; a singleton is a bare object.
pub(super) fn get(world: &mut World, menu: &Menu, login: &Login, arguments: &Arguments) -> Vec<u8> {
    let rows = visible(world, menu, login);
    if menu.shape == Shape::Single {
        let mut out = Vec::new();
        rows.first().cloned().unwrap_or_default().write(&mut out, |name| wanted(arguments, name));
        return out;
    }
    let keeps = |row: &Row| {
        arguments.values.iter().all(|(name, want)| match name.as_str() {
            ".id" => row.id_text().as_deref() == Some(want),
            _ => row.get(name).is_some_and(|shown| same(shown, want)),
        })
    };
    array(rows.iter().filter(|r| keeps(r)), |name| name == ".id" || wanted(arguments, name))
}

/// A `POST …/print`: queries, and only the attributes asked for.
pub(super) fn print(world: &mut World, menu: &Menu, login: &Login, arguments: &Arguments) -> Vec<u8> {
    let rows = visible(world, menu, login);
    let kept = rows.iter().filter(|r| arguments.query.keeps(r));
    if arguments.has("count-only") {
        return format!("{{\"ret\":\"{}\"}}", kept.count()).into_bytes();
    }
    array(kept, |name| wanted(arguments, name))
}

/// One row or singleton as an object.
pub(super) fn object(row: &Row, arguments: &Arguments) -> Vec<u8> {
    let mut out = Vec::new();
    row.write(&mut out, |name| wanted(arguments, name));
    out
}

fn wanted(arguments: &Arguments, name: &str) -> bool {
    arguments.proplist.as_ref().is_none_or(|names| names.iter().any(|n| n == name))
}

/// Rows as a JSON array.
pub(super) fn array<'a>(rows: impl Iterator<Item = &'a Row>, show: impl Fn(&str) -> bool) -> Vec<u8> {
    let mut out = b"[".to_vec();
    for (i, row) in rows.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        row.write(&mut out, &show);
    }
    out.push(b']');
    out
}
