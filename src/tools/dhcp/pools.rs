//! Address pools: how many addresses there are, and how many are taken.
//!
//! Newer routers count by themselves (`total`, `used`, `available`); where one does not, sizes come from the ranges and usage from the
//! leases. A pool that is full goes on in its `next-pool`: the chain counts as one.

use crate::tools::router::{Seen, View};
use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

/// Longest chain of pools followed: a longer one is a mistake.
const MOST_LINKS: usize = 16;

/// All pools of a router by name.
pub(super) struct Pools<'a> {
    pools: HashMap<&'a str, Pool<'a>>,
}

struct Pool<'a> {
    ranges: Vec<(u32, u32)>,
    written: Vec<&'a str>,
    used: Option<u64>,
    next: Option<&'a str>,
}

/// What a server can give out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Usage<'a> {
    /// The pool, and those it goes on in.
    pub(super) chain: Vec<&'a str>,
    /// As written: `192.0.2.10-192.0.2.99`.
    pub(super) ranges: Vec<&'a str>,
    pub(super) size: u64,
    pub(super) used: Option<u64>,
}

impl Usage<'_> {
    pub(super) fn free(&self) -> Option<u64> {
        self.used.map(|used| self.size.saturating_sub(used))
    }

    pub(super) fn used_percent(&self) -> Option<f64> {
        self.used.filter(|_| self.size > 0).map(|used| percent(used, self.size))
    }
}

/// With one decimal.
pub(super) fn percent(used: u64, size: u64) -> f64 {
    (used as f64 * 1000.0 / size as f64).round() / 10.0
}

impl<'a> Pools<'a> {
    pub(super) fn new(seen: &'a Seen) -> Self {
        let pool = |row: View<'a>| {
            let written = row.words("ranges");
            let (total, available) = (row.count("total"), row.count("available"));
            let pool = Pool {
                ranges: written.iter().filter_map(|range| bounds(range)).collect(),
                used: row.count("used").or(total.zip(available).map(|(total, available)| total.saturating_sub(available))),
                next: row.text("next-pool").filter(|name| !name.is_empty() && *name != "none"),
                written,
            };
            Some((row.text("name")?, pool))
        };
        Pools { pools: seen.iter().filter_map(pool).collect() }
    }

    /// Whether the router itself says how much of these pools is taken.
    pub(super) fn counts(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        names.into_iter().all(|name| self.chain(name).iter().all(|name| self.pools[name].used.is_some()))
    }

    /// What the pool and those after it hold; nothing for a name that is no pool. `taken` are addresses given out, for routers that do
    /// not count.
    pub(super) fn usage(&self, name: &str, taken: Option<&BTreeSet<u32>>) -> Option<Usage<'a>> {
        let chain = self.chain(name);
        let pools: Vec<&Pool<'a>> = chain.iter().map(|name| &self.pools[name]).collect();
        let size = |pool: &Pool<'_>| pool.ranges.iter().map(|(from, to)| u64::from(to - from) + 1).sum::<u64>();
        let used = |pool: &Pool<'_>| {
            pool.used.or_else(|| taken.map(|taken| pool.ranges.iter().map(|(from, to)| taken.range(from..=to).count() as u64).sum()))
        };
        let usage = Usage {
            ranges: pools.iter().flat_map(|pool| pool.written.iter().copied()).collect(),
            size: pools.iter().map(|pool| size(pool)).sum(),
            used: pools.iter().try_fold(0_u64, |sum, pool| Some(sum.saturating_add(used(pool)?))),
            chain,
        };
        (!usage.chain.is_empty()).then_some(usage)
    }

    /// First addresses of the ranges.
    pub(super) fn starts(&self, name: &str) -> Vec<Ipv4Addr> {
        self.chain(name).iter().flat_map(|name| &self.pools[name].ranges).map(|(from, _)| Ipv4Addr::from(*from)).collect()
    }

    /// The pool and those it goes on in; a circle is followed once.
    fn chain(&self, name: &str) -> Vec<&'a str> {
        let mut chain: Vec<&'a str> = Vec::new();
        let mut next = self.pools.get_key_value(name);
        while let Some((name, pool)) = next.filter(|(name, _)| !chain.contains(*name) && chain.len() < MOST_LINKS) {
            chain.push(name);
            next = pool.next.and_then(|name| self.pools.get_key_value(name));
        }
        chain
    }
}

/// `a-b`, `a/len` or one address.
fn bounds(range: &str) -> Option<(u32, u32)> {
    if let Ok(net) = range.parse::<ipnet::Ipv4Net>() {
        return Some((net.network().into(), net.broadcast().into()));
    }
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    let (from, to) = (from.trim().parse::<Ipv4Addr>().ok()?, to.trim().parse::<Ipv4Addr>().ok()?);
    (from <= to).then_some((from.into(), to.into()))
}

/// Addresses that leases hold: given out now, or kept for somebody.
pub(super) fn taken(leases: &Seen) -> BTreeSet<u32> {
    let held = leases.iter().filter(|row| !row.is("disabled"));
    let address = |row: View<'_>| {
        let text = row.text("active-address").filter(|text| !text.is_empty()).or(row.text("address"))?;
        text.parse::<Ipv4Addr>().ok().map(u32::from)
    };
    held.filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::samples::sample;

    #[test]
    fn ranges_of_every_spelling_have_a_size() {
        for (range, size) in [
            ("192.0.2.10-192.0.2.19", Some(10)),
            ("192.0.2.10", Some(1)),
            ("192.0.2.0/28", Some(16)),
            ("0.0.0.0-255.255.255.255", Some(1 << 32)),
            ("192.0.2.9-192.0.2.1", None),
            ("nonsense", None),
        ] {
            assert_eq!(bounds(range).map(|(from, to)| u64::from(to - from) + 1), size, "{range}");
        }
    }

    #[test]
    fn a_recorded_pool_counts_itself_as_its_ranges_do() {
        let Some(seen) = sample("/ip/pool", "rest-misc/ip_pool_7.23.1_api.json") else { return };
        let pools = Pools::new(&seen);
        let usage = pools.usage("hs-pool", None).unwrap();
        assert_eq!((usage.size, usage.used, usage.free()), (61, Some(0), Some(61)));
        assert!(pools.counts(["hs-pool"]));
    }

    #[test]
    fn the_routers_own_count_goes_before_ours_and_a_chain_counts_as_one() {
        let seen = Seen::answered(
            "/ip/pool",
            r#"[{"name":"a","ranges":"192.0.2.1-192.0.2.10","next-pool":"b","total":"10","used":"10"},
                {"name":"b","ranges":"198.51.100.1-198.51.100.10,198.51.100.21-198.51.100.30","next-pool":"none","total":"20","available":"18"},
                {"name":"old","ranges":"203.0.113.1-203.0.113.4"},
                {"name":"x","ranges":"10.0.0.1","next-pool":"y"},{"name":"y","ranges":"10.0.0.2","next-pool":"x"}]"#,
        );
        let pools = Pools::new(&seen);
        let a = pools.usage("a", None).unwrap();
        assert_eq!(
            (a.chain.as_slice(), a.size, a.used, a.free(), a.used_percent()),
            (["a", "b"].as_slice(), 30, Some(12), Some(18), Some(40.0))
        );
        assert!(pools.counts(["a", "b"]) && !pools.counts(["a", "old"]));
        assert_eq!(pools.usage("old", None).unwrap().used, None);
        let leases = Seen::answered(
            "/ip/dhcp-server/lease",
            r#"[{"address":"203.0.113.1"},{"address":"203.0.113.1"},{"address":"192.0.2.99","active-address":"203.0.113.4"},
                {"address":"203.0.113.2","disabled":"true"},{"address":"198.51.100.1"},{"mac-address":"02:00:00:00:00:01"}]"#,
        );
        let old = pools.usage("old", Some(&taken(&leases))).unwrap();
        assert_eq!((old.used, old.used_percent()), (Some(2), Some(50.0)));
        assert_eq!(pools.usage("x", None).unwrap().chain, ["x", "y"], "a circle ends");
        assert_eq!(pools.usage("static-only", None), None);
    }
}
