use super::*;

fn first(query: &str) -> &'static str {
    search(query, 5).first().map_or("nothing", |found| found.menu.path)
}

#[test]
fn finds_menus_by_the_words_people_use() {
    let wrong: Vec<String> = CASES
        .iter()
        .filter(|(query, path)| first(query) != *path)
        .map(|(query, path)| {
            let found: Vec<String> = search(query, 4).iter().map(|one| format!("{} {:.0}", one.menu.path, one.score)).collect();
            format!("{query:?}: wanted {path}, found {found:?}")
        })
        .collect();
    assert!(CASES.len() >= 40 && wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}

const CASES: &[(&str, &str)] = &[
    ("port forward", "/ip/firewall/nat"),
    ("port forwarding", "/ip/firewall/nat"),
    ("forward a port to my server", "/ip/firewall/nat"),
    ("masquerade", "/ip/firewall/nat"),
    ("dhcp leases", "/ip/dhcp-server/lease"),
    ("show me all dhcp leases", "/ip/dhcp-server/lease"),
    ("static lease", "/ip/dhcp-server/lease"),
    ("DHCP server", "/ip/dhcp-server"),
    ("dhcp option", "/ip/dhcp-server/option"),
    ("dhcp client", "/ip/dhcp-client"),
    ("wifi clients", "/interface/wifi/registration-table"),
    ("wifi", "/interface/wifi"),
    ("wifi password", "/interface/wifi/security"),
    ("hostname", "/system/identity"),
    ("router name", "/system/identity"),
    ("ntp", "/system/ntp/client"),
    ("ntp servers", "/system/ntp/client/servers"),
    ("time zone", "/system/clock"),
    ("vpn peers", "/interface/wireguard/peers"),
    ("wireguard", "/interface/wireguard"),
    ("wireguard peers", "/interface/wireguard/peers"),
    ("speed limit", "/queue/simple"),
    ("bandwidth limit", "/queue/simple"),
    ("firewall rules", "/ip/firewall/filter"),
    ("firewall", "/ip/firewall/filter"),
    ("ipv6 firewall", "/ipv6/firewall/filter"),
    ("block an ip address", "/ip/firewall/filter"),
    ("block website", "/ip/dns/static"),
    ("how do I block a website", "/ip/dns/static"),
    ("block a domain", "/ip/dns/static"),
    ("address list", "/ip/firewall/address-list"),
    ("blacklist", "/ip/firewall/address-list"),
    ("ip addresses", "/ip/address"),
    ("ipv6 addresses", "/ipv6/address"),
    ("default gateway", "/ip/route"),
    ("static routes", "/ip/route"),
    ("ipv6 routes", "/ipv6/route"),
    ("arp table", "/ip/arp"),
    ("mac address table", "/interface/bridge/host"),
    ("bridge ports", "/interface/bridge/port"),
    ("vlans", "/interface/vlan"),
    ("vlan table", "/interface/bridge/vlan"),
    ("lacp", "/interface/bonding"),
    ("dns servers", "/ip/dns"),
    ("dns records", "/ip/dns/static"),
    ("dns cache", "/ip/dns/cache"),
    ("cpu load", "/system/resource"),
    ("uptime", "/system/resource"),
    ("temperature", "/system/health"),
    ("serial number", "/system/routerboard"),
    ("upgrade routeros", "/system/package/update"),
    ("installed packages", "/system/package"),
    ("log messages", "/log"),
    ("syslog server", "/system/logging/action"),
    ("scheduled tasks", "/system/scheduler"),
    ("scripts", "/system/script"),
    ("users", "/user"),
    ("who is logged in", "/user/active"),
    ("ssh keys", "/user/ssh-keys"),
    ("neighbors", "/ip/neighbor"),
    ("lldp", "/ip/neighbor"),
    ("bgp", "/routing/bgp/connection"),
    ("bgp sessions", "/routing/bgp/session"),
    ("ospf neighbors", "/routing/ospf/neighbor"),
    ("policy routing", "/routing/rule"),
    ("pppoe users", "/ppp/secret"),
    ("pppoe client", "/interface/pppoe-client"),
    ("ipsec", "/ip/ipsec/peer"),
    ("snmp community", "/snmp/community"),
    ("radius servers", "/radius"),
    ("certificates", "/certificate"),
    ("backup files", "/file"),
    ("captive portal", "/ip/hotspot"),
    ("ping monitor", "/tool/netwatch"),
    ("capsman clients", "/caps-man/registration-table"),
    ("open connections", "/ip/firewall/connection"),
    ("winbox port", "/ip/service"),
    ("management services", "/ip/service"),
    ("ddns", "/ip/cloud"),
    ("address pool", "/ip/pool"),
    ("interface list members", "/interface/list/member"),
    ("docker containers", "/container"),
    ("lte signal", "/interface/lte"),
    ("netflow", "/ip/traffic-flow"),
    ("device mode", "/system/device-mode"),
    ("/ip/address", "/ip/address"),
    ("/interface/wifi/access-list", "/interface/wifi/access-list"),
    ("ip firewall nat", "/ip/firewall/nat"),
    ("interface bridge port", "/interface/bridge/port"),
];

#[test]
fn nonsense_finds_nothing() {
    for query in ["", "   ", "!!!", "quantum flux capacitor", "banana smoothie", "how do I", "zzzz", "кот", "the the the"] {
        assert_eq!(search(query, 5), [], "{query:?}");
    }
}

#[test]
fn a_query_for_an_attribute_names_it() {
    let found = search("persistent keepalive", 3);
    assert_eq!((found[0].menu.path, found[0].attribute.unwrap().name), ("/interface/wireguard/peers", "persistent-keepalive"));
    let found = search("vlan-filtering", 3);
    assert_eq!(found[0].menu.path, "/interface/bridge");
    let found = search("allow-remote-requests", 3);
    assert_eq!((found[0].menu.path, found[0].attribute.unwrap().name), ("/ip/dns", "allow-remote-requests"));
    assert!(!found[0].about.is_empty());
}

#[test]
fn a_novel_is_read_only_in_part() {
    let begins = "firewall rules ".repeat(MOST_WORDS / 2);
    let novel = begins.clone() + &"wireguard peers ".repeat(100_000);
    assert_eq!(search(&novel, 5), search(&begins, 5));
}

#[test]
fn noise_changes_nothing() {
    for noise in NOISE {
        assert_eq!(search(&format!("{noise} dhcp lease"), 3), search("dhcp lease", 3), "{noise}");
        assert_eq!(search(noise, 3), [], "{noise}");
    }
}

#[test]
fn the_limit_holds_and_scores_fall() {
    let found = search("firewall", 3);
    assert_eq!(found.len(), 3);
    assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
}
