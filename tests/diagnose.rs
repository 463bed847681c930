//! Diagnostics and the audit, from a call to the router and back: pieces, progress, cancelling, limits, refusals.

use crate::site::{Site, limited};
use routeros_mcp::access::Role;
use routeros_mcp::dispatch::{Call, Progress};
use routeros_mcp::sim::faults::{Fault, Rule};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::row::Row;
use routeros_mcp::tools;
use routeros_mcp::tools::spec::Audience;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

mod audit;
mod bandwidth;
mod path;

/// Remembers what it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<(f64, Option<f64>, String)>>);

impl Progress for Heard {
    fn tell(&self, done: f64, total: Option<f64>, message: &str) {
        self.0.lock().unwrap().push((done, total, message.to_owned()));
    }
}

fn call(site: &Site, tool: &str, arguments: Value) -> Call {
    Call::new(tool, arguments.as_object().cloned().unwrap(), Arc::new(site.app.stdio_principal()), Audience::Model)
}

fn slow(site: &Site, name: &str, ms: u64) {
    site.sim(name).faults().inject(Rule::always(Fault::Latency(Duration::from_millis(ms))).on("/tool/ping"));
}

/// Puts rows into a menu, before those that are there.
fn put(site: &Site, name: &str, menu: &str, rows: &[&[(&str, &str)]]) {
    let mut world = site.sim(name).world();
    let table = world.table(menu);
    for pairs in rows.iter().rev() {
        let row = pairs.iter().fold(Row::new(Some(0x7000 + table.rows.len() as u32)), |row, (name, value)| row.with(name, *value));
        table.rows.insert(0, row);
    }
}

fn set(site: &Site, name: &str, menu: &str, attribute: &str, value: &str) {
    let mut world = site.sim(name).world();
    let rows = &mut world.table(menu).rows;
    if rows.is_empty() {
        rows.push(Row::new(None));
    }
    rows[0].put(attribute, value);
}

#[tokio::test]
async fn a_ping_is_told_in_milliseconds_and_percent() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let answer = site.good("diagnose.ping", json!({"device": "home-ap", "address": "192.0.2.7", "count": 5})).await;
    let ping = &answer.structured;
    assert_eq!((&ping["outcome"], &ping["sent"], &ping["received"]), (&json!("all_replied"), &json!(5), &json!(5)));
    assert_eq!((&ping["loss_percent"], &ping["rtt_min_ms"]), (&json!(0.0), &json!(0.521)));
    assert!(ping["rtt_max_ms"].as_f64().unwrap() >= ping["rtt_avg_ms"].as_f64().unwrap());
    let seqs: Vec<u64> = ping["replies"].as_array().unwrap().iter().map(|echo| echo["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [0, 1, 2, 3, 4], "numbered through, whatever pieces it was measured in");
    assert!(answer.meta["estimated_tokens"].as_u64().unwrap() < 300, "{:?}", answer.meta);
}

#[tokio::test]
async fn what_does_not_answer_is_a_result() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let ping = site.good("diagnose.ping", json!({"device": "home-ap", "address": "203.0.113.9", "count": 2})).await.structured;
    assert_eq!((&ping["outcome"], &ping["received"], &ping["loss_percent"]), (&json!("no_reply"), &json!(0), &json!(100.0)));
    assert_eq!(ping["replies"][0]["status"], "timeout");
    let trace = site.good("diagnose.traceroute", json!({"device": "home-ap", "address": "203.0.113.9"})).await.structured;
    assert_eq!(trace["outcome"], "not_reached");
    assert!(trace["hops"][2].get("address").is_none(), "{trace}");
}

#[tokio::test]
async fn a_traceroute_folds_its_hops_and_asks_for_no_names() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let trace = site.good("diagnose.traceroute", json!({"device": "home-ap", "address": "192.0.2.99"})).await.structured;
    assert_eq!(trace["outcome"], "reached");
    let hops = trace["hops"].as_array().unwrap();
    assert_eq!((hops.len(), &hops[2]["address"], &hops[2]["hop"]), (3, &json!("192.0.2.99"), &json!(3)));
    assert_eq!((&hops[1]["last_ms"], &hops[1]["loss_percent"]), (&json!(3.5), &json!(0.0)));
    let asked = site.sim("home-ap").requests().into_iter().rfind(|seen| seen.path() == "/tool/traceroute").unwrap().body;
    assert!(asked.contains("\"use-dns\":\"no\"") && asked.contains("\"max-hops\":\"6\""), "{asked}");
}

#[tokio::test]
async fn a_torch_shows_the_fastest_flows_first() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let reply = site.good("diagnose.torch", json!({"device": "home-ap", "interface": "ether1", "seconds": 7})).await;
    let torch = &reply.structured;
    let flows = torch["flows"].as_array().unwrap();
    let speed = |flow: &Value| flow["rx_bits_per_second"].as_u64().unwrap() + flow["tx_bits_per_second"].as_u64().unwrap();
    assert!(flows.len() >= 2 && flows.is_sorted_by(|a, b| speed(a) >= speed(b)), "{torch}");
    assert_eq!((torch["flows_seen"].as_u64(), &torch["seconds"]), (Some(flows.len() as u64), &json!(7)));
    let sum: u64 = flows.iter().map(|flow| flow["rx_bits_per_second"].as_u64().unwrap()).sum();
    assert!(torch["rx_bits_per_second"].as_u64().unwrap().abs_diff(sum) <= flows.len() as u64, "{torch}");
    let https = flows.iter().find(|flow| flow["dst_port"] == "443").unwrap();
    assert!(https["protocol"] == "tcp" && https["src_address"].is_string(), "{https}");
    let pieces = site.sim("home-ap").faults().requests_to("/tool/torch");
    assert_eq!(pieces, 2, "3 s and 4 s");
}

#[tokio::test]
async fn progress_carries_partial_results_and_only_rises() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    slow(&site, "home-ap", 700);
    let heard = Arc::new(Heard::default());
    let mut ping = call(&site, "diagnose.ping", json!({"device": "home-ap", "address": "192.0.2.7", "count": 8}));
    ping.progress = Some(heard.clone());
    let reply = site.app.dispatch.call(ping).await;
    assert!(reply.fault.is_none(), "{}", reply.text);
    let heard = heard.0.lock().unwrap();
    assert!(heard.windows(2).all(|pair| pair[0].0 < pair[1].0), "{heard:?}");
    assert!(heard.iter().all(|(done, total, _)| total.is_some_and(|total| total >= *done)), "{heard:?}");
    let partial: Vec<&str> = heard.iter().map(|(_, _, said)| said.as_str()).filter(|said| said.contains("answered")).collect();
    assert_eq!(partial.len(), 4, "{partial:?}");
    assert!(partial[0].starts_with("2 of 2 answered, 0.5") && partial[3].starts_with("8 of 8"), "{partial:?}");
}

#[tokio::test]
async fn who_cancels_stops_the_next_piece_and_aborts_none() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    slow(&site, "home-ap", 300);
    let ping = call(&site, "diagnose.ping", json!({"device": "home-ap", "address": "192.0.2.7", "count": 20}));
    let cancel = ping.cancel.clone();
    let faults = site.sim("home-ap").faults();
    let asked = async {
        while faults.requests_to("/tool/ping") < 2 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (reply, ()) = futures_util::join!(site.app.dispatch.call(ping), asked);
    // One piece was done, the other was under way.
    let ping = &reply.structured;
    assert_eq!((&ping["complete"], &ping["sent"], &ping["outcome"]), (&json!(false), &json!(2), &json!("all_replied")), "{}", reply.text);
    assert!(ping["stopped"].as_str().unwrap().contains("cancelled"), "{ping}");
    // The next measurement finds its place free, and waits for the piece under way.
    let again = site.good("diagnose.ping", json!({"device": "home-ap", "address": "192.0.2.7", "count": 1})).await;
    assert_eq!(again.structured["outcome"], "all_replied");
    assert_eq!((faults.requests_to("/tool/ping"), faults.aborted()), (3, 0), "two pieces, one new ping, nothing cut off");
}

#[tokio::test]
async fn a_router_that_goes_away_leaves_what_was_seen() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    site.sim("home-ap").faults().inject(Rule::always(Fault::ServerError).on("/tool/ping").after(2));
    let ping = site.good("diagnose.ping", json!({"device": "home-ap", "address": "192.0.2.7", "count": 8})).await.structured;
    assert_eq!((&ping["sent"], &ping["received"]), (&json!(4), &json!(4)));
    assert!(!ping["stopped"].as_str().unwrap().is_empty() && ping["complete"] == false, "{ping}");
}

#[tokio::test]
async fn a_measurement_taken_back_answers_what_it_has_and_is_not_kept_for_others() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let faults = site.sim("home-ap").faults();
    faults.inject(Rule::always(Fault::Latency(Duration::from_millis(300))).on("/tool/torch"));
    let watch = |seconds: u64| {
        let arguments = json!({"device": "home-ap", "interface": "ether1", "seconds": seconds});
        Call { max_age: Duration::from_secs(60), ..call(&site, "diagnose.torch", arguments) }
    };
    let taken_back = watch(12);
    let cancel = taken_back.cancel.clone();
    let mut under_way = std::pin::pin!(site.app.dispatch.call(taken_back));
    let reply = loop {
        tokio::select! {
            reply = &mut under_way => break reply,
            () = tokio::task::yield_now() => if faults.requests_to("/tool/torch") == 2 { cancel.cancel() },
        }
    };
    assert!(reply.fault.is_none(), "{}", reply.text);
    let torch = &reply.structured;
    assert_eq!((&torch["complete"], &torch["seconds"], faults.aborted()), (&json!(false), &json!(3), 0), "{torch}");
    assert!(torch["flows"].as_array().is_some_and(|flows| !flows.is_empty()) && torch["stopped"].is_string(), "{torch}");
    faults.clear();
    let again = site.app.dispatch.call(watch(12)).await.structured;
    assert_eq!((&again["complete"], &again["seconds"]), (&json!(true), &json!(12)), "asked anew: {again}");
}

#[tokio::test]
async fn a_call_taken_back_before_anything_was_seen_is_an_error() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let ping = call(&site, "diagnose.ping", json!({"device": "home-ap", "address": "192.0.2.7"}));
    ping.cancel.cancel();
    let reply = site.app.dispatch.call(ping).await;
    assert_eq!(reply.structured["error"]["kind"], "conflict", "{}", reply.text);
}

#[tokio::test]
async fn one_router_measures_one_thing_at_a_time() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    slow(&site, "home-ap", 200);
    let ping = || site.call("diagnose.ping", json!({"device": "home-ap", "address": "192.0.2.7", "count": 2}));
    let (first, second) = futures_util::join!(ping(), ping());
    assert!(first.fault.is_none());
    let error = &second.structured["error"];
    assert_eq!((&error["kind"], &error["retryable"]), (&json!("busy"), &json!(true)));
    assert!(error["hint"].as_str().unwrap().contains(" s"), "{error}");
    assert!(ping().await.fault.is_none(), "the place is free again");
}

#[tokio::test]
async fn nothing_that_could_be_read_as_more_reaches_a_router() {
    let mut site = Site::of(&[Profile::HomeAp], &[]).await;
    let capable = json!({"capabilities": ["bandwidth_test"]});
    site.adopt(Profile::Office, "other", capable).await;
    let before: Vec<usize> = site.sims.iter().map(|(_, sim)| sim.faults().requests_total()).collect();
    let hostile = [
        "192.0.2.7;/system reboot",
        "192.0.2.7 interface=ether1",
        "[/system reboot]",
        "$(reboot)",
        "\"192.0.2.7\"",
        "-c",
        "a\\b",
        "192.0.2.7\n/user add",
        "192.0.2.7\u{202e}",
        "host.example?",
        "{a}",
        "fe80::1%ether1",
        "255.255.255.255",
        "224.0.0.1",
        "*1",
        "a=b",
    ];
    let mut cases = 0;
    for text in hostile {
        for (tool, arguments) in [
            ("diagnose.ping", json!({"device": "home-ap", "address": text})),
            ("diagnose.ping", json!({"device": "home-ap", "address": "192.0.2.7", "src_address": text})),
            ("diagnose.traceroute", json!({"device": "home-ap", "address": text})),
            ("diagnose.traceroute", json!({"device": "home-ap", "address": "192.0.2.7", "src_address": text})),
            ("diagnose.torch", json!({"device": "home-ap", "interface": "ether1", "src_address": format!("{text}/x")})),
            ("diagnose.path", json!({"device": "home-ap", "src": text, "dst": "192.0.2.7"})),
            ("diagnose.path", json!({"device": "home-ap", "src": "192.0.2.7", "dst": text})),
        ] {
            let error = site.bad(tool, arguments.clone()).await;
            assert_eq!(error["kind"], "bad_input", "{tool} {arguments}: {error}");
            cases += 1;
        }
    }
    for name in ["-x", "*1", "!ether1", "a\"b", "ether1;reboot", "$a", "[x]", "a\nb"] {
        for (tool, field) in [("diagnose.ping", "interface"), ("diagnose.ping", "vrf"), ("diagnose.torch", "interface")] {
            let mut arguments = json!({"device": "home-ap", "address": "192.0.2.7"});
            if tool == "diagnose.torch" {
                arguments = json!({"device": "home-ap"});
            }
            arguments[field] = name.into();
            let error = site.bad(tool, arguments).await;
            assert_eq!(error["kind"], "bad_input", "{tool} {field} {name}: {error}");
            cases += 1;
        }
    }
    println!("{cases} cases");
    let after: Vec<usize> = site.sims.iter().map(|(_, sim)| sim.faults().requests_total()).collect();
    assert_eq!(before, after, "no router was asked");
    for (tool, arguments) in [
        ("diagnose.ping", json!({"device": "home-ap", "address": "192.0.2.7", "interface": "ether99"})),
        ("diagnose.torch", json!({"device": "home-ap", "interface": "ether99"})),
        ("diagnose.ping", json!({"device": "home-ap", "address": "192.0.2.7", "vrf": "no-such-vrf"})),
    ] {
        let error = site.bad(tool, arguments).await;
        assert!(error["message"].as_str().unwrap().contains("has no"), "{error}");
    }
    assert_eq!(site.sim("home-ap").faults().requests_to("/tool/ping") + site.sim("home-ap").faults().requests_to("/tool/torch"), 0);
}

#[test]
fn measurements_are_bounded_and_say_what_they_do() {
    let named = tools::all().filter(|tool| tool.category() == "diagnose");
    let all: Vec<_> = named.collect();
    assert_eq!(all.len(), 5);
    for tool in all {
        assert!(tool.timeout.0 <= Duration::from_secs(180), "{}", tool.name);
        assert_eq!(tool.toolset, "diagnose");
        assert_eq!(tool.only_reads(), tool.name != "diagnose.bandwidth_test");
    }
}
