//! Proofs of who one is, with a password or at the identity provider: what decisions of people rest on, and how long they count.

use crate::access::person::{Actor, Identity, PersonId};
use crate::access::principal::{Client, Limits, Principal};
use crate::access::role::Role;
use crate::base::clock::Wall;
use std::time::Duration;

/// How long a proof of who one is counts as fresh: acts that need a person ask for a new one after that.
pub const FRESH: Duration = Duration::from_secs(5 * 60);

/// Whether a proof of that time still counts where a fresh one is asked for. A stepped clock makes it stale, never fresh for longer.
pub fn is_fresh(proved_at: Wall, now: Wall) -> bool {
    now.0.abs_diff(proved_at.0) < FRESH.as_millis() as u64
}

/// That somebody proved who they are, with a password or at the identity provider: what decisions rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Who.
    pub actor: Actor,
    /// With what role.
    pub role: Role,
    /// When.
    pub at: Wall,
}

/// A local user who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// The person.
    pub person: PersonId,
    /// The local user's name.
    pub user: String,
    /// Its role.
    pub role: Role,
    /// When it was proved.
    pub at: Wall,
}

impl Authenticated {
    /// Whether the proof still counts where a fresh one is asked for.
    pub fn is_fresh(&self, now: Wall) -> bool {
        is_fresh(self.at, now)
    }

    /// For records: plans, approvals.
    pub fn actor(&self) -> Actor {
        Actor { identity: Identity::of_user(&self.user), person: Some(self.person.clone()), name: self.user.clone() }
    }

    /// As a caller.
    pub fn principal(&self, client: Client) -> Principal {
        let Identity { issuer, subject } = Identity::of_user(&self.user);
        Principal { issuer, subject, name: self.user.clone(), role: self.role, limits: Limits::of_role(self.role), client }
    }
}
