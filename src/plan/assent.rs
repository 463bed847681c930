//! A person's yes and no, and their word that a change stays.
//!
//! Who is asked is a person who proved it moments ago, never a caller: a model can ask for an approval, and no tool of a model comes
//! here. An author does not approve, by whatever name they come in: persons are compared, not names.

use crate::access::local::User;
use crate::access::person::{Actor, Identity, PersonId};
use crate::access::role::Role;
use crate::access::{Access, Authenticated, Client, Limits, Principal, is_fresh};
use crate::audit::Phase;
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::base::secret::Secret;
use crate::base::tier::{Effect, Environment};
use crate::plan::record::{Approval, Plan, PlanId, Risk};
use crate::plan::state::{PlanEvent, PlanState};
use crate::plan::word::reason_of;
use crate::plan::work::record;
use crate::plan::{Engine, approve, digest};
use crate::store::Durability;
use crate::store::vault::Use;
use serde_json::json;

/// Somebody who says yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// Who.
    pub actor: Actor,
    /// With what role.
    pub role: Role,
    /// When they proved who they are; `None` for the operator at the command line, who proved nothing.
    pub proven_at: Option<Wall>,
}

impl Voice {
    /// Of a local user who proved their password.
    pub fn of(proved: &Authenticated) -> Voice {
        Voice { actor: proved.actor(), role: proved.role, proven_at: Some(proved.at) }
    }

    /// As a caller, for the trail.
    fn principal(&self) -> Principal {
        let Identity { issuer, subject } = self.actor.identity.clone();
        let limits = Limits::of_role(self.role);
        Principal { issuer, subject, name: self.actor.name.clone(), role: self.role, limits, client: Client::default() }
    }

    /// What tells this person from others in a record.
    fn person(&self) -> String {
        self.actor.person.as_ref().map_or_else(|| self.actor.identity.to_string(), PersonId::to_string)
    }
}

fn nobody(verb: &str) -> Fault {
    Fault::denied(format!("to {verb} a plan takes a person: a local user and their password"))
        .hint("--user NAME, and the password at the prompt or by --password-file")
}

impl Engine {
    /// A person's yes. With the last one it needs, the plan may be applied, once, within the time an approval holds.
    ///
    /// # Errors
    /// `Denied` for who may not, `Conflict` when it is no draft any more or `seen` is not its digest.
    pub async fn approve(&self, access: &Access, voice: &Voice, id: &PlanId, seen: Option<&str>) -> Result<Plan, Fault> {
        let (plan, devices) = self.plan(id)?;
        self.may_decide(access, voice, &plan, "approve").inspect_err(|_| self.core.book.meter().approval("denied"))?;
        if plan.state == PlanState::Expired {
            return Err(Fault::new(Kind::Conflict, format!("{id} is older than a day")).hint("plan it anew"));
        }
        if !matches!(plan.state, PlanState::Draft | PlanState::Approved) {
            return Err(over(&plan, "approved"));
        }
        let now = self.now();
        let drafts: Vec<_> = devices.into_iter().map(|(draft, _)| draft).collect();
        if digest::of(&plan, &drafts) != plan.digest {
            return Err(Fault::new(Kind::Conflict, format!("{id}: its records are not those it was drafted with"))
                .hint("plan it anew; restore a backup if this repeats"));
        }
        if let Some(seen) = seen
            && !is_digest(seen, &plan.digest)
        {
            return Err(Fault::new(Kind::Conflict, format!("{id} has another digest than the one given"))
                .hint("look at the plan again, and give the digest it shows"));
        }
        let mut approval = Approval {
            person: voice.person(),
            name: voice.actor.name.clone(),
            at: now,
            expires_at: Wall(now.0 + self.settings().approval_timeout.as_millis() as i64),
            nonce: random::<16>(),
            mac: [0; 32],
        };
        approval.mac = approve::sign(&plan, &approval, &self.key);
        self.trail(voice, &plan, "plan.approve", "approved").await?;
        self.change(id, |plan| {
            if !matches!(plan.state, PlanState::Draft | PlanState::Approved) {
                return Err(over(plan, "approved"));
            }
            plan.approvals.retain(|given| given.person != approval.person && given.expires_at > now);
            plan.approvals.push(approval.clone());
            if plan.state == PlanState::Draft && approve::usable(plan, &self.key, now).is_ok() {
                plan.happen(PlanEvent::Approve)?;
            }
            Ok(())
        })
        .await
        .inspect(|_| self.core.book.meter().approval("approved"))
    }

    /// A person's no. Its author reads why.
    ///
    /// # Errors
    /// As `approve`, and `BadInput` without a reason.
    pub async fn refuse_as(&self, access: &Access, voice: &Voice, id: &PlanId, reason: &str) -> Result<(), Fault> {
        let plan = self.plan(id)?.0;
        self.may_decide(access, voice, &plan, "refuse").inspect_err(|_| self.core.book.meter().approval("denied"))?;
        if !matches!(plan.state, PlanState::Draft | PlanState::Approved) {
            return Err(over(&plan, "refused"));
        }
        if reason_of(reason)?.is_empty() {
            return Err(Fault::bad_input("refusing needs a reason: its author reads it"));
        }
        self.trail(voice, &plan, "plan.refuse", "refused").await?;
        self.refuse(id, reason).await.inspect(|_| self.core.book.meter().approval("refused"))
    }

    /// A person's word that a manual plan's change stays. One of high risk takes a person who proves it, as its approval does.
    ///
    /// # Errors
    /// `Denied` to whoever proved nothing, `Unauthenticated` when that is long ago, `Conflict` when no device waits for it.
    pub async fn keep_as(&self, voice: &Voice, id: &PlanId) -> Result<(), Fault> {
        let plan = self.plan(id)?.0;
        if plan.risk >= Risk::High {
            self.is_proved(voice, &plan, "keep")?;
        }
        self.trail(voice, &plan, "plan.keep", "kept").await?;
        self.confirm(id).await
    }

    /// A secret made for a plan, shown to a person once; `which` is the rest of its key, as [`crate::plan::secrets::made`] has it.
    ///
    /// # Errors
    /// As `approve`; `NotFound` and `Conflict` for one that was not made, is not on a router for good, or was seen.
    pub async fn reveal_as(&self, voice: &Voice, id: &PlanId, which: &str) -> Result<(Use, Secret), Fault> {
        let plan = self.plan(id)?.0;
        self.is_proved(voice, &plan, "see a secret of")?;
        if !voice.role.approves() {
            return Err(
                Fault::denied(format!("role {} sees no secrets", voice.role.as_str())).hint("a person of role approver or admin does")
            );
        }
        let key = format!("{id}/{which}");
        self.core.vault.may_reveal(&key)?;
        self.trail(voice, &plan, "plan.reveal", "seen").await?;
        Ok(self.core.vault.reveal(&key, &voice.actor.name).await?)
    }

    /// Takes back the yes of whoever may not say it any more: kept out, gone, or of another role since. Their names.
    ///
    /// # Errors
    /// `NotFound`, and what the store says.
    pub async fn drop_void(&self, access: &Access, id: &PlanId) -> Result<Vec<String>, Fault> {
        let (plan, users) = (self.plan(id)?.0, access.users()?);
        let is_void = |given: &Approval| {
            let of_person = |user: &&User| user.person.as_str() == given.person;
            match users.iter().find(of_person) {
                // Who came by another identity of theirs has the role that it gave them.
                Some(user) => user.disabled || (user.name == given.name && !user.role.approves()),
                // Nobody has that person id any more; an identity that was never linked to a user stands for itself.
                None => PersonId::is_one(&given.person),
            }
        };
        let void: Vec<Approval> = plan.approvals.iter().filter(|given| is_void(given)).cloned().collect();
        if !void.is_empty() && !plan.state.is_final() && plan.state != PlanState::Executing {
            self.change(id, |plan| {
                plan.approvals.retain(|given| !void.contains(given));
                Ok(())
            })
            .await?;
        }
        Ok(void.into_iter().map(|given| given.name).collect())
    }

    /// Who said so, before it counts: no audit, no approval.
    async fn trail(&self, voice: &Voice, plan: &Plan, tool: &str, outcome: &str) -> Result<(), Fault> {
        let arguments = json!({ "plan": plan.id.as_str(), "digest": digest::short_digest(&plan.digest), "person": voice.person() });
        let mut record = record(&voice.principal(), plan, tool, Phase::Done, outcome, arguments.to_string());
        record.effect = Effect::Approves;
        self.core.audit.append(record, Durability::Now).await?;
        Ok(())
    }

    /// Whether a lone operator of a lab may decide on this plan without proving who they are.
    fn trusts_lone(&self, plan: &Plan) -> bool {
        self.settings().self_approval && plan.environment == Environment::Lab
    }

    /// Whether somebody proved a moment ago who they are, or need not for this plan.
    fn is_proved(&self, voice: &Voice, plan: &Plan, verb: &str) -> Result<(), Fault> {
        match voice.proven_at {
            None if self.trusts_lone(plan) => Ok(()),
            None => Err(nobody(verb)),
            Some(at) if is_fresh(at, self.now()) => Ok(()),
            Some(_) => Err(Fault::new(Kind::Unauthenticated, "it is too long ago that you proved who you are").hint("sign in again")),
        }
    }

    /// Whether this person may say yes or no to this plan.
    fn may_decide(&self, access: &Access, voice: &Voice, plan: &Plan, verb: &str) -> Result<(), Fault> {
        let lone = self.trusts_lone(plan);
        self.is_proved(voice, plan, verb)?;
        if !voice.role.approves() {
            return Err(Fault::denied(format!("role {} does not {verb} plans", voice.role.as_str()))
                .hint("a person of role approver or admin does"));
        }
        let author = Actor {
            identity: Identity { issuer: plan.author.issuer.clone(), subject: plan.author.subject.clone() },
            person: plan.author.person.clone().map(PersonId),
            name: plan.author.name.clone(),
        };
        // An author may take back what they asked for, and need not be kept from saying no.
        if verb == "approve" && !lone && access.is_same(&author, &voice.actor)? {
            return Err(Fault::denied(format!("{}: nobody approves a plan of their own", plan.id))
                .hint("another person of role approver or admin approves it"));
        }
        Ok(())
    }

    fn now(&self) -> Wall {
        self.core.clock.wall()
    }
}

fn over(plan: &Plan, verb: &str) -> Fault {
    Fault::new(Kind::Conflict, format!("{} is {}, and cannot be {verb}", plan.id, plan.state.as_str().replace('_', " ")))
}

/// `9f3a-22c1`, `sha256:…`, or the 64 digits alone.
fn is_digest(given: &str, digest: &[u8; 32]) -> bool {
    let given = given.trim().to_ascii_lowercase();
    let whole = hex(digest);
    given == digest::short_digest(digest) || given.strip_prefix("sha256:").unwrap_or(&given) == whole
}
