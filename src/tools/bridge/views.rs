//! Bridges, ports and VLANs as rows, and what follows from seeing them together.

use crate::tools::columns::put;
use crate::tools::notes::holding;
use crate::tools::router::{Seen, View};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Ports and VLANs shown inside their bridges, all bridges together; one has at least [`FEWEST`].
const MOST_PORTS: usize = 40;
const MOST_VLANS: usize = 24;
const FEWEST: usize = 4;
/// Ports named in one VLAN inside a bridge.
const MOST_MEMBERS: usize = 12;

/// All bridges of a router.
pub(super) struct Switch<'a> {
    bridges: usize,
    filtering: BTreeSet<&'a str>,
    pub(super) ports: Vec<View<'a>>,
    vlans: Vec<View<'a>>,
}

impl<'a> Switch<'a> {
    /// From the three menus; one that a router lacks has no rows.
    pub(super) fn new(bridges: &'a Seen, ports: Option<&'a Seen>, vlans: Option<&'a Seen>) -> Self {
        let filters = |row: &View<'_>| row.is("vlan-filtering");
        Switch {
            bridges: bridges.len().max(1),
            filtering: bridges.iter().filter(filters).filter_map(|row| row.text("name")).collect(),
            ports: ports.iter().flat_map(|seen| seen.iter()).collect(),
            vlans: vlans.iter().flat_map(|seen| seen.iter()).collect(),
        }
    }

    fn ports_of(&self, bridge: &str) -> impl Iterator<Item = View<'a>> {
        self.ports.iter().copied().filter(move |row| row.text("bridge") == Some(bridge))
    }

    fn vlans_of(&self, bridge: &str) -> impl Iterator<Item = View<'a>> {
        self.vlans.iter().copied().filter(move |row| row.text("bridge") == Some(bridge))
    }

    pub(super) fn bridge_cell(&self, row: View<'_>, column: &str) -> Value {
        let name = row.text("name").unwrap_or_default();
        let share = |most: usize| (most / self.bridges).max(FEWEST);
        match column {
            "name" => name.into(),
            "running" => row.flag("running").into(),
            "disabled" => row.is("disabled").into(),
            "comment" => row.text("comment").into(),
            "protocol_mode" => row.text("protocol-mode").into(),
            "vlan_filtering" => row.is("vlan-filtering").into(),
            // Without one, this bridge is the root itself, or alone.
            "root_port" => {
                self.ports_of(name).find(|port| port.text("role") == Some("root-port")).and_then(|port| port.text("interface")).into()
            }
            "port_count" => self.ports_of(name).count().into(),
            "ports" => self.ports_of(name).take(share(MOST_PORTS)).map(|port| self.brief_port(port)).collect(),
            "vlan_count" => self.vlans_of(name).count().into(),
            "vlans" => self.vlans_of(name).take(share(MOST_VLANS)).map(brief_vlan).collect(),
            "notes" => self.bridge_notes(row, name).into(),
            "mac_address" => row.text("mac-address").into(),
            "mtu" => row.count("actual-mtu").or(row.count("mtu")).into(),
            "pvid" => row.count("pvid").into(),
            "priority" => row.text("priority").into(),
            "frame_types" => row.text("frame-types").into(),
            "ingress_filtering" => row.flag("ingress-filtering").into(),
            "igmp_snooping" => row.flag("igmp-snooping").into(),
            "dhcp_snooping" => row.flag("dhcp-snooping").into(),
            "fast_forward" => row.flag("fast-forward").into(),
            "ageing_time_seconds" => row.seconds("ageing-time").into(),
            "dynamic" => row.is("dynamic").into(),
            _ => Value::Null,
        }
    }

    fn bridge_notes(&self, row: View<'_>, name: &str) -> Vec<&'static str> {
        let has_table = self.vlans_of(name).any(|vlan| !vlan.is("disabled") && !vlan.is("dynamic"));
        let filters = self.filtering.contains(name);
        let blocked = self.ports_of(name).any(|port| is_blocked(port));
        let alone = !row.is("disabled") && self.ports_of(name).all(|port| port.is("disabled"));
        holding([(has_table && !filters, "vlan_table_not_in_effect"), (blocked, "spanning_tree_blocks_a_port"), (alone, "no_ports")])
    }

    /// A port inside its bridge: what is as usual is left out.
    fn brief_port(&self, row: View<'_>) -> Value {
        let mut port = Map::new();
        put(&mut port, "interface", row.text("interface").into());
        put(&mut port, "pvid", row.count("pvid").filter(|pvid| *pvid != 1).into());
        put(&mut port, "role", row.text("role").map(short_role).into());
        put(&mut port, "inactive", Some(true).filter(|_| is_inactive(row)).into());
        put(&mut port, "disabled", Some(true).filter(|_| row.is("disabled")).into());
        put(&mut port, "notes", self.port_notes(row).into());
        Value::Object(port)
    }

    pub(super) fn port_cell(&self, row: View<'_>, column: &str) -> Value {
        match column {
            "interface" => row.text("interface").into(),
            "bridge" => row.text("bridge").into(),
            "pvid" => row.count("pvid").into(),
            "status" => row.text("status").into(),
            "role" => row.text("role").map(short_role).into(),
            "forwarding" => row.flag("forwarding").into(),
            "disabled" => row.is("disabled").into(),
            "hw_offload" => row.flag("hw-offload").into(),
            "frame_types" => row.text("frame-types").filter(|types| *types != "admit-all").into(),
            "comment" => row.text("comment").into(),
            "notes" => self.port_notes(row).into(),
            "learning" => row.flag("learning").into(),
            "edge_port" => row.flag("edge-port").into(),
            "path_cost" => row.count("actual-path-cost").or(row.count("path-cost")).into(),
            "priority" => row.text("priority").into(),
            "horizon" => row.text("horizon").into(),
            "ingress_filtering" => row.flag("ingress-filtering").into(),
            "bpdu_guard" => row.flag("bpdu-guard").into(),
            "trusted" => row.flag("trusted").into(),
            "dynamic" => row.is("dynamic").into(),
            "topology_changes" => row.count("topology-changes").into(),
            "tx_bpdus" => row.count("tx-bpdu").into(),
            "rx_bpdus" => row.count("rx-bpdu").into(),
            "designated_bridge_id" => row.text("designated-bridge-id").into(),
            _ => Value::Null,
        }
    }

    fn port_notes(&self, row: View<'_>) -> Vec<&'static str> {
        let (bridge, face) = (row.text("bridge").unwrap_or_default(), row.text("interface").unwrap_or_default());
        let pvid = row.count("pvid").unwrap_or(1);
        // The router adds the untagged member of each pvid itself; one that stands there as tagged gets its own frames wrong.
        let tagged_in_pvid = self.filtering.contains(bridge)
            && row.text("frame-types") != Some("admit-only-vlan-tagged")
            && self.vlans_of(bridge).any(|vlan| !vlan.is("disabled") && has_vlan(vlan, pvid) && vlan.words("tagged").contains(&face));
        holding([(is_blocked(row), "blocked"), (tagged_in_pvid, "tagged_in_its_pvid")])
    }
}

/// A VLAN inside its bridge: who carries it now, or who should where the router does not say.
fn brief_vlan(row: View<'_>) -> Value {
    let members = |now: &str, wanted: &str| {
        let mut names: Vec<String> = match row.words(now) {
            current if current.is_empty() => row.words(wanted),
            current => current,
        }
        .into_iter()
        .map(str::to_owned)
        .collect();
        let more = names.len().saturating_sub(MOST_MEMBERS);
        if more > 0 {
            names.truncate(MOST_MEMBERS);
            names.push(format!("+{more}"));
        }
        names
    };
    let mut vlan = Map::new();
    put(&mut vlan, "vlan_ids", row.text("vlan-ids").into());
    put(&mut vlan, "tagged", members("current-tagged", "tagged").into());
    put(&mut vlan, "untagged", members("current-untagged", "untagged").into());
    put(&mut vlan, "dynamic", Some(true).filter(|_| row.is("dynamic")).into());
    put(&mut vlan, "disabled", Some(true).filter(|_| row.is("disabled")).into());
    Value::Object(vlan)
}

pub(super) fn vlan_cell(row: View<'_>, column: &str) -> Value {
    match column {
        "vlan_ids" => row.text("vlan-ids").into(),
        "bridge" => row.text("bridge").into(),
        "tagged" => row.words("tagged").into(),
        "untagged" => row.words("untagged").into(),
        "current_tagged" => row.words("current-tagged").into(),
        "current_untagged" => row.words("current-untagged").into(),
        "disabled" => row.is("disabled").into(),
        "dynamic" => row.is("dynamic").into(),
        "comment" => row.text("comment").into(),
        "mvrp_forbidden" => row.words("mvrp-forbidden").into(),
        _ => Value::Null,
    }
}

/// `designated` of `designated-port`.
fn short_role(role: &str) -> &str {
    role.strip_suffix("-port").unwrap_or(role)
}

fn is_inactive(row: View<'_>) -> bool {
    row.is("inactive") || row.text("status") == Some("inactive")
}

/// Spanning tree keeps the port from forwarding.
fn is_blocked(row: View<'_>) -> bool {
    let role = row.text("role").map(short_role).unwrap_or_default();
    !row.is("disabled") && !is_inactive(row) && (matches!(role, "alternate" | "backup") || row.flag("forwarding") == Some(false))
}

/// Whether `1,10-20` has the VLAN.
fn has_vlan(row: View<'_>, vlan: u64) -> bool {
    row.words("vlan-ids").iter().any(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        from.parse().is_ok_and(|from: u64| from <= vlan) && to.parse().is_ok_and(|to: u64| vlan <= to)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BRIDGES: &str = r#"[{"name":"br","running":"true","protocol-mode":"rstp","vlan-filtering":"true"},
        {"name":"flat","running":"true","protocol-mode":"none","vlan-filtering":"false"},{"name":"lo","running":"true"}]"#;
    const PORTS: &str = r#"[
        {"interface":"e1","bridge":"br","pvid":"1","role":"root-port","forwarding":"true","inactive":"false"},
        {"interface":"e2","bridge":"br","pvid":"10","role":"alternate-port","forwarding":"false","inactive":"false"},
        {"interface":"e3","bridge":"br","pvid":"20","inactive":"true","status":"inactive","frame-types":"admit-all"},
        {"interface":"e4","bridge":"flat","pvid":"1","disabled":"true"},
        {"interface":"e5","bridge":"flat","pvid":"1","role":"designated-port","forwarding":"true","inactive":"false"}]"#;
    const VLANS: &str = r#"[
        {"bridge":"br","vlan-ids":"10,20-29","tagged":"br,e1,e3","untagged":"","current-tagged":"br,e1","current-untagged":"e2"},
        {"bridge":"flat","vlan-ids":"5","tagged":"flat","untagged":"e5"}]"#;

    fn look(of: impl Fn(&Switch<'_>, &Seen) -> Value) -> Value {
        let (bridges, ports) = (Seen::answered("/interface/bridge", BRIDGES), Seen::answered("/interface/bridge/port", PORTS));
        let vlans = Seen::answered("/interface/bridge/vlan", VLANS);
        of(&Switch::new(&bridges, Some(&ports), Some(&vlans)), &bridges)
    }

    #[test]
    fn a_bridge_shows_its_ports_with_what_is_unusual() {
        let ports = look(|switch, bridges| bridges.iter().map(|row| switch.bridge_cell(row, "ports")).collect());
        assert_eq!(
            ports,
            json!([
                [
                    {"interface": "e1", "role": "root"},
                    {"interface": "e2", "pvid": 10, "role": "alternate", "notes": ["blocked"]},
                    {"interface": "e3", "pvid": 20, "inactive": true, "notes": ["tagged_in_its_pvid"]},
                ],
                [{"interface": "e4", "disabled": true}, {"interface": "e5", "role": "designated"}],
                [],
            ])
        );
    }

    #[test]
    fn a_bridge_says_what_does_not_work_together() {
        let notes = look(|switch, bridges| bridges.iter().map(|row| switch.bridge_cell(row, "notes")).collect());
        assert_eq!(notes, json!([["spanning_tree_blocks_a_port"], ["vlan_table_not_in_effect"], ["no_ports"]]));
        let vlans = look(|switch, bridges| switch.bridge_cell(bridges.first().unwrap(), "vlans"));
        assert_eq!(vlans, json!([{"vlan_ids": "10,20-29", "tagged": ["br", "e1"], "untagged": ["e2"]}]));
        assert_eq!(look(|switch, bridges| switch.bridge_cell(bridges.first().unwrap(), "root_port")), "e1");
    }

    #[test]
    fn a_switch_with_many_ports_shows_the_first_and_counts_all() {
        let rows: Vec<String> = (0..60).map(|n| format!(r#"{{"interface":"e{n}","bridge":"br"}}"#)).collect();
        let names: Vec<String> = (0..60).map(|n| format!("e{n}")).collect();
        let bridges = Seen::answered("/interface/bridge", r#"[{"name":"br"}]"#);
        let ports = Seen::answered("/interface/bridge/port", &format!("[{}]", rows.join(",")));
        let vlans =
            Seen::answered("/interface/bridge/vlan", &format!(r#"[{{"bridge":"br","vlan-ids":"7","tagged":"{}"}}]"#, names.join(",")));
        let switch = Switch::new(&bridges, Some(&ports), Some(&vlans));
        let row = bridges.first().unwrap();
        assert_eq!(
            (switch.bridge_cell(row, "port_count"), switch.bridge_cell(row, "ports").as_array().unwrap().len()),
            (json!(60), MOST_PORTS)
        );
        let tagged = switch.bridge_cell(row, "vlans")[0]["tagged"].clone();
        assert_eq!((tagged.as_array().unwrap().len(), &tagged[MOST_MEMBERS]), (MOST_MEMBERS + 1, &json!("+48")));
    }
}
