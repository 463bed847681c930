//! `/ip/hotspot/profile`: login ways and pages of hotspots.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/56459266/HotSpot+-+Captive+portal>

use crate::menus::{Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/hotspot/profile", "Login ways and pages of hotspots")
    .key(&["name"])
    .attrs(&[
        attr("dns-name", Kind::Text, "DNS name"),
        attr("hotspot-address", Kind::Address, "Address of the hotspot"),
        attr("html-directory", Kind::Text, "Folder of the login page"),
        attr("html-directory-override", Kind::Text, ""),
        attr("http-cookie-lifetime", Kind::Span, ""),
        attr("http-proxy", Kind::Text, ""),
        attr("install-hotspot-queue", Kind::Flag, ""),
        attr("login-by", Kind::Set, "Ways to log in"),
        attr("mac-auth-mode", Kind::Enum(&["mac-as-username", "mac-as-username-and-password"]), ""),
        attr("mac-auth-password", Kind::Text, "Password for MAC logins").secret(),
        attr("name", Kind::Name, "Name others refer to"),
        attr("nas-port-type", Kind::Enum(&["cable", "ethernet", "wireless-802.11"]), ""),
        attr("radius-accounting", Kind::Flag, "RADIUS accounting"),
        attr("radius-default-domain", Kind::Text, ""),
        attr("radius-interim-update", Kind::Span, ""),
        attr("radius-location-id", Kind::Text, ""),
        attr("radius-location-name", Kind::Text, ""),
        attr(
            "radius-mac-format",
            Kind::Enum(&[
                "XX XX XX XX XX XX",
                "XX-XX-XX-XX-XX-XX",
                "XX:XX:XX:XX:XX:XX",
                "XXXX:XXXX:XXXX",
                "XXXXXX-XXXXXX",
                "XXXXXX:XXXXXX",
                "XXXXXXXXXXXX",
            ]),
            "",
        ),
        attr("rate-limit", Kind::Text, "Speed limit for the client"),
        attr("smtp-server", Kind::Text, ""),
        attr("split-user-domain", Kind::Flag, ""),
        attr("ssl-certificate", Kind::Text, ""),
        attr("trial-uptime-limit", Kind::Span, ""),
        attr("trial-uptime-reset", Kind::Span, ""),
        attr("trial-user-profile", Kind::Text, ""),
        attr("use-radius", Kind::Flag, "Ask RADIUS"),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["hotspot profiles", "hotspot login", "login page", "captive portal settings"])
    .cuts_access();
