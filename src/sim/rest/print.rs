//! Rows as an answer: who may see what, which rows, which attributes.

use super::params::Arguments;
use super::wire::{FIRST_MADE, More};
use crate::sim::access::visible;
use crate::sim::generate;
use crate::sim::menus::{Menu, Shape};
use crate::sim::query::same;
use crate::sim::row::Row;
use crate::sim::world::{Login, World};
use std::sync::Arc;

/// A GET: filters by equal values, always with `.id`; a singleton is a bare object.
pub(super) fn get(world: &mut World, menu: &Menu, login: &Login, arguments: &Arguments) -> Vec<u8> {
    let rows = visible(world, menu, login);
    if menu.shape == Shape::Single {
        return object(&rows.into_iter().next().unwrap_or_default(), arguments);
    }
    let keeps = |row: &Row| {
        arguments.values.iter().all(|(name, want)| match name.as_str() {
            ".id" => row.id_text().as_deref() == Some(want),
            _ => row.get(name).is_some_and(|shown| same(shown, want)),
        })
    };
    array(rows.iter().filter(|r| keeps(r)), |name| name == ".id" || arguments.wants(name))
}

/// A `POST …/print`: queries, and only the attributes asked for.
pub(super) fn print(world: &mut World, menu: &Menu, login: &Login, arguments: &Arguments) -> Vec<u8> {
    let rows = visible(world, menu, login);
    let kept = rows.iter().filter(|r| arguments.query.keeps(r));
    if arguments.has("count-only") {
        let made = more(world, menu, arguments, false);
        let counted = made.map_or(0, |m| (0..m.rows).filter(|n| (m.row)(*n).is_some()).count());
        return format!("{{\"ret\":\"{}\"}}", kept.count() + counted).into_bytes();
    }
    array(kept, |name| arguments.wants(name))
}

/// Connections that are made while they are sent, filtered as the rest.
pub(super) fn more(world: &World, menu: &Menu, arguments: &Arguments, get: bool) -> Option<More> {
    if menu.path != "/ip/firewall/connection" || world.flows == 0 {
        return None;
    }
    let (seed, management, blank) = (world.seed, world.model.management, world.blank(&menu.path));
    let (query, values, proplist) = (arguments.query.clone(), arguments.values.clone(), arguments.proplist.clone());
    let row = move |n: u32| {
        let mut row = generate::connection(seed, management, &blank, n);
        row.id = Some(FIRST_MADE + n);
        let equal = !get || values.iter().all(|(name, want)| row.get(name).is_some_and(|shown| same(shown, want)));
        (equal && query.keeps(&row)).then_some(row)
    };
    let show = move |name: &str| get && name == ".id" || proplist.as_ref().is_none_or(|p| p.iter().any(|n| n == name));
    Some(More { rows: world.flows, row: Arc::new(row), show: Arc::new(show) })
}

/// One row or singleton as an object.
pub(super) fn object(row: &Row, arguments: &Arguments) -> Vec<u8> {
    let mut out = Vec::new();
    row.write(&mut out, |name| arguments.wants(name));
    out
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
