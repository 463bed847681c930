//! What changed between two configurations: by menu and row, never by line.
//!
//! Rows are the same row when they are equal in their menu's natural key; by name where no key is known; rules, which
//! have neither, by content, then by likeness. A `set` of a row that is always there (`[ find default-name=ether1 ]`, a
//! menu's own settings) is a change of it, whichever side has it: an export leaves out what is at its default.
//!
//! A row that one side may merely have failed to export is in doubt, never removed or added: see [`Doubt`].

mod pair;

use crate::menus::{self, Menu, Shape};
use crate::routeros::export::{Command, Export, Target};
use crate::routeros::value::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// An attribute's value: text, or nothing for a flag that is set.
pub type Value = Option<String>;

/// What changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Menus that differ, by path.
    pub menus: Vec<MenuDiff>,
    /// What cannot be told.
    pub doubts: Vec<Doubt>,
}

/// What changed in one menu.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MenuDiff {
    /// `/ip/firewall/filter`
    pub menu: String,
    /// Rows that were not there.
    pub added: Vec<Row>,
    /// Rows that are gone.
    pub removed: Vec<Row>,
    /// Rows with other values, or in another place where order counts.
    pub changed: Vec<Change>,
}

/// A row as its side has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What tells it apart, for people.
    pub key: String,
    /// Its attributes.
    pub values: Vec<(String, Value)>,
}

/// A row that is there on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What tells it apart, for people.
    pub key: String,
    /// Attributes that differ, as they were; `None` for one that was not there.
    pub before: Vec<(String, Option<Value>)>,
    /// The same attributes as they are.
    pub after: Vec<(String, Option<Value>)>,
    /// Its places among the menu's rows, from 1, when it was moved past another row that stayed.
    pub moved: Option<(usize, usize)>,
}

/// Rows of a menu that one side has and the other may merely have failed to export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The menu.
    pub menu: String,
    /// How many rows.
    pub rows: usize,
    /// Why nothing is said about them.
    pub why: &'static str,
}

/// One command and where it stands.
struct Item<'a> {
    command: &'a Command,
    /// Among the rows of its menu.
    place: usize,
    /// Among all rows of its side.
    nth: usize,
}

/// Compares two configurations.
pub fn diff(from: &Export, to: &Export) -> Diff {
    let (was, is) = (by_menu(from), by_menu(to));
    let names: BTreeSet<&str> = was.keys().chain(is.keys()).copied().collect();
    let none = Vec::new();
    let mut pairs = Vec::new();
    for menu in names {
        let (was, is) = (was.get(menu).unwrap_or(&none), is.get(menu).unwrap_or(&none));
        let facts = menus::find(menu);
        pairs.push((menu, facts, was, is, pair::pairs(facts, was, is)));
    }
    // The last rows of each side that the other has too: behind them one may have been cut off.
    let found = pairs.iter().flat_map(|(_, _, was, is, pairs)| pairs.iter().filter_map(|pair| Some((was[pair.0?].nth, is[pair.1?].nth))));
    let (last_from, last_to) = found.fold((None, None), |(from, to), (was, is)| (from.max(Some(was)), to.max(Some(is))));
    let gone = Sight::new(from, to, last_from);
    let fresh = Sight::new(to, from, last_to);
    let mut out = Diff::default();
    for (menu, facts, was, is, pairs) in &pairs {
        let menu_diff = one_menu(menu, *facts, was, is, pairs, (&gone, &fresh), &mut out.doubts);
        if !(menu_diff.added.is_empty() && menu_diff.removed.is_empty() && menu_diff.changed.is_empty()) {
            out.menus.push(menu_diff);
        }
    }
    out
}

fn by_menu(export: &Export) -> BTreeMap<&str, Vec<Item<'_>>> {
    let mut menus: BTreeMap<&str, Vec<Item<'_>>> = BTreeMap::new();
    for (nth, (menu, command)) in export.rows().enumerate() {
        let items = menus.entry(menu).or_default();
        items.push(Item { command, place: items.len() + 1, nth });
    }
    menus
}

/// What one side can be trusted to have shown, when a row of the other is not in it.
struct Sight {
    /// Menus it could not export or read; empty names all.
    blind: Vec<String>,
    /// It failed where the other did not: nothing it lacks is known to be gone.
    newly: bool,
    /// The place after which the other side's rows may have been cut off.
    cut_after: Option<usize>,
    /// Whether its end was seen.
    ended: bool,
}

impl Sight {
    /// How far `there` shows what `here` has; `last` is the last row of `here` that was found in it.
    fn new(here: &Export, there: &Export, last: Option<usize>) -> Self {
        let known: Vec<String> = here.gap_menus().collect();
        let blind: Vec<String> = there.gap_menus().collect();
        let newly = blind.iter().any(|menu| menu.is_empty() || !known.contains(menu));
        Sight { blind: blind.into_iter().chain(there.unread().map(str::to_owned)).collect(), newly, cut_after: last, ended: there.ended }
    }

    /// Why it is not known whether a row is really missing there.
    fn doubt(&self, menu: &str, nth: usize) -> Option<&'static str> {
        let covers = |gap: &String| menu.strip_prefix(gap.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if self.blind.iter().any(covers) {
            return Some("the router did not export this menu whole");
        }
        if self.newly {
            return Some("the router failed to export other menus; what is missing here may be missing for that");
        }
        if !self.ended && self.cut_after.is_none_or(|last| nth > last) {
            return Some("the end of the export was not seen; it may have been cut off before these rows");
        }
        None
    }
}

fn one_menu(
    menu: &str,
    facts: Option<&Menu>,
    was: &[Item<'_>],
    is: &[Item<'_>],
    pairs: &[(Option<usize>, Option<usize>)],
    (gone, fresh): (&Sight, &Sight),
    doubts: &mut Vec<Doubt>,
) -> MenuDiff {
    let mut out = MenuDiff { menu: menu.to_owned(), ..MenuDiff::default() };
    let mut unsure: BTreeMap<&'static str, usize> = BTreeMap::new();
    let moved = if facts.is_some_and(|facts| facts.shape == Shape::Ordered) { pair::moved(pairs) } else { BTreeSet::new() };
    for pair in pairs {
        let (before, after) = (pair.0.map(|at| &was[at]), pair.1.map(|at| &is[at]));
        let doubt = match (before, after) {
            (Some(before), None) => gone.doubt(menu, before.nth),
            (None, Some(after)) => fresh.doubt(menu, after.nth),
            _ => None,
        };
        if let Some(why) = doubt {
            *unsure.entry(why).or_default() += 1;
            continue;
        }
        match (before, after) {
            (Some(before), Some(after)) => {
                let moved = moved.contains(pair).then_some((before.place, after.place));
                out.changed.extend(change(facts, Some(before), Some(after), moved));
            }
            (before, after) if before.or(after).is_some_and(|item| item.command.verb == "set") => {
                out.changed.extend(change(facts, before, after, None));
            }
            (Some(before), None) => out.removed.push(row(facts, before)),
            (None, Some(after)) => out.added.push(row(facts, after)),
            (None, None) => {}
        }
    }
    doubts.extend(unsure.into_iter().map(|(why, rows)| Doubt { menu: menu.to_owned(), rows, why }));
    out
}

fn row(facts: Option<&Menu>, item: &Item<'_>) -> Row {
    Row { key: key(facts, item), values: item.command.values.clone() }
}

fn change(facts: Option<&Menu>, before: Option<&Item<'_>>, after: Option<&Item<'_>>, moved: Option<(usize, usize)>) -> Option<Change> {
    let item = after.or(before)?;
    let mut out = Change { key: key(facts, item), before: Vec::new(), after: Vec::new(), moved };
    let was = before.map(|item| values(item.command)).unwrap_or_default();
    let is = after.map(|item| values(item.command)).unwrap_or_default();
    let names: BTreeSet<&str> = was.keys().chain(is.keys()).copied().collect();
    for name in names {
        let (was, is) = (was.get(name), is.get(name));
        if !same(facts, name, was, is) {
            out.before.push((name.to_owned(), was.map(|value| (*value).clone())));
            out.after.push((name.to_owned(), is.map(|value| (*value).clone())));
        }
    }
    (moved.is_some() || !out.before.is_empty()).then_some(out)
}

/// The last value of each attribute: the one that counts.
fn values(command: &Command) -> BTreeMap<&str, &Value> {
    command.values.iter().map(|(name, value)| (name.as_str(), value)).collect()
}

/// Whether two values mean the same; words whose order the router chooses are compared without it.
fn same(facts: Option<&Menu>, name: &str, was: Option<&&Value>, is: Option<&&Value>) -> bool {
    if was == is {
        return true;
    }
    let text = |value: Option<&&Value>| value.and_then(|value| value.as_deref()).map(|text| settled(facts, name, text));
    was.is_some() && is.is_some() && text(was) == text(is)
}

/// A value in the one spelling that equal ones share.
fn settled(facts: Option<&Menu>, name: &str, value: &str) -> String {
    let is_set = facts.and_then(|facts| facts.attr(name)).is_some_and(|attr| attr.kind == Kind::Set);
    if !is_set || !value.contains(',') {
        return value.to_owned();
    }
    let mut words: Vec<&str> = value.split(',').collect();
    words.sort_unstable();
    words.join(",")
}

/// Whether two commands say the same.
fn equal(facts: Option<&Menu>, was: &Command, is: &Command) -> bool {
    if was.verb != is.verb || was.target != is.target {
        return false;
    }
    let (was, is) = (values(was), values(is));
    was.len() == is.len() && was.iter().all(|(name, value)| is.contains_key(name) && same(facts, name, Some(value), is.get(name)))
}

/// What tells a command's row apart from others of its menu; empty when only its content does.
fn identity(facts: Option<&Menu>, command: &Command) -> String {
    match &command.target {
        Some(Target::Item(name)) => return format!("{} {name}", command.verb),
        Some(Target::Find(pairs)) => return format!("{} {}", command.verb, found(pairs)),
        None if command.verb != "add" => return command.verb.clone(),
        None => {}
    }
    let of = |names: &[&str]| {
        let values: Vec<String> = names.iter().map(|name| settled(facts, name, command.get(name).unwrap_or_default())).collect();
        if values.iter().all(String::is_empty) { String::new() } else { format!("add {}", values.join("|")) }
    };
    match facts {
        Some(facts) if !facts.key.is_empty() => of(facts.key),
        // Rules of a menu known to have no key may still have a name nobody keeps unique.
        Some(facts) if facts.attr("name").is_none() => String::new(),
        _ => of(&["name"]),
    }
}

/// `default-name=ether1`
fn found(pairs: &[(String, Value)]) -> String {
    let pair = |(name, value): &(String, Value)| value.as_ref().map_or_else(|| name.clone(), |value| format!("{name}={value}"));
    pairs.iter().map(pair).collect::<Vec<_>>().join(" ")
}

fn key(facts: Option<&Menu>, item: &Item<'_>) -> String {
    label(facts, item.command, item.place)
}

/// A row's name for people: its natural key as `menu.read` shows it, what a `set` looks for, `settings` for a menu's own,
/// and a number with the comment for rules.
pub fn label(facts: Option<&Menu>, command: &Command, place: usize) -> String {
    match (&command.target, identity(facts, command)) {
        (Some(Target::Item(name)), _) => name.clone(),
        (Some(Target::Find(pairs)), _) => found(pairs),
        (None, identity) if identity == "set" => "settings".to_owned(),
        (None, identity) if identity.is_empty() || command.verb != "add" => match command.get("comment") {
            Some(comment) if !comment.is_empty() => format!("#{place} {comment}"),
            _ => format!("#{place}"),
        },
        (None, identity) => identity["add ".len()..].to_owned(),
    }
}
