//! Which menus have to be read to tell whether steps concern our packets. Pure.

use crate::plan::lockout::bearing::{familiar, is_radio, passes_by};
use crate::plan::lockout::{Touch, aside};
use crate::plan::record::{Change, Step};

/// Who we are and where we come in.
const SELF: &[&str] = &["/user/active", "/ip/address", "/ip/route"];
/// What rules hang on.
const LISTS: &[&str] = &["/ip/firewall/address-list", "/interface/list", "/interface/list/member"];
/// All tables that ask for lists.
const RULES: &[&str] = &["/ip/firewall/raw", "/ip/firewall/mangle", "/ip/firewall/nat", "/ip/firewall/filter"];
/// What frames pass.
const LINK: &[&str] = &[
    "/interface",
    "/interface/bridge",
    "/interface/bridge/port",
    "/interface/bridge/vlan",
    "/interface/vlan",
    "/ip/arp",
    "/interface/bridge/host",
];

/// Where bridges go by interface lists.
const BRIDGED: &[&str] = &["/interface/bridge/port", "/interface/bridge/filter", "/interface/bridge/nat"];

/// What a rule about the carriers of IPsec hangs on.
fn carried(touch: &Touch<'_>) -> &'static [&'static str] {
    if aside::carries_ipsec(touch) { &["/ip/ipsec/policy"] } else { &[] }
}

/// Menus whose rows only sharpen the answer: without them more is unknown.
pub(super) const MAY_LACK: &[&str] =
    &["/interface/bridge/host", "/interface/bridge/filter", "/interface/bridge/nat", "/ip/arp", "/ipv6/neighbor", "/user/active"];

/// The menus a site needs for these steps: none for notes and for what has no hold on access. IPv4's names; a reader whose way is
/// IPv6 takes the others ([`of_family`]).
pub fn wanted(steps: &[Step]) -> Vec<&'static str> {
    let mut all: Vec<&'static str> = Vec::new();
    for touch in steps.iter().map(|step| Touch::of(step, &[])) {
        for group in groups(&touch) {
            all.extend(group.iter().filter(|menu| !all.contains(menu)).copied().collect::<Vec<_>>());
        }
    }
    all
}

/// A menu of IPv4 as IPv6 has it.
pub fn of_family(menu: &'static str, v6: bool) -> &'static str {
    match menu {
        _ if !v6 => menu,
        "/ip/address" => "/ipv6/address",
        "/ip/route" => "/ipv6/route",
        "/ip/arp" => "/ipv6/neighbor",
        "/ip/firewall/filter" => "/ipv6/firewall/filter",
        "/ip/firewall/raw" => "/ipv6/firewall/raw",
        "/ip/firewall/nat" => "/ipv6/firewall/nat",
        "/ip/firewall/mangle" => "/ipv6/firewall/mangle",
        "/ip/firewall/address-list" => "/ipv6/firewall/address-list",
        "/ip/settings" => "/ipv6/settings",
        other => other,
    }
}

fn groups(touch: &Touch<'_>) -> Vec<&'static [&'static str]> {
    const MARKED: &[&str] = &["/ip/firewall/mangle", "/routing/rule"];
    if touch.is_note() || passes_by(touch) || matches!(touch.step.change, Change::Run { .. }) && touch.menu() != "/ip/dhcp-client" {
        return vec![];
    }
    match familiar(touch.menu()) {
        "/firewall/filter" => vec![&["/ip/firewall/filter"], LISTS, SELF, carried(touch)],
        "/firewall/raw" => vec![&["/ip/firewall/raw", "/ip/firewall/filter"], LISTS, SELF, carried(touch)],
        "/firewall/nat" => vec![&["/ip/firewall/nat", "/ip/firewall/filter"], LISTS, SELF],
        "/firewall/mangle" => vec![RULES, LISTS, SELF, &["/routing/rule"]],
        // Our own lists are judged by the entry alone: they are written often, and by many. Who we are to the router it has to tell.
        "/firewall/address-list" if touch.is_of_own_list() => vec![&["/user/active"]],
        "/firewall/address-list" => vec![RULES, LISTS, SELF],
        "/interface/list" | "/interface/list/member" => vec![RULES, LISTS, SELF, BRIDGED],
        "/address" | "/route" | "/routing/rule" | "/routing/table" | "/vrf" => vec![SELF, MARKED],
        "/settings" | "/dhcp-client" | "/arp" | "/neighbor" => vec![SELF],
        "/dhcp-server/lease" if touch.values("mac-address").next().is_some() => vec![&["/user/active", "/ip/arp"]],
        "/pool" if touch.menu() == "/ipv6/pool" => vec![SELF],
        "/proxy" | "/socks" => vec![&["/ip/service"]],
        "/interface/sstp-server/server" | "/interface/ovpn-server/server" => vec![&["/ip/service"], LINK, SELF],
        rest if rest.starts_with("/hotspot") => vec![SELF, &["/ip/hotspot"]],
        "/queue/simple" | "/queue/tree" if aside::starves(touch) => vec![SELF],
        rest if rest.starts_with("/ppp/") => vec![SELF],
        rest if rest.starts_with("/ipsec/") => vec![SELF, &["/ip/ipsec/policy"]],
        rest if rest.starts_with("/routing/") => vec![SELF],
        "/service" => vec![&["/ip/service", "/user/active"]],
        "/certificate" => vec![&["/ip/service"]],
        "/user" | "/user/group" | "/user/aaa" | "/user/ssh-keys" | "/radius" => vec![&["/user", "/user/group", "/user/active"]],
        menu if is_radio(menu) || menu.starts_with("/interface") || menu.starts_with("/zerotier") => vec![LINK, SELF],
        _ => vec![],
    }
}
