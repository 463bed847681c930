//! A home router: we are on `ether2`, a port of `bridge`; what is not in list `LAN` is dropped.

use super::{ALL, Case, SSH, TLS, add, disable, remove, set};

const FILTER: &str = "/ip/firewall/filter";
const FIRST: super::Words = &[("comment", "defconf: accept established,related,untracked")];
const LAST: super::Words = &[("comment", "defconf: drop all not coming from LAN")];

pub(super) const CUTTING: &[Case] = &[
    add("drop all new connections first", FILTER, &[("chain", "input"), ("action", "drop"), ("connection-state", "new")])
        .before(FIRST)
        .cuts(ALL),
    add("drop our address", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address", "192.168.88.10")]).before(FIRST).cuts(ALL),
    add("drop our network", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address", "192.168.88.0/24")]).cuts(ALL),
    add("drop a range with us", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address", "192.168.88.5-192.168.88.15")]).cuts(ALL),
    add("drop all but another", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address", "!192.168.88.20")]).cuts(ALL),
    add("drop our list", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address-list", "trusted")]).cuts(ALL),
    add("drop whoever is not on a list", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address-list", "!blocked")]).cuts(ALL),
    add("drop our interface", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface", "bridge")]).cuts(ALL),
    add("drop all interfaces but the uplink", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface", "!ether1")]).cuts(ALL),
    add("drop our interface list", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface-list", "LAN")]).cuts(ALL),
    add("drop every interface by list", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface-list", "all")]).cuts(ALL),
    add("drop our hardware address", FILTER, &[("chain", "input"), ("action", "drop"), ("src-mac-address", "02:00:5E:00:53:10")]).cuts(ALL),
    add("drop the port of www-ssl", FILTER, &[("chain", "input"), ("action", "drop"), ("protocol", "tcp"), ("dst-port", "{www-ssl}")])
        .cuts(TLS),
    add("drop a list of ports", FILTER, &[("chain", "input"), ("action", "drop"), ("protocol", "tcp"), ("dst-port", "23,{ssh},8291")])
        .cuts(SSH),
    add("drop all tcp but www-ssl", FILTER, &[("chain", "input"), ("action", "drop"), ("protocol", "tcp"), ("dst-port", "!{www-ssl}")])
        .cuts(&["www", "ssh"]),
    add(
        "reject the port of ssh",
        FILTER,
        &[("chain", "input"), ("action", "reject"), ("reject-with", "tcp-reset"), ("protocol", "tcp"), ("dst-port", "{ssh}")],
    )
    .cuts(SSH),
    add("tarpit tcp", FILTER, &[("chain", "input"), ("action", "tarpit"), ("protocol", "tcp")]).cuts(ALL),
    add("drop what goes to local addresses", FILTER, &[("chain", "input"), ("action", "drop"), ("dst-address-type", "local")]).cuts(ALL),
    add(
        "drop new connections of our network",
        FILTER,
        &[("chain", "input"), ("action", "drop"), ("connection-state", "new"), ("src-address", "192.168.88.0/24")],
    )
    .cuts(ALL),
    add(
        "drop first packets by their flags",
        FILTER,
        &[("chain", "input"), ("action", "drop"), ("protocol", "tcp"), ("tcp-flags", "syn,!ack")],
    )
    .cuts(ALL),
    add("drop answers to us", FILTER, &[("chain", "output"), ("action", "drop"), ("dst-address", "192.168.88.10")]).cuts(ALL),
    add("drop what leaves by our interface", FILTER, &[("chain", "output"), ("action", "drop"), ("out-interface", "bridge")]).cuts(ALL),
    set("turn the last rule round", FILTER, LAST, &[("in-interface-list", "LAN")]).cuts(ALL),
    set("drop all but another list", FILTER, LAST, &[("in-interface-list", "!WAN")]).cuts(ALL),
    remove("take our bridge out of the list", "/interface/list/member", &[("list", "LAN"), ("interface", "bridge")]).cuts(ALL),
    disable("disable our bridge in the list", "/interface/list/member", &[("list", "LAN"), ("interface", "bridge")]).cuts(ALL),
    set("put another interface into the list", "/interface/list/member", &[("list", "LAN")], &[("interface", "ether5")]).cuts(ALL),
    add("drop our network in raw", "/ip/firewall/raw", &[("chain", "prerouting"), ("action", "drop"), ("src-address", "192.168.88.0/24")])
        .cuts(ALL),
    add(
        "send the port of ssh elsewhere",
        "/ip/firewall/nat",
        &[
            ("chain", "dstnat"),
            ("action", "dst-nat"),
            ("protocol", "tcp"),
            ("dst-address", "192.168.88.1"),
            ("dst-port", "{ssh}"),
            ("to-addresses", "192.168.88.30"),
        ],
    )
    .cuts(SSH),
    disable("disable our port", "/interface/ethernet", &[("name", "ether2")]).cuts(ALL),
    disable("disable the bridge", "/interface/bridge", &[("name", "bridge")]).cuts(ALL),
    remove("take our port out of the bridge", "/interface/bridge/port", &[("interface", "ether2")]).cuts(ALL),
    disable("disable our port of the bridge", "/interface/bridge/port", &[("interface", "ether2")]).cuts(ALL),
    set(
        "filter vlans with the bridge in another",
        "/interface/bridge",
        &[("name", "bridge")],
        &[("vlan-filtering", "yes"), ("pvid", "10")],
    )
    .cuts(ALL),
    set("stop arp on the bridge", "/interface/bridge", &[("name", "bridge")], &[("arp", "disabled")]).cuts(ALL),
    set("answer arp from the table only", "/interface/bridge", &[("name", "bridge")], &[("arp", "reply-only")]).cuts(ALL),
    add(
        "give our address another hardware address",
        "/ip/arp",
        &[("address", "192.168.88.10"), ("interface", "bridge"), ("mac-address", "02:00:5E:00:53:EE")],
    )
    .cuts(ALL),
    add("drop our port in the bridge", "/interface/bridge/filter", &[("chain", "input"), ("action", "drop"), ("in-interface", "ether2")])
        .cuts(ALL),
    add("drop ip in the bridge", "/interface/bridge/filter", &[("chain", "input"), ("action", "drop"), ("mac-protocol", "ip")]).cuts(ALL),
    remove("remove the management address", "/ip/address", &[("address", "192.168.88.1/24")]).cuts(ALL),
    disable("disable the management address", "/ip/address", &[("address", "192.168.88.1/24")]).cuts(ALL),
    set("change the management address", "/ip/address", &[("address", "192.168.88.1/24")], &[("address", "192.168.88.2/24")]).cuts(ALL),
    set("narrow the management network", "/ip/address", &[("address", "192.168.88.1/24")], &[("address", "192.168.88.1/30")]).cuts(ALL),
    set("move the management address", "/ip/address", &[("address", "192.168.88.1/24")], &[("interface", "ether1")]).cuts(ALL),
    add("route us by the uplink", "/ip/route", &[("dst-address", "192.168.88.10/32"), ("gateway", "198.51.100.1")]).cuts(ALL),
    add("blackhole half of our network", "/ip/route", &[("dst-address", "192.168.88.0/25"), ("blackhole", "yes")]).cuts(ALL),
    add("drop answers from the management address", "/routing/rule", &[("src-address", "192.168.88.1/32"), ("action", "drop")]).cuts(ALL),
    add("put the bridge into a vrf", "/ip/vrf", &[("name", "customers"), ("interfaces", "bridge")]).cuts(ALL),
    add("run a hotspot on the bridge", "/ip/hotspot", &[("name", "hs"), ("interface", "bridge"), ("disabled", "no")]).cuts(ALL),
    add(
        "encrypt what goes to our network",
        "/ip/ipsec/policy",
        &[("src-address", "192.168.88.0/24"), ("dst-address", "192.168.88.0/24"), ("action", "encrypt")],
    )
    .cuts(ALL),
];

pub(super) const HARMLESS: &[Case] = &[
    add("drop another address", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address", "192.168.88.11")]).before(FIRST),
    add("drop another network", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address", "192.168.89.0/24")]).before(FIRST),
    add("drop a range without us", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address", "192.168.88.20-192.168.88.250")]),
    add("drop all but our network", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address", "!192.168.88.0/24")]),
    add("drop another list", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address-list", "blocked")]).before(FIRST),
    add("drop a list nobody is on", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address-list", "scanners")]).before(FIRST),
    add("drop whoever is not on our list", FILTER, &[("chain", "input"), ("action", "drop"), ("src-address-list", "!trusted")]),
    add("drop another interface", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface", "ether1")]).before(FIRST),
    add("drop all interfaces but ours", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface", "!bridge")]),
    add("drop another interface list", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface-list", "WAN")]).before(FIRST),
    add("drop no interface by list", FILTER, &[("chain", "input"), ("action", "drop"), ("in-interface-list", "none")]).before(FIRST),
    add("drop another hardware address", FILTER, &[("chain", "input"), ("action", "drop"), ("src-mac-address", "02:00:5E:00:53:11")]),
    add("drop another port", FILTER, &[("chain", "input"), ("action", "drop"), ("protocol", "tcp"), ("dst-port", "23")]).before(FIRST),
    add("drop another list of ports", FILTER, &[("chain", "input"), ("action", "drop"), ("protocol", "tcp"), ("dst-port", "23,8291")]),
    add("reject another port", FILTER, &[("chain", "input"), ("action", "reject"), ("protocol", "tcp"), ("dst-port", "25")]),
    add("tarpit another", FILTER, &[("chain", "input"), ("action", "tarpit"), ("protocol", "tcp"), ("src-address-list", "blocked")]),
    add("drop udp", FILTER, &[("chain", "input"), ("action", "drop"), ("protocol", "udp")]).before(FIRST),
    add("drop invalid packets first", FILTER, &[("chain", "input"), ("action", "drop"), ("connection-state", "invalid")]).before(FIRST),
    add("drop odd flags", FILTER, &[("chain", "input"), ("action", "drop"), ("protocol", "tcp"), ("tcp-flags", "fin,syn")]).before(FIRST),
    add("log all", FILTER, &[("chain", "input"), ("action", "log")]).before(FIRST),
    add("count all", FILTER, &[("chain", "input"), ("action", "passthrough")]).before(FIRST),
    add("accept us first", FILTER, &[("chain", "input"), ("action", "accept"), ("src-address", "192.168.88.10")]).before(FIRST),
    add("return from input", FILTER, &[("chain", "input"), ("action", "return"), ("in-interface", "bridge")]).before(FIRST),
    add("jump where nothing drops us", FILTER, &[("chain", "input"), ("action", "jump"), ("jump-target", "forward")]).before(FIRST),
    add("jump to a chain nobody wrote", FILTER, &[("chain", "input"), ("action", "jump"), ("jump-target", "guests")]).before(FIRST),
    add("drop in a chain nobody jumps to", FILTER, &[("chain", "guests"), ("action", "drop")]),
    add("drop what goes to the uplink address", FILTER, &[("chain", "input"), ("action", "drop"), ("dst-address", "198.51.100.7")]),
    add("drop answers to another", FILTER, &[("chain", "output"), ("action", "drop"), ("dst-address", "203.0.113.45")]),
    add("drop what leaves by the uplink", FILTER, &[("chain", "output"), ("action", "drop"), ("out-interface", "ether1")]),
    set("comment the last rule", FILTER, LAST, &[("comment", "drop the rest")]),
    disable("disable the last rule", FILTER, LAST),
    remove("remove the rule for wireguard", FILTER, &[("comment", "wireguard")]),
    remove("take the uplink out of its list", "/interface/list/member", &[("list", "WAN")]),
    add("put another port into a list", "/interface/list/member", &[("list", "WAN"), ("interface", "ether5")]),
    add(
        "drop another network in raw",
        "/ip/firewall/raw",
        &[("chain", "prerouting"), ("action", "drop"), ("src-address", "203.0.113.0/24")],
    ),
    add(
        "send a port of the uplink elsewhere",
        "/ip/firewall/nat",
        &[
            ("chain", "dstnat"),
            ("action", "dst-nat"),
            ("protocol", "tcp"),
            ("in-interface", "ether1"),
            ("dst-port", "{ssh}"),
            ("to-addresses", "192.168.88.30"),
        ],
    ),
    disable("disable another port", "/interface/ethernet", &[("name", "ether5")]),
    disable("disable the uplink", "/interface/ethernet", &[("name", "ether1")]),
    disable("disable a radio", "/interface/wifi", &[("name", "wifi2")]),
    remove("take another port out of the bridge", "/interface/bridge/port", &[("interface", "ether5")]),
    disable("disable another port of the bridge", "/interface/bridge/port", &[("interface", "ether4")]),
    set("filter vlans with all in one", "/interface/bridge", &[("name", "bridge")], &[("vlan-filtering", "yes")]),
    set("give our port a vlan nobody filters", "/interface/bridge/port", &[("interface", "ether2")], &[("pvid", "10")]),
    set("keep ports apart", "/interface/bridge/port", &[("interface", "ether2")], &[("horizon", "1")]),
    set("answer arp for others too", "/interface/bridge", &[("name", "bridge")], &[("arp", "proxy-arp")]),
    add(
        "give another address a hardware address",
        "/ip/arp",
        &[("address", "192.168.88.11"), ("interface", "bridge"), ("mac-address", "02:00:5E:00:53:EE")],
    ),
    add(
        "drop another port in the bridge",
        "/interface/bridge/filter",
        &[("chain", "input"), ("action", "drop"), ("in-interface", "ether3")],
    ),
    add("drop what the bridge forwards", "/interface/bridge/filter", &[("chain", "forward"), ("action", "drop")]),
    add("drop ipv6 in the bridge", "/interface/bridge/filter", &[("chain", "input"), ("action", "drop"), ("mac-protocol", "ipv6")]),
    add("add a second address", "/ip/address", &[("address", "192.168.90.1/24"), ("interface", "bridge")]),
    remove("remove another address", "/ip/address", &[("address", "10.99.0.1/24")]),
    set("widen the management network", "/ip/address", &[("address", "192.168.88.1/24")], &[("address", "192.168.88.1/23")]),
    add("route another by the uplink", "/ip/route", &[("dst-address", "192.168.88.11/32"), ("gateway", "198.51.100.1")]),
    add("blackhole our network behind the connected one", "/ip/route", &[("dst-address", "192.168.88.0/24"), ("blackhole", "yes")]),
    remove("remove a static route", "/ip/route", &[("dst-address", "10.50.0.0/16")]),
    add("drop answers from another address", "/routing/rule", &[("src-address", "10.99.0.1/32"), ("action", "drop")]),
    add("put another interface into a vrf", "/ip/vrf", &[("name", "customers"), ("interfaces", "ether5")]),
    add("prepare a hotspot", "/ip/hotspot", &[("name", "hs"), ("interface", "bridge"), ("disabled", "yes")]),
    add(
        "encrypt what goes elsewhere",
        "/ip/ipsec/policy",
        &[("src-address", "192.168.88.0/24"), ("dst-address", "10.107.0.0/16"), ("action", "encrypt")],
    ),
];
