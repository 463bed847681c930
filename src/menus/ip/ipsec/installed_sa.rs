//! `/ip/ipsec/installed-sa`: IPsec security associations in use.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/11993097/IPsec>

use crate::menus::{Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/ipsec/installed-sa", "IPsec security associations in use")
    .key(&["spi"])
    .attrs(&[
        attr("AH", Kind::Flag, "").read_only(),
        attr("ESP", Kind::Flag, "").read_only(),
        attr("addtime", Kind::Span, "").read_only(),
        attr("auth-key", Kind::Text, "Authentication key").read_only().secret(),
        attr("current-bytes", Kind::Bytes, "").read_only(),
        attr("current-packets", Kind::Int, "").read_only(),
        attr("dst-address", Kind::Address, "Destination address or network").read_only(),
        attr("enc-algorithm", Kind::Text, "Cipher").read_only(),
        attr("enc-key", Kind::Text, "Encryption key").read_only().secret(),
        attr("expires-in", Kind::Span, "").read_only(),
        attr("hw-aead", Kind::Flag, "").read_only(),
        attr("invalid-packets", Kind::Count, "").read_only(),
        attr("seen-traffic", Kind::Flag, "").read_only(),
        attr("spi", Kind::Text, "Security parameter index").read_only(),
        attr("src-address", Kind::Address, "Source address or network").read_only(),
        attr("state", Kind::Text, "State").read_only(),
    ])
    .synonyms(&["installed sa", "security associations", "ipsec sa", "ipsec counters"])
    .commands(&["flush"])
    .read_only();
