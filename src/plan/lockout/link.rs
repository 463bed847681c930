//! Below IP: interfaces that our packets pass, or that the addresses we come to are on, before and after. Pure.
//!
//! What tags frames carry on bridges is followed in `frames.rs`.

use crate::plan::form::{Pairs, get};
use crate::plan::lockout::path::Who;
use crate::plan::lockout::state::{INTERFACES, State, is_on};
use crate::plan::lockout::{Finding, Touch, frames};
use crate::plan::record::Change;
use crate::routeros::row::Row;
use crate::routeros::value;
use std::collections::BTreeSet;

/// Deepest stack of interfaces that is followed.
const DEEPEST: u8 = 8;

/// Types of `/interface` rows that carry packets in packets.
const TUNNELS: &[&str] = &[
    "wg",
    "l2tp-out",
    "l2tp-in",
    "pptp-out",
    "pptp-in",
    "sstp-out",
    "sstp-in",
    "ovpn-out",
    "ovpn-in",
    "gre-tunnel",
    "gre6-tunnel",
    "ipip-tunnel",
    "ipipv6-tunnel",
    "eoip",
    "eoipv6-tunnel",
    "vxlan",
    "6to4-tunnel",
    "zerotier",
    "ppp-out",
    "pppoe-in",
    "l2tp-ether",
];
/// Types of `/interface` rows that are radios.
const RADIOS: &[&str] = &["wlan", "wifi", "cap", "wifi-ap"];
/// Attributes of interfaces and ports that do nothing to packets that pass.
const QUIET: &[&str] = &[
    "name",
    "comment",
    "ageing-time",
    "dhcp-snooping",
    "fast-leave",
    "igmp-snooping",
    "igmp-version",
    "internal-path-cost",
    "last-member-interval",
    "max-learned-entries",
    "membership-interval",
    "mld-version",
    "multicast-querier",
    "multicast-router",
    "querier-interval",
    "query-interval",
    "query-response-interval",
    "startup-query-count",
    "startup-query-interval",
    "trusted",
    "unknown-multicast-flood",
];
/// Attributes that the walk of frames understands.
const FRAMES: &[&str] = &["vlan-filtering", "pvid", "frame-types", "ingress-filtering", "vlan-id", "interface", "bridge", "disabled"];

/// What our packets pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    /// Surely.
    pub sure: BTreeSet<String>,
    /// Perhaps: ports of a bridge whose host table does not tell, members of a bond.
    pub perhaps: BTreeSet<String>,
    /// The bridge among them.
    pub bridge: Option<String>,
    /// The tunnel we come out of.
    pub tunnel: Option<String>,
    /// Whether one of them is a radio.
    pub is_radio: bool,
}

impl Link {
    /// Whether the row is that of an interface on our way.
    pub fn has_row(&self, touch: &Touch<'_>) -> bool {
        touch.values("name").any(|name| self.has(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.sure.contains(name) || self.perhaps.contains(name)
    }

    /// `yes` where it is surely on our way, `unknown` where it may be.
    pub(super) fn finding(&self, name: &str, why: String) -> Finding {
        if self.sure.contains(name) { Finding::yes(why) } else { Finding::unknown(format!("{why}, and we may come by it")) }
    }
}

/// Everything below the interface that our packets come in by.
pub(super) fn under(state: &State, who: &Who) -> Link {
    let mut link = Link::default();
    if let Some(l3) = &who.ingress {
        descend(state, who, l3, true, &mut link, 0);
    }
    for home in &who.homes {
        stand(state, home, who.arrivals.len() == 1, &mut link);
    }
    link
}

/// Addresses go with their interface, though packets for them come by another: as with VRRP, or an address on a bridge without ports.
fn stand(state: &State, home: &str, sure: bool, link: &mut Link) {
    let mut next = Some((home, sure));
    while let Some((name, sure)) = next.filter(|(name, _)| !link.has(name)) {
        (if sure { &mut link.sure } else { &mut link.perhaps }).insert(name.to_owned());
        let below = ["/interface/vlan", "/interface/vrrp", "/interface/macvlan"]
            .iter()
            .find_map(|menu| state.row(menu, &[("name", name)])?.get("interface"));
        next = below.map(|below| (below, false));
    }
}

fn descend(state: &State, who: &Who, name: &str, sure: bool, link: &mut Link, depth: u8) {
    if depth > DEEPEST || !(if sure { &mut link.sure } else { &mut link.perhaps }).insert(name.to_owned()) {
        return;
    }
    let row = |menu| state.row(menu, &[("name", name)]);
    let kind = row("/interface").and_then(|row| row.get("type")).unwrap_or_default();
    if TUNNELS.contains(&kind) || name.starts_with('<') {
        link.tunnel = link.tunnel.take().or_else(|| Some(name.to_owned()));
    }
    link.is_radio |=
        RADIOS.contains(&kind) || ["/interface/wifi", "/interface/wireless", "/caps-man/interface"].iter().any(|menu| row(menu).is_some());
    for (menu, attribute) in [
        ("/interface/vlan", "interface"),
        ("/interface/vrrp", "interface"),
        ("/interface/macvlan", "interface"),
        ("/interface/pppoe-client", "interface"),
        ("/interface/wifi", "master-interface"),
        ("/interface/wireless", "master-interface"),
    ] {
        if let Some(parent) = row(menu).and_then(|row| row.get(attribute)).filter(|parent| !matches!(*parent, "" | "none")) {
            descend(state, who, parent, sure, link, depth + 1);
        }
    }
    if let Some(slaves) = row("/interface/bonding").and_then(|row| row.get("slaves")) {
        for slave in value::list(slaves) {
            descend(state, who, slave, false, link, depth + 1);
        }
    }
    let is_bridge = kind == "bridge" || row("/interface/bridge").is_some();
    if is_bridge {
        link.bridge = link.bridge.take().or_else(|| Some(name.to_owned()));
        match port_of(state, who, name) {
            Some(port) => descend(state, who, &port, sure, link, depth + 1),
            None => {
                for port in ports(state, name) {
                    descend(state, who, &port, false, link, depth + 1);
                }
            }
        }
    }
}

/// Ports of a bridge that are in use.
pub(super) fn ports(state: &State, bridge: &str) -> Vec<String> {
    let of = |row: &&Row| row.get("bridge") == Some(bridge) && !is_on(row, "disabled");
    state.rows("/interface/bridge/port").iter().filter(of).filter_map(|row| row.get("interface").map(str::to_owned)).collect()
}

/// The port we are behind: our neighbour's address in ARP, its hardware address in the bridge's host table.
fn port_of(state: &State, who: &Who, bridge: &str) -> Option<String> {
    let next = who.gateways.first().or(who.sources.first())?.to_string();
    let known = state.rows("/ip/arp").iter().chain(state.rows("/ipv6/neighbor"));
    let mac = known.filter(|row| row.get("address") == Some(&next)).find_map(|row| row.get("mac-address"))?;
    let hosts = state.rows("/interface/bridge/host").iter();
    let of = |row: &&Row| row.get("bridge") == Some(bridge) && row.get("mac-address").is_some_and(|known| known.eq_ignore_ascii_case(mac));
    let mut on = hosts.filter(of).filter(|row| !is_on(row, "local")).filter_map(|row| row.get("on-interface").or(row.get("interface")));
    let port = on.next()?.to_owned();
    // Seen on two ports it was moved, or pretends.
    on.all(|other| other == port).then_some(port)
}

/// Whether our frames still come through.
pub(super) fn check(touch: &Touch<'_>, before: &State, after: &State, who: &Who, found: &mut Vec<Finding>) {
    if touch.only(&["name"]) {
        return;
    }
    let link = &who.link;
    let Some(l3) = &who.ingress else {
        if !is_new_and_alone(touch) {
            found.push(Finding::unknown("which interface we come in by is not known"));
        }
        return;
    };
    match touch.menu() {
        "/interface/bridge/port" => port(touch, link, l3, found),
        "/interface/bridge/vlan"
        | "/interface/bridge/settings"
        | "/interface/wireguard/peers"
        | "/interface/vxlan/vteps"
        | "/interface/lte/apn" => {
            beside(touch, link, found);
        }
        menu if INTERFACES.contains(&menu) => interface(touch, link, found),
        _ => found.push(Finding::unknown(format!("what {} does to {l3}, by which we come in, cannot be told", touch.menu()))),
    }
    // Switching filtering on or off makes the router build its switch tables anew.
    if touch.menu() == "/interface/bridge" && touch.changes("vlan-filtering") && link.has_row(touch) && touch.before.is_some() {
        found.push(Finding::unknown("VLAN filtering of the bridge that our packets pass would be switched"));
    }
    frames::check(touch, before, after, link, l3, found);
}

/// A new row that takes nothing from what is there.
fn is_new_and_alone(touch: &Touch<'_>) -> bool {
    matches!(touch.step.change, Change::Add { .. }) && INTERFACES.contains(&touch.menu()) && touch.menu() != "/interface/bonding"
}

fn interface(touch: &Touch<'_>, link: &Link, found: &mut Vec<Finding>) {
    // Frames of a VLAN interface on a port do not reach the bridge.
    let takes = |parent: &&str| link.has(parent) && link.bridge.as_deref() != Some(*parent) && link.bridge.is_some();
    if touch.menu() == "/interface/vlan"
        && touch.in_use() == (false, true)
        && let Some(parent) = touch.after.as_ref().and_then(|row| get(row, "interface")).filter(takes)
    {
        found.push(Finding::unknown(format!("a VLAN on {parent}, a port that our packets may pass, takes its frames from the bridge")));
        return;
    }
    if touch.before.is_none() {
        for slave in touch.values("slaves").flat_map(value::list).filter(|slave| link.has(slave)) {
            found.push(link.finding(slave, format!("{slave} would become part of a bond")));
        }
        return;
    }
    let Some(name) = touch.before.and_then(|row| get(row, "name").or(get(row, "default-name"))) else {
        found.push(Finding::unknown(format!("which interface of {} is meant cannot be told", touch.menu())));
        return;
    };
    if !link.has(name) {
        return;
    }
    match touch.in_use() {
        (true, false) if touch.after.is_none() => found.push(link.finding(name, format!("interface {name} would be gone"))),
        (true, false) => found.push(link.finding(name, format!("interface {name} would be disabled"))),
        _ => loud(touch, link, name, found),
    }
}

/// Attributes that neither do nothing nor are understood.
fn loud(touch: &Touch<'_>, link: &Link, name: &str, found: &mut Vec<Finding>) {
    // Which VLAN an interface carries is followed where it stands on the bridge.
    let on_bridge = touch.menu() == "/interface/vlan" && touch.before.and_then(|row| get(row, "interface")) == link.bridge.as_deref();
    let moves = |attribute: &str| matches!(attribute, "interface" | "vlan-id");
    let understood = |attribute: &str| FRAMES.contains(&attribute) && link.bridge.is_some() && (!moves(attribute) || on_bridge);
    // Who answers for others too still answers for itself.
    let answers = |attribute: &str| attribute == "arp" && touch.values("arp").all(|arp| matches!(arp, "enabled" | "proxy-arp"));
    let quiet = |attribute: &str| QUIET.contains(&attribute) || understood(attribute) || answers(attribute);
    let loud = touch.changed.iter().find(|attribute| !quiet(attribute));
    if let Some(attribute) = loud {
        let sure = if link.sure.contains(name) { "which our packets pass" } else { "which our packets may pass" };
        found.push(Finding::unknown(format!("{attribute} of {name} would change, {sure}")));
    }
}

fn port(touch: &Touch<'_>, link: &Link, l3: &str, found: &mut Vec<Finding>) {
    let of = |row: &Pairs| get(row, "interface").map(str::to_owned);
    let (was, will) = (touch.before.and_then(of), touch.after.as_ref().and_then(of));
    let (was_on, will_on) = touch.in_use();
    let bridge = |row: Option<&Pairs>| row.and_then(|row| get(row, "bridge")).unwrap_or_default().to_owned();
    if let Some(name) = was.as_deref().filter(|name| was_on && link.has(name)) {
        let (old, new) = (bridge(touch.before), bridge(touch.after.as_ref()));
        if !will_on || will.as_deref() != Some(name) {
            found.push(link.finding(name, format!("{name} would no longer be a port of {old}")));
        } else if old != new {
            found.push(link.finding(name, format!("{name} would be a port of {new} instead of {old}")));
        } else {
            loud(touch, link, name, found);
        }
    }
    // What carries addresses and becomes a port loses them to its bridge.
    if let Some(name) = will.as_deref().filter(|name| will_on && (!was_on || was.as_deref() != Some(name)) && link.has(name)) {
        let what = if name == l3 { "by which we come in" } else { "which our packets pass" };
        found.push(link.finding(name, format!("{name}, {what}, would become a port of {}", bridge(touch.after.as_ref()))));
    }
}

/// Rows that belong to an interface without being one.
fn beside(touch: &Touch<'_>, link: &Link, found: &mut Vec<Finding>) {
    let of_ours = touch.values("interface").any(|name| link.has(name));
    match touch.menu() {
        "/interface/bridge/settings" if link.bridge.is_some() && !touch.only(&["allow-fast-path"]) => {
            found.push(Finding::unknown("settings of bridges would change, and our packets pass one"));
        }
        "/interface/wireguard/peers" | "/interface/vxlan/vteps" if of_ours => {
            found.push(Finding::unknown(format!(
                "we come in through {}, and one of its peers would change",
                link.tunnel.as_deref().unwrap_or("a tunnel")
            )));
        }
        "/interface/lte/apn" if link.sure.iter().any(|name| name.starts_with("lte")) => {
            found.push(Finding::unknown("an access point of the mobile network would change, and we come in by it"));
        }
        _ => {}
    }
}
