//! Menus that are none, or that this router lacks.

use crate::base::fault::Fault;
use crate::fleet::Device;
use crate::menus;
use crate::routeros::path::MenuPath;

/// Packages that bring menus, by the beginning of the path; where there are several, each brings it on its own boards.
///
/// Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992872/Packages>
const BROUGHT: &[(&str, &str)] = &[
    ("/interface/wifi", "wifi-qcom, wifi-qcom-ac or wifi-mediatek"),
    ("/interface/wireless", "wireless"),
    ("/caps-man", "wireless"),
    ("/container", "container"),
    ("/zerotier", "zerotier"),
    ("/user-manager", "user-manager"),
    ("/iot", "iot"),
    ("/dude", "dude"),
    ("/tr069-client", "tr069-client"),
    ("/system/gps", "gps"),
    ("/system/ups", "ups"),
    ("/tool/calea", "calea"),
];

/// A path that names a menu; the root is none.
pub(in crate::tools) fn menu_path(text: &str) -> Result<MenuPath, Fault> {
    let path = MenuPath::parse(text)?;
    if path.is_root() {
        return Err(Fault::bad_input("menu: / is no menu").hint("name one, e.g. /ip/address; menu.search finds menus by words"));
    }
    Ok(path)
}

/// The device has no such menu; says which package would bring it.
pub(super) fn no_menu(device: &Device, menu: &str) -> Fault {
    let on = device.facts.version.as_deref().map(|version| format!(" (RouterOS {version})")).unwrap_or_default();
    let brings = package(menu).map(|package| format!("; it comes with package {package}")).unwrap_or_default();
    Fault::not_found(format!("device \"{}\"{on} has no menu {menu}{brings}", device.name)).hint("menu.search finds menus by words")
}

fn package(menu: &str) -> Option<&'static str> {
    let below = |path: &str| menu.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let known = BROUGHT.iter().find(|(path, _)| below(path)).map(|(_, package)| *package);
    known.or_else(|| menus::find(menu).and_then(|facts| facts.package))
}
