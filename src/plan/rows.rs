//! Rows of a router against rows of a record: which row is meant, and whether it is as it was or as planned. Pure.
//!
//! Rows are found by what they hold, never by position or `.id`; values are compared in their own form.

use crate::plan::form::{Form, Known, Pairs, get};
use crate::plan::record::{Change, Difference, Draft, Find, Observed, Step, disabled};
use crate::routeros::Row;
use crate::routeros::value::flag;
use std::collections::BTreeMap;

mod places;

/// Menus as just read.
#[derive(Debug, Default)]
pub struct Read {
    menus: BTreeMap<String, Vec<Row>>,
}

impl Read {
    /// Takes a menu's rows in.
    pub fn put(&mut self, menu: &str, rows: Vec<Row>) {
        self.menus.insert(menu.to_owned(), rows);
    }

    /// A menu's rows; none for one that was not read.
    pub fn rows(&self, menu: &str) -> &[Row] {
        self.menus.get(menu).map_or(&[], Vec::as_slice)
    }
}

/// What is wrong with a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// No row fits.
    None,
    /// Several do.
    Several(usize),
}

impl Lost {
    /// In words.
    pub fn words(self) -> String {
        match self {
            Lost::None => "it is not there".into(),
            Lost::Several(n) => format!("{n} rows fit"),
        }
    }
}

/// Whether a row holds all of these values.
pub fn fits(known: &Known, row: &Row, by: &Pairs) -> bool {
    by.iter().all(|(name, value)| holds(known, row.get(name), name, value))
}

/// Whether a row's value, perhaps absent, says the same as a written one.
pub fn holds(known: &Known, found: Option<&str>, name: &str, value: &str) -> bool {
    match found {
        Some(found) => known.same(name, found, value),
        None => matches!(value, "no" | "false") || (value.is_empty() && known.form(name) != Form::Flag),
    }
}

/// The same of a row as far as it shows what it holds: a disabled one may keep something back.
pub fn shows(known: &Known, row: &Row, name: &str, value: &str) -> bool {
    holds(known, row.get(name), name, value) || (row.get(name).is_none() && is_disabled(row) && known.hides(name))
}

/// The rows that fit, each with its place. Rows that keep back what is asked for count only where no other fits, and those the router
/// made itself last.
pub fn all<'a>(known: &Known, rows: &'a [Row], find: &Find) -> Vec<(usize, &'a Row)> {
    let pick = |is_meant: &dyn Fn(&Row) -> bool| rows.iter().enumerate().filter(|(_, row)| is_meant(row)).collect::<Vec<_>>();
    let own = pick(&|row| !is_dynamic(row) && fits(known, row, &find.by));
    if !own.is_empty() {
        return own;
    }
    let disabled = pick(&|row| !is_dynamic(row) && find.by.iter().all(|(name, value)| shows(known, row, name, value)));
    if disabled.is_empty() { pick(&|row| fits(known, row, &find.by)) } else { disabled }
}

/// A row that fits and that a person may have made: a network that is connected too has a route of the router's own, which is neither
/// what a step adds nor what one removes.
pub fn standing<'a>(known: &Known, rows: &'a [Row], find: &Find) -> Option<&'a Row> {
    let is_made = |row: &Row| known.marks.iter().any(|mark| row.get(mark).and_then(flag) == Some(true));
    all(known, rows, find).into_iter().map(|(_, row)| row).find(|row| !is_made(row))
}

/// The one row that fits.
pub fn one<'a>(known: &Known, rows: &'a [Row], find: &Find) -> Result<(usize, &'a Row), Lost> {
    match all(known, rows, find)[..] {
        [] => Err(Lost::None),
        [found] => Ok(found),
        ref several => Err(Lost::Several(several.len())),
    }
}

fn is_disabled(row: &Row) -> bool {
    row.get("disabled").and_then(flag) == Some(true)
}

fn is_dynamic(row: &Row) -> bool {
    ["dynamic", "connection", "builtin"].iter().any(|name| row.get(name).and_then(flag) == Some(true))
}

/// Attributes, `.id` among them, whose name or value did not come as clean text, each with its row's `.id`: bytes of no character
/// (`U+FFFD` by now), and control characters that no text has.
pub fn mended(rows: &[Row]) -> Vec<(&str, &str, &str)> {
    let is_odd = |c: char| c == char::REPLACEMENT_CHARACTER || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    let values = rows.iter().flat_map(|row| row.iter().map(|(name, value)| (row.id().unwrap_or_default(), name, value)));
    values.filter(|(_, name, value)| name.contains(is_odd) || value.contains(is_odd)).collect()
}

/// A row's content as the record keeps it.
pub fn content(known: &Known, row: &Row) -> Pairs {
    known.content_of(row.attributes())
}

/// Whether the row right after `at` is the one meant; rows the router made itself may stand between.
pub fn stands_before(known: &Known, rows: &[Row], at: usize, next: Option<&Find>) -> bool {
    let rest = rows.get(at + 1..).unwrap_or_default();
    let own = rest.iter().find(|row| !is_dynamic(row));
    match next {
        None => own.is_none() || rest.is_empty(),
        Some(find) => [own, rest.first()].into_iter().flatten().any(|row| fits(known, row, &find.by)),
    }
}

/// How the router differs from what a draft saw: empty when it is exactly as it was.
pub fn since(draft: &Draft, read: &Read) -> Vec<Difference> {
    let mut found: Vec<Difference> = draft.observed.iter().filter_map(|seen| moved(draft, seen, read)).collect();
    for (menu, find) in &draft.absent {
        let Some(known) = draft.known(menu) else { continue };
        if let Some(row) = standing(known, read.rows(menu), find) {
            let why = "it was not there before".to_owned();
            found.push(Difference { menu: menu.clone(), key: find.by.clone(), wanted: None, found: Some(content(known, row)), why });
        }
    }
    found
}

fn moved(draft: &Draft, seen: &Observed, read: &Read) -> Option<Difference> {
    let known = draft.known(&seen.menu)?;
    let rows = read.rows(&seen.menu);
    let differ = |key: &Pairs, found: Option<Pairs>, why: String| {
        Some(Difference { menu: seen.menu.clone(), key: key.clone(), wanted: Some(seen.row.clone()), found, why })
    };
    let Some(find) = &seen.find else {
        let now = rows.first().map(|row| content(known, row)).unwrap_or_default();
        let names = known.differences(&seen.row, &now);
        return if names.is_empty() { None } else { differ(&Pairs::new(), Some(now), format!("{} changed", names.join(", "))) };
    };
    let (at, row) = match one(known, rows, find) {
        Ok(found) => found,
        Err(lost) => return differ(&find.by, None, lost.words()),
    };
    let now = content(known, row);
    let names = known.differences(&seen.row, &now);
    if !names.is_empty() {
        return differ(&find.by, Some(now), format!("{} changed", names.join(", ")));
    }
    if known.ordered && !stands_before(known, rows, at, seen.next.as_ref()) {
        return differ(&find.by, Some(now), "it stands elsewhere".into());
    }
    None
}

/// What must hold of one row once all steps are done: the last word on each row. Places are another matter (`places.rs`).
struct Wanted<'a> {
    step: &'a Step,
    find: Option<Find>,
    written: Pairs,
    unset: Vec<String>,
    gone: bool,
}

/// How the router differs from what these steps of a draft make of it.
pub fn short_of(draft: &Draft, steps: &[Step], read: &Read) -> Vec<Difference> {
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for step in steps {
        let Some(known) = draft.known(&step.menu) else { continue };
        let mut next = wanted_of(step);
        // A later step on the same row takes over what the earlier one left, as far as it does not write it itself.
        if let Some(at) = wanted.iter().position(|earlier| is_same_row(known, earlier, step)) {
            let earlier = wanted.remove(at);
            let keeps = |name: &String| get(&next.written, name).is_none() && !next.unset.contains(name);
            let kept: Pairs = earlier.written.iter().filter(|(name, _)| keeps(name)).cloned().collect();
            next.unset.extend(earlier.unset.into_iter().filter(|name| get(&next.written, name).is_none()));
            next.written.extend(kept);
        }
        wanted.push(next);
    }
    let mut short: Vec<Difference> = wanted.iter().filter_map(|wanted| lacks(draft, wanted, read)).collect();
    for known in draft.known.iter().filter(|known| known.ordered) {
        for misplaced in places::misplaced(known, steps, read.rows(&known.menu)) {
            if !short.iter().any(|other| other.menu == misplaced.menu && other.found == misplaced.found) {
                short.push(misplaced);
            }
        }
    }
    short
}

fn is_same_row(known: &Known, earlier: &Wanted<'_>, step: &Step) -> bool {
    let before = match &step.change {
        Change::SetSingle { .. } => return earlier.step.menu == step.menu,
        Change::Set { find, .. } | Change::Remove { find, .. } | Change::Move { find, .. } => find,
        Change::Add { .. } | Change::Run { .. } => return false,
    };
    let Some(after) = &earlier.find else { return false };
    let content = earlier.step.change.after().unwrap_or_default();
    earlier.step.menu == step.menu
        && before.by.iter().all(|(name, value)| {
            let left = get(&after.by, name).or_else(|| get(&earlier.written, name)).or_else(|| get(&content, name));
            holds(known, left, name, value)
        })
}

fn wanted_of(step: &Step) -> Wanted<'_> {
    let find = step.change.find_after();
    let bare = Wanted { step, find, written: Pairs::new(), unset: Vec::new(), gone: false };
    match &step.change {
        Change::Add { values, .. } => Wanted { written: values.clone(), ..bare },
        Change::Set { values, unset, .. } | Change::SetSingle { values, unset, .. } => {
            Wanted { written: values.clone(), unset: unset.clone(), ..bare }
        }
        Change::Remove { by_disabling: true, .. } => Wanted { written: disabled(), ..bare },
        Change::Remove { find, .. } => Wanted { find: Some(find.clone()), gone: true, ..bare },
        Change::Move { .. } | Change::Run { .. } => bare,
    }
}

fn lacks(draft: &Draft, wanted: &Wanted<'_>, read: &Read) -> Option<Difference> {
    let menu = &wanted.step.menu;
    let known = draft.known(menu)?;
    let rows = read.rows(menu);
    let key = wanted.find.as_ref().map(|find| find.by.clone()).unwrap_or_default();
    let differ = |found: Option<Pairs>, why: String| {
        let goal = if wanted.gone { None } else { wanted.step.change.after() };
        Some(Difference { menu: menu.clone(), key: key.clone(), wanted: goal, found, why })
    };
    let row = match (&wanted.step.change, &wanted.find) {
        (Change::Run { .. }, _) => return None,
        (_, None) => match rows.first() {
            Some(row) => row,
            None => return differ(None, "it was not shown".into()),
        },
        (_, Some(find)) if wanted.gone => {
            return differ(Some(content(known, standing(known, rows, find)?)), "it is still there".into());
        }
        (_, Some(find)) => match one(known, rows, find) {
            Ok((_, row)) => row,
            Err(lost) => return differ(None, lost.words()),
        },
    };
    let now = content(known, row);
    let wrong = |(name, value): &&(String, String)| known.is_content(name) && !known.is_secret(name) && !shows(known, row, name, value);
    let mut names: Vec<&str> = wanted.written.iter().filter(wrong).map(|(name, _)| name.as_str()).collect();
    names.extend(wanted.unset.iter().filter(|name| row.get(name).is_some_and(|value| !value.is_empty())).map(String::as_str));
    if names.is_empty() { None } else { differ(Some(now), format!("{} not as written", names.join(", "))) }
}

/// What a person has to look at where nobody could compare: each row that was changed, as it was and as it was left.
pub fn uncompared(draft: &Draft, why: &str) -> Vec<Difference> {
    let steps = draft.steps.iter().filter(|step| !matches!(step.change, Change::Run { .. }));
    let rows = steps.map(|step| {
        let key = match &step.change {
            Change::Remove { find, .. } => Some(find.clone()),
            change => change.find_after(),
        };
        let wanted = match &step.change {
            Change::Set { before, .. } | Change::SetSingle { before, .. } | Change::Remove { before, .. } => Some(before.clone()),
            Change::Move { row, .. } => Some(row.clone()),
            Change::Add { .. } | Change::Run { .. } => None,
        };
        let (menu, key) = (step.menu.clone(), key.map(|find| find.by).unwrap_or_default());
        Difference { menu, key, wanted, found: step.change.after(), why: why.to_owned() }
    });
    rows.collect()
}

/// The menus a draft is about, each once.
pub fn menus(draft: &Draft) -> Vec<&str> {
    let mut menus: Vec<&str> = Vec::new();
    let named = draft.observed.iter().map(|seen| &seen.menu).chain(draft.absent.iter().map(|(menu, _)| menu));
    let steps = draft.steps.iter().filter(|step| !matches!(step.change, Change::Run { .. })).map(|step| &step.menu);
    for menu in named.chain(steps) {
        if !menus.contains(&menu.as_str()) {
            menus.push(menu);
        }
    }
    menus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_to_an_id_a_name_or_a_value_is_seen_and_clean_text_is_not() {
        for (pairs, wanted) in [
            ([(".id", "*1"), ("comment", "two\nlines\tof text: caf\u{e9}")], 0),
            ([(".id", "\u{fffd}*1"), ("comment", "x")], 1),
            ([(".id", "*1"), ("com\u{7}ment", "x")], 1),
            ([(".id", "*1\u{1b}"), ("comment", "\u{fffd}")], 2),
        ] {
            assert_eq!(mended(&[Row::from_pairs(pairs)]).len(), wanted, "{pairs:?}");
        }
    }
}
