//! From the port our frames arrive at to the interface the router's IP sees them on, and the same way back: bonding, bridge ports,
//! VLAN filtering, VLAN interfaces, bridge filter, ARP.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328068/Bridging+and+Switching>

use super::bridge;
use super::lists;
use super::view::View;
use crate::sim::row::Row;

/// The way frames take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// The interface IP sees: `bridge`, `vlan99-mgmt`.
    pub interface: String,
    /// The port as it is named now: `ether2`.
    pub port: String,
    /// The bridge the port belongs to.
    pub bridge: Option<String>,
}

/// The way from our port in, or what is in the way.
pub(super) fn enter(view: &View<'_>) -> Result<Way, String> {
    let entry = view.world.entry;
    let (_, row) = view.port(entry.port).ok_or_else(|| format!("there is no {} any more", entry.port))?;
    let port = row.get("name").unwrap_or_default().to_string();
    up(view, &port)?;
    let mut at = port.clone();
    let bond = view.enabled("/interface/bonding").find(|b| b.get("slaves").unwrap_or_default().split(',').any(|s| s == port));
    if let Some(name) = bond.and_then(|b| b.get("name")) {
        at = name.to_string();
    }
    let mut tag = entry.vlan;
    let mut bridge = None;
    if let Some(member) = bridge::port(view, &at) {
        let name = member.get("bridge").unwrap_or_default().to_string();
        up(view, &name)?;
        tag = bridge::cross(view, member, &name, &at, tag)?;
        at.clone_from(&name);
        bridge = Some(name);
    }
    if let Some(vid) = tag {
        let mine = |r: &&Row| r.get("interface") == Some(at.as_str()) && !r.is("use-service-tag");
        let vlan = view.enabled("/interface/vlan").filter(mine).find(|r| r.get("vlan-id").and_then(|v| v.parse().ok()) == Some(vid));
        let name = vlan.and_then(|r| r.get("name")).ok_or_else(|| format!("no enabled /interface/vlan has vlan-id {vid} on {at}"))?;
        at = name.to_string();
    }
    up(view, &at)?;
    let way = Way { interface: at, port, bridge };
    resolves(view, &way)?;
    Ok(way)
}

fn up(view: &View<'_>, name: &str) -> Result<(), String> {
    if view.is_up(name) { Ok(()) } else { Err(format!("interface {name} is disabled, down or gone")) }
}

/// ARP both ways: they ask for our router's address, it asks for ours.
fn resolves(view: &View<'_>, way: &Way) -> Result<(), String> {
    let (from, mac) = (view.world.seen_from().to_string(), view.world.entry.mac);
    if view.world.beyond {
        return Ok(());
    }
    let fixed = view.enabled("/ip/arp").filter(|r| !r.is("dynamic") && r.get("interface") == Some(way.interface.as_str()));
    let fixed = fixed.filter(|r| r.get("address") == Some(from.as_str())).find_map(|r| r.get("mac-address"));
    if let Some(other) = fixed.filter(|m| !m.eq_ignore_ascii_case(mac)) {
        return Err(format!("/ip/arp has {other} for {from} on {}", way.interface));
    }
    match view.interface(&way.interface).and_then(|(_, row)| row.get("arp")) {
        Some(mode @ ("disabled" | "reply-only")) if fixed.is_none() => {
            Err(format!("{} has arp={mode} and /ip/arp has no entry for {from}", way.interface))
        }
        _ => Ok(()),
    }
}

/// Whether an interface fits a matcher's value; `None` when the value names one that is gone.
pub(super) fn is_interface(view: &View<'_>, spec: &str, name: Option<&str>) -> Option<bool> {
    let (not, wanted) = lists::negated(spec);
    // A rule about an interface that is gone is not valid.
    view.interface(wanted)?;
    Some((name == Some(wanted)) != not)
}

/// As [`is_interface`] for the name of a list it may be in.
pub(super) fn is_in_list(view: &View<'_>, spec: &str, name: Option<&str>) -> Option<bool> {
    let (not, list) = lists::negated(spec);
    let within = name.map_or(Some(false), |name| lists::in_interface_list(view, list, name))?;
    Some(within != not)
}
