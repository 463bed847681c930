//! `bridge.list`: bridges with their ports, VLAN table and spanning tree state; or all ports, or the whole VLAN table.
//!
//! Three requests for bridges, one for the VLAN table alone. A bridge of many ports shows the first ones and how many there are: the
//! `ports` and `vlans` views page through all of them.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::bridge::views::{self, Switch};
use crate::tools::columns::Columns;
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::router::{FRESH, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "bridge.list",
    title: "Bridges",
    about: "Bridges with ports, VLAN table and spanning tree state. view=ports and view=vlans list every port and VLAN with all details.",
    toolset: "interface",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/interface/bridge", "/interface/bridge/port", "/interface/bridge/vlan"],
    untrusted: &["/rows/*/comment"],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

const BRIDGES: Columns = Columns::of(
    &[
        "name",
        "running",
        "disabled",
        "comment",
        "protocol_mode",
        "vlan_filtering",
        "root_port",
        "port_count",
        "ports",
        "vlan_count",
        "vlans",
        "notes",
    ],
    &[
        "mac_address",
        "mtu",
        "pvid",
        "priority",
        "frame_types",
        "ingress_filtering",
        "igmp_snooping",
        "dhcp_snooping",
        "fast_forward",
        "ageing_time_seconds",
        "dynamic",
    ],
);

const PORTS: Columns = Columns::of(
    &["interface", "bridge", "pvid", "status", "role", "forwarding", "disabled", "hw_offload", "frame_types", "comment", "notes"],
    &[
        "learning",
        "edge_port",
        "path_cost",
        "priority",
        "horizon",
        "ingress_filtering",
        "bpdu_guard",
        "trusted",
        "dynamic",
        "topology_changes",
        "tx_bpdus",
        "rx_bpdus",
        "designated_bridge_id",
    ],
)
.quiet(&["disabled"]);

const VLANS: Columns = Columns::of(
    &["vlan_ids", "bridge", "tagged", "untagged", "current_tagged", "current_untagged", "disabled", "dynamic", "comment"],
    &["mvrp_forbidden"],
)
.quiet(&["disabled", "dynamic"]);

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// What the rows are, bridges unless set.
    view: Option<Which>,
    #[serde(flatten)]
    list: ListArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Which {
    #[default]
    Bridges,
    Ports,
    Vlans,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let router = cx.router(&args.device)?;
    let view = args.view.unwrap_or_default();
    let columns = match view {
        Which::Bridges => &BRIDGES,
        Which::Ports => &PORTS,
        Which::Vlans => &VLANS,
    };
    let scope = format!("bridge.list {} {view:?}", router.device.id);
    columns.check(&args.list, &scope)?;
    // Ports move with their interface's name; `.id` stays while a row lives.
    let key = |row: &View<'_>| row.text(".id").or(row.text("name")).unwrap_or_default().to_owned();
    if view == Which::Vlans {
        let vlans = router.all("/interface/bridge/vlan", FRESH).await?;
        return columns.page(cx, &scope, &args.list, vlans.iter().collect(), key, |row, name| views::vlan_cell(*row, name));
    }
    let (bridges, ports, vlans) = futures_util::try_join!(
        router.all("/interface/bridge", FRESH),
        router.all_if_there("/interface/bridge/port", FRESH),
        router.all_if_there("/interface/bridge/vlan", FRESH),
    )?;
    let switch = Switch::new(&bridges, ports.as_ref(), vlans.as_ref());
    match view {
        Which::Bridges => columns.page(cx, &scope, &args.list, bridges.iter().collect(), key, |row, name| switch.bridge_cell(*row, name)),
        _ => columns.page(cx, &scope, &args.list, switch.ports.clone(), key, |row, name| switch.port_cell(*row, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::router::Seen;
    use crate::tools::samples::{accounted, odd, sample};
    use serde_json::Value;

    #[test]
    fn recorded_ports_and_vlans_are_told() {
        // Settings of spanning tree and multicast that nobody asks a list about; menu.read has them.
        const LEFT_OUT: &[&str] = &[
            "auto-isolate",
            "broadcast-flood",
            "debug-info",
            "designated-cost",
            "designated-port-id",
            "discard-transitions",
            "edge",
            "edge-port-discovery",
            "external-fdb-status",
            "fast-leave",
            "forward-transitions",
            "frame-types",
            "inactive",
            "learn",
            "multicast-router",
            "mvrp-applicant-state",
            "mvrp-registrar-state",
            "point-to-point",
            "point-to-point-port",
            "port-id",
            "restricted-role",
            "restricted-tcn",
            "role",
            "rx-tc",
            "sending-rstp",
            "tag-stacking",
            "tx-tc",
            "unknown-multicast-flood",
            "unknown-unicast-flood",
        ];
        let Some(ports) = sample("/interface/bridge/port", "rest-7.20.5-hap-ax2/bridge_port.json") else { return };
        let bridges = Seen::answered("/interface/bridge", r#"[{"name":"bridge1"}]"#);
        let switch = Switch::new(&bridges, Some(&ports), None);
        for row in ports.iter() {
            let cells: Vec<Value> = PORTS.all().map(|name| switch.port_cell(row, name)).collect();
            accounted("/interface/bridge/port", row, &cells, LEFT_OUT);
        }
        assert_eq!(switch.port_cell(ports.first().unwrap(), "role"), "designated");
        let inside = switch.bridge_cell(bridges.first().unwrap(), "ports");
        assert_eq!((&inside[0]["interface"], &inside[1]["inactive"]), (&Value::from("wifi1"), &Value::Bool(true)));
        let vlans = sample("/interface/bridge/vlan", "rest-tf/interface_bridge_vlan.json").unwrap();
        let cells: Vec<Value> = VLANS.all().map(|name| views::vlan_cell(vlans.first().unwrap(), name)).collect();
        accounted("/interface/bridge/vlan", vlans.first().unwrap(), &cells, &[]);
    }

    #[test]
    fn every_column_has_a_cell() {
        let bridges = Seen::answered(
            "/interface/bridge",
            r#"[{"name":"br","running":"true","comment":"c","protocol-mode":"rstp","vlan-filtering":"true","mac-address":"02:00:00:00:00:01","actual-mtu":"1500",
                "pvid":"1","priority":"0x8000","frame-types":"admit-all","ingress-filtering":"true","igmp-snooping":"false","dhcp-snooping":"false",
                "fast-forward":"true","ageing-time":"5m"}]"#,
        );
        let ports = Seen::answered(
            "/interface/bridge/port",
            r#"[{"interface":"e1","bridge":"br","pvid":"1","status":"in-bridge","role":"root-port","forwarding":"true","hw-offload":"true","comment":"c",
                "frame-types":"admit-only-vlan-tagged","learning":"true","edge-port":"false","path-cost":"10","priority":"0x80","horizon":"none",
                "ingress-filtering":"true","bpdu-guard":"false","trusted":"false","topology-changes":"1","tx-bpdu":"2","rx-bpdu":"3",
                "designated-bridge-id":"0x8000.02:00:00:00:00:09"}]"#,
        );
        let vlans = Seen::answered(
            "/interface/bridge/vlan",
            r#"[{"bridge":"br","vlan-ids":"1-5","tagged":"e1","untagged":"e2","current-tagged":"e1","current-untagged":"e2","comment":"c","mvrp-forbidden":"e3"}]"#,
        );
        let switch = Switch::new(&bridges, Some(&ports), Some(&vlans));
        let empty = |columns: &Columns, cell: &dyn Fn(&str) -> Value| columns.all().filter(|name| cell(name).is_null()).collect::<Vec<_>>();
        assert!(empty(&BRIDGES, &|name| switch.bridge_cell(bridges.first().unwrap(), name)).is_empty());
        assert!(empty(&PORTS, &|name| switch.port_cell(ports.first().unwrap(), name)).is_empty());
        assert!(empty(&VLANS, &|name| views::vlan_cell(vlans.first().unwrap(), name)).is_empty());
    }

    #[test]
    fn no_value_of_a_router_is_too_odd() {
        let (ports, vlans) = (odd("/interface/bridge/port"), odd("/interface/bridge/vlan"));
        for (at, bridges) in odd("/interface/bridge").iter().enumerate() {
            let switch = Switch::new(bridges, Some(&ports[at]), Some(&vlans[at]));
            BRIDGES.all().for_each(|name| drop(switch.bridge_cell(bridges.first().unwrap(), name)));
            PORTS.all().for_each(|name| drop(switch.port_cell(switch.ports[0], name)));
            VLANS.all().for_each(|name| drop(views::vlan_cell(vlans[at].first().unwrap(), name)));
        }
    }
}
