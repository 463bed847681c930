//! A router that is reached over IPv6.

use super::bench::{Differs, Router, all_are_harmless, none_is_harmless, pairs, site, steps};
use crate::plan::lockout::Site;
use crate::plan::lockout::site::read;
use futures_util::FutureExt;
use std::sync::Mutex;

/// The home router with a prefix of its own, the default firewall of IPv6, and us next to it.
fn six(site: &mut Site) {
    site.path.source = "2001:db8:10::50".parse().ok();
    site.path.router = "2001:db8:10::1".parse().ok();
    let tables: [(&str, &[&str]); 8] = [
        ("/ipv6/address", &["address=2001:db8:10::1/64 interface=bridge actual-interface=bridge disabled=false comment=ours"]),
        (
            "/ipv6/route",
            &[
                "dst-address=2001:db8:10::/64 gateway=bridge immediate-gw=bridge distance=0 connect=true dynamic=true active=true",
                "dst-address=::/0 gateway=fe80::fe%ether1 immediate-gw=fe80::fe%ether1 distance=1 static=true active=true comment=default",
            ],
        ),
        (
            "/ipv6/firewall/filter",
            &[
                "chain=input action=accept connection-state=established,related,untracked comment=established",
                "chain=input action=drop connection-state=invalid comment=invalid",
                "chain=input action=accept protocol=icmpv6 comment=icmp",
                "chain=input action=drop in-interface-list=!LAN comment=\"not LAN\"",
            ],
        ),
        ("/ipv6/firewall/raw", &[]),
        ("/ipv6/firewall/mangle", &[]),
        ("/ipv6/firewall/nat", &[]),
        ("/ipv6/firewall/address-list", &[]),
        ("/ipv6/neighbor", &["address=2001:db8:10::50 interface=bridge mac-address=02:00:5E:00:53:10 status=reachable"]),
    ];
    for (menu, rows) in tables {
        site.rows.insert(menu.to_owned(), rows.iter().map(|row| pairs(row)).collect());
    }
    site.rows.insert("/ipv6/settings".into(), vec![pairs("disable-ipv6=false forward=true accept-router-advertisements=no")]);
}

/// The same from behind a gateway that is known by its link-local address.
fn far(site: &mut Site) {
    six(site);
    site.path.source = "2001:db8:99::7".parse().ok();
    site.rows.get_mut("/ipv6/firewall/filter").unwrap().truncate(3);
}

/// The address of ours is one of a pool that a provider fills.
fn delegated(site: &mut Site) {
    six(site);
    site.rows.insert(
        "/ipv6/address".into(),
        vec![pairs("address=2001:db8:10::1/64 from-pool=isp interface=bridge actual-interface=bridge disabled=false")],
    );
    site.rows.insert("/ipv6/dhcp-client".into(), vec![pairs("interface=ether1 request=prefix pool-name=isp disabled=false")]);
    site.rows.insert("/ipv6/pool".into(), vec![pairs("name=isp prefix=2001:db8:10::/56 prefix-length=64")]);
}

/// We are in though rules drop what finds neighbours, by an entry by hand.
fn by_hand(site: &mut Site) {
    six(site);
    site.rows.get_mut("/ipv6/firewall/filter").unwrap().insert(0, pairs("chain=input action=drop protocol=icmpv6 comment=deaf"));
}

const CUTS: &[(&str, Differs)] = &[
    ("home: add /ipv6/firewall/filter chain=input action=drop protocol=icmpv6 @ comment=established", six),
    ("home: add /ipv6/firewall/filter chain=input action=drop protocol=58 icmp-options=135:0-255 @ comment=established", six),
    ("home: add /ipv6/firewall/filter chain=input action=drop dst-address=ff00::/8 @ comment=established", six),
    ("home: add /ipv6/firewall/filter chain=input action=drop connection-state=untracked @ comment=established", six),
    ("home: add /ipv6/firewall/filter chain=output action=drop protocol=icmpv6", six),
    ("home: add /ipv6/firewall/filter chain=input action=drop src-address=fe80::fe @ comment=established", far),
    ("home: add /ipv6/firewall/raw chain=prerouting action=drop protocol=icmpv6", six),
    ("home: add /ipv6/firewall/raw chain=prerouting action=drop dst-address=ff02::1:ff00:1", six),
    ("home: add /ipv6/firewall/filter chain=input action=drop src-address=2001:db8:10::/64 @ comment=established", six),
    ("home: set /ipv6/settings disable-ipv6=yes", six),
    ("home: set /ipv6/settings forward=no", six),
    ("home: remove /ipv6/address [comment=ours]", six),
    ("home: remove /ipv6/route [comment=default]", far),
    ("home: disable /ipv6/dhcp-client [interface=ether1]", delegated),
    ("home: remove /ipv6/pool [name=isp]", delegated),
    ("home: add /ipv6/neighbor address=2001:db8:10::50 interface=bridge mac-address=02:00:5E:00:00:01", six),
];

const HARMLESS: &[(&str, Differs)] = &[
    ("home: add /ipv6/firewall/filter chain=input action=drop protocol=icmpv6 icmp-options=128:0-255 @ comment=established", six),
    ("home: add /ipv6/firewall/filter chain=input action=drop protocol=icmpv6", six),
    ("home: add /ipv6/firewall/filter chain=input action=drop src-address=2001:db8:66::/48 @ comment=established", six),
    ("home: add /ipv6/firewall/filter chain=input action=drop src-address=fe80::fe @ comment=established", six),
    ("home: add /ipv6/firewall/raw chain=prerouting action=drop dst-address=ff02::1:ff00:2", six),
    ("home: add /ipv6/address address=2001:db8:77::1/64 interface=ether5", six),
    ("home: add /ipv6/route dst-address=2001:db8:88::/48 gateway=2001:db8:10::9", six),
    ("home: disable /ipv6/dhcp-client [interface=ether1]", |site| {
        delegated(site);
        six(site);
    }),
    ("home: set /ipv6/settings allow-fast-path=no", six),
    ("home: add /ipv6/neighbor address=2001:db8:10::51 interface=bridge mac-address=02:00:5E:00:00:01", six),
    ("home: add /ipv6/firewall/filter chain=input action=drop protocol=icmpv6 @ comment=deaf", by_hand),
    ("home: remove /ip/route [comment=lab]", six),
    ("home: add /ip/firewall/filter chain=input action=drop @ comment=established", six),
];

#[test]
fn over_ipv6_what_cuts_us_off_is_never_called_harmless() {
    none_is_harmless(CUTS);
}

#[test]
fn over_ipv6_what_leaves_us_in_is_harmless() {
    all_are_harmless(HARMLESS);
}

#[test]
fn routes_to_many_ends_are_asked_in_queries_that_a_router_takes() {
    let mut whole = site("home");
    far(&mut whole);
    let steps = steps(whole.clone(), "remove /ipv6/route [comment=default]");
    let router = Router { site: &whole, asked: Mutex::new(Vec::new()), denied: &[] };
    let found = read(&router, whole.path.clone(), &steps).now_or_never().unwrap().unwrap();
    let nets: Vec<&str> = found.rows["/ipv6/route"].iter().map(|row| row[0].1.as_str()).collect();
    assert_eq!(nets, ["::/0"], "only what covers us");
    let pieces = router.asked.lock().unwrap().iter().filter(|menu| *menu == "/ipv6/route").count();
    assert!((3..=6).contains(&pieces), "{pieces} requests for routes");
}
