//! A bridge between our port and the router itself: membership, VLAN table, `/interface/bridge/filter`.
//!
//! Since 7.16 some releases add the bridge to a VLAN's tagged ports by themselves while a VLAN interface stands on it. Here only what is
//! written counts: who relies on the other is locked out by the next release that does not.

use super::lists::{has_address, has_number, in_interface_list, negated};
use super::view::View;
use super::wire::{is_in_list, is_interface};
use crate::sim::row::Row;

/// How a port is in a VLAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Tagged,
    Untagged,
}

/// The row that makes an interface a port: by its name or by a list it is in.
pub(super) fn port<'v>(view: &'v View<'_>, interface: &str) -> Option<&'v Row> {
    let ports = || view.enabled("/interface/bridge/port");
    ports().find(|r| r.get("interface") == Some(interface)).or_else(|| {
        ports().find(|r| {
            let on = r.get("interface").unwrap_or_default();
            view.named("/interface/list", on).is_some() && in_interface_list(view, on, interface) == Some(true)
        })
    })
}

/// Through the bridge and back: the tag a frame has above the bridge.
pub(super) fn cross(view: &View<'_>, port: &Row, bridge: &str, interface: &str, tag: Option<u16>) -> Result<Option<u16>, String> {
    let row = view.named("/interface/bridge", bridge).ok_or_else(|| format!("{interface} is a port of {bridge}, which is gone"))?;
    filtered(view, bridge, interface, "input")?;
    filtered(view, bridge, interface, "output")?;
    if port.get("learn") == Some("no") && port.get("unknown-unicast-flood") == Some("false") {
        return Err(format!("bridge port {interface} neither learns our address nor takes what floods"));
    }
    if !row.is("vlan-filtering") {
        return Ok(tag);
    }
    let types = port.get("frame-types").unwrap_or("admit-all");
    match (types, tag) {
        ("admit-only-vlan-tagged", None) => return Err(format!("bridge port {interface} admits tagged frames only")),
        ("admit-only-untagged-and-priority-tagged", Some(_)) => return Err(format!("bridge port {interface} admits no tagged frames")),
        _ => {}
    }
    let vid = tag.unwrap_or_else(|| pvid(port));
    let out = member(view, bridge, interface, port, vid);
    if out.is_none() && port.get("ingress-filtering") != Some("false") {
        return Err(format!("bridge port {interface} is not in VLAN {vid} and filters what comes in"));
    }
    let above = match member(view, bridge, bridge, row, vid) {
        Some(Member::Tagged) => Some(vid),
        Some(Member::Untagged) => None,
        None => return Err(format!("{bridge} itself is not in VLAN {vid} of /interface/bridge/vlan")),
    };
    let wanted = if tag.is_some() { Member::Tagged } else { Member::Untagged };
    match out {
        Some(how) if how == wanted => Ok(above),
        Some(_) => Err(format!("answers leave {interface} in VLAN {vid} with the wrong tag")),
        None => Err(format!("answers in VLAN {vid} do not leave by {interface}")),
    }
}

fn pvid(of: &Row) -> u16 {
    of.get("pvid").and_then(|v| v.parse().ok()).unwrap_or(1)
}

/// Membership as written, or what a port's PVID adds by itself.
fn member(view: &View<'_>, bridge: &str, name: &str, port: &Row, vid: u16) -> Option<Member> {
    let rows = view.enabled("/interface/bridge/vlan").filter(|r| r.get("bridge") == Some(bridge));
    let has = |row: &Row, attr: &str| row.get(attr).unwrap_or_default().split(',').any(|p| p == name);
    let mut found = None;
    for row in rows.filter(|r| has_number(r.get("vlan-ids").unwrap_or_default(), u64::from(vid))) {
        if has(row, "tagged") {
            return Some(Member::Tagged);
        }
        if has(row, "untagged") {
            found = Some(Member::Untagged);
        }
    }
    let by_pvid = pvid(port) == vid && port.get("frame-types") != Some("admit-only-vlan-tagged");
    found.or(by_pvid.then_some(Member::Untagged))
}

/// The bridge's own filter, for frames to or from the router itself.
fn filtered(view: &View<'_>, bridge: &str, port: &str, chain: &str) -> Result<(), String> {
    for (n, rule) in view.rows("/interface/bridge/filter").iter().enumerate() {
        if rule.get("chain") != Some(chain) || rule.is("disabled") || !hits(view, rule, bridge, port, chain == "input") {
            continue;
        }
        match rule.get("action").unwrap_or("accept") {
            "drop" => return Err(format!("dropped by /interface/bridge/filter {chain} rule {n}")),
            "accept" | "return" => return Ok(()),
            // Jumps between the three chains of a bridge are not followed: none of them can be made a loop.
            _ => {}
        }
    }
    Ok(())
}

fn hits(view: &View<'_>, rule: &Row, bridge: &str, port: &str, coming: bool) -> bool {
    let world = view.world;
    let router = world.model.management.parse().unwrap_or(world.seen_from());
    let (src, dst) = if coming { (world.seen_from(), router) } else { (router, world.seen_from()) };
    rule.iter().all(|(name, spec)| {
        let (not, bare) = negated(spec);
        let is = match (name, coming) {
            ("in-interface", true) | ("out-interface", false) => return is_interface(view, spec, Some(port)) == Some(true),
            ("in-bridge", true) | ("out-bridge", false) => return is_interface(view, spec, Some(bridge)) == Some(true),
            ("in-interface-list", true) | ("out-interface-list", false) => return is_in_list(view, spec, Some(port)) == Some(true),
            ("in-interface" | "in-bridge" | "in-interface-list" | "out-interface" | "out-bridge" | "out-interface-list", _) => false,
            ("src-address", _) => has_address(bare, src),
            ("dst-address", _) => has_address(bare, dst),
            ("src-mac-address", true) | ("dst-mac-address", false) => mac_in(bare, world.entry.mac),
            ("mac-protocol", _) => matches!(bare, "ip" | "0x800" | "0x0800" | "2048"),
            ("ip-protocol", _) => matches!(bare, "tcp" | "6"),
            ("vlan-id", _) => world.entry.vlan.is_some_and(|v| has_number(bare, u64::from(v))),
            (n, _)
                if n.starts_with("arp-")
                    || n.starts_with("stp-")
                    || n.starts_with("802.3")
                    || n == "dst-address6"
                    || n == "src-address6" =>
            {
                false
            }
            // Single ports: a rule about one service of the router is for the firewall; here it would cut that service alone.
            ("dst-port" | "src-port", _) => false,
            _ => return true,
        };
        is != not
    })
}

/// `02:00:5E:00:53:10/FF:FF:FF:00:00:00`
fn mac_in(spec: &str, mac: &str) -> bool {
    let (address, mask) = spec.split_once('/').unwrap_or((spec, "FF:FF:FF:FF:FF:FF"));
    let bytes = |t: &str| t.split(':').map(|b| u8::from_str_radix(b, 16).unwrap_or(0)).collect::<Vec<u8>>();
    let (address, mask, mac) = (bytes(address), bytes(mask), bytes(mac));
    mac.len() == 6 && address.len() == 6 && mask.len() == 6 && (0..6).all(|i| mac[i] & mask[i] == address[i] & mask[i])
}
