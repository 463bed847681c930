//! The edits that take chosen menus from a running configuration back to a kept one. Pure.
//!
//! An export says what differs from RouterOS's defaults, holds no secrets, and names no ids. So some things cannot be taken back from
//! it; those are told, never guessed: rows with secrets, attributes whose default nobody knows, rows either side may have failed to show.
//!
//! Menus come in the snapshot's own order, in which a router can be built up; rows that are to go come last, in the opposite order.

use crate::history::config::{Change, diff, label};
use crate::menus::{self, Menu, Shape};
use crate::plan::draft::is_rule_menu;
use crate::plan::edit::{Edit, Op};
use crate::plan::form::Form;
use crate::routeros::export::{Command, Export, Target};
use crate::routeros::value;
use crate::shape::redact::HIDDEN;
use serde_json::{Map, Value};

/// The way back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restored {
    /// In order.
    pub edits: Vec<Edit>,
    /// What stays as it is, and why, for people. Never with values of rows.
    pub left_out: Vec<String>,
}

/// The edits that make `running` say what `snapshot` says, in these menus and below them; in all without any named.
pub fn restore_edits(snapshot: &Export, running: &Export, wanted: &[String]) -> Restored {
    let mut out = Restored::default();
    let diff = diff(running, snapshot);
    let chosen = |menu: &str| {
        let below = |path: &String| menu.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        wanted.is_empty() || wanted.iter().any(below)
    };
    for doubt in diff.doubts.iter().filter(|doubt| chosen(&doubt.menu)) {
        out.left_out.push(format!("{}: {} rows: {}", doubt.menu, doubt.rows, doubt.why));
    }
    let mut removals: Vec<Edit> = Vec::new();
    for menu in in_order(snapshot, running).into_iter().filter(|menu| chosen(menu)) {
        let Some(found) = diff.menus.iter().find(|found| found.menu == menu) else { continue };
        let side = Menus { menu, facts: menus::find(menu), is: rows(running, menu), was: rows(snapshot, menu) };
        side.build(&found.changed, found.added.iter().map(|row| row.values.as_slice()), &mut out);
        removals.extend(found.removed.iter().filter_map(|row| side.removal(&row.values, &mut out.left_out)));
    }
    removals.reverse();
    out.edits.extend(removals);
    out
}

/// Menus as the snapshot has them, then those only the running configuration has.
fn in_order<'a>(snapshot: &'a Export, running: &'a Export) -> Vec<&'a str> {
    let mut menus: Vec<&str> = Vec::new();
    for (menu, _) in snapshot.rows().chain(running.rows()) {
        if !menus.contains(&menu) {
            menus.push(menu);
        }
    }
    menus
}

fn rows<'a>(export: &'a Export, menu: &str) -> Vec<&'a Command> {
    export.rows().filter(|(path, _)| *path == menu).map(|(_, command)| command).collect()
}

type Values = [(String, Option<String>)];

/// One menu on both sides.
struct Menus<'a> {
    menu: &'a str,
    facts: Option<&'static Menu>,
    /// As it runs.
    is: Vec<&'a Command>,
    /// As it is to be again.
    was: Vec<&'a Command>,
}

/// A row of the snapshot, as the running configuration has it.
enum Counterpart<'a> {
    /// Not there.
    Missing,
    /// There, with these values.
    There { values: Vec<(String, Option<String>)>, change: Option<&'a Change> },
}

impl Menus<'_> {
    fn build<'b>(&self, changed: &'b [Change], added: impl Iterator<Item = &'b Values>, out: &mut Restored) {
        let mut added: Vec<&Values> = added.collect();
        let mut plan: Vec<(usize, Counterpart<'b>)> = Vec::new();
        for (at, row) in self.was.iter().enumerate() {
            if let Some(found) = added.iter().position(|values| *values == row.values.as_slice() && row.verb == "add") {
                added.remove(found);
                plan.push((at, Counterpart::Missing));
                continue;
            }
            let name = label(self.facts, row, at + 1);
            let change = changed.iter().find(|change| change.key == name);
            let values = change.map_or_else(|| row.values.clone(), |change| reverted(&row.values, change));
            plan.push((at, Counterpart::There { values, change }));
        }
        let ordered = self.facts.is_some_and(|facts| facts.shape == Shape::Ordered);
        // From the last to the first where order counts: each is placed before one that stands right already.
        let order: Vec<usize> = if ordered { (0..plan.len()).rev().collect() } else { (0..plan.len()).collect() };
        for at in order {
            let place = ordered.then(|| self.place(&plan, at));
            match &plan[at].1 {
                Counterpart::Missing => self.add(self.was[at], place, out),
                Counterpart::There { values, change: Some(change) } if change.moved.is_some() => {
                    let mut edit = self.edit(Op::Move);
                    edit.which = self.which(values);
                    edit.place_before = place;
                    out.edits.push(edit);
                }
                Counterpart::There { .. } => {}
            }
        }
        for (at, counterpart) in &plan {
            if let Counterpart::There { values, change: Some(change) } = counterpart {
                self.set(self.was[*at], values, change, out);
            }
        }
        // A `set` that only the running configuration has: attributes that were at their defaults.
        for change in
            changed.iter().filter(|change| !self.was.iter().enumerate().any(|(at, row)| label(self.facts, row, at + 1) == change.key))
        {
            let row = self.is.iter().enumerate().find(|(at, row)| label(self.facts, row, at + 1) == change.key).map(|(_, row)| *row);
            if let Some(row) = row {
                self.set(row, &row.values, change, out);
            }
        }
    }

    /// The next row of the snapshot, by what it looks like at that moment; `null` for the end.
    fn place(&self, plan: &[(usize, Counterpart<'_>)], at: usize) -> Value {
        let next = plan.iter().skip(at + 1).find(|(next, counterpart)| match counterpart {
            Counterpart::Missing => !self.may_hold_secret(self.was[*next]),
            Counterpart::There { .. } => true,
        });
        match next {
            None => Value::Null,
            Some((next, Counterpart::Missing)) => Value::Object(self.which(&self.was[*next].values)),
            Some((_, Counterpart::There { values, .. })) => Value::Object(self.which(values)),
        }
    }

    fn add(&self, row: &Command, place: Option<Value>, out: &mut Restored) {
        if self.may_hold_secret(row) {
            out.left_out.push(format!("{}: a row that may hold a secret, which no snapshot keeps", self.menu));
            return;
        }
        let mut edit = self.edit(Op::Add);
        edit.values =
            row.values.iter().map(|(name, value)| (name.clone(), Value::from(value.clone().unwrap_or_else(|| "yes".into())))).collect();
        edit.place_before = place.filter(|place| !place.is_null());
        edit.match_all = is_rule_menu(self.menu);
        out.edits.push(edit);
    }

    /// Whether a row had a secret, or may have had one: exports leave them out, and an account without its password lets anybody in.
    fn may_hold_secret(&self, row: &Command) -> bool {
        let shown = row.values.iter().any(|(_, value)| value.as_deref() == Some(HIDDEN));
        shown || self.facts.is_some_and(|facts| facts.secrets().any(|name| row.get(name).is_none()))
    }

    fn set(&self, row: &Command, is: &[(String, Option<String>)], change: &Change, out: &mut Restored) {
        let mut edit = self.edit(Op::Set);
        match &row.target {
            Some(Target::Find(pairs)) => edit.which = self.which(pairs),
            Some(Target::Item(name)) if name.parse::<u64>().is_err() => {
                edit.which.insert("name".into(), Value::from(name.clone()));
            }
            Some(Target::Item(_)) => {
                out.left_out.push(format!("{}: a row that the export names by its number", self.menu));
                return;
            }
            None if row.verb == "set" => {}
            None => edit.which = self.which(is),
        }
        for ((name, before), (_, after)) in change.before.iter().zip(&change.after) {
            match (before, after) {
                (_, Some(Some(value))) if value == HIDDEN => {
                    out.left_out.push(format!("{}: {name}, a secret, which no snapshot keeps", self.menu))
                }
                (_, Some(value)) => {
                    edit.values.insert(name.clone(), Value::from(value.clone().unwrap_or_else(|| "yes".into())));
                }
                (Some(before), None) => match self.default(name, before.as_deref()) {
                    Some(value) => {
                        edit.values.insert(name.clone(), value);
                    }
                    None => out.left_out.push(format!("{}: {name} was at its default, which no export tells", self.menu)),
                },
                (None, None) => {}
            }
        }
        edit.match_all = is_rule_menu(self.menu);
        if !edit.values.is_empty() {
            out.edits.push(edit);
        }
    }

    /// What an attribute was when the export did not show it; exports show what is not at its default.
    fn default(&self, name: &str, now: Option<&str>) -> Option<Value> {
        let form = self.facts.and_then(|facts| facts.attr(name)).map(|attr| Form::of(attr.kind));
        match (form, now.map(value::flag)) {
            // A flag that is shown is not at its default, and there are only two.
            (Some(Form::Flag), Some(Some(now))) => Some(Value::from(!now)),
            (Some(Form::Flag), _) => Some(Value::from(false)),
            _ if name == "comment" || is_rule_menu(self.menu) => Some(Value::Null),
            _ => None,
        }
    }

    fn removal(&self, values: &Values, left_out: &mut Vec<String>) -> Option<Edit> {
        let which = self.which(values);
        if which.is_empty() {
            left_out.push(format!("{}: a row that says nothing of itself", self.menu));
            return None;
        }
        Some(Edit { which, ..self.edit(Op::Remove) })
    }

    /// The natural key where the row has it, else all it says and what others like it say more.
    fn which(&self, values: &Values) -> Map<String, Value> {
        let said = |name: &str| {
            values.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone().unwrap_or_else(|| "yes".into()))
        };
        let hidden = |name: &str, value: &str| value == HIDDEN || menus::secret_of(self.facts, self.menu, name);
        let key = self.facts.map(|facts| facts.key).unwrap_or(&["name"]);
        let by_key: Map<String, Value> = key.iter().filter_map(|name| Some(((*name).to_owned(), Value::from(said(name)?)))).collect();
        let holds = |row: &Command, which: &Map<String, Value>| which.iter().all(|(name, value)| row.get(name) == value.as_str());
        let count = |which: &Map<String, Value>| self.is.iter().filter(|row| holds(row, which)).count();
        if !by_key.is_empty() && by_key.iter().all(|(name, value)| !hidden(name, value.as_str().unwrap_or_default())) && count(&by_key) <= 1
        {
            return by_key;
        }
        let open = values.iter().filter(|(name, value)| !hidden(name, value.as_deref().unwrap_or_default()));
        let mut which: Map<String, Value> =
            open.map(|(name, value)| (name.clone(), Value::from(value.clone().unwrap_or_else(|| "yes".into())))).collect();
        let more: Vec<&str> =
            self.is.iter().filter(|row| holds(row, &which)).flat_map(|row| row.values.iter().map(|(name, _)| name.as_str())).collect();
        for name in more {
            if said(name).is_none() && !menus::secret_of(self.facts, self.menu, name) {
                which.insert(name.to_owned(), Value::Null);
            }
        }
        which
    }

    fn edit(&self, op: Op) -> Edit {
        Edit::new(self.menu, op)
    }
}

/// A row of the snapshot with what changed since: as it runs.
fn reverted(values: &Values, change: &Change) -> Vec<(String, Option<String>)> {
    let mut out = values.to_vec();
    for (name, before) in &change.before {
        out.retain(|(known, _)| known != name);
        if let Some(before) = before {
            out.push((name.clone(), before.clone()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routeros::export::parse;
    use serde_json::json;

    fn restored(snapshot: &str, running: &str, menus: &[&str]) -> (Vec<Value>, Vec<String>) {
        let menus: Vec<String> = menus.iter().map(|menu| (*menu).to_owned()).collect();
        let ended = |text: &str| Export { ended: true, ..parse(text) };
        let out = restore_edits(&ended(snapshot), &ended(running), &menus);
        (out.edits.iter().map(|edit| serde_json::to_value(edit).unwrap()).collect(), out.left_out)
    }

    #[test]
    fn rows_come_back_in_their_places_and_what_is_new_goes_last() {
        let snapshot = "/ip firewall filter\nadd action=accept chain=input comment=a\nadd action=accept chain=input comment=b dst-port=22 protocol=tcp\nadd action=drop chain=input comment=c\n\
                        /ip dns static\nadd address=192.0.2.1 name=nvr\n";
        let running = "/ip firewall filter\nadd action=accept chain=input comment=a\nadd action=drop chain=input comment=c disabled=yes\nadd action=drop chain=forward comment=new\n\
                       /ip dns static\nadd address=192.0.2.9 name=nvr\n";
        let (edits, left_out) = restored(snapshot, running, &[]);
        assert_eq!(left_out, Vec::<String>::new());
        assert_eq!(edits.len(), 4, "{edits:#?}");
        assert_eq!(edits[0]["op"], "add");
        assert_eq!(edits[0]["values"]["comment"], "b");
        assert_eq!(edits[0]["place_before"]["comment"], "c");
        assert_eq!((&edits[1]["op"], &edits[1]["values"]), (&json!("set"), &json!({"disabled": false})));
        assert_eq!((&edits[2]["menu"], &edits[2]["values"]), (&json!("/ip/dns/static"), &json!({"address": "192.0.2.1"})));
        assert_eq!((&edits[3]["op"], &edits[3]["match"]["comment"]), (&json!("remove"), &json!("new")));
    }

    #[test]
    fn only_chosen_menus_are_taken_back_and_equal_ones_need_nothing() {
        let snapshot = "/ip dns\nset servers=192.0.2.1\n/system identity\nset name=old\n";
        let running = "/ip dns\nset servers=192.0.2.2\n/system identity\nset name=new\n";
        let (edits, _) = restored(snapshot, running, &["/ip/dns"]);
        assert_eq!(edits, [json!({"menu": "/ip/dns", "op": "set", "values": {"servers": "192.0.2.1"}})]);
        assert_eq!(restored(snapshot, snapshot, &[]), (vec![], vec![]));
    }

    #[test]
    fn what_no_snapshot_keeps_is_said_and_not_guessed() {
        let snapshot = "/ppp secret\nadd name=bob password=(secret)\n/ip dns\nset servers=192.0.2.1\n";
        let running = "/ip dns\nset cache-size=4096KiB servers=192.0.2.1\n";
        let (edits, left_out) = restored(snapshot, running, &[]);
        assert_eq!(edits, Vec::<Value>::new());
        assert_eq!(left_out.len(), 2, "{left_out:?}");
    }

    #[test]
    fn an_account_does_not_come_back_without_the_password_that_exports_leave_out() {
        for (snapshot, menu) in [
            ("/ppp secret\nadd name=bob service=l2tp\n", "/ppp/secret"),
            ("/radius\nadd address=192.0.2.5 service=login\n", "/radius"),
            ("/interface wireguard peers\nadd interface=wg1 public-key=x allowed-address=10.9.0.2/32\n", "/interface/wireguard/peers"),
        ] {
            let (edits, left_out) = restored(snapshot, "/ip dns\nset servers=192.0.2.1\n", &[menu]);
            assert_eq!(edits, Vec::<Value>::new());
            assert!(left_out.len() == 1 && left_out[0].contains("may hold a secret"), "{left_out:?}");
        }
        let (edits, left_out) = restored("/ip pool\nadd name=p ranges=10.0.0.2-10.0.0.9\n", "", &["/ip/pool"]);
        assert_eq!((edits.len(), left_out.len()), (1, 0), "where there are no secrets none is missing");
    }

    #[test]
    fn built_in_rows_are_set_by_what_the_export_finds_them_by() {
        let snapshot = "/interface ethernet\nset [ find default-name=ether1 ] comment=uplink\n/ip service\nset telnet disabled=yes\n";
        let (edits, _) = restored(snapshot, "/ip service\nset telnet disabled=no\n", &[]);
        assert_eq!(edits[0]["match"], json!({"default-name": "ether1"}));
        assert_eq!(edits[1], json!({"menu": "/ip/service", "op": "set", "match": {"name": "telnet"}, "values": {"disabled": "yes"}}));
    }
}
