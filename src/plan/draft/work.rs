//! Each edit against the rows as the edits before it leave them: which wire operations it takes.
//!
//! What is as asked already takes none. Two edits that say different things about one attribute of one row are refused, both named.

use super::command;
use super::find::EACH_WOULD_DO;
use super::sheet::{Line, Sheet};
use super::value;
use super::written::{Written, whole_policies};
use super::{Desk, Task};
use crate::base::fault::{Fault, Kind};
use crate::plan::edit::{Edit, Op};
use crate::plan::form::{Pairs, get, overlaid};
use crate::plan::record::{Change, Place, Step, disabled};
use serde_json::Value;

/// Most rows that one edit with `each` changes.
const MOST_EACH: usize = 100;

impl Desk<'_> {
    /// Works one edit out.
    pub async fn work(&mut self, task: &Task<'_>) -> Result<(), Fault> {
        if task.edit.op == Op::Run && task.edit.which.is_empty() {
            let command = task.command.clone().unwrap_or_default();
            let args = command::arguments(&command, task.edit)?;
            self.steps.push(step(task, Change::Run { command, find: None, args }));
            return Ok(());
        }
        // Taken off the desk meanwhile: names are looked for in the others.
        let mut sheet = self.sheets.remove(&task.menu).ok_or_else(|| Fault::bug("a menu of the plan was not read"))?;
        let worked = match task.edit.op {
            Op::Add => self.add(task, &mut sheet).await,
            Op::Set | Op::Enable | Op::Disable => self.set(task, &mut sheet).await,
            Op::Remove => self.remove(task, &mut sheet).await,
            Op::Move => self.relocate(task, &mut sheet),
            Op::Run => self.run(task, &mut sheet),
        };
        self.sheets.insert(task.menu.clone(), sheet);
        worked
    }

    async fn add(&mut self, task: &Task<'_>, sheet: &mut Sheet) -> Result<(), Fault> {
        let edit = task.edit;
        if !sheet.takes_add() {
            let hint = if sheet.known.singleton { "use set, without match" } else { "its rows are made by the router" };
            return Err(Fault::bad_input(format!("{} takes no new rows", sheet.menu)).hint(hint));
        }
        let written = self.written(sheet, edit, true).await?;
        matched(sheet, edit, &written.values, None)?;
        shape(sheet, &written.values)?;
        let before = self.place(sheet, edit, get(&written.values, "chain"))?;
        if let Some(twin) = sheet.twin(&written.values) {
            return self.added_already(sheet, &written, twin, before);
        }
        if let Some((other, key)) = sheet.taken(&written.values, None) {
            return Err(taken(sheet, other, &key));
        }
        self.refer(sheet, &written.values).await?;
        let at = before.unwrap_or(sheet.lines.len());
        let line = Line { row: written.values.clone(), added_by: Some(task.n), ..Line::default() };
        sheet.lines.insert(at, line);
        let find = sheet.find(at)?;
        let place = if sheet.known.ordered {
            let (previous, next) = (sheet.previous(at), sheet.next(at));
            sheet.touch(previous);
            sheet.touch(next);
            Some(Place { before: before.map(|_| sheet.find(at + 1)).transpose()? })
        } else {
            None
        };
        self.absent.push((sheet.menu.clone(), find.clone()));
        self.letters.extend(sheet.to_the_letter(at).map(|letters| (self.steps.len(), letters)));
        self.steps.push(step(task, Change::Add { values: written.values, secrets: written.secrets, place, find }));
        Ok(())
    }

    /// A row like the new one is there: nothing to do, unless this very plan adds it, or it stands where it does not do the same.
    fn added_already(&self, sheet: &mut Sheet, written: &Written, twin: usize, before: Option<usize>) -> Result<(), Fault> {
        if let Some(by) = sheet.lines[twin].added_by {
            return Err(Fault::bad_input(format!("edits[{by}] adds the same row of {}", sheet.menu)).hint("leave one of the two out"));
        }
        if !sheet.lines[twin].written.is_empty() {
            let by = sheet.lines[twin].written[0].1;
            return Err(Fault::bad_input(format!("edits[{by}] already makes {} so", sheet.named(twin))).hint("leave one of the two out"));
        }
        if !written.secrets.is_empty() {
            return Err(Fault::bad_input(format!(
                "{} is there already, and nobody can tell whether its secret is the same",
                sheet.named(twin)
            )));
        }
        if sheet.known.ordered && before.is_some_and(|before| twin > before) {
            return Err(Fault::bad_input(format!("{} is there already, but behind the row it is to stand before", sheet.named(twin)))
                .hint("use move"));
        }
        sheet.touch(Some(twin));
        Ok(())
    }

    async fn set(&mut self, task: &Task<'_>, sheet: &mut Sheet) -> Result<(), Fault> {
        let edit = task.edit;
        let written = match edit.op {
            Op::Set => self.written(sheet, edit, false).await?,
            other => {
                if !sheet.known.is_content("disabled") {
                    return Err(Fault::bad_input(format!("rows of {} cannot be disabled", sheet.menu)));
                }
                let word = if other == Op::Enable { "no" } else { "yes" };
                Written { values: vec![("disabled".to_owned(), word.to_owned())], ..Written::default() }
            }
        };
        if sheet.known.singleton {
            if !edit.which.is_empty() {
                return Err(Fault::bad_input(format!("{} has no rows; leave match out", sheet.menu)));
            }
            return self.set_row(task, sheet, 0, &written).await;
        }
        for at in self.rows(sheet, edit)? {
            self.set_row(task, sheet, at, &written).await?;
        }
        Ok(())
    }

    async fn set_row(&mut self, task: &Task<'_>, sheet: &mut Sheet, at: usize, written: &Written) -> Result<(), Fault> {
        let old = sheet.lines[at].row.clone();
        shown_enough(sheet, at, written)?;
        let written = &if sheet.menu == "/user/group" { whole_policies(&old, written) } else { written.clone() };
        let names = written.values.iter().map(|(name, _)| name).chain(&written.unset);
        for name in names {
            let by = sheet.lines[at].written.iter().find(|(known, _)| known == name).map(|(_, by)| *by);
            let by = by.or(sheet.lines[at].added_by.filter(|_| get(&old, name).is_some()));
            let same = match written.values.iter().find(|(known, _)| known == name) {
                Some((_, value)) => get(&old, name).is_some_and(|has| sheet.known.same(name, has, value)),
                None => get(&old, name).is_none(),
            };
            if let Some(by) = by.filter(|_| !same) {
                return Err(Fault::bad_input(format!("edits[{by}] sets {name} of {} to something else", sheet.named(at)))
                    .hint("leave one of the two out"));
            }
        }
        let differs = |(name, value): &&(String, String)| match get(&old, name) {
            Some(has) => !sheet.known.same(name, has, value),
            None => !(value.is_empty() || matches!(value.as_str(), "no" | "false")),
        };
        let values: Pairs = written.values.iter().filter(differs).cloned().collect();
        let unset: Vec<String> =
            written.unset.iter().filter(|name| get(&old, name).is_some_and(|value| !value.is_empty())).cloned().collect();
        sheet.touch(Some(at));
        if values.is_empty() && unset.is_empty() && written.secrets.is_empty() {
            return Ok(());
        }
        let after = overlaid(&old, &values, &unset);
        matched(sheet, task.edit, &after, Some(&old))?;
        if let Some((other, key)) = sheet.taken(&after, Some(at)).filter(|(_, key)| key.iter().any(|name| get(&values, name).is_some())) {
            return Err(taken(sheet, other, &key));
        }
        self.refer(sheet, &values).await?;
        let before = sheet.known.content_of(old.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let secrets = written.secrets.clone();
        let change = if sheet.known.singleton {
            Change::SetSingle { before, values: values.clone(), secrets, unset: unset.clone() }
        } else {
            let find = sheet.find_through(at, &values, &unset)?;
            Change::Set { find, before, values: values.clone(), secrets, unset: unset.clone() }
        };
        let line = &mut sheet.lines[at];
        line.row = after;
        line.written.extend(values.iter().map(|(name, _)| (name.clone(), task.n)).chain(unset.iter().map(|name| (name.clone(), task.n))));
        if !sheet.known.singleton {
            // Found again by what it is now, or the undo would look for something that is no more.
            sheet.find(at)?;
        }
        self.steps.push(step(task, change));
        Ok(())
    }

    async fn remove(&mut self, task: &Task<'_>, sheet: &mut Sheet) -> Result<(), Fault> {
        for at in self.rows(sheet, task.edit)? {
            if let Some(by) = sheet.lines[at].added_by.or(sheet.lines[at].written.first().map(|(_, by)| *by)).or(sheet.lines[at].moved_by) {
                return Err(Fault::bad_input(format!("edits[{by}] changes {}, this one removes it", sheet.named(at)))
                    .hint("leave one of the two out"));
            }
            self.removable(sheet, at).await?;
            let row = sheet.lines[at].row.clone();
            // Whoever may not see it is shown stars.
            let holds_key = get(&row, "private-key").is_some_and(|text| !matches!(text, "" | "no" | "false"));
            if sheet.menu == "/certificate" && holds_key {
                return Err(Fault::bad_input(format!(
                    "{} has its private key on the router, which no undo could give back: it is not removed",
                    sheet.named(at)
                ))
                .hint("a person can remove it on the router itself"));
            }
            let holds_secrets = sheet.holds_secrets(self.device, &row);
            // Whatever refers to it would go on referring to a dead row, even if one of that name is made again.
            // One that is out of use already may hold more than it shows, and could not be made again.
            let by_disabling =
                holds_secrets || (sheet.known.key == ["name"] && sheet.known.is_content("disabled")) || keeps_back(sheet, &row);
            if holds_secrets && !sheet.known.is_content("disabled") {
                return Err(Fault::bad_input(format!(
                    "{} holds what cannot be kept in an undo (a secret, or code), and cannot be disabled instead: it is not removed",
                    sheet.named(at)
                )));
            }
            let find = sheet.find(at)?;
            let place = match (sheet.known.ordered, sheet.next(at)) {
                (false, _) => None,
                (true, None) => Some(Place { before: None }),
                (true, Some(next)) => Some(Place { before: Some(sheet.find(next)?) }),
            };
            let (previous, next) = (sheet.previous(at), sheet.next(at));
            sheet.touch(Some(at));
            if sheet.known.ordered {
                sheet.touch(previous);
                sheet.touch(next);
            }
            let before = sheet.known.content_of(row.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let line = &mut sheet.lines[at];
            line.gone_by = Some(task.n);
            line.lingers = by_disabling;
            if by_disabling {
                line.row = overlaid(&line.row, &disabled(), &[]);
            }
            self.steps.push(step(task, Change::Remove { find, before, place, by_disabling }));
        }
        Ok(())
    }

    fn relocate(&mut self, task: &Task<'_>, sheet: &mut Sheet) -> Result<(), Fault> {
        let edit = task.edit;
        if !sheet.known.ordered {
            return Err(Fault::bad_input(format!("the order of rows of {} means nothing; they are not moved", sheet.menu)));
        }
        if edit.each {
            return Err(Fault::bad_input("move takes one row at a time; leave each out"));
        }
        let Some(at) = self.rows(sheet, edit)?.first().copied() else { return Ok(()) };
        if let Some(by) = sheet.lines[at].added_by.or(sheet.lines[at].moved_by) {
            return Err(
                Fault::bad_input(format!("edits[{by}] already says where {} stands", sheet.named(at))).hint("leave one of the two out")
            );
        }
        let before = self.place(sheet, edit, get(&sheet.lines[at].row, "chain"))?;
        if before == Some(at) {
            return Err(Fault::bad_input(format!("{} cannot stand before itself", sheet.named(at))));
        }
        sheet.touch(Some(at));
        if sheet.next(at) == before {
            return Ok(());
        }
        let find = sheet.find(at)?;
        let from = Place { before: sheet.next(at).map(|next| sheet.find(next)).transpose()? };
        let to = Place { before: before.map(|target| sheet.find(target)).transpose()? };
        let beside = [sheet.previous(at), sheet.next(at), before, sheet.previous(before.unwrap_or(sheet.lines.len()))];
        beside.into_iter().for_each(|at| sheet.touch(at));
        let row = sheet.known.content_of(sheet.lines[at].row.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let mut line = sheet.lines.remove(at);
        line.moved_by = Some(task.n);
        let target = match before {
            Some(target) if target > at => target - 1,
            Some(target) => target,
            None => sheet.lines.len(),
        };
        sheet.lines.insert(target, line);
        self.steps.push(step(task, Change::Move { find, row, from, to }));
        Ok(())
    }

    fn run(&mut self, task: &Task<'_>, sheet: &mut Sheet) -> Result<(), Fault> {
        let command = task.command.clone().unwrap_or_default();
        let args = command::arguments(&command, task.edit)?;
        for at in self.rows(sheet, task.edit)? {
            let find = Some(sheet.find(at)?);
            self.steps.push(step(task, Change::Run { command: command.clone(), find, args: args.clone() }));
        }
        Ok(())
    }

    /// The rows that an edit means.
    fn rows(&self, sheet: &Sheet, edit: &Edit) -> Result<Vec<usize>, Fault> {
        if sheet.known.singleton {
            return Err(Fault::bad_input(format!("{} has no rows; it takes set only", sheet.menu)));
        }
        let found = match sheet.resolve(&edit.which, edit.each) {
            Err(fault) if edit.if_there && fault.kind == Kind::NotFound => return Ok(Vec::new()),
            found => found?,
        };
        if found.len() > MOST_EACH {
            return Err(Fault::bad_input(format!(
                "{} rows of {} are too many for one edit (at most {MOST_EACH})",
                found.len(),
                sheet.menu
            ))
            .hint("narrow the match"));
        }
        Ok(found)
    }

    /// The row to stand before; none for the end. One of several in other chains means none of those: rules do not meet across chains.
    fn place(&self, sheet: &Sheet, edit: &Edit, chain: Option<&str>) -> Result<Option<usize>, Fault> {
        let which = match &edit.place_before {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(which)) => which,
            Some(_) => return Err(Fault::bad_input("place_before: attributes of the row to stand before, or null for the end")),
        };
        if !sheet.known.ordered {
            return Err(Fault::bad_input(format!("the order of rows of {} means nothing; leave place_before out", sheet.menu)));
        }
        let found = sheet.resolve(which, false).or_else(|fault| {
            let Some(chain) = chain.filter(|_| !which.contains_key("chain")) else { return Err(fault) };
            let mut narrow = which.clone();
            narrow.insert("chain".into(), Value::from(chain));
            sheet.resolve(&narrow, false).map_err(|_| fault)
        });
        let found = found.map_err(|fault| Fault {
            said: format!("place_before: {}", fault.said),
            hint: fault.hint.map(|hint| hint.replace(EACH_WOULD_DO, "")),
            ..fault
        })?;
        Ok(found.first().copied())
    }
}

fn step(task: &Task<'_>, change: Change) -> Step {
    Step { edit: u32::try_from(task.n).unwrap_or(u32::MAX), menu: task.menu.clone(), change, gives_access: false }
}

/// A rule that matches everything has to be meant.
fn matched(sheet: &Sheet, edit: &Edit, after: &Pairs, before: Option<&Pairs>) -> Result<(), Fault> {
    let had_none = before.is_some_and(|before| !value::has_matcher(before));
    if !value::is_rule_menu(&sheet.menu) || edit.match_all || value::has_matcher(after) || had_none {
        return Ok(());
    }
    let chain = get(after, "chain").unwrap_or_default();
    Err(Fault::bad_input(format!(
        "a rule of {} without any matcher hits everything that passes chain {:?}",
        sheet.menu,
        value::shown(chain)
    ))
    .hint("add what it is to match, or set match_all: true if it is meant so"))
}

/// Whether a row may hold more than it shows: a disabled route tells where it leads, and nothing else.
fn keeps_back(sheet: &Sheet, row: &Pairs) -> bool {
    sheet.menu.ends_with("/route") && value::is(row, "disabled")
}

/// What a row does not show cannot be given back.
fn shown_enough(sheet: &Sheet, at: usize, written: &Written) -> Result<(), Fault> {
    let line = &sheet.lines[at];
    let mut names = written.values.iter().map(|(name, _)| name).chain(&written.unset);
    match names.find(|name| sheet.known.hides(name) && get(&line.row, name).is_none()) {
        Some(name) if line.added_by.is_none() && keeps_back(sheet, &line.row) => Err(Fault::bad_input(format!(
            "{name} of {} is not shown while it is disabled, so what it is now could not be given back",
            sheet.named(at)
        ))
        .hint("enable it first, in a plan of its own")),
        _ => Ok(()),
    }
}

/// What single menus insist on for a new row.
fn shape(sheet: &Sheet, values: &Pairs) -> Result<(), Fault> {
    let has = |name: &str| get(values, name).is_some_and(|value| !value.is_empty());
    if sheet.menu == "/ip/dns/static" && has("name") == has("regexp") {
        return Err(Fault::bad_input("a static record has either a name or a regexp"));
    }
    Ok(())
}

fn taken(sheet: &Sheet, other: usize, key: &[String]) -> Fault {
    let by = sheet.lines[other].added_by.map(|by| format!(" (added by edits[{by}])")).unwrap_or_default();
    let lingers = if sheet.lines[other].lingers { "; it is removed only once the change is confirmed" } else { "" };
    Fault::bad_input(format!("{} is taken: {}{by} has it{lingers}", key.join(" with "), sheet.named(other)))
        .hint("set that row, or give the new one another value")
}
