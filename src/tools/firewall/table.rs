//! The tables of the firewall, which both families have.

use schemars::JsonSchema;
use serde::Deserialize;

/// The menus of all tables.
pub(super) const MENUS: &[&str] = &[
    "/ip/firewall/filter",
    "/ip/firewall/nat",
    "/ip/firewall/mangle",
    "/ip/firewall/raw",
    "/ipv6/firewall/filter",
    "/ipv6/firewall/nat",
    "/ipv6/firewall/mangle",
    "/ipv6/firewall/raw",
];

/// One of them. Its variants say no more, for a description each would make the schema longer.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Table {
    #[default]
    Filter,
    Nat,
    Mangle,
    Raw,
}

impl Table {
    /// Its place below `/ip` or `/ipv6`.
    pub(super) fn below(self) -> &'static str {
        match self {
            Table::Filter => "/firewall/filter",
            Table::Nat => "/firewall/nat",
            Table::Mangle => "/firewall/mangle",
            Table::Raw => "/firewall/raw",
        }
    }
}
