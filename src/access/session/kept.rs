//! Sessions as the store has them.

use crate::access::person::Identity;
use crate::access::role::Role;
use crate::access::session::Way;
use crate::base::clock::Wall;
use crate::base::selector::Selector;
use crate::store::{Record, StoreError, body_as};
use serde::{Deserialize, Serialize};

/// A session in the store, under the SHA-256 of its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) identity: Identity,
    pub(super) name: String,
    pub(super) way: Way,
    pub(super) role: Role,
    pub(super) devices: Vec<Selector>,
    /// What the role was judged by.
    pub(super) terms: String,
    pub(super) began_at: Wall,
    pub(super) proved_at: Option<Wall>,
    /// The browser, as it named itself, and where it was.
    pub(super) client: String,
    pub(super) address: String,
}

impl Record for Kept {
    const TABLE: &'static str = "ui_session";
    const VERSION: u8 = 2;

    /// v1 knew nothing of the browser.
    fn upgrade(version: u8, body: &[u8]) -> Result<Self, StoreError> {
        let v1::Kept { identity, name, way, role, devices, terms, began_at, proved_at } = body_as(Self::TABLE, version, body)?;
        let (client, address) = (String::new(), String::new());
        Ok(Kept { identity, name, way, role, devices, terms, began_at, proved_at, client, address })
    }
}

mod v1 {
    use super::{Identity, Role, Selector, Wall, Way};

    #[derive(serde::Serialize, serde::Deserialize)]
    pub(super) struct Kept {
        pub(super) identity: Identity,
        pub(super) name: String,
        pub(super) way: Way,
        pub(super) role: Role,
        pub(super) devices: Vec<Selector>,
        pub(super) terms: String,
        pub(super) began_at: Wall,
        pub(super) proved_at: Option<Wall>,
    }
}

/// When a session was last used: apart from it, so that a use never undoes an end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Use {
    pub(super) at: Wall,
}

impl Record for Use {
    const TABLE: &'static str = "ui_session_use";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Kept, Use);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sessions_written_by_v1() {
        let old = v1::Kept {
            identity: Identity::of_user("anna"),
            name: "anna".into(),
            way: Way::Local,
            role: Role::Admin,
            devices: vec![Selector::All],
            terms: String::new(),
            began_at: Wall(1),
            proved_at: Some(Wall(2)),
        };
        let kept = Kept::upgrade(1, &postcard::to_allocvec(&old).unwrap()).unwrap();
        assert_eq!((kept.name.as_str(), kept.proved_at, kept.client.as_str()), ("anna", Some(Wall(2)), ""));
        assert!(Kept::upgrade(1, &[1, 2, 3]).is_err());
    }
}
