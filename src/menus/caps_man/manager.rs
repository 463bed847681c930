//! `/caps-man/manager`: old CAPsMAN settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/7962638/CAPsMAN>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/caps-man/manager", "Old CAPsMAN settings")
    .attrs(&[
        attr("ca-certificate", Kind::Name, "CA certificate"),
        attr("certificate", Kind::Name, "Certificate used"),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("package-path", Kind::Text, "Folder with packages for access points"),
        attr("require-peer-certificate", Kind::Flag, "Access points need a certificate"),
        attr("upgrade-policy", Kind::Text, "Upgrades of access points"),
    ])
    .synonyms(&["capsman", "old capsman", "capsman manager", "access point controller"])
    .package("wireless")
    .topic(Topic::Wireless)
    .cuts_access();
