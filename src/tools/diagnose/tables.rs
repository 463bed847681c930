//! The tables of a router that `routeros::flow` works on, read as cheaply as a sure answer allows.
//!
//! Eight menus are read at once; lists only those that rules name, neighbours only those asked for. A menu the router
//! lacks is empty; one that our user may not read is missing, and what would hang on it is unknown.

use crate::base::fault::{Fault, Kind};
use crate::routeros::flow::{Tables, used};
use crate::routeros::query::{Filter, Query};
use crate::routeros::row::Row;
use crate::tools::router::{FRESH, Router};
use std::net::IpAddr;

/// Most lists asked for by name; beyond, the whole table is read.
const MOST_NAMED: usize = 60;

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
    /// Everything a packet of this family meets, neighbours aside: 8 to 11 requests.
    pub async fn read(router: &Router<'_>, v6: bool) -> Result<Held, Fault> {
        let of = |menu: &str| format!("{}{menu}", family(v6));
        let table = async |menu: String| may_be_missing(router, &menu, Query::new()).await;
        let (addresses, routes, settings, rules, raw, mangle, nat, filter) = futures_util::try_join!(
            needed(router, of("/address"), Query::new()),
            needed(router, of("/route"), Query::new()),
            table(of("/settings")),
            table("/routing/rule".into()),
            table(of("/firewall/raw")),
            table(of("/firewall/mangle")),
            table(of("/firewall/nat")),
            table(of("/firewall/filter")),
        )?;
        let settings = settings.unwrap_or_default();
        let mut held = Held { v6, addresses, routes, settings, rules, raw, mangle, nat, filter, ..Held::default() };
        held.read_lists(router, false).await?;
        Ok(held)
    }

    /// What decides whether a stranger's packet is let in to the router itself: 5 to 9 requests. Marks are read only where
    /// rules ask for them.
    pub async fn read_input(router: &Router<'_>, v6: bool) -> Result<Held, Fault> {
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
        held.read_lists(router, true).await?;
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
    async fn read_lists(&mut self, router: &Router<'_>, interfaces: bool) -> Result<(), Fault> {
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
        (self.address_lists, self.lists, self.members) = futures_util::try_join!(
            read(!address_lists.is_empty(), menu, named),
            read(asked, "/interface/list".into(), Query::new()),
            read(asked, "/interface/list/member".into(), Query::new()),
        )?;
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
        }
    }

    fn firewall(&self) -> impl Iterator<Item = &[Row]> {
        [&self.raw, &self.mangle, &self.nat, &self.filter].into_iter().filter_map(|rows| rows.as_deref())
    }
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
