//! Menus that are none, or that this router lacks.

use crate::base::fault::Fault;
use crate::fleet::device::Device;
use crate::fleet::naming::distance;
use crate::menus;
use crate::routeros::path::MenuPath;
use crate::routeros::version::Version;

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

/// The first version of menus that came after 7.12, beside those in the facts; the longest path that fits counts.
///
/// Source: the console's own command tree, version by version.
const SINCE: &[(&str, (u8, u8))] = &[
    ("/app", (7, 21)),
    ("/certificate/builtin", (7, 19)),
    ("/console/settings", (7, 15)),
    ("/container/layers", (7, 21)),
    ("/container/log", (7, 20)),
    ("/disk/btrfs", (7, 17)),
    ("/disk/settings", (7, 14)),
    ("/file/rsync-daemon", (7, 16)),
    ("/interface/amt", (7, 18)),
    ("/interface/wifi", (7, 13)),
    ("/interface/wifi/network", (7, 22)),
    ("/ip/dns/adlist", (7, 15)),
    ("/ip/dns/forwarders", (7, 17)),
    ("/ip/media", (7, 15)),
    ("/ip/neighbor/lldp", (7, 23)),
    ("/ip/reverse-proxy", (7, 22)),
    ("/ip/service/webserver", (7, 21)),
    ("/ip/socksify", (7, 20)),
    ("/ipv6/dhcp-relay/option", (7, 21)),
    ("/ipv6/dhcp-relay/routes", (7, 18)),
    ("/ipv6/nd/proxy", (7, 20)),
    ("/ipv6/nd/settings", (7, 23)),
    ("/openflow", (7, 20)),
    ("/routing/bgp/evpn", (7, 20)),
    ("/routing/bgp/instance", (7, 20)),
    ("/routing/route/rule", (7, 22)),
    ("/safe-mode", (7, 18)),
    ("/system/package/local-update", (7, 17)),
    ("/system/resource/hardware", (7, 20)),
    ("/tool/netinstall", (7, 24)),
];

/// A path that names a menu; the root is none.
pub fn menu_path(text: &str) -> Result<MenuPath, Fault> {
    let path = MenuPath::parse(text)?;
    if path.is_root() {
        return Err(Fault::bad_input("menu: / is no menu").hint("name one, e.g. /ip/address; menu.search finds menus by words"));
    }
    Ok(path)
}

/// The device has no such menu; says which version or package would bring it.
pub fn no_menu(device: &Device, menu: &str) -> Fault {
    let version = device.facts.version.as_deref();
    let on = version.map(|version| format!(" (RouterOS {version})")).unwrap_or_default();
    let too_old = version.and_then(Version::parse).zip(since(menu)).filter(|(has, (major, minor))| !has.at_least(*major, *minor));
    let mut brings = Vec::new();
    brings.extend(too_old.map(|(_, (major, minor))| format!("it came with RouterOS {major}.{minor}")));
    brings.extend(package(menu).map(|package| format!("it comes with package {package}")));
    let brings = brings.into_iter().map(|said| format!("; {said}")).collect::<String>();
    let meant = nearest(menu).map(|path| format!("did you mean {path}? ")).unwrap_or_default();
    Fault::not_found(format!("device \"{}\"{on} has no menu {menu}{brings}", device.name))
        .hint(format!("{meant}menu.search finds menus by words"))
}

/// A path that is there but has no rows: a command, or a folder of menus.
pub fn no_rows(device: &Device, menu: &str) -> Fault {
    let (above, last) = menu.rsplit_once('/').unwrap_or(("", menu));
    let hint = match menus::find(above) {
        Some(menu) => format!("a command is no part of a menu's path: read {}", menu.path),
        None => format!("menu.describe {menu} names the menus below it"),
    };
    Fault::not_found(format!("device \"{}\": {menu} has no rows to read; {last} is a command or holds other menus", device.name)).hint(hint)
}

/// A known menu spelled nearly like this one.
fn nearest(menu: &str) -> Option<&'static str> {
    let (away, path) = menus::all().iter().map(|known| (distance(menu, known.path), known.path)).min()?;
    (1..=menu.len() / 6).contains(&away).then_some(path)
}

/// The first version with this menu, where it is not as old as 7.12.
fn since(menu: &str) -> Option<(u32, u32)> {
    let listed = SINCE.iter().filter(|(path, _)| is_below(menu, path)).max_by_key(|(path, _)| path.len()).map(|(_, since)| *since);
    let known = menus::find(menu).map(|facts| facts.since).filter(|since| *since > (7, 12));
    known.or(listed).map(|(major, minor)| (major.into(), minor.into()))
}

fn is_below(menu: &str, path: &str) -> bool {
    menu.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The package that brings a menu; none for the system package.
pub fn package(menu: &str) -> Option<&'static str> {
    let known = BROUGHT.iter().find(|(path, _)| is_below(menu, path)).map(|(_, package)| *package);
    known.or_else(|| menus::find(menu).and_then(|facts| facts.package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_brings_a_menu_is_the_nearest_one_known() {
        assert_eq!(since("/interface/wifi/network/radio"), Some((7, 22)));
        assert_eq!(since("/interface/wifi/steering"), Some((7, 13)));
        assert_eq!(since("/safe-mode"), Some((7, 18)));
        assert_eq!(since("/ip/address"), None);
        assert_eq!(since("/apparel"), None);
    }

    #[test]
    fn a_slip_in_a_path_is_told_and_another_path_is_not() {
        assert_eq!(nearest("/ip/firewal/nat"), Some("/ip/firewall/nat"));
        assert_eq!(nearest("/ip/adress"), Some("/ip/address"));
        for none in ["/ip/address", "/nope", "/ip/x", "/interface/veth"] {
            assert_eq!(nearest(none), None, "{none}");
        }
    }
}
