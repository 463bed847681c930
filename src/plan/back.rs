//! A confirmed plan turned round: the draft that takes it back, worked out from what it did and from the rows as they are. Pure.
//!
//! It is an ordinary draft: its steps are compared with the rows before they are sent, and its own undo puts the change back.

use crate::plan::form::Known;
use crate::plan::inverse::{self, Letters};
use crate::plan::record::{Change, Draft, Find, Observed, PlanId, Step};
use crate::plan::rows::{Read, content, one};

/// The draft that takes `done` back, or why there is none.
pub(super) fn draft(id: &PlanId, done: &Draft, read: &Read) -> Result<Draft, String> {
    let mut back = Draft { plan: id.clone(), observed: Vec::new(), absent: Vec::new(), steps: Vec::new(), ..done.clone() };
    for step in done.steps.iter().rev() {
        let Some(known) = done.known(&step.menu) else { return Err(format!("{} is not known any more", step.menu)) };
        let Some(change) = turned(known, &step.change, read).map_err(|why| format!("a row of {}: {why}", step.menu))? else { continue };
        match &change {
            Change::Add { find, .. } => back.absent.push((step.menu.clone(), find.clone())),
            change => back.observed.extend(seen(known, change, read)),
        }
        back.steps.push(Step { change, ..step.clone() });
    }
    back.inverse = inverse::script(id, &back.steps, &back.known, &Letters::new()).map_err(|fault| fault.said)?;
    Ok(back)
}

/// What takes one change back; nothing for what left nothing.
fn turned(known: &Known, change: &Change, read: &Read) -> Result<Option<Change>, &'static str> {
    let now = |find: &Find| one(known, read.rows(&known.menu), find).ok().map(|(_, row)| content(known, row));
    let after = || change.after().unwrap_or_default();
    Ok(Some(match change {
        Change::Run { .. } => return Ok(None),
        Change::Add { secrets, place, find, .. } => {
            let by_disabling = !secrets.is_empty();
            if by_disabling && !known.is_content("disabled") {
                return Err("it holds a secret and cannot be taken away under a guard");
            }
            Change::Remove { find: find.clone(), before: now(find).unwrap_or_else(after), place: place.clone(), by_disabling }
        }
        Change::Set { secrets, .. } | Change::SetSingle { secrets, .. } if !secrets.is_empty() => {
            return Err("its old secret is not known");
        }
        Change::Set { find, before, values, unset, .. } => {
            let find = change.find_after().unwrap_or_else(|| find.clone());
            let (values, unset) = known.put_back(before, values, unset);
            Change::Set { before: now(&find).unwrap_or_else(after), find, values, secrets: Vec::new(), unset }
        }
        Change::SetSingle { before, values, unset, .. } => {
            let (values, unset) = known.put_back(before, values, unset);
            let now = read.rows(&known.menu).first().map(|row| content(known, row));
            Change::SetSingle { before: now.unwrap_or_else(after), values, secrets: Vec::new(), unset }
        }
        Change::Remove { by_disabling: true, .. } => {
            return Err("it held a secret or others referred to it; it cannot be made again as it was");
        }
        Change::Remove { find, before, place, .. } => {
            Change::Add { values: before.clone(), secrets: Vec::new(), place: place.clone(), find: find.clone() }
        }
        Change::Move { find, row, from, to } => Change::Move { find: find.clone(), row: row.clone(), from: to.clone(), to: from.clone() },
    }))
}

/// A touched row as it is now.
fn seen(known: &Known, change: &Change, read: &Read) -> Option<Observed> {
    let rows = read.rows(&known.menu);
    let menu = known.menu.clone();
    let find = match change {
        Change::Set { find, .. } | Change::Remove { find, .. } | Change::Move { find, .. } => find,
        Change::SetSingle { before, .. } => return Some(Observed { menu, find: None, row: before.clone(), next: None }),
        Change::Add { .. } | Change::Run { .. } => return None,
    };
    let (at, row) = one(known, rows, find).ok()?;
    let next = rows.get(at + 1).filter(|_| known.ordered).map(|next| Find { by: content(known, next) });
    Some(Observed { menu, find: Some(find.clone()), row: content(known, row), next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::DeviceId;
    use crate::fleet::Pins;
    use crate::plan::form::{Form, Pairs};
    use crate::plan::record::{Cut, Place, Risk, SecretValue};
    use crate::plan::rows;
    use crate::routeros::Row;

    const MENU: &str = "/ip/firewall/filter";

    fn pairs(pairs: &[(&str, &str)]) -> Pairs {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    fn find(by: &[(&str, &str)]) -> Find {
        Find { by: pairs(by) }
    }

    fn done(changes: Vec<Change>) -> Draft {
        let known = Known {
            menu: MENU.into(),
            singleton: false,
            ordered: true,
            key: vec![],
            content: ["chain", "action", "src-address", "comment", "disabled"].map(|name| (name.to_owned(), Form::Text)).to_vec(),
            secret: vec![],
            unset: true,
            marks: vec![],
            stranger: false,
        };
        Draft {
            plan: PlanId("plan-0123456789ab".into()),
            device: DeviceId("dev_1".into()),
            name: "edge".into(),
            serial: None,
            pins: Pins::default(),
            version: None,
            known: vec![known],
            observed: vec![],
            absent: vec![],
            steps: changes.into_iter().map(|change| Step { edit: 0, menu: MENU.into(), change, gives_access: false }).collect(),
            risk: Risk::High,
            cut: Cut::Unknown,
            cut_reasons: vec![],
            settle_s: 0,
            inverse: String::new(),
        }
    }

    fn read(rows: &[&[(&str, &str)]]) -> Read {
        let mut read = Read::default();
        read.put(MENU, rows.iter().map(|row| Row::from_pairs(row.iter().copied())).collect());
        read
    }

    #[test]
    fn turned_round_it_wants_the_rows_as_they_were() {
        let added = Change::Add {
            values: pairs(&[("chain", "input"), ("action", "accept"), ("comment", "new")]),
            secrets: vec![],
            place: Some(Place { before: Some(find(&[("comment", "drop")])) }),
            find: find(&[("comment", "new")]),
        };
        let set = Change::Set {
            find: find(&[("comment", "drop")]),
            before: pairs(&[("chain", "input"), ("action", "drop"), ("comment", "drop")]),
            values: pairs(&[("comment", "drop all"), ("src-address", "192.0.2.1")]),
            secrets: vec![],
            unset: vec![],
        };
        let now = read(&[
            &[(".id", "*2"), ("chain", "input"), ("action", "accept"), ("comment", "new")],
            &[(".id", "*1"), ("chain", "input"), ("action", "drop"), ("comment", "drop all"), ("src-address", "192.0.2.1")],
        ]);
        let back = draft(&PlanId("plan-ba9876543210".into()), &done(vec![added, set]), &now).unwrap();
        assert!(rows::since(&back, &now).is_empty(), "it is worked out on the rows as they are");
        let Change::Set { find: by, values, unset, .. } = &back.steps[0].change else { panic!("{:?}", back.steps) };
        assert_eq!(by, &find(&[("comment", "drop all")]));
        assert_eq!((values, unset.as_slice()), (&pairs(&[("comment", "drop")]), ["src-address".to_owned()].as_slice()));
        assert!(matches!(&back.steps[1].change, Change::Remove { by_disabling: false, .. }));
        let was = read(&[&[(".id", "*1"), ("chain", "input"), ("action", "drop"), ("comment", "drop")]]);
        assert!(rows::short_of(&back, &back.steps, &was).is_empty(), "{:?}", rows::short_of(&back, &back.steps, &was));
        assert!(back.inverse.contains("ba9876543210") && !rows::short_of(&back, &back.steps, &now).is_empty());
    }

    #[test]
    fn what_cannot_be_as_it_was_is_refused_before_anything_is_done() {
        let secret = SecretValue { attribute: "password".into(), handle: "generate".into() };
        let set = Change::Set { find: find(&[("comment", "a")]), before: vec![], values: vec![], secrets: vec![secret], unset: vec![] };
        let gone = Change::Remove { find: find(&[("comment", "a")]), before: vec![], place: None, by_disabling: true };
        for change in [set, gone] {
            assert!(draft(&PlanId("plan-ba9876543210".into()), &done(vec![change]), &read(&[])).is_err());
        }
    }
}
