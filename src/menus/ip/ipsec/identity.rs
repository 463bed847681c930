//! `/ip/ipsec/identity`: how IPsec peers prove who they are.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/11993097/IPsec>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/ipsec/identity", "How IPsec peers prove who they are")
    .key(&["peer", "remote-id"])
    .attrs(&[
        attr(
            "auth-method",
            Kind::Enum(&[
                "digital-signature",
                "eap",
                "eap-radius",
                "pre-shared-key",
                "pre-shared-key-xauth",
                "rsa-key",
                "rsa-signature-hybrid",
            ]),
            "How peers prove who they are",
        ),
        attr("certificate", Kind::Name, "Certificate used"),
        COMMENT,
        DISABLED,
        attr("eap-methods", Kind::Enum(&["eap-mschapv2", "eap-peap", "eap-tls", "eap-ttls"]), "EAP methods"),
        attr("generate-policy", Kind::Enum(&["no", "port-override", "port-strict"]), "Make policies for what the peer asks"),
        attr("key", Kind::Text, "Key"),
        attr("match-by", Kind::Enum(&["certificate", "remote-id"]), "What tells peers apart"),
        attr("mode-config", Kind::Name, "Addresses and routes handed to the peer"),
        attr("my-id", Kind::Enum(&["fqdn", "key-id", "user-fqdn", "address", "auto", "dn"]), "Identity we present"),
        attr("notrack-chain", Kind::Text, ""),
        attr("password", Kind::Text, "Password").secret(),
        attr("peer", Kind::Name, "Peer").required(),
        attr("policy-template-group", Kind::Name, "Group of policy templates"),
        attr("remote-certificate", Kind::Text, "Certificate the peer must have"),
        attr(
            "remote-id",
            Kind::Enum(&["fqdn", "key-id", "user-fqdn", "address", "auto", "dn", "ignore"]),
            "Identity the peer must present",
        ),
        attr("remote-key", Kind::Text, ""),
        attr("secret", Kind::Text, "Shared secret").secret(),
        attr("username", Kind::Text, "User name"),
        DYNAMIC,
    ])
    .synonyms(&["ipsec identities", "ipsec authentication", "ipsec secret", "pre-shared key", "psk", "eap"])
    .cuts_access();
