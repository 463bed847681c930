//! `routing.get_ospf`: OSPF neighbours, interfaces and instances.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::columns::{Columns, put_some};
use crate::tools::context::Cx;
use crate::tools::list::{ListArgs, Rows};
use crate::tools::router::{FRESH, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "routing.get_ospf",
    title: "OSPF",
    about: "OSPF neighbours with state and age of each adjacency, the interfaces OSPF runs on, and the instances with their router ids.",
    toolset: "routing",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/routing/ospf/neighbor", "/routing/ospf/interface", "/routing/ospf/instance"],
    untrusted: &["/rows/*/comment", "/instances/*/comment"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

const COLUMNS: Columns = Columns::of(
    &["router_id", "address", "interface", "state", "adjacency_seconds", "area", "instance", "state_changes", "comment"],
    &["priority", "dr", "bdr", "timeout_seconds", "dynamic", "virtual"],
)
.quiet_flags()
.bytes(6_000);

/// Interfaces told; more are in `/routing/ospf/interface`.
const MOST_INTERFACES: usize = 15;
/// Instances told.
const MOST_INSTANCES: usize = 8;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    #[serde(flatten)]
    list: ListArgs,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    #[serde(flatten)]
    page: Rows,
    /// Neighbours in state Full.
    full: usize,
    instances: Vec<Instance>,
    /// Interfaces OSPF runs on, with their number in all.
    interfaces: Vec<Interface>,
    interfaces_total: usize,
}

#[derive(Serialize, JsonSchema)]
struct Instance {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// An address, or the name of an id in `/routing/id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    router_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redistribute: Option<String>,
    disabled: bool,
    inactive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Interface {
    /// Address and interface, `192.0.2.1%ether2`.
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<u64>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let scope = format!("routing.get_ospf {}", router.device.id);
    COLUMNS.check(&args.list, &scope)?;
    let (neighbors, interfaces, instances) = futures_util::try_join!(
        router.all_if_there("/routing/ospf/neighbor", FRESH),
        router.all_if_there("/routing/ospf/interface", FRESH),
        router.all_if_there("/routing/ospf/instance", FRESH),
    )?;
    let rows: Vec<Map<String, Value>> = neighbors.iter().flat_map(Seen::iter).map(neighbor).collect();
    let full =
        rows.iter().filter(|row| row.get("state").and_then(Value::as_str).is_some_and(|state| state.eq_ignore_ascii_case("full"))).count();
    let key = |row: &Map<String, Value>| {
        ["instance", "router_id", "address"].map(|name| row.get(name).map(Value::to_string).unwrap_or_default()).join("|")
    };
    Ok(Answer {
        page: COLUMNS.pick(cx, &scope, &args.list, rows, key, Map::clone)?,
        full,
        instances: instances.iter().flat_map(Seen::iter).take(MOST_INSTANCES).map(instance).collect(),
        interfaces: interfaces.iter().flat_map(Seen::iter).take(MOST_INTERFACES).map(interface).collect(),
        interfaces_total: interfaces.as_ref().map_or(0, Seen::len),
    })
}

fn neighbor(row: View<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    // OSPFv3 and unnumbered links tell the interface with the address only.
    let interface = || row.text("address").and_then(|text| text.split_once('%')).map(|(_, on)| on.to_owned());
    put_some(&mut out, "router_id", row.string("router-id"));
    put_some(&mut out, "address", row.string("address"));
    put_some(&mut out, "interface", row.string("interface").or_else(interface));
    put_some(&mut out, "state", row.string("state"));
    put_some(&mut out, "adjacency_seconds", row.seconds("adjacency"));
    put_some(&mut out, "area", row.string("area"));
    put_some(&mut out, "instance", row.string("instance"));
    put_some(&mut out, "state_changes", row.count("state-changes"));
    put_some(&mut out, "comment", row.string("comment"));
    put_some(&mut out, "priority", row.count("priority"));
    put_some(&mut out, "dr", row.string("dr"));
    put_some(&mut out, "bdr", row.string("bdr"));
    put_some(&mut out, "timeout_seconds", row.seconds("timeout"));
    put_some(&mut out, "dynamic", row.flag("dynamic"));
    put_some(&mut out, "virtual", row.flag("virtual"));
    out
}

fn instance(row: View<'_>) -> Instance {
    Instance {
        name: row.string("name").unwrap_or_default(),
        version: row.string("version"),
        router_id: row.string("router-id"),
        redistribute: row.string("redistribute"),
        disabled: row.is("disabled"),
        inactive: row.is("inactive"),
        comment: row.string("comment"),
    }
}

fn interface(row: View<'_>) -> Interface {
    Interface {
        address: row.string("address").or_else(|| row.string("interface")).unwrap_or_default(),
        area: row.string("area"),
        state: row.string("state"),
        network_type: row.string("network-type").or_else(|| row.string("type")),
        cost: row.count("cost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_neighbour_tells_where_it_is_even_without_an_interface() {
        let seen = Seen::answered(
            "/routing/ospf/neighbor",
            r#"{"address":"fe80::1%ether2","adjacency":"3d4h5m","area":"backbone","instance":"ospf1","router-id":"192.0.2.14","state":"Full","state-changes":"5"}"#,
        );
        let row = Value::Object(neighbor(seen.first().unwrap()));
        assert_eq!((&row["interface"], &row["adjacency_seconds"], &row["state_changes"]), (&json!("ether2"), &json!(273_900), &json!(5)));
        assert!(row.get("comment").is_none());
    }
}
