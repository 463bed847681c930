//! `/interface/wifi/provisioning`: rules that give radios of managed access points a configuration.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/interface/wifi/provisioning", "Rules that give radios of managed access points a configuration")
    .attrs(&[
        attr(
            "action",
            Kind::Enum(&["create-disabled", "create-dynamic-enabled", "create-enabled", "none", "use-network-config"]),
            "What happens to a packet that matches",
        ),
        attr("address-ranges", Kind::Text, ""),
        COMMENT,
        attr("common-name-regexp", Kind::Text, "Common names it applies to"),
        DISABLED,
        attr("identity-regexp", Kind::Text, "Identities it applies to"),
        attr("master-configuration", Kind::Name, "Configuration of the first interface"),
        attr("multi-link-mode", Kind::Enum(&["all", "auto", "disabled", "master"]), ""),
        attr("name-format", Kind::Text, "Pattern of interface names"),
        attr("radio-mac", Kind::Mac, "MAC address of the radio"),
        attr("slave-configurations", Kind::Set, "Configurations of virtual interfaces"),
        attr("slave-name-format", Kind::Text, ""),
        attr("supported-bands", Kind::Set, "Bands it applies to"),
        attr(
            "supported-hw-caps",
            Kind::Enum(&["beacon-protection", "channel-switch", "hw-protection-mode", "mlo", "qos-classifier-dscp", "sniffer", "spectral"]),
            "",
        ),
    ])
    .synonyms(&["wifi provisioning", "cap provisioning"])
    .topic(Topic::Wireless)
    .cuts_access()
    .since(7, 13);
