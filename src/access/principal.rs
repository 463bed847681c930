//! Who calls, however they came in.

use crate::access::role::Role;
use crate::base::selector::Selector;
use crate::base::tier::Tier;

/// One caller, as every part above the routers knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who vouches for the subject: `local` for the machine's own operators, else an issuer URL.
    pub issuer: String,
    /// The caller's name in the issuer's book; with the issuer it is unique.
    pub subject: String,
    /// A name for people.
    pub name: String,
    /// What it is trusted with.
    pub role: Role,
    /// What it is kept to.
    pub limits: Limits,
    /// The program it speaks through.
    pub client: Client,
}

/// Narrower than the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Devices it may name. Empty means none; `Selector::All` is spelled out.
    pub devices: Vec<Selector>,
    /// Toolsets it may use; `None` means every one.
    pub toolsets: Option<Vec<String>>,
    /// Tiers it may use.
    pub tiers: Vec<Tier>,
}

impl Limits {
    /// Every device, every toolset, and the tiers of the role.
    pub fn of_role(role: Role) -> Self {
        Limits { devices: vec![Selector::All], toolsets: None, tiers: role.tiers().to_vec() }
    }
}

/// The program a principal speaks through, as it named itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client {
    /// `claude-desktop`, `routeros-mcp` for our own command line.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it connects from: `stdio`, `control`, or an address.
    pub address: String,
}

impl Principal {
    /// The person or program on this machine's standard input.
    pub fn stdio(role: Role) -> Self {
        Principal {
            issuer: "local".into(),
            subject: "stdio".into(),
            name: "local stdio client".into(),
            role,
            limits: Limits::of_role(role),
            client: Client { address: "stdio".into(), ..Client::default() },
        }
    }

    /// The operator at this machine's command line.
    pub fn operator() -> Self {
        Principal {
            issuer: "local".into(),
            subject: "operator".into(),
            name: "local operator".into(),
            role: Role::Admin,
            limits: Limits::of_role(Role::Admin),
            client: Client { name: "routeros-mcp".into(), version: env!("CARGO_PKG_VERSION").into(), address: "control".into() },
        }
    }

    /// Whether it is that operator: somebody who may read the service's files anyway.
    pub fn is_operator(&self) -> bool {
        let operator = Principal::operator();
        self.issuer == operator.issuer && self.subject == operator.subject
    }

    /// The same, speaking through this program's own command line.
    #[must_use]
    pub fn through_our_command_line(self) -> Self {
        Principal { client: Principal::operator().client, ..self }
    }

    /// The appliance itself, for work nobody called for (health polls, retention).
    pub fn background() -> Self {
        Principal {
            issuer: "local".into(),
            subject: "background".into(),
            name: "appliance".into(),
            role: Role::ReadOnly,
            limits: Limits::of_role(Role::ReadOnly),
            client: Client::default(),
        }
    }
}
