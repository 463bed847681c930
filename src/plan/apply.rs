//! Apply: the wire operations, one after the other.
//!
//! A row's `.id` is looked up right before it is used, and the row compared with what the draft saw. A refusal is no proof that
//! nothing happened, and a lost answer none of either: what the router has now is read, and nothing is ever sent twice.

use crate::base::fault::{Fault, Kind};
use crate::fleet::{Write, is_unsent};
use crate::plan::form::{Form, Known, Pairs};
use crate::plan::record::{Change, Find, Intent, Progress, SecretValue, Step, disabled};
use crate::plan::rows::{self, Read, content, one};
use crate::plan::secrets;
use crate::plan::state::DeviceEvent;
use crate::plan::work::{Shown, Work};
use crate::routeros::{MenuPath, Query, Row};
use std::time::Duration;

/// How often a router is asked what became of a change, and the pause between.
const LOOKS: u32 = 3;
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// A request may wait half a minute for its turn at the router and ten seconds for its answer. With less until the guard fires it could
/// arrive after that, and nothing would take it back.
const ARRIVES_WITHIN: Duration = Duration::from_secs(40);
/// Of a guard set shorter than the usual 90 s, the same part is kept.
const KEPT: (u32, u32) = (4, 9);

/// Why it stopped before its end.
pub(super) enum Failed {
    /// Nothing was sent, not even the first step: the router cannot have done anything.
    Unsent(Fault),
    /// A step was refused, or the row is not the one meant; the router can be asked.
    Refused(Fault),
    /// An answer was lost and the router cannot be asked.
    Lost(Fault),
}

impl Failed {
    pub fn fault(self) -> Fault {
        match self {
            Failed::Unsent(fault) | Failed::Refused(fault) | Failed::Lost(fault) => fault,
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Failed::Refused(fault)
    }
}

/// Sends every step that was not sent yet.
pub(super) async fn apply(work: &mut Work) -> Result<(), Failed> {
    let mut has_sent = false;
    match steps(work, &mut has_sent).await {
        Err(Failed::Refused(fault)) if !has_sent => Err(Failed::Unsent(fault)),
        ended => ended,
    }
}

async fn steps(work: &mut Work, has_sent: &mut bool) -> Result<(), Failed> {
    work.intend(Intent::Apply(0)).await?;
    work.note_applying().await?;
    for n in 0..work.draft.steps.len() {
        let step = work.draft.steps[n].clone();
        let rows = if matches!(step.change, Change::Run { find: None, .. }) { Vec::new() } else { rows_of(work, &step).await? };
        let writes = writes(work, n, &step, &rows).await?;
        let (mut added, mut shown) = (None, None);
        for write in writes {
            guarded(work)?;
            let (target, at) = (target(&write), work.core.clock.mono());
            let answer = work.write(write).await;
            *has_sent |= !answer.as_ref().is_err_and(is_unsent);
            added = match answer {
                Ok(answered) => {
                    shown = answered.first().filter(|row| is_the_one(row, target.as_deref(), &rows)).map(|row| (row.clone(), at));
                    answered.first().and_then(Row::id).map(str::to_owned)
                }
                Err(fault) if is_unsent(&fault) => return Err(Failed::Refused(secrets::hidden(work, n, &step, fault).await)),
                Err(fault) => {
                    let fault = secrets::hidden(work, n, &step, fault).await;
                    added = doubt(work, n, &step, &rows, fault).await?;
                    break;
                }
            };
        }
        work.shown.extend(shown.map(|(row, at)| Shown { step: n, row, at }));
        let added = added.filter(|_| matches!(step.change, Change::Add { .. })).map(|id| (n as u32, id));
        let next = n + 1;
        let intent = (next < work.draft.steps.len()).then_some(Intent::Apply(next as u32));
        work.note(|progress| {
            progress.steps_done = next as u32;
            progress.intent = intent;
            progress.added.extend(added.clone());
        })
        .await?;
    }
    Ok(())
}

impl Work {
    /// The first wire operation is about to be sent.
    async fn note_applying(&mut self) -> Result<(), Fault> {
        let change = |progress: &mut Progress| {
            progress.happen(DeviceEvent::Apply)?;
            progress.intent = Some(Intent::Apply(0));
            Ok(())
        };
        self.progress = self.core.book.change(&self.plan.id, &self.draft.device, change).await?;
        Ok(())
    }
}

/// The row that a request is about, where there is one already.
fn target(write: &Write) -> Option<String> {
    match write {
        Write::Set { id, .. } => id.clone(),
        _ => None,
    }
}

/// Whether a row that was answered is the one that was written: the one named, or one that was not there before.
fn is_the_one(row: &Row, target: Option<&str>, before: &[Row]) -> bool {
    row.id().is_some_and(|id| match target {
        Some(target) => id == target,
        None => !before.iter().any(|other| other.id() == Some(id)),
    })
}

/// Errs when the guard may fire before a request arrives: a disk or a router took its time since it was armed, or the box slept.
fn guarded(work: &Work) -> Result<(), Fault> {
    let within = ARRIVES_WITHIN.min(work.wait() * KEPT.0 / KEPT.1);
    match work.left() {
        Some(left) if left <= within => {
            let name = &work.device.name;
            Err(Fault::new(
                Kind::Conflict,
                format!("device \"{name}\": the guard fires in {} s, too soon to change anything", left.as_secs()),
            ))
        }
        _ => Ok(()),
    }
}

async fn rows_of(work: &Work, step: &Step) -> Result<Vec<Row>, Fault> {
    // Menus of commands are not among what is compared.
    if work.is_light() && work.progress.steps_done == 0 && !matches!(step.change, Change::Run { .. }) {
        return Ok(work.read().await?.rows(&step.menu).to_vec());
    }
    work.rows(&step.menu, Query::new()).await
}

/// After an error: is the step done all the same? What cannot be read stays unknown. Answers the `.id` of a row that was added.
async fn doubt(work: &mut Work, n: usize, step: &Step, before: &[Row], fault: Fault) -> Result<Option<String>, Failed> {
    if matches!(fault.kind, Kind::BadInput | Kind::Denied | Kind::Busy) {
        return Err(Failed::Refused(fault));
    }
    if matches!(step.change, Change::Run { .. }) {
        // What it did leaves no row that could be looked at.
        let is_refused = matches!(fault.kind, Kind::RouterDenied | Kind::NotFound);
        return Err(if is_refused { Failed::Refused(fault) } else { Failed::Lost(fault) });
    }
    for look in 0..LOOKS {
        if look > 0 {
            work.core.clock.sleep(LOOK_PAUSE).await;
            if let Err(fault) = work.renew().await {
                tracing::debug!(device = %work.device.name, "no new connection: {}", fault.chain());
                continue;
            }
        }
        let Ok(rows) = work.rows(&step.menu, Query::new()).await else { continue };
        let mut read = Read::default();
        read.put(&step.menu, rows);
        let short = rows::short_of(&work.draft, std::slice::from_ref(step), &read);
        if !short.is_empty() {
            // A request whose answer was lost may still be on its way through a slow router.
            if fault.kind == Kind::UnknownOutcome && look + 1 < LOOKS {
                continue;
            }
            if let Some(id) = respelt(work, step, before, read.rows(&step.menu)) {
                work.note(|progress| progress.added.push((n as u32, id.clone()))).await?;
            }
            return Err(Failed::Refused(fault));
        }
        let known = work.draft.known(&step.menu);
        let found = known.zip(step.change.find_after()).and_then(|(known, find)| one(known, read.rows(&step.menu), &find).ok());
        return Ok(found.and_then(|(_, row)| row.id()).map(str::to_owned));
    }
    Err(Failed::Lost(fault))
}

/// A row that has come since and may be the one of a lost answer, with texts that the router spells otherwise: it is no proof that it
/// is ours, but reason enough not to say that nothing was added.
fn respelt(work: &Work, step: &Step, before: &[Row], now: &[Row]) -> Option<String> {
    let (known, Change::Add { values, .. }) = (work.draft.known(&step.menu)?, &step.change) else { return None };
    let alike = |row: &&Row| {
        values.iter().all(|(name, value)| {
            rows::holds(known, row.get(name), name, value) || (known.form(name) == Form::Text && row.get(name).is_some())
        })
    };
    let new = now.iter().filter(|row| row.id().is_some() && !before.iter().any(|other| other.id() == row.id()));
    new.filter(alike).find_map(Row::id).map(str::to_owned)
}

/// The requests a step is made of.
async fn writes(work: &Work, n: usize, step: &Step, rows: &[Row]) -> Result<Vec<Write>, Fault> {
    let path = MenuPath::parse(&step.menu)?;
    if let Change::Run { command, find: None, args } = &step.change {
        // About no row: its menu was not read.
        return Ok(vec![Write::Command { path, command: command.clone(), args: args.clone() }]);
    }
    let known = work.draft.known(&step.menu);
    let known = known.ok_or_else(|| Fault::bug(format!("step {n} is about a menu its draft does not know")))?;
    let lookup = |find: &Find| id(work, known, rows, find);
    Ok(match &step.change {
        Change::Add { values, secrets, place, find } => {
            if rows::standing(known, rows, find).is_some() {
                return Err(moved(work, &step.menu, "a row like the new one has come since the draft"));
            }
            let mut values = with_secrets(work, n, values, secrets).await?;
            if let Some(before) = place.as_ref().and_then(|place| place.before.as_ref()) {
                // The router takes an unknown place for the end without a word.
                values.push(("place-before".into(), lookup(before)?));
            }
            vec![Write::Add { path, values }]
        }
        Change::Set { find, before, values, secrets, unset } => {
            let id = lookup(find)?;
            unchanged(work, known, rows, n, Some(find), before)?;
            let mut values = with_secrets(work, n, values, secrets).await?;
            // Where nothing can be taken away, it is emptied.
            let emptied = unset.iter().filter(|_| !known.unset);
            values.extend(emptied.map(|name| (name.clone(), String::new())));
            let unset = unset.iter().filter(|_| known.unset);
            let set = (!values.is_empty()).then(|| Write::Set { path: path.clone(), id: Some(id.clone()), values });
            let unset = unset.map(|name| Write::Unset { path: path.clone(), id: id.clone(), name: name.clone() });
            set.into_iter().chain(unset).collect()
        }
        Change::SetSingle { before, values, secrets, unset } => {
            unchanged(work, known, rows, n, None, before)?;
            let mut values = with_secrets(work, n, values, secrets).await?;
            values.extend(unset.iter().map(|name| (name.clone(), String::new())));
            vec![Write::Set { path, id: None, values }]
        }
        Change::Remove { find, before, by_disabling, .. } => {
            let id = lookup(find)?;
            unchanged(work, known, rows, n, Some(find), before)?;
            vec![if *by_disabling { Write::Set { path, id: Some(id), values: disabled() } } else { Write::Remove { path, id } }]
        }
        Change::Move { find, to, .. } => {
            let before = to.before.as_ref().map(lookup).transpose()?;
            vec![Write::Move { path, id: lookup(find)?, before }]
        }
        Change::Run { command, find, args } => {
            let id = find.as_ref().map(lookup).transpose()?;
            let args = id.map(|id| (".id".to_owned(), id)).into_iter().chain(args.iter().cloned()).collect();
            vec![Write::Command { path, command: command.clone(), args }]
        }
    })
}

/// Errs when a row is not as the draft saw it. One that an earlier step wrote is judged after all steps.
fn unchanged(work: &Work, known: &Known, rows: &[Row], n: usize, find: Option<&Find>, before: &Pairs) -> Result<(), Fault> {
    if work.draft.steps[..n].iter().any(|earlier| earlier.menu == known.menu) {
        return Ok(());
    }
    let row = match find {
        Some(find) => one(known, rows, find).ok().map(|(_, row)| row),
        None => rows.first(),
    };
    let names = row.map(|row| known.differences(before, &content(known, row))).unwrap_or_default();
    if names.is_empty() { Ok(()) } else { Err(moved(work, &known.menu, &format!("{} changed since the draft", names.join(", ")))) }
}

pub(super) fn id(work: &Work, known: &Known, rows: &[Row], find: &Find) -> Result<String, Fault> {
    match one(known, rows, find) {
        Ok((_, row)) => row.id().map(str::to_owned).ok_or_else(|| moved(work, &known.menu, "a row without an id")),
        Err(lost) => Err(moved(work, &known.menu, &lost.words())),
    }
}

fn moved(work: &Work, menu: &str, why: &str) -> Fault {
    Fault::new(Kind::Conflict, format!("device \"{}\": {menu}: {why}", work.device.name)).hint("plan it anew")
}

async fn with_secrets(work: &Work, n: usize, values: &Pairs, secrets: &[SecretValue]) -> Result<Pairs, Fault> {
    let mut all = values.clone();
    for secret in secrets {
        let value = secrets::value(work, n, secret).await?;
        all.push((secret.attribute.clone(), value.expose().to_owned()));
    }
    Ok(all)
}
