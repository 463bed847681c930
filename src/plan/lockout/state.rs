//! The rows of a router as they will be: steps applied to what was read.
//!
//! What the router would work out itself is worked out here too, as far as the check needs it: references follow a rename, an
//! interface's own menu and `/interface` show one row, and routes lead where they then lead (`resolve.rs`).

use crate::plan::form::{Form, Known, Pairs, get, overlaid, same_value};
use crate::plan::lockout::{Site, resolve};
use crate::plan::record::{Change, Find, Place, Step};
use crate::routeros::flow::net::Block;
use crate::routeros::row::Row;
use crate::routeros::value;
use std::collections::BTreeMap;

/// Attributes that only the router writes, and that an edit of the row may make untrue.
const DERIVED: &[&str] =
    &["immediate-gw", "active", "inactive", "actual-interface", "network", "invalid", "current-tagged", "current-untagged", "running"];

/// Menus whose rows are interfaces.
pub(super) const INTERFACES: &[&str] = &[
    "/caps-man/interface",
    "/interface",
    "/interface/6to4",
    "/interface/bonding",
    "/interface/bridge",
    "/interface/eoip",
    "/interface/eoipv6",
    "/interface/ethernet",
    "/interface/gre",
    "/interface/gre6",
    "/interface/ipip",
    "/interface/ipipv6",
    "/interface/l2tp-client",
    "/interface/l2tp-ether",
    "/interface/l2tp-server",
    "/interface/lte",
    "/interface/macsec",
    "/interface/macvlan",
    "/interface/ovpn-client",
    "/interface/ovpn-server",
    "/interface/ppp-client",
    "/interface/pppoe-client",
    "/interface/pppoe-server",
    "/interface/pptp-client",
    "/interface/pptp-server",
    "/interface/sstp-client",
    "/interface/sstp-server",
    "/interface/veth",
    "/interface/vlan",
    "/interface/vpls",
    "/interface/vrrp",
    "/interface/vxlan",
    "/interface/wifi",
    "/interface/wireguard",
    "/interface/wireless",
    "/zerotier/interface",
];

/// Attributes that hold names of interfaces or of interface lists, by which rows follow a rename.
const REFERENCES: &[&str] = &[
    "interface",
    "actual-interface",
    "bridge",
    "in-interface",
    "out-interface",
    "master-interface",
    "slaves",
    "tagged",
    "untagged",
    "gateway",
    "immediate-gw",
    "on-interface",
    "list",
    "in-interface-list",
    "out-interface-list",
    "include",
    "exclude",
    "group",
    "certificate",
];

/// Rows by menu. A menu that is not in it was not read.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    menus: BTreeMap<String, Vec<Row>>,
}

impl State {
    /// As read.
    pub fn of(site: &Site) -> State {
        let rows = |rows: &Vec<Pairs>| rows.iter().map(|row| Row::from_pairs(row.iter().map(|(n, v)| (n, v)))).collect();
        let mut state = State { menus: site.rows.iter().map(|(menu, found)| (menu.clone(), rows(found))).collect() };
        state.complete();
        state
    }

    /// The same with firewalls that let everything pass.
    pub fn without_rules(&self) -> State {
        let of_rules = |menu: &str| ["/filter", "/raw", "/nat"].iter().any(|end| menu.ends_with(end)) && menu.contains("/firewall/");
        State { menus: self.menus.iter().filter(|(menu, _)| !of_rules(menu)).map(|(menu, rows)| (menu.clone(), rows.clone())).collect() }
    }

    /// The same with some rows of a menu left out.
    pub fn without(&self, menu: &str, gone: impl Fn(&Row) -> bool) -> State {
        let mut state = self.clone();
        if let Some(rows) = state.menus.get_mut(menu) {
            rows.retain(|row| !gone(row));
        }
        state
    }

    /// Takes in the row that a step is about where only some of its menu were read, as of routes: what goes has to be known too.
    pub fn admit(&mut self, step: &Step, known: &[Known]) {
        let (Change::Set { find, before, .. } | Change::Remove { find, before, .. }) = &step.change else { return };
        let known = known.iter().find(|known| known.menu == step.menu);
        if matches!(step.menu.as_str(), "/ip/route" | "/ipv6/route") && self.find(&step.menu, find, known).is_none() {
            self.insert(&step.menu, usize::MAX, before.clone());
        }
    }

    /// The rows of a menu; none where it was not read.
    pub fn rows(&self, menu: &str) -> &[Row] {
        self.menus.get(menu).map(Vec::as_slice).unwrap_or_default()
    }

    /// The rows of a menu, if it was read.
    pub fn read(&self, menu: &str) -> Option<&[Row]> {
        self.menus.get(menu).map(Vec::as_slice)
    }

    /// The first row that has these values, whether in use or not.
    pub fn row(&self, menu: &str, wanted: &[(&str, &str)]) -> Option<&Row> {
        self.rows(menu).iter().find(|row| wanted.iter().all(|(name, value)| row.get(name) == Some(*value)))
    }

    /// The rows of a menu, to be changed.
    pub(super) fn rows_mut(&mut self, menu: &str) -> Option<&mut Vec<Row>> {
        self.menus.get_mut(menu)
    }

    /// Does a step, if its menu was read.
    pub fn apply(&mut self, step: &Step, known: &[Known]) {
        if !resolve::leads(&step.menu) {
            return self.alter(step, known);
        }
        let kept = self.menus.iter().filter(|(menu, _)| resolve::is_kept(menu));
        let mut old = State { menus: kept.map(|(menu, rows)| (menu.clone(), rows.clone())).collect() };
        self.alter(step, known);
        // A mere new name leads nowhere else.
        let after = step.change.after();
        if let (Change::Set { before, .. }, Some(after)) = (&step.change, &after) {
            old.rename(&step.menu, get(before, "name"), get(after, "name"));
        }
        self.reroute(&step.menu, &old);
    }

    fn alter(&mut self, step: &Step, known: &[Known]) {
        let known = known.iter().find(|known| known.menu == step.menu);
        let menu = step.menu.as_str();
        match &step.change {
            Change::Add { values, place, .. } => {
                let at = self.place(menu, place.as_ref(), known);
                self.insert(menu, at, values.clone());
                self.settle(menu, None, Some(values));
            }
            Change::Set { find, before, values, unset, .. } => {
                let after = overlaid(before, values, unset);
                self.write(menu, Some(find), known, before, &after, values, unset);
            }
            Change::SetSingle { before, values, unset, .. } => {
                let after = overlaid(before, values, unset);
                self.write(menu, None, known, before, &after, values, unset);
            }
            Change::Remove { find, before, .. } => {
                if let Some(at) = self.find(menu, find, known)
                    && let Some(rows) = self.menus.get_mut(menu)
                {
                    rows.remove(at);
                }
                self.settle(menu, Some(before), None);
            }
            Change::Move { find, to, .. } => {
                let Some(at) = self.find(menu, find, known) else { return };
                let Some(row) = self.menus.get_mut(menu).map(|rows| rows.remove(at)) else { return };
                let at = self.place(menu, Some(to), known);
                if let Some(rows) = self.menus.get_mut(menu) {
                    rows.insert(at.min(rows.len()), row);
                }
            }
            Change::Run { .. } => {}
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one row before and after, and how it came from one to the other")]
    fn write(
        &mut self,
        menu: &str,
        find: Option<&Find>,
        known: Option<&Known>,
        before: &Pairs,
        after: &Pairs,
        values: &Pairs,
        unset: &[String],
    ) {
        let at = match find {
            Some(find) => self.find(menu, find, known),
            None => self.menus.get(menu).filter(|rows| !rows.is_empty()).map(|_| 0),
        };
        match at {
            Some(at) => {
                if let Some(row) = self.menus.get_mut(menu).and_then(|rows| rows.get_mut(at)) {
                    let kept: Pairs = row
                        .iter()
                        .filter(|(name, _)| !DERIVED.contains(name))
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect();
                    *row = Row::from_pairs(overlaid(&kept, values, unset));
                }
            }
            // Not among the rows read (routes elsewhere, other lists): it may come among them now.
            None => self.insert(menu, usize::MAX, after.clone()),
        }
        self.rename(menu, get(before, "name"), get(after, "name"));
        self.settle(menu, Some(before), Some(after));
    }

    fn insert(&mut self, menu: &str, at: usize, values: Pairs) {
        if let Some(rows) = self.menus.get_mut(menu) {
            rows.insert(at.min(rows.len()), Row::from_pairs(values));
        }
    }

    fn place(&self, menu: &str, place: Option<&Place>, known: Option<&Known>) -> usize {
        let before = place.and_then(|place| place.before.as_ref());
        before.and_then(|find| self.find(menu, find, known)).unwrap_or(usize::MAX)
    }

    /// Where a row stands. Rows made by the router are never meant where another fits.
    fn find(&self, menu: &str, find: &Find, known: Option<&Known>) -> Option<usize> {
        let rows = self.menus.get(menu)?;
        let fits = |row: &Row| find.by.iter().all(|(name, value)| same(known, name, row.get(name), value));
        let own = rows.iter().position(|row| !is_on(row, "dynamic") && fits(row));
        own.or_else(|| rows.iter().position(fits))
    }

    /// Rows elsewhere name objects; the router holds them by id, so they follow.
    fn rename(&mut self, menu: &str, before: Option<&str>, after: Option<&str>) {
        let (Some(old), Some(new)) = (before, after) else { return };
        let followed = INTERFACES.contains(&menu) || matches!(menu, "/interface/list" | "/user/group" | "/certificate");
        if old == new || !followed {
            return;
        }
        for rows in self.menus.values_mut() {
            for row in rows.iter_mut().filter(|row| row.iter().any(|(name, value)| REFERENCES.contains(&name) && value.contains(old))) {
                *row = Row::from_pairs(row.iter().map(|(name, value)| {
                    let value = if REFERENCES.contains(&name) { renamed(value, old, new) } else { value.to_owned() };
                    (name.to_owned(), value)
                }));
            }
        }
        if INTERFACES.contains(&menu)
            && let Some(rows) = self.menus.get_mut("/interface")
            && let Some(row) = rows.iter_mut().find(|row| row.get("name") == Some(old))
        {
            *row = Row::from_pairs(row.iter().map(|(name, value)| (name, if name == "name" { new } else { value })));
        }
    }

    /// What follows from a row that was written.
    fn settle(&mut self, menu: &str, before: Option<&Pairs>, after: Option<&Pairs>) {
        match menu {
            // Members go with their list.
            "/interface/list" if after.is_none() => {
                if let (Some(list), Some(rows)) = (before.and_then(|row| get(row, "name")), self.menus.get_mut("/interface/list/member")) {
                    rows.retain(|row| row.get("list") != Some(list));
                }
            }
            // What a name stood for goes with it. Which of the list's dynamic rows those are is not told.
            "/ip/firewall/address-list" | "/ipv6/firewall/address-list" => {
                let name = |row: Option<&Pairs>| {
                    let row = row.filter(|row| !is_yes(get(row, "disabled")))?;
                    get(row, "address").filter(|text| Block::parse(text).is_none()).map(str::to_owned)
                };
                let (old, new) = (name(before), name(after));
                if let (Some(list), Some(rows)) = (before.and_then(|row| get(row, "list")), self.menus.get_mut(menu))
                    && old.is_some()
                    && old != new
                {
                    let is_of_a_name = |row: &Row| is_on(row, "dynamic") && row.get("timeout").is_none_or(str::is_empty);
                    rows.retain(|row| row.get("list") != Some(list) || !is_of_a_name(row));
                }
            }
            _ if menu != "/interface" && INTERFACES.contains(&menu) => self.mirror(before, after),
            _ => {}
        }
    }

    /// `/interface` shows the rows of all kinds.
    fn mirror(&mut self, before: Option<&Pairs>, after: Option<&Pairs>) {
        let name = |row: Option<&Pairs>| row.and_then(|row| get(row, "name")).map(str::to_owned);
        let (old, new) = (name(before), name(after));
        let Some(rows) = self.menus.get_mut("/interface") else { return };
        let at = new.as_deref().or(old.as_deref()).and_then(|name| rows.iter().position(|row| row.get("name") == Some(name)));
        match (after, at) {
            // What hangs on it is as good as on one that is off.
            (None, Some(at)) => {
                let others = rows[at].iter().filter(|(name, _)| *name != "disabled");
                rows[at] = Row::from_pairs(others.chain([("disabled", "true")]));
            }
            (Some(after), Some(at)) => {
                let disabled = get(after, "disabled").unwrap_or("false").to_owned();
                let row = &rows[at];
                let others = row.iter().filter(|(name, _)| *name != "disabled");
                rows[at] = Row::from_pairs(others.chain([("disabled", disabled.as_str())]));
            }
            (Some(after), None) => rows.push(Row::from_pairs(after.iter().map(|(name, value)| (name, value)))),
            (None, None) => {}
        }
    }
}

/// A value with one name in it replaced: alone, in a list, behind `%`, behind `!`.
fn renamed(value: &str, old: &str, new: &str) -> String {
    let word = |word: &str| {
        let (mark, name) = word.strip_prefix('!').map_or(("", word), |name| ("!", name));
        match name.split_once('%') {
            Some((address, interface)) if interface == old => format!("{mark}{address}%{new}"),
            _ if name == old => format!("{mark}{new}"),
            _ => word.to_owned(),
        }
    };
    value.split(',').map(word).collect::<Vec<_>>().join(",")
}

/// Whether a row's value is the one asked for; a flag that is absent is no, a text that is absent is empty.
fn same(known: Option<&Known>, name: &str, found: Option<&str>, wanted: &str) -> bool {
    match found {
        Some(found) => same_value(name, known.map_or(Form::Text, |known| known.form(name)), found, wanted),
        // A disabled route does not tell its table.
        None => matches!(wanted, "" | "no" | "false") || (name, wanted) == ("routing-table", "main"),
    }
}

/// A flag of a row that is there and yes.
pub(super) fn is_on(row: &Row, name: &str) -> bool {
    is_yes(row.get(name))
}

/// A flag's text that means yes; absent is no.
pub(super) fn is_yes(text: Option<&str>) -> bool {
    text.and_then(value::flag) == Some(true)
}
