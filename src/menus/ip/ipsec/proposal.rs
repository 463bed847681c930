//! `/ip/ipsec/proposal`: ciphers of IPsec phase 2.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/11993097/IPsec>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/ipsec/proposal", "Ciphers of IPsec phase 2")
    .key(&["name"])
    .attrs(&[
        attr("auth-algorithms", Kind::Set, "Integrity algorithms"),
        COMMENT,
        DISABLED,
        attr("enc-algorithms", Kind::Set, "Ciphers"),
        attr("lifetime", Kind::Span, "How long keys live"),
        attr("name", Kind::Name, "Name others refer to"),
        attr(
            "pfs-group",
            Kind::Enum(&[
                "ecp256", "ecp384", "ecp521", "modp1024", "modp1536", "modp2048", "modp3072", "modp4096", "modp6144", "modp768",
                "modp8192", "none",
            ]),
            "Diffie-Hellman group for forward secrecy",
        ),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["ipsec proposals", "phase 2 ciphers", "esp algorithms", "pfs"])
    .cuts_access();
