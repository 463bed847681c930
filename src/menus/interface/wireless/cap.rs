//! `/interface/wireless/cap`: whether an old CAPsMAN elsewhere manages this router's radios.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/7962638/CAPsMAN>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/interface/wireless/cap", "Whether an old CAPsMAN elsewhere manages this router's radios")
    .attrs(&[
        attr("bridge", Kind::Name, "Bridge clients join"),
        attr("caps-man-addresses", Kind::Set, "Controllers to look for"),
        attr("caps-man-certificate-common-names", Kind::Set, "Names a controller's certificate may have"),
        attr("caps-man-names", Kind::Set, "Identities a controller may have"),
        attr("certificate", Kind::Name, "Certificate shown to the controller"),
        attr("discovery-interfaces", Kind::Set, "Interfaces a controller is looked for on"),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("interfaces", Kind::Set, "Interfaces handed to the controller"),
        attr("lock-to-caps-man", Kind::Flag, "Stays with the first controller it joined"),
        attr("static-virtual", Kind::Flag, "Virtual interfaces outlive the controller"),
    ])
    .synonyms(&["old cap mode", "wireless cap"])
    .package("wireless")
    .topic(Topic::Wireless)
    .cuts_access();
