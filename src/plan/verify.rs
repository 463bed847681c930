//! Verify: can we still get in, does the change do what it should, and is nothing else worse for it?
//!
//! Over new connections with a login of their own: the lane's connection would live on long after a new one is refused.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::{DeviceId, random};
use crate::fleet::{Device, Fleet, Status};
use crate::plan::edit::Check;
use crate::plan::guard::TOO_CLOSE;
use crate::plan::recheck::told;
use crate::plan::record::Intent;
use crate::plan::rows;
use crate::plan::state::DeviceEvent;
use crate::plan::work::{CPU_CRITICAL, MEMORY_CRITICAL, Resource, Vitals, Work, resource};
use crate::routeros::{MenuPath, Query};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// Something that just changed may need a moment: this often, with this pause.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(3);
/// Load may grow by this many points.
const WORSE: u8 = 20;
/// Other devices looked at before and after.
const OTHERS: usize = 3;
/// Echo requests of a `ping` check.
const ECHOES: &str = "3";

/// Proves everything; writes down that it holds. Errs with the first thing that does not.
pub(super) async fn verify(work: &mut Work) -> Result<(), Fault> {
    work.intend(Intent::Verify).await?;
    if work.draft.settle_s > 0 {
        work.core.clock.sleep(Duration::from_secs(work.draft.settle_s.into())).await;
    }
    holds(work).await?;
    work.reach(DeviceEvent::Verify).await
}

/// Everything that must hold, without writing anything down.
pub(super) async fn holds(work: &mut Work) -> Result<(), Fault> {
    if work.is_light() {
        work.renew().await?;
        return planned(work).await;
    }
    let now = patiently(work, Proof::Reach).await?;
    planned(work).await?;
    for check in &work.plan.verify.clone() {
        patiently(work, Proof::Check(check)).await?;
    }
    if let Some(now) = now {
        healthy(work, &now).await?;
    }
    others(work).await
}

/// Something that is worth more than one try.
#[derive(Clone, Copy)]
enum Proof<'a> {
    /// Every service in use lets us in.
    Reach,
    /// A check of the plan.
    Check(&'a Check),
    /// Another device answers.
    Other(&'a Device),
}

/// A few tries, as long as the guard leaves time for them.
async fn patiently(work: &mut Work, proof: Proof<'_>) -> Result<Option<Resource>, Fault> {
    let mut tries = 1;
    loop {
        let tried = match proof {
            Proof::Reach => reachable(work).await.map(Some),
            Proof::Check(check) => passes(work, check).await.map(|()| None),
            Proof::Other(device) => answers(&work.core.fleet, device).await.map(Some),
        };
        let fault = match tried {
            Ok(proven) => return Ok(proven),
            Err(fault) => fault,
        };
        let time_left = work.left().is_none_or(|left| left > TOO_CLOSE + PAUSE * 2);
        if tries >= TRIES || !time_left || matches!(fault.kind, Kind::Untrusted | Kind::RouterDenied) {
            return Err(fault);
        }
        tries += 1;
        work.core.clock.sleep(PAUSE).await;
    }
}

/// New connections and logins on every service in use.
async fn reachable(work: &mut Work) -> Result<Resource, Fault> {
    work.renew().await?;
    let now = work.resource().await?;
    let fresh = work.fresh.as_ref().expect("it was just made");
    if let Some(let_in) = fresh.knock_over_ssh().await {
        let_in.map_err(|fault| Fault { said: format!("over SSH: {}", fault.said), ..fault })?;
    }
    Ok(now)
}

/// The rows are as the steps should leave them.
async fn planned(work: &mut Work) -> Result<(), Fault> {
    let differences = rows::short_of(&work.draft, &work.draft.steps, &work.read().await?);
    if differences.is_empty() {
        return Ok(());
    }
    let said = format!("device \"{}\": not as planned: {}", work.device.name, told(&differences));
    work.note(|progress| progress.difference.clone_from(&differences)).await?;
    Err(Fault::new(Kind::Rejected, said))
}

/// One check of the plan.
async fn passes(work: &mut Work, check: &Check) -> Result<(), Fault> {
    if let Some(name) = &check.reach {
        let other = work.core.fleet.find(name)?;
        return answers(&work.core.fleet, &other).await.map(drop);
    }
    let Some(address) = &check.ping else { return Ok(()) };
    let from = match &check.from {
        Some(name) => work.core.fleet.find(name)?,
        None => work.device.clone(),
    };
    let args = [("address", address.as_str()), ("count", ECHOES)];
    let answer = work.core.fleet.lane(&from).run(MenuPath::parse("/tool")?, "ping", &args, Duration::from_secs(15)).await?;
    let number = |name: &str| answer.rows.last().and_then(|row| row.get(name)).and_then(|text| text.parse::<u32>().ok());
    let echoes = answer.rows.iter().filter(|row| row.get("time").is_some() && row.get("status").is_none()).count() as u32;
    if number("received").unwrap_or(echoes) > 0 {
        return Ok(());
    }
    Err(Fault::new(Kind::Unreachable, format!("no reply to a ping of {address} from \"{}\"", from.name)))
}

/// No heavier load than before. One look may fall on a busy moment: what persists counts.
async fn healthy(work: &mut Work, now: &Resource) -> Result<(), Fault> {
    let Some(before) = work.before.as_ref().map(|before| before.vitals) else { return Ok(()) };
    let mut now = now.vitals;
    let mut looks = 1;
    while let Some(why) = worse(before, now) {
        if looks >= TRIES {
            return Err(Fault::new(Kind::Rejected, format!("device \"{}\": {why} since the change", work.device.name)));
        }
        looks += 1;
        work.core.clock.sleep(PAUSE).await;
        now = work.resource().await?.vitals;
    }
    Ok(())
}

fn worse(before: Vitals, now: Vitals) -> Option<&'static str> {
    let grew = |before: Option<u8>, now: Option<u8>, critical: u8| match (before, now) {
        (Some(before), Some(now)) => now >= before.saturating_add(WORSE) || (now >= critical && before < critical),
        _ => false,
    };
    if grew(before.cpu, now.cpu, CPU_CRITICAL) {
        return Some("its processor is much busier");
    }
    grew(before.memory, now.memory, MEMORY_CRITICAL).then_some("its memory is much fuller")
}

/// Devices that are not part of the plan and answered before still do.
async fn others(work: &mut Work) -> Result<(), Fault> {
    for other in work.witnesses.clone() {
        // One that was taken out of our care meanwhile says nothing.
        let Ok(other) = work.core.fleet.get(&other) else { continue };
        patiently(work, Proof::Other(&other)).await.map_err(|fault| {
            Fault::new(Kind::Unreachable, format!("device \"{}\" answered before and does not now: {}", other.name, fault.said))
        })?;
    }
    Ok(())
}

/// Devices outside of the plan that answer now, to be asked again after the change.
pub(super) async fn witnesses(work: &Work) -> Vec<DeviceId> {
    let fleet = &work.core.fleet;
    let all = fleet.list().into_iter().filter(|other| other.environment == work.device.environment);
    answering(fleet, all.map(|other| other.id.clone()).filter(|id| !work.plan.devices.contains(id)).collect()).await
}

/// Some of these devices, by lot, that let us in just now: what a record says of them may be minutes old, or of another way in.
pub(super) async fn answering(fleet: &Fleet, among: Vec<DeviceId>) -> Vec<DeviceId> {
    let known = |id: &DeviceId| fleet.get(id).ok().filter(|device| device.status == Status::Reachable);
    let mut among: Vec<Arc<Device>> = among.iter().filter_map(known).collect();
    let mut some = Vec::new();
    while some.len() < OTHERS && !among.is_empty() {
        let [high, low] = random::<2>();
        some.push(among.swap_remove(usize::from(u16::from_be_bytes([high, low])) % among.len()));
    }
    let asked = join_all(some.iter().map(|device| answers(fleet, device))).await;
    some.iter().zip(asked).filter(|(_, answer)| answer.is_ok()).map(|(device, _)| device.id.clone()).collect()
}

/// Whether a device lets us in over a new connection.
pub(super) async fn answers(fleet: &Fleet, device: &Device) -> Result<Resource, Fault> {
    let fresh = fleet.fresh(&device.id).await?;
    resource(fresh.rows(MenuPath::parse("/system/resource")?, Query::new()).await?.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_points_more_or_a_new_critical_is_worse() {
        let load = |cpu, memory| Vitals { cpu: Some(cpu), memory: Some(memory) };
        assert_eq!(worse(load(10, 40), load(29, 59)), None);
        assert!(worse(load(10, 40), load(30, 40)).is_some());
        assert!(worse(load(10, 40), load(10, 60)).is_some());
        assert!(worse(load(85, 40), load(91, 40)).is_some());
        assert_eq!(worse(load(91, 40), load(95, 40)), None, "it was critical before");
        assert_eq!(worse(Vitals { cpu: None, memory: None }, load(99, 99)), None, "nobody knows how it was");
    }
}
