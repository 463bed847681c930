//! A cloud router: we are on `ether1` itself; one input rule lets us in and the last one drops the rest.

use super::{ALL, Case, TLS, add, disable, remove, set, shift};

const FILTER: &str = "/ip/firewall/filter";
const MANAGEMENT: super::Words = &[("comment", "management")];
const FIRST: super::Words = &[("comment", "established")];
const REST: super::Words = &[("comment", "rest")];

pub(super) const CUTTING: &[Case] = &[
    add("drop all new connections first", FILTER, &[("chain", "input"), ("action", "drop"), ("connection-state", "new")])
        .before(FIRST)
        .cuts(ALL),
    disable("disable the rule that lets us in", FILTER, MANAGEMENT).cuts(ALL),
    remove("remove the rule that lets us in", FILTER, MANAGEMENT).cuts(ALL),
    set("let another interface in", FILTER, MANAGEMENT, &[("in-interface", "ether2")]).cuts(ALL),
    shift("move the last rule before ours", FILTER, REST).before(MANAGEMENT).cuts(ALL),
    set("switch rest over tls off", "/ip/service/webserver", &[], &[("rest-secure", "no")]).cuts(TLS),
    set("offer www-ssl to others", "/ip/service", &[("name", "www-ssl")], &[("available-from", "203.0.113.0/24")]).cuts(TLS),
    disable("disable our port", "/interface/ethernet", &[("name", "ether1")]).cuts(ALL),
    set("change the management address", "/ip/address", &[("address", "172.31.255.30/30")], &[("address", "172.31.255.34/30")]).cuts(ALL),
    set("leave us out of the management network", "/ip/address", &[("address", "172.31.255.30/30")], &[("address", "172.31.255.30/32")])
        .cuts(ALL),
    set("put the management address on another port", "/ip/address", &[("address", "172.31.255.30/30")], &[("interface", "ether2")])
        .cuts(ALL),
    add("put half of our network elsewhere", "/ip/address", &[("address", "172.31.255.28/31"), ("interface", "ether2")]).cuts(ALL),
    add("route us by a peer", "/ip/route", &[("dst-address", "172.31.255.29/32"), ("gateway", "198.51.100.1")]).cuts(ALL),
    add("put our port into a vrf", "/ip/vrf", &[("name", "customers"), ("interfaces", "ether1")]).cuts(ALL),
    add("bridge our port", "/interface/bridge/port", &[("bridge", "lo"), ("interface", "ether1")]).cuts(ALL),
];

pub(super) const HARMLESS: &[Case] = &[
    disable("disable the last rule", FILTER, REST),
    remove("remove the rule for bgp", FILTER, &[("dst-port", "179")]),
    add("drop a peer", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface", "ether2")]).before(MANAGEMENT),
    set("switch plain graphs off", "/ip/service/webserver", &[], &[("graphs-plain", "no")]),
    set("switch webfig off", "/ip/service/webserver", &[], &[("webfig-secure", "no"), ("index-secure", "no")]),
    set("offer www-ssl to us", "/ip/service", &[("name", "www-ssl")], &[("available-from", "172.31.255.28/30")]),
    disable("disable a peer's port", "/interface/ethernet", &[("name", "ether2")]),
    remove("remove the loopback address", "/ip/address", &[("comment", "loopback")]),
    add("put another port into a vrf", "/ip/vrf", &[("name", "customers"), ("interfaces", "ether4")]),
    remove("remove a static route", "/ip/route", &[("dst-address", "172.20.20.0/24")]),
];
