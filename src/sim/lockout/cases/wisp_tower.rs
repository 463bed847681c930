//! A tower: we come tagged with 100 on `ether1`, no bridge between; what is on `blocklist` is dropped before we are let in.

use super::{ALL, Case, add, disable, remove, set};

const FILTER: &str = "/ip/firewall/filter";
const OURS: super::Words = &[("chain", "input"), ("in-interface", "vlan100-mgmt")];
const FIRST: super::Words = &[("chain", "input"), ("connection-state", "established,related")];

pub(super) const CUTTING: &[Case] = &[
    add("drop all new connections first", FILTER, &[("chain", "input"), ("action", "drop"), ("connection-state", "new")])
        .before(FIRST)
        .cuts(ALL),
    set("drop instead of accept", FILTER, OURS, &[("action", "drop")]).cuts(ALL),
    add("drop our vlan", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface", "vlan100-mgmt")]).before(OURS).cuts(ALL),
    add("drop what is not of the customers", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface-list", "!LAN")])
        .before(FIRST)
        .cuts(ALL),
    add("block our network", "/ip/firewall/address-list", &[("list", "blocklist"), ("address", "10.200.0.0/24")]).cuts(ALL),
    disable("disable our vlan interface", "/interface/vlan", &[("name", "vlan100-mgmt")]).cuts(ALL),
    set("give our vlan another number", "/interface/vlan", &[("name", "vlan100-mgmt")], &[("vlan-id", "200")]).cuts(ALL),
    set("put our vlan on another port", "/interface/vlan", &[("name", "vlan100-mgmt")], &[("interface", "ether2")]).cuts(ALL),
    remove("remove our vlan interface", "/interface/vlan", &[("name", "vlan100-mgmt")]).cuts(ALL),
    disable("disable our port", "/interface/ethernet", &[("name", "ether1")]).cuts(ALL),
    add("bridge our port", "/interface/bridge/port", &[("bridge", "bridge-access"), ("interface", "ether1")]).cuts(ALL),
    set("put the management address on another port", "/ip/address", &[("comment", "management")], &[("interface", "ether2")]).cuts(ALL),
    disable("disable the management address", "/ip/address", &[("comment", "management")]).cuts(ALL),
    add("route half of our network to the core", "/ip/route", &[("dst-address", "10.200.0.0/25"), ("gateway", "198.51.100.33")]).cuts(ALL),
    set("stop arp on our vlan", "/interface/vlan", &[("name", "vlan100-mgmt")], &[("arp", "disabled")]).cuts(ALL),
];

pub(super) const HARMLESS: &[Case] = &[
    remove("remove a rule nothing stands behind", FILTER, OURS),
    add("drop customers", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface-list", "LAN")]).before(FIRST),
    add("block customers", "/ip/firewall/address-list", &[("list", "blocklist"), ("address", "10.201.0.0/16")]),
    add("put our vlan into a list behind our rule", "/interface/list/member", &[("list", "WAN"), ("interface", "vlan100-mgmt")]),
    disable("disable a radio", "/interface/wireless", &[("name", "wlan1")]),
    disable("disable the customers' bridge", "/interface/bridge", &[("name", "bridge-access")]),
    disable("disable the fibre", "/interface/ethernet", &[("name", "sfp-sfpplus1")]),
    add("bridge another port", "/interface/bridge/port", &[("bridge", "bridge-access"), ("interface", "ether4")]),
    add("add a vlan", "/interface/vlan", &[("name", "vlan200"), ("vlan-id", "200"), ("interface", "ether1")]),
    remove("remove the customers' address", "/ip/address", &[("comment", "customers")]),
    remove("remove the default route", "/ip/route", &[("comment", "core")]),
    add("route customers to the core", "/ip/route", &[("dst-address", "10.201.0.0/25"), ("gateway", "198.51.100.33")]),
];
