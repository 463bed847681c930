//! Lists: `where`, `fields`, `limit` and cursors that lose and repeat nothing while rows come and go.

use crate::site::Site;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::row::show_id;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const LEASES: &str = "/ip/dhcp-server/lease";

fn rows(structured: &Value) -> &[Value] {
    structured["rows"].as_array().unwrap()
}

fn read(menu: &str, more: Value) -> Value {
    let mut arguments = json!({"device": "wisp-tower", "menu": menu});
    arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    arguments
}

#[tokio::test]
async fn where_is_exact_or_contains_and_fields_are_all_one_gets() {
    let site = Site::of(&[Profile::WispTower], &[]).await;
    let all = site.good("menu.read", read(LEASES, json!({"limit": 1}))).await.structured;
    assert_eq!((all["total"].as_u64().unwrap() >= 5_000, rows(&all).len()), (true, 1));
    let address = rows(&all)[0]["address"].clone();
    let mac = rows(&all)[0]["mac-address"].clone();
    let count =
        async |wanted: Value| site.good("menu.read", read(LEASES, json!({"where": wanted}))).await.structured["total"].as_u64().unwrap();
    assert_eq!(count(json!({"address": address})).await, 1);
    assert_eq!(count(json!({"address": address, "mac-address": mac})).await, 1);
    assert_eq!(count(json!({"address": address, "mac-address": "00:00:00:00:00:00"})).await, 0);
    assert_eq!(count(json!({"address": "10.201"})).await, 0, "exact is not a prefix");
    assert_eq!(count(json!({"address~": "10.201.0."})).await, 250, "contains");
    assert_eq!(count(json!({"host-name~": "IPHONE"})).await, count(json!({"host-name~": "iphone"})).await);
    assert!(count(json!({"host-name~": "iphone"})).await > 100);
    let (on, off) = (count(json!({"dynamic": true})).await, count(json!({"dynamic": "no"})).await);
    assert_eq!(on + off, all["total"].as_u64().unwrap());
    assert_eq!(count(json!({"dhcp-option": "nobody has one"})).await, 0, "in no row, but known");

    let few = site.good("menu.read", read(LEASES, json!({"fields": ["mac-address", "host-name"], "limit": 500}))).await.structured;
    let seen: BTreeSet<&str> = rows(&few).iter().flat_map(|row| row.as_object().unwrap().keys().map(String::as_str)).collect();
    assert_eq!(seen, BTreeSet::from(["_key", "host-name", "mac-address"]));
    assert_eq!(rows(&few).len(), 500);
    let device = site.good("device.list", json!({"fields": ["name", "status"]})).await.structured;
    assert_eq!(device["rows"], json!([{"name": "wisp-tower", "status": "reachable"}]));
    let lower = mac.as_str().unwrap().to_lowercase().replace(':', "-");
    let leases = json!({"device": "wisp-tower", "where": {"mac_address": lower}});
    for (tool, more) in [("menu.read", read(LEASES, json!({"where": {"mac-address": lower}}))), ("dhcp.list_leases", leases)] {
        let found = site.good(tool, more).await.structured;
        assert_eq!((&found["total"], &found["rows"][0]["address"]), (&json!(1), &address), "{tool}");
    }
    let none = site.good("device.list", json!({"where": {"name": "wisp"}})).await.structured;
    assert_eq!((&none["total"], rows(&none).len()), (&json!(0), 0));
    let tagged = site.good("device.list", json!({"where": {"name~": "WISP"}})).await.structured;
    assert_eq!(tagged["total"], 1);
}

#[tokio::test]
async fn the_log_of_the_last_hour_is_of_the_routers_own_hour() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let ask = async |more: Value| {
        let mut arguments = json!({"device": "home-ap", "fields": ["time"], "limit": 500});
        arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        site.good("logs.get_recent", arguments).await.structured
    };
    let all = ask(json!({})).await;
    let hour = ask(json!({"since": "1h"})).await;
    let (total, newer) = (all["total"].as_u64().unwrap(), hour["total"].as_u64().unwrap());
    assert!(newer > 0 && newer < total, "{newer} of {total}");
    let clock = site.good("system.get_clock", json!({"device": "home-ap"})).await.structured;
    let from = format!("{} {}", clock["date"].as_str().unwrap(), clock["time"].as_str().unwrap());
    assert!(rows(&hour).iter().all(|row| row["time"].as_str().unwrap() <= from.as_str()));
    assert_eq!(ask(json!({"since": "1000d"})).await["total"], total);
    let later = json!({"device": "home-ap", "since": "0s", "limit": 1});
    assert!(site.good("logs.get_recent", later).await.structured["total"].as_u64().unwrap() < newer);
}

#[tokio::test]
async fn what_the_router_can_filter_it_filters() {
    let site = Site::of(&[Profile::WispTower], &[]).await;
    site.good("menu.read", read(LEASES, json!({"where": {"address": "10.201.3.7"}, "fields": ["address"]}))).await;
    let asked = site.sim("wisp-tower").requests().into_iter().rfind(|seen| seen.path().starts_with(LEASES)).unwrap();
    let said = format!("{} {}", asked.target, asked.body);
    assert!(said.contains("10.201.3.7"), "the condition: {said}");
    assert!(said.contains("address") && !said.contains("host-name"), "the columns: {said}");
}

#[tokio::test]
async fn pages_of_5000_leases_hold_each_once_whatever_their_size() {
    for (limit, fields) in [(500, Value::Null), (333, json!(["address", "mac-address"])), (50, json!(["address"]))] {
        let site = Site::of(&[Profile::WispTower], &[]).await;
        let (mut seen, mut cursor, mut pages) = (Vec::new(), Value::Null, 0);
        let total = loop {
            let mut more = json!({"limit": limit, "fields": fields, "cursor": cursor});
            more.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            let page = site.good("menu.read", read(LEASES, more)).await.structured;
            assert!((1..=limit).contains(&rows(&page).len()), "{} rows", rows(&page).len());
            seen.extend(rows(&page).iter().map(|row| row["_key"].as_str().unwrap().to_owned()));
            pages += 1;
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break page["total"].as_u64().unwrap();
            }
        };
        let different: BTreeSet<&String> = seen.iter().collect();
        println!("{pages} pages of at most {limit}: {} rows", seen.len());
        assert_eq!((seen.len() as u64, different.len() as u64), (total, total), "limit {limit}");
        assert!(total >= 5_000 && pages >= 5_000 / limit);
        let asked = site.sim("wisp-tower").faults().requests_to(LEASES);
        println!("{asked} requests for {pages} pages");
        assert!(asked <= pages, "one request a page at most");
    }
}

/// What happens to the table between two pages.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// New rows before everything else.
    GrowInFront,
    /// Rows of earlier pages go.
    ShrinkInFront,
    /// The rows the last page ended with go, and others come in front.
    LoseTheLast,
    /// New rows at the end.
    GrowBehind,
    /// Rows not seen yet go.
    ShrinkBehind,
}

#[tokio::test]
async fn rows_that_stay_are_seen_once_while_others_come_and_go() {
    use Change::{GrowBehind, GrowInFront, LoseTheLast, ShrinkBehind, ShrinkInFront};
    let mut changes = 0;
    for change in [GrowInFront, ShrinkInFront, LoseTheLast, GrowBehind, ShrinkBehind] {
        let site = Site::of(&[Profile::WispTower], &[]).await;
        let (mut gone, mut come) = (BTreeSet::new(), BTreeSet::new());
        let before: BTreeSet<String> = addresses(&site);
        let (mut seen, mut cursor): (BTreeMap<String, u32>, Value) = (BTreeMap::new(), Value::Null);
        loop {
            let mut more = json!({"limit": 500, "fields": ["address"], "cursor": cursor});
            more.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            let page = site.good("menu.read", read(LEASES, more)).await.structured;
            let here: Vec<String> = rows(&page).iter().map(|row| row["address"].as_str().unwrap().to_owned()).collect();
            for address in &here {
                *seen.entry(address.clone()).or_default() += 1;
            }
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
            apply(change, &site, &here, &mut gone, &mut come, changes);
            site.forget("wisp-tower");
            changes += 1;
        }
        let twice: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "{change:?}: twice: {twice:?}");
        let lost: Vec<_> = before.iter().filter(|address| !gone.contains(*address) && !seen.contains_key(*address)).collect();
        assert!(lost.is_empty(), "{change:?}: lost {} rows: {:?}", lost.len(), lost.first());
        let invented: Vec<_> = seen.keys().filter(|address| !before.contains(*address) && !come.contains(*address)).collect();
        assert!(invented.is_empty(), "{change:?}: {invented:?}");
    }
    println!("{changes} changes between pages");
    assert!(changes >= 40, "only {changes} changes");
}

fn addresses(site: &Site) -> BTreeSet<String> {
    let mut world = site.sim("wisp-tower").world();
    world.rows(LEASES).iter().map(|row| row.get("address").unwrap().to_owned()).collect()
}

fn apply(change: Change, site: &Site, page: &[String], gone: &mut BTreeSet<String>, come: &mut BTreeSet<String>, round: usize) {
    let mut world = site.sim("wisp-tower").world();
    let mut take = |from: &[String]| {
        for address in from {
            let id = world.rows(LEASES).iter().find(|row| row.get("address") == Some(address)).and_then(|row| row.id);
            assert!(world.remove(LEASES, &show_id(id.unwrap())));
            gone.insert(address.clone());
        }
    };
    match change {
        Change::ShrinkInFront => take(&page[10..17]),
        Change::LoseTheLast => take(&page[page.len() - 3..]),
        Change::ShrinkBehind => {
            let last = format!("10.201.{}.{}", 19, 250 - round % 100);
            take(&[last]);
        }
        Change::GrowInFront | Change::GrowBehind => {}
    }
    let count = match change {
        Change::GrowInFront | Change::GrowBehind => 7,
        Change::LoseTheLast => 5,
        _ => 0,
    };
    for n in 0..count {
        let address = format!("10.99.{}.{n}", round % 250);
        world.add(LEASES, &[("address", &address), ("mac-address", "02:00:00:00:00:01"), ("server", "dhcp-clients")]);
        if !matches!(change, Change::GrowBehind) {
            let rows = &mut world.table(LEASES).rows;
            let row = rows.pop().unwrap();
            rows.insert(0, row);
        }
        come.insert(address);
    }
}

#[tokio::test]
async fn the_trail_counts_the_same_on_every_page() {
    let site = Site::of(&[Profile::WispTower], &[]).await;
    for _ in 0..5 {
        site.good("device.list", json!({})).await;
    }
    let mut asked = json!({"tool": "device.list", "limit": 2});
    for left in [2, 2, 1] {
        let page = site.good("audit.get_events", asked.clone()).await.structured;
        assert_eq!((rows(&page).len(), &page["total"]), (left, &json!(5)), "{page}");
        asked["cursor"] = page["next_cursor"].clone();
    }
    assert!(asked["cursor"].is_null(), "five rows are three pages");
}

#[tokio::test]
async fn a_name_that_the_router_does_not_know_is_refused_and_no_field_named_is_all_of_them() {
    let site = Site::of(&[Profile::WispTower], &[]).await;
    for odd in [json!({"where": {"mac_addr": "x"}}), json!({"fields": ["nosuch"]}), json!({"where": {"nosuch~": "a"}})] {
        let error = site.bad("menu.read", read("/interface", odd.clone())).await;
        assert_eq!(error["kind"], "bad_input", "{odd}: {error}");
        assert!(error["message"].as_str().unwrap().contains("no attribute") && error["hint"].is_string(), "{error}");
    }
    let (all, none) = (read("/ip/address", json!({})), read("/ip/address", json!({"fields": []})));
    let (all, none) = (site.good("menu.read", all).await.structured, site.good("menu.read", none).await.structured);
    assert_eq!(all["rows"], none["rows"]);
    let devices = site.good("device.list", json!({"fields": []})).await.structured;
    assert!(devices["rows"][0]["name"].is_string(), "{devices}");
    // Not in any row, but the router has it.
    site.good("menu.read", read("/ip/address", json!({"where": {"comment": "nobody wrote this"}}))).await;
}

#[tokio::test]
async fn a_cursor_of_another_query_is_refused() {
    let mut site = Site::of(&[Profile::WispTower], &[]).await;
    site.adopt(Profile::WispTower, "other", json!({})).await;
    let first = site.good("menu.read", read(LEASES, json!({"limit": 5}))).await.structured;
    let cursor = first["next_cursor"].clone();
    let others = [
        ("menu.read", read(LEASES, json!({"cursor": cursor, "where": {"dynamic": true}}))),
        ("menu.read", read(LEASES, json!({"cursor": cursor, "device": "other"}))),
        ("menu.read", read("/ip/firewall/address-list", json!({"cursor": cursor}))),
        ("device.list", json!({"cursor": cursor})),
        ("logs.get_recent", json!({"device": "wisp-tower", "cursor": cursor})),
        ("audit.get_events", json!({"cursor": cursor})),
        ("system.get_packages", json!({"device": "wisp-tower", "cursor": cursor})),
    ];
    for (tool, arguments) in others {
        let error = site.bad(tool, arguments).await;
        assert_eq!(error["kind"], "bad_input", "{tool}: {error}");
        assert!(error["message"].as_str().unwrap().contains("cursor") && error["hint"].is_string(), "{tool}: {error}");
    }
    let next = site.good("menu.read", read(LEASES, json!({"cursor": cursor, "limit": 7}))).await.structured;
    assert_eq!(rows(&next).len(), 7, "another size is the same query");
    let whole = cursor.as_str().unwrap();
    for n in 1..whole.len() {
        let cut = &whole[..n];
        let error = site.bad("menu.read", read(LEASES, json!({"cursor": cut}))).await;
        assert_eq!(error["kind"], "bad_input", "{n}: {error}");
    }
}

#[tokio::test]
async fn logs_and_events_come_newest_first_and_page_while_new_ones_arrive() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let logs = async |more: Value| {
        let mut arguments = json!({"device": "home-ap"});
        arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        site.good("logs.get_recent", arguments).await.structured
    };
    let times = |page: &Value, key: &str| rows(page).iter().map(|row| row[key].clone()).collect::<Vec<_>>();
    let all = logs(json!({"limit": 500})).await;
    let stamps: Vec<String> = times(&all, "time").iter().map(|time| time.as_str().unwrap().to_owned()).collect();
    assert!(stamps.len() >= 100 && stamps.is_sorted_by(|a, b| a >= b), "newest first");
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    for round in 0.. {
        let mut more = json!({"limit": 20, "cursor": cursor});
        more.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let page = logs(more).await;
        seen.extend(rows(&page).iter().cloned());
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        site.sim("home-ap").world().log("system,info", &format!("a new line {round}"));
        site.sim("home-ap").world().log("system,info", "the same new line");
        // The router forgets its oldest line for each new one.
        site.sim("home-ap").world().table("/log").rows.remove(0);
        site.forget("home-ap");
    }
    assert!(seen.len() >= 100, "{}", seen.len());
    let expected = &rows(&all)[..seen.len()];
    assert!(seen == expected, "pages of a growing log are the log as it was, from the newest on");

    for limit in [1, 3, 50] {
        let (mut seqs, mut cursor) = (Vec::new(), Value::Null);
        for _ in 0..10 {
            let mut more = json!({"limit": limit, "cursor": cursor});
            more.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            // Each call is an event itself.
            let page = site.good("audit.get_events", more).await.structured;
            seqs.extend(times(&page, "seq").iter().map(|seq| seq.as_u64().unwrap()));
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert!(seqs.windows(2).all(|pair| pair[0] > pair[1]), "limit {limit}: {seqs:?}");
    }
}

#[tokio::test]
async fn logs_are_chosen_by_topic_severity_time_and_words() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let logs = async |more: Value| {
        let mut arguments = json!({"device": "home-ap", "limit": 500});
        arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        site.good("logs.get_recent", arguments).await.structured
    };
    let all = logs(json!({})).await;
    let check = |page: &Value, fits: &dyn Fn(&Value) -> bool| {
        let expected = rows(&all).iter().filter(|row| fits(row)).count();
        assert!(expected > 0 && expected < rows(&all).len(), "{expected}");
        assert!(rows(page).iter().all(fits) && rows(page).len() == expected, "{} of {expected}", rows(page).len());
    };
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    check(&logs(json!({"topics": ["dhcp"]})).await, &|row| text(row, "topics").split(',').any(|topic| topic == "dhcp"));
    check(&logs(json!({"severity": "warning"})).await, &|row| ["warning", "error", "critical"].contains(&text(row, "severity").as_str()));
    check(&logs(json!({"contains": "LOGIN failure"})).await, &|row| text(row, "message").contains("login failure"));
    let half = text(&rows(&all)[rows(&all).len() / 2], "time");
    check(&logs(json!({"since": half})).await, &|row| text(row, "time") >= half);
    check(&logs(json!({"where": {"severity": "critical"}})).await, &|row| text(row, "severity") == "critical");
}
