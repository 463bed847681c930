//! Edits that cut and their like that do not, subject by subject, then all of them.

use super::cases::{self, ALL, Case};
use super::*;
use crate::base::clock::Clock;
use crate::sim::menus::Definitions;
use crate::sim::profiles::{Entry, Profile, Version};

mod rules;
mod way;

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
