//! `/interface/vxlan/vteps`: other ends of VXLAN interfaces.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/100007937/VXLAN>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/vxlan/vteps", "Other ends of VXLAN interfaces")
    .key(&["interface", "remote-ip"])
    .attrs(&[
        COMMENT,
        DISABLED,
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("remote-ip", Kind::Address, "Address of the other end").required(),
        DYNAMIC,
        attr("hw-offloaded", Kind::Flag, "Done in hardware").read_only(),
    ])
    .synonyms(&["vtep", "vxlan endpoints", "vxlan peers"])
    .cuts_access();
