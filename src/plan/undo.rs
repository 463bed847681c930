//! Undoing over REST, where no script on the router does it: step by step, the last one first.
//!
//! Compare and restore, as the script would: a row is touched only where it is still as the plan left it: as it was written, or as the
//! router showed it right after, since it may spell a value otherwise. Whatever somebody else changed since stays, and is found when the
//! router is compared with what the draft saw.

use crate::base::fault::Fault;
use crate::fleet::Write;
use crate::plan::apply::id;
use crate::plan::form::{Known, Pairs, get};
use crate::plan::record::{Change, Find, Place, Step, disabled};
use crate::plan::rows::{self, content, one, shows, stands_before};
use crate::plan::work::Work;
use crate::routeros::{MenuPath, Query, Row};

/// Takes back every step that is on the router. Goes on after a refusal, and answers the last one.
pub(super) async fn undo(work: &Work) -> Result<(), Fault> {
    let mut refused = Ok(());
    let knows_ids = !work.shown.is_empty() && work.is_same_boot().await;
    for (n, step) in work.draft.steps.iter().enumerate().rev() {
        if matches!(step.change, Change::Run { .. }) {
            continue;
        }
        let rows = work.rows(&step.menu, Query::new()).await?;
        let Some(known) = work.draft.known(&step.menu) else { continue };
        let shown = work.shown.iter().find(|shown| shown.step == n && knows_ids).map(|shown| &shown.row);
        for write in writes(work, known, step, &rows, shown)? {
            if let Err(fault) = work.write(write).await {
                tracing::warn!(device = %work.device.name, plan = %work.plan.id, "a step was not taken back at once: {}", fault.said);
                refused = Err(fault);
            }
        }
    }
    refused
}

/// What takes one step back; nothing where it is not there or no longer as it was left.
fn writes(work: &Work, known: &Known, step: &Step, rows: &[Row], shown: Option<&Row>) -> Result<Vec<Write>, Fault> {
    let path = MenuPath::parse(&step.menu)?;
    let found = |find: &Find| one(known, rows, find).ok();
    let left = |find: &Find, values: &Pairs| match found(find) {
        Some((_, row)) if is_left(known, row, values, step) => row.id(),
        _ => shown.and_then(|shown| as_shown(known, rows, shown)).and_then(Row::id),
    };
    Ok(match &step.change {
        Change::Add { values, find, .. } => match left(find, values) {
            Some(id) => vec![Write::Remove { path, id: id.to_owned() }],
            None => vec![],
        },
        Change::Set { find, before, values, unset, .. } => {
            let after = step.change.find_after().unwrap_or_else(|| find.clone());
            let row = left(&after, values).and_then(|id| rows.iter().find(|row| row.id() == Some(id)));
            row.map(|row| restore(known, &path, row, before, &ours(known, row, values, step), unset)).unwrap_or_default()
        }
        Change::SetSingle { before, values, unset, .. } => match rows.first() {
            Some(row) if is_left(known, row, values, step) => restore(known, &path, row, before, &ours(known, row, values, step), unset),
            _ => vec![],
        },
        Change::Remove { find, before, by_disabling: true, .. } => {
            let was = get(before, "disabled").unwrap_or("no").to_owned();
            match found(find).and_then(|(_, row)| Some((row, row.id()?))) {
                Some((row, id)) if is_left(known, row, &disabled(), step) => {
                    vec![Write::Set { path, id: Some(id.to_owned()), values: vec![("disabled".into(), was)] }]
                }
                _ => vec![],
            }
        }
        Change::Remove { find, before, place, .. } => {
            if rows::standing(known, rows, find).is_some() {
                return Ok(vec![]);
            }
            let mut values = before.clone();
            values.extend(destination(work, known, rows, place.as_ref()).map(|id| ("place-before".to_owned(), id)));
            vec![Write::Add { path, values }]
        }
        Change::Move { find, from, to, .. } => match found(find).and_then(|(at, row)| Some((at, row.id()?))) {
            Some((at, id)) if stands_before(known, rows, at, to.before.as_ref()) => {
                let before = destination(work, known, rows, Some(from));
                // A neighbour that is gone leaves no place to go back to.
                if from.before.is_some() && before.is_none() { vec![] } else { vec![Write::Move { path, id: id.to_owned(), before }] }
            }
            _ => vec![],
        },
        Change::Run { .. } => vec![],
    })
}

fn destination(work: &Work, known: &Known, rows: &[Row], place: Option<&Place>) -> Option<String> {
    id(work, known, rows, place?.before.as_ref()?).ok()
}

/// The row that the router showed, where it is still the same. Ids hold as long as the router runs.
pub(super) fn as_shown<'r>(known: &Known, rows: &'r [Row], shown: &Row) -> Option<&'r Row> {
    let row = rows.iter().find(|row| row.id() == shown.id())?;
    known.same_content(&content(known, shown), &content(known, row)).then_some(row)
}

/// The row holds what was written; steps that give access back do not ask.
fn is_left(known: &Known, row: &Row, written: &Pairs, step: &Step) -> bool {
    step.gives_access || written.iter().all(|(name, value)| known.is_secret(name) || shows(known, row, name, value))
}

/// What of a step's values is put back: where it gives access back not what somebody changed since and our access does not hang on.
fn ours(known: &Known, row: &Row, written: &Pairs, step: &Step) -> Pairs {
    let is_ours = |(name, value): &&(String, String)| !step.gives_access || known.bears_access(name) || shows(known, row, name, value);
    written.iter().filter(is_ours).cloned().collect()
}

/// The old values back, and away with attributes that were not there.
fn restore(known: &Known, path: &MenuPath, row: &Row, before: &Pairs, values: &Pairs, unset: &[String]) -> Vec<Write> {
    let id = if known.singleton { None } else { row.id() };
    let (old, away) = known.put_back(before, values, unset);
    let set = (!old.is_empty()).then(|| Write::Set { path: path.clone(), id: id.map(str::to_owned), values: old });
    let away = away.into_iter().filter_map(|name| id.map(|id| Write::Unset { path: path.clone(), id: id.to_owned(), name }));
    set.into_iter().chain(away).collect()
}
