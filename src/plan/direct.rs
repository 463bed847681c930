//! Direct writes: one small change of one router, asked for and done in one call.
//!
//! They are plans inside: the same policy, the same guard where the edit can cut access, the same trail. What needs a person's yes is
//! kept as a draft and not done; what is so already is not written.

use crate::access::principal::Principal;
use crate::base::fault::{Fault, Kind};
use crate::fleet::Device;
use crate::plan::Engine;
use crate::plan::edit::{Edit, Request};
use crate::plan::record::{Draft, Plan};
use crate::plan::settle::UNTOUCHED;
use crate::plan::state::PlanState;
use std::time::Duration;

/// How long a caller waits for a change that takes guards and proofs.
const PATIENCE: Duration = Duration::from_secs(50);

/// A small change somebody wants.
pub struct Wish<'a> {
    /// Who.
    pub who: &'a Principal,
    /// The person behind them, where one is known.
    pub person: Option<String>,
    /// The tool: `system.set_identity`.
    pub origin: &'a str,
    /// Where.
    pub device: &'a Device,
    /// What.
    pub edits: Vec<Edit>,
    /// Why, for whoever approves it.
    pub reason: String,
    /// Only say what would be done.
    pub dry_run: bool,
    /// When the call began, by the clock that runs on: what it read itself is not read again.
    pub begun: Duration,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It was so already.
    Already,
    /// Nothing was done, as asked.
    Dry,
    /// It needs approvals; nothing was done.
    Waits,
    /// Done, and read back.
    Done,
}

/// A direct write's answer.
#[derive(Debug, Clone)]
pub struct Direct {
    /// What became of it.
    pub came: Came,
    /// The plan; kept only where it waits or was done.
    pub plan: Plan,
    /// What was worked out.
    pub draft: Draft,
}

impl Engine {
    /// Does it, or says why it is not done. `fits` sees the draft before anything is kept.
    ///
    /// # Errors
    /// What a draft errs with; `Conflict` and `Rejected` when the router is as before; `UnknownOutcome` when that is not known yet.
    pub async fn direct(&self, wish: Wish<'_>, fits: impl FnOnce(&Draft) -> Result<(), Fault>) -> Result<Direct, Fault> {
        let request = Request { devices: vec![wish.device.id.to_string()], reason: wish.reason, edits: wish.edits, ..Request::default() };
        let (plan, mut drafts) = self.drafted(wish.who, wish.person, request, wish.origin, Some(wish.begun)).await?;
        let draft = drafts.pop().ok_or_else(|| Fault::bug("a direct write is about one device"))?;
        fits(&draft)?;
        if draft.is_done_already() {
            return Ok(Direct { came: Came::Already, plan, draft });
        }
        if wish.dry_run {
            return Ok(Direct { came: Came::Dry, plan, draft });
        }
        if plan.needed > 0 {
            self.has_room(wish.who)?;
        }
        self.core.book.create(&plan, std::slice::from_ref(&draft)).await?;
        if plan.needed > 0 {
            return Ok(Direct { came: Came::Waits, plan, draft });
        }
        self.launch(wish.who, &plan.id).await?;
        let plan = self.wait(&plan.id, PATIENCE).await?;
        if plan.state == PlanState::Confirmed {
            return Ok(Direct { came: Came::Done, plan, draft });
        }
        Err(self.undone(&plan, &draft))
    }

    /// Why it is not done.
    fn undone(&self, plan: &Plan, draft: &Draft) -> Fault {
        let id = &plan.id;
        let why = self.plan(id).ok().and_then(|(_, devices)| devices.into_iter().find_map(|(_, progress)| progress.error));
        let why = why.or_else(|| plan.why_ended.clone()).unwrap_or_else(|| "no reason was written down".into());
        let name = &draft.name;
        match plan.state {
            PlanState::Executing => Fault::new(Kind::UnknownOutcome, format!("device \"{name}\": {id} is still being applied"))
                .hint("plan.get says how it ends; do not ask for it again before"),
            PlanState::NeedsAttention => Fault::new(Kind::UnknownOutcome, format!("device \"{name}\": {id} needs a person: {why}"))
                .hint("plan.get shows what the router has instead; look there before you ask for it again"),
            PlanState::RolledBack if why.ends_with(UNTOUCHED) => {
                Fault::new(Kind::Rejected, why).hint(format!("plan.get of {id} has the details"))
            }
            PlanState::RolledBack => {
                Fault::new(Kind::Rejected, format!("{why}; the change was taken back")).hint(format!("plan.get of {id} has the details"))
            }
            _ if why.contains(UNTOUCHED) => Fault::new(Kind::Conflict, why).hint("read the state and ask again"),
            _ => Fault::new(Kind::Conflict, format!("{why}{UNTOUCHED}")).hint("read the state and ask again"),
        }
    }
}
