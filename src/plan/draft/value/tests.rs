//! Tables of what is taken, in which spelling, and what is refused.

use super::*;
use crate::menus;
use serde_json::json;

#[test]
fn json_becomes_what_routeros_writes() {
    for (json, text) in [
        (json!(true), "yes"),
        (json!(false), "no"),
        (json!(10), "10"),
        (json!(1e6), "1000000"),
        (json!(0.5), "0.5"),
        (json!(["9.9.9.9", "1.1.1.1"]), "9.9.9.9,1.1.1.1"),
        (json!("true"), "true"),
        (json!(u64::MAX), "18446744073709551615"),
    ] {
        assert_eq!(given("x", &json).unwrap(), Given::Text(text.into()), "{json}");
    }
    assert_eq!(given("x", &Value::Null).unwrap(), Given::Unset);
    assert_eq!(given("x", &json!({"secret": "vault:nas"})).unwrap(), Given::Handle("vault:nas".into()));
    for wrong in
        [json!({"secret": "hunter2"}), json!({"secret": "vault:"}), json!([["a"]]), json!(["a,b"]), json!({}), json!([{}]), json!(1e300)]
    {
        let fault = given("x", &wrong).unwrap_err();
        assert!(!fault.said.contains("hunter2"), "{}", fault.said);
    }
}

#[test]
fn what_the_router_cannot_take_is_refused_and_the_rest_is_not() {
    let cases = [
        ("/ip/address", "address", "10.0.0.1/24", true),
        ("/ip/address", "address", "10.0.0.1", true),
        ("/ip/address", "address", "10.0.0.300/24", false),
        ("/ip/address", "address", "10.0.0.1/33", false),
        ("/ip/address", "disabled", "maybe", false),
        ("/ip/address", "disabled", "", false),
        ("/ip/address", "comment", "a\nb", false),
        ("/ip/firewall/filter", "dst-port", "22,8291,1000-2000", true),
        ("/ip/firewall/filter", "dst-port", "70000", false),
        ("/ip/firewall/filter", "dst-port", "2000-1000", false),
        ("/ip/firewall/filter", "connection-state", "!established,related", true),
        ("/ip/firewall/mangle", "connection-state", "established,foo", false),
        ("/ip/firewall/filter", "src-address", "!10.0.0.0/8", true),
        ("/ip/firewall/filter", "src-address", "10.0.0.1-10.0.0.9", true),
        ("/ip/firewall/filter", "src-address", "10.0.0", false),
        ("/ip/dhcp-server/network", "address", "10.0.0.0/24", true),
        ("/ip/dhcp-server/network", "address", "10.0.0.1/24", false),
        ("/interface/vlan", "vlan-id", "4094", true),
        ("/interface/vlan", "vlan-id", "5000", false),
        ("/interface/vlan", "vlan-id", "ten", false),
        ("/ip/route", "distance", "0", false),
        ("/ip/route", "dst-address", "0.0.0.0/0", true),
        ("/ip/dhcp-server", "lease-time", "10m", true),
        ("/ip/dhcp-server", "lease-time", "10 minutes", false),
        ("/ip/dns", "servers", "9.9.9.9,2620:fe::fe", true),
        ("/ip/dns", "servers", "not an ip", false),
        ("/ip/pool", "ranges", "10.0.0.2-10.0.0.99,10.0.1.0/24", true),
        ("/ip/pool", "ranges", "foo", false),
        ("/ip/route", "dst-address", "10.9.0.0/16", true),
        ("/ip/route", "dst-address", "nonet", false),
        ("/ip/arp", "mac-address", "aa:bb:cc:00:00:01", true),
        ("/ip/arp", "mac-address", "aa:bb:cc:00:00", false),
    ];
    for (menu, name, text, ok) in cases {
        let attr = menus::find(menu).and_then(|facts| facts.attr(name));
        assert!(attr.is_some(), "{menu} {name}");
        assert_eq!(check(menu, attr, name, text, false).is_ok(), ok, "{menu} {name}={text}");
    }
    assert!(check("/x", None, "x", &"a".repeat(MAX_BYTES + 1), false).is_err());
    assert!(check("/system/script", None, "source", ":put 1\n:put 2", true).is_ok());
    assert!(check("/system/script", None, "source", "a\u{1b}b", true).is_err());
    println!("{} values", cases.len());
}

#[test]
fn words_outside_our_list_are_asked_of_the_router() {
    let action = menus::find("/ip/firewall/filter").unwrap().attr("action");
    assert!(!is_strange_word(action, "drop"));
    assert!(is_strange_word(action, "dorp"));
    let ttl = menus::find("/ip/dns/static").unwrap().attr("ttl");
    for text in ["1d", "00:10:00", "auto", ""] {
        assert!(!is_strange_word(ttl, text), "{text}");
    }
    assert!(is_strange_word(ttl, "bad"));
}

#[test]
fn values_are_written_as_the_router_shows_them() {
    let cases = [
        ("/ip/address", "address", "10.0.0.1", "10.0.0.1/32"),
        ("/ip/arp", "mac-address", "aa-bb-cc-00-00-01", "AA:BB:CC:00:00:01"),
        ("/ip/address", "disabled", "true", "yes"),
        ("/ip/firewall/filter", "src-address", "10.0.0.1/32", "10.0.0.1"),
        ("/ipv6/firewall/filter", "src-address", "2001:db8::/32", "2001:db8::/32"),
        ("/ip/firewall/address-list", "address", "10.0.0.1/32", "10.0.0.1"),
        ("/ip/route", "dst-address", "10.0.0.1", "10.0.0.1/32"),
        ("/ip/route", "dst-address", "0.0.0.0/0", "0.0.0.0/0"),
    ];
    for (menu, name, given, shown) in cases {
        let attr = menus::find(menu).unwrap().attr(name);
        assert_eq!(settled(menu, attr, name, given.into()), shown, "{menu} {name}");
    }
}

#[test]
fn an_action_is_no_matcher() {
    let rule = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Pairs>();
    assert!(!has_matcher(&rule(&[("chain", "input"), ("action", "drop"), ("comment", "x"), ("bytes", "9"), ("log", "false")])));
    assert!(!has_matcher(&rule(&[("chain", "srcnat"), ("action", "src-nat"), ("to-addresses", "192.0.2.1")])));
    assert!(has_matcher(&rule(&[("chain", "input"), ("action", "drop"), ("in-interface", "ether1")])));
}
