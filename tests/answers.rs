//! What tools answer, called through the spine against simulated routers: shape, lists, arguments, cost, secrets, hostile text,
//! budget, trail.

mod arguments;
mod budget;
mod health;
mod hostile;
mod injections;
mod lists;
mod menus;
mod questions;
mod secrets;
mod slips;
mod trail;

use crate::site::Site;
use routeros_mcp::base::tier::Effect;
use routeros_mcp::dispatch::Reply;
use routeros_mcp::sim::faults::{Fault, Rule};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools;
use routeros_mcp::tools::spec::{Audience, Tool};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Every tool a model can call.
fn for_models() -> impl Iterator<Item = &'static Tool> {
    tools::all().filter(|tool| tool.audience == Audience::Model)
}

/// Arguments that must work on any router: what is required, and the device wherever one can be named.
fn fitting(tool: &Tool, device: &str) -> Value {
    let input = (tool.input)();
    let mut arguments = json!({});
    if input["properties"].get("device").is_some() {
        arguments["device"] = device.into();
    }
    for name in input.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        arguments[name] = match name {
            "device" => device.into(),
            "devices" => json!([device]),
            "edits" => json!([{"menu": "/system/identity", "op": "set", "values": {"name": "fits"}}]),
            "plan_id" => "plan-0123456789ab".into(),
            "snapshot" => "latest".into(),
            "menus" => json!(["/ip/dns"]),
            "reason" => "to see that it fits".into(),
            "action" => input["properties"]["action"]["enum"][0].clone(),
            "bridge" => "bridge".into(),
            "comment" => "a comment".into(),
            "list" => "mcp-seen".into(),
            "servers" => json!(["192.0.2.53"]),
            "menu" => "/ip/address".into(),
            "name" => "ether1".into(),
            "query" => "dhcp leases of clients".into(),
            "address" if tool.name.starts_with("ip.") => "192.0.2.7/24".into(),
            "address" | "src" => "192.0.2.7".into(),
            "dst" => "198.51.100.9".into(),
            "interface" => "ether1".into(),
            "target" => device.into(),
            other => panic!("{} requires {other}: say here what fits", tool.name),
        };
    }
    arguments
}

/// Tools that succeed on any router as it is; a bandwidth test takes two that were granted it, and a plan has to be there first. What
/// changes routers is tried in `plan_tools.rs`.
fn for_any_router() -> impl Iterator<Item = &'static Tool> {
    for_models().filter(|tool| tool.effect == Effect::Reads && !["diagnose.bandwidth_test", "plan.get"].contains(&tool.name))
}

/// Whether a call of this tool asks a router something.
fn reads_router(tool: &Tool) -> bool {
    let required = (tool.input)().get("required").cloned().unwrap_or_default();
    required.as_array().is_some_and(|names| names.iter().any(|name| name == "device")) && tool.name != "device.get"
}

/// Everything that holds for any good answer.
fn well_formed(tool: &Tool, reply: &Reply) {
    let name = tool.name;
    let schema = Value::Object((tool.output)());
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let problems: Vec<String> = validator.iter_errors(&reply.structured).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(problems.is_empty(), "{name} is not what its outputSchema says: {problems:?}");
    if schema["properties"].get("rows").is_none() {
        for key in reply.structured.as_object().unwrap().keys() {
            assert!(schema["properties"].get(key).is_some(), "{name} answers {key}, which its outputSchema does not name");
        }
    }

    let result = reply.to_mcp();
    assert_eq!(result["content"].as_array().unwrap().len(), 1, "{name}: one text block");
    assert_eq!((&result["content"][0]["type"], &result["isError"]), (&json!("text"), &json!(false)), "{name}");
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(serde_json::from_str::<Value>(text).is_err(), "{name}: the text is the JSON again: {text:.200}");
    match reply.structured.get("rows").and_then(Value::as_array) {
        Some(rows) if rows.is_empty() => assert!(text.starts_with("no rows\n"), "{name}: {text:.200}"),
        Some(rows) => {
            let lines: Vec<&str> = text.split('\n').collect();
            let columns = lines[0].matches('\t').count();
            assert!(lines.len() > rows.len() + 1, "{name}: {} lines for {} rows", lines.len(), rows.len());
            assert!(lines[1..=rows.len()].iter().all(|line| line.matches('\t').count() == columns), "{name}: a row has other columns");
            assert!(lines[rows.len() + 1..].iter().all(|line| is_pair(line)), "{name}: {:?}", &lines[rows.len() + 1..]);
        }
        None => pairs_and_tables(name, text),
    }
    meta(tool, reply, text);
}

/// `key: value` lines, then a `name:` line and a table for each list of things.
fn pairs_and_tables(name: &str, text: &str) {
    let mut lines = text.split('\n').peekable();
    while lines.next_if(|line| is_pair(line)).is_some() {}
    while let Some(title) = lines.next() {
        assert!(title.ends_with(':') && !title.contains(' '), "{name}: {title:?} begins no table in {text}");
        let columns = lines.next().map_or(0, |head| head.matches('\t').count());
        let is_title = |line: &&str| line.ends_with(':') && !line.contains(['\t', ' ']);
        while let Some(row) = lines.next_if(|line| !is_title(line)) {
            assert_eq!(row.matches('\t').count(), columns, "{name}: a row has other columns: {row:?}");
        }
    }
}

/// `key: value`
fn is_pair(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(key, value)| !key.is_empty() && !key.contains(' ') && !value.is_empty())
}

fn meta(tool: &Tool, reply: &Reply, text: &str) {
    let (name, meta) = (tool.name, &reply.meta);
    let id = meta["correlation_id"].as_str().unwrap();
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    let hex = id.chars().all(|c| c == '-' || (c.is_ascii_hexdigit() && !c.is_ascii_uppercase()));
    assert!(groups == [8, 4, 4, 4, 12] && hex && &id[14..15] == "4", "{name}: {id} is no UUID");
    let told = meta["estimated_tokens"].as_u64().unwrap();
    let longer = reply.structured.to_string().len().max(text.len()) as u64;
    assert!(told.abs_diff(longer / 4) <= longer / 40 + 1, "{name}: {told} tokens for {longer} bytes");
    if reads_router(tool) {
        assert!(meta["device_id"].as_str().is_some_and(|id| id.starts_with("dev_")), "{name}: {meta:?}");
        let at = meta.get("read_at").and_then(Value::as_str).unwrap_or_else(|| panic!("{name}: no read_at in {meta:?}"));
        assert!(chrono::DateTime::parse_from_rfc3339(at).is_ok(), "{name}: {at}");
        assert!(meta["age_ms"].is_u64() && meta["cached"].is_boolean(), "{name}: {meta:?}");
    }
    for pointer in meta.get("untrusted").and_then(Value::as_array).into_iter().flatten() {
        assert!(pointer.as_str().unwrap().starts_with('/'), "{name}: {pointer} is no JSON pointer");
    }
}

#[tokio::test]
async fn every_tool_answers_on_every_router_as_its_schema_says() {
    let site = Site::of(&Profile::ALL, &[]).await;
    let (mut cases, mut called) = (0, BTreeSet::new());
    for profile in Profile::ALL {
        for tool in for_any_router() {
            let arguments = fitting(tool, profile.name());
            let reply = site.good(tool.name, arguments.clone()).await;
            well_formed(tool, &reply);
            if arguments.get("device").is_some() {
                let mut by_alias = arguments.clone();
                let id = site.device(profile.name()).id.to_string();
                let fields = by_alias.as_object_mut().unwrap();
                fields.remove("device");
                fields.insert("device_id".into(), id.clone().into());
                let again = site.good(tool.name, by_alias).await;
                well_formed(tool, &again);
                assert_eq!(again.meta["device_id"], id, "{}", tool.name);
                cases += 1;
            }
            called.insert(tool.name);
            cases += 1;
        }
    }
    println!("{cases} answers of {} tools on {} routers", called.len(), Profile::ALL.len());
    assert!(cases >= 100 && called.len() >= 15, "{cases} answers of {} tools", called.len());
}

#[tokio::test]
async fn an_overview_costs_three_requests_and_none_within_its_age() {
    for profile in Profile::ALL {
        let site = Site::of(&[profile], &[]).await;
        let sim = site.sim(profile.name());
        let before = sim.faults().requests_total();
        let first = site.good("system.get_overview", json!({"device": profile.name()})).await;
        let cost = sim.faults().requests_total() - before;
        assert!((1..=3).contains(&cost), "{}: {cost} requests", profile.name());
        assert_eq!(first.meta["cached"], false);
        let second = site.good("system.get_overview", json!({"device": profile.name()})).await;
        assert_eq!(sim.faults().requests_total() - before, cost, "{}: nothing asked again", profile.name());
        assert_eq!((&second.meta["cached"], &second.meta["read_at"]), (&json!(true), &first.meta["read_at"]));
        assert_eq!(second.structured, first.structured);
        assert_eq!(first.structured["board"], profile.model().board_name);
        assert_eq!(first.structured["identity"], profile.name());
        for key in ["uptime_seconds", "cpu_count", "memory_total_bytes", "memory_free_bytes", "disk_total_bytes", "disk_free_bytes"] {
            assert!(first.structured[key].as_u64().unwrap() > 0, "{}: {key}", profile.name());
        }
    }
}

#[tokio::test]
async fn equal_calls_at_once_cost_one() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let sim = site.sim("home-ap");
    // Slow enough that all are there before the first answer, on a busy machine too.
    sim.faults().inject(Rule::always(Fault::Latency(Duration::from_millis(500))));
    for (tool, arguments, path) in [
        ("menu.read", json!({"device": "home-ap", "menu": "/ip/route"}), "/ip/route"),
        ("system.get_clock", json!({"device": "home-ap"}), "/system/clock"),
        ("logs.get_recent", json!({"device": "home-ap", "limit": 3}), "/log"),
    ] {
        let before = sim.faults().requests_to(path);
        let replies = futures_util::future::join_all((0..25).map(|_| site.good(tool, arguments.clone()))).await;
        assert_eq!(sim.faults().requests_to(path) - before, 1, "{tool}");
        assert!(replies.iter().all(|reply| reply.structured == replies[0].structured), "{tool}");
    }
}

#[tokio::test]
async fn a_routers_own_words_in_an_error_are_marked_as_its_own() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let read = json!({"device": "home-ap", "menu": "/ip/route"});
    site.sim("home-ap").faults().inject(Rule::always(Fault::ServerError).on("/ip/route"));
    let refused = site.call("menu.read", read).await;
    assert!(refused.text.contains("the router refused: "), "{}", refused.text);
    assert_eq!(refused.meta["untrusted"], json!(["/error/message"]));
    let ours = site.call("menu.read", json!({"device": "nobody", "menu": "/ip/route"})).await;
    assert!(ours.fault.is_some() && ours.meta.get("untrusted").is_none(), "{}", ours.text);
}

#[tokio::test]
async fn a_dead_router_is_an_error_of_every_tool_that_needs_it() {
    let site = Site::of(&[Profile::HomeAp], &[("routeros.connect_timeout_seconds", "1"), ("routeros.retry_attempts", "0")]).await;
    let sim = site.sim("home-ap");
    sim.faults().set_line(routeros_mcp::sim::faults::Line::Refuse);
    sim.cut_connections();
    let mut refused = 0;
    for tool in for_any_router() {
        let reply = site.call(tool.name, fitting(tool, "home-ap")).await;
        let Some(kind) = reply.fault else { continue };
        let error = &reply.structured["error"];
        assert_eq!(kind.as_str(), "unreachable", "{}: {}", tool.name, reply.text);
        assert_eq!(error["kind"], "unreachable");
        assert_eq!(error["retryable"], true);
        assert_eq!(error["device_id"], reply.meta["device_id"]);
        assert_eq!(error["correlation_id"], reply.meta["correlation_id"]);
        assert!(error["message"].as_str().unwrap().contains("home-ap") && error["hint"].is_string(), "{}", reply.text);
        assert_eq!(reply.to_mcp()["isError"], true);
        refused += 1;
    }
    assert!(refused >= 6, "only {refused} tools noticed");
    let health = site.good("system.get_health", json!({"device": "home-ap"})).await;
    assert_eq!(health.structured["status"], "unreachable");
    assert!(site.bad("system.get_clock", json!({"device": "home-ap"})).await.get("cause").is_none(), "causes are the log's");
    let site = site.reopened(&[("debug", "true"), ("routeros.retry_attempts", "0")]).await;
    let told = site.bad("system.get_clock", json!({"device": "home-ap"})).await;
    assert!(told["cause"].as_str().is_some_and(|cause| cause.contains("connection refused")), "{told}");
    let site = site.reopened(&[("routeros.retry_attempts", "0")]).await;
    let reach = site.good("device.check_connectivity", json!({"device": "home-ap"})).await;
    assert_eq!(reach.structured["reachable"], false);
    assert!(!reach.structured["advice"].as_str().unwrap().is_empty());
}
