//! `/ip/cloud`: MikroTik cloud: dynamic DNS and Back To Home.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/97779929/Cloud>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/cloud", "MikroTik cloud: dynamic DNS and Back To Home")
    .attrs(&[
        attr("ddns-enabled", Kind::Enum(&["auto", "yes"]), "Keeps a name at MikroTik's cloud"),
        attr("ddns-update-interval", Kind::Span, "How often the address is told"),
        attr("update-time", Kind::Flag, "Takes the time from the cloud"),
        attr("back-to-home-vpn", Kind::Text, "Back To Home VPN").read_only(),
        attr("dns-name", Kind::Text, "DNS name").read_only(),
        attr("public-address", Kind::Address, "Address seen from outside").read_only(),
        attr("public-address-ipv6", Kind::Address, "IPv6 address seen from outside").read_only(),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
        attr("vpn-peer-private-key", Kind::Text, "").read_only().secret(),
        attr("vpn-port", Kind::Int, "").read_only(),
        attr("vpn-private-key", Kind::Text, "").read_only().secret(),
        attr("vpn-wireguard-client-config", Kind::Text, "WireGuard configuration with a private key").read_only().secret(),
        attr("vpn-wireguard-client-config-qrcode", Kind::Text, "The same as a QR code").read_only().secret(),
        attr("warning", Kind::Text, "Warning of the router").read_only(),
    ])
    .synonyms(&["ddns", "dynamic dns", "cloud", "public ip", "wan ip", "back to home", "external address"])
    .commands(&["force-update"]);
