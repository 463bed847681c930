//! A client that stays while the server behind our front comes and goes.

use super::*;

#[tokio::test]
async fn a_new_server_hears_the_greeting_and_the_reads_but_not_the_writes() {
    let mut rig = Rig::new(Limits::default());
    greet(&mut rig, "2025-11-25").await;
    let (read, write) = (call("r", "device_list"), call("w", "system.set_identity"));
    for message in [&read, &write, &request("l", "tools/list", json!({}))] {
        rig.client.say(message.clone()).await;
        assert_eq!(&rig.server.hear().await, message, "passed on as it is");
    }
    rig.replace_server().await;
    let lost = rig.client.hear().await;
    assert_eq!(lost["id"], "w");
    assert_eq!(
        (&lost["result"]["isError"], &lost["result"]["structuredContent"]["error"]["kind"]),
        (&json!(true), &json!("unknown_outcome"))
    );
    let again = rig.server.hear().await;
    assert_eq!((&again["method"], &again["params"]), (&json!("initialize"), &hello("2025-11-25")["params"]));
    rig.server.say(result(&again["id"], json!({"protocolVersion": "2025-11-25"}))).await;
    assert_eq!(rig.server.hear().await["method"], "notifications/initialized");
    assert_eq!(rig.server.hear().await, read);
    assert_eq!(rig.server.hear().await["method"], "tools/list");
    rig.server.say(json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}})).await;
    rig.server.say(result(&json!("r"), json!({"rows": []}))).await;
    assert_eq!(rig.client.hear().await["method"], "notifications/progress", "the second greeting's answer is swallowed");
    assert_eq!(rig.client.hear().await["id"], "r");
}

#[tokio::test]
async fn a_session_without_handshake_is_carried_on_without_one() {
    let mut rig = Rig::new(Limits::default());
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let params = |name: &str| json!({"name": name, "_meta": meta});
    for (id, tool) in [(1, "set.a"), (2, "get.a")] {
        rig.client.say(request(id, "tools/call", params(tool))).await;
        rig.server.hear().await;
    }
    rig.replace_server().await;
    assert_eq!(rig.client.hear().await["result"]["resultType"], "complete");
    assert_eq!(rig.server.hear().await["id"], 2, "nothing comes before it");
}

#[tokio::test]
async fn what_comes_while_there_is_no_server_waits_for_the_next() {
    let mut rig = Rig::new(Limits::default());
    greet(&mut rig, "2025-06-18").await;
    rig.server.hang_up().await;
    rig.client.say(call(1, "set.a")).await;
    let mut next = tokio::time::timeout(PATIENCE, rig.next.recv()).await.unwrap().unwrap();
    assert_eq!(next.hear().await["method"], "initialize");
    assert_eq!(next.hear().await["method"], "notifications/initialized");
    // Sent before or after the new server came, but once.
    assert_eq!(next.hear().await["params"]["name"], "set.a");
}

#[tokio::test]
async fn without_another_server_the_client_is_told_and_the_session_ends_with_the_reason() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (client, pipe) = tokio::io::duplex(1 << 16);
    let (input, output) = tokio::io::split(pipe);
    let reopen =
        || -> BoxFuture<'static, Result<Backend, Fault>> { Box::pin(async { Err(Fault::new(Kind::Storage, "the disk is full")) }) };
    let limits = Limits { reopen: Duration::from_millis(50), ..Limits::default() };
    let run = front::run(input, output, Backend::new(ours), reopen, reads, limits, CancellationToken::new());
    let front = TaskTracker::new().spawn(run);
    let mut client = Talk::new(client);
    client.say(call(1, "get.a")).await;
    let mut server = Talk::new(theirs);
    server.hear().await;
    drop(server);
    let answer = client.hear().await;
    assert_eq!((&answer["id"], &answer["result"]["structuredContent"]["error"]["kind"]), (&json!(1), &json!("busy")));
    let fault = tokio::time::timeout(PATIENCE, front).await.unwrap().unwrap().unwrap_err();
    assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::Storage, Some("the last try said: the disk is full")));
}

#[tokio::test]
async fn a_cancelled_request_is_neither_answered_nor_repeated() {
    let mut rig = Rig::new(Limits::default());
    rig.client.say(call(1.5, "get.slow")).await;
    let wire = rig.server.hear().await["id"].clone();
    rig.client.say(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1.5}})).await;
    assert_eq!(rig.server.hear().await["params"]["requestId"], wire);
    rig.server.say(result(&wire, json!({}))).await;
    rig.replace_server().await;
    rig.client.say(request(2, "ping", json!({}))).await;
    assert_eq!(rig.server.hear().await["id"], 2);
    rig.client.hang_up().await;
    rig.server.say(result(&json!(2), json!({}))).await;
    assert_eq!(rig.client.hear().await["id"], 2, "the late answer was dropped");
}

#[tokio::test]
async fn a_batch_of_the_revision_that_has_them_is_answered_as_one() {
    let mut rig = Rig::new(Limits::default());
    greet(&mut rig, "2025-03-26").await;
    let notice = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
    rig.client.say(json!([request(1, "ping", json!({})), notice, 7, request(2, "ping", json!({}))])).await;
    for method in ["ping", "notifications/roots/list_changed", "ping"] {
        assert_eq!(rig.server.hear().await["method"], method);
    }
    for id in [2, 1] {
        rig.server.say(result(&json!(id), json!({}))).await;
    }
    let answer = rig.client.hear().await;
    let ids: Vec<&Value> = answer.as_array().unwrap().iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [&Value::Null, &json!(2), &json!(1)]);
    rig.client.say(json!([notice])).await;
    assert_eq!(rig.server.hear().await["method"], notice["method"]);
    rig.client.say(request(3, "ping", json!({}))).await;
    rig.server.hear().await;
}
