//! `/system/routerboard`: RouterBOARD: model, serial number, firmware.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992878/RouterBOARD>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/routerboard", "RouterBOARD: model, serial number, firmware")
    .attrs(&[
        attr("routerboard", Kind::Flag, "It is a RouterBOARD").read_only(),
        attr("board-name", Kind::Text, "Model").read_only(),
        attr("model", Kind::Text, "Model").read_only(),
        attr("serial-number", Kind::Text, "Serial number").read_only(),
        attr("current-firmware", Kind::Text, "Firmware running").read_only(),
        attr("upgrade-firmware", Kind::Text, "Firmware an upgrade would install").read_only(),
    ])
    .synonyms(&["routerboard", "serial number", "firmware", "hardware model", "board", "routerboot", "firmware version"])
    .commands(&["upgrade"])
    .topic(Topic::System)
    .read_only();
