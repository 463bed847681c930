//! `routing.list_routes`: the routes of one family.
//!
//! A router with a full BGP table has a million routes and REST answers a menu whole. So routes are counted first; where there
//! are too many, those of BGP are left out (the default routes apart) and their number is told.

use super::route;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::query::{Filter, Query};
use crate::tools::columns::Columns;
use crate::tools::context::Cx;
use crate::tools::family::Family;
use crate::tools::list::{ListArgs, Rows};
use crate::tools::router::{FRESH, Router, STEADY, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "routing.list_routes",
    title: "Routes",
    about: "Routes of a router with gateway, distance, protocol, table and whether each is active. Of a table too big to read, all but BGP's.",
    toolset: "routing",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(45),
    paths: &["/ip/route", "/ipv6/route"],
    untrusted: &["/rows/*/comment", "/rows/*/gateway", "/rows/*/immediate_gateway"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

const COLUMNS: Columns = Columns::of(
    &[
        "dst",
        "gateway",
        "distance",
        "protocol",
        "table",
        "active",
        "disabled",
        "blackhole",
        "ecmp",
        "check_gateway",
        "immediate_gateway",
        "comment",
    ],
    &["inactive", "hw_offloaded", "pref_src", "scope", "target_scope", "vrf_interface"],
)
.quiet_flags()
.bytes(9_200);

/// Most routes read at once: about 3 MB of answer, some seconds of a small router's time.
const MOST_READ: u64 = 10_000;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// ipv4 unless set.
    family: Option<Family>,
    /// Only to exactly this destination, e.g. 0.0.0.0/0.
    #[schemars(length(min = 1, max = 64))]
    dst: Option<String>,
    /// Only of this protocol.
    protocol: Option<Protocol>,
    /// Only of this routing table.
    #[schemars(length(min = 1, max = 64))]
    table: Option<String>,
    #[serde(flatten)]
    list: ListArgs,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Connected,
    Static,
    Dhcp,
    Bgp,
    Ospf,
    Isis,
    Rip,
    Vpn,
}

impl Protocol {
    /// The flag that marks its routes, and the word in answers.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Protocol::Connected => ("connect", "connected"),
            Protocol::Static => ("static", "static"),
            Protocol::Dhcp => ("dhcp", "dhcp"),
            Protocol::Bgp => ("bgp", "bgp"),
            Protocol::Ospf => ("ospf", "ospf"),
            Protocol::Isis => ("is-is", "isis"),
            Protocol::Rip => ("rip", "rip"),
            Protocol::Vpn => ("vpn", "vpn"),
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    #[serde(flatten)]
    page: Rows,
    /// BGP routes that were counted but not read, because there are too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    bgp_left_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let menu = args.family.unwrap_or_default().menu("/route");
    let scope = format!("routing.list_routes {} {menu} {:?} {:?} {:?}", router.device.id, args.dst, args.protocol, args.table);
    COLUMNS.check(&args.list, &scope)?;
    let (query, bgp_left_out) = bounded(&router, &menu, &args).await?;
    let seen = router.rows(&menu, query, FRESH).await?;
    let mut routes: Vec<View<'_>> = seen.iter().collect();
    // The router's flags may say more than one protocol.
    routes.retain(|row| args.protocol.is_none_or(|wanted| route::protocol(*row) == wanted.names().1));
    let key = |row: &View<'_>| row.key(&["dst-address", "gateway", "routing-table", "distance"]);
    let page = COLUMNS.pick(cx, &scope, &args.list, routes, key, |row| route::shape(*row))?;
    let advice = bgp_left_out.map(|_| "ask for one BGP route by dst, or for a table; routing.get_bgp has the prefixes by peer");
    Ok(Answer { page, bgp_left_out, advice })
}

/// A query that few enough routes meet, and how many BGP routes it leaves out.
async fn bounded(router: &Router<'_>, menu: &str, args: &Args) -> Result<(Query, Option<u64>), Fault> {
    let query = asked(args);
    let count = router.count(menu, query.clone(), STEADY).await?;
    if count <= MOST_READ {
        return Ok((query, None));
    }
    let of_bgp = Filter::eq("bgp", "true");
    if args.protocol.is_none() {
        let mut kept: Vec<Filter> = route::DEFAULTS.iter().map(|dst| Filter::eq("dst-address", *dst)).collect();
        kept.insert(0, of_bgp.negate());
        let others = query.matching(&Filter::Any(kept));
        let left = router.count(menu, others.clone(), STEADY).await?;
        if left <= MOST_READ {
            return Ok((others, Some(count - left.min(count))));
        }
    }
    Err(Fault::bad_input(format!("the router has {count} such routes, more than the {MOST_READ} that are read at once"))
        .hint("narrow it by protocol (static, connected, ospf …), table, or dst; routing.get_summary counts them"))
}

/// What the caller asked for, as far as the router compares it exactly.
fn asked(args: &Args) -> Query {
    let mut query = Query::new();
    // Conditions of `where` narrow the question too.
    if let Some(dst) = args.dst.clone().or_else(|| args.list.exact("dst")) {
        query = query.eq("dst-address", dst);
    }
    if let Some(protocol) = args.protocol {
        query = query.eq(protocol.names().0, "true");
    }
    match args.table.clone().or_else(|| args.list.exact("table")).as_deref() {
        None => query,
        // A disabled route does not say that it is of the main table.
        Some("main") => query.matching(&Filter::Any(vec![Filter::eq("routing-table", "main"), Filter::has("routing-table").negate()])),
        Some(table) => query.eq("routing-table", table),
    }
}
