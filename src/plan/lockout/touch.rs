//! What a step touches: the rows before and after it, and whether anything but notes changes. Pure.

use crate::plan::form::{Known, Pairs, get};
use crate::plan::lockout::state::is_yes;
use crate::plan::record::{Change, Step};

/// Attributes that say something about a row and do nothing.
const NOTES: &[&str] = &["comment", "log", "log-prefix"];

/// One step, as the checks look at it.
#[derive(Debug, Clone)]
pub(crate) struct Touch<'s> {
    /// The step.
    pub step: &'s Step,
    /// The row as it was; none for a new one.
    pub before: Option<&'s Pairs>,
    /// The row as it will be; none where it goes.
    pub after: Option<Pairs>,
    /// Attributes whose value changes, secrets included. All of them for a new row or one that goes.
    pub changed: Vec<&'s str>,
}

impl<'s> Touch<'s> {
    /// Of a step.
    pub fn of(step: &'s Step, known: &[Known]) -> Touch<'s> {
        let known = known.iter().find(|known| known.menu == step.menu);
        let same = |name: &str, a: &str, b: &str| known.map_or(a == b, |known| known.same(name, a, b));
        let (before, changed): (_, Vec<&str>) = match &step.change {
            Change::Add { values, secrets, .. } => (
                None,
                values.iter().map(|(name, _)| name).chain(secrets.iter().map(|secret| &secret.attribute)).map(String::as_str).collect(),
            ),
            Change::Set { before, values, secrets, unset, .. } | Change::SetSingle { before, values, secrets, unset } => {
                // Where the router does not show an attribute, only for a few is it known that absent means no.
                let absent = |name: &str, value: &str| value.is_empty() || (matches!(name, "disabled" | "log") && !is_yes(Some(value)));
                let is = |name: &str, value: &str| get(before, name).map_or_else(|| absent(name, value), |old| same(name, old, value));
                let written = values.iter().filter(|(name, value)| !is(name, value));
                let names = written.map(|(name, _)| name).chain(secrets.iter().map(|secret| &secret.attribute)).chain(unset);
                (Some(before), names.map(String::as_str).collect())
            }
            Change::Remove { before, .. } => (Some(before), before.iter().map(|(name, _)| name.as_str()).collect()),
            Change::Move { row, .. } => (Some(row), vec![]),
            Change::Run { .. } => (None, vec![]),
        };
        let gone = matches!(step.change, Change::Remove { .. });
        let after = if gone { None } else { step.change.after() };
        Touch { step, before, after, changed }
    }

    /// The menu.
    pub fn menu(&self) -> &'s str {
        &self.step.menu
    }

    /// Only words about the row change.
    pub fn is_note(&self) -> bool {
        matches!(self.step.change, Change::Set { .. } | Change::SetSingle { .. }) && self.changed.iter().all(|name| NOTES.contains(name))
    }

    /// Only these attributes change.
    pub fn only(&self, names: &[&str]) -> bool {
        matches!(self.step.change, Change::Set { .. } | Change::SetSingle { .. })
            && self.changed.iter().all(|name| names.contains(name) || NOTES.contains(name))
    }

    /// Whether that attribute changes.
    pub fn changes(&self, name: &str) -> bool {
        self.changed.contains(&name)
    }

    /// The values an attribute has before and after.
    pub fn values<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t str> {
        self.rows().filter_map(move |row| get(row, name))
    }

    /// The row before and the row after.
    pub fn rows(&self) -> impl Iterator<Item = &Pairs> {
        self.before.into_iter().chain(self.after.as_ref())
    }

    /// Whether any value of the attribute, before or after, is this one.
    pub fn names(&self, name: &str, value: &str) -> bool {
        self.values(name).any(|found| found.split(',').any(|word| word == value))
    }

    /// Only of address lists that we keep ourselves.
    pub fn is_of_own_list(&self) -> bool {
        self.rows().all(|row| get(row, "list").is_some_and(|list| list.starts_with("mcp-")))
    }

    /// Whether an attribute ends up with something in it; a secret is something.
    pub fn fills(&self, name: &str) -> bool {
        let secret = match &self.step.change {
            Change::Add { secrets, .. } | Change::Set { secrets, .. } | Change::SetSingle { secrets, .. } => {
                secrets.iter().any(|secret| secret.attribute == name)
            }
            _ => false,
        };
        secret || self.after.as_ref().and_then(|row| get(row, name)).is_some_and(|value| !value.is_empty())
    }

    /// Whether the row was in use before, and is after.
    pub fn in_use(&self) -> (bool, bool) {
        let on = |row: Option<&Pairs>| row.is_some_and(|row| !is_yes(get(row, "disabled")));
        (on(self.before), on(self.after.as_ref()))
    }
}
