//! `/ip/ipsec/profile`: ciphers of IPsec phase 1.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/11993097/IPsec>

use crate::menus::{Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/ipsec/profile", "Ciphers of IPsec phase 1")
    .key(&["name"])
    .attrs(&[
        attr("dh-group", Kind::Set, "Diffie-Hellman groups"),
        attr("dpd-interval", Kind::Span, "How often the peer is checked"),
        attr("dpd-maximum-failures", Kind::Int, "Unanswered checks before the peer is given up"),
        attr("enc-algorithm", Kind::Set, "Cipher"),
        attr("hash-algorithm", Kind::Enum(&["md5", "sha1", "sha256", "sha384", "sha512"]), "Hash"),
        attr("lifebytes", Kind::Int, "Bytes after which keys change"),
        attr("lifetime", Kind::Span, "How long keys live"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("nat-traversal", Kind::Flag, "NAT traversal"),
        attr("ppk", Kind::Enum(&["no", "psk", "psk-ike-initial", "qkd"]), ""),
        attr("prf-algorithm", Kind::Enum(&["auto", "sha1", "sha256", "sha384", "sha512"]), ""),
        attr("proposal-check", Kind::Enum(&["claim", "exact", "obey", "strict"]), ""),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["ipsec profiles", "phase 1", "ike ciphers", "dh group", "dead peer detection"])
    .cuts_access();
