//! `/interface/wifi/cap`: whether a controller elsewhere manages this router's radios.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/interface/wifi/cap", "Whether a Wi-Fi controller elsewhere manages this router's radios")
    .attrs(&[
        attr("caps-man-addresses", Kind::Set, "Controllers to look for"),
        attr("caps-man-certificate-common-names", Kind::Set, "Names a controller's certificate may have"),
        attr("caps-man-names", Kind::Set, "Identities a controller may have"),
        attr("certificate", Kind::Name, "Certificate shown to the controller"),
        attr("discovery-interfaces", Kind::Set, "Interfaces a controller is looked for on"),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("lock-to-caps-man", Kind::Flag, "Stays with the first controller it joined"),
        attr("mld-datapath", Kind::Name, ""),
        attr("mld-static", Kind::Flag, ""),
        attr("slaves-datapath", Kind::Name, "Datapath profile of virtual interfaces"),
        attr("slaves-static", Kind::Flag, "Virtual interfaces outlive the controller"),
        attr("current-caps-man-address", Kind::Address, "Controller it obeys now").read_only(),
        attr("current-caps-man-identity", Kind::Text, "What that controller calls itself").read_only().untrusted(),
        attr("locked-caps-man-common-name", Kind::Text, "Controller it is locked to").read_only().untrusted(),
        attr("requested-certificate", Kind::Name, "Certificate the controller gave it").read_only(),
    ])
    .synonyms(&["cap mode", "managed by capsman"])
    .topic(Topic::Wireless)
    .cuts_access()
    .since(7, 13);
