//! `/system/routerboard/settings`: RouterBOARD settings: boot device, CPU clock.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992878/RouterBOARD>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/routerboard/settings", "RouterBOARD settings: boot device, CPU clock")
    .attrs(&[
        attr("auto-upgrade", Kind::Flag, ""),
        attr("baud-rate", Kind::Text, ""),
        attr("boot-delay", Kind::Span, ""),
        attr("boot-device", Kind::Text, ""),
        attr("boot-os", Kind::Text, ""),
        attr("boot-protocol", Kind::Text, ""),
        attr("cpu-frequency", Kind::Int, "CPU clock, MHz"),
        attr("disable-pci", Kind::Flag, ""),
        attr("enable-jumper-reset", Kind::Flag, ""),
        attr("enter-setup-on", Kind::Text, ""),
        attr("force-backup-booter", Kind::Flag, ""),
        attr("memory-frequency", Kind::Text, ""),
        attr("preboot-etherboot", Kind::Text, ""),
        attr("preboot-etherboot-server", Kind::Text, ""),
        attr("protected-routerboot", Kind::Text, ""),
        attr("reformat-hold-button", Kind::Span, ""),
        attr("reformat-hold-button-max", Kind::Span, ""),
        attr("silent-boot", Kind::Flag, ""),
    ])
    .synonyms(&["routerboard settings", "boot device", "auto upgrade firmware", "protected routerboot", "reset button"])
    .topic(Topic::System);
