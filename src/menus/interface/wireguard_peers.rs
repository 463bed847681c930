//! `/interface/wireguard/peers`: WireGuard peers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/69664792/WireGuard>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/wireguard/peers", "WireGuard peers")
    .key(&["interface", "public-key"])
    .attrs(&[
        attr("allowed-address", Kind::Set, "Networks reached through the peer"),
        attr("client-address", Kind::Text, "Address shown in the client's configuration"),
        attr("client-allowed-address", Kind::Text, ""),
        attr("client-dns", Kind::Text, "DNS server shown in the client's configuration"),
        attr("client-endpoint", Kind::Text, "Our address shown in the client's configuration"),
        attr("client-keepalive", Kind::Span, ""),
        attr("client-listen-port", Kind::Text, ""),
        COMMENT,
        DISABLED,
        attr("endpoint-address", Kind::Text, "Peer address; empty if the peer calls us"),
        attr("endpoint-port", Kind::Int, "Peer port"),
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("name", Kind::Name, "Name others refer to"),
        attr("persistent-keepalive", Kind::Span, "Keepalive interval"),
        attr("preshared-key", Kind::Enum(&["auto", "none"]), "Pre-shared key").secret(),
        attr("private-key", Kind::Enum(&["auto", "none"]), "Private key").secret(),
        attr("public-key", Kind::Text, "Public key").required(),
        attr("responder", Kind::Flag, "Only answers, never starts"),
        attr("current-endpoint-address", Kind::Address, "Peer address in use").read_only(),
        attr("current-endpoint-port", Kind::Int, "Peer port in use").read_only(),
        DYNAMIC,
        attr("last-handshake", Kind::Span, "Time since the last handshake").read_only(),
        attr("rx", Kind::Bytes, "Bytes received").read_only(),
        attr("tx", Kind::Bytes, "Bytes sent").read_only(),
    ])
    .synonyms(&["wireguard peers", "vpn peers", "vpn clients", "wireguard clients", "road warrior", "last handshake", "tunnel peers"])
    .commands(&["show-client-config"])
    .cuts_access();
