//! Edits that cut and their like that do not, subject by subject, then all of them.

use super::cases::{self, ALL, Case};
use super::*;
use crate::base::clock::Clock;
use crate::sim::menus::Definitions;
use crate::sim::profiles::{Entry, Profile, Version};

fn world(profile: Profile) -> World {
    World::new(profile.model(), Definitions::own(), Clock::system(), 1, "")
}

fn look(world: &World) -> Lockout {
    report(world, "mcp", None)
}

/// Services of `ALL` that do not work.
fn cut(world: &World) -> Vec<&'static str> {
    let found = look(world);
    ALL.iter().copied().filter(|s| !found.is_open(s)).collect()
}

fn case(profile: Profile, name: &str) -> Case {
    let mut all = cases::cutting(profile).into_iter().chain(cases::harmless(profile));
    all.find(|c| c.name == name).unwrap_or_else(|| panic!("{} has no case {name:?}", profile.name()))
}

fn after(profile: Profile, name: &str) -> World {
    let mut world = world(profile);
    case(profile, name).apply(&mut world).unwrap();
    world
}

/// The first of each pair cuts what it says, the second cuts nothing.
fn differ(profile: Profile, pairs: &[(&str, &str)]) {
    for (cuts, spares) in pairs {
        let (bad, good) = (after(profile, cuts), after(profile, spares));
        assert_eq!(cut(&bad), case(profile, cuts).cuts, "{cuts}: {:?}", look(&bad).reasons());
        assert!(cut(&good).is_empty(), "{spares}: {:?}", look(&good).reasons());
    }
}

fn verdict(world: &World, service: &str) -> Verdict {
    look(world).of(service).unwrap().verdict
}

#[test]
fn every_router_is_open_as_it_comes() {
    for profile in Profile::ALL {
        for version in Version::ALL {
            let world = World::new(profile.model_as(version), Definitions::own(), Clock::system(), 1, "");
            for user in ["mcp", "admin", "monitor"] {
                let found = report(&world, user, None);
                let open = if user == "monitor" { vec!["www-ssl", "www"] } else { ALL.to_vec() };
                assert_eq!(found.open(), open, "{} {version:?} {user}: {:?}", profile.name(), found.reasons());
                assert!(found.services.iter().all(|s| s.keeps), "{} keeps what is open", profile.name());
            }
        }
    }
}

#[test]
fn cutting_edits_cut_what_they_say() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for profile in Profile::ALL {
        for case in cases::cutting(profile) {
            seen += 1;
            let mut world = world(profile);
            match case.apply(&mut world) {
                Ok(()) if cut(&world) == case.cuts && !case.cuts.is_empty() => {}
                Ok(()) => wrong.push(format!("{} {}: {:?} not {:?}", profile.name(), case.name, look(&world).reasons(), case.cuts)),
                Err(refused) => wrong.push(format!("{} {refused}", profile.name())),
            }
        }
    }
    println!("{seen} edits that cut");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen >= 190, "only {seen} edits that cut");
}

#[test]
fn harmless_edits_cut_nothing() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for profile in Profile::ALL {
        for case in cases::harmless(profile) {
            seen += 1;
            let mut world = world(profile);
            match case.apply(&mut world) {
                Ok(()) if cut(&world).is_empty() && case.cuts.is_empty() => {}
                Ok(()) => wrong.push(format!("{} {}: {:?}", profile.name(), case.name, look(&world).reasons())),
                Err(refused) => wrong.push(format!("{} {refused}", profile.name())),
            }
        }
    }
    println!("{seen} harmless edits");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen >= 200, "only {seen} harmless edits");
}

#[test]
fn names_of_edits_are_unique_in_a_profile() {
    for profile in Profile::ALL {
        let all: Vec<&str> = cases::cutting(profile).iter().chain(&cases::harmless(profile)).map(|c| c.name).collect();
        let unique: std::collections::BTreeSet<&&str> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "{}", profile.name());
    }
}

#[test]
fn a_rule_drops_only_the_addresses_it_names() {
    differ(
        Profile::HomeAp,
        &[
            ("drop our address", "drop another address"),
            ("drop our network", "drop another network"),
            ("drop a range with us", "drop a range without us"),
            ("drop all but another", "drop all but our network"),
            ("drop our hardware address", "drop another hardware address"),
            ("drop what goes to local addresses", "drop what goes to the uplink address"),
        ],
    );
}

#[test]
fn a_rule_drops_only_the_address_lists_it_names() {
    differ(
        Profile::HomeAp,
        &[("drop our list", "drop another list"), ("drop whoever is not on a list", "drop whoever is not on our list")],
    );
    differ(
        Profile::Office,
        &[
            ("take our network off the list", "take the sites off the list"),
            ("block us", "block another"),
            ("let another list in", "comment our rule"),
        ],
    );
    differ(Profile::WispTower, &[("block our network", "block customers")]);
}

#[test]
fn a_rule_drops_only_the_interfaces_it_names() {
    differ(
        Profile::HomeAp,
        &[
            ("drop our interface", "drop another interface"),
            ("drop all interfaces but the uplink", "drop all interfaces but ours"),
            ("drop our interface list", "drop another interface list"),
            ("drop every interface by list", "drop no interface by list"),
            ("take our bridge out of the list", "take the uplink out of its list"),
        ],
    );
}

#[test]
fn interface_lists_include_and_exclude_others() {
    let mut world = world(Profile::Office);
    world.add("/interface/list", &[("name", "both"), ("include", "WAN,MGMT")]);
    world.add("/interface/list", &[("name", "some"), ("include", "WAN,MGMT"), ("exclude", "MGMT")]);
    let view = View::new(&world);
    let has = |list| lists::in_interface_list(&view, list, "vlan99-mgmt", 4);
    assert_eq!((has("both"), has("some"), has("gone")), (Some(true), Some(false), None));
}

#[test]
fn a_rule_drops_only_the_ports_it_names() {
    differ(
        Profile::HomeAp,
        &[
            ("drop the port of www-ssl", "drop another port"),
            ("drop a list of ports", "drop another list of ports"),
            ("reject the port of ssh", "reject another port"),
            ("drop first packets by their flags", "drop odd flags"),
        ],
    );
}

#[test]
fn order_decides() {
    differ(
        Profile::Office,
        &[
            ("move the last rule before ours", "move our rule first"),
            ("drop a port before our rule", "drop a port behind our rule"),
            ("jump to a chain that drops", "jump to a chain that returns"),
        ],
    );
    differ(Profile::WispTower, &[("drop our vlan", "put our vlan into a list behind our rule")]);
}

#[test]
fn a_rule_about_something_that_is_gone_is_not_in_force() {
    let mut world = world(Profile::Chr);
    let id = world.table("/ip/firewall/filter").rows[1].id.unwrap();
    assert!(cut(&world).is_empty());
    world.set("/ip/firewall/filter", &crate::sim::row::show_id(id), "in-interface", "*F");
    assert_eq!(cut(&world), ALL);
}

#[test]
fn a_rule_with_hours_counts_only_in_them() {
    let clock = Clock::system();
    let now = clock.wall().0.rem_euclid(86_400_000) / 3_600_000;
    let mut rules = Vec::new();
    for hour in [now, (now + 6) % 24] {
        let mut world = World::new(Profile::HomeAp.model(), Definitions::own(), clock.clone(), 1, "");
        let time = format!("{hour}h-{}h", (hour + 2) % 24);
        world.add("/ip/firewall/filter", &[("chain", "input"), ("action", "drop"), ("time", &time)]);
        rules.push(cut(&world).is_empty());
    }
    assert_eq!(rules, [false, true]);
}

#[test]
fn who_is_put_on_a_list_is_dropped_by_it_next_time() {
    let mut world = world(Profile::HomeAp);
    world.table("/ip/firewall/filter").rows.clear();
    world.add("/ip/firewall/filter", &[("chain", "input"), ("action", "drop"), ("src-address-list", "seen")]);
    assert!(cut(&world).is_empty());
    let add = ("action", "add-src-to-address-list");
    world.add("/ip/firewall/filter", &[("chain", "input"), add, ("address-list", "seen"), ("protocol", "tcp")]);
    assert_eq!(cut(&world), ALL);
}

#[test]
fn raw_and_nat_take_packets_before_the_filter_sees_them() {
    differ(
        Profile::HomeAp,
        &[
            ("drop our network in raw", "drop another network in raw"),
            ("drop all tcp in raw", "drop udp in raw"),
            ("send the port of ssh elsewhere", "send a port of the uplink elsewhere"),
            ("redirect the port of www-ssl", "redirect the port of dns"),
        ],
    );
}

#[test]
fn answers_are_filtered_too() {
    differ(
        Profile::HomeAp,
        &[
            ("drop answers to us", "drop answers to another"),
            ("drop what leaves by our interface", "drop what leaves by the uplink"),
            ("drop answers from the management address", "drop answers from another address"),
        ],
    );
}

#[test]
fn marks_send_answers_another_way() {
    let mut world = world(Profile::HomeAp);
    world.add("/routing/table", &[("name", "uplink"), ("fib", "")]);
    let mark = [("chain", "output"), ("action", "mark-routing"), ("new-routing-mark", "uplink"), ("dst-address", "192.168.88.0/24")];
    world.add("/ip/firewall/mangle", &mark);
    assert!(cut(&world).is_empty(), "a table without a route leaves it to main");
    world.add("/ip/route", &[("dst-address", "0.0.0.0/0"), ("gateway", "198.51.100.1"), ("routing-table", "uplink")]);
    assert_eq!(cut(&world), ALL);
}

#[test]
fn a_connection_mark_decides_where_the_answer_goes() {
    let mut world = world(Profile::HomeAp);
    let mark = ("action", "mark-connection");
    world.add("/ip/firewall/mangle", &[("chain", "prerouting"), mark, ("new-connection-mark", "lan"), ("in-interface", "bridge")]);
    world.add("/ip/firewall/filter", &[("chain", "output"), ("action", "drop"), ("connection-mark", "wan")]);
    assert!(cut(&world).is_empty());
    world.add("/ip/firewall/filter", &[("chain", "output"), ("action", "drop"), ("connection-mark", "lan")]);
    assert_eq!(cut(&world), ALL);
}

#[test]
fn a_service_takes_only_whom_it_is_there_for() {
    differ(
        Profile::Chr,
        &[
            ("disable www-ssl", "disable winbox"),
            ("move ssh to another port", "move winbox to another port"),
            ("keep ssh for others", "keep ftp for others"),
            ("offer www-ssl to others", "offer www-ssl to us"),
            ("take the certificate of www-ssl", "take the certificate of api-ssl"),
            ("switch rest over tls off", "switch webfig off"),
        ],
    );
}

#[test]
fn a_user_comes_in_only_as_its_row_and_group_say() {
    differ(
        Profile::HomeAp,
        &[
            ("disable our user", "disable the user monitor"),
            ("take rest-api from our group", "take rest-api from another group"),
            ("take read from our group", "take sniff from our group"),
            ("put our user into a group without ssh", "put our user into group full"),
            ("give our user a key", "give admin a key"),
            ("rename our user", "comment our user"),
        ],
    );
}

#[test]
fn an_expired_password_stops_neither_rest_nor_exec() {
    let mut world = world(Profile::HomeAp);
    world.set("/user", "mcp", "expired", "true");
    assert!(cut(&world).is_empty());
}

#[test]
fn the_address_we_know_must_stay_and_have_us_in_its_network() {
    differ(
        Profile::HomeAp,
        &[
            ("remove the management address", "remove another address"),
            ("change the management address", "add a second address"),
            ("narrow the management network", "widen the management network"),
        ],
    );
}

#[test]
fn every_interface_on_the_way_must_be_up() {
    differ(Profile::HomeAp, &[("disable our port", "disable another port"), ("disable the bridge", "disable a radio")]);
    differ(Profile::Office, &[("disable our vlan interface", "disable another vlan interface")]);
    differ(Profile::WispTower, &[("disable our port", "disable the fibre"), ("remove our vlan interface", "add a vlan")]);
}

#[test]
fn a_port_leaves_the_bridge_only_for_those_on_it() {
    differ(
        Profile::HomeAp,
        &[
            ("take our port out of the bridge", "take another port out of the bridge"),
            ("disable our port of the bridge", "disable another port of the bridge"),
            ("drop our port in the bridge", "drop another port in the bridge"),
            ("drop ip in the bridge", "drop ipv6 in the bridge"),
        ],
    );
    differ(Profile::WispTower, &[("bridge our port", "bridge another port")]);
}

#[test]
fn vlans_of_a_filtering_bridge_must_hold_our_port_and_the_bridge() {
    differ(
        Profile::Office,
        &[
            ("put our port into another vlan", "put another port into another vlan"),
            ("take tagged frames only on our port", "take any frame on our port"),
            ("take the bridge out of our vlan", "take the bridge out of another vlan"),
            ("tag our port", "tag the trunk only where it was"),
            ("remove our vlan from the bridge", "remove another vlan from the bridge"),
            ("stop filtering vlans", "take tagged frames only on the bridge"),
        ],
    );
    differ(Profile::HomeAp, &[("filter vlans with the bridge in another", "filter vlans with all in one")]);
}

#[test]
fn a_bond_takes_the_frames_of_its_slaves() {
    let mut world = world(Profile::WispTower);
    world.add("/interface/bonding", &[("name", "bond1"), ("slaves", "ether2,ether3")]);
    assert!(cut(&world).is_empty());
    let id = world.add("/interface/bonding", &[("name", "bond2"), ("slaves", "ether1,ether4")]);
    assert_eq!(cut(&world), ALL);
    world.set("/interface/vlan", "vlan100-mgmt", "interface", "bond2");
    assert!(cut(&world).is_empty(), "the vlan moved with the frames");
    world.set("/interface/bonding", &crate::sim::row::show_id(id), "disabled", "true");
    assert_eq!(cut(&world), ALL);
}

#[test]
fn a_rename_of_our_port_changes_nothing() {
    let mut world = world(Profile::HomeAp);
    let menu = world.menu("/interface/ethernet").unwrap().clone();
    let id = world.find("/interface/ethernet", "ether2").unwrap().id.unwrap();
    crate::sim::write::set(&mut world, &menu, &[id], &vec![("name".into(), "desk".into())], "admin").unwrap();
    assert!(cut(&world).is_empty(), "{:?}", look(&world).reasons());
}

#[test]
fn who_comes_by_radio_is_cut_with_the_radio() {
    let mut world = world(Profile::HomeAp);
    world.set_entry(Entry { port: "wifi1", vlan: None, mac: "02:11:22:33:44:55" });
    assert!(cut(&world).is_empty());
    world.set("/interface/wifi", "wifi2", "disabled", "true");
    assert!(cut(&world).is_empty());
    world.set("/interface/wifi", "wifi1", "disabled", "true");
    assert_eq!(cut(&world), ALL);
}

#[test]
fn answers_must_find_the_way_back() {
    differ(
        Profile::HomeAp,
        &[
            ("route us by the uplink", "route another by the uplink"),
            ("blackhole half of our network", "blackhole our network behind the connected one"),
            ("refuse to route answers", "refuse to route to others"),
            ("put the bridge into a vrf", "put another interface into a vrf"),
        ],
    );
}

#[test]
fn who_is_behind_a_gateway_needs_a_route() {
    let mut world = world(Profile::WispTower);
    world.set_seen_from("172.16.5.9".parse().unwrap());
    assert!(cut(&world).is_empty());
    world.table("/ip/route").rows.clear();
    assert_eq!(cut(&world), ALL);
    world.add("/ip/route", &[("dst-address", "172.16.0.0/12"), ("gateway", "10.200.0.2")]);
    assert!(cut(&world).is_empty());
    world.set("/interface/vlan", "vlan100-mgmt", "disabled", "true");
    assert_eq!(cut(&world), ALL);
}

#[test]
fn strict_reverse_path_wants_the_route_where_we_come_from() {
    let mut world = world(Profile::WispTower);
    world.set_seen_from("172.16.5.9".parse().unwrap());
    world.put_single("/ip/settings", "rp-filter", "loose");
    assert!(cut(&world).is_empty());
    world.put_single("/ip/settings", "rp-filter", "strict");
    assert_eq!(cut(&world), ALL);
}

#[test]
fn arp_hotspots_and_ipsec_cut_only_where_we_are() {
    differ(
        Profile::HomeAp,
        &[
            ("stop arp on the bridge", "answer arp for others too"),
            ("give our address another hardware address", "give another address a hardware address"),
            ("run a hotspot on the bridge", "prepare a hotspot"),
            ("encrypt what goes to our network", "encrypt what goes elsewhere"),
        ],
    );
}

#[test]
fn open_connections_outlive_what_only_new_ones_meet() {
    for (name, keeps) in [
        ("drop our network", true),
        ("drop new connections of our network", true),
        ("turn the last rule round", true),
        ("redirect the port of www-ssl", true),
        ("disable www-ssl", true),
        ("disable our user", true),
        ("drop our address", false),
        ("drop our network in raw", false),
        ("drop answers to us", false),
        ("disable our port", false),
        ("remove the management address", false),
        ("route us by the uplink", false),
    ] {
        let world = after(Profile::HomeAp, name);
        assert_eq!(look(&world).of("www-ssl").unwrap().keeps, keeps, "{name}");
    }
    let mut world = after(Profile::HomeAp, "drop our network");
    world.table("/ip/firewall/filter").rows.remove(0);
    assert!(!look(&world).of("ssh").unwrap().keeps, "nothing accepts what is established any more");
}

#[test]
fn the_cause_decides_what_is_seen() {
    let seen = |name, service| verdict(&after(Profile::HomeAp, name), service);
    assert_eq!(seen("drop our network", "ssh"), Verdict::Silent);
    assert_eq!(seen("tarpit tcp", "ssh"), Verdict::Silent);
    assert_eq!(seen("reject the port of ssh", "ssh"), Verdict::Refused);
    assert_eq!(seen("disable www-ssl", "www-ssl"), Verdict::Refused);
    assert_eq!(seen("move ssh to another port", "ssh"), Verdict::Refused);
    assert_eq!(seen("keep www-ssl for others", "www-ssl"), Verdict::Closed);
    assert_eq!(seen("take the certificate of www-ssl", "www-ssl"), Verdict::NoTls);
    assert_eq!(seen("keep our user for another address", "www"), Verdict::Unauthorized);
    assert_eq!(seen("take rest-api from our group", "www"), Verdict::Unauthorized);
    assert_eq!(seen("take api from our group", "www"), Verdict::NotPermitted);
    assert_eq!(seen("take read from our group", "www"), Verdict::NotPermitted);
    assert_eq!(verdict(&after(Profile::Chr, "switch rest over tls off"), "www-ssl"), Verdict::Forbidden);
}

#[test]
fn a_reason_names_the_rule() {
    let found = look(&after(Profile::HomeAp, "put another interface into the list"));
    let want = "www-ssl: dropped by /ip/firewall/filter input rule 5 (defconf: drop all not coming from LAN)";
    assert_eq!(found.reasons()[0], want);
}
