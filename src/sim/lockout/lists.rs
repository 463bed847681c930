//! What matchers say: addresses, ports, lists of either and of interfaces, times of day.

use super::view::View;
use crate::sim::live;
use crate::sim::value;
use std::net::IpAddr;

/// Interface lists looked up inside each other at most.
const LISTS_MAX: u8 = 4;

/// `!x` as `(true, "x")`.
pub(super) fn negated(text: &str) -> (bool, &str) {
    text.strip_prefix('!').map_or((false, text), |rest| (true, rest))
}

/// `192.0.2.1`, `192.0.2.0/24`, `192.0.2.1-192.0.2.9`, or several with commas.
pub(super) fn has_address(spec: &str, ip: IpAddr) -> bool {
    spec.split(',').any(|part| match part.split_once('-') {
        Some((from, to)) => match (from.trim().parse::<IpAddr>(), to.trim().parse::<IpAddr>()) {
            (Ok(from), Ok(to)) => from.is_ipv4() == ip.is_ipv4() && from <= ip && ip <= to,
            _ => false,
        },
        None => value::prefix(part.trim()).is_some_and(|network| value::covers(network, ip)),
    })
}

/// `22,8291,1000-2000`: whether the number is in it.
pub(super) fn has_number(spec: &str, number: u64) -> bool {
    spec.split(',').any(|part| match part.split_once('-') {
        Some((from, to)) => from.parse().is_ok_and(|f: u64| f <= number) && to.parse().is_ok_and(|t: u64| number <= t),
        None => part.parse() == Ok(number),
    })
}

/// Whether a firewall address list holds this address; `more` are entries that rules made on the way.
pub(super) fn in_address_list(view: &View<'_>, list: &str, ip: IpAddr, more: &[(String, IpAddr)]) -> bool {
    let now = view.world.now().0;
    more.iter().any(|(l, a)| l == list && *a == ip)
        || view
            .enabled("/ip/firewall/address-list")
            .filter(|r| r.get("list") == Some(list))
            .any(|r| has_address(r.get("address").unwrap_or_default(), ip) && live::time_left(r, now).is_none_or(|ms| ms > 0))
}

/// Whether an interface list holds this interface; `None` when there is no such list.
pub(super) fn in_interface_list(view: &View<'_>, list: &str, interface: &str) -> Option<bool> {
    has_interface(view, list, interface, LISTS_MAX)
}

fn has_interface(view: &View<'_>, list: &str, interface: &str, depth: u8) -> Option<bool> {
    match list {
        "all" | "static" => return Some(true),
        // None of the interfaces we come through is made by the router itself.
        "none" | "dynamic" => return Some(false),
        _ => {}
    }
    let row = view.named("/interface/list", list)?;
    if depth == 0 {
        return Some(false);
    }
    let member =
        |l: &str| view.enabled("/interface/list/member").any(|m| m.get("list") == Some(l) && m.get("interface") == Some(interface));
    let of = |name: &str| {
        let lists = row.get(name).unwrap_or_default().to_string();
        lists.split(',').filter(|l| !l.is_empty()).any(|l| has_interface(view, l, interface, depth - 1) == Some(true))
    };
    // Included lists first, then without the excluded ones, then the members given by hand.
    Some(member(list) || of("include") && !of("exclude"))
}

/// `8h-17h,mon,tue`: whether now is then, in UTC as simulated routers are.
pub(super) fn is_time(spec: &str, now_ms: i64) -> bool {
    const DAYS: [&str; 7] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
    const DAY_MS: i64 = 86_400_000;
    let (day, at) = (now_ms.div_euclid(DAY_MS).rem_euclid(7) as usize, now_ms.rem_euclid(DAY_MS) as u64);
    let mut parts = spec.split(',');
    let hours = parts.next().unwrap_or_default().split_once('-');
    let in_hours = hours.and_then(|(from, to)| value::time(from).zip(value::time(to))).is_none_or(|(from, to)| {
        // A span that ends before it starts goes over midnight.
        if from <= to { from <= at && at <= to } else { at >= from || at <= to }
    });
    let mut days = parts.peekable();
    in_hours && (days.peek().is_none() || days.any(|d| DAYS[day] == d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_single_networks_or_ranges() {
        let ip: IpAddr = "192.0.2.7".parse().unwrap();
        for (spec, want) in [
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("192.0.2.0/24", true),
            ("192.0.2.0/30", false),
            ("192.0.2.1-192.0.2.9", true),
            ("192.0.2.8-192.0.2.9", false),
            ("198.51.100.1,192.0.2.7", true),
            ("2001:db8::/32", false),
            ("0.0.0.0/0", true),
        ] {
            assert_eq!(has_address(spec, ip), want, "{spec}");
        }
    }

    #[test]
    fn ports_are_lists_of_numbers_and_ranges() {
        assert!(has_number("22,8291,1000-2000", 1500) && has_number("443", 443));
        assert!(!has_number("22,8291,1000-2000", 443) && !has_number("", 443));
    }

    #[test]
    fn a_time_matches_by_hour_and_day() {
        // Thursday 1970-01-01 09:00
        let at = 9 * 3_600_000;
        assert!(is_time("8h-17h,thu", at) && is_time("8h-17h", at) && is_time("22h-10h", at));
        assert!(!is_time("8h-17h,fri", at) && !is_time("10h-17h,thu", at));
    }
}
