//! `/ip/neighbor/discovery-settings`: on which interfaces the router announces itself.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805517/Neighbor+discovery>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/neighbor/discovery-settings", "On which interfaces the router announces itself")
    .attrs(&[
        attr("add-dns-entries", Kind::Text, ""),
        attr("add-dns-entries-suffix", Kind::Text, ""),
        attr("discover-interface-list", Kind::Name, "Interfaces discovery works on"),
        attr("discover-interval", Kind::Span, "How often we announce ourselves"),
        attr("dying-gasp", Kind::Text, ""),
        attr("lldp-mac-phy-config", Kind::Flag, ""),
        attr("lldp-max-frame-size", Kind::Flag, ""),
        attr("lldp-med", Kind::Text, ""),
        attr("lldp-med-net-policy-vlan", Kind::Text, "Voice VLAN told by LLDP-MED"),
        attr("lldp-vlan-info", Kind::Flag, ""),
        attr("mode", Kind::Enum(&["rx-only", "tx-and-rx", "tx-only"]), "Mode"),
        attr("protocol", Kind::Set, "IP protocol"),
    ])
    .synonyms(&["discovery settings", "neighbor discovery", "lldp settings", "cdp settings", "turn off discovery"]);
