//! `/interface/wifi/security`: Wi-Fi security profiles: authentication and passphrase.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/wifi/security", "Wi-Fi security profiles: authentication and passphrase")
    .key(&["name"])
    .attrs(&[
        attr("authentication-types", Kind::Set, "Ways to authenticate"),
        attr("beacon-protection", Kind::Enum(&["disabled", "enabled"]), ""),
        COMMENT,
        attr("connect-group", Kind::Text, ""),
        attr("connect-priority", Kind::Text, ""),
        attr("dh-groups", Kind::Set, ""),
        attr("disable-pmkid", Kind::Flag, ""),
        DISABLED,
        attr("eap-accounting", Kind::Flag, ""),
        attr("eap-anonymous-identity", Kind::Text, ""),
        attr(
            "eap-certificate-mode",
            Kind::Enum(&["dont-verify-certificate", "no-certificates", "verify-certificate", "verify-certificate-with-crl"]),
            "",
        ),
        attr("eap-methods", Kind::Enum(&["peap", "tls", "ttls"]), "EAP methods"),
        attr("eap-password", Kind::Text, "EAP password").secret(),
        attr("eap-tls-certificate", Kind::Text, ""),
        attr("eap-username", Kind::Text, "EAP user name"),
        attr("encryption", Kind::Set, "Ciphers"),
        attr("ft", Kind::Flag, "Fast transition (802.11r)"),
        attr("ft-mobility-domain", Kind::Text, ""),
        attr("ft-nas-identifier", Kind::Text, ""),
        attr("ft-over-ds", Kind::Flag, "Fast transition over the network"),
        attr("ft-preserve-vlanid", Kind::Flag, ""),
        attr("ft-r0-key-lifetime", Kind::Span, ""),
        attr("ft-reassociation-deadline", Kind::Span, ""),
        attr("group-encryption", Kind::Enum(&["ccmp", "ccmp-256", "gcmp", "gcmp-256", "tkip"]), "Cipher of broadcasts"),
        attr("group-key-update", Kind::Span, "How often the broadcast key changes"),
        attr("management-encryption", Kind::Enum(&["cmac", "cmac-256", "gmac", "gmac-256"]), ""),
        attr("management-protection", Kind::Enum(&["allowed", "disabled", "required"]), "Management frame protection"),
        attr("multi-passphrase-group", Kind::Text, "Group of passphrases"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("owe-transition-interface", Kind::Text, "Open twin of an OWE network"),
        attr("passphrase", Kind::Text, "WPA passphrase").secret(),
        attr("sae-anti-clogging-threshold", Kind::Text, ""),
        attr("sae-max-failure-rate", Kind::Text, ""),
        attr("sae-pwe", Kind::Enum(&["both", "hash-to-element", "hunting-and-pecking"]), ""),
        attr("wps", Kind::Enum(&["disable", "push-button"]), "WPS"),
    ])
    .synonyms(&["wifi security", "wifi password", "wifi passphrase", "wpa2", "wpa3", "wifi encryption", "wifi key"])
    .topic(Topic::Wireless)
    .cuts_access()
    .since(7, 13);
