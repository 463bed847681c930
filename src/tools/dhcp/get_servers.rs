//! `dhcp.get_servers`: each DHCP server with its pool, how much of it is taken, and what clients are told.
//!
//! Three requests: servers, networks, pools. Only where a router does not count its pools itself the leases are read too. DHCPv6
//! servers are told apart (`family: ipv6`), so that nobody pays for a family that was not asked about.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::query::Query;
use crate::tools::columns::{Columns, put};
use crate::tools::context::Cx;
use crate::tools::dhcp::pools::{self, Pools, Usage};
use crate::tools::dhcp::six::{self, Six};
use crate::tools::family::Family;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::notes::holding;
use crate::tools::router::{FRESH, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

pub(super) const TOOL: Tool = Tool {
    name: "dhcp.get_servers",
    title: "DHCP servers",
    about: "DHCP servers of one router: interface, pool with size and percent used, lease time, and what clients get; notes mark pools nearly full. family ipv6: DHCPv6 servers and their prefix pools.",
    toolset: "ip",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &[
        "/ip/dhcp-server",
        "/ip/dhcp-server/network",
        "/ip/pool",
        "/ip/dhcp-server/lease",
        "/ipv6/dhcp-server",
        "/ipv6/pool",
        "/ipv6/dhcp-server/binding",
    ],
    untrusted: &["/rows/*/comment"],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

const COLUMNS: Columns = Columns::of(
    &[
        "name",
        "interface",
        "disabled",
        "comment",
        "address_pool",
        "pool_ranges",
        "pool_size",
        "pool_used",
        "pool_free",
        "pool_used_percent",
        "lease_time_seconds",
        "networks",
        "notes",
    ],
    &["invalid", "dynamic", "authoritative", "relay", "server_address", "use_radius", "add_arp", "conflict_detection", "next_pools"],
);

/// From here on a pool is nearly full.
pub(super) const NEARLY_FULL_PERCENT: f64 = 90.0;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// IPv4 servers unless set.
    family: Option<Family>,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let router = cx.router(&args.device)?;
    let family = args.family.unwrap_or_default();
    let scope = format!("dhcp.get_servers {} {family:?}", router.device.id);
    if family == Family::Ipv6 {
        six::COLUMNS.check(&args.list, &scope)?;
        let six = Six::read(&router).await?;
        return six::COLUMNS.page(cx, &scope, &args.list, six.servers(), six::key, six::cell);
    }
    COLUMNS.check(&args.list, &scope)?;
    let (servers, networks, pools) = futures_util::try_join!(
        router.all("/ip/dhcp-server", FRESH),
        router.all("/ip/dhcp-server/network", FRESH),
        router.all("/ip/pool", FRESH),
    )?;
    let pools = Pools::new(&pools);
    let taken = if pools.counts(servers.iter().filter_map(|row| row.text("address-pool"))) {
        None
    } else {
        let query = Query::new().columns(["address", "active-address", "disabled"]);
        Some(pools::taken(&router.rows("/ip/dhcp-server/lease", query, FRESH).await?))
    };
    let site = Site { pools, taken, networks: &networks, servers: servers.len() };
    let key = |server: &Server<'_>| server.row.text("name").unwrap_or_default().to_owned();
    let all = servers.iter().map(|row| site.server(row)).collect();
    COLUMNS.page(cx, &scope, &args.list, all, key, cell)
}

/// What all servers share.
struct Site<'a> {
    pools: Pools<'a>,
    taken: Option<BTreeSet<u32>>,
    networks: &'a Seen,
    servers: usize,
}

/// A server with what belongs to it.
struct Server<'a> {
    row: View<'a>,
    usage: Option<Usage<'a>>,
    networks: Vec<View<'a>>,
}

impl<'a> Site<'a> {
    fn server(&self, row: View<'a>) -> Server<'a> {
        let pool = row.text("address-pool").unwrap_or_default();
        Server { row, usage: self.pools.usage(pool, self.taken.as_ref()), networks: self.networks_of(row, pool) }
    }

    /// Networks its addresses lie in. One that gives no addresses of a pool is known by its own address, or by being the only one.
    fn networks_of(&self, row: View<'_>, pool: &str) -> Vec<View<'a>> {
        let mut inside = self.pools.starts(pool);
        if inside.is_empty() {
            inside.extend(
                row.text("server-address").and_then(|text| text.parse::<Ipv4Addr>().ok()).filter(|address| !address.is_unspecified()),
            );
        }
        if inside.is_empty() && self.servers == 1 {
            return self.networks.iter().collect();
        }
        let holds = |network: &View<'_>| {
            let net = network.text("address").and_then(|text| text.parse::<Ipv4Net>().ok());
            net.is_some_and(|net| inside.iter().any(|address| net.contains(address)))
        };
        self.networks.iter().filter(holds).collect()
    }
}

fn notes(server: &Server<'_>) -> Vec<&'static str> {
    let row = server.row;
    let pool = row.text("address-pool").unwrap_or_default();
    let percent = server.usage.as_ref().and_then(Usage::used_percent);
    let full = server.usage.as_ref().is_some_and(|usage| usage.free() == Some(0));
    holding([
        (row.is("invalid"), "invalid"),
        (server.usage.is_none() && !pool.is_empty() && pool != "static-only", "pool_missing"),
        (server.usage.is_none() && pool == "static-only", "static_leases_only"),
        (full, "pool_full"),
        (!full && percent.is_some_and(|percent| percent >= NEARLY_FULL_PERCENT), "pool_nearly_full"),
        // Without one, clients get neither gateway nor DNS.
        (server.usage.is_some() && server.networks.is_empty(), "no_network"),
    ])
}

fn cell(server: &Server<'_>, column: &str) -> Value {
    let row = server.row;
    let usage = server.usage.as_ref();
    match column {
        "name" => row.text("name").into(),
        "interface" => row.text("interface").into(),
        "disabled" => row.is("disabled").into(),
        "comment" => row.text("comment").into(),
        "address_pool" => row.text("address-pool").into(),
        "pool_ranges" => usage.map(|usage| usage.ranges.clone()).into(),
        "pool_size" => usage.map(|usage| usage.size).into(),
        "pool_used" => usage.and_then(|usage| usage.used).into(),
        "pool_free" => usage.and_then(Usage::free).into(),
        "pool_used_percent" => usage.and_then(Usage::used_percent).into(),
        "next_pools" => usage.map(|usage| usage.chain[1..].to_vec()).into(),
        "lease_time_seconds" => row.seconds("lease-time").into(),
        "networks" => server.networks.iter().map(|row| network(*row)).collect(),
        "notes" => notes(server).into(),
        "invalid" => row.is("invalid").into(),
        "dynamic" => row.is("dynamic").into(),
        "authoritative" => row.text("authoritative").into(),
        "relay" => row.text("relay").filter(|relay| *relay != "0.0.0.0").into(),
        "server_address" => row.text("server-address").filter(|address| *address != "0.0.0.0").into(),
        "use_radius" => row.text("use-radius").into(),
        "add_arp" => row.flag("add-arp").into(),
        "conflict_detection" => row.flag("conflict-detection").into(),
        _ => Value::Null,
    }
}

fn network(row: View<'_>) -> Value {
    let mut network = Map::new();
    put(&mut network, "address", row.text("address").into());
    put(&mut network, "gateway", row.text("gateway").into());
    put(&mut network, "dns_servers", row.words("dns-server").into());
    put(&mut network, "no_dns", Some(true).filter(|_| row.text("dns-none").is_some_and(|text| text == "true" || text == "yes")).into());
    put(&mut network, "ntp_servers", row.words("ntp-server").into());
    put(&mut network, "domain", row.text("domain").into());
    Value::Object(network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SERVERS: &str = r#"[
        {"name":"lan","interface":"bridge","address-pool":"lan","lease-time":"10m","authoritative":"yes","relay":"192.0.2.250","server-address":"192.0.2.1",
         "use-radius":"no","add-arp":"false","conflict-detection":"true","comment":"c"},
        {"name":"full","interface":"vlan2","address-pool":"full","lease-time":"1d","disabled":"false"},
        {"name":"near","interface":"vlan3","address-pool":"near","lease-time":"1d","invalid":"true"},
        {"name":"gone","interface":"vlan4","address-pool":"*7","lease-time":"1d"},
        {"name":"fixed","interface":"vlan5","address-pool":"static-only","server-address":"198.51.100.1"}]"#;
    const NETWORKS: &str = r#"[
        {"address":"192.0.2.0/24","gateway":"192.0.2.1","dns-server":"192.0.2.1,192.0.2.2","ntp-server":"","domain":"lan.example","dns-none":"false"},
        {"address":"198.51.100.0/24","gateway":"198.51.100.1","dns-none":"true"}]"#;
    const POOLS: &str = r#"[
        {"name":"lan","ranges":"192.0.2.10-192.0.2.109","total":"100","used":"25","available":"75","next-pool":"none"},
        {"name":"full","ranges":"203.0.113.1-203.0.113.4","total":"4","used":"4","available":"0"},
        {"name":"near","ranges":"198.51.100.10-198.51.100.19","total":"10","used":"9","available":"1"}]"#;

    fn column(name: &str) -> Vec<Value> {
        let (servers, networks) = (Seen::answered("/ip/dhcp-server", SERVERS), Seen::answered("/ip/dhcp-server/network", NETWORKS));
        let pools = Seen::answered("/ip/pool", POOLS);
        let site = Site { pools: Pools::new(&pools), taken: None, networks: &networks, servers: servers.len() };
        servers.iter().map(|row| cell(&site.server(row), name)).collect()
    }

    #[test]
    fn pools_tell_how_full_they_are() {
        assert_eq!(column("pool_used_percent"), [json!(25.0), json!(100.0), json!(90.0), Value::Null, Value::Null]);
        assert_eq!(column("pool_free")[..3], [json!(75), json!(0), json!(1)]);
        assert_eq!(
            column("notes"),
            [
                json!([]),
                json!(["pool_full", "no_network"]),
                json!(["invalid", "pool_nearly_full"]),
                json!(["pool_missing"]),
                json!(["static_leases_only"]),
            ]
        );
    }

    #[test]
    fn a_server_has_the_networks_its_addresses_lie_in() {
        let networks = column("networks");
        assert_eq!(
            networks[0],
            json!([{"address": "192.0.2.0/24", "gateway": "192.0.2.1", "dns_servers": ["192.0.2.1", "192.0.2.2"], "domain": "lan.example"}])
        );
        assert_eq!((&networks[1], &networks[3]), (&json!([]), &json!([])));
        assert_eq!(networks[2], networks[4], "by its pool, and by its own address");
        assert_eq!(networks[4], json!([{"address": "198.51.100.0/24", "gateway": "198.51.100.1", "no_dns": true}]));
    }

    #[test]
    fn every_column_has_a_cell() {
        let empty: Vec<&str> = COLUMNS.all().filter(|name| column(name)[0].is_null()).collect();
        assert!(empty.is_empty(), "{empty:?}");
    }

    #[test]
    fn no_value_of_a_router_is_too_odd() {
        use crate::tools::samples::odd;
        let (networks, pools, leases) = (odd("/ip/dhcp-server/network"), odd("/ip/pool"), odd("/ip/dhcp-server/lease"));
        for (at, servers) in odd("/ip/dhcp-server").iter().enumerate() {
            for taken in [None, Some(pools::taken(&leases[at]))] {
                let site = Site { pools: Pools::new(&pools[at]), taken, networks: &networks[at], servers: 1 };
                let server = site.server(servers.first().unwrap());
                COLUMNS.all().for_each(|name| drop(cell(&server, name)));
            }
        }
    }
}
