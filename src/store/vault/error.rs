//! Why the vault gives no secret, and what its reader can do about it.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::store::error::StoreError;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No entry of that name.
    #[error("the vault has no secret \"{name}\"")]
    Unknown {
        /// As asked for.
        name: String,
    },
    /// Not for this menu.
    #[error("secret \"{name}\" is not for {menu}")]
    Menu {
        /// The entry.
        name: String,
        /// The menu asked for.
        menu: String,
    },
    /// Not for this device.
    #[error("secret \"{name}\" is not for device \"{device}\"")]
    Device {
        /// The entry.
        name: String,
        /// The device asked for.
        device: String,
    },
    /// No secret was made under that key.
    #[error("no secret was made there")]
    NotMade,
    /// The change is not settled yet.
    #[error("the change that this secret was made for is not settled yet")]
    NotOffered,
    /// Somebody has looked.
    #[error("this secret was shown once already, to {to} at {}", at.rfc3339())]
    Seen {
        /// Who.
        to: String,
        /// When.
        at: Wall,
    },
    /// A name or binding against the rules.
    #[error("{0}")]
    Rule(String),
    /// State lies in RAM.
    #[error("this appliance keeps its state in RAM, and no secrets there")]
    Volatile,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Fault {
        let (kind, hint) = match &error {
            VaultError::Unknown { .. } => (Kind::NotFound, "an operator sets one with `secret set`; `secret list` shows the names"),
            VaultError::Menu { .. } => (Kind::Denied, "an operator binds a secret to menus with `secret set --menu`"),
            VaultError::Device { .. } => (Kind::Denied, "an operator binds a secret to devices with `secret set --device`"),
            VaultError::NotMade => (Kind::NotFound, "secrets are made when a plan is applied"),
            VaultError::NotOffered => (Kind::Conflict, "look again when the plan is confirmed"),
            VaultError::Seen { .. } => (Kind::Conflict, "a plan can set a new one"),
            VaultError::Rule(_) => (Kind::BadInput, "such as `secret set nas-radius --menu /radius --device tag:site=north`"),
            VaultError::Volatile => (Kind::Denied, "give it a state directory on a disk"),
            VaultError::Store(inner) => return Fault::from(inner.clone()),
        };
        Fault::new(kind, error.to_string()).hint(hint)
    }
}
