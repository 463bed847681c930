//! Streams over HTTP: progress, subscriptions, questions, what is kept for a client whose line broke, and how it ends.

use crate::conformance::provider::Fixtures;
use crate::http_limits::with;
use crate::http_rig::{Events, Web, call, in_session, modern};
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::http::Limits;
use routeros_mcp::mcp::Appliance;
use routeros_mcp::sim::faults::{Fault, Rule};
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const FLAGS: [(&str, &str); 3] = [("mcp.transport", "http"), ("mcp.http_port", "0"), ("sse.update_batch_interval_seconds", "0.1")];

async fn home() -> Web {
    Web::over(Site::of(&[Profile::HomeAp], &FLAGS).await).await
}

fn slowly(web: &Web, path: &str, ms: u64) {
    web.site.sim("home-ap").faults().inject(Rule::always(Fault::Latency(Duration::from_millis(ms))).on(path));
}

fn read(menu: &str) -> Value {
    call("menu.read", json!({"device": "home-ap", "menu": menu}))
}

/// How a call ended, once it has: its row in the trail.
async fn outcome(web: &Web, tool: &str) -> Value {
    let began = Instant::now();
    loop {
        let trail = web.site.operator("audit.get_events", json!({"limit": 50})).await.structured;
        let rows = trail["rows"].as_array().unwrap();
        if let Some(row) = rows.iter().find(|row| row["tool"] == tool && row["principal"] != "local operator") {
            return row["outcome"].clone();
        }
        assert!(began.elapsed() < crate::http_rig::PATIENCE, "{tool} goes on: {trail}");
    }
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_by_comments() {
    let web = with(Limits { keep_alive: Duration::from_millis(50), ..Limits::default() }).await;
    let token = web.token(Role::ReadOnly).await;
    let session = web.session(&token).await;
    let mut legacy = Events::get(&web, &token, &in_session(&session)).await;
    let mut listening =
        Events::modern(&web, &token, "subscriptions/listen", json!({"notifications": {"resourcesListChanged": true}})).await;
    for stream in [&mut legacy, &mut listening] {
        for _ in 0..3 {
            stream.comment().await;
        }
    }
    web.close().await;
}

#[tokio::test]
async fn progress_comes_before_the_answer_in_both_eras() {
    let web = home().await;
    let token = web.token(Role::ReadOnly).await;
    let ping = json!({"name": "diagnose.ping", "arguments": {"device": "home-ap", "address": "192.0.2.7", "count": 6}});
    let session = web.session(&token).await;
    let with_token = |mut message: Value| {
        message["params"]["_meta"]["progressToken"] = "p-1".into();
        message
    };
    let old = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": ping});
    let asks =
        [(in_session(&session), with_token(old)), (crate::http_rig::headers("tools/call", &ping), with_token(modern("tools/call", ping)))];
    for (headers, message) in asks {
        let mut stream = Events::post(&web, &token, &headers, &message).await;
        let mut done = Vec::new();
        let answer = loop {
            let message = stream.message().await;
            match message["method"].as_str() {
                Some("notifications/progress") => {
                    assert_eq!(message["params"]["progressToken"], "p-1");
                    done.push(message["params"]["progress"].as_f64().unwrap());
                }
                _ => break message,
            }
        };
        assert!(done.len() >= 3 && done.windows(2).all(|pair| pair[0] < pair[1]), "{done:?}");
        assert_eq!(answer["result"]["structuredContent"]["sent"], 6, "{answer}");
        assert!(stream.ended().await, "nothing after the answer");
    }
    web.close().await;
}

#[tokio::test]
async fn a_change_is_told_on_the_stream_of_whoever_subscribed_in_both_eras() {
    let web = home().await;
    let (anna, bert) = (web.token(Role::ReadOnly).await, web.token(Role::ReadOnly).await);
    let uri = format!("device://{}/capabilities", web.site.device("home-ap").id.as_str());
    let session = web.session(&anna).await;
    let mut legacy = Events::get(&web, &anna, &in_session(&session)).await;
    let subscribe = json!({"jsonrpc": "2.0", "id": 7, "method": "resources/subscribe", "params": {"uri": uri}});
    assert_eq!(web.say(&anna, &in_session(&session), &subscribe).await.message()["result"], json!({}));
    let wanted = json!({"notifications": {"resourceSubscriptions": [uri]}});
    let mut listening = Events::modern(&web, &anna, "subscriptions/listen", wanted).await;
    assert_eq!(listening.message().await["method"], "notifications/subscriptions/acknowledged");
    let other = web.session(&bert).await;
    let mut silent = Events::get(&web, &bert, &in_session(&other)).await;
    let change = async |what: Value| assert!(web.site.operator("device.update", what).await.fault.is_none());
    change(json!({"device": "home-ap", "tags": ["floor=2"]})).await;
    for stream in [&mut legacy, &mut listening] {
        let told = stream.message().await;
        assert_eq!((&told["method"], &told["params"]["uri"]), (&json!("notifications/resources/updated"), &json!(uri)), "{told}");
    }
    change(json!({"device": "home-ap", "name": "renamed"})).await;
    assert_eq!(silent.message().await["method"], "notifications/resources/list_changed", "and nothing of what he did not ask for");
    // Stopping gives an open subscription its last answer.
    web.site.app.stop.cancel();
    let last = loop {
        let message = listening.message().await;
        if message.get("id").is_some() {
            break message;
        }
    };
    assert_eq!(last["result"]["resultType"], "complete", "{last}");
    assert!(listening.ended().await);
    while !legacy.ended().await {}
    web.close().await;
}

#[tokio::test]
async fn an_answer_outlasts_the_line_and_is_given_to_its_session_alone() {
    let web = home().await;
    let (anna, bert) = (web.token(Role::ReadOnly).await, web.token(Role::ReadOnly).await);
    let (session, second, of_bert) = (web.session(&anna).await, web.session(&anna).await, web.session(&bert).await);
    slowly(&web, "/ip/dns", 300);
    let mut broken = Events::post(&web, &anna, &in_session(&session), &read("/ip/dns")).await;
    let (id, data) = broken.event().await;
    assert!(data.is_empty() && id.ends_with("/0"), "the first event says where to go on: {id}");
    drop(broken);
    let resume = |id: &str, session: &str| format!("{}Last-Event-ID: {id}\r\n", in_session(session));
    // While the call runs, and again when it is long done: the line may break twice.
    let mut waiting = Events::get(&web, &anna, &resume(&id, &session)).await;
    let answer = waiting.message().await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    assert!(waiting.ended().await);
    assert_eq!(outcome(&web, "menu.read").await, "ok", "nobody took the call back");
    let mut again = Events::get(&web, &anna, &resume(&id, &session)).await;
    let (last, data) = again.event().await;
    assert_eq!(serde_json::from_str::<Value>(&data).unwrap(), answer);
    let mut nothing = Events::get(&web, &anna, &resume(&last, &session)).await;
    assert!(nothing.ended().await, "there is nothing after the answer");
    for (token, session, what) in [(&anna, &second, "another session of hers"), (&bert, &of_bert, "a session of his")] {
        let mut other = Events::get(&web, token, &resume(&id, session)).await;
        assert!(other.ended().await, "{what} has no such event");
    }
    for wrong in ["0/99", "0/x", "x", "/", "99999999999999999999/0", "-1/0"] {
        let mut stream = Events::get(&web, &anna, &resume(wrong, &session)).await;
        assert!(wrong == "x" || stream.ended().await, "{wrong}");
    }
    let stolen = web
        .ask("GET", "/mcp", &format!("Accept: text/event-stream\r\nAuthorization: Bearer {bert}\r\n{}", resume(&id, &session)), "")
        .await;
    assert_eq!(stolen.status, 404, "{stolen:?}");
    web.close().await;
}

#[tokio::test]
async fn a_stream_that_answers_nothing_goes_on_where_it_broke_off_and_a_new_one_is_told_nothing_old() {
    let web = home().await;
    let token = web.token(Role::ReadOnly).await;
    let session = web.session(&token).await;
    let uri = format!("device://{}/capabilities", web.site.device("home-ap").id.as_str());
    let subscribe = json!({"jsonrpc": "2.0", "id": 7, "method": "resources/subscribe", "params": {"uri": uri}});
    let mut ids = Vec::new();
    let mut subscribed = Events::post(&web, &token, &in_session(&session), &subscribe).await;
    ids.extend([subscribed.event().await.0, subscribed.event().await.0]);
    // What is told without anybody listening is old when somebody does.
    let mut floor = 0;
    let mut change = async || {
        floor += 1;
        let tags = [format!("floor={floor}")];
        assert!(web.site.operator("device.update", json!({"device": "home-ap", "tags": tags})).await.fault.is_none());
    };
    change().await;
    let mut stream = Events::get(&web, &token, &in_session(&session)).await;
    let (primed, data) = stream.event().await;
    assert!(data.is_empty(), "{data}");
    ids.push(primed);
    for _ in 0..2 {
        change().await;
        let (id, data) = stream.event().await;
        assert!(data.contains("resources/updated"), "{data}");
        ids.push(id);
    }
    let last = ids.last().unwrap().clone();
    drop(stream);
    change().await;
    let resume = |id: &str| format!("{}Last-Event-ID: {id}\r\n", in_session(&session));
    let mut back = Events::get(&web, &token, &resume(&last)).await;
    let (missed, data) = back.event().await;
    assert!(data.contains("resources/updated") && missed != last, "what came after it, and not that again");
    ids.push(missed.clone());
    drop(back);
    let mut nothing = Events::get(&web, &token, &resume(&missed)).await;
    change().await;
    let (live, _) = nothing.event().await;
    ids.push(live);
    drop(nothing);
    let mut fresh = Events::get(&web, &token, &in_session(&session)).await;
    let (primed, data) = fresh.event().await;
    assert!(data.is_empty(), "{data}");
    ids.push(primed);
    change().await;
    ids.push(fresh.event().await.0);
    let unique: std::collections::HashSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    let mut again = Events::get(&web, &token, &resume(&last)).await;
    assert!(again.event().await.0 == missed && again.event().await.1.contains("updated"), "the same again, where the line broke twice");
    web.close().await;
}

#[tokio::test]
async fn events_without_data_come_to_clients_that_know_them_alone() {
    let web = home().await;
    let token = web.token(Role::ReadOnly).await;
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let primes = version == "2025-11-25";
        let begun = web.say(&token, "", &crate::http_rig::hello(version)).await;
        let lines = begun.body.lines().filter(|line| line.starts_with("data:")).count();
        assert_eq!((begun.message()["result"]["protocolVersion"].as_str(), lines), (Some(version), 1 + usize::from(primes)), "{begun:?}");
        let session = format!("Mcp-Session-Id: {}\r\n", begun.header("mcp-session-id").unwrap());
        let said = web.say(&token, &session, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        assert_eq!(said.status, 202, "{said:?}");
        let mut stream = Events::post(&web, &token, &session, &call("device.list", json!({}))).await;
        let (id, data) = stream.event().await;
        assert_eq!((data.is_empty(), id.is_empty()), (primes, false), "{version}: {data}");
        let mut listens = Events::get(&web, &token, &session).await;
        let bus = web.site.app.dispatch.world().fleet.bus();
        bus.tell(routeros_mcp::base::events::Event::Switches);
        let (id, data) = listens.event().await;
        assert_eq!((data.is_empty(), id.is_empty()), (primes, false), "{version}: {data}");
    }
    web.close().await;
}

#[tokio::test]
async fn a_session_keeps_its_last_answers_and_no_more() {
    let web = Web::open(&[]).await;
    let token = web.token(Role::Admin).await;
    let session = web.session(&token).await;
    for n in 0..12 {
        let mut stream = Events::post(&web, &token, &in_session(&session), &call("device.list", json!({}))).await;
        assert_eq!(stream.event().await.0, format!("0/{n}"));
        stream.message().await;
    }
    let mut kept = Vec::new();
    for n in 0..12 {
        let more = format!("{}Last-Event-ID: 0/{n}\r\n", in_session(&session));
        let mut stream = Events::get(&web, &token, &more).await;
        if !stream.ended().await {
            kept.push(n);
        }
    }
    assert!(kept.len() <= 9 && kept.ends_with(&[9, 10, 11]), "{kept:?}");
    web.close().await;
}

#[tokio::test]
async fn whoever_hangs_up_or_takes_back_stops_what_runs_on_the_router() {
    let web = home().await;
    let token = web.token(Role::ReadOnly).await;
    slowly(&web, "/tool/ping", 300);
    let faults = web.site.sim("home-ap").faults();
    let ping = json!({"name": "diagnose.ping", "arguments": {"device": "home-ap", "address": "192.0.2.7", "count": 20}});
    let asked = web.modern(&token, "tools/call", ping.clone());
    tokio::select! {
        answer = asked => panic!("too early: {answer:?}"),
        () = async { while faults.requests_to("/tool/ping") < 2 { tokio::task::yield_now().await; } } => {}
    }
    outcome(&web, "diagnose.ping").await;
    assert_eq!(faults.requests_to("/tool/ping"), 2, "one piece was done, the other under way, and no more were sent");
    // In a session the line may break without a meaning: there a call is taken back by saying so.
    let session = web.session(&token).await;
    let mut stream =
        Events::post(&web, &token, &in_session(&session), &json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": ping}))
            .await;
    while faults.requests_to("/tool/ping") < 4 {
        tokio::task::yield_now().await;
    }
    let back = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9, "reason": "enough"}});
    assert_eq!(web.say(&token, &in_session(&session), &back).await.status, 202);
    assert!(stream.event().await.1.is_empty() && stream.ended().await, "a request taken back is not answered");
    let began = Instant::now();
    while faults.in_flight().now() > 0 {
        assert!(began.elapsed() < crate::http_rig::PATIENCE);
        tokio::task::yield_now().await;
    }
    assert_eq!(faults.requests_to("/tool/ping"), 4);
    web.close().await;
}

#[tokio::test]
async fn what_does_not_end_in_the_drain_time_is_told_so() {
    let flags = [&FLAGS[..], &[("shutdown.drain_seconds", "2")]].concat();
    let web = Web::over(Site::of(&[Profile::HomeAp], &flags).await).await;
    let token = web.token(Role::ReadOnly).await;
    let session = web.session(&token).await;
    web.site.sim("home-ap").faults().inject(Rule::always(Fault::Hang).on("/ip/dns"));
    let mut stream = Events::post(&web, &token, &in_session(&session), &read("/ip/dns")).await;
    let arguments = json!({"name": "menu.read", "arguments": {"device": "home-ap", "menu": "/ip/dns"}});
    let asked = web.modern(&token, "tools/call", arguments);
    let stop = async {
        while web.site.sim("home-ap").faults().requests_to("/ip/dns") == 0 {
            tokio::task::yield_now().await;
        }
        web.site.app.stop.cancel();
    };
    let (modern, ()) = tokio::join!(asked, stop);
    for answer in [stream.message().await, modern.message()] {
        let error = &answer["result"]["structuredContent"]["error"];
        assert!(error["kind"] == "conflict" && error["message"].as_str().unwrap().contains("cancelled"), "{answer}");
    }
    web.close().await;
}

/// A stand with tools that ask their client.
async fn asking() -> (Web, String) {
    let site = Site::bare(&FLAGS).await;
    let appliance = Appliance::new(site.app.dispatch.clone(), site.app.mcp());
    let listener = site.app.listen_for(Fixtures::over(appliance)).await.unwrap();
    let web = Web { site, listener };
    let token = web.token(Role::OpsRw).await;
    (web, token)
}

#[tokio::test]
async fn a_question_reaches_its_client_on_the_stream_of_the_call_and_only_its_own_session_answers() {
    let (web, token) = asking().await;
    let stranger = web.token(Role::Admin).await;
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}, "clientInfo": {"name": "t", "version": "1"}}});
    let session = web.say(&token, "", &hello).await.header("mcp-session-id").unwrap().to_owned();
    web.say(&token, &in_session(&session), &json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    let mut stream = Events::post(&web, &token, &in_session(&session), &call("test_elicitation", json!({"message": "who?"}))).await;
    let question = stream.message().await;
    assert_eq!((&question["method"], &question["params"]["message"]), (&json!("elicitation/create"), &json!("who?")), "{question}");
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"username": "anna", "email": "a@example"}}});
    assert_eq!(web.say(&stranger, &in_session(&session), &answer).await.status, 404, "somebody else's session");
    assert_eq!(web.say(&token, &in_session(&session), &answer).await.status, 202);
    let result = stream.message().await;
    assert!(result["result"]["content"][0]["text"].as_str().unwrap().contains("anna"), "{result}");
    web.close().await;
}

#[tokio::test]
async fn without_sessions_a_question_is_an_answer_and_the_call_is_made_again_with_its_own() {
    let (web, token) = asking().await;
    let name = json!({"name": "test_input_required_result_elicitation", "arguments": {}});
    let asked = web.modern(&token, "tools/call", name.clone()).await.message();
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let mut again = name;
    again["inputResponses"] = json!({"user_name": {"action": "accept", "content": {"name": "anna"}}});
    let answer = web.modern(&token, "tools/call", again).await.message();
    assert_eq!(answer["result"]["content"][0]["text"], "Hello, anna!", "{answer}");
    web.close().await;
}
