//! Secrets a change writes: made here or kept in the vault, never seen by whoever asked, never in a plan's records, logs or scripts.
//!
//! One made for a change is the same each time it is asked for. When the change stays it is offered, so that a person can see it once;
//! when it does not, nobody needs it and it goes.

use crate::access::handle::{Handle, Spot};
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::secret::Secret;
use crate::fleet::Device;
use crate::plan::hold::Core;
use crate::plan::record::{Change, Draft, PlanId, Progress, SecretValue, Step};
use crate::plan::state::DeviceState;
use crate::plan::work::Work;
use crate::store::Vault;
use crate::store::vault::Made;
use serde_json::{Value, json};

/// The value of a secret: the same one each time it is asked for.
pub(super) async fn value(work: &Work, step: usize, secret: &SecretValue) -> Result<Secret, Fault> {
    let menu = work.draft.steps.get(step).map(|step| step.menu.as_str()).unwrap_or_default();
    let key = key(&work.plan.id, &work.draft.device, step, &secret.attribute);
    let spot = Spot { menu, attribute: &secret.attribute, device: work.device.traits(), key: &key };
    handle(menu, secret)?.resolve(&work.core.vault, &spot).await
}

/// What went wrong with a step, without the secrets it wrote: a router may say back to us what we sent.
pub(super) async fn hidden(work: &Work, n: usize, step: &Step, fault: Fault) -> Fault {
    let mut sent = Vec::new();
    for secret in secrets_of(step) {
        match value(work, n, secret).await {
            Ok(value) => sent.push(value),
            Err(_) => return Fault::new(fault.kind, "the router refused a request that holds a secret"),
        }
    }
    if sent.is_empty() { fault } else { scrubbed(fault, &sent.iter().collect::<Vec<_>>()) }
}

/// A fault without these secrets in its words, and without its cause.
pub(super) fn scrubbed(fault: Fault, secrets: &[&Secret]) -> Fault {
    let clean = |text: &str| {
        secrets.iter().filter(|secret| !secret.is_empty()).fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "•••"))
    };
    let mut clean_fault = Fault::new(fault.kind, clean(&fault.said));
    clean_fault.hint = fault.hint.as_deref().map(clean);
    clean_fault
}

/// Whether every secret of a draft will be there when it is needed; changes nothing.
///
/// # Errors
/// `NotFound` and `Denied` for entries of the vault that are not there, or not for this menu or device.
pub fn check(vault: &Vault, device: &Device, draft: &Draft) -> Result<(), Fault> {
    for (n, menu, secret) in all(draft) {
        let key = key(&draft.plan, &draft.device, n, &secret.attribute);
        let spot = Spot { menu, attribute: &secret.attribute, device: device.traits(), key: &key };
        handle(menu, secret)?.check(vault, &spot)?;
    }
    Ok(())
}

/// Once devices have come to their ends: made secrets that routers hold may be looked at, the others go.
pub(super) async fn settle(core: &Core, devices: &[(Draft, Progress)]) {
    for (draft, progress) in devices {
        for (n, _, secret) in all(draft).filter(|(_, _, secret)| secret.handle == GENERATE) {
            let key = key(&draft.plan, &draft.device, n, &secret.attribute);
            let done = match progress.state {
                DeviceState::Confirmed => core.vault.offer(&key).await,
                DeviceState::RolledBack | DeviceState::Skipped | DeviceState::Pending => core.vault.discard(&key).await,
                // Nobody knows whether the router has it.
                _ => continue,
            };
            match done.map_err(Fault::from) {
                Err(fault) if !matches!(fault.kind, Kind::NotFound | Kind::Conflict) => {
                    tracing::warn!(plan = %draft.plan, "a made secret was not settled: {}", fault.chain());
                }
                _ => {}
            }
        }
    }
}

/// The secrets that were made for a plan, for persons: what each is for, how it is named to see it, and whether it still can be seen.
pub fn made(vault: &Vault, plan: &PlanId) -> Result<Vec<Value>, Fault> {
    let start = format!("{plan}/");
    let told = |(key, made): &(String, Made)| {
        json!({
            "secret": key.strip_prefix(&start).unwrap_or(key),
            "device": made.about.device,
            "menu": made.about.menu,
            "attribute": made.about.attribute,
            "can_be_seen": made.offered && made.seen.is_none(),
            "seen_by": made.seen.as_ref().map(|(_, by)| by),
            "seen_at": made.seen.as_ref().map(|(at, _)| at.rfc3339()),
        })
    };
    Ok(vault.made_of(&start)?.iter().map(told).collect())
}

const GENERATE: &str = "generate";

fn handle(menu: &str, secret: &SecretValue) -> Result<Handle, Fault> {
    let handle = Handle::of(menu, &secret.attribute, &json!({ "secret": secret.handle }))?;
    handle.ok_or_else(|| Fault::bug("a handle that is none stands in a plan"))
}

fn all(draft: &Draft) -> impl Iterator<Item = (usize, &str, &SecretValue)> {
    draft.steps.iter().enumerate().flat_map(|(n, step)| secrets_of(step).iter().map(move |secret| (n, step.menu.as_str(), secret)))
}

fn secrets_of(step: &Step) -> &[SecretValue] {
    match &step.change {
        Change::Add { secrets, .. } | Change::Set { secrets, .. } | Change::SetSingle { secrets, .. } => secrets,
        Change::Remove { .. } | Change::Move { .. } | Change::Run { .. } => &[],
    }
}

/// Names a made value for good.
fn key(plan: &PlanId, device: &DeviceId, step: usize, attribute: &str) -> String {
    format!("{plan}/{device}/{step}/{attribute}")
}
