//! Interfaces, bridges, radios and routes: the way a packet takes to us and back.

use super::*;

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
