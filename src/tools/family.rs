//! IPv4 or IPv6, for tools over menus that RouterOS has twice.

use schemars::JsonSchema;
use serde::Deserialize;

/// Which of the two: `/ip` or `/ipv6`. Its variants say no more, for a description each would make the schema longer.
#[allow(missing_docs, reason = "see above")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    #[default]
    Ipv4,
    Ipv6,
}

impl Family {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        }
    }

    /// The family's menu of that path: `/firewall/filter` is `/ip/firewall/filter`.
    pub fn menu(self, below: &str) -> String {
        match self {
            Family::Ipv4 => format!("/ip{below}"),
            Family::Ipv6 => format!("/ipv6{below}"),
        }
    }
}
