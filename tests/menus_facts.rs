//! Menu facts against RouterOS's own structure, where the shared reference (`schema.json`) is at hand.

use crate::surroundings::shared;
use routeros_mcp::menus::{self, Shape};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Menus the reference does not have, with why.
const NOT_IN_SCHEMA: &[(&str, &str)] = &[
    ("/system/routerboard", "only on RouterBOARD hardware, the reference is of a virtual router"),
    ("/system/routerboard/settings", "only on RouterBOARD hardware"),
    ("/zerotier", "package for ARM only"),
    ("/zerotier/interface", "package for ARM only"),
];

/// Menus whose rows the reference cannot list: their package was not on the router it was read from.
const NOT_LISTED: &[&str] = &["/interface/wireless/registration-table", "/caps-man/registration-table", "/caps-man/remote-cap"];

/// Menus whose kind differs by hardware, with why.
const OTHER_KIND: &[(&str, &str)] = &[("/system/health", "a list on boards, one row on the virtual router of the reference")];

/// The console completes `set` here, but there is nothing to set: rows come and go with their owners.
const USED: &str = "/ip/pool/used";

/// The reference, or nothing (said aloud) where it is not at hand.
fn schema() -> Option<Map<String, Value>> {
    let text = std::fs::read_to_string(shared("routeros/schema.json")?).unwrap();
    let Value::Object(mut menus) = serde_json::from_str(&text).expect("the reference is JSON") else {
        panic!("the reference is an object")
    };
    menus.remove("_meta");
    Some(menus)
}

fn names(menu: &Value, list: &str) -> BTreeSet<String> {
    let own = match &menu[list] {
        Value::String(same) if same == "=add" => &menu["add_args"],
        other => other,
    };
    own.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn settable(menu: &Value) -> BTreeSet<String> {
    let mut all = names(menu, "add_args");
    all.extend(names(menu, "set_args"));
    all.retain(|name| !["copy-from", "place-before", "numbers"].contains(&name.as_str()));
    all
}

fn readable(menu: &Value) -> BTreeSet<String> {
    ["ro_props", "read_props", "read_arm64_only"].iter().flat_map(|list| names(menu, list)).collect()
}

#[test]
fn every_menu_and_attribute_exists_in_routeros() {
    let Some(schema) = schema() else { return };
    let (mut checked, mut skipped, mut wrong) = (0, 0, Vec::new());
    for menu in menus::all() {
        let Some(real) = schema.get(menu.path) else {
            if !NOT_IN_SCHEMA.iter().any(|(path, _)| *path == menu.path) {
                wrong.push(format!("{}: no such menu", menu.path));
            }
            skipped += menu.attrs.len();
            continue;
        };
        if NOT_LISTED.contains(&menu.path) {
            skipped += menu.attrs.len();
            continue;
        }
        let (settable, readable) = (settable(real), readable(real));
        for attr in menu.attrs {
            checked += 1;
            if !settable.contains(attr.name) && !readable.contains(attr.name) {
                wrong.push(format!("{} {}: no such attribute", menu.path, attr.name));
            } else if attr.read_only == settable.contains(attr.name) {
                wrong.push(format!("{} {}: read-only {} is wrong", menu.path, attr.name, attr.read_only));
            }
        }
        wrong.extend(
            settable
                .iter()
                .filter(|name| menu.attr(name).is_none() && !left_out(menu.path, name))
                .map(|name| format!("{} {name}: settable and not known", menu.path)),
        );
    }
    eprintln!("{} menus, {checked} attributes compared, {skipped} without a reference", menus::all().len());
    assert!(checked > 1000, "compared only {checked}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Settable attributes that are left out on purpose: Wi-Fi interworking (Hotspot 2.0) has 32 nobody asked for.
fn left_out(menu: &str, name: &str) -> bool {
    menu.starts_with("/interface/wifi") && name.starts_with("interworking.")
}

#[test]
fn shapes_are_those_of_routeros() {
    let Some(schema) = schema() else { return };
    let mut wrong = Vec::new();
    for menu in menus::all() {
        let Some(real) = schema.get(menu.path) else { continue };
        if OTHER_KIND.iter().any(|(path, _)| *path == menu.path) {
            continue;
        }
        if (real["kind"] == "singleton") != (menu.shape == Shape::Singleton) {
            wrong.push(format!("{}: {}", menu.path, real["kind"]));
        }
        let moves = real["commands"].get("move").is_some();
        if menu.shape == Shape::Ordered && !moves {
            wrong.push(format!("{}: ordered, but rows cannot be moved", menu.path));
        }
        if menu.read_only
            && menu.path != USED
            && !settable(real).is_subset(&BTreeSet::from([
                "comment".to_owned(),
                "started".to_owned(),
                "type".to_owned(),
                "disabled".to_owned(),
            ]))
        {
            wrong.push(format!("{}: read-only, but {:?} can be set", menu.path, settable(real)));
        }
        wrong.extend(
            menu.commands
                .iter()
                .filter(|command| real["commands"].get(**command).is_none())
                .map(|command| format!("{}: no command {command}", menu.path)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Menus whose order is no content although rows can be moved: nothing is decided by the first match.
#[test]
fn menus_with_movable_rows_are_ordered_unless_reviewed() {
    const NO_MATTER: &[&str] = &["/interface/bridge/port", "/interface/wireguard/peers", "/ip/dns/static"];
    let Some(schema) = schema() else { return };
    for menu in menus::all() {
        let Some(real) = schema.get(menu.path) else { continue };
        if real["commands"].get("move").is_some() && !NO_MATTER.contains(&menu.path) {
            assert_eq!(menu.shape, Shape::Ordered, "{}", menu.path);
        }
    }
}

/// Parts of names that make a person look twice.
const SUSPECT: &[&str] = &[
    "password",
    "secret",
    "key",
    "pass",
    "psk",
    "community",
    "token",
    "private",
    "script",
    "source",
    "on-",
    "cookie",
    "contents",
    "credential",
    "cak",
    "pin",
];

/// Suspect parts that are only part of an innocent word.
const INNOCENT: &[&str] = &[
    "passive",
    "passthrough",
    "bypass",
    "connection-",
    "action-",
    "station-",
    "reason",
    "session-",
    "common-",
    "version-",
    "region-",
    "extension-",
    "transaction-",
    "propagation-",
    "propogation-",
    "authentication-",
    "partition-",
    "encryption-",
    "creation-",
    "location-",
    "description-",
    "interim-",
    "function-",
    "transition-",
    "notification-",
    "destination-",
    "allocation-",
    "provisioning",
    "snooping",
    "keepalive",
    "mapping",
    "stopping",
    "pinning",
    "on-disk",
    "on-full",
    "on-boot",
    "on-unhealthy",
    "option-",
    "reassociation-",
    "latency-distribution",
    "resource",
    "spinning",
    "ping",
    "expiration-",
    "expansion-",
    "retransmission-",
    "jam-",
    "fragmentation-",
    "protection-",
    "collision-",
    "noise-",
    "detection-",
    "fan-on",
    "poison-",
    "button-",
    "icon-",
    "anon-",
    "on-time",
    "dial-on-demand",
    "rejection-",
    "iteration-",
    "hibernation-",
    "condition-",
    "duration-",
];

#[test]
fn every_suspect_name_of_routeros_has_a_decision() {
    let Some(schema) = schema() else { return };
    let (mut secret, mut shown, mut open) = (0, 0, BTreeMap::new());
    for (path, real) in &schema {
        let mut all = settable(real);
        all.extend(readable(real));
        all.extend(names(real, "write_only_or_unreadable"));
        for name in all {
            let mut rest = name.clone();
            INNOCENT.iter().for_each(|word| rest = rest.replace(word, ""));
            if !SUSPECT.iter().any(|part| rest.contains(part)) {
                continue;
            }
            if menus::is_secret(path, &name) {
                secret += 1;
            } else if menus::reviewed(path, &name).is_some() || menus::find(path).is_some_and(|menu| menu.attr(&name).is_some()) {
                shown += 1;
            } else {
                open.entry(name).or_insert_with(Vec::new).push(path.clone());
            }
        }
    }
    eprintln!("{secret} suspect attributes hidden, {shown} shown by decision, {} undecided names", open.len());
    assert!(secret > 100, "found only {secret} secrets");
    let undecided: Vec<String> =
        open.iter().filter(|(name, _)| !SHOWN.contains(&name.as_str())).map(|(name, paths)| format!("{name} in {paths:?}")).collect();
    assert!(undecided.is_empty(), "neither secret nor reviewed:\n{}", undecided.join("\n"));
}

/// Reviewed: suspect by a part of the name, and no secret in any menu.
const SHOWN: &[&str] = &[
    "beacon-interval",
    "cookie-length",
    "custom-source-mac-address",
    "ddos-cookie-threshold",
    "enc-key-size",
    "key-chain",
    "key-id",
    "key-size",
    "key-type",
    "key-usage",
    "log-script-errors",
    "non-cacheable",
    "output.remove-private-as",
    "parallel-scripts-limit",
    "private-mem-blocks",
    "script-file",
    "security.beacon-protection",
    "security.ft-r0-key-lifetime",
    "security.group-key-update",
    "source-addresses",
    "source-ip-address",
    "sources",
    "web-private-username",
];
