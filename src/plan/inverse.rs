//! The script that undoes a change, as the router itself will run it. Pure.
//!
//! Rules it keeps:
//! - Steps are undone in reverse order, each by key and content, never by number or `.id`: rows that were made again have other ids.
//! - Compare and restore: a row that is neither as the plan left it nor as it was belongs to whoever changed it since; it is left
//!   alone and the log says so. What gives access back is written whatever the row looks like; where its row is not found, the step has
//!   failed and is tried again.
//! - Idempotent: run twice, or again after half of it failed, it comes to the same.
//! - It tries for a minute, writes what it did to the log, and takes its timer and itself away. Removing a script does not stop it.
//! - No secret: rows that hold one are disabled and enabled, never made again.
//!
//! Traps it avoids (each silently breaks an undo): values in `where` are quoted, since `/` ends an unquoted one; a set on an empty list
//! is no error, so rows are counted first; a variable named like an attribute means the attribute; an absent attribute may be an
//! error to `get`; a parse error anywhere makes the whole script invalid, so nothing stands in it that the menu may not have.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>

mod locate;
mod spelling;

use crate::base::fault::Fault;
use crate::plan::form::{Form, Known, Pairs, get};
use crate::plan::record::{Change, Find, Place, PlanId, Step};
use crate::routeros::script::quote;
use locate::{following, located, locating, weaker};
use spelling::{assignment, condition, is_comparable, word};
use std::collections::BTreeMap;

/// Longest script taken, bytes: what the router's own editor holds.
pub const MAX_BYTES: usize = 30_000;
/// Rounds, and seconds between them: a minute in all.
const ROUNDS: u32 = 12;
const PAUSE_S: u32 = 5;

/// The name of a plan's script and timer on a router.
pub fn name(plan: &PlanId) -> String {
    format!("{PREFIX}{}", plan.digits())
}

/// What names of ours on a router begin with.
pub const PREFIX: &str = "mcp-guard-";

/// What the script writes to the log when it begins, after its name.
pub const BEGINS: &str = "undoing";
/// What it writes when it ends, after its name.
pub const ENDED: &str = "ended";

/// How rows that steps add are found by what a router takes to the letter alone, by the step's place.
pub type Letters = BTreeMap<usize, Find>;

/// The source of the script that undoes these steps.
///
/// # Errors
/// `BadInput` when it would be longer than a router takes, `Bug` for a step on a menu that is not in `known`.
pub fn script(plan: &PlanId, steps: &[Step], known: &[Known], letters: &Letters) -> Result<String, Fault> {
    let name = name(plan);
    let mut body = String::new();
    for (at, step) in steps.iter().enumerate().rev().filter(|(_, step)| !matches!(step.change, Change::Run { .. })) {
        let menu = known.iter().find(|known| known.menu == step.menu);
        let menu = menu.ok_or_else(|| Fault::bug(NotDrafted(step.menu.clone())))?;
        if let Some(lines) = undo(step, menu, letters.get(&at))? {
            body.push_str(&format!("  :do {{\n{lines}  }} on-error={{ :set mcpbad ($mcpbad + 1) }}\n"));
        }
    }
    let said = |words: &str| format!("\"{name} {words}\"");
    let source = format!(
        "# undoes {plan}; made by routeros-mcp, removes itself\n\
         :log warning {begins}\n\
         :local mcpround 0\n:local mcpbad 1\n:local mcpkept 0\n\
         :while (($mcpbad > 0) && ($mcpround < {ROUNDS})) do={{\n  :set mcpbad 0\n  :set mcpkept 0\n\
         {body}\
         \x20 :set mcpround ($mcpround + 1)\n\
         \x20 :if (($mcpbad > 0) && ($mcpround < {ROUNDS})) do={{ :delay {PAUSE_S}s }}\n}}\n\
         :log warning ({ended} . $mcpbad . \", left to others \" . $mcpkept)\n\
         :do {{ /system/scheduler/remove [find where name={quoted}] }} on-error={{}}\n\
         :do {{ /system/script/remove [find where name={quoted}] }} on-error={{}}\n",
        begins = said(BEGINS),
        ended = said(&format!("{ENDED}: failed steps ")),
        quoted = quote(&name),
    );
    if source.len() > MAX_BYTES {
        return Err(Fault::bad_input(format!("undoing this would take a script of {} bytes; a router takes {MAX_BYTES}", source.len()))
            .hint("split the plan"));
    }
    Ok(source)
}

#[derive(Debug, thiserror::Error)]
#[error("a step on {0}, which the draft does not know")]
struct NotDrafted(String);

/// What undoes one step; nothing for what cannot and need not be undone.
fn undo(step: &Step, known: &Known, letters: Option<&Find>) -> Result<Option<String>, Fault> {
    Ok(match &step.change {
        Change::Run { .. } => None,
        Change::Add { values, find, .. } => Some(undo_add(known, find, letters, values, step.gives_access)?),
        Change::Set { find, before, values, unset, .. } => {
            let after = step.change.find_after().unwrap_or_else(|| find.clone());
            let left = step.change.after().unwrap_or_default();
            let at = Row { known, finds: vec![&after, find], weaker: vec![weaker(known, &left), weaker(known, before)] };
            Some(at.put_back(touched(before, values, unset), before, step.gives_access)?)
        }
        Change::SetSingle { before, values, unset, .. } => {
            let at = Row { known, finds: Vec::new(), weaker: Vec::new() };
            Some(at.put_back(touched(before, values, unset), before, step.gives_access)?)
        }
        Change::Remove { find, before, by_disabling: true, .. } => {
            let at = Row { known, finds: vec![find], weaker: vec![weaker(known, before)] };
            let was = vec![("disabled".into(), get(before, "disabled").unwrap_or("no").to_owned())];
            Some(at.restore(&[Touched { name: "disabled".into(), new: Some("yes".into()) }], &was, true, step.gives_access)?)
        }
        Change::Remove { find, before, place, .. } => Some(undo_remove(known, find, before, place.as_ref(), step.gives_access)?),
        Change::Move { find, from, to, .. } => Some(undo_move(known, find, from, to, step.gives_access)?),
    })
}

/// An attribute a step wrote, and what it wrote; nothing: took it away.
struct Touched {
    name: String,
    new: Option<String>,
}

fn touched(before: &Pairs, values: &Pairs, unset: &[String]) -> Vec<Touched> {
    let set = values.iter().filter(|(name, value)| get(before, name) != Some(value)).map(|(name, value)| (name, Some(value.clone())));
    set.chain(unset.iter().map(|name| (name, None))).map(|(name, new)| Touched { name: name.clone(), new }).collect()
}

/// Takes away the row that was added, unless somebody made it their own. One that keeps us out is also found where the router spells
/// a comment or an address of it otherwise.
fn undo_add(known: &Known, find: &Find, letters: Option<&Find>, values: &Pairs, always: bool) -> Result<String, Fault> {
    let menu = &known.menu;
    let remove = format!("{menu}/remove $mcprow");
    let letters = letters.cloned().into_iter().collect::<Vec<_>>();
    let mut lines = located(known, &[find], &letters, always)?;
    let act = if always {
        remove
    } else {
        // Only what a router takes to the letter: it may have worked out the rest anew (the network of an address).
        let literal = values.iter().filter(|(name, _)| matches!(known.form(name), Form::Text | Form::Flag));
        let seen = Seen::of(known, false, literal.map(|(name, value)| (name.clone(), [Some(value.clone())])))?;
        let (reading, ours) = (&seen.reading, seen.all_one_of());
        format!("\n{reading}      :if ({ours}) do={{ {remove} }} else={{ :set mcpkept ($mcpkept + 1) }}\n     ")
    };
    lines.push_str(&format!("    :if ([:len $mcprow] = 1) do={{ {act} }}\n"));
    lines.push_str("    :if ([:len $mcprow] > 1) do={ :set mcpbad ($mcpbad + 1) }\n");
    Ok(lines)
}

/// Makes a removed row again, where it stood.
fn undo_remove(known: &Known, find: &Find, before: &Pairs, place: Option<&Place>, always: bool) -> Result<String, Fault> {
    let menu = &known.menu;
    let mut values = String::new();
    let says = |name: &str, value: &str| !value.is_empty() || known.form(name) == Form::Flag;
    for (name, value) in before.iter().filter(|(name, value)| !known.is_secret(name) && says(name, value)) {
        values.push_str(&assignment(known, name, value)?);
    }
    let add = format!("{menu}/add{values}");
    let act = match place.and_then(|place| place.before.as_ref()) {
        None => add,
        Some(next) => format!(
            "\n{}      :if ([:len $mcpnext] = 1) do={{ {menu}/add place-before=$mcpnext{values} }} else={{ {add} }}\n     ",
            locating(known, next, "mcpnext")?
        ),
    };
    Ok(format!("{}    :if ([:len $mcprow] = 0) do={{ {act} }}\n", located(known, &[find], &[], always)?))
}

/// Puts a moved row back before the one it stood before, unless somebody moved it on.
fn undo_move(known: &Known, find: &Find, from: &Place, to: &Place, always: bool) -> Result<String, Fault> {
    let menu = &known.menu;
    let mut lines = located(known, &[find], &[], always)?;
    let mut conditions = vec!["[:len $mcprow] = 1".to_owned()];
    if !always {
        lines.push_str(&following(menu));
        conditions.push(match &to.before {
            None => "[:len $mcpnow] = 0".to_owned(),
            Some(next) => {
                lines.push_str(&locating(known, next, "mcpto")?);
                "$mcpnow = [:tostr $mcpto]".to_owned()
            }
        });
    }
    let act = match &from.before {
        None => format!("{menu}/move $mcprow"),
        Some(next) => {
            lines.push_str(&locating(known, next, "mcpnext")?);
            conditions.push("[:len $mcpnext] = 1".to_owned());
            format!("{menu}/move $mcprow destination=$mcpnext")
        }
    };
    let condition = all(conditions.into_iter());
    lines.push_str(&format!("    :if ({condition}) do={{ {act} }} else={{ {} }}\n", missing(always)));
    Ok(lines)
}

/// A row that is not there was taken away by somebody else; where it keeps us out, it may only not have been found.
fn missing(gives_access: bool) -> &'static str {
    if gives_access { ":set mcpbad ($mcpbad + 1)" } else { ":set mcpkept ($mcpkept + 1)" }
}

/// A row that stays, or the menu itself where it has no rows.
struct Row<'a> {
    known: &'a Known,
    /// How it may be found: as the plan left it, as it was. None for a menu without rows.
    finds: Vec<&'a Find>,
    /// How one that keeps us out may be found where these find nothing.
    weaker: Vec<Option<Find>>,
}

impl Row<'_> {
    /// Writes old values back: those that give access back in any case, beside them only what is still as the plan left it.
    fn put_back(&self, touched: Vec<Touched>, before: &Pairs, gives_access: bool) -> Result<String, Fault> {
        let (access, beside): (Vec<_>, Vec<_>) =
            touched.into_iter().partition(|touched| gives_access && self.known.bears_access(&touched.name));
        let mut lines = String::new();
        if !access.is_empty() {
            lines.push_str(&self.restore(&access, before, true, true)?);
        }
        if !beside.is_empty() {
            // What is declared twice in one scope need not be new.
            let these = self.restore(&beside, before, false, gives_access)?;
            lines.push_str(&if access.is_empty() { these } else { format!("    :do {{\n{these}    }}\n") });
        }
        Ok(lines)
    }

    /// Writes old values back, `always` or where they are still as the plan left them.
    fn restore(&self, touched: &[Touched], before: &Pairs, always: bool, gives_access: bool) -> Result<String, Fault> {
        let menu = &self.known.menu;
        let single = self.finds.is_empty();
        let row = if single { "" } else { " $mcprow" };
        let mut act = String::new();
        let mut set = String::new();
        for Touched { name, .. } in touched {
            match (get(before, name), self.known.form(name)) {
                (Some(old), _) => set.push_str(&assignment(self.known, name, old)?),
                // How one is switched off is not written down anywhere: one of the two is right.
                (None, _) if self.known.unset && self.known.is_bare(name) => {
                    let name = word(name)?;
                    act.push_str(&format!(
                        "      :do {{ {menu}/unset{row} value-name={name} }} on-error={{ {menu}/set{row} {name}=no }}\n"
                    ));
                }
                (None, Form::Flag) => set.push_str(&assignment(self.known, name, "no")?),
                (None, _) if name == "comment" || !self.known.unset => set.push_str(&assignment(self.known, name, "")?),
                (None, _) => act.push_str(&format!("      {menu}/unset{row} value-name={}\n", word(name)?)),
            }
        }
        if !set.is_empty() {
            act.push_str(&format!("      {menu}/set{row}{set}\n"));
        }
        if !always {
            let pairs = |touched: &Touched| (touched.name.clone(), [touched.new.clone(), get(before, &touched.name).map(str::to_owned)]);
            let seen = Seen::of(self.known, single, touched.iter().map(pairs))?;
            let (ours, old) = (seen.all_one_of(), seen.all_last());
            act = format!("      :if ({ours}) do={{\n{act}      }} else={{ :set mcpkept ($mcpkept + 1) }}\n");
            if seen.whole {
                act = format!("      :if ({old}) do={{}} else={{\n{act}      }}\n");
            }
            act = format!("{}{act}", seen.reading);
        }
        if single {
            return Ok(act);
        }
        let weaker: Vec<Find> = self.weaker.iter().flatten().cloned().collect();
        let mut lines = located(self.known, &self.finds, &weaker, gives_access)?;
        lines.push_str(&format!("    :if ([:len $mcprow] = 1) do={{\n{act}    }} else={{\n"));
        // Several: nobody can say which it was. None: somebody took it away.
        let missing = missing(gives_access);
        lines.push_str(&format!("      :if ([:len $mcprow] > 1) do={{ :set mcpbad ($mcpbad + 1) }} else={{ {missing} }}\n    }}\n"));
        Ok(lines)
    }
}

/// Attributes read into variables, to be compared. What the console may spell another way than REST is left out.
struct Seen {
    /// The lines that read them.
    reading: String,
    /// The variable of each, and for each wanted value the condition that it has it.
    conditions: Vec<Vec<String>>,
    /// Nothing was left out.
    whole: bool,
}

impl Seen {
    /// Attributes, each with the values it may have.
    fn of<const N: usize>(
        known: &Known,
        single: bool,
        attributes: impl Iterator<Item = (String, [Option<String>; N])>,
    ) -> Result<Seen, Fault> {
        let (menu, row) = (&known.menu, if single { "" } else { "$mcprow " });
        let mut seen = Seen { reading: String::new(), conditions: Vec::new(), whole: true };
        for (name, values) in attributes {
            let form = known.form(&name);
            // What was taken away may read as its default: any value is ours then.
            if known.is_secret(&name) || known.is_bare(&name) || !is_comparable(form) || (N > 1 && values[0].is_none()) {
                seen.whole = false;
                continue;
            }
            let (variable, name) = (format!("mcpv{}", seen.conditions.len()), word(&name)?.to_owned());
            // An absent attribute is nothing on some versions and an error on others.
            seen.reading.push_str(&format!(
                "      :local {variable} \"\"\n      :do {{ :set {variable} [:tostr [{menu}/get {row}{name}]] }} on-error={{}}\n"
            ));
            seen.conditions.push(values.iter().map(|value| condition(form, &variable, value.as_deref())).collect());
        }
        Ok(seen)
    }

    /// Each attribute has one of its values.
    fn all_one_of(&self) -> String {
        all(self.conditions.iter().map(|values| values.join(" || ")))
    }

    /// Each attribute has the last of its values.
    fn all_last(&self) -> String {
        all(self.conditions.iter().filter_map(|values| values.last().cloned()))
    }
}

fn all(conditions: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = conditions.map(|condition| format!("({condition})")).collect();
    if all.is_empty() { "true".to_owned() } else { all.join(" && ") }
}
