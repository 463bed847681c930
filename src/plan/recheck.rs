//! Before anything is done: is everything still as it was when the plan was drafted and approved?
//!
//! Whatever is not leaves the device out, untouched.

use crate::access::policy::{Decision, Target, Verb, decide};
use crate::access::principal::{Limits, Principal};
use crate::base::fault::{Fault, Kind};
use crate::base::tier::{Effect, Tier};
use crate::fleet::{Capability, Device};
use crate::menus;
use crate::plan::digest;
use crate::plan::draft::cut_now;
use crate::plan::edit::{TAKES_BACK, makes_plans};
use crate::plan::guard::{SCRIPTS, digits_of};
use crate::plan::hold::Core;
use crate::plan::record::{Change, Cut, Difference, Draft, Step};
use crate::plan::rows;
use crate::plan::work::{CPU_CRITICAL, MEMORY_CRITICAL, Work};
use crate::routeros::{Query, Version};

/// Checks everything again and reads how the router is.
pub(super) async fn recheck(work: &mut Work) -> Result<(), Fault> {
    // Who throws that switch means the routers that are still to come too; not the way back of those that are done.
    let is_new = makes_plans(&work.plan.origin) && work.plan.origin != TAKES_BACK;
    if is_new && !work.core.rules.applies_plans() {
        return Err(Fault::denied("applying plans was switched off meanwhile").hint("the operator can set mcp.enable_plan_apply"));
    }
    same_draft(work)?;
    same_router(&work.draft, &work.device)?;
    work.core.fleet.takes_changes(&work.device)?;
    let starter = work.plan.started_by.as_ref().unwrap_or(&work.plan.author).principal();
    may(&work.core, &work.plan.author.principal(), &work.plan.origin, &work.device, &work.draft.steps)?;
    may(&work.core, &starter, &work.plan.origin, &work.device, &work.draft.steps)?;
    if !work.is_light() {
        let now = work.resource().await?;
        same_version(&work.device, &now.version, work.draft.version.as_deref())?;
        let vitals = now.vitals;
        // In no state to be changed.
        if vitals.cpu.is_some_and(|load| load >= CPU_CRITICAL) || vitals.memory.is_some_and(|used| used >= MEMORY_CRITICAL) {
            return Err(
                conflict(&work.device, "its processor or memory is at the limit").hint("wait until it has calmed down, then plan anew")
            );
        }
        work.before = Some(now);
    }
    let differences = rows::since(&work.draft, &work.read().await?);
    // Everything may have been read over SSH.
    work.lane.takes_changes().await?;
    if differences.is_empty() {
        alone(work).await?;
        return still_lets_us_in(work).await;
    }
    let fault = conflict(&work.device, &told(&differences)).hint("rows changed since the draft; nothing was done: plan it anew");
    work.note(|progress| progress.difference.clone_from(&differences)).await?;
    Err(fault)
}

/// No other plan waits on the router for its word. One with a guard of its own sees that when it arms; a small direct change asks
/// no more than it must.
async fn alone(work: &Work) -> Result<(), Fault> {
    if work.draft.wants_guard() || work.is_light() {
        return Ok(());
    }
    let scripts = work.rows(SCRIPTS, Query::new().columns(["name"])).await?;
    match scripts.iter().find_map(|row| digits_of(row.get("name")?)) {
        None => Ok(()),
        Some(other) => Err(conflict(&work.device, &format!("plan-{other} is being applied there already"))
            .hint("nothing was changed; wait until it has ended, or ask who else looks after this router")),
    }
}

/// Nothing holds an undo where a draft saw no way to be cut off; rows that no step touches may have made one since.
async fn still_lets_us_in(work: &Work) -> Result<(), Fault> {
    if work.draft.wants_guard() || work.is_light() {
        return Ok(());
    }
    let (cut, reasons) = cut_now(&work.lane, &work.device, &work.draft, work.core.rules.environment).await?;
    if cut == Cut::No {
        return Ok(());
    }
    let why = reasons.first().map(|why| format!(": {why}")).unwrap_or_default();
    Err(conflict(&work.device, &format!("as the router is now this could cut our access{why}"))
        .hint("it could not when it was drafted; nothing was done: plan it anew, and it gets a guard"))
}

/// The first difference in words, and how many more there are.
pub(super) fn told(differences: &[Difference]) -> String {
    let Some(first) = differences.first() else { return "nothing differs".into() };
    // Keys hold what people wrote on the router; the record has them, this sentence does not.
    let more = if differences.len() > 1 { format!(", and {} more", differences.len() - 1) } else { String::new() };
    format!("a row of {}: {}{more}", first.menu, first.why)
}

/// The records are those the digest was made over.
fn same_draft(work: &Work) -> Result<(), Fault> {
    let devices = work.core.book.devices(&work.plan)?;
    let drafts: Vec<Draft> = devices.into_iter().map(|(draft, _)| draft).collect();
    if digest::of(&work.plan, &drafts) == work.plan.digest {
        return Ok(());
    }
    Err(conflict(&work.device, "what was approved is not what the records say").hint("plan it anew; restore a backup if this repeats"))
}

/// It is the router the plan was made for.
fn same_router(draft: &Draft, device: &Device) -> Result<(), Fault> {
    if device.facts.flagged {
        return Err(
            conflict(device, "RouterOS found traces of tampering on it").hint("look at the router first; this is a security incident")
        );
    }
    if draft.serial.is_some() && device.facts.serial != draft.serial {
        return Err(conflict(device, "it is another board now").hint("plan it anew"));
    }
    if device.pins != draft.pins {
        return Err(conflict(device, "it was pinned anew since the draft").hint("plan it anew"));
    }
    Ok(())
}

fn same_version(device: &Device, now: &str, drafted: Option<&str>) -> Result<(), Fault> {
    let same = drafted
        .is_none_or(|drafted| drafted == now || (Version::parse(drafted).is_some() && Version::parse(drafted) == Version::parse(now)));
    if same {
        return Ok(());
    }
    Err(conflict(device, "it runs another RouterOS version now").hint("plan it anew: menus and values may differ"))
}

/// Policy and flags on every inner operation.
pub(super) fn may(core: &Core, who: &Principal, origin: &str, device: &Device, steps: &[Step]) -> Result<(), Fault> {
    let direct = !makes_plans(origin);
    for step in steps {
        let facts = menus::find(&step.menu);
        let tier = if is_small(&step.change) { Tier::Basic } else { facts.map_or(Tier::Professional, |menu| menu.change) };
        let target = Target {
            tool: origin,
            toolset: "plan",
            tier,
            effect: if direct { Effect::Changes } else { Effect::Plans },
            for_operators: false,
            device: Some(device.traits()),
            inner: Some((&step.menu, Verb::Write)),
        };
        // A person's toolsets were judged when they called; here they stand for the menu.
        let who = Principal { limits: Limits { toolsets: None, ..who.limits.clone() }, ..who.clone() };
        if let Decision::Deny(refusal) = decide(&who, &target, &core.rules) {
            return Err(Fault { hint: refusal.hint, ..Fault::denied(refusal.said) });
        }
        let topic = facts.and_then(|menu| menu.topic.capability()).filter(|_| !direct && !matches!(step.change, Change::Run { .. }));
        let general = if direct { Capability::Writes } else { Capability::Professional };
        let needed = topic.and_then(|word| word.parse().ok()).into_iter().chain([general]);
        for capability in needed {
            if !device.capabilities.contains(&capability) {
                let word = capability.as_str();
                return Err(Fault::denied(format!("device \"{}\" does not allow {word}", device.name))
                    .hint(format!("an operator can: routeros-mcp device update {} --capability {word} (with those it has)", device.name)));
            }
        }
    }
    Ok(())
}

/// A comment is a small thing in every menu, and so is a harmless command.
fn is_small(change: &Change) -> bool {
    match change {
        Change::Run { .. } => true,
        Change::Set { values, secrets, unset, .. } => {
            secrets.is_empty() && unset.is_empty() && values.iter().all(|(name, _)| name == "comment")
        }
        _ => false,
    }
}

fn conflict(device: &Device, why: &str) -> Fault {
    Fault::new(Kind::Conflict, format!("device \"{}\": {why}", device.name))
}
