//! `routing.get_summary`: is there a way out, and do the routing protocols stand.
//!
//! Three requests: `/routing/route` holds both families and all protocols. The routes of BGP are left on the router (a full
//! table has a million); how many there are its sessions tell.

use super::route::{self, is_active, is_default};
use crate::base::fault::{Fault, Kind};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::query::{Filter, Query};
use crate::tools::context::Cx;
use crate::tools::router::{FRESH, Router, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "routing.get_summary",
    title: "Routing summary",
    about: "Default routes and whether they are active, routes by family, protocol and table, BGP sessions and OSPF neighbours up and down.",
    toolset: "routing",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(45),
    paths: &["/routing/route", "/ip/route", "/ipv6/route", "/routing/bgp/session", "/routing/ospf/neighbor"],
    untrusted: &["/defaults/*/comment", "/defaults/*/gateway", "/down/*/name"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// What of a route is asked.
const ASKED: [&str; 24] = [
    "active",
    "afi",
    "belongs-to",
    "bgp",
    "bgp-mpls-vpn",
    "check-gateway",
    "comment",
    "connect",
    "contribution",
    "dhcp",
    "disabled",
    "distance",
    "dst-address",
    "gateway",
    "is-is",
    "isis",
    "modem",
    "ospf",
    "rip",
    "routing-table",
    "slaac",
    "static",
    "vpn",
    "dynamic",
];

/// Rows of each part of the answer.
const MOST: usize = 12;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
}

#[derive(Default, Serialize, JsonSchema)]
struct Answer {
    /// Whether IPv4 has an active default route in the main table; absent where the router told of no IPv4 route at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4_default_active: Option<bool>,
    /// The same for IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6_default_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    router_id: Option<String>,
    bgp: Bgp,
    ospf: Ospf,
    /// Default routes of all tables.
    defaults: Vec<Default_>,
    /// Routes by family, protocol and table; those of BGP are told by its prefixes.
    routes: Vec<Counted>,
    /// Sessions and neighbours that do not stand.
    down: Vec<Down>,
}

#[derive(Default, Serialize, JsonSchema)]
struct Bgp {
    sessions: usize,
    established: usize,
    /// Prefixes received over all sessions.
    prefixes: u64,
}

#[derive(Default, Serialize, JsonSchema)]
struct Ospf {
    neighbors: usize,
    full: usize,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Default")]
struct Default_ {
    family: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<String>,
    protocol: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<u64>,
    table: String,
    active: bool,
    disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    check_gateway: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Counted {
    family: &'static str,
    protocol: String,
    table: String,
    routes: u64,
    active: u64,
}

#[derive(Serialize, JsonSchema)]
struct Down {
    protocol: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    state: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let (routes, sessions, neighbors) = futures_util::try_join!(
        routes(&router),
        router.all_if_there("/routing/bgp/session", FRESH),
        router.all_if_there("/routing/ospf/neighbor", FRESH),
    )?;
    let mut answer = Answer::default();
    routes.iter().flat_map(Seen::iter).for_each(|row| answer.route(row));
    sessions.iter().flat_map(Seen::iter).for_each(|row| answer.session(row));
    neighbors.iter().flat_map(Seen::iter).for_each(|row| answer.neighbor(row));
    Ok(answer.bounded())
}

/// All routes but BGP's, its default routes among them; from the two families' own menus where the common one tells nothing.
async fn routes(router: &Router<'_>) -> Result<Vec<Seen>, Fault> {
    let query = || {
        let mut kept: Vec<Filter> = route::DEFAULTS.iter().map(|dst| Filter::eq("dst-address", *dst)).collect();
        kept.insert(0, Filter::eq("bgp", "true").negate());
        Query::new().columns(ASKED).matching(&Filter::Any(kept))
    };
    match router.rows("/routing/route", query(), FRESH).await {
        Ok(seen) if !seen.is_empty() => return Ok(vec![seen]),
        Ok(_) => {}
        Err(fault) if matches!(fault.kind, Kind::NotFound | Kind::Rejected) => {}
        Err(fault) => return Err(fault),
    }
    let (four, six) =
        futures_util::try_join!(router.rows("/ip/route", query(), FRESH), router.rows_if_there("/ipv6/route", query(), FRESH))?;
    Ok([Some(four), six].into_iter().flatten().collect())
}

impl Answer {
    fn route(&mut self, row: View<'_>) {
        let Some(family) = family(row) else { return };
        let (protocol, table, active) = (route::protocol(row), route::table(row), is_active(row));
        match self.routes.iter_mut().find(|c| c.family == family && c.protocol == protocol && c.table == table) {
            Some(counted) => {
                counted.routes += 1;
                counted.active += u64::from(active);
            }
            None => {
                let (protocol, table) = (protocol.to_owned(), table.to_owned());
                self.routes.push(Counted { family, protocol, table, routes: 1, active: active.into() });
            }
        }
        let way_out = if family == "ipv4" { &mut self.ipv4_default_active } else { &mut self.ipv6_default_active };
        *way_out.get_or_insert(false) |= is_default(row) && active && table == "main";
        if is_default(row) {
            self.defaults.push(Default_ {
                family,
                gateway: row.string("gateway"),
                protocol: protocol.to_owned(),
                distance: row.count("distance"),
                table: table.to_owned(),
                active,
                disabled: row.is("disabled"),
                check_gateway: row.string("check-gateway").filter(|how| how != "none"),
                comment: row.string("comment"),
            });
        }
    }

    fn session(&mut self, row: View<'_>) {
        let up = row.is("established");
        self.bgp.sessions += 1;
        self.bgp.established += usize::from(up);
        self.bgp.prefixes += row.count("prefix-count").unwrap_or(0);
        self.router_id = self.router_id.take().or_else(|| row.string("local.id"));
        if !up {
            let state = row.string("state").unwrap_or_else(|| "not established".to_owned());
            let name = row.string("name").unwrap_or_default();
            self.down.push(Down { protocol: "bgp", name, address: row.string("remote.address"), state });
        }
    }

    fn neighbor(&mut self, row: View<'_>) {
        let state = row.text("state").unwrap_or("");
        let full = state.eq_ignore_ascii_case("full");
        self.ospf.neighbors += 1;
        self.ospf.full += usize::from(full);
        // Two routers that are neither designated nor backup stop at 2-Way: that is how it should be.
        if !full && !state.to_ascii_lowercase().starts_with("2-way") && !state.eq_ignore_ascii_case("twoway") {
            let name = row.string("router-id").unwrap_or_default();
            self.down.push(Down { protocol: "ospf", name, address: row.string("address"), state: state.to_owned() });
        }
    }

    /// Active default routes and the largest counts first, and no part longer than a person reads.
    fn bounded(mut self) -> Self {
        self.defaults.sort_by_key(|route| !route.active);
        self.routes.sort_by_key(|counted| std::cmp::Reverse(counted.routes));
        self.defaults.truncate(MOST);
        self.routes.truncate(2 * MOST);
        self.down.truncate(MOST);
        self
    }
}

/// By what the router says, else by how the destination is written; nothing for what is no route of IP.
fn family(row: View<'_>) -> Option<&'static str> {
    match row.text("afi") {
        Some("ip" | "ip4" | "ipv4") => Some("ipv4"),
        Some("ip6" | "ipv6") => Some("ipv6"),
        Some(_) => None,
        None if row.text("dst-address").is_some_and(|dst| dst.contains(':')) => Some("ipv6"),
        None => Some("ipv4"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(menu: &str, json: &str, each: fn(&mut Answer, View<'_>)) -> Answer {
        let mut answer = Answer::default();
        Seen::answered(menu, json).iter().for_each(|row| each(&mut answer, row));
        answer.bounded()
    }

    #[test]
    fn default_routes_of_the_main_table_decide_and_others_are_told() {
        let seen = answer(
            "/routing/route",
            r#"[{"afi":"ip4","dst-address":"0.0.0.0/0","gateway":"10.0.0.1","static":"true","distance":"2","routing-table":"main","check-gateway":"ping"},
               {"afi":"ip4","dst-address":"0.0.0.0/0","gateway":"10.0.0.2","dhcp":"true","active":"true","routing-table":"main"},
               {"afi":"ip6","dst-address":"::/0","gateway":"fe80::1","slaac":"true","active":"true","routing-table":"isp-b"},
               {"afi":"ip6","dst-address":"2001:db8::/64","connect":"true","active":"true"},
               {"afi":"l2vpn","dst-address":"x"}]"#,
            Answer::route,
        );
        assert_eq!((seen.ipv4_default_active, seen.ipv6_default_active), (Some(true), Some(false)));
        assert_eq!(
            seen.defaults.iter().map(|d| (d.gateway.as_deref().unwrap(), d.active)).collect::<Vec<_>>(),
            [("10.0.0.2", true), ("fe80::1", true), ("10.0.0.1", false)]
        );
        assert_eq!(seen.defaults[2].check_gateway.as_deref(), Some("ping"));
        assert_eq!(seen.routes.iter().map(|c| c.routes).sum::<u64>(), 4);
        assert!(seen.routes.iter().any(|c| c.family == "ipv6" && c.protocol == "connected" && c.table == "main" && c.active == 1));
    }

    #[test]
    fn sessions_and_neighbours_that_do_not_stand_are_named() {
        let bgp = answer(
            "/routing/bgp/session",
            r#"[{"name":"a-1","remote.address":"192.0.2.1","established":"true","prefix-count":"41","local.id":"10.0.0.1"},
               {"name":"b-1","remote.address":"192.0.2.2","established":"false","prefix-count":"0"},{"name":"c-1"}]"#,
            Answer::session,
        );
        assert_eq!((bgp.bgp.sessions, bgp.bgp.established, bgp.bgp.prefixes), (3, 1, 41));
        assert_eq!((bgp.router_id.as_deref(), bgp.down.len(), bgp.down[0].name.as_str()), (Some("10.0.0.1"), 2, "b-1"));
        let ospf = answer(
            "/routing/ospf/neighbor",
            r#"[{"state":"Full","router-id":"1.1.1.1"},{"state":"2-Way","router-id":"1.1.1.2"},{"state":"ExStart","router-id":"1.1.1.3","address":"10.0.0.3"}]"#,
            Answer::neighbor,
        );
        assert_eq!(ospf.ipv4_default_active, None, "nothing is known of routes that were not told");
        assert_eq!((ospf.ospf.neighbors, ospf.ospf.full, ospf.down.len()), (3, 1, 1));
        assert_eq!((ospf.down[0].state.as_str(), ospf.down[0].name.as_str()), ("ExStart", "1.1.1.3"));
    }
}
