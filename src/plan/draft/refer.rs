//! What the router would refuse because of other rows: names that are taken, names of things that are not there, rows in use.

use super::Desk;
use super::sheet::Sheet;
use super::value::{is, shown};
use crate::base::fault::{Fault, Kind};
use crate::fleet::{Read, nearest};
use crate::menus::Menu;
use crate::plan::form::{Pairs, get};
use crate::routeros::MenuPath;
use crate::routeros::value::Kind as ValueKind;
use std::time::Duration;

/// How old a list of names may be: they change by hand.
pub(super) const STEADY: Duration = Duration::from_secs(30);

/// Where a name must be one of, and words that are none.
struct Place {
    menu: &'static str,
    words: &'static [&'static str],
}

const INTERFACES: Place = Place {
    menu: "/interface",
    words: &["all", "none", "any", "*", "all-ethernet", "all-ppp", "all-vlan", "all-wireless", "static", "dynamic", "unknown"],
};
const LISTS: Place = Place { menu: "/interface/list", words: &["all", "none", "dynamic", "static"] };

/// What an attribute names, where the router checks it when it is written.
fn place(menu: &str, facts: Option<&Menu>, name: &str) -> Option<Place> {
    let is_name = facts.and_then(|facts| facts.attr(name)).is_some_and(|attr| attr.kind == ValueKind::Name);
    let words = |menu, words| Some(Place { menu, words });
    match (menu, name) {
        ("/user", "group") => words("/user/group", &[]),
        ("/ppp/secret", "profile") => words("/ppp/profile", &["default", "default-encryption"]),
        ("/ip/dhcp-server/lease", "server") => words("/ip/dhcp-server", &["all"]),
        ("/ip/dhcp-server", "address-pool") => words("/ip/pool", &["static-only"]),
        ("/interface/list/member", "list") => Some(LISTS),
        ("/interface/bridge/port" | "/interface/bridge/vlan", "bridge") => Some(INTERFACES),
        (_, "interface" | "in-interface" | "out-interface") if is_name => Some(INTERFACES),
        (_, "in-interface-list" | "out-interface-list") => Some(LISTS),
        _ => None,
    }
}

/// Attributes that RouterOS keeps unique together, where they are not the menu's natural key.
fn unique(sheet: &Sheet) -> Vec<Vec<String>> {
    let of = |keys: &[&[&str]]| keys.iter().map(|key| key.iter().map(|name| (*name).to_owned()).collect()).collect();
    match sheet.menu.as_str() {
        "/ip/dns/static" => of(&[&["name", "regexp", "type", "address", "cname", "text", "forward-to"]]),
        "/ip/dhcp-server/lease" => of(&[&["mac-address", "server"], &["address"]]),
        // Equal rows are allowed there, or what is equal is for the router to say.
        "/ip/route"
        | "/ipv6/route"
        | "/system/logging"
        | "/interface/bridge/vlan"
        | "/tool/netwatch"
        | "/radius"
        | "/ip/ipsec/policy"
        | "/ip/ipsec/identity"
        | "/routing/ospf/interface-template"
        | "/ip/hotspot/ip-binding"
        | "/system/leds" => Vec::new(),
        _ if sheet.known.key.is_empty() => Vec::new(),
        _ => vec![sheet.known.key.clone()],
    }
}

/// Values that rows have when nobody said so.
const DEFAULTS: &[(&str, &str)] =
    &[("routing-table", "main"), ("type", "A"), ("server", "all"), ("service", "any"), ("distance", "1"), ("instance", "default")];

impl Sheet {
    /// The row that a new one with these values would be a second of: one with the same key, or, where rows have none, the same content.
    /// A row that has the key and other values is another matter: see [`Sheet::taken`].
    pub fn twin(&self, values: &Pairs) -> Option<usize> {
        let lines = (0..self.lines.len()).filter(|at| self.lines[*at].is_there() && !self.is_dynamic(&self.lines[*at].row));
        let same = |at: &usize| {
            let row = &self.lines[*at].row;
            let given = values.iter().filter(|(name, _)| self.is_open(name)).all(|(name, value)| self.says(row, name, value));
            let unsaid = |name: &str| get(values, name).is_none();
            let silent = |(name, value): &(String, String)| {
                !self.known.is_content(name)
                    || !self.is_open(name)
                    || !unsaid(name)
                    || value.is_empty()
                    || matches!(value.as_str(), "no" | "false")
                    || DEFAULTS.contains(&(name.as_str(), value.as_str()))
            };
            let keyed = !self.known.key.is_empty() && self.known.key.iter().any(|name| get(values, name).is_some());
            // What the caller left out is the router's default in a row that has a key; a rule that says more is another rule.
            let rest = if keyed {
                self.known.key.iter().all(|name| get(row, name).is_none_or(|value| silent(&(name.clone(), value.to_owned()))))
            } else {
                row.iter().all(silent)
            };
            // One that is out of use does not do what the new one would.
            let idle = is(row, "disabled") && unsaid("disabled");
            given && rest && !idle
        };
        lines.into_iter().find(same)
    }

    fn says(&self, row: &Pairs, name: &str, value: &str) -> bool {
        match get(row, name) {
            Some(has) => self.known.same(name, has, value),
            None => value.is_empty() || matches!(value, "no" | "false") || DEFAULTS.contains(&(name, value)),
        }
    }

    /// The row that already has what the router keeps unique. `but` is the row itself.
    pub fn taken(&self, row: &Pairs, but: Option<usize>) -> Option<(usize, Vec<String>)> {
        let line = |at: &usize| {
            Some(*at) != but && self.lines[*at].stands() && !(self.menu == "/ip/service" && self.is_dynamic(&self.lines[*at].row))
        };
        for key in unique(self) {
            let ours: Vec<(&String, &str)> =
                key.iter().filter_map(|name| Some((name, get(row, name).filter(|value| !value.is_empty())?))).collect();
            let lacking = |other: &Pairs| {
                let left_out = key.iter().filter(|name| get(row, name).is_none_or(str::is_empty));
                left_out
                    .into_iter()
                    .all(|name| get(other, name).is_none_or(|value| value.is_empty() || DEFAULTS.contains(&(name.as_str(), value))))
            };
            if ours.is_empty() || ours.iter().any(|(name, _)| !self.is_open(name)) {
                continue;
            }
            let same = |at: &usize| {
                let other = &self.lines[*at].row;
                ours.iter().all(|(name, value)| self.says(other, name, value)) && lacking(other)
            };
            if let Some(at) = (0..self.lines.len()).filter(line).find(same) {
                return Some((at, ours.iter().map(|(name, _)| (*name).clone()).collect()));
            }
        }
        None
    }
}

impl Desk<'_> {
    /// Whether what the values name is there, on the router or by an earlier edit of the plan.
    pub async fn refer(&mut self, sheet: &Sheet, values: &Pairs) -> Result<(), Fault> {
        for (name, value) in values {
            let Some(place) = place(&sheet.menu, sheet.facts, name) else { continue };
            let wanted = value.strip_prefix('!').unwrap_or(value);
            if wanted.is_empty() || place.words.contains(&wanted) || wanted.starts_with('*') {
                continue;
            }
            let Some(names) = self.names(place.menu, sheet).await? else { continue };
            if !names.iter().any(|known| known == wanted) {
                let near = nearest(wanted, names.iter().map(String::as_str));
                let fault = Fault::bad_input(format!("{name}: there is no {:?} in {} on this device", shown(wanted), place.menu));
                let near: Vec<String> = near.iter().map(|name| format!("{name:?}")).collect();
                return Err(if near.is_empty() { fault } else { fault.hint(format!("did you mean {}?", near.join(" or "))) });
            }
        }
        Ok(())
    }

    /// Names in a menu as the plan leaves it; nothing where this router does not show it.
    async fn names(&mut self, menu: &'static str, now: &Sheet) -> Result<Option<Vec<String>>, Fault> {
        let mut names = Vec::new();
        // Every kind of interface is one.
        let counts = |path: &str| path == menu || (menu == "/interface" && path.starts_with("/interface/") && path != "/interface/list");
        for sheet in self.sheets.values().chain([now]).filter(|sheet| counts(&sheet.menu)) {
            names.extend(sheet.lines.iter().filter(|line| line.is_there()).filter_map(|line| get(&line.row, "name").map(str::to_owned)));
        }
        if self.sheets.contains_key(menu) || now.menu == menu {
            return Ok(Some(names));
        }
        if !self.beside.contains_key(menu) {
            let read = Read { max_age: STEADY, ..Read::fresh(MenuPath::parse(menu)?) };
            let rows = match self.lane.read_own(read).await {
                Ok(answer) => Some(answer.rows.iter().filter_map(|row| row.get("name").map(str::to_owned)).collect()),
                // The router itself says no when it is written.
                Err(fault) if matches!(fault.kind, Kind::NotFound | Kind::RouterDenied | Kind::Rejected) => None,
                Err(fault) => return Err(fault),
            };
            self.beside.insert(menu, rows);
        }
        let Some(read) = &self.beside[menu] else { return Ok(None) };
        names.extend(read.iter().cloned());
        Ok(Some(names))
    }

    /// Whether a row may go at all.
    pub async fn removable(&mut self, sheet: &Sheet, at: usize) -> Result<(), Fault> {
        let row = &sheet.lines[at].row;
        if is(row, "default") || is(row, "builtin") {
            return Err(
                Fault::bad_input(format!("{} comes with RouterOS and cannot be removed", sheet.named(at))).hint("disable it, or set it")
            );
        }
        if !sheet.takes_add() {
            return Err(Fault::bad_input(format!("rows of {} cannot be added, so none can be removed and given back", sheet.menu))
                .hint("disable it"));
        }
        self.unused(sheet, at).await
    }
}
