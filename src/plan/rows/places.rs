//! Whether rows stand where the steps put them. Pure.
//!
//! A later step may put a row between two others or take a neighbour away. So the steps are taken back one after the other on the rows
//! as they are, the last one first: right after its step each row stood where that step put it.

use super::{content, fits, is_dynamic, one, stands_before};
use crate::plan::form::{Known, Pairs, get, overlaid};
use crate::plan::record::{Change, Difference, Find, Place, Step, disabled};
use crate::routeros::Row;

/// The rows of an ordered menu that do not stand where these steps put them.
pub(super) fn misplaced(known: &Known, steps: &[Step], rows: &[Row]) -> Vec<Difference> {
    let mut then: Vec<Row> = rows.to_vec();
    let mut found = Vec::new();
    for step in steps.iter().rev().filter(|step| step.menu == known.menu) {
        let mut check = |then: &[Row], find: &Find, place: Option<&Place>| {
            // One that is not there is told by who looks at what rows hold.
            let (at, row) = one(known, then, find).ok()?;
            if place.is_some_and(|place| !stands_before(known, then, at, place.before.as_ref())) {
                let now = rows.iter().find(|now| now.id() == row.id()).unwrap_or(row);
                found.push(Difference {
                    menu: known.menu.clone(),
                    key: find.by.clone(),
                    wanted: step.change.after(),
                    found: Some(content(known, now)),
                    why: "it stands elsewhere".into(),
                });
            }
            Some(at)
        };
        match &step.change {
            Change::Add { find, place, .. } => {
                if let Some(at) = check(&then, find, place.as_ref()) {
                    then.remove(at);
                }
            }
            Change::Move { find, from, to, .. } => {
                if let Some(at) = check(&then, find, Some(to)) {
                    let row = then.remove(at);
                    put(known, &mut then, row, Some(from));
                }
            }
            Change::Set { before, values, unset, .. } => rewind(known, &mut then, step, before, values, unset),
            Change::Remove { before, by_disabling: true, .. } => rewind(known, &mut then, step, before, &disabled(), &[]),
            Change::Remove { before, place, .. } => put(known, &mut then, Row::from_pairs(before.iter().cloned()), place.as_ref()),
            Change::SetSingle { .. } | Change::Run { .. } => {}
        }
    }
    found
}

/// Puts a row before another, or at the end.
fn put(known: &Known, rows: &mut Vec<Row>, row: Row, place: Option<&Place>) {
    let next = place.and_then(|place| place.before.as_ref());
    let at = next.and_then(|next| rows.iter().position(|row| !is_dynamic(row) && fits(known, row, &next.by)));
    rows.insert(at.unwrap_or(rows.len()), row);
}

/// Gives a row its old values again, by which earlier steps know it.
fn rewind(known: &Known, rows: &mut [Row], step: &Step, before: &Pairs, values: &Pairs, unset: &[String]) {
    let Some((at, _)) = step.change.find_after().and_then(|find| one(known, rows, &find).ok()) else { return };
    let written: Vec<String> = values.iter().map(|(name, _)| name).chain(unset).cloned().collect();
    let old: Pairs = written.iter().filter_map(|name| Some((name.clone(), get(before, name)?.to_owned()))).collect();
    let now: Pairs = rows[at].iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    rows[at] = Row::from_pairs(overlaid(&now, &old, &written));
}

#[cfg(test)]
mod tests {
    use super::*;

    const MENU: &str = "/ip/firewall/filter";

    fn known() -> Known {
        Known {
            menu: MENU.into(),
            singleton: false,
            ordered: true,
            key: vec![],
            content: ["comment", "disabled"].map(|name| (name.to_owned(), crate::plan::form::Form::Text)).to_vec(),
            secret: vec![],
            unset: true,
            marks: vec![],
            stranger: false,
        }
    }

    fn named(comment: &str) -> Pairs {
        vec![("comment".to_owned(), comment.to_owned())]
    }

    fn find(comment: &str) -> Find {
        Find { by: named(comment) }
    }

    fn before(comment: &str) -> Place {
        Place { before: (!comment.is_empty()).then(|| find(comment)) }
    }

    fn add(comment: &str, next: &str) -> Change {
        Change::Add { values: named(comment), secrets: vec![], place: Some(before(next)), find: find(comment) }
    }

    fn remove(comment: &str, next: &str) -> Change {
        Change::Remove { find: find(comment), before: named(comment), place: Some(before(next)), by_disabling: false }
    }

    fn relocate(comment: &str, from: &str, to: &str) -> Change {
        Change::Move { find: find(comment), row: named(comment), from: before(from), to: before(to) }
    }

    fn wrong(changes: Vec<Change>, rows: &str) -> Vec<String> {
        let steps: Vec<Step> = changes.into_iter().map(|change| Step { edit: 0, menu: MENU.into(), change, gives_access: false }).collect();
        let rows: Vec<Row> = rows.split(' ').map(|comment| Row::from_pairs([(".id", comment), ("comment", comment)])).collect();
        misplaced(&known(), &steps, &rows).iter().map(|one| one.key[0].1.clone()).collect()
    }

    #[test]
    fn a_row_stands_where_its_step_put_it_whatever_later_steps_put_beside_it() {
        let right: Vec<(Vec<Change>, &str)> = vec![
            (vec![add("x", "b"), add("y", "b")], "a x y b"),
            (vec![add("x", ""), add("y", "")], "a x y"),
            (vec![add("x", "b"), remove("b", "c")], "a x c"),
            (vec![remove("b", "c"), add("x", "c")], "a x c"),
            (vec![relocate("c", "", "b"), remove("b", "")], "a c"),
            (vec![remove("b", "c"), remove("c", "")], "a"),
            (vec![relocate("a", "b", ""), add("x", "a")], "b x a"),
            (vec![add("x", "b"), relocate("b", "c", "")], "a x c b"),
        ];
        for (changes, rows) in right {
            assert_eq!(wrong(changes.clone(), rows), Vec::<String>::new(), "{changes:?} {rows}");
        }
    }

    #[test]
    fn a_row_that_somebody_moved_or_put_in_between_is_seen() {
        assert_eq!(wrong(vec![add("x", "b"), add("y", "b")], "a y x b"), ["y"]);
        assert_eq!(wrong(vec![add("x", "b"), remove("b", "c")], "x a c"), ["x"]);
        assert_eq!(wrong(vec![relocate("a", "b", "")], "a b"), ["a"]);
        assert_eq!(wrong(vec![add("x", "b")], "a x new b"), ["x"]);
    }
}
