//! Addresses that stand in each other's way: the same one twice, networks inside each other.

use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;

/// An address in use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    /// With its prefix length.
    pub(super) net: IpNet,
    /// Interface in effect.
    pub(super) on: &'a str,
    /// Addresses of different VRFs do not meet.
    pub(super) vrf: &'a str,
}

/// What an address meets: another one, by its place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meets {
    /// The same address.
    Same(usize),
    /// A network that has this one inside, or is inside it, on another interface.
    Overlap(usize),
}

/// For each address the first other one it stands in the way of. `None` in the list is an address that is not in use.
pub(super) fn meetings(placed: &[Option<Placed<'_>>]) -> Vec<Option<Meets>> {
    let mut found: Vec<Option<Meets>> = vec![None; placed.len()];
    let mut used: Vec<(usize, Placed<'_>)> = placed.iter().enumerate().filter_map(|(at, one)| Some((at, (*one)?))).collect();
    overlaps(&mut used, &mut found);
    // Worse than an overlap, so it comes last and stays.
    let mut first: HashMap<(IpAddr, &str), usize> = HashMap::new();
    used.sort_by_key(|(at, _)| *at);
    for (at, one) in used {
        if let Some(other) = first.get(&(one.net.addr(), one.vrf)) {
            found[at] = Some(Meets::Same(*other));
            if !matches!(found[*other], Some(Meets::Same(_))) {
                found[*other] = Some(Meets::Same(at));
            }
        } else {
            first.insert((one.net.addr(), one.vrf), at);
        }
    }
    found
}

/// Networks nest or are apart: sorted, those around one are the ones still open before it.
fn overlaps(used: &mut [(usize, Placed<'_>)], found: &mut [Option<Meets>]) {
    used.sort_by(|(_, a), (_, b)| {
        let order = |one: &Placed<'_>| (one.net.network(), one.net.prefix_len());
        a.vrf.cmp(b.vrf).then(order(a).cmp(&order(b)))
    });
    let mut open: Vec<(usize, Placed<'_>)> = Vec::new();
    for (at, one) in used.iter().copied() {
        while open.last().is_some_and(|(_, around)| around.vrf != one.vrf || !around.net.trunc().contains(&one.net.trunc())) {
            open.pop();
        }
        // One address alone is no network: tunnels and loopbacks sit inside others' networks on purpose.
        let lone = |one: &Placed<'_>| one.net.prefix_len() == one.net.max_prefix_len();
        if !lone(&one)
            && let Some((other, _)) = open.iter().rev().find(|(_, around)| around.on != one.on && !lone(around))
        {
            found[at] = Some(Meets::Overlap(*other));
            found[*other].get_or_insert(Meets::Overlap(at));
        }
        open.push((at, one));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(list: &[(&str, &'static str, &'static str)]) -> Vec<Option<Meets>> {
        let placed: Vec<_> = list.iter().map(|(net, on, vrf)| net.parse().ok().map(|net| Placed { net, on, vrf })).collect();
        meetings(&placed)
    }

    #[test]
    fn nested_networks_on_two_interfaces_meet() {
        use Meets::{Overlap, Same};
        assert_eq!(
            met(&[
                ("10.0.0.1/8", "a", "main"),
                ("10.1.0.1/16", "b", "main"),
                ("10.1.2.1/24", "b", "main"),
                ("192.0.2.1/24", "c", "main"),
                ("192.0.2.2/24", "c", "main"),
                ("unused", "c", "main"),
                ("10.9.9.9/32", "lo", "main"),
                ("10.1.0.1/16", "d", "blue"),
                ("2001:db8::1/64", "a", "main"),
                ("2001:db8::2/64", "b", "main"),
                ("198.51.100.1/24", "e", "main"),
                ("198.51.100.1/32", "f", "main"),
            ]),
            [
                Some(Overlap(1)),
                Some(Overlap(0)),
                Some(Overlap(0)),
                None,
                None,
                None,
                None,
                None,
                Some(Overlap(9)),
                Some(Overlap(8)),
                Some(Same(11)),
                Some(Same(10)),
            ]
        );
    }

    #[test]
    fn thousands_of_sessions_are_fast_and_meet_nobody() {
        let rows: Vec<String> = (0..20_000_u32).map(|n| format!("{}/32", std::net::Ipv4Addr::from(0x6440_0000 + n))).collect();
        let list: Vec<_> = rows.iter().map(|row| (row.as_str(), "ppp", "main")).collect();
        assert!(met(&list).iter().all(Option::is_none));
    }
}
