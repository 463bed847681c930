//! Finding out which password a router has, and going on from there: after each request, and after a death at any point.
//!
//! The new one is tried first, then the old one. Nothing is ever sent a second time: a request whose answer was lost either shows in
//! what lets us in, or the old password still does. While the router is silent both are kept.

use crate::access::principal::Principal;
use crate::audit::Phase;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::secret::Secret;
use crate::fleet::{Device, Rotation, Stage, Which};
use crate::plan::hold::Core;
use crate::plan::rotate::check::{Ready, how};
use crate::plan::rotate::set::{Login, log_in, log_in_once, made, set};
use crate::plan::rotate::{Rotated, trail};
use std::sync::Arc;

/// A new password that is not taken everywhere is taken back, asked at most so often.
const TAKEN_BACK_MAX: u32 = 3;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// The new password is the device's.
    New {
        /// The router was seen to refuse the old one.
        old_refused: bool,
    },
    /// The old one still is.
    Old,
}

/// One rotation from its beginning.
pub(super) async fn run(core: &Core, ready: &Ready) -> Result<Rotated, Fault> {
    let device = &ready.device;
    let new = match spare(core, device)? {
        Some(spare) => spare,
        None => made(ready.shortest),
    };
    let (rotation, batch) = core.fleet.rotation_begun(device, &ready.old, &new).await?;
    core.book.commit(batch).await?;
    let asked = set(core, device, &ready.how, &ready.old, &new).await;
    match pending(core, device, &rotation).await.map_err(|fault| unwritten(device, fault))? {
        Settled::New { old_refused } => Ok(ready.told(true, old_refused)),
        Settled::Old => Err(stays(device, asked)),
    }
}

/// A password made earlier that did not come about: a request for it may still be on its way, so it is the one to ask for.
fn spare(core: &Core, device: &Device) -> Result<Option<Secret>, Fault> {
    match core.fleet.rotation(&device.id)? {
        Some(rotation) if rotation.stage == Stage::Pending && rotation.username == device.username => {
            core.fleet.rotation_secret(&device.id, &rotation, Which::New)
        }
        _ => Ok(None),
    }
}

fn stays(device: &Device, asked: Result<(), Fault>) -> Fault {
    let name = &device.name;
    match asked {
        Ok(()) => Fault::new(Kind::Rejected, format!("device \"{name}\": the router agreed to the new password and kept the old one"))
            .hint("nothing is changed; see /log on the router"),
        Err(fault) => {
            let kind = if fault.kind == Kind::UnknownOutcome { Kind::Unreachable } else { fault.kind };
            let mut said = Fault::new(kind, format!("{}; the old password still lets us in", fault.said));
            said.hint = fault.hint.or_else(|| Some("nothing is changed; try again".into()));
            said
        }
    }
}

/// Goes on with what an earlier rotation left.
pub(super) async fn settle(core: &Arc<Core>, id: &DeviceId) -> Result<Settled, Fault> {
    let device = core.fleet.get(id)?;
    let Some(rotation) = core.fleet.rotation(id)? else { return Ok(Settled::Old) };
    match rotation.stage {
        Stage::Done => Ok(Settled::New { old_refused: true }),
        Stage::Stored => Ok(Settled::New { old_refused: end_of_old(core, &device, &rotation).await? }),
        Stage::Pending if rotation.seen_old_at.is_some() => {
            let old = core.fleet.sealed_password(&device).await?;
            // Nothing arrived late, which is what is to be expected: no login need fail for that.
            match log_in(core, id, &old).await {
                Login::Refused(_) => pending(core, &device, &rotation).await,
                Login::In | Login::Partly(_) => Ok(Settled::Old),
                Login::Silent(fault) => Err(unknown(&device, &fault)),
            }
        }
        Stage::Pending => pending(core, &device, &rotation).await,
    }
}

/// The router may have either.
async fn pending(core: &Core, device: &Device, rotation: &Rotation) -> Result<Settled, Fault> {
    let id = &device.id;
    let new = core.fleet.rotation_secret(id, rotation, Which::New)?;
    let new = new.ok_or_else(|| Fault::bug("a pending rotation holds no new password"))?;
    let old = core.fleet.sealed_password(device).await?;
    let mut why = String::new();
    for _ in 0..TAKEN_BACK_MAX {
        let partly = match log_in(core, id, &new).await {
            Login::In => return store(core, device, rotation).await,
            Login::Refused(_) => None,
            Login::Partly(fault) => Some(fault),
            Login::Silent(fault) => return Err(unknown(device, &fault)),
        };
        if let Some(fault) = &partly {
            tracing::warn!(device = %device.name, "the new password is not taken everywhere: {}", fault.said);
            // Half proven is not proven. What the router makes of this request shows in what follows.
            trail(core, &Principal::background(), device, Phase::Intent, "intent", Some(format!("taking it back: {}", fault.said))).await?;
            if let Err(why) = take_back(core, device, &new, &old).await {
                tracing::warn!(device = %device.name, "taking the new password back: {}", why.said);
            }
        }
        match (log_in(core, id, &old).await, partly) {
            (Login::In | Login::Partly(_), partly) => {
                seen_old(core, id, rotation).await?;
                return match partly {
                    None => Ok(Settled::Old),
                    Some(fault) => Err(Fault::new(fault.kind, format!("{}; the old password is back", fault.said))
                        .hint("nothing is changed; see why that service refuses us, then try again")),
                };
            }
            (Login::Silent(fault), _) => return Err(unknown(device, &fault)),
            (Login::Refused(fault), None) => {
                why = format!("it takes neither the new nor the old password ({})", fault.said);
                break;
            }
            // It still has the new one, which was just seen to work: asking once more is not blind.
            (Login::Refused(_), Some(partly)) => why = format!("it takes the new password, but not everywhere ({})", partly.said),
        }
    }
    attention(core, device, rotation, &why).await
}

async fn take_back(core: &Core, device: &Device, new: &Secret, old: &Secret) -> Result<(), Fault> {
    let fresh = core.fleet.fresh_as(&device.id, new).await?;
    set(core, device, &how(&fresh, device).await?, new, old).await
}

/// Proven: the new password becomes the device's.
async fn store(core: &Core, device: &Device, rotation: &Rotation) -> Result<Settled, Fault> {
    let (stored, batch) = core.fleet.rotation_stored(device, rotation).await?;
    core.book.commit(batch).await?;
    core.fleet.login_moved(&device.id);
    tracing::info!(device = %device.name, "its login has another password");
    // That the old one ended is worth knowing; that it could not be seen now is no failure.
    let old_refused = match end_of_old(core, device, &stored).await {
        Ok(refused) => refused,
        Err(fault) if fault.kind == Kind::Unreachable => false,
        Err(fault) => return Err(fault),
    };
    Ok(Settled::New { old_refused })
}

/// The old password is tried, once; refused, it is forgotten.
async fn end_of_old(core: &Core, device: &Device, stored: &Rotation) -> Result<bool, Fault> {
    let old = core.fleet.rotation_secret(&device.id, stored, Which::Previous)?;
    let old = old.ok_or_else(|| Fault::bug("a stored rotation holds no previous password"))?;
    match log_in_once(core, &device.id, &old).await {
        Login::Refused(_) => {
            let (_, batch) = core.fleet.rotation_done(&device.id, stored);
            core.book.commit(batch).await?;
            Ok(true)
        }
        Login::Silent(fault) => {
            let name = &device.name;
            let said = format!("device \"{name}\": the new password is its own now; whether the old one is refused is not known yet");
            Err(Fault::new(Kind::Unreachable, format!("{said}: {}", fault.said)).hint("it is tried again by itself, every minute"))
        }
        Login::In | Login::Partly(_) => attention(core, device, stored, "the old password still lets us in, beside the new one").await,
    }
}

async fn seen_old(core: &Core, id: &DeviceId, rotation: &Rotation) -> Result<(), Fault> {
    let after = rotation.with_old_seen(core.clock.wall());
    core.book.commit(core.fleet.rotation_moved(id, rotation, &after)).await
}

/// A person has to look; both passwords are kept.
async fn attention<T>(core: &Core, device: &Device, rotation: &Rotation, why: &str) -> Result<T, Fault> {
    let after = rotation.with_attention(why);
    if after != *rotation {
        core.book.commit(core.fleet.rotation_moved(&device.id, rotation, &after)).await?;
    }
    tracing::error!(device = %device.name, "its login needs a person: {why}");
    Err(Fault::new(Kind::UnknownOutcome, format!("device \"{}\": its login needs a person: {why}; both passwords are kept", device.name))
        .hint(format!(
            "give user \"{}\" a password on the router (/user set), then: routeros-mcp device update {} --password-file FILE",
            device.username, device.name
        )))
}

/// The router was asked already: that it cannot be written down is no word about what it did.
fn unwritten(device: &Device, fault: Fault) -> Fault {
    if fault.kind != Kind::Storage {
        return fault;
    }
    let said = format!("device \"{}\": which password it has cannot be written down: {}", device.name, fault.said);
    Fault::new(Kind::UnknownOutcome, said).hint("both are kept, and it is found out as soon as the disk takes writes").cause(fault)
}

/// Not settled: it is tried again once the router answers.
fn unknown(device: &Device, fault: &Fault) -> Fault {
    let said = format!("device \"{}\": which password it has is not known yet: {}", device.name, fault.said);
    let kind = if fault.kind == Kind::Untrusted { Kind::Untrusted } else { Kind::UnknownOutcome };
    Fault::new(kind, said).hint("both are kept, and it is found out as soon as the router answers")
}
