//! What is said of a plan that runs or waits: keep it, more time, undo it, leave off.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::plan::config::CONFIRM_MAX;
use crate::plan::edit::{Confirm, MAX_REASON};
use crate::plan::engine::Engine;
use crate::plan::record::{Draft, Halt, Intent, Plan, PlanId, Progress};
use crate::plan::state::{DeviceState, PlanEvent, PlanState};
use std::time::Duration;

/// How long a caller who asks for more time waits to hear whether the router keeps it.
const EXTEND_PATIENCE: Duration = Duration::from_secs(60);

impl Engine {
    /// Says that a manual plan's change stays, on every device that waits for it.
    ///
    /// # Errors
    /// `Conflict` when none waits: not verified yet, or undone already.
    pub async fn confirm(&self, id: &PlanId) -> Result<(), Fault> {
        let (plan, devices) = self.plan(id)?;
        let waiting = waiting(&plan, &devices)?;
        for progress in waiting {
            self.core
                .book
                .change(id, &progress.device, |progress| {
                    if progress.state != DeviceState::Verified || progress.undo_asked.is_some() {
                        return Err(Fault::new(Kind::Conflict, format!("{id}: it is being undone already")));
                    }
                    progress.keep_asked = true;
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    /// Gives a manual plan more time; answers when the first of its guards fires now.
    ///
    /// # Errors
    /// `Conflict` when no device waits or a router does not keep the new time; `BadInput` beyond an hour in all.
    pub async fn extend(&self, id: &PlanId, by: Duration) -> Result<Wall, Fault> {
        let (plan, devices) = self.plan(id)?;
        let waiting: Vec<DeviceId> = waiting(&plan, &devices)?.into_iter().map(|progress| progress.device.clone()).collect();
        let mut first: Option<Wall> = None;
        for device in &waiting {
            let before = self.core.book.progress(id, device)?;
            let total = u64::from(before.granted_s) + by.as_secs();
            if by.is_zero() {
                return Err(Fault::bad_input("extend: by a second at least"));
            }
            if total > CONFIRM_MAX.as_secs() {
                return Err(Fault::bad_input("extend: a router waits an hour in all at most"));
            }
            self.core
                .book
                .change(id, device, |progress| {
                    progress.granted_s = total as u32;
                    Ok(())
                })
                .await?;
            let handled = self.until(|engine| {
                let now = engine.core.book.progress(id, device)?;
                Ok(now.fires_at != before.fires_at || u64::from(now.granted_s) != total || now.state != DeviceState::Verified)
            });
            tokio::time::timeout(EXTEND_PATIENCE, handled)
                .await
                .map_err(|_| Fault::new(Kind::Busy, format!("{id}: the router has not said yet whether it waits longer")))??;
            let now = self.core.book.progress(id, device)?;
            if u64::from(now.granted_s) != total || now.state != DeviceState::Verified {
                let why = now.error.unwrap_or_else(|| "it is being undone already".into());
                return Err(Fault::new(Kind::Conflict, format!("{id}: no more time: {why}")));
            }
            first = [first, now.fires_at].into_iter().flatten().min();
        }
        Ok(first.unwrap_or_else(|| self.core.clock.wall()))
    }

    /// Takes a plan that is being applied back, on every device that holds it; none is begun any more.
    ///
    /// # Errors
    /// `Conflict` when it is not being applied: what is confirmed is taken back by another plan.
    pub async fn roll_back(&self, id: &PlanId, reason: &str) -> Result<(), Fault> {
        let reason = reason_of(reason)?;
        self.halt(id, &reason, true).await?;
        for device in self.core.book.plan(id)?.devices {
            self.core
                .book
                .change(id, &device, |progress| {
                    // Once it is being kept, it is taken back afterwards, by a plan of its own.
                    let is_kept = progress.intent == Some(Intent::Confirm);
                    if progress.state.is_live() && progress.undo_asked.is_none() && !is_kept {
                        progress.undo_asked = Some(reason.clone());
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    async fn halt(&self, id: &PlanId, why: &str, roll_back: bool) -> Result<(), Fault> {
        self.core
            .book
            .change_plan(id, |plan| {
                if plan.state != PlanState::Executing {
                    return Err(Fault::new(
                        Kind::Conflict,
                        format!("{id} is {}, not being applied", plan.state.as_str().replace('_', " ")),
                    )
                    .hint("what is confirmed is taken back by another plan"));
                }
                let halt = plan.halt.get_or_insert_with(|| Halt { why: why.to_owned(), roll_back });
                halt.roll_back |= roll_back;
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// Takes a draft back; a plan that is being applied begins no further device.
    ///
    /// # Errors
    /// `Conflict` when it is over.
    pub async fn cancel(&self, id: &PlanId, reason: &str) -> Result<(), Fault> {
        let reason = reason_of(reason)?;
        if self.core.book.plan(id)?.state == PlanState::Executing {
            return self.halt(id, &reason, false).await;
        }
        self.finish(id, PlanEvent::Cancel, &reason).await
    }

    /// A person says no.
    ///
    /// # Errors
    /// `BadInput` without a reason, `Conflict` when it is being applied or over.
    pub async fn refuse(&self, id: &PlanId, reason: &str) -> Result<(), Fault> {
        let reason = reason_of(reason)?;
        if reason.is_empty() {
            return Err(Fault::bad_input("refusing needs a reason: its author reads it"));
        }
        self.finish(id, PlanEvent::Refuse, &reason).await
    }

    pub(super) async fn finish(&self, id: &PlanId, event: PlanEvent, why: &str) -> Result<(), Fault> {
        let now = self.core.clock.wall();
        self.core
            .book
            .change_plan(id, |plan| {
                plan.happen(event)?;
                plan.ended_at = Some(now);
                plan.why_ended = (!why.is_empty()).then(|| why.to_owned());
                Ok(())
            })
            .await?;
        Ok(())
    }
}

/// The devices of a plan that wait for a person.
fn waiting<'a>(plan: &Plan, devices: &'a [(Draft, Progress)]) -> Result<Vec<&'a Progress>, Fault> {
    let conflict = |why: &str| Err(Fault::new(Kind::Conflict, format!("{}: {why}", plan.id)).hint("plan.get shows where it stands"));
    if plan.state != PlanState::Executing {
        return conflict(&format!("it is {}", plan.state.as_str().replace('_', " ")));
    }
    if plan.confirm == Confirm::Auto {
        return conflict("it confirms itself");
    }
    let waits = |progress: &&Progress| {
        progress.state == DeviceState::Verified
            && progress.undo_asked.is_none()
            && !matches!(progress.intent, Some(intent) if intent != Intent::Confirm)
    };
    let waiting: Vec<&Progress> = devices.iter().map(|(_, progress)| progress).filter(waits).collect();
    if waiting.is_empty() { conflict("no device waits for a confirmation now") } else { Ok(waiting) }
}

pub(super) fn reason_of(reason: &str) -> Result<String, Fault> {
    if reason.chars().count() > MAX_REASON {
        return Err(Fault::bad_input(format!("reason: longer than {MAX_REASON} characters")));
    }
    Ok(reason.trim().to_owned())
}
