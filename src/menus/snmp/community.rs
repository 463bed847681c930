//! `/snmp/community`: SNMP communities: who may read by SNMP.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978519/SNMP>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/snmp/community", "SNMP communities: who may read by SNMP")
    .key(&["name"])
    .attrs(&[
        attr("addresses", Kind::Set, "Addresses"),
        attr("authentication-password", Kind::Text, "SNMPv3 authentication password").secret(),
        attr("authentication-protocol", Kind::Enum(&["MD5", "SHA1"]), "SNMPv3 authentication"),
        COMMENT,
        DISABLED,
        attr("encryption-password", Kind::Text, "SNMPv3 encryption password").secret(),
        attr("encryption-protocol", Kind::Enum(&["AES", "DES"]), "SNMPv3 encryption"),
        attr("name", Kind::Name, "Community string (SNMP 1 and 2c), or SNMPv3 user").secret(),
        attr("read-access", Kind::Flag, "May read"),
        attr("security", Kind::Name, "Security profile"),
        attr("write-access", Kind::Flag, "May write"),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["snmp communities", "snmp v3", "community string", "public community"])
    .topic(Topic::System);
