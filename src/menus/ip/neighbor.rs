//! `/ip/neighbor`: devices this router hears by MNDP, LLDP and CDP.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805517/Neighbor+discovery>

use crate::menus::{Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/neighbor", "Devices this router hears by MNDP, LLDP and CDP")
    .key(&["mac-address", "interface"])
    .attrs(&[
        attr("address", Kind::Address, "Address").read_only(),
        attr("address4", Kind::Address, "IPv4 address the neighbour names").read_only(),
        attr("address6", Kind::Address, "IPv6 address the neighbour names").read_only(),
        attr("age", Kind::Span, "Time since it was last heard").read_only(),
        attr("board", Kind::Text, "Board the neighbour names").read_only().untrusted(),
        attr("discovered-by", Kind::List, "Protocols that saw it").read_only(),
        attr("identity", Kind::Text, "Name the other side calls itself").read_only().untrusted(),
        attr("interface", Kind::Name, "Interface it was heard on").read_only(),
        attr("interface-name", Kind::Text, "Interface the neighbour names").read_only().untrusted(),
        attr("ipv6", Kind::Flag, "IPv6 is on").read_only(),
        attr("mac-address", Kind::Mac, "MAC address of the neighbour").read_only(),
        attr("platform", Kind::Text, "Platform").read_only().untrusted(),
        attr("running", Kind::Flag, "Link is up").read_only(),
        attr("software-id", Kind::Text, "Software id").read_only().untrusted(),
        attr("system-caps", Kind::Set, "What the neighbour says it can do").read_only().untrusted(),
        attr("system-caps-enabled", Kind::Set, "What the neighbour says is switched on").read_only().untrusted(),
        attr("system-description", Kind::Text, "Description the neighbour gives").read_only().untrusted(),
        attr("unpack", Kind::Text, "Packing of the MNDP neighbour").read_only().untrusted(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
        attr("version", Kind::Text, "Version").read_only().untrusted(),
    ])
    .synonyms(&[
        "neighbors",
        "neighbours",
        "lldp",
        "cdp",
        "mndp",
        "discovered devices",
        "nearby routers",
        "what is connected to a port",
        "topology",
    ])
    .read_only();
