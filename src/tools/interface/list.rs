//! `interface.list`: every interface with its state, bridge, addresses and counters.
//!
//! Three requests at most: interfaces, bridge ports, IPv4 addresses; what no column needs is not read. Rows are found again by
//! `.id` between two pages, which survives a rename.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::query::Query;
use crate::tools::columns::Columns;
use crate::tools::context::Cx;
use crate::tools::interface::known::{is_up, may_be_port};
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::router::{FRESH, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

pub(super) const TOOL: Tool = Tool {
    name: "interface.list",
    title: "Interfaces",
    about: "Interfaces of one router: type, up/down, bridge, IPv4 addresses, bytes, link downs, errors, and what is odd (up without address or bridge). Name fields for packets, link times, IPv6.",
    toolset: "interface",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/interface", "/interface/bridge/port", "/ip/address", "/ipv6/address"],
    // A dynamic interface bears the name its user chose.
    untrusted: &["/rows/*/comment", "/rows/*/name"],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

const COLUMNS: Columns = Columns::of(
    &[
        "name",
        "type",
        "running",
        "disabled",
        "comment",
        "bridge",
        "addresses",
        "mac_address",
        "mtu",
        "rx_bytes",
        "tx_bytes",
        "link_downs",
        "errors",
        "drops",
        "notes",
    ],
    &[
        "l2mtu",
        "default_name",
        "dynamic",
        "slave",
        "inactive",
        "vrf",
        "last_link_up",
        "last_link_down",
        "rx_packets",
        "tx_packets",
        "rx_errors",
        "tx_errors",
        "rx_drops",
        "tx_drops",
        "tx_queue_drops",
        "ipv6_addresses",
    ],
)
.quiet(&["link_downs", "errors", "drops"]);

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let router = cx.router(&args.device)?;
    let scope = format!("interface.list {}", router.device.id);
    COLUMNS.check(&args.list, &scope)?;
    let wants = |name: &str| COLUMNS.wants(&args.list, name);
    let (faces, ports, four, six) = futures_util::try_join!(
        router.all("/interface", FRESH),
        async {
            // Port rows are long; three attributes will do.
            let query = Query::new().columns(["bridge", "interface", "disabled"]);
            if wants("bridge") || wants("notes") { router.rows_if_there("/interface/bridge/port", query, FRESH).await } else { Ok(None) }
        },
        async { if wants("addresses") || wants("notes") { router.all_if_there("/ip/address", FRESH).await } else { Ok(None) } },
        async { if wants("ipv6_addresses") { router.all_if_there("/ipv6/address", FRESH).await } else { Ok(None) } },
    )?;
    let around = Around { bridges: bridges(ports.as_ref()), four: addresses(four.as_ref()), six: addresses(six.as_ref()) };
    let key = |row: &View<'_>| row.text(".id").or(row.text("name")).unwrap_or_default().to_owned();
    COLUMNS.page(cx, &scope, &args.list, faces.iter().collect(), key, |row, name| cell(*row, &around, name))
}

/// What other menus say about interfaces, by name.
struct Around<'a> {
    bridges: HashMap<&'a str, &'a str>,
    four: HashMap<&'a str, Vec<&'a str>>,
    six: HashMap<&'a str, Vec<&'a str>>,
}

fn bridges(ports: Option<&Seen>) -> HashMap<&str, &str> {
    let ports = ports.iter().flat_map(|seen| seen.iter()).filter(|row| !row.is("disabled"));
    ports.filter_map(|row| Some((row.text("interface")?, row.text("bridge")?))).collect()
}

/// Addresses in use, without link-local ones: every IPv6 interface has one of those.
fn addresses(seen: Option<&Seen>) -> HashMap<&str, Vec<&str>> {
    let mut found: HashMap<&str, Vec<&str>> = HashMap::new();
    let used = |row: &View<'_>| !row.is("disabled") && !row.is("invalid") && !row.is("link-local");
    for row in seen.iter().flat_map(|seen| seen.iter()).filter(used) {
        if let (Some(on), Some(address)) = (row.text("interface"), row.text("address")) {
            found.entry(on).or_default().push(address);
        }
    }
    found
}

fn cell(row: View<'_>, around: &Around<'_>, column: &str) -> Value {
    let name = row.text("name").unwrap_or_default();
    let sum = |one: &str, other: &str| match (row.count(one), row.count(other)) {
        (None, None) => Value::Null,
        (one, other) => one.unwrap_or(0).saturating_add(other.unwrap_or(0)).into(),
    };
    match column {
        "name" => name.into(),
        "type" => row.text("type").into(),
        "running" => row.flag("running").into(),
        "disabled" => row.is("disabled").into(),
        "comment" => row.text("comment").into(),
        "bridge" => around.bridges.get(name).copied().into(),
        "addresses" => around.four.get(name).cloned().unwrap_or_default().into(),
        "ipv6_addresses" => around.six.get(name).cloned().unwrap_or_default().into(),
        "rx_bytes" => row.count("rx-byte").into(),
        "tx_bytes" => row.count("tx-byte").into(),
        "link_downs" => row.count("link-downs").into(),
        "errors" => sum("rx-error", "tx-error"),
        "drops" => sum("rx-drop", "tx-drop"),
        "notes" => notes(row, around).into(),
        "mac_address" => row.text("mac-address").into(),
        "mtu" => row.count("actual-mtu").or(row.count("mtu")).into(),
        "l2mtu" => row.count("l2mtu").into(),
        "default_name" => row.text("default-name").into(),
        "dynamic" => row.is("dynamic").into(),
        "slave" => (row.is("slave") || around.bridges.contains_key(name)).into(),
        "inactive" => row.is("inactive").into(),
        "vrf" => row.text("vrf").into(),
        "last_link_up" => row.time("last-link-up-time").into(),
        "last_link_down" => row.time("last-link-down-time").into(),
        "rx_packets" => row.count("rx-packet").into(),
        "tx_packets" => row.count("tx-packet").into(),
        "rx_errors" => row.count("rx-error").into(),
        "tx_errors" => row.count("tx-error").into(),
        "rx_drops" => row.count("rx-drop").into(),
        "tx_drops" => row.count("tx-drop").into(),
        "tx_queue_drops" => row.count("tx-queue-drop").into(),
        _ => Value::Null,
    }
}

/// What is odd about an interface that is up.
fn notes(row: View<'_>, around: &Around<'_>) -> Vec<&'static str> {
    let (name, kind) = (row.text("name").unwrap_or_default(), row.text("type").unwrap_or_default());
    let has_place = around.bridges.contains_key(name) || row.is("slave") || kind == "loopback";
    if !is_up(row) || has_place || around.four.contains_key(name) {
        return Vec::new();
    }
    if may_be_port(kind) { vec!["no_ipv4_address", "in_no_bridge"] } else { vec!["no_ipv4_address"] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::samples::{accounted, odd, sample};
    use serde_json::{Map, json};

    fn shaped(faces: &str, ports: &str, four: &str, columns: &[&str]) -> Value {
        let faces = Seen::answered("/interface", faces);
        let (ports, four) = (Seen::answered("/interface/bridge/port", ports), Seen::answered("/ip/address", four));
        let around = Around { bridges: bridges(Some(&ports)), four: addresses(Some(&four)), six: HashMap::new() };
        let row = |row| Value::Object(columns.iter().map(|name| ((*name).to_owned(), cell(row, &around, name))).collect::<Map<_, _>>());
        faces.iter().map(row).collect()
    }

    #[test]
    fn every_column_has_a_cell() {
        let row = r#"[{".id":"*1","name":"ether1","type":"ether","running":"true","disabled":"false","comment":"c","actual-mtu":"1500",
            "mtu":"1500","l2mtu":"1598","default-name":"ether1","mac-address":"02:00:00:00:00:01","vrf":"main","rx-byte":"1","tx-byte":"2",
            "rx-packet":"3","tx-packet":"4","rx-error":"5","tx-error":"6","rx-drop":"7","tx-drop":"8","tx-queue-drop":"9","link-downs":"1",
            "last-link-up-time":"2026-03-02 19:46:36","last-link-down-time":"mar/02/2026 19:40:00"}]"#;
        let all: Vec<&str> = COLUMNS.all().collect();
        let rows = shaped(row, "[]", "[]", &all);
        let row = rows[0].as_object().unwrap();
        let empty: Vec<&String> = row.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name).collect();
        assert_eq!(empty, ["bridge"], "of {} columns", row.len());
        assert_eq!((&row["errors"], &row["drops"], &row["tx_queue_drops"]), (&json!(11), &json!(15), &json!(9)));
        assert_eq!(row["last_link_down"], "2026-03-02 19:40:00");
    }

    #[test]
    fn recorded_interfaces_are_told_whole() {
        let Some(seen) = sample("/interface", "rest-7.20.8-chr/test_interfaces_ros_R19M.json") else { return };
        let around = Around { bridges: HashMap::new(), four: HashMap::new(), six: HashMap::new() };
        for row in seen.iter() {
            // The MTU told is the one in effect, and the counters of the fast path are part of the others.
            let cells: Vec<Value> = COLUMNS.all().map(|name| cell(row, &around, name)).collect();
            accounted("/interface", row, &cells, &["fp-rx-byte", "fp-rx-packet", "fp-tx-byte", "fp-tx-packet", "mtu"]);
        }
    }

    #[test]
    fn up_without_a_place_is_noted_and_the_rest_is_not() {
        let faces = r#"[{"name":"ether1","type":"ether","running":"true"},{"name":"ether2","type":"ether","running":"true","slave":"true"},
            {"name":"ether3","type":"ether","running":"true"},{"name":"ether4","type":"ether","running":"false"},
            {"name":"ether5","type":"ether","running":"true"},{"name":"bridge","type":"bridge","running":"true"},
            {"name":"lo","type":"loopback","running":"true"},{"name":"ether6","type":"ether","running":"true","disabled":"true"}]"#;
        let ports = r#"[{"interface":"ether3","bridge":"bridge"},{"interface":"ether5","bridge":"bridge","disabled":"true"}]"#;
        let four = r#"[{"interface":"ether1","address":"192.0.2.1/24"},{"interface":"ether5","address":"192.0.2.9/24","disabled":"true"}]"#;
        assert_eq!(
            shaped(faces, ports, four, &["name", "bridge", "addresses", "notes"]),
            json!([
                {"name": "ether1", "bridge": null, "addresses": ["192.0.2.1/24"], "notes": []},
                {"name": "ether2", "bridge": null, "addresses": [], "notes": []},
                {"name": "ether3", "bridge": "bridge", "addresses": [], "notes": []},
                {"name": "ether4", "bridge": null, "addresses": [], "notes": []},
                {"name": "ether5", "bridge": null, "addresses": [], "notes": ["no_ipv4_address", "in_no_bridge"]},
                {"name": "bridge", "bridge": null, "addresses": [], "notes": ["no_ipv4_address"]},
                {"name": "lo", "bridge": null, "addresses": [], "notes": []},
                {"name": "ether6", "bridge": null, "addresses": [], "notes": []},
            ])
        );
    }

    #[test]
    fn a_row_of_an_old_version_without_counters_reads_all_the_same() {
        let rows = shaped(r#"[{"name":"x","type":"vlan"}]"#, "[]", "[]", &["running", "disabled", "errors", "mtu"]);
        assert_eq!(rows, json!([{"running": null, "disabled": false, "errors": null, "mtu": null}]));
    }

    #[test]
    fn no_value_of_a_router_is_too_odd() {
        let (ports, four) = (odd("/interface/bridge/port"), odd("/ip/address"));
        for (at, seen) in odd("/interface").iter().enumerate() {
            let around = Around { bridges: bridges(Some(&ports[at])), four: addresses(Some(&four[at])), six: HashMap::new() };
            COLUMNS.all().for_each(|name| drop(cell(seen.first().unwrap(), &around, name)));
        }
    }
}
