//! One menu of a device while a plan is worked out: what its attributes are, its rows as read, and as the plan leaves them so far.

use super::Drafting;
use super::value::{self, is};
use crate::base::fault::{Fault, Kind};
use crate::fleet::absent::no_menu;
use crate::fleet::learnt::{self, Extent, Learnt};
use crate::fleet::{Device, Lane, Read};
use crate::menus::{self, Menu, Shape};
use crate::plan::form::{Form, Known, Pairs, get};
use crate::routeros::value::Kind as ValueKind;
use crate::routeros::{MenuPath, Row};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A menu on the desk.
pub(super) struct Sheet {
    pub menu: String,
    pub facts: Option<&'static Menu>,
    /// What the router says of `add` and `set`; nothing where its console is silent.
    pub told: Option<Learnt>,
    pub known: Known,
    /// As read.
    pub was: Vec<Pairs>,
    /// As the plan leaves them.
    pub lines: Vec<Line>,
    /// Rows of `was` that are touched, or stand beside what is.
    pub touched: BTreeSet<usize>,
}

/// A row, and what the plan did to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// Every attribute but the router's marks.
    pub row: Pairs,
    /// Its place in `was`.
    pub origin: Option<usize>,
    /// The edit that adds it.
    pub added_by: Option<usize>,
    /// Edits that wrote its attributes.
    pub written: Vec<(String, usize)>,
    /// The edit that moves it.
    pub moved_by: Option<usize>,
    /// The edit that removes it.
    pub gone_by: Option<usize>,
    /// It is removed by disabling, so that it stands there until the change is confirmed.
    pub lingers: bool,
}

impl Line {
    /// It is there, for those who count rows on the router.
    pub fn stands(&self) -> bool {
        self.gone_by.is_none() || self.lingers
    }

    /// A caller can mean it.
    pub fn is_there(&self) -> bool {
        self.gone_by.is_none()
    }
}

/// Whether the router made it: gone or other at any moment, and nothing of a configuration.
pub(super) fn is_dynamic(menu: &str, row: &Pairs) -> bool {
    // Entries with a time to live are dynamic too; those in lists of ours were put there by hand.
    if menu.ends_with("/firewall/address-list") && get(row, "list").is_some_and(|list| list.starts_with(OUR_LISTS)) {
        return false;
    }
    // Services list a row for each open connection, by the service's name.
    is(row, "dynamic") || (menu == "/ip/service" && is(row, "connection"))
}

/// What the names of address lists begin with that direct writes keep.
const OUR_LISTS: &str = "mcp-";

/// Attributes that say how a row does, for menus that nobody describes.
const STATE: &[&str] = &[
    "dynamic",
    "invalid",
    "running",
    "active",
    "inactive",
    "default",
    "builtin",
    "bytes",
    "packets",
    "rx-byte",
    "tx-byte",
    "rx-packet",
    "tx-packet",
    "last-seen",
    "uptime",
    "status",
    "creation-time",
    "actual-interface",
    "run-count",
    "next-run",
    "slave",
];

impl Sheet {
    /// Reads a menu as it is now, and what the router says of it, at the same time.
    pub async fn read(cx: &Drafting<'_>, device: &Device, lane: &Lane, menu: &str) -> Result<Sheet, Fault> {
        let facts = menus::find(menu);
        let extent = match facts.map(|facts| facts.shape) {
            None => Extent::Whole,
            Some(Shape::Singleton) => Extent::Single,
            Some(Shape::List | Shape::Ordered) => Extent::Rows,
        };
        let told = async {
            match learnt::remembered(cx.store, device, menu, extent)? {
                Some(learnt) => Ok(Some(learnt)),
                None => learnt::learn(cx.store, device, menu, extent, cx.clock.wall(), lane).await,
            }
        };
        let (rows, told) = futures_util::join!(rows(cx, device, lane, menu), told);
        let rows = rows?;
        let was: Vec<Pairs> = rows.iter().map(pairs).collect();
        let told = told?;
        let known = known(menu, facts, told.as_ref(), &was);
        if known.singleton && was.is_empty() {
            return Err(Fault::new(Kind::Unreachable, format!("device \"{}\": the router answers {menu} with nothing", device.name)));
        }
        let lines = was.iter().enumerate().map(|(at, row)| Line { row: row.clone(), origin: Some(at), ..Line::default() }).collect();
        Ok(Sheet { menu: menu.to_owned(), facts, told, known, was, lines, touched: BTreeSet::new() })
    }

    /// Whether rows can be added here on this version.
    pub fn takes_add(&self) -> bool {
        !self.known.singleton && self.told.as_ref().is_none_or(|told| !told.add.is_empty())
    }

    /// Whether `add` or `set` takes an attribute on this version.
    pub fn takes(&self, adds: bool, name: &str) -> bool {
        match &self.told {
            Some(told) if adds => told.add.iter().any(|known| known == name),
            Some(told) => told.set.iter().any(|known| known == name),
            None => self.known.is_content(name),
        }
    }

    /// Whether rows here have this attribute at all, to be read or written.
    pub fn has(&self, name: &str) -> bool {
        self.known.is_content(name)
            || self.facts.is_some_and(|facts| facts.attr(name).is_some())
            || self.told.as_ref().is_some_and(|told| told.get.iter().any(|known| known == name))
            || self.was.iter().any(|row| get(row, name).is_some())
    }

    /// Every name a caller could have meant.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.known.content.iter().map(|(name, _)| name.as_str())
    }

    /// Whether RouterOS code stands in it.
    pub fn is_code(&self, name: &str) -> bool {
        value::is_code(self.facts, name)
    }

    /// Whether its value may be named, compared and kept.
    pub fn is_open(&self, name: &str) -> bool {
        !self.known.is_secret(name) && !self.is_code(name)
    }

    /// Whether a row is made by the router.
    pub fn is_dynamic(&self, row: &Pairs) -> bool {
        is_dynamic(&self.menu, row)
    }

    /// Whether a row holds, or may hold, something that cannot be given back. What our user there is not shown counts as held.
    pub fn holds_secrets(&self, device: &Device, row: &Pairs) -> bool {
        let sees = device.facts.policies.as_ref().is_some_and(|policies| policies.iter().any(|policy| policy == "sensitive"));
        self.known.content.iter().map(|(name, _)| name).filter(|name| !self.is_open(name)).any(|name| match get(row, name) {
            Some(text) => !text.is_empty(),
            None if self.is_code(name) => false,
            None => !sees || (self.menu == "/user" && name == "password"),
        })
    }

    /// The row right after a place, among those that are configuration and still there.
    pub fn next(&self, at: usize) -> Option<usize> {
        (at + 1..self.lines.len()).find(|at| self.counts(*at))
    }

    /// The row right before a place.
    pub fn previous(&self, at: usize) -> Option<usize> {
        (0..at).rev().find(|at| self.counts(*at))
    }

    fn counts(&self, at: usize) -> bool {
        self.lines[at].stands() && !self.is_dynamic(&self.lines[at].row)
    }

    /// Remembers that the plan rests on a row as it was read.
    pub fn touch(&mut self, at: Option<usize>) {
        self.touched.extend(at.and_then(|at| self.lines[at].origin));
    }
}

/// Rows as the router has them now.
async fn rows(cx: &Drafting<'_>, device: &Device, lane: &Lane, menu: &str) -> Result<Arc<Vec<Row>>, Fault> {
    let max_age = cx.begun.map_or(Duration::ZERO, |begun| cx.clock.mono().saturating_sub(begun));
    match lane.read_own(Read { max_age, ..Read::fresh(MenuPath::parse(menu)?) }).await {
        Ok(answer) => {
            (cx.hear)(&answer.rows);
            Ok(answer.rows)
        }
        Err(fault) if fault.kind == Kind::NotFound => Err(no_menu(device, menu)),
        Err(fault) => Err(fault),
    }
}

fn plain_form(menu: &str, facts: Option<&'static Menu>, name: &str) -> Form {
    let kind = facts.and_then(|facts| facts.attr(name)).map_or(ValueKind::Text, |attr| attr.kind);
    Form::in_menu(menu, name, kind)
}

/// A row without the router's marks.
pub(super) fn pairs(row: &Row) -> Pairs {
    row.attributes().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What is known of a menu: the router says which attributes there are, the facts how they are compared.
fn known(menu: &str, facts: Option<&'static Menu>, told: Option<&Learnt>, rows: &[Pairs]) -> Known {
    let mut names: Vec<String> =
        facts.iter().flat_map(|facts| facts.attrs).filter(|attr| !attr.read_only).map(|attr| attr.name.to_owned()).collect();
    match told {
        Some(told) => {
            let takes = |name: &String| told.add.contains(name) || told.set.contains(name);
            names.retain(takes);
            for name in told.add.iter().chain(&told.set) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        None if facts.is_none() => {
            let seen = rows.iter().take(50).flatten().map(|(name, _)| name);
            for name in seen.filter(|name| !STATE.contains(&name.as_str())) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        None => {}
    }
    let form = |name: &str| match name {
        "timeout" if menu.ends_with("/firewall/address-list") => Form::Left,
        _ => plain_form(menu, facts, name),
    };
    let content: Vec<(String, Form)> = names
        .into_iter()
        .map(|name| {
            let form = form(&name);
            (name, form)
        })
        .collect();
    let is_script = |name: &str| facts.and_then(|facts| facts.attr(name)).is_some_and(|attr| attr.kind == ValueKind::Script);
    let secret = content.iter().map(|(name, _)| name).filter(|name| menus::is_secret(menu, name) || is_script(name)).cloned().collect();
    let (singleton, ordered) = match (facts, told) {
        (Some(facts), _) => (facts.shape == Shape::Singleton, facts.shape == Shape::Ordered),
        (None, Some(told)) => (!told.commands.is_empty() && !["add", "find", "remove"].iter().any(|word| told.has(word)), told.has("move")),
        (None, None) => (false, false),
    };
    let key = facts.map(|facts| facts.key.iter().map(|name| (*name).to_owned()).collect()).unwrap_or_else(|| {
        let named = content.iter().any(|(name, _)| name == "name");
        if named { vec!["name".to_owned()] } else { Vec::new() }
    });
    // Menus where rules are told by what they leave out have it on every version, whether or not the router was asked.
    let is_list = menu.ends_with("/firewall/address-list");
    let unset = (menu.contains("/firewall/") && !is_list) || menu.ends_with("/route") || told.is_some_and(|told| told.has("unset"));
    // An entry with a time to live is dynamic whoever made it: the undo has to find those that a plan made.
    let marked = |mark: &&&str| !(is_list && **mark == "dynamic") && rows.iter().flatten().any(|(name, _)| name == **mark);
    let marks = ["dynamic", "connection"].iter().filter(marked).map(|mark| (*mark).to_owned()).collect();
    Known { menu: menu.to_owned(), singleton, ordered, key, content, secret, unset, marks, stranger: facts.is_none() }
}
