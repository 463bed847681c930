//! The whole edge in one process: client, front, rmcp and the spine.

use super::*;

/// The whole edge in one process: a client, the front, rmcp, the spine.
struct Edge {
    client: Talk,
    front: JoinHandle<Result<(), Fault>>,
    stop: CancellationToken,
    _dir: tempfile::TempDir,
}

fn edge() -> Edge {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, tracker, stop) = (spine(dir.path()), TaskTracker::new(), CancellationToken::new());
    let principal = Arc::new(Principal::stdio(Role::OpsRw));
    let ending = stop.clone();
    let open = move || stdio::local(dispatch.clone(), principal.clone(), Arc::new(Settings::default()), &tracker, ending.clone());
    let first = open();
    let reopen = move || -> BoxFuture<'static, Result<Backend, Fault>> {
        let backend = open();
        Box::pin(async move { Ok(backend) })
    };
    let (client, pipe) = tokio::io::duplex(1 << 16);
    let (input, output) = tokio::io::split(pipe);
    let run = front::run(input, output, first, reopen, routeros_mcp::mcp::tools::only_reads, Limits::default(), stop.clone());
    Edge { client: Talk::new(client), front: TaskTracker::new().spawn(run), stop, _dir: dir }
}

async fn ends(edge: Edge) {
    tokio::time::timeout(PATIENCE, edge.front).await.expect("ends in time").unwrap().unwrap();
}

#[tokio::test]
async fn all_versions_with_a_handshake_list_and_call_tools() {
    let mut lists = Vec::new();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut edge = edge();
        let answer = edge.client.ask(hello(version)).await;
        assert_eq!(answer["result"]["protocolVersion"], version);
        let resources = json!({"subscribe": true, "listChanged": true});
        let everything = json!({"completions": {}, "prompts": {}, "resources": resources, "tools": {"listChanged": true}});
        assert_eq!(answer["result"]["capabilities"], everything);
        assert_eq!(answer["result"]["serverInfo"]["name"], "routeros-mcp");
        edge.client.say(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        edge.client.say(request(1, "tools/list", json!({}))).await;
        lists.push(edge.client.line().await.unwrap());
        edge.client.say(request(1, "tools/list", json!({}))).await;
        lists.push(edge.client.line().await.unwrap());
        for name in ["device.list", "device_list"] {
            let answer = edge.client.ask(request(2, "tools/call", json!({"name": name, "arguments": {}}))).await;
            let result = &answer["result"];
            assert_eq!((&result["isError"], &result["structuredContent"]["total"]), (&json!(false), &json!(0)), "{answer}");
            assert_eq!(result["content"].as_array().unwrap().len(), 1);
            assert_eq!(result["_meta"]["correlation_id"].as_str().unwrap().len(), 36);
            assert!(result.get("resultType").is_none());
        }
        edge.client.hang_up().await;
        assert_eq!(edge.client.line().await, None);
        ends(edge).await;
    }
    assert!(lists.windows(2).all(|pair| pair[0] == pair[1]), "one list, the same bytes in every session");
    let list: Value = serde_json::from_str(&lists[0]).unwrap();
    let tools = list["result"]["tools"].as_array().unwrap();
    assert!(!tools.is_empty());
    for tool in tools {
        let hints = tool["annotations"].as_object().unwrap();
        assert!(["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"].iter().all(|hint| hints[*hint].is_boolean()));
        assert!(tool["title"].is_string() && tool["inputSchema"]["additionalProperties"] == false && tool["outputSchema"].is_object());
    }
    assert!(list["result"].get("nextCursor").is_none());
}

#[tokio::test]
async fn the_version_without_a_handshake_is_served_request_by_request() {
    let mut edge = edge();
    let meta = || {
        json!({"_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"}
        }})
    };
    let with = |key: &str, value: Value| {
        let mut params = meta();
        params[key] = value;
        params
    };
    let found = edge.client.ask(request(1, "server/discover", meta())).await;
    assert!(found["result"]["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")), "{found}");
    let list = edge.client.ask(request(2, "tools/list", meta())).await;
    assert_eq!((&list["result"]["cacheScope"], &list["result"]["resultType"]), (&json!("private"), &json!("complete")));
    assert!(list["result"]["ttlMs"].as_u64().unwrap() > 0);
    let answer = edge.client.ask(request(3, "tools/call", with("name", json!("device.list")))).await;
    assert_eq!((&answer["result"]["resultType"], &answer["result"]["isError"]), (&json!("complete"), &json!(false)), "{answer}");
    assert_eq!(answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "routeros-mcp");
    let cursor = edge.client.ask(request(4, "tools/list", with("cursor", json!("x")))).await;
    assert_eq!(cursor["error"]["code"], -32602);
    edge.client.hang_up().await;
    ends(edge).await;
}

#[tokio::test]
async fn protocol_errors_and_tool_errors_are_kept_apart() {
    let mut edge = edge();
    edge.client.ask(hello("2025-11-25")).await;
    for (params, code) in [
        (json!({"name": "no.such_tool"}), -32602),
        (json!({"name": 7}), -32602),
        (json!({"name": "device.list", "arguments": "all"}), -32602),
        (json!({"name": "device.add", "arguments": {}}), -32602),
    ] {
        let answer = edge.client.ask(request(1, "tools/call", params.clone())).await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &json!(1)), "{params}: {answer}");
    }
    let unknown = edge.client.ask(call(1, "no.such_tool")).await;
    let said = unknown["error"]["message"].as_str().unwrap();
    assert!(said.starts_with("unknown tool: no.such_tool") && said.contains("tools.search"), "{said}");
    let method = edge.client.ask(request(2, "no/such", json!({}))).await;
    assert_eq!(method["error"]["code"], -32601);
    for (arguments, kind) in [(json!({"devcie": 1}), "bad_input"), (json!({"device": "nowhere"}), "not_found")] {
        let answer = edge.client.ask(request(3, "tools/call", json!({"name": "device.get", "arguments": arguments}))).await;
        let result = &answer["result"];
        assert_eq!((&result["isError"], &result["structuredContent"]["error"]["kind"]), (&json!(true), &json!(kind)), "{answer}");
    }
    edge.stop.cancel();
    ends(edge).await;
}

#[tokio::test]
async fn messages_before_the_session_began_do_not_end_it() {
    let mut edge = edge();
    edge.client.say(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})).await;
    edge.client.say(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    edge.client.say(json!({"jsonrpc": "2.0", "id": 9, "result": {}})).await;
    assert_eq!(edge.client.ask(request(1, "ping", json!({}))).await["result"], json!({}));
    assert!(edge.client.ask(request(2, "tools/list", json!({}))).await["error"].is_object(), "not before initialize");
    let notice = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
    edge.client.say(notice).await;
    assert_eq!(edge.client.ask(hello("2025-11-25")).await["result"]["protocolVersion"], "2025-11-25");
    let again = edge.client.ask(request(5, "initialize", hello("2025-11-25")["params"].clone())).await;
    assert_eq!(again["error"]["code"], -32600, "a session begins once");
}
