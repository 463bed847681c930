//! Firewall rules, lists and marks: which of them cut.

use super::*;
use crate::base::clock::Wall;

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
    let has = |list| lists::in_interface_list(&view, list, "vlan99-mgmt");
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
    let (clock, _hand) = Clock::by_hand(Wall(9 * 3_600_000));
    for (time, open) in [("8h-10h", false), ("14h-16h", true)] {
        let mut world = World::new(Profile::HomeAp.model(), Definitions::own(), clock.clone(), 1, "");
        world.add("/ip/firewall/filter", &[("chain", "input"), ("action", "drop"), ("time", time)]);
        assert_eq!(cut(&world).is_empty(), open, "{time}");
    }
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
