use super::*;
use std::collections::BTreeSet;

#[test]
fn paths_are_unique_sorted_and_well_formed() {
    let paths: Vec<&str> = all().iter().map(|menu| menu.path).collect();
    assert!(paths.windows(2).all(|pair| pair[0] < pair[1]), "not sorted or not unique");
    for path in paths {
        assert!(path.starts_with('/') && !path.ends_with('/') && !path.contains([' ', '_']), "{path}");
        assert_eq!(find(path).map(|menu| menu.path), Some(path));
    }
    assert!(find("/ip/nothing").is_none() && find("").is_none() && find("/").is_none());
}

#[test]
fn enough_menus_have_facts() {
    assert!(all().len() >= 75, "{} menus", all().len());
}

#[test]
fn every_menu_says_what_it_is_and_what_people_call_it() {
    for menu in all() {
        assert!(!menu.about.is_empty() && menu.about.len() <= 80 && !menu.about.ends_with('.'), "{}: {}", menu.path, menu.about);
        assert!(!menu.synonyms.is_empty(), "{} has no synonyms", menu.path);
        assert!(menu.synonyms.iter().all(|synonym| *synonym == synonym.to_lowercase()), "{}", menu.path);
    }
}

#[test]
fn attributes_are_named_once_and_keys_are_attributes() {
    for menu in all() {
        let names: BTreeSet<&str> = menu.attrs.iter().map(|attr| attr.name).collect();
        assert_eq!(names.len(), menu.attrs.len(), "{} names an attribute twice", menu.path);
        for key in menu.key {
            assert!(names.contains(key), "{} has no attribute {key} for its key", menu.path);
        }
        assert!(menu.shape != Shape::Singleton || menu.key.is_empty(), "{} is one row and needs no key", menu.path);
        assert!(!menu.attrs.iter().any(|attr| attr.required && attr.read_only), "{}", menu.path);
        assert!(!menu.attrs.iter().any(|attr| attr.name.starts_with('.')), "{}", menu.path);
    }
}

#[test]
fn comments_are_untrusted_and_absent_when_empty() {
    for attr in all().iter().flat_map(|menu| menu.attrs).filter(|attr| attr.name == "comment") {
        assert!(attr.untrusted && attr.absent == Absent::Empty);
    }
}

#[test]
fn scripts_are_secrets() {
    for menu in all() {
        for attr in menu.attrs.iter().filter(|attr| attr.kind == Kind::Script) {
            assert!(attr.secret, "{} {}", menu.path, attr.name);
        }
    }
    for (menu, name) in
        [("/system/script", "source"), ("/system/scheduler", "on-event"), ("/ip/dhcp-server", "lease-script"), ("/ppp/profile", "on-up")]
    {
        assert!(is_secret(menu, name), "{menu} {name}");
    }
}

#[test]
fn no_fact_shows_what_the_name_rules_hide_unless_reviewed() {
    for menu in all() {
        for attr in menu.attrs {
            let hidden = attr.secret || !names::looks_secret_in(menu.path, attr.name);
            assert!(hidden, "{} {} looks like a secret and is shown", menu.path, attr.name);
        }
    }
}

#[test]
fn known_secrets_are_secret_and_known_open_names_are_not() {
    for (menu, name) in [
        ("/user", "password"),
        ("/ppp/secret", "password"),
        ("/interface/wireguard", "private-key"),
        ("/interface/wireguard/peers", "preshared-key"),
        ("/interface/wifi", "security.passphrase"),
        ("/interface/wifi/security", "passphrase"),
        ("/interface/wireless/security-profiles", "wpa2-pre-shared-key"),
        ("/interface/wireless/security-profiles", "static-key-0"),
        ("/snmp/community", "name"),
        ("/snmp", "trap-community"),
        ("/radius", "secret"),
        ("/routing/bgp/connection", "tcp-md5-key"),
        ("/routing/ospf/interface-template", "auth-key"),
        ("/ip/ipsec/identity", "secret"),
        ("/ip/ipsec/installed-sa", "enc-key"),
        ("/interface/lte", "pin"),
        ("/file", "contents"),
        ("/ip/cloud", "vpn-wireguard-client-config"),
        ("/container/envs", "value"),
        ("/system/script/environment", "value"),
        ("/zerotier", "identity"),
        ("/system/history", "undo"),
        // No facts: the name decides.
        ("/interface/macsec", "cak"),
        ("/user-manager/user", "otp-secret"),
        ("/tr069-client", "connection-request-password"),
        ("/iot/mqtt/subscriptions", "on-message"),
        ("/a/menu/of/tomorrow", "x.api-token"),
    ] {
        assert!(is_secret(menu, name), "{menu} {name}");
    }
    for (menu, name) in [
        ("/interface/wireguard", "public-key"),
        ("/certificate", "private-key"),
        ("/certificate", "key-size"),
        ("/user", "name"),
        ("/ip/ssh", "host-key-type"),
        ("/interface/wifi/security", "group-key-update"),
        ("/container/envs", "key"),
        ("/user/ssh-keys", "key"),
        ("/routing/igmp-proxy/mfc", "source"),
    ] {
        assert!(!is_secret(menu, name), "{menu} {name}");
    }
}

#[test]
fn what_outsiders_write_is_untrusted() {
    for (menu, name) in [
        ("/ip/dhcp-server/lease", "host-name"),
        ("/ip/neighbor", "identity"),
        ("/log", "message"),
        ("/ppp/active", "caller-id"),
        ("/interface/wifi/registration-table", "ssid"),
        ("/certificate", "common-name"),
        ("/ip/address", "comment"),
        ("/a/menu/of/tomorrow", "comment"),
        ("/a/menu/of/tomorrow", "host-name"),
    ] {
        assert!(is_untrusted(menu, name), "{menu} {name}");
    }
    assert!(!is_untrusted("/ip/address", "address"));
}

#[test]
fn what_can_lock_us_out_is_guarded() {
    for path in [
        "/ip/address",
        "/ip/service",
        "/ip/firewall/filter",
        "/interface/bridge/port",
        "/user",
        "/ip/route",
        "/interface/wireguard/peers",
        "/ip/dhcp-client",
    ] {
        assert!(find(path).unwrap().cuts_access, "{path}");
    }
    for path in ["/system/identity", "/ip/dns", "/system/note", "/queue/simple"] {
        assert!(!find(path).unwrap().cuts_access, "{path}");
    }
}

#[test]
fn order_is_content_where_the_first_match_wins() {
    for path in [
        "/ip/firewall/filter",
        "/ip/firewall/nat",
        "/ipv6/firewall/mangle",
        "/queue/simple",
        "/routing/filter/rule",
        "/interface/wifi/access-list",
    ] {
        assert_eq!(find(path).unwrap().shape, Shape::Ordered, "{path}");
    }
    for path in ["/system/identity", "/ip/dns", "/snmp", "/system/ntp/client"] {
        assert_eq!(find(path).unwrap().shape, Shape::Singleton, "{path}");
    }
}
