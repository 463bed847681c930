//! What is read of a router, and how many requests that takes.

use super::bench::{Router, judged_on_read, plan, site, site_read};
use crate::plan::lockout::site::read;
use futures_util::FutureExt;
use std::sync::Mutex;

#[test]
fn few_requests_are_enough_for_each_kind_of_edit() {
    for (line, most) in [
        ("home: set /ip/firewall/filter [comment=icmp] comment=ping", 0),
        ("home: set /system/identity name=x", 0),
        ("home: set /ip/dns servers=9.9.9.9", 0),
        ("home: add /ip/firewall/address-list list=mcp-block address=203.0.113.1", 1),
        ("home: add /ip/firewall/filter chain=forward action=drop", 0),
        ("home: add /ip/firewall/filter chain=input action=accept", 0),
        ("home: set /ip/service [name=www-ssl] port=8443", 2),
        ("home: disable /user [name=anna]", 3),
        ("home: add /ip/route dst-address=10.60.0.0/16 gateway=192.168.88.3", 6),
        ("office: remove /ip/firewall/filter [comment=management]", 9),
        ("tower: remove /ip/firewall/filter [comment=\"noc in\"]", 8),
        ("office: set /interface/bridge/port [interface=ether3] pvid=30", 11),
        ("chr: set /ip/firewall/filter [comment=management] in-interface=ether1", 10),
    ] {
        let (_, asked) = judged_on_read(line);
        assert!(asked <= most, "{line}: {asked} requests, more than {most}");
    }
}

#[test]
fn only_routes_that_cover_us_are_asked_for() {
    let (_, steps) = plan("tower: remove /ip/route [comment=noc]");
    let (found, _) = site_read("tower", &steps);
    let nets: Vec<&str> = found.rows["/ip/route"].iter().map(|row| row[0].1.as_str()).collect();
    assert_eq!(nets, ["0.0.0.0/0", "0.0.0.0/0", "10.200.0.0/16"]);
}

#[test]
fn a_refused_menu_is_unread_and_one_the_router_lacks_is_empty() {
    let (name, steps) = plan("office: remove /ip/firewall/filter [comment=management]");
    let mut whole = site(name);
    whole.rows.remove("/interface/list");
    let router = Router { site: &whole, asked: Mutex::new(Vec::new()), denied: &["/ip/firewall/address-list"] };
    let found = read(&router, whole.path.clone(), &steps).now_or_never().unwrap().unwrap();
    assert!(found.unread.contains("/ip/firewall/address-list"));
    assert_eq!(found.rows["/interface/list"], Vec::<Vec<(String, String)>>::new());
}

#[test]
fn secrets_of_rows_are_not_kept() {
    let (name, steps) = plan("chr: disable /interface/wireguard [name=wg-mgmt]");
    let mut whole = site(name);
    whole.rows.get_mut("/interface/wireguard").unwrap()[0].push(("private-key".into(), "CANARY".into()));
    let router = Router { site: &whole, asked: Mutex::new(Vec::new()), denied: &[] };
    let found = read(&router, whole.path.clone(), &steps).now_or_never().unwrap().unwrap();
    assert!(router.asked.lock().unwrap().iter().any(|menu| menu == "/interface/wireguard"));
    assert!(!format!("{found:?}").contains("CANARY"));
}
