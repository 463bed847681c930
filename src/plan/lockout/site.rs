//! Reads what the check wants to know of a router, in as few requests as a sure answer allows.
//!
//! Tables first, then what they ask for: lists that rules name, the bridge port of our own hardware address, the type of the
//! interface we come in by, the far end of a tunnel. A menu the router lacks is empty; one that our user may not read is `unread`.

use crate::base::fault::{Fault, Kind};
use crate::fleet::{Lane, Read};
use crate::menus;
use crate::plan::form::{Pairs, get};
use crate::plan::lockout::resolve::gateways;
use crate::plan::lockout::state::State;
use crate::plan::lockout::{ManagementPath, Site, of_family, path, wanted};
use crate::plan::record::Step;
use crate::routeros::flow::net::holding;
use crate::routeros::flow::used;
use crate::routeros::row::Row;
use crate::routeros::{Filter, MenuPath, Query};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

/// Deepest chain of gateways behind gateways that is read.
const DEEPEST: u8 = 3;

/// Where rows come from.
pub trait Source {
    /// The rows of a menu that a query keeps.
    fn rows(&self, menu: &str, query: Query) -> impl Future<Output = Result<Vec<Row>, Fault>> + Send;

    /// The rows of `/user/active` that a query keeps, as they were not long ago.
    fn ourselves(&self, query: Query) -> impl Future<Output = Result<Vec<Row>, Fault>> + Send {
        self.rows(ACTIVE, query)
    }
}

/// Who is logged in.
const ACTIVE: &str = "/user/active";
/// How long the router's word on who we are is taken for a small change of a list of ours.
const WE_STAY: Duration = Duration::from_secs(15 * 60);

/// A device's lane; answers this old will do.
pub struct Through<'l>(pub &'l Lane, pub Duration);

impl Source for Through<'_> {
    async fn rows(&self, menu: &str, query: Query) -> Result<Vec<Row>, Fault> {
        let path = MenuPath::parse(menu)?;
        let answer = self.0.read(Read { path, query, max_age: self.1 }).await?;
        Ok(answer.rows.to_vec())
    }

    async fn ourselves(&self, query: Query) -> Result<Vec<Row>, Fault> {
        if let Some(rows) = self.0.ourselves(WE_STAY) {
            return Ok(rows);
        }
        let rows = self.rows(ACTIVE, query).await?;
        self.0.know_ourselves(rows.clone());
        Ok(rows)
    }
}

/// Reads a site for these steps. Nothing is read for steps that have no hold on our access.
///
/// # Errors
/// What the lane says of a router that is away; a menu that cannot be read is no error.
pub async fn read(source: &impl Source, path: ManagementPath, steps: &[Step]) -> Result<Site, Fault> {
    let mut site = Site { path, ..Site::default() };
    let v6 = site.path.source.or(site.path.router).is_some_and(|ip| ip.is_ipv6());
    let all: Vec<&'static str> = wanted(steps).into_iter().map(|menu| of_family(menu, v6)).collect();
    let wants = |menu: &str| all.contains(&menu);
    // Later ones hang on these.
    let late = [
        "/ip/route",
        "/ipv6/route",
        "/ip/firewall/address-list",
        "/ipv6/firewall/address-list",
        "/ip/arp",
        "/ipv6/neighbor",
        "/interface/bridge/host",
        "/interface/list",
        "/interface/list/member",
    ];
    let (user, is_told) = (site.path.user.clone(), site.path.source.is_some());
    if all == [ACTIVE] && !is_told {
        let rows = source.ourselves(Query::new().eq("name", &user)).await;
        take(&mut site, ACTIVE, rows)?;
        return Ok(site);
    }
    let first = all.iter().filter(|menu| !late.contains(menu)).filter(|menu| !(**menu == "/user/active" && is_told));
    let first = first.map(|menu| (*menu, if *menu == "/user/active" { Query::new().eq("name", &user) } else { Query::new() }));
    fetch(source, &mut site, first.collect()).await?;
    if wants("/user/active") || wants("/ip/address") || wants("/ipv6/address") {
        find_ourselves(source, &mut site).await?;
    }
    let routes = of_family("/ip/route", v6);
    if wants(routes) {
        let new = steps.iter().filter(|step| step.menu == routes).filter_map(|step| step.change.after()).map(Row::from_pairs);
        let mut ends = sources(&site);
        if !ends.is_empty() {
            ends.extend(new.flat_map(|row| gateways(&row).collect::<Vec<_>>()));
        }
        let found = covering(source, routes, &ends).await;
        take(&mut site, routes, found)?;
        far(source, &mut site, &ends, v6).await?;
    }
    lists(source, &mut site, &all, steps, v6).await?;
    if wants("/ip/arp") && !wants("/interface/bridge/host") {
        let ours: Vec<String> = sources(&site).iter().map(ToString::to_string).collect();
        take(&mut site, "/ip/arp", among(source, "/ip/arp", "address", &ours).await)?;
    }
    below(source, &mut site, &all, v6).await?;
    Ok(site)
}

/// Without our name among the active users, or at an address that is not the router's own, the connections of services tell.
async fn find_ourselves(source: &impl Source, site: &mut Site) -> Result<(), Fault> {
    if site.rows.contains_key("/ip/service") {
        return Ok(());
    }
    let who = path::locate(site, &State::of(site));
    // One that merely is in our network need not be the one.
    let own = ["/ip/address", "/ipv6/address"].iter().filter_map(|menu| site.rows.get(*menu)).map(Vec::len).sum::<usize>();
    let known = site.path.router.is_some_and(|ip| who.arrivals == [ip]) || (who.arrivals.len() == 1 && own == 1);
    if who.sources.is_empty() || !known {
        fetch(source, site, vec![("/ip/service", Query::new())]).await?;
    }
    Ok(())
}

fn sources(site: &Site) -> Vec<IpAddr> {
    path::locate(site, &State::of(site)).sources
}

/// Most values that one query names: what a console reads as one line stays short, and an IPv6 address alone is in 129 networks.
const MOST_NAMED: usize = 64;

/// Rows of which an attribute is one of these: no row comes twice.
async fn among(source: &impl Source, menu: &str, attribute: &str, values: &[String]) -> Result<Vec<Row>, Fault> {
    let query = |some: &[String]| Query::new().matching(&Filter::Any(some.iter().map(|one| Filter::eq(attribute, one)).collect()));
    let answers = values.chunks(MOST_NAMED).map(|some| source.rows(menu, query(some)));
    let answers: Vec<_> = futures_util::future::try_join_all(answers).await?;
    Ok(answers.concat())
}

/// Only the routes that cover these ends: a router may hold the whole internet's.
async fn covering(source: &impl Source, routes: &str, ends: &[IpAddr]) -> Result<Vec<Row>, Fault> {
    let nets: BTreeSet<String> = ends.iter().filter(|ip| ip.is_ipv6() == routes.starts_with("/ipv6")).flat_map(|ip| holding(*ip)).collect();
    if nets.is_empty() {
        return source.rows(routes, Query::new()).await;
    }
    among(source, routes, "dst-address", &nets.into_iter().collect::<Vec<_>>()).await
}

/// The routes behind those that were read: where their gateways are not next to the router.
async fn far(source: &impl Source, site: &mut Site, ends: &[IpAddr], v6: bool) -> Result<(), Fault> {
    let routes = of_family("/ip/route", v6);
    let mut asked = ends.to_vec();
    if asked.is_empty() || !site.rows.contains_key(routes) {
        // All of them were read, or none may be.
        return Ok(());
    }
    for _ in 0..DEEPEST {
        let next: Vec<IpAddr> = State::of(site).far_gateways(v6).into_iter().filter(|ip| !asked.contains(ip)).collect();
        if next.is_empty() {
            break;
        }
        more(source, site, routes, &next).await?;
        asked.extend(next);
    }
    Ok(())
}

/// Routes to more ends beside those that were read.
async fn more(source: &impl Source, site: &mut Site, routes: &'static str, ends: &[IpAddr]) -> Result<(), Fault> {
    let found = covering(source, routes, ends).await?;
    let rows = site.rows.entry(routes.to_owned()).or_default();
    for row in found.iter().map(kept(routes)) {
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    Ok(())
}

/// Lists that rules name, now or by these steps.
async fn lists(source: &impl Source, site: &mut Site, all: &[&'static str], steps: &[Step], v6: bool) -> Result<(), Fault> {
    let menu = of_family("/ip/firewall/address-list", v6);
    if !all.contains(&menu) {
        return Ok(());
    }
    let state = State::of(site);
    let rules: Vec<&[Row]> = ["/ip/firewall/raw", "/ip/firewall/mangle", "/ip/firewall/nat", "/ip/firewall/filter"]
        .iter()
        .map(|rules| state.rows(of_family(rules, v6)))
        .collect();
    let written: Vec<Row> = steps.iter().filter_map(|step| step.change.after()).map(Row::from_pairs).collect();
    let tables = || rules.iter().copied().chain([written.as_slice()]);
    let mut names = used(tables(), &["src-address-list", "dst-address-list"]);
    let lists_touched = steps
        .iter()
        .filter(|step| step.menu == menu)
        .filter_map(|step| step.change.after())
        .filter_map(|row| get(&row, "list").map(str::to_owned));
    names.extend(lists_touched);
    let asks_interfaces = !used(tables(), &["in-interface-list", "out-interface-list"]).is_empty()
        || steps.iter().any(|step| step.menu.starts_with("/interface/list"));
    let mut next = Vec::new();
    names.sort_unstable();
    names.dedup();
    let entries = among(source, menu, "list", &names).await;
    take(site, menu, entries)?;
    for lists in ["/interface/list", "/interface/list/member"] {
        if asks_interfaces {
            next.push((lists, Query::new()));
        } else {
            site.rows.insert(lists.to_owned(), Vec::new());
        }
    }
    fetch(source, site, next).await
}

/// The interface we come in by: which port of its bridge, and what carries it.
async fn below(source: &impl Source, site: &mut Site, all: &[&'static str], v6: bool) -> Result<(), Fault> {
    let who = path::locate(site, &State::of(site));
    let Some(ingress) = who.ingress.clone() else { return Ok(()) };
    let arp = of_family("/ip/arp", v6);
    if all.contains(&"/interface/bridge/host")
        && who.link.bridge.is_some()
        && let Some(next) = who.gateways.first().or(who.sources.first())
    {
        fetch(source, site, vec![(arp, Query::new().eq("address", next.to_string()))]).await?;
        let macs: Vec<String> =
            site.rows.get(arp).into_iter().flatten().filter_map(|row| get(row, "mac-address").map(str::to_owned)).collect();
        if let Some(mac) = macs.first() {
            fetch(source, site, vec![("/interface/bridge/host", Query::new().eq("mac-address", mac))]).await?;
        }
    }
    let packets = all.iter().any(|menu| menu.contains("/firewall/") || menu.ends_with("/route"));
    if packets && !site.rows.contains_key("/interface") {
        fetch(source, site, vec![("/interface", Query::new().eq("name", &ingress))]).await?;
    }
    bonds_and_tunnels(source, site, &ingress).await
}

async fn bonds_and_tunnels(source: &impl Source, site: &mut Site, ingress: &str) -> Result<(), Fault> {
    let kinds: Vec<(String, String)> = site
        .rows
        .get("/interface")
        .into_iter()
        .flatten()
        .filter_map(|row| Some((get(row, "name")?.to_owned(), get(row, "type")?.to_owned())))
        .collect();
    let mut next: Vec<(&'static str, Query)> = Vec::new();
    if kinds.iter().any(|(_, kind)| kind == "bond") {
        next.push(("/interface/bonding", Query::new()));
    }
    let homes = path::locate(site, &State::of(site)).homes;
    if kinds.iter().any(|(name, kind)| kind == "vrrp" && homes.contains(name)) {
        next.push(("/interface/vrrp", Query::new()));
    }
    match kinds.iter().find(|(name, _)| name == ingress).map(|(_, kind)| kind.as_str()) {
        Some("wg") => {
            next.extend([("/interface/wireguard", Query::new()), ("/interface/wireguard/peers", Query::new().eq("interface", ingress))])
        }
        Some("vrrp") if !homes.iter().any(|home| home == ingress) => next.push(("/interface/vrrp", Query::new())),
        Some("pppoe-out") => next.push(("/interface/pppoe-client", Query::new())),
        _ => {}
    }
    next.retain(|(menu, _)| !site.rows.contains_key(*menu));
    fetch(source, site, next).await?;
    // The outer packets of a tunnel take other routes than ours.
    let ends: Vec<IpAddr> = site
        .rows
        .get("/interface/wireguard/peers")
        .into_iter()
        .flatten()
        .filter_map(|row| get(row, "current-endpoint-address").or(get(row, "endpoint-address"))?.parse().ok())
        .collect();
    let v6 = ends.first().is_some_and(IpAddr::is_ipv6);
    if !ends.is_empty() && !v6 {
        more(source, site, "/ip/route", &ends).await?;
    }
    Ok(())
}

async fn fetch(source: &impl Source, site: &mut Site, asked: Vec<(&'static str, Query)>) -> Result<(), Fault> {
    let answers = futures_util::future::join_all(asked.into_iter().map(async |(menu, query)| (menu, source.rows(menu, query).await))).await;
    answers.into_iter().try_for_each(|(menu, answer)| take(site, menu, answer))
}

/// Takes an answer in. Errs with what says nothing of the menu.
fn take(site: &mut Site, menu: &'static str, answer: Result<Vec<Row>, Fault>) -> Result<(), Fault> {
    match answer {
        Ok(rows) => {
            site.rows.insert(menu.to_owned(), rows.iter().map(kept(menu)).collect());
        }
        Err(fault) if fault.kind == Kind::NotFound => {
            site.rows.insert(menu.to_owned(), Vec::new());
        }
        Err(fault) if matches!(fault.kind, Kind::RouterDenied | Kind::Denied | Kind::Rejected) => {
            site.unread.insert(menu.to_owned());
        }
        Err(fault) => return Err(fault),
    }
    Ok(())
}

/// A row without its secrets: nothing here needs them.
fn kept(menu: &'static str) -> impl Fn(&Row) -> Pairs {
    move |row| {
        row.iter().filter(|(name, _)| !menus::is_secret(menu, name)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}
