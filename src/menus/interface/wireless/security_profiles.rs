//! `/interface/wireless/security-profiles`: security profiles of the old wireless driver.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978446/Wireless+Interface>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/wireless/security-profiles", "Security profiles of the old wireless driver")
    .key(&["name"])
    .attrs(&[
        attr("authentication-types", Kind::Set, "Ways to authenticate"),
        COMMENT,
        attr("disable-pmkid", Kind::Flag, ""),
        attr("eap-methods", Kind::Text, "EAP methods"),
        attr("group-ciphers", Kind::Set, "Ciphers of broadcasts"),
        attr("group-key-update", Kind::Span, "How often the broadcast key changes"),
        attr("interim-update", Kind::Span, "How often RADIUS is told"),
        attr("management-protection", Kind::Text, "Management frame protection"),
        attr("management-protection-key", Kind::Text, "").secret(),
        attr("mode", Kind::Text, "Mode"),
        attr("mschapv2-password", Kind::Text, "").secret(),
        attr("mschapv2-username", Kind::Text, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("radius-called-format", Kind::Text, ""),
        attr("radius-eap-accounting", Kind::Flag, ""),
        attr("radius-mac-accounting", Kind::Flag, ""),
        attr("radius-mac-authentication", Kind::Flag, ""),
        attr("radius-mac-caching", Kind::Text, ""),
        attr("radius-mac-format", Kind::Text, ""),
        attr("radius-mac-mode", Kind::Text, ""),
        attr("static-algo-0", Kind::Text, ""),
        attr("static-algo-1", Kind::Text, ""),
        attr("static-algo-2", Kind::Text, ""),
        attr("static-algo-3", Kind::Text, ""),
        attr("static-key-0", Kind::Text, "").secret(),
        attr("static-key-1", Kind::Text, "").secret(),
        attr("static-key-2", Kind::Text, "").secret(),
        attr("static-key-3", Kind::Text, "").secret(),
        attr("static-sta-private-algo", Kind::Text, ""),
        attr("static-sta-private-key", Kind::Text, "").secret(),
        attr("static-transmit-key", Kind::Text, "").secret(),
        attr("supplicant-identity", Kind::Text, ""),
        attr("tls-certificate", Kind::Text, ""),
        attr("tls-mode", Kind::Text, ""),
        attr("unicast-ciphers", Kind::Set, "Ciphers"),
        attr("wpa-pre-shared-key", Kind::Text, "WPA passphrase").secret(),
        attr("wpa2-pre-shared-key", Kind::Text, "WPA2 passphrase").secret(),
    ])
    .synonyms(&["wireless security profiles", "wpa2 passphrase", "wireless password", "wireless encryption"])
    .package("wireless")
    .topic(Topic::Wireless)
    .cuts_access();
