//! Scopes: what a bearer token lets its caller ask for at all, before policy looks at the call itself.

use crate::access::role::Role;
use crate::base::tier::Effect;

/// One scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Lists, reads, prompts.
    Read,
    /// Small writes.
    Write,
    /// Drafting plans, applying and settling them.
    Plan,
    /// The whole audit trail.
    Audit,
    /// Prometheus metrics.
    Metrics,
}

impl Scope {
    /// Every scope, for tables.
    pub const ALL: [Scope; 5] = [Scope::Read, Scope::Write, Scope::Plan, Scope::Audit, Scope::Metrics];

    /// `mcp:read`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "mcp:read",
            Scope::Write => "mcp:write",
            Scope::Plan => "mcp:plan",
            Scope::Audit => "audit:read",
            Scope::Metrics => "metrics",
        }
    }

    /// What a tool of this effect in `category` needs. `None`: no bearer token is ever enough, whatever its role.
    pub fn of(effect: Effect, category: &str) -> Option<Scope> {
        match effect {
            Effect::Reads => Some(Scope::Read),
            Effect::Changes if category != "plan" => Some(Scope::Write),
            Effect::Changes | Effect::Plans | Effect::Decides => Some(Scope::Plan),
            Effect::Approves | Effect::Administers => None,
        }
    }
}

impl Role {
    /// The scopes that come with the role.
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Role::ReadOnly => &[Scope::Read],
            Role::OpsRw => &[Scope::Read, Scope::Write, Scope::Plan],
            Role::Approver => &[Scope::Read, Scope::Audit],
            Role::Admin => &[Scope::Read, Scope::Write, Scope::Plan, Scope::Audit, Scope::Metrics],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_the_scope_of_every_effect_it_covers_and_of_no_other() {
        for role in Role::ALL {
            for effect in [Effect::Reads, Effect::Changes, Effect::Plans, Effect::Decides] {
                // What approvers read are plans.
                let categories = if role == Role::Approver { &["plan"][..] } else { &["plan", "system"] };
                for category in categories {
                    let scope = Scope::of(effect, category).unwrap();
                    let has = role.scopes().contains(&scope);
                    assert_eq!(role.covers(effect, category), has, "{} {category} {}", role.as_str(), effect.as_str());
                }
            }
        }
        assert_eq!((Scope::of(Effect::Approves, "plan"), Scope::of(Effect::Administers, "user")), (None, None));
    }
}
