//! `/interface/wifi/capsman`: Wi-Fi controller (CAPsMAN) of the new driver.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/interface/wifi/capsman", "Wi-Fi controller (CAPsMAN) of the new driver")
    .attrs(&[
        attr("ca-certificate", Kind::Name, "CA certificate"),
        attr("certificate", Kind::Name, "Certificate used"),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("interfaces", Kind::Set, "Interfaces"),
        attr("package-path", Kind::Text, "Folder with packages for access points"),
        attr("require-peer-certificate", Kind::Flag, "Access points need a certificate"),
        attr("upgrade-policy", Kind::Enum(&["none", "require-same-version", "suggest-same-version"]), "Upgrades of access points"),
        attr("generated-ca-certificate", Kind::Name, "CA certificate it made itself").read_only(),
        attr("generated-certificate", Kind::Name, "Certificate it made itself").read_only(),
    ])
    .synonyms(&["capsman", "wifi controller", "access point controller", "central wifi management"])
    .topic(Topic::Wireless)
    .cuts_access()
    .since(7, 13);
