//! `/certificate/settings`: certificate trust and revocation settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2555969/Certificates>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/certificate/settings", "Certificate trust and revocation settings")
    .attrs(&[
        attr("builtin-trust-store", Kind::Set, ""),
        attr("crl-download", Kind::Flag, ""),
        attr("crl-store", Kind::Enum(&["ram", "system"]), ""),
        attr("crl-use", Kind::Flag, ""),
        attr("current-defaults", Kind::Set, ""),
    ])
    .synonyms(&["crl", "trust store", "certificate settings", "revocation"])
    .topic(Topic::System);
