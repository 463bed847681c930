//! An office: we are on `ether6`, untagged in VLAN 99 of a filtering bridge; one input rule lets the list `mgmt` in from list `MGMT`.

use super::{ALL, Case, SSH, TLS, add, disable, remove, set, shift};

const FILTER: &str = "/ip/firewall/filter";
const MANAGEMENT: super::Words = &[("chain", "input"), ("comment", "management")];
const FIRST: super::Words = &[("chain", "input"), ("comment", "accept established")];
const REST: super::Words = &[("chain", "input"), ("comment", "drop the rest")];
const VLAN: super::Words = &[("vlan-ids", "99")];
const PORT: super::Words = &[("interface", "ether6")];

pub(super) const CUTTING: &[Case] = &[
    add("drop all new connections first", FILTER, &[("chain", "input"), ("action", "drop"), ("connection-state", "new")])
        .before(FIRST)
        .cuts(ALL),
    disable("disable the rule that lets us in", FILTER, MANAGEMENT).cuts(ALL),
    remove("remove the rule that lets us in", FILTER, MANAGEMENT).cuts(ALL),
    set("let another list in", FILTER, MANAGEMENT, &[("src-address-list", "voip")]).cuts(ALL),
    set("let in from another interface list", FILTER, MANAGEMENT, &[("in-interface-list", "WAN")]).cuts(ALL),
    set("let udp in", FILTER, MANAGEMENT, &[("protocol", "udp")]).cuts(ALL),
    set("let ssh in only", FILTER, MANAGEMENT, &[("protocol", "tcp"), ("dst-port", "{ssh}")]).cuts(super::REST),
    set("let all in but www-ssl", FILTER, MANAGEMENT, &[("protocol", "tcp"), ("dst-port", "!{www-ssl}")]).cuts(TLS),
    set("let it forward instead", FILTER, MANAGEMENT, &[("chain", "forward")]).cuts(ALL),
    shift("move the last rule before ours", FILTER, REST).before(MANAGEMENT).cuts(ALL),
    shift("move our rule behind the last", FILTER, MANAGEMENT).cuts(ALL),
    add("drop a port before our rule", FILTER, &[("chain", "input"), ("action", "drop"), ("protocol", "tcp"), ("dst-port", "{ssh}")])
        .before(MANAGEMENT)
        .cuts(SSH),
    add("jump to a chain that drops", FILTER, &[("chain", "input"), ("action", "jump"), ("jump-target", "forward")])
        .before(FIRST)
        .cuts(ALL),
    remove("take our network off the list", "/ip/firewall/address-list", &[("list", "mgmt"), ("address", "10.20.99.0/24")]).cuts(ALL),
    disable("disable our network on the list", "/ip/firewall/address-list", &[("list", "mgmt"), ("address", "10.20.99.0/24")]).cuts(ALL),
    set("put another network on the list", "/ip/firewall/address-list", &[("address", "10.20.99.0/24")], &[("address", "10.20.98.0/24")])
        .cuts(ALL),
    add("block us", "/ip/firewall/address-list", &[("list", "blocked"), ("address", "10.20.99.10")]).cuts(ALL),
    add("block a range with us", "/ip/firewall/address-list", &[("list", "blocked"), ("address", "10.20.99.1-10.20.99.20")]).cuts(ALL),
    remove("take our vlan out of the list", "/interface/list/member", &[("list", "MGMT")]).cuts(ALL),
    set(
        "drop our network in raw",
        "/ip/firewall/raw",
        &[("chain", "prerouting")],
        &[("src-address-list", "mgmt"), ("in-interface-list", "MGMT")],
    )
    .cuts(ALL),
    disable("disable our port", "/interface/ethernet", &[("name", "ether6")]).cuts(ALL),
    set("put our port into another vlan", "/interface/bridge/port", PORT, &[("pvid", "10")]).cuts(ALL),
    set("take tagged frames only on our port", "/interface/bridge/port", PORT, &[("frame-types", "admit-only-vlan-tagged")]).cuts(ALL),
    remove("take our port out of the bridge", "/interface/bridge/port", PORT).cuts(ALL),
    set("take the bridge out of our vlan", "/interface/bridge/vlan", VLAN, &[("tagged", "ether7")]).cuts(ALL),
    set("tag our port", "/interface/bridge/vlan", VLAN, &[("tagged", "bridge,ether6,ether7"), ("untagged", "")]).cuts(ALL),
    set("give our vlan another number", "/interface/bridge/vlan", VLAN, &[("vlan-ids", "98")]).cuts(ALL),
    disable("disable our vlan in the bridge", "/interface/bridge/vlan", VLAN).cuts(ALL),
    remove("remove our vlan from the bridge", "/interface/bridge/vlan", VLAN).cuts(ALL),
    set("stop filtering vlans", "/interface/bridge", &[("name", "bridge")], &[("vlan-filtering", "no")]).cuts(ALL),
    disable("disable the bridge", "/interface/bridge", &[("name", "bridge")]).cuts(ALL),
    disable("disable our vlan interface", "/interface/vlan", &[("name", "vlan99-mgmt")]).cuts(ALL),
    set("give our vlan interface another number", "/interface/vlan", &[("name", "vlan99-mgmt")], &[("vlan-id", "98")]).cuts(ALL),
    set("put our vlan interface elsewhere", "/interface/vlan", &[("name", "vlan99-mgmt")], &[("interface", "ether1")]).cuts(ALL),
    set("use a service tag", "/interface/vlan", &[("name", "vlan99-mgmt")], &[("use-service-tag", "yes")]).cuts(ALL),
    set("move the management address", "/ip/address", &[("address", "10.20.99.1/24")], &[("interface", "vlan10-staff")]).cuts(ALL),
    set("narrow the management network", "/ip/address", &[("address", "10.20.99.1/24")], &[("address", "10.20.99.1/30")]).cuts(ALL),
    add("put a part of our network elsewhere", "/ip/address", &[("address", "10.20.99.9/29"), ("interface", "vlan10-staff")]).cuts(ALL),
    remove("remove the management address", "/ip/address", &[("address", "10.20.99.1/24")]).cuts(ALL),
    add("route us to a site", "/ip/route", &[("dst-address", "10.20.99.10/32"), ("gateway", "wg-sites")]).cuts(ALL),
];

pub(super) const HARMLESS: &[Case] = &[
    set("comment our rule", FILTER, MANAGEMENT, &[("comment", "management of all")]),
    disable("disable the rule for wireguard", FILTER, &[("comment", "wireguard")]),
    remove("remove the rule for dns", FILTER, &[("comment", "dns dhcp ntp")]),
    disable("disable the last rule", FILTER, REST),
    shift("move our rule first", FILTER, MANAGEMENT).before(FIRST),
    add("drop a port behind our rule", FILTER, &[("chain", "input"), ("action", "drop"), ("protocol", "tcp"), ("dst-port", "{ssh}")])
        .before(REST),
    add("jump to a chain that returns", FILTER, &[("chain", "input"), ("action", "jump"), ("jump-target", "wan-input")]).before(FIRST),
    add("drop in the chain for the uplinks", FILTER, &[("chain", "wan-input"), ("action", "drop")]),
    add("block another", "/ip/firewall/address-list", &[("list", "blocked"), ("address", "10.20.10.0/24")]),
    add("let another network in", "/ip/firewall/address-list", &[("list", "mgmt"), ("address", "10.20.10.7")]),
    remove("take the sites off the list", "/ip/firewall/address-list", &[("list", "mgmt"), ("address", "10.98.0.0/24")]),
    remove("take our vlan out of another list", "/interface/list/member", &[("list", "LAN"), ("interface", "vlan99-mgmt")]),
    add("put another vlan into the list", "/interface/list/member", &[("list", "MGMT"), ("interface", "vlan10-staff")]),
    disable("disable another port", "/interface/ethernet", &[("name", "ether5")]),
    set("put another port into another vlan", "/interface/bridge/port", &[("interface", "ether2")], &[("pvid", "20")]),
    set("take any frame on our port", "/interface/bridge/port", PORT, &[("frame-types", "admit-all")]),
    set("do not filter what comes in", "/interface/bridge/port", PORT, &[("ingress-filtering", "no")]),
    set("take the bridge out of another vlan", "/interface/bridge/vlan", &[("vlan-ids", "10")], &[("tagged", "ether7")]),
    set("tag the trunk only where it was", "/interface/bridge/vlan", VLAN, &[("tagged", "bridge,ether7,ether8")]),
    remove("remove another vlan from the bridge", "/interface/bridge/vlan", &[("vlan-ids", "60")]),
    add("add a vlan to the bridge", "/interface/bridge/vlan", &[("bridge", "bridge"), ("vlan-ids", "70"), ("tagged", "bridge,ether7")]),
    disable("disable another vlan interface", "/interface/vlan", &[("name", "vlan10-staff")]),
    set("take tagged frames only on the bridge", "/interface/bridge", &[("name", "bridge")], &[("frame-types", "admit-only-vlan-tagged")]),
    remove("remove another address", "/ip/address", &[("address", "10.20.60.1/24")]),
    remove("remove the default route", "/ip/route", &[("comment", "isp a")]),
    add("route another to a site", "/ip/route", &[("dst-address", "10.20.99.11/32"), ("gateway", "wg-sites")]),
    remove("remove a port forward", "/ip/firewall/nat", &[("comment", "web")]),
];
