//! Claims about gateways, the interfaces of addresses, entries that go by themselves, and sources in 127/8.

use super::bench::{judged_where, pairs};
use crate::plan::lockout::Site;
use crate::plan::record::{Cut, Risk};

fn push(site: &mut Site, menu: &str, row: &str) {
    site.rows.entry(menu.to_owned()).or_default().push(pairs(row));
}

fn put(site: &mut Site, menu: &str, of: (&str, &str), name: &str, value: &str) {
    let rows = site.rows.get_mut(menu).unwrap();
    let row = rows.iter_mut().find(|row| row.iter().any(|(n, v)| (n.as_str(), v.as_str()) == of)).unwrap();
    row.retain(|(known, _)| known != name);
    row.push((name.to_owned(), value.to_owned()));
}

fn may_cut(scene: impl Fn(&mut Site), lines: &[&str]) {
    for line in lines {
        assert_ne!(judged_where(line, &scene).cut, Cut::No, "{line}");
    }
}

fn stays(scene: impl Fn(&mut Site), lines: &[&str]) {
    for line in lines {
        assert_eq!(judged_where(line, &scene).cut, Cut::No, "{line}");
    }
}

/// The tower, its way back to us by a gateway that another route leads to.
fn recursive(site: &mut Site) {
    put(site, "/ip/route", ("comment", "noc"), "gateway", "10.255.0.9");
    put(site, "/ip/route", ("comment", "noc"), "target-scope", "11");
    push(
        site,
        "/ip/route",
        "dst-address=10.255.0.9/32 gateway=10.77.0.2 immediate-gw=10.77.0.2%bond1 scope=10 static=true active=true comment=core",
    );
}

#[test]
fn a_gateway_behind_a_gateway_is_looked_up_again() {
    for (line, cut) in [
        ("tower: remove /ip/route [comment=core]", Cut::Unknown),
        ("tower: disable /ip/route [comment=core]", Cut::Unknown),
        ("tower: set /ip/route [comment=core] gateway=10.78.0.2", Cut::Unknown),
        ("tower: set /ip/route [comment=core] scope=30", Cut::Unknown),
        ("tower: set /ip/address [address=10.77.0.1/30] address=10.77.0.1/32", Cut::Unknown),
        ("tower: add /ip/address address=10.77.0.3/31 interface=ether3", Cut::Unknown),
        ("tower: add /ip/address address=10.255.0.1/24 interface=ether3", Cut::No),
        ("tower: add /ip/address address=10.255.0.9/32 interface=ether3", Cut::Unknown),
        ("tower: add /ip/route dst-address=10.255.0.8/31 gateway=10.78.0.2 scope=10", Cut::No),
        ("tower: set /ip/route [comment=core] distance=7", Cut::No),
        ("tower: add /ip/address address=10.79.0.1/24 interface=ether3", Cut::No),
        ("tower: remove /ip/route [comment=upstream]", Cut::No),
    ] {
        let judged = judged_where(line, recursive);
        assert!(judged.cut == cut || (cut == Cut::Unknown && judged.cut == Cut::Yes), "{line}: {judged:?}");
        assert!(judged.cut == Cut::No || judged.risk >= Risk::High, "{line}: {judged:?}");
    }
}

#[test]
fn a_route_that_waits_for_its_gateway_takes_our_answers_when_that_comes() {
    let waits = |site: &mut Site| push(site, "/ip/route", "dst-address=10.200.0.0/24 gateway=10.9.9.9 inactive=true comment=waits");
    may_cut(
        waits,
        &[
            "tower: add /ip/route dst-address=10.9.9.9/32 gateway=10.78.0.2 scope=5",
            "tower: add /ip/route dst-address=10.9.9.0/24 gateway=10.78.0.2 scope=10",
            "tower: add /ip/address address=10.9.9.1/24 interface=ether3",
        ],
    );
    assert_eq!(judged_where("tower: add /ip/address address=10.9.8.1/24 interface=ether3", waits).cut, Cut::No);
}

#[test]
fn an_interface_that_comes_up_brings_its_networks() {
    let twin = |site: &mut Site| {
        for menu in ["/interface", "/interface/ethernet"] {
            put(site, menu, ("name", "ether3"), "disabled", "true");
        }
        push(site, "/ip/address", "address=10.77.0.3/31 interface=ether3 disabled=false");
    };
    may_cut(twin, &["tower: enable /interface/ethernet [name=ether3]", "tower: enable /interface [name=ether3]"]);
    let other = |site: &mut Site| {
        twin(site);
        put(site, "/ip/address", ("address", "10.77.0.3/31"), "address", "10.79.0.3/31");
    };
    assert_eq!(judged_where("tower: enable /interface/ethernet [name=ether3]", other).cut, Cut::No);
}

#[test]
fn an_address_goes_with_its_interface_though_we_come_by_another() {
    let apart = |site: &mut Site| {
        site.path.router = "10.255.255.1".parse().ok();
        push(site, "/interface", "name=lo0 type=bridge disabled=false");
        push(site, "/interface/bridge", "name=lo0 disabled=false");
        push(site, "/interface", "name=vrrp1 type=vrrp disabled=false");
        push(site, "/interface/vrrp", "name=vrrp1 interface=ether3 vrid=1 disabled=false");
        push(site, "/ip/address", "address=10.255.255.1/32 network=10.255.255.1 interface=lo0 disabled=false");
    };
    let on_vrrp = |site: &mut Site| {
        apart(site);
        put(site, "/ip/address", ("address", "10.255.255.1/32"), "interface", "vrrp1");
    };
    may_cut(
        apart,
        &[
            "tower: disable /interface/bridge [name=lo0]",
            "tower: remove /interface/bridge [name=lo0]",
            "tower: disable /interface [name=lo0]",
            "tower: set /ip/address [interface=lo0] interface=bond1",
            "tower: add /ip/vrf name=x interfaces=lo0",
            // Who sends our packets there knows the router by this one.
            "tower: set /ip/address [address=10.77.0.1/30] address=10.77.0.1/29",
            "tower: disable /interface/bonding [name=bond1]",
            "tower: remove /ip/route [comment=noc]",
        ],
    );
    for line in [
        "tower: disable /interface/vrrp [name=vrrp1]",
        "tower: set /interface/vrrp [name=vrrp1] vrid=2",
        "tower: disable /interface/ethernet [name=ether3]",
    ] {
        assert_ne!(judged_where(line, on_vrrp).cut, Cut::No, "{line}");
        assert_eq!(judged_where(line, apart).cut, Cut::No, "{line}");
    }
}

#[test]
fn what_the_router_says_of_a_route_stands_where_an_edit_has_no_part_in_it() {
    // Nothing in the rows explains this next hop.
    let riddle = |site: &mut Site| {
        put(site, "/ip/route", ("comment", "noc"), "gateway", "172.31.9.9");
        put(site, "/ip/route", ("comment", "noc"), "immediate-gw", "172.31.9.9%sfp1");
    };
    for (line, no) in [
        ("tower: add /ip/address address=10.79.0.1/24 interface=ether3", true),
        ("tower: add /ip/route dst-address=10.60.0.0/16 gateway=10.78.0.2", true),
        ("tower: add /ip/address address=10.79.0.1/24 interface=sfp1", false),
        ("tower: remove /ip/route [comment=noc]", false),
    ] {
        assert_eq!(judged_where(line, riddle).cut == Cut::No, no, "{line}");
    }
    let silent = |site: &mut Site| {
        for row in site.rows.get_mut("/ip/route").unwrap() {
            row.retain(|(name, _)| !matches!(name.as_str(), "immediate-gw" | "active"));
        }
    };
    for (line, no) in [
        ("tower: add /ip/address address=10.79.0.1/24 interface=ether3", true),
        ("tower: add /ip/address address=10.77.0.3/31 interface=ether3", false),
        ("tower: set /ip/address [address=10.77.0.1/30] address=10.77.0.1/32", false),
        ("tower: remove /ip/route [comment=noc]", false),
    ] {
        assert_eq!(judged_where(line, silent).cut == Cut::No, no, "without what only the router writes: {line}");
    }
}

#[test]
fn a_dhcp_client_gives_the_address_we_come_to_wherever_it_is() {
    let leased = |site: &mut Site| {
        site.path.router = "198.51.100.7".parse().ok();
        put(site, "/ip/address", ("interface", "ether1"), "dynamic", "true");
    };
    let judged = judged_where("home: disable /ip/dhcp-client [interface=ether1]", |site| {
        let own = site.rows["/ip/address"].iter().find(|row| row.iter().any(|(_, value)| value == "ether1")).cloned().unwrap();
        let address = own.iter().find(|(name, _)| name == "address").unwrap().1.clone();
        leased(site);
        site.path.router = address.split('/').next().unwrap().parse().ok();
    });
    assert_ne!(judged.cut, Cut::No, "{judged:?}");
}

#[test]
fn an_entry_that_goes_by_itself_does_not_hold_the_door_open() {
    let timed = |site: &mut Site| put(site, "/ip/firewall/address-list", ("address", "10.20.99.0/24"), "timeout", "2m");
    let why = judged_where("office: set /ip/firewall/address-list [list=mgmt address=10.20.99.0/24] timeout=2m", |_| {}).cut_reasons;
    assert_eq!(
        why,
        ["once the entries of list mgmt that have a timeout are gone: input rule 8 would drop tcp/443 from 10.20.99.10 on vlan99-mgmt"]
            .map(str::to_owned)
            .into_iter()
            .chain(["once the entries of list mgmt that have a timeout are gone: input rule 8 would drop tcp/22 from 10.20.99.10 on vlan99-mgmt".to_owned()])
            .collect::<Vec<_>>()
    );
    // What ends anyway is no fault of another edit.
    stays(
        timed,
        &[
            "office: add /ip/firewall/filter chain=input action=drop protocol=udp dst-port=161 @ comment=established",
            "office: add /ip/firewall/address-list list=blocked address=203.0.113.9 timeout=1h",
            "office: set /ip/firewall/address-list [list=mgmt address=10.20.99.0/24] timeout=4m",
        ],
    );
    for line in [
        "office: disable /ip/firewall/filter [comment=management]",
        "office: add /ip/firewall/address-list list=blocked address=10.20.99.10 timeout=10s",
    ] {
        assert_eq!(judged_where(line, timed).cut, Cut::Yes, "{line}");
    }
}

#[test]
fn a_source_in_127_is_somebody_outside_where_a_way_leads_there() {
    let near = |site: &mut Site| {
        (site.path.router, site.path.own) = ("127.77.0.9".parse().ok(), "127.0.0.1".parse().ok());
        put(site, "/user/active", ("name", "noc"), "address", "127.0.0.1");
        push(site, "/ip/address", "address=127.77.0.9/8 network=127.0.0.0 interface=bond1 disabled=false");
        push(
            site,
            "/ip/route",
            "dst-address=127.0.0.0/8 gateway=bond1 immediate-gw=bond1 distance=0 connect=true dynamic=true active=true",
        );
        site.rows.insert("/ip/firewall/filter".into(), vec![pairs("chain=input action=accept protocol=icmp comment=ping")]);
    };
    let behind = |site: &mut Site| {
        near(site);
        put(site, "/ip/address", ("address", "127.77.0.9/8"), "address", "127.77.0.9/24");
        put(site, "/ip/address", ("address", "127.77.0.9/24"), "network", "127.77.0.0");
        site.rows.get_mut("/ip/route").unwrap().retain(|row| !row.contains(&("dst-address".into(), "127.0.0.0/8".into())));
        put(site, "/ip/route", ("comment", "upstream"), "gateway", "127.77.0.254");
        put(site, "/ip/route", ("comment", "upstream"), "immediate-gw", "127.77.0.254%bond1");
    };
    may_cut(
        near,
        &[
            "tower: set /ip/address [address=127.77.0.9/8] address=127.77.0.9/24",
            "tower: set /ip/address [address=127.77.0.9/8] interface=ether3",
            "tower: add /ip/address address=127.0.0.2/30 interface=ether3",
            "tower: add /ip/route dst-address=127.0.0.1/32 gateway=10.78.0.2",
            "tower: add /ip/route dst-address=127.0.0.0/16 blackhole=yes",
            "tower: add /routing/rule dst-address=127.0.0.0/8 action=drop",
            "tower: add /ip/firewall/filter chain=output action=drop dst-address=127.0.0.0/16",
            "tower: add /ip/firewall/raw chain=output action=drop protocol=tcp",
        ],
    );
    may_cut(
        behind,
        &[
            "tower: remove /ip/route [comment=upstream]",
            "tower: disable /ip/route [comment=upstream]",
            "tower: set /ip/route [comment=upstream] gateway=10.78.0.2",
            "tower: set /ip/address [address=127.77.0.9/24] address=127.77.0.9/28",
            "tower: add /ip/firewall/filter chain=output action=drop dst-address=127.0.0.0/16",
            "tower: add /routing/ospf/instance name=x",
        ],
    );
    for site in [&near as &dyn Fn(&mut Site), &behind] {
        for line in [
            "tower: add /ip/address address=10.79.0.1/24 interface=ether3",
            "tower: remove /ip/address [address=100.64.0.1/22]",
            "tower: add /ip/route dst-address=10.60.0.0/16 gateway=10.78.0.2",
            "tower: remove /ip/route [comment=noc]",
            "tower: add /routing/rule src-address=100.64.4.0/22 action=lookup table=main",
            "tower: add /ip/firewall/filter chain=output action=drop protocol=udp dst-port=53",
            "tower: disable /interface/ethernet [name=ether3]",
        ] {
            assert_eq!(judged_where(line, site).cut, Cut::No, "{line}");
        }
    }
}
