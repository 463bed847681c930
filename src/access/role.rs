//! What each role may do: the table of the tool contract, as code.

use crate::base::tier::{Effect, Tier};
use serde::{Deserialize, Serialize};

/// What a principal is trusted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything, changes nothing.
    ReadOnly,
    /// Small writes, plans, and applying what others approved.
    OpsRw,
    /// Approves plans of others; sees plans and the audit trail, no router.
    Approver,
    /// All of it, and the appliance's own records.
    Admin,
}

impl Role {
    /// Every role, for tables.
    pub const ALL: [Role; 4] = [Role::ReadOnly, Role::OpsRw, Role::Approver, Role::Admin];

    /// `read_only`, `ops_rw`, `approver` or `admin`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::ReadOnly => "read_only",
            Role::OpsRw => "ops_rw",
            Role::Approver => "approver",
            Role::Admin => "admin",
        }
    }

    /// Whether the role covers an effect on something of `category` (`device`, `plan`, `audit` …).
    pub fn covers(self, effect: Effect, category: &str) -> bool {
        match (self, effect) {
            // Who there is, and which secrets and tokens, is for those who may change it.
            (role, Effect::Reads) if matches!(category, "user" | "secret" | "token" | "settings" | "registration") => role == Role::Admin,
            // Everybody may see what is theirs.
            (_, Effect::Reads) if matches!(category, "person" | "client") => true,
            (Role::Approver, Effect::Reads) => matches!(category, "plan" | "audit" | "tools"),
            (_, Effect::Reads) => true,
            (Role::OpsRw | Role::Admin, Effect::Changes | Effect::Plans | Effect::Decides) => true,
            (Role::Admin, Effect::Administers) => true,
            // These verbs look for what is the caller's own.
            (_, Effect::Administers) if category == "person" => true,
            (role, Effect::Approves) => role.approves(),
            _ => false,
        }
    }

    /// Whether a person of this role may approve and refuse plans, others' that is.
    pub fn approves(self) -> bool {
        matches!(self, Role::Approver | Role::Admin)
    }

    /// The tiers that come with the role.
    pub fn tiers(self) -> &'static [Tier] {
        match self {
            Role::ReadOnly | Role::Approver => &[Tier::Free],
            Role::OpsRw | Role::Admin => &[Tier::Free, Tier::Basic, Tier::Professional],
        }
    }

    /// Whether the whole audit trail may be seen, not just one's own events.
    pub fn sees_all_events(self) -> bool {
        matches!(self, Role::Admin | Role::Approver)
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or_else(|| format!("`{word}` is not a role: read_only, ops_rw, approver or admin"))
    }
}
