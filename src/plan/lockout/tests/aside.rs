//! What is beside our way and reaches it all the same.

use super::bench::{Differs, all_are_harmless, none_is_harmless, pairs};
use crate::plan::lockout::Site;

fn with(site: &mut Site, menu: &str, row: &str) {
    site.rows.entry(menu.to_owned()).or_default().push(pairs(row));
}

fn hotspot(site: &mut Site) {
    with(site, "/ip/hotspot", "name=guests interface=bridge disabled=false");
    with(site, "/ip/hotspot/ip-binding", "address=192.168.88.10 type=bypassed");
}

fn translated(site: &mut Site) {
    site.path.own = "172.31.0.5".parse().ok();
}

fn by_name(site: &mut Site) {
    with(site, "/ip/firewall/address-list", "list=mgr address=noc.example.net");
    with(site, "/ip/firewall/address-list", "list=mgr address=192.168.88.10 dynamic=true");
    let rules = site.rows.get_mut("/ip/firewall/filter").unwrap();
    rules.insert(2, pairs("chain=input action=accept src-address-list=mgr comment=managers"));
    rules.insert(3, pairs("chain=input action=drop in-interface=bridge comment=others"));
}

fn dropped_by_name(site: &mut Site) {
    with(site, "/ip/firewall/address-list", "list=blocked address=203.0.113.9 dynamic=true");
}

fn by_ipsec(site: &mut Site) {
    with(site, "/ip/ipsec/policy", "peer=noc src-address=10.77.0.0/30 dst-address=10.200.0.0/16 action=encrypt disabled=false");
}

fn port_in_a_vlan(site: &mut Site) {
    with(site, "/interface/vlan", "name=v100 vlan-id=100 interface=ether2 disabled=false");
    with(site, "/interface", "name=v100 type=vlan disabled=false");
    let ports = site.rows.get_mut("/interface/bridge/port").unwrap();
    ports[0] = pairs("bridge=bridge interface=v100 pvid=1 frame-types=admit-all disabled=false");
    let hosts = site.rows.get_mut("/interface/bridge/host").unwrap();
    hosts[1] = pairs("bridge=bridge mac-address=02:00:5E:00:53:10 on-interface=v100 local=false");
}

fn ports_of_a_list(site: &mut Site) {
    with(site, "/interface/list", "name=ports");
    with(site, "/interface/list/member", "list=ports interface=ether2 disabled=false");
    with(site, "/interface/bridge/port", "bridge=bridge interface=ports disabled=false");
}

fn another_login(site: &mut Site) {
    translated(site);
    site.rows.get_mut("/user/active").unwrap().insert(0, pairs("name=mcp address=203.0.113.7 via=rest-api"));
}

/// Our packets are tracked by no one, and get in by a rule on that.
fn untracked(site: &mut Site) {
    with(site, "/ip/firewall/raw", "chain=prerouting action=accept protocol=tcp comment=pass disabled=true");
    with(site, "/ip/firewall/raw", "chain=prerouting action=notrack src-address=192.168.88.0/24 comment=untracked");
    with(site, "/ip/firewall/raw", "chain=output action=notrack dst-address=192.168.88.0/24");
    let rules = site.rows.get_mut("/ip/firewall/filter").unwrap();
    rules.clear();
    rules.push(pairs("chain=input action=accept connection-state=untracked"));
    rules.push(pairs("chain=input action=drop"));
}

fn with_sstp(site: &mut Site) {
    with(site, "/interface/sstp-server/server", "enabled=false port=443");
}

fn as_it_is(_: &mut Site) {}

/// Edits that can cut us off, each where it does.
const CUTS: &[(&str, Differs)] = &[
    ("home: add /ip/firewall/address-list list=mcp-block address=192.168.88.10", translated),
    ("home: add /ip/firewall/address-list list=mcp-block address=192.168.88.0/24", translated),
    ("home: add /ip/firewall/address-list list=mcp-block address=192.168.88.1", as_it_is),
    ("home: disable /interface/ethernet [name=ether2]", another_login),
    ("home: set /interface/bridge/port [interface=ether2] pvid=20", another_login),
    ("home: set /ip/hotspot/ip-binding [address=192.168.88.10] type=blocked", hotspot),
    ("home: remove /ip/hotspot/ip-binding [address=192.168.88.10]", hotspot),
    ("home: add /interface/bridge/host bridge=bridge mac-address=02:00:5E:00:53:10 interface=ether3", as_it_is),
    ("home: add /queue/simple name=q target=192.168.88.0/24 max-limit=1/1", as_it_is),
    ("home: add /queue/simple name=q target=bridge max-limit=100M/1k", as_it_is),
    ("home: add /queue/tree name=q parent=global max-limit=1", as_it_is),
    ("home: add /ppp/secret name=x password=(secret) remote-address=192.168.88.10", as_it_is),
    ("chr: add /ppp/profile name=x", as_it_is),
    ("tower: set /ip/route [comment=noc] check-gateway=ping", as_it_is),
    (
        "tower: add /interface/pppoe-client name=p interface=sfp1 user=x add-default-route=yes default-route-distance=0 disabled=no",
        as_it_is,
    ),
    ("home: set /ip/dhcp-client [interface=ether1] interface=bridge", as_it_is),
    ("tower: add /ip/firewall/filter chain=input action=drop ipsec-policy=in,ipsec @ comment=established", by_ipsec),
    ("tower: add /ip/firewall/filter chain=input action=drop protocol=ipsec-esp @ comment=established", by_ipsec),
    ("chr: add /ip/firewall/address-list list=scanners address=203.0.113.200", |site| {
        site.rows.get_mut("/ip/firewall/filter").unwrap().insert(0, pairs("chain=input action=drop src-address-list=scanners"));
    }),
    ("chr: add /ip/arp address=198.51.100.1 interface=ether1 mac-address=02:00:5E:00:00:01", as_it_is),
    ("chr: add /ip/vrf name=x interfaces=ether1", as_it_is),
    ("home: remove /ip/firewall/address-list [address=noc.example.net]", by_name),
    ("home: set /ip/firewall/address-list [address=noc.example.net] address=other.example.net", by_name),
    ("home: add /ip/firewall/address-list list=blocked address=noc.example.net", dropped_by_name),
    ("home: set /interface/vlan [name=v100] vlan-id=101", port_in_a_vlan),
    ("home: set /interface/vlan [name=v100] interface=ether4", port_in_a_vlan),
    ("home: add /interface/vlan name=v10 interface=ether2 vlan-id=10", as_it_is),
    ("home: remove /interface/list/member [list=ports]", ports_of_a_list),
    ("home: set /ip/service [name=winbox] port=443", as_it_is),
    ("home: set /ip/settings max-neighbor-entries=1", as_it_is),
    ("home: add /ip/firewall/raw chain=output action=notrack protocol=tcp", as_it_is),
    ("tower: add /ip/firewall/mangle chain=postrouting action=change-ttl new-ttl=set:1", as_it_is),
    ("home: add /ip/firewall/filter chain=input action=drop routing-mark=main @ comment=established", as_it_is),
    ("home: add /ip/firewall/raw chain=prerouting action=accept @ comment=untracked", untracked),
    ("home: enable /ip/firewall/raw [comment=pass]", untracked),
    ("tower: add /ip/firewall/filter chain=input action=drop src-address=203.0.113.9 @ comment=established", by_ipsec),
    ("tower: add /ip/firewall/raw chain=prerouting action=drop protocol=!tcp", by_ipsec),
    ("home: set /interface/sstp-server/server enabled=yes", with_sstp),
    ("home: set /ip/proxy enabled=yes port=8080,443", as_it_is),
    ("home: set /ip/socks enabled=yes port=443", as_it_is),
    ("home: add /ip/dhcp-server/lease address=192.168.88.40 mac-address=02:00:5e:00:53:10 server=defconf", as_it_is),
    ("home: set /ip/dhcp-server/lease [address=192.168.88.30] mac-address=02:00:5E:00:53:10", as_it_is),
];

/// The same kinds of edits where they reach nobody of us.
const HARMLESS: &[(&str, Differs)] = &[
    ("home: add /ip/firewall/address-list list=mcp-block address=203.0.113.1", translated),
    ("home: remove /ip/hotspot/ip-binding [address=192.168.88.10]", |site| {
        with(site, "/ip/hotspot", "name=guests interface=ether5 disabled=false");
        with(site, "/ip/hotspot/ip-binding", "address=192.168.88.10 type=bypassed");
    }),
    ("home: add /queue/simple name=q target=192.168.88.0/24 max-limit=50M/10M", as_it_is),
    ("home: add /queue/simple name=q target=10.9.0.0/24 max-limit=1/1", as_it_is),
    ("home: add /ppp/secret name=x password=(secret) remote-address=10.7.0.2", as_it_is),
    ("home: add /interface/pppoe-client name=p interface=ether1 user=x add-default-route=no disabled=no", as_it_is),
    ("home: add /ip/dhcp-client interface=ether3 disabled=yes", as_it_is),
    ("office: add /ip/firewall/filter chain=input action=drop protocol=ipsec-esp src-address=203.0.113.9", as_it_is),
    ("home: add /interface/vlan name=v10 interface=bridge vlan-id=10", as_it_is),
    ("home: add /interface/vlan name=v10 interface=ether1 vlan-id=10", as_it_is),
    ("home: set /ip/service [name=winbox] port=8292", as_it_is),
    ("home: add /ip/firewall/raw chain=prerouting action=notrack protocol=udp dst-port=53", as_it_is),
    ("home: add /ip/firewall/mangle chain=postrouting action=change-ttl new-ttl=set:64", as_it_is),
    ("home: add /ip/firewall/raw chain=prerouting action=accept protocol=udp @ comment=untracked", untracked),
    ("home: add /ip/firewall/raw chain=prerouting action=accept", as_it_is),
    ("home: set /interface/sstp-server/server enabled=yes port=4443", with_sstp),
    ("home: set /ip/proxy enabled=yes port=8080", as_it_is),
];

#[test]
fn what_is_beside_our_way_and_reaches_it_is_never_called_harmless() {
    none_is_harmless(CUTS);
}

#[test]
fn the_same_kinds_of_edits_elsewhere_are_harmless() {
    all_are_harmless(HARMLESS);
}
