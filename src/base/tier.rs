//! How much a tool may do, and what it does.

use serde::{Deserialize, Serialize};

/// What a principal must be allowed for a tool; ordered from harmless to demanding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Reads.
    Free,
    /// Small writes with an undo.
    Basic,
    /// Plans that a person approves.
    Professional,
}

impl Tier {
    /// `free`, `basic` or `professional`.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Free => "free",
            Tier::Basic => "basic",
            Tier::Professional => "professional",
        }
    }
}

/// What a call does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing.
    Reads,
    /// Changes a router.
    Changes,
    /// Writes down a change for a person to approve.
    Plans,
    /// Settles a plan: keeps, undoes or stops it.
    Decides,
    /// Changes the appliance's own records (operators only).
    Administers,
    /// A person's own word on a plan: yes, no, keep it (people only).
    Approves,
}

impl Effect {
    /// `reads`, `changes`, `plans`, `decides`, `administers` or `approves`.
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Reads => "reads",
            Effect::Changes => "changes",
            Effect::Plans => "plans",
            Effect::Decides => "decides",
            Effect::Administers => "administers",
            Effect::Approves => "approves",
        }
    }
}

/// Where an appliance or a device belongs; a device of another environment is never touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// For trying things.
    Lab,
    /// The last stop before production.
    Staging,
    /// People depend on it.
    #[serde(alias = "production")]
    Prod,
}

impl Environment {
    /// `lab`, `staging` or `prod`.
    pub fn as_str(self) -> &'static str {
        match self {
            Environment::Lab => "lab",
            Environment::Staging => "staging",
            Environment::Prod => "prod",
        }
    }
}

impl std::str::FromStr for Environment {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "lab" => Ok(Environment::Lab),
            "staging" => Ok(Environment::Staging),
            "prod" | "production" => Ok(Environment::Prod),
            other => Err(format!("`{other}` is not an environment: lab, staging or prod")),
        }
    }
}
