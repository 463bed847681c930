//! `/snmp`: SNMP settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978519/SNMP>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/snmp", "SNMP settings")
    .attrs(&[
        attr("contact", Kind::Text, "Contact"),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("engine-id-suffix", Kind::Text, ""),
        attr("location", Kind::Text, "Location"),
        attr("src-address", Kind::Address, "Source address or network"),
        attr("trap-community", Kind::Text, "Community of traps").secret(),
        attr("trap-generators", Kind::Set, "What sends traps"),
        attr("trap-interfaces", Kind::Set, "Interfaces that send traps"),
        attr("trap-target", Kind::Set, "Receivers of traps"),
        attr("trap-version", Kind::Enum(&["1", "2", "3"]), "Version of traps"),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("engine-id", Kind::Text, "Engine id").read_only(),
    ])
    .synonyms(&["snmp", "snmp settings", "monitoring", "snmp traps", "snmp location"])
    .commands(&["send-trap"])
    .topic(Topic::System);
