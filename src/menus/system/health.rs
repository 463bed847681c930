//! `/system/health`: sensors: temperature, voltage, fans.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/25690117/Health>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/health", "Sensors: temperature, voltage, fans")
    .key(&["name"])
    .attrs(&[
        attr("state-after-reboot", Kind::Text, ""),
        attr("name", Kind::Text, "Sensor").read_only(),
        attr("state", Kind::Text, "State").read_only(),
        attr("type", Kind::Text, "Unit of the reading").read_only(),
        attr("value", Kind::Real, "Reading").read_only(),
    ])
    .synonyms(&["health", "temperature", "voltage", "fan speed", "sensors", "power supply", "overheating", "psu"])
    .topic(Topic::System);
