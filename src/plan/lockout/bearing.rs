//! Which steps can concern our packets at all, by themselves and by what was read. Pure.

use crate::menus;
use crate::plan::form::{Pairs, get};
use crate::plan::lockout::path::Who;
use crate::plan::lockout::resolve::gateways;
use crate::plan::lockout::state::{INTERFACES, State, is_on, is_yes};
use crate::plan::lockout::{Touch, aside, path};
use crate::plan::record::Change;
use crate::plan::risk::{code_in, sends_out};
use crate::routeros::flow::net::Block;
use crate::routeros::flow::route::bare;
use crate::routeros::row::Row;

/// What has to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Interfaces, bridges, VLANs.
    Link,
    /// Firewall, addresses, routes.
    Packets,
    /// Services and certificates.
    Services,
    /// Users and groups.
    User,
}

/// Whether a step can concern us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bears {
    /// It cannot.
    No,
    /// These have to be looked at.
    On(Vec<Subject>),
    /// It may, and nobody can tell.
    Unknown(String),
}

/// Roots of menus without facts that have no hold on management packets.
const APART: &[&str] = &[
    "/dude",
    "/gps",
    "/iot",
    "/lora",
    "/snmp",
    "/special-login",
    "/system/gps",
    "/system/leds",
    "/system/note",
    "/system/ups",
    "/tool/graphing",
    "/tool/sms",
    "/user-manager",
];

/// The menu, and the part of it behind `/ip` or `/ipv6`.
pub(super) fn familiar(menu: &str) -> &str {
    menu.strip_prefix("/ipv6").or(menu.strip_prefix("/ip")).filter(|rest| rest.starts_with('/')).unwrap_or(menu)
}

pub(super) fn is_radio(menu: &str) -> bool {
    ["/interface/wifi", "/interface/wireless", "/caps-man"].iter().any(|start| menu.starts_with(start))
}

/// Steps that cannot concern us, by themselves alone.
pub(super) fn passes_by(touch: &Touch<'_>) -> bool {
    if touch.in_use() == (false, false)
        && touch.rows().next().is_some()
        && menus::find(touch.menu()).is_some_and(|facts| facts.attr("disabled").is_some())
    {
        // Out of use before and after, such as a rule added disabled.
        return !matches!(touch.step.change, Change::Run { .. });
    }
    let Some(table @ ("filter" | "raw" | "nat" | "mangle")) = familiar(touch.menu()).strip_prefix("/firewall/") else {
        return familiar(touch.menu()) == "/settings" && !touch.changed.iter().any(|name| is_loud(touch.menu(), name));
    };
    // Neither packets to the router nor its answers to them meet these chains.
    let aside: &[&str] = match table {
        "filter" => &["forward"],
        "nat" => &["srcnat"],
        "mangle" => &["forward", "postrouting"],
        _ => &[],
    };
    // But what is sent is: with a lifetime of one hop it does not come far.
    let ages = touch.rows().any(|row| get(row, "action") == Some("change-ttl"));
    let aside = if ages { &["forward"] } else { aside };
    let is_aside = touch.rows().all(|row| get(row, "chain").is_some_and(|chain| aside.contains(&chain)));
    is_aside || only_opens(touch, table)
}

/// Settings that packets for the router itself, or answers of it, hang on.
fn is_loud(menu: &str, name: &str) -> bool {
    const BOTH: &[&str] = &["rp-filter", "max-neighbor-entries", "soft-max-neighbor-entries", "min-neighbor-entries"];
    // A router that forwards may take no advertisements, and their routes go.
    const SIX: &[&str] = &["disable-ipv6", "disable-link-local-address", "forward"];
    BOTH.contains(&name) || (menu.starts_with("/ipv6") && (SIX.contains(&name) || name.starts_with("accept-")))
}

/// A rule more that lets in, or one less that keeps out.
fn only_opens(touch: &Touch<'_>, kind: &str) -> bool {
    let action = |row: &Pairs| get(row, "action").filter(|action| !action.is_empty()).unwrap_or("accept").to_owned();
    // What raw accepts may pass a `notrack` that rules on states hang on.
    let opens = |row: &Pairs| kind == "filter" && action(row) == "accept";
    let shuts = |row: &Pairs| matches!(kind, "filter" | "raw") && matches!(action(row).as_str(), "drop" | "reject" | "tarpit");
    let (was, is) = touch.in_use();
    match (was, is, touch.before, &touch.after) {
        (false, true, None, Some(after)) => opens(after),
        (false, true, Some(_), Some(after)) => touch.only(&["disabled"]) && opens(after),
        (true, false, Some(before), None) => shuts(before),
        (true, false, Some(before), Some(_)) => touch.only(&["disabled"]) && shuts(before),
        _ => false,
    }
}

/// Whether a step can concern us, by what was read.
pub(super) fn bears(touch: &Touch<'_>, before: &State, who: &Who) -> Bears {
    let menu = touch.menu();
    if touch.is_note() {
        return Bears::No;
    }
    if let Change::Run { command, .. } = &touch.step.change {
        return runs(touch, command, who);
    }
    if passes_by(touch) {
        return Bears::No;
    }
    // What is sent out cuts nobody off; what is run may do anything.
    let runs_code = |name: &&str| code_in(menu, name) && !sends_out(menu, name);
    if touch.after.is_some() && touch.changed.iter().any(|name| runs_code(name) && touch.fills(name)) {
        return Bears::Unknown(format!("what a script in {menu} does cannot be told"));
    }
    let Some(facts) = menus::find(menu) else {
        let apart = APART.iter().any(|root| menu == *root || menu.strip_prefix(root).is_some_and(|rest| rest.starts_with('/')));
        return if apart { Bears::No } else { Bears::Unknown(format!("nothing is known of {menu}")) };
    };
    if let Some(bears) = aside::bears(touch, before, who) {
        return bears;
    }
    if !facts.cuts_access {
        return Bears::No;
    }
    if menu.starts_with("/ipv6/") && !who.is_v6() && !who.arrivals.is_empty() && who.link.tunnel.is_none() {
        return Bears::No;
    }
    if (menu.starts_with("/ip/firewall/") || matches!(menu, "/ip/address" | "/ip/route" | "/ip/settings" | "/ip/arp"))
        && who.is_v6()
        && who.link.tunnel.is_none()
    {
        return Bears::No;
    }
    special(touch, before, who)
}

fn runs(touch: &Touch<'_>, command: &str, who: &Who) -> Bears {
    let dhcp = matches!(touch.menu(), "/ip/dhcp-client" | "/ipv6/dhcp-client");
    let about = match &touch.step.change {
        Change::Run { find: Some(find), .. } => find.by.iter().find(|(name, _)| name == "interface").map(|(_, value)| value.as_str()),
        _ => None,
    };
    match command {
        "renew" | "release" if dhcp => match (about, &who.ingress) {
            (Some(about), Some(ingress)) if about != ingress => Bears::No,
            _ => Bears::Unknown("a new lease may change the address that we come to".into()),
        },
        "release" => Bears::Unknown(format!("what {command} does to our access cannot be told")),
        "clear" | "flush" | "make-static" | "renew" | "wol" | "check-for-updates" => Bears::No,
        _ if command.starts_with("reset-") && command != "reset-configuration" && !command.contains("html") => Bears::No,
        _ => Bears::Unknown(format!("what {command} does to our access cannot be told")),
    }
}

fn special(touch: &Touch<'_>, before: &State, who: &Who) -> Bears {
    use Subject::{Link, Packets, Services, User};
    let menu = touch.menu();
    let no_unless = |unknown: bool, why: &str| if unknown { Bears::Unknown(why.to_owned()) } else { Bears::No };
    // What carries a tunnel comes by another interface than its own.
    let is_inside = who.link.tunnel.is_some();
    let on_ours = || {
        let named = |ours| touch.names("interface", ours) || touch.names("interfaces", ours);
        is_inside || who.ingress.is_none() || who.interfaces().any(named)
    };
    match familiar(menu) {
        "/firewall/filter" | "/firewall/raw" | "/firewall/nat" | "/firewall/mangle" => aside::rule(touch, before, who),
        "/firewall/address-list" => entry(touch, before, who),
        "/interface/list" if touch.before.is_none() => Bears::No,
        "/interface/list" | "/interface/list/member" if aside::is_below(touch, before) => {
            Bears::Unknown("a bridge uses that interface list, and our packets may pass it".into())
        }
        "/interface/list" => Bears::On(vec![Packets]),
        "/interface/list/member" if on_ours() => Bears::On(vec![Packets]),
        "/interface/list/member" => Bears::No,
        "/firewall/connection/tracking" => no_unless(touch.changes("enabled"), "without connection tracking rules match other packets"),
        "/address" => Bears::On(vec![Packets]),
        "/route" => route(touch, before, who),
        "/routing/rule" => Bears::On(vec![Packets]),
        "/routing/table" => no_unless(touch.before.is_some(), "routes and rules may use that routing table"),
        "/vrf" => no_unless(on_ours(), "the interface we come in by may change its VRF"),
        rest if rest.starts_with("/routing/") => {
            no_unless(who.is_remote || who.sources.is_empty(), "answers to us are routed, and a routing protocol may change how")
        }
        "/settings" if menu == "/ip/settings" => {
            if touch.changed.iter().any(|name| name.contains("neighbor-entries")) {
                return Bears::Unknown("with few neighbours the router may not find ours".into());
            }
            let strict = touch.after.as_ref().and_then(|row| get(row, "rp-filter")) == Some("strict");
            no_unless(
                strict && (who.is_remote || who.sources.is_empty()),
                "a strict reverse path check may drop packets that come another way than answers go",
            )
        }
        "/settings" => no_unless(who.is_v6(), "IPv6 settings would change, and we come by IPv6"),
        "/dhcp-client" => dhcp(touch, before, who),
        "/arp" | "/neighbor" => {
            let next: Vec<String> = who.sources.iter().chain(&who.gateways).map(ToString::to_string).collect();
            let ours = is_inside || next.is_empty() || touch.values("address").any(|ip| next.iter().any(|known| known == ip));
            no_unless(ours, "what the router knows of a neighbour on our own way would change")
        }
        "/hotspot" => no_unless(on_ours(), "a hotspot on the interface we come in by may stop us"),
        "/hotspot/profile" => no_unless(aside::has_hotspot(before, who), "the hotspot on the interface we come in by would change"),
        rest if rest.starts_with("/ipsec/") => ipsec(touch, before, who),
        "/service" => Bears::On(vec![Services]),
        "/ssh" => {
            let ours = who.doors.iter().any(|door| door.name == "ssh");
            // Our client offers what `strong-crypto` leaves.
            let loud = !touch.only(&["forwarding-enabled", "strong-crypto"]);
            no_unless(ours && loud, "settings of SSH would change, and we come by it")
        }
        "/certificate" => certificate(touch, before),
        "/user" if touch.names("name", &who.user) => Bears::On(vec![User]),
        "/user" => Bears::No,
        "/user/group" | "/user/aaa" | "/user/ssh-keys" | "/radius" => Bears::On(vec![User]),
        menu if is_radio(menu) => radio(touch, who),
        menu if menu.starts_with("/interface/") && menu.ends_with("/server") => no_unless(
            who.link.tunnel.is_some() || who.ingress.is_none(),
            "we come in through a tunnel, and a server of tunnels would change",
        ),
        menu if menu == "/interface" || menu.starts_with("/interface/") || menu.starts_with("/zerotier/") => {
            if aside::brings_a_way(touch) && (who.is_remote || who.sources.is_empty()) {
                return Bears::Unknown("its default route may take our answers another way".into());
            }
            // What carries a tunnel goes by other interfaces than its own.
            if who.link.tunnel.is_some() && touch.before.is_some() && !who.link.has_row(touch) {
                return Bears::Unknown("we come in through a tunnel, and what carries it may pass that interface".into());
            }
            Bears::On(vec![Link])
        }
        "/system/scheduler" | "/system/script" | "/tool/netwatch" => {
            let holds = touch.rows().flatten().any(|(name, value)| code_in(menu, name) && !value.is_empty());
            no_unless(holds || menu != "/tool/netwatch", "what a script does cannot be told")
        }
        _ => Bears::Unknown(format!("what {menu} does to our access cannot be told")),
    }
}

/// An entry that is neither us nor the address we come to changes nothing for us.
fn entry(touch: &Touch<'_>, before: &State, who: &Who) -> Bears {
    if who.link.tunnel.is_none() && touch.values("address").all(|text| !who.may_be_in(text)) {
        return Bears::No;
    }
    if aside::names_anew(touch, before) {
        return Bears::Unknown("whom the name stands for is not known yet, and rules use the list".into());
    }
    if !touch.is_of_own_list() && (before.read("/ip/firewall/filter").is_some() || before.read("/ipv6/firewall/filter").is_some()) {
        return Bears::On(vec![Subject::Packets]);
    }
    // Rules were not read for it: the entry alone has to tell.
    let ours = who.sources.iter().chain(&who.arrivals).chain(&who.own);
    let ours = |text: &str| Block::parse(text).is_none_or(|block| ours.clone().any(|ip| block.contains(*ip)));
    let known = !who.sources.is_empty() || who.own.is_some();
    if known && touch.values("address").all(|text| !ours(text)) {
        Bears::No
    } else {
        Bears::Unknown("the entry may be our own address, and rules may use the list".into())
    }
}

/// Only routes that cover our source matter, or that lead to the gateway of one that does, in use or waiting.
fn route(touch: &Touch<'_>, before: &State, who: &Who) -> Bears {
    let mut next: Vec<std::net::IpAddr> = who.sources.iter().chain(&who.gateways).copied().collect();
    let routes = before.rows(if who.is_v6() { "/ipv6/route" } else { "/ip/route" });
    let mut known = 0;
    while known < next.len() {
        known = next.len();
        for row in routes.iter().filter(|row| !is_on(row, "disabled")) {
            let Some(net) = row.get("dst-address").map(bare).and_then(Block::parse) else { continue };
            if next.iter().any(|ip| net.contains(*ip)) {
                let more: Vec<_> = gateways(row).filter(|ip| !next.contains(ip)).collect();
                next.extend(more);
            }
        }
    }
    let covers = |text: &str| Block::parse(bare(text)).is_none_or(|net| next.iter().any(|ip| net.contains(*ip)));
    let asks = touch.after.as_ref().and_then(|row| get(row, "check-gateway")).is_some_and(|how| !matches!(how, "" | "none"));
    if asks && touch.before.is_some() && touch.changes("check-gateway") && touch.values("dst-address").any(covers) {
        return Bears::Unknown("a gateway that does not answer its check takes a route of our answers away".into());
    }
    if !next.is_empty() && who.link.tunnel.is_none() && touch.values("dst-address").all(|text| !covers(text)) {
        Bears::No
    } else {
        Bears::On(vec![Subject::Packets])
    }
}

/// A client that gives us the address we come to, or the way back.
fn dhcp(touch: &Touch<'_>, before: &State, who: &Who) -> Bears {
    if who.ingress.is_none() {
        return Bears::Unknown("which interface we come in by is not known".into());
    }
    if who.link.tunnel.is_some() {
        return Bears::Unknown("we come in through a tunnel, and what carries it may hang on that client".into());
    }
    // It fills a pool, and addresses of the router come out of pools, ours among them.
    if touch.menu() == "/ipv6/dhcp-client" && aside::is_of_a_pool(before, who) {
        return Bears::Unknown("the address we come to is of a pool, which that client may fill".into());
    }
    if let Some(ours) = who.interfaces().find(|name| touch.names("interface", name)) {
        let addresses = ["/ip/address", "/ipv6/address"].iter().flat_map(|menu| before.rows(menu));
        let dynamic = addresses.into_iter().any(|row| row.get("interface") == Some(ours) && is_on(row, "dynamic"));
        let on = |row: Option<&Pairs>| row.is_some_and(|row| get(row, "interface") == Some(ours) && !is_yes(get(row, "disabled")));
        let new = !on(touch.before) && on(touch.after.as_ref());
        return if dynamic || who.is_remote || new {
            Bears::Unknown(format!("the DHCP client of {ours} gives us address or route"))
        } else {
            Bears::No
        };
    }
    // Its default route may take answers that another one takes now.
    if who.is_remote { Bears::Unknown("its default route may take our answers another way".into()) } else { Bears::No }
}

fn ipsec(touch: &Touch<'_>, before: &State, who: &Who) -> Bears {
    if is_covered(touch, before, who) { Bears::Unknown("an IPsec policy covers our own packets".into()) } else { Bears::No }
}

/// Whether an IPsec policy, one there is or this step's own, takes our packets.
pub(super) fn is_covered(touch: &Touch<'_>, before: &State, who: &Who) -> bool {
    let covers = |src: &str, dst: &str| {
        let holds = |text: &str, ips: &[std::net::IpAddr]| {
            Block::parse(text).is_none_or(|block| ips.is_empty() || ips.iter().any(|ip| block.contains(*ip)))
        };
        holds(src, &who.arrivals) && holds(dst, &who.sources)
    };
    let of_row = |src: Option<&str>, dst: Option<&str>, off: bool| !off && covers(src.unwrap_or("0.0.0.0/0"), dst.unwrap_or("0.0.0.0/0"));
    let template = |row: &Row| is_on(row, "template");
    let old = before
        .rows("/ip/ipsec/policy")
        .iter()
        .filter(|row| !template(row))
        .any(|row| of_row(row.get("src-address"), row.get("dst-address"), is_on(row, "disabled")));
    let new = touch.menu() == "/ip/ipsec/policy"
        && touch.rows().any(|row| {
            get(row, "template") != Some("true")
                && get(row, "template") != Some("yes")
                && of_row(get(row, "src-address"), get(row, "dst-address"), false)
        });
    old || new
}

fn certificate(touch: &Touch<'_>, before: &State) -> Bears {
    let Some(shown) = path::service_row(before, "www-ssl").and_then(|row| row.get("certificate")) else {
        return Bears::Unknown("which certificate www-ssl shows is not known".into());
    };
    if touch.names("name", shown) { Bears::On(vec![Subject::Services]) } else { Bears::No }
}

/// Radios that our packets do not pass are others' business.
fn radio(touch: &Touch<'_>, who: &Who) -> Bears {
    let link = &who.link;
    if who.ingress.is_none() {
        return Bears::Unknown("which interface we come in by is not known".into());
    }
    if INTERFACES.contains(&touch.menu()) {
        return Bears::On(vec![Subject::Link]);
    }
    if link.is_radio { Bears::Unknown("we may come in by radio, and its settings would change".into()) } else { Bears::No }
}
