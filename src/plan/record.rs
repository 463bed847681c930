//! What is stored: a plan, what was worked out for each of its devices, and how far each came.
//!
//! Three records, because they change at three speeds: [`Plan`] with each decision, [`Draft`] never after it was made (the digest
//! covers it), [`Progress`] with each step on a router. No secret is in any of them: a value that is one stands as a handle.

mod progress;
mod step;

use crate::access::principal::{Client, Limits, Principal};
use crate::access::role::Role;
use crate::base::clock::Wall;
use crate::base::ids::{DeviceId, hex, random};
use crate::base::selector::Selector;
use crate::base::tier::{Environment, Tier};
use crate::fleet::Pins;
use crate::plan::edit::{Check, Confirm, OnFailure};
use crate::plan::form::{Known, Pairs};
use crate::plan::state::PlanState;
use crate::store::Record;
use serde::{Deserialize, Serialize};
use std::fmt;

pub use progress::{Difference, Guard, GuardKind, Intent, Progress};
pub use step::{Change, Find, Place, SecretValue, Step, disabled};

/// A plan: `plan-` and 12 hexadecimal digits. The only handle of a change. Never re-used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlanId(pub String);

impl PlanId {
    /// A new random id.
    pub fn random() -> Self {
        PlanId(format!("plan-{}", hex(&random::<6>())))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 12 digits: what names on a router are made of.
    pub fn digits(&self) -> &str {
        self.0.strip_prefix("plan-").unwrap_or(&self.0)
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much harm a change can do. Ordered. New ones go at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Comments, identity, our own address lists.
    Low,
    /// What can be undone and cuts nobody off.
    Medium,
    /// What may cut access, and what we know nothing about.
    High,
    /// Our own user, resets, code and exfiltration.
    Extreme,
}

impl Risk {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
            Risk::Extreme => "extreme",
        }
    }
}

/// Whether a change can cut our own access. Ordered: the worst of several counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// It cannot.
    No,
    /// Nobody can tell: counts as may.
    Unknown,
    /// It would.
    Yes,
}

impl Cut {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Cut::No => "no",
            Cut::Unknown => "unknown",
            Cut::Yes => "yes",
        }
    }
}

/// Who asked for a change: enough to judge them again later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// Who vouches for the subject.
    pub issuer: String,
    /// Their name for the caller.
    pub subject: String,
    /// For people.
    pub name: String,
    /// The role it was asked with.
    pub role: Role,
    /// Devices it may name.
    pub devices: Vec<Selector>,
    /// Toolsets it may use.
    pub toolsets: Option<Vec<String>>,
    /// Tiers it may use.
    pub tiers: Vec<Tier>,
    /// The person behind it, where one is known.
    pub person: Option<String>,
}

impl Author {
    /// Of a caller.
    pub fn of(who: &Principal, person: Option<String>) -> Author {
        Author {
            issuer: who.issuer.clone(),
            subject: who.subject.clone(),
            name: who.name.clone(),
            role: who.role,
            devices: who.limits.devices.clone(),
            toolsets: who.limits.toolsets.clone(),
            tiers: who.limits.tiers.clone(),
            person,
        }
    }

    /// The caller again, for policy and the trail.
    pub fn principal(&self) -> Principal {
        Principal {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            name: self.name.clone(),
            role: self.role,
            limits: Limits { devices: self.devices.clone(), toolsets: self.toolsets.clone(), tiers: self.tiers.clone() },
            client: Client::default(),
        }
    }
}

/// One person's yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The person.
    pub person: String,
    /// Their name then.
    pub name: String,
    /// When.
    pub at: Wall,
    /// Until when it may start a job.
    pub expires_at: Wall,
    /// Makes it one of its kind.
    pub nonce: [u8; 16],
    /// HMAC-SHA-256 over plan id, digest, person, expiry and nonce.
    pub mac: [u8; 32],
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its handle.
    pub id: PlanId,
    /// Why, in the author's words.
    pub reason: String,
    /// The tool that made it: `plan.create`, `firewall.plan_rule`.
    pub origin: String,
    /// Who asked.
    pub author: Author,
    /// Of all its devices.
    pub environment: Environment,
    /// Empty: what was asked for stands in the audit trail. The field keeps the form of records.
    pub request: String,
    /// When it was drafted.
    pub created_at: Wall,
    /// When the draft is worth nothing any more.
    pub expires_at: Wall,
    /// Its life.
    pub state: PlanState,
    /// The worst of its devices.
    pub risk: Risk,
    /// The worst of its devices.
    pub cut: Cut,
    /// Why, one sentence each.
    pub cut_reasons: Vec<String>,
    /// SHA-256 over everything an approval is about.
    pub digest: [u8; 32],
    /// How many persons have to say yes.
    pub needed: u8,
    /// Who did.
    pub approvals: Vec<Approval>,
    /// Who says that it stays.
    pub confirm: Confirm,
    /// How long the router waits for that, seconds.
    pub confirm_timeout_s: u32,
    /// Checked beside what is always checked.
    pub verify: Vec<Check>,
    /// How its devices are worked through.
    pub pace: Pace,
    /// Apply even without a guard.
    pub unguarded: bool,
    /// Its devices, in the order they are worked through.
    pub devices: Vec<DeviceId>,
    /// Who started its job.
    pub started_by: Option<Author>,
    /// When.
    pub started_at: Option<Wall>,
    /// When it became final.
    pub ended_at: Option<Wall>,
    /// Why it was refused, cancelled, stopped or rolled back.
    pub why_ended: Option<String>,
    /// No device is begun any more, and with `roll_back` those done are taken back.
    pub halt: Option<Halt>,
}

/// Why and how a job stops before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// In a sentence.
    pub why: String,
    /// Devices that hold the change are taken back.
    pub roll_back: bool,
}

/// How several devices are worked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Side by side.
    pub size: u32,
    /// In the first batch.
    pub canary: u32,
    /// Between batches, seconds.
    pub pause_s: u32,
    /// What a failure does to the rest.
    pub on_failure: OnFailure,
}

/// A row as it was when the draft read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Its menu.
    pub menu: String,
    /// How it is found; none for a menu without rows.
    pub find: Option<Find>,
    /// Its content.
    pub row: Pairs,
    /// In ordered menus, the row right after it; `None` when it was the last.
    pub next: Option<Find>,
}

/// What was worked out for one device. Never changed: the digest covers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Whose.
    pub plan: PlanId,
    /// Where.
    pub device: DeviceId,
    /// Its name then.
    pub name: String,
    /// Of the board, where it has one.
    pub serial: Option<String>,
    /// What it had to present.
    pub pins: Pins,
    /// The RouterOS it was worked out for.
    pub version: Option<String>,
    /// Every menu its steps touch.
    pub known: Vec<Known>,
    /// Rows as read, also neighbours in ordered menus.
    pub observed: Vec<Observed>,
    /// Rows that must not be there: what an `add` would make twice.
    pub absent: Vec<(String, Find)>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// How much harm it can do here.
    pub risk: Risk,
    /// Whether it can cut our access here.
    pub cut: Cut,
    /// Why.
    pub cut_reasons: Vec<String>,
    /// How long the router needs until the change has settled (STP, DHCP), seconds.
    pub settle_s: u32,
    /// The script that undoes it, byte for byte as it goes onto the router.
    pub inverse: String,
}

impl Draft {
    /// What is known of a menu its steps touch.
    pub fn known(&self, menu: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.menu == menu)
    }

    /// A guard has to be armed before anything is done.
    pub fn wants_guard(&self) -> bool {
        !self.steps.is_empty() && (self.cut != Cut::No || self.risk >= Risk::High)
    }

    /// Nothing is to be done: it is as asked already.
    pub fn is_done_already(&self) -> bool {
        self.steps.is_empty()
    }
}

/// The key of a device's records in a plan: the plan's id comes first, so that a scan finds all of them.
pub fn device_key(plan: &PlanId, device: &DeviceId) -> String {
    format!("{plan}/{device}")
}

impl Record for Plan {
    const TABLE: &'static str = "plan";
    const VERSION: u8 = 1;
}

impl Record for Draft {
    const TABLE: &'static str = "plan_draft";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Plan, Draft);

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Pairs {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn a_renamed_row_is_found_by_its_new_name() {
        let change = Change::Set {
            find: Find { by: pairs(&[("name", "old")]) },
            before: pairs(&[("name", "old"), ("address", "192.0.2.1")]),
            values: pairs(&[("name", "new"), ("address", "192.0.2.2")]),
            secrets: vec![],
            unset: vec![],
        };
        assert_eq!(change.find_after().unwrap().by, pairs(&[("name", "new")]));
        assert_eq!(change.after().unwrap(), pairs(&[("name", "new"), ("address", "192.0.2.2")]));
    }
}
