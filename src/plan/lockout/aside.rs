//! Steps beside our way that may reach it all the same: queues, hotspots, bridge hosts, servers of tunnels, what carries an IPsec
//! tunnel, rules that change packets instead of dropping them. Pure.

use crate::plan::form::{Pairs, get};
use crate::plan::lockout::Touch;
use crate::plan::lockout::bearing::{Bears, Subject, familiar, is_covered};
use crate::plan::lockout::path::Who;
use crate::plan::lockout::state::{State, is_on, is_yes};
use crate::routeros::flow::net::{Block, address};
use crate::routeros::row::Row;
use crate::routeros::value;
use std::net::IpAddr;

/// Bits a second below which a queue starves what we do.
const STARVES: u64 = 64_000;

/// Menus that are judged here alone.
pub(super) fn bears(touch: &Touch<'_>, before: &State, who: &Who) -> Option<Bears> {
    let no_unless = |unknown: bool, why: &str| Some(if unknown { Bears::Unknown(why.to_owned()) } else { Bears::No });
    let is_inside = who.link.tunnel.is_some() || who.ingress.is_none();
    match touch.menu() {
        "/ip/firewall/layer7-protocol" => no_unless(touch.before.is_some(), "rules may match by that pattern, and ours with it"),
        "/ip/hotspot/ip-binding"
        | "/ip/hotspot/user"
        | "/ip/hotspot/active"
        | "/ip/hotspot/walled-garden"
        | "/ip/hotspot/walled-garden/ip" => {
            no_unless(has_hotspot(before, who), "the hotspot on the interface we come in by may take us for a guest")
        }
        "/interface/bridge/host" => {
            no_unless(who.link.bridge.is_some() || who.ingress.is_none(), "answers to us may leave the bridge by another port")
        }
        "/interface/pppoe-server/server" => no_unless(is_inside, "we come in through a tunnel, and a server of tunnels would change"),
        "/interface/ovpn-server/server" | "/interface/sstp-server/server" | "/ip/proxy" | "/ip/socks" if listens_at_ours(touch, who) => {
            Some(Bears::Unknown("it would listen on the port that we come to".into()))
        }
        "/ipv6/pool" => no_unless(is_of_a_pool(before, who), "the address we come to is of a pool"),
        "/ip/dhcp-server/lease" => Some(lease(touch, before, who)),
        "/zerotier" => no_unless(is_inside, "we come in through a tunnel, and its network would change"),
        "/queue/simple" | "/queue/tree" if starves(touch) => no_unless(may_hold_us(touch, who), "a queue would leave us hardly any rate"),
        menu if menu.starts_with("/ppp/") => {
            // A peer's address is a route to it.
            let names = |name: &'static str| touch.values(name).any(|text| who.may_be_in(text));
            if touch.menu() == "/ppp/secret" && (names("remote-address") || names("local-address") || names("routes")) {
                return Some(Bears::Unknown("a tunnel with an address of our way would come up".into()));
            }
            no_unless(who.link.tunnel.is_some(), "we come in through a tunnel that PPP may carry")
        }
        _ => None,
    }
}

/// A lease of an address of ours, or one that gives our hardware another address: with the next renewal, long after any guard.
fn lease(touch: &Touch<'_>, before: &State, who: &Who) -> Bears {
    let ours = |ip: &IpAddr| who.sources.contains(ip) || who.own == Some(*ip);
    if let Some(ip) = touch.values("address").find(|text| address(text).is_some_and(|ip| ours(&ip))) {
        return Bears::Unknown(format!("the lease that gives us {ip} would change"));
    }
    let neighbours = before.rows("/ip/arp").iter().filter(|row| row.get("address").and_then(address).is_some_and(|ip| ours(&ip)));
    let named = |mac: &str| touch.values("mac-address").any(|text| text.eq_ignore_ascii_case(mac));
    if neighbours.filter_map(|row| row.get("mac-address")).any(named) {
        return Bears::Unknown("our own hardware would be given another address with its next renewal".into());
    }
    Bears::No
}

/// Whether a hotspot asks guests on the interface we come in by.
pub(super) fn has_hotspot(before: &State, who: &Who) -> bool {
    let ours = |row: &Row| who.ingress.is_none() || who.interfaces().any(|name| row.get("interface") == Some(name));
    before.rows("/ip/hotspot").iter().any(|row| !is_on(row, "disabled") && ours(row))
}

/// Whether an address of the router that we come to is one that a pool gave.
pub(super) fn is_of_a_pool(before: &State, who: &Who) -> bool {
    let ours = |row: &Row| row.get("address").and_then(address).is_none_or(|ip| who.arrivals.contains(&ip));
    let is_given = |row: &Row| row.get("from-pool").is_some_and(|pool| !matches!(pool, "" | "none"));
    before.rows("/ipv6/address").iter().any(|row| is_given(row) && ours(row))
}

/// Whether a server that is not among `/ip/service` begins to listen on a port of ours.
fn listens_at_ours(touch: &Touch<'_>, who: &Who) -> bool {
    let is_at_ours = |row: &Pairs| {
        let is_off = is_yes(get(row, "disabled")) || get(row, "enabled").is_some_and(|text| !is_yes(Some(text)));
        // What SSTP's port is when nothing is said.
        let ports = get(row, "port").unwrap_or(if touch.menu().contains("sstp") { "443" } else { "" });
        !is_off && value::list(ports).any(|port| who.doors.iter().any(|door| port == door.port.to_string()))
    };
    touch.after.as_ref().is_some_and(is_at_ours) && !touch.before.is_some_and(is_at_ours)
}

/// Whether a queue ends up with less than what we need. No rate at all means no limit.
pub(super) fn starves(touch: &Touch<'_>) -> bool {
    let slow = |text: &str| text.split('/').filter_map(value::rate).any(|rate| (1..STARVES).contains(&rate));
    let Some(after) = touch.after.as_ref().filter(|_| touch.in_use().1) else { return false };
    get(after, "max-limit").is_some_and(slow)
}

/// Whether a queue may be one of ours: everybody's, our interface's, or one whose target we are in.
fn may_hold_us(touch: &Touch<'_>, who: &Who) -> bool {
    let Some(after) = &touch.after else { return false };
    let target = get(after, "target").or_else(|| get(after, "parent")).unwrap_or_default();
    let ours = |word: &str| match Block::parse(word) {
        Some(block) => who.sources.is_empty() || who.sources.iter().any(|ip| block.contains(*ip)),
        None => matches!(word, "" | "global") || who.ingress.is_none() || who.link.has(word) || who.interfaces().any(|name| name == word),
    };
    target.split(',').any(ours)
}

/// A client that takes a default route from the other side, and did not before.
pub(super) fn brings_a_way(touch: &Touch<'_>) -> bool {
    let brings = |row: Option<&Pairs>| {
        row.is_some_and(|row| {
            !is_yes(get(row, "disabled")) && get(row, "add-default-route").is_some_and(|how| !matches!(how, "" | "no" | "false"))
        })
    };
    let client = touch.menu().ends_with("-client") || touch.menu() == "/interface/lte/apn";
    client && brings(touch.after.as_ref()) && (!brings(touch.before) || touch.changes("default-route-distance"))
}

/// Rules that the walk of packets cannot follow to the end.
pub(super) fn rule(touch: &Touch<'_>, before: &State, who: &Who) -> Bears {
    if carries_ipsec(touch) && is_covered(touch, before, who) {
        return Bears::Unknown("an IPsec policy covers our own packets, and what carries it may no longer pass".into());
    }
    let after = touch.after.as_ref().filter(|_| touch.in_use().1);
    let is = |name: &str, words: &[&str]| after.and_then(|row| get(row, name)).is_some_and(|text| words.contains(&text));
    let is_any = |name: &str| after.is_some_and(|row| get(row, name).is_none_or(str::is_empty));
    if is("action", &["notrack"]) && (is_any("protocol") || is("protocol", &["tcp", "6"])) {
        return Bears::Unknown("what is not tracked is in no state, and rules on states may meet us otherwise".into());
    }
    if is("action", &["change-ttl"]) && !is("chain", &["forward"]) && (who.is_remote || who.sources.is_empty()) {
        return Bears::Unknown("answers to us may not live long enough to come back".into());
    }
    Bears::On(vec![Subject::Packets])
}

/// Whether a rule may be about what carries an IPsec tunnel, as one without a protocol is, or asks whether something came through one.
pub(super) fn carries_ipsec(touch: &Touch<'_>) -> bool {
    let about = |row: &Pairs| {
        let has = |name: &str, words: &[&str]| get(row, name).is_some_and(|text| words.contains(&text.trim_start_matches('!')));
        let ports = ["dst-port", "src-port", "port"].iter().filter_map(|name| get(row, name)).collect::<Vec<_>>();
        let is_ike =
            ports.is_empty() || ports.iter().any(|text| text.contains('-') || value::list(text).any(|port| matches!(port, "500" | "4500")));
        get(row, "ipsec-policy").is_some_and(|text| !text.is_empty())
            || get(row, "protocol").is_none_or(|text| text.is_empty() || text.starts_with('!'))
            || has("protocol", &["ipsec-esp", "ipsec-ah", "50", "51"])
            || (has("protocol", &["udp", "17"]) && is_ike)
    };
    touch.rows().any(about)
}

/// Whether a bridge's ports or rules go by the interface list of a step.
pub(super) fn is_below(touch: &Touch<'_>, before: &State) -> bool {
    let attribute = if familiar(touch.menu()) == "/interface/list" { "name" } else { "list" };
    let named = |text: &str| touch.names(attribute, text.trim_start_matches('!'));
    let menus = ["/interface/bridge/port", "/interface/bridge/filter", "/interface/bridge/nat"];
    menus
        .iter()
        .flat_map(|menu| before.rows(menu))
        .any(|row| row.iter().any(|(name, value)| (name == "interface" || name.ends_with("-list")) && named(value)))
}

/// Whether a step puts a host name into an address list that rules use. Its addresses come later, as rows of the router's own.
pub(super) fn names_anew(touch: &Touch<'_>, before: &State) -> bool {
    let name = |row: Option<&Pairs>| row.and_then(|row| get(row, "address")).filter(|text| Block::parse(text).is_none()).map(str::to_owned);
    let after = touch.after.as_ref().filter(|_| touch.in_use().1);
    let new = name(after).is_some_and(|new| !touch.in_use().0 || name(touch.before).as_ref() != Some(&new));
    let list = after.and_then(|row| get(row, "list")).unwrap_or_default();
    let uses = |row: &Row| {
        ["src-address-list", "dst-address-list"].iter().any(|name| row.get(name).is_some_and(|text| text.trim_start_matches('!') == list))
    };
    let menus =
        ["filter", "raw", "nat", "mangle"].iter().flat_map(|table| [format!("/ip/firewall/{table}"), format!("/ipv6/firewall/{table}")]);
    new && menus.into_iter().any(|menu| before.rows(&menu).iter().any(uses))
}
