//! `/caps-man/security`: security profiles of old CAPsMAN.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/7962638/CAPsMAN>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/caps-man/security", "Security profiles of old CAPsMAN")
    .key(&["name"])
    .attrs(&[
        attr("authentication-types", Kind::Set, "Ways to authenticate"),
        COMMENT,
        attr("disable-pmkid", Kind::Flag, ""),
        attr("eap-methods", Kind::Text, "EAP methods"),
        attr("eap-radius-accounting", Kind::Text, ""),
        attr("encryption", Kind::Set, "Ciphers"),
        attr("group-encryption", Kind::Text, "Cipher of broadcasts"),
        attr("group-key-update", Kind::Span, "How often the broadcast key changes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("passphrase", Kind::Text, "WPA passphrase").secret(),
        attr("tls-certificate", Kind::Text, ""),
        attr("tls-mode", Kind::Text, ""),
    ])
    .synonyms(&["capsman security", "capsman passphrase"])
    .package("wireless")
    .topic(Topic::Wireless)
    .cuts_access();
