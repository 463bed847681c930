//! The tables of a router that `routeros::flow` works on, read as cheaply as a sure answer allows.
//!
//! RouterOS answers one menu a request, so the number of menus is the least there can be: seven side by side, then the routes;
//! lists only those that rules name, neighbours only those asked for. What was read a moment ago is not asked for again. A menu
//! the router lacks is empty; one that our user may not read is missing, and what would hang on it is unknown.
//!
//! BGP may have brought a million routes. Those stay on the router but for the ones that can decide: an address lies in 33
//! prefixes (129 of IPv6: two questions more), and these are asked for by name.

use crate::base::fault::{Fault, Kind};
use crate::routeros::flow::net::holding;
use crate::routeros::flow::{Tables, used};
use crate::routeros::query::{Filter, Query};
use crate::routeros::row::Row;
use crate::tools::router::{FRESH, Router};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Most lists asked for by name; beyond, the whole table is read.
const MOST_NAMED: usize = 60;
/// Prefixes of one question, which has 256 words, two a prefix; and most such questions: where NAT may send packets to many
/// places, all routes are read.
const PREFIXES_A_QUERY: usize = 120;
const MOST_QUERIES: usize = 3;

/// Rows of one address family.
#[derive(Debug, Default)]
pub struct Held {
    v6: bool,
    addresses: Vec<Row>,
    routes: Vec<Row>,
    rules: Option<Vec<Row>>,
    neighbours: Option<Vec<Row>>,
    raw: Option<Vec<Row>>,
    mangle: Option<Vec<Row>>,
    nat: Option<Vec<Row>>,
    filter: Option<Vec<Row>>,
    address_lists: Option<Vec<Row>>,
    lists: Option<Vec<Row>>,
    members: Option<Vec<Row>>,
    settings: Vec<Row>,
}

/// `/ip` or `/ipv6`.
pub fn family(v6: bool) -> &'static str {
    if v6 { "/ipv6" } else { "/ip" }
}

impl Held {
    /// Everything a packet between these two meets, neighbours aside: 8 to 11 requests, two more for IPv6.
    pub async fn read(router: &Router<'_>, src: IpAddr, dst: IpAddr) -> Result<Held, Fault> {
        let v6 = dst.is_ipv6();
        let of = |menu: &str| format!("{}{menu}", family(v6));
        let table = async |menu: String| may_be_missing(router, &menu, Query::new()).await;
        let (addresses, settings, rules, raw, mangle, nat, filter) = futures_util::try_join!(
            needed(router, of("/address"), Query::new()),
            table(of("/settings")),
            table("/routing/rule".into()),
            table(of("/firewall/raw")),
            table(of("/firewall/mangle")),
            table(of("/firewall/nat")),
            table(of("/firewall/filter")),
        )?;
        let settings = settings.unwrap_or_default();
        let queries = routes_that_matter([src, dst], nat.as_deref().unwrap_or_default());
        let routes = futures_util::future::try_join_all(queries.into_iter().map(|query| needed(router, of("/route"), query)));
        let routes = routes.await?.concat();
        let mut held = Held { v6, addresses, routes, settings, rules, raw, mangle, nat, filter, ..Held::default() };
        held.read_lists(router, false, None).await?;
        Ok(held)
    }

    /// What decides whether a stranger's packet is let in to the router itself: 5 to 9 requests. Marks are read only where
    /// rules ask for them; what the `other` family's tables hold too, the lists of interfaces, is taken from there.
    pub async fn read_input(router: &Router<'_>, v6: bool, other: Option<&Held>) -> Result<Held, Fault> {
        let of = |menu: &str| format!("{}{menu}", family(v6));
        let table = async |menu: String| may_be_missing(router, &menu, Query::new()).await;
        let default = Query::new().eq("dst-address", if v6 { "::/0" } else { "0.0.0.0/0" });
        let (addresses, routes, raw, nat, filter) = futures_util::try_join!(
            needed(router, of("/address"), Query::new()),
            needed(router, of("/route"), default),
            table(of("/firewall/raw")),
            table(of("/firewall/nat")),
            table(of("/firewall/filter")),
        )?;
        // A packet for the router itself is not routed any further.
        let (rules, mangle) = (Some(Vec::new()), Some(Vec::new()));
        let mut held = Held { v6, addresses, routes, rules, raw, mangle, nat, filter, ..Held::default() };
        if !used(held.firewall(), &["connection-mark", "packet-mark", "routing-mark"]).is_empty() {
            held.mangle = table(of("/firewall/mangle")).await?;
        }
        held.read_lists(router, true, other).await?;
        Ok(held)
    }

    /// Reads what the router knows of these next hops.
    pub async fn meet(&mut self, router: &Router<'_>, hops: &[IpAddr]) -> Result<(), Fault> {
        let menu = if self.v6 { "/ipv6/neighbor" } else { "/ip/arp" };
        let any = Filter::Any(hops.iter().map(|hop| Filter::eq("address", hop.to_string())).collect());
        self.neighbours = may_be_missing(router, menu, Query::new().matching(&any)).await?;
        Ok(())
    }

    /// Reads the lists that rules name; those of interfaces always when `interfaces`.
    async fn read_lists(&mut self, router: &Router<'_>, interfaces: bool, other: Option<&Held>) -> Result<(), Fault> {
        let address_lists = used(self.firewall(), &["src-address-list", "dst-address-list"]);
        let asked = interfaces || !used(self.firewall(), &["in-interface-list", "out-interface-list"]).is_empty();
        let named = match address_lists.len() {
            1..=MOST_NAMED => Query::new().matching(&Filter::Any(address_lists.iter().map(|name| Filter::eq("list", name)).collect())),
            _ => Query::new(),
        };
        let read = async |wanted: bool, menu: String, query: Query| {
            if wanted { may_be_missing(router, &menu, query).await } else { Ok(Some(Vec::new())) }
        };
        let menu = format!("{}/firewall/address-list", family(self.v6));
        let asked = asked && other.is_none();
        (self.address_lists, self.lists, self.members) = futures_util::try_join!(
            read(!address_lists.is_empty(), menu, named),
            read(asked, "/interface/list".into(), Query::new()),
            read(asked, "/interface/list/member".into(), Query::new()),
        )?;
        if let Some(other) = other {
            (self.lists, self.members) = (other.lists.clone(), other.members.clone());
        }
        Ok(())
    }

    /// Tables made up for a test: addresses, default routes, filter rules, interface list members.
    #[cfg(test)]
    pub fn of(v6: bool, addresses: Vec<Row>, routes: Vec<Row>, filter: Option<Vec<Row>>, members: Vec<Row>) -> Self {
        let none = || Some(Vec::new());
        Held {
            v6,
            addresses,
            routes,
            rules: none(),
            neighbours: None,
            raw: none(),
            mangle: none(),
            nat: none(),
            filter,
            address_lists: none(),
            lists: none(),
            members: Some(members),
            settings: Vec::new(),
        }
    }

    /// Whether these are IPv6 tables.
    pub fn is_v6(&self) -> bool {
        self.v6
    }

    /// For `routeros::flow`.
    pub fn tables(&self) -> Tables<'_> {
        Tables {
            addresses: &self.addresses,
            routes: &self.routes,
            rules: self.rules.as_deref(),
            neighbours: self.neighbours.as_deref(),
            raw: self.raw.as_deref(),
            mangle: self.mangle.as_deref(),
            nat: self.nat.as_deref(),
            filter: self.filter.as_deref(),
            address_lists: self.address_lists.as_deref(),
            lists: self.lists.as_deref(),
            members: self.members.as_deref(),
            settings: &self.settings,
            loopback_outside: false,
        }
    }

    fn firewall(&self) -> impl Iterator<Item = &[Row]> {
        [&self.raw, &self.mangle, &self.nat, &self.filter].into_iter().filter_map(|rows| rows.as_deref())
    }
}

/// All routes but BGP's, and of those the ones these addresses, or those NAT may put in their place, lie in. No row meets two
/// of the queries.
fn routes_that_matter(ends: [IpAddr; 2], nat: &[Row]) -> Vec<Query> {
    let to = nat.iter().filter_map(|row| row.get("to-addresses")?.parse::<IpAddr>().ok());
    let addresses: BTreeSet<IpAddr> = ends.into_iter().chain(to.filter(|ip| ip.is_ipv6() == ends[0].is_ipv6())).collect();
    let prefixes: BTreeSet<String> = addresses.into_iter().flat_map(holding).collect();
    let prefixes: Vec<Filter> = prefixes.into_iter().map(|prefix| Filter::eq("dst-address", prefix)).collect();
    if prefixes.len() > PREFIXES_A_QUERY * MOST_QUERIES {
        return vec![Query::new()];
    }
    // Not `bgp` absent: a router may say no as well as nothing.
    let others = Filter::eq("bgp", "true").negate();
    let query = |(nth, named): (usize, &[Filter])| match nth {
        0 => Query::new().matching(&Filter::Any(std::iter::once(others.clone()).chain(named.iter().cloned()).collect())),
        _ => Query::new().eq("bgp", "true").matching(&Filter::Any(named.to_vec())),
    };
    prefixes.chunks(PREFIXES_A_QUERY).enumerate().map(query).collect()
}

async fn needed(router: &Router<'_>, menu: String, query: Query) -> Result<Vec<Row>, Fault> {
    match router.rows(&menu, query, FRESH).await {
        Ok(seen) => Ok(seen.shown()),
        Err(fault) if fault.kind == Kind::NotFound => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

/// No rows where there is no such menu; `None` where we may not look.
pub async fn may_be_missing(router: &Router<'_>, menu: &str, query: Query) -> Result<Option<Vec<Row>>, Fault> {
    match needed(router, menu.to_owned(), query).await {
        Ok(rows) => Ok(Some(rows)),
        Err(fault) if matches!(fault.kind, Kind::RouterDenied | Kind::Denied) => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pairs: &[(&str, &str)]) -> Row {
        Row::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn of_bgp_only_routes_that_can_decide_leave_the_router() {
        let nat = [row(&[("chain", "dstnat"), ("to-addresses", "10.7.0.9")]), row(&[("to-addresses", "10.8.0.1-10.8.0.9")])];
        let queries = routes_that_matter(["203.0.113.9".parse().unwrap(), "192.0.2.77".parse().unwrap()], &nat);
        assert_eq!(queries.len(), 1);
        queries[0].check().unwrap();
        let kept = |pairs: &[(&str, &str)]| queries[0].keeps(&row(pairs));
        for net in ["0.0.0.0/0", "203.0.113.0/24", "192.0.2.64/26", "192.0.2.77/32", "10.7.0.0/16"] {
            assert!(kept(&[("dst-address", net), ("bgp", "true")]), "{net}");
        }
        for net in ["198.51.100.0/24", "192.0.2.0/27", "10.8.0.0/16"] {
            assert!(!kept(&[("dst-address", net), ("bgp", "true")]), "{net}");
            assert!(kept(&[("dst-address", net)]) && kept(&[("dst-address", net), ("bgp", "false"), ("ospf", "true")]), "{net}");
        }
    }

    #[test]
    fn prefixes_are_written_as_the_router_writes_them() {
        let all: Vec<String> = holding("2001:db8:0:1::5".parse().unwrap()).collect();
        assert_eq!(all.len(), 129);
        assert_eq!((all[0].as_str(), all[32].as_str(), all[64].as_str()), ("::/0", "2001:db8::/32", "2001:db8:0:1::/64"));
        assert_eq!(holding("192.0.2.9".parse().unwrap()).count(), 33);
    }

    #[test]
    fn no_route_of_ipv6_comes_twice_and_none_is_missed() {
        let (src, dst) = ("2001:db8:10::5", "2001:db8:ffff::1");
        let queries = routes_that_matter([src.parse().unwrap(), dst.parse().unwrap()], &[]);
        assert_eq!(queries.len(), 2, "they share 33 prefixes");
        queries.iter().for_each(|query| query.check().unwrap());
        let mut told = 0;
        for ip in [src, dst] {
            for prefix in holding(ip.parse().unwrap()) {
                for pairs in [&[("dst-address", prefix.as_str()), ("bgp", "true")][..], &[("dst-address", &prefix)]] {
                    assert_eq!(queries.iter().filter(|query| query.keeps(&row(pairs))).count(), 1, "{pairs:?}");
                    told += 1;
                }
            }
        }
        assert_eq!(told, 516);
    }

    #[test]
    fn many_forwards_ask_for_all_routes() {
        let nat: Vec<Row> = (0..99).map(|n| row(&[("to-addresses", &format!("10.{n}.0.7"))])).collect();
        let queries = routes_that_matter(["203.0.113.9".parse().unwrap(), "192.0.2.77".parse().unwrap()], &nat);
        assert!(queries.len() == 1 && queries[0].is_whole());
    }
}
