//! The control socket: who gets in, what they get, and what a bad peer cannot do to the others.

use crate::mcp_stdio::spine;
use futures_util::future::BoxFuture;
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::base::fault::{Fault, Kind};
use routeros_mcp::control::peer::{Peer, Rights};
use routeros_mcp::control::{self, ControlError, Handles, Ops, Rules, Speaker, client};
use routeros_mcp::mcp::backend::Backend;
use routeros_mcp::mcp::front::{self, Limits};
use routeros_mcp::mcp::{Settings, stdio, tools};
use serde_json::{Map, Value, json};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Nothing here takes longer; a test that hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(10);

/// One operation that answers, one that fails, one that panics.
struct Operations;

impl Ops for Operations {
    fn run(&self, op: &str, arguments: Map<String, Value>) -> Option<BoxFuture<'static, Result<Value, Fault>>> {
        match op {
            "echo" => Some(Box::pin(async move { Ok(Value::Object(arguments)) })),
            "fail" => Some(Box::pin(async { Err(Fault::new(Kind::Storage, "the disk is full").hint("make room")) })),
            "panic" => Some(Box::pin(async { panic!("an operation with a bug") })),
            _ => None,
        }
    }
}

struct Holder {
    path: PathBuf,
    handles: Handles,
    tracker: TaskTracker,
    stop: CancellationToken,
    dir: tempfile::TempDir,
}

fn rules(rights: Rights) -> Rules {
    Rules { judge: Arc::new(move |_: Peer| rights), ..Rules::default() }
}

impl Holder {
    async fn new(rules: Rules) -> Self {
        let holder = Holder::idle();
        holder.bind(rules).await.unwrap();
        holder
    }

    fn idle() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let handles = Handles {
            dispatch: spine(dir.path()),
            settings: Arc::new(Settings::default()),
            stdio_principal: Arc::new(Principal::stdio(Role::ReadOnly)),
            ops: Arc::new(Operations),
            data_dir: dir.path().into(),
        };
        let path = dir.path().join("run").join("control.sock");
        Holder { path, handles, tracker: TaskTracker::new(), stop: CancellationToken::new(), dir }
    }

    async fn bind(&self, rules: Rules) -> Result<(), ControlError> {
        control::serve(&self.path, self.handles.clone(), rules, &self.tracker, self.stop.clone()).await
    }

    async fn raw(&self) -> UnixStream {
        UnixStream::connect(&self.path).await.unwrap()
    }

    async fn end(&self) {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(PATIENCE, self.tracker.wait()).await.expect("ends in time");
    }
}

/// What the server says to `first`, until it closes.
async fn told(mut stream: UnixStream, first: &[u8]) -> Value {
    // A server that refuses early may close before it has read everything.
    let _ = stream.write_all(first).await;
    let mut answer = String::new();
    let mut stream = BufReader::new(stream);
    tokio::time::timeout(PATIENCE, stream.read_line(&mut answer)).await.expect("an answer in time").unwrap_or_default();
    serde_json::from_str(&answer).unwrap_or(Value::Null)
}

fn kind(answer: &Value) -> &str {
    answer["error"]["kind"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn the_holder_says_who_it_is_and_calls_go_through_it() {
    let holder = Holder::new(rules(Rights::Everything)).await;
    let who = client::hello(&holder.path).await.unwrap();
    assert_eq!((who.pid, who.data_dir), (std::process::id(), holder.dir.path().display().to_string()));
    for speaker in [Speaker::Operator, Speaker::Model] {
        let reply = client::call(&holder.path, "device_list", Map::new(), speaker, |_, _, _| {}).await.unwrap();
        assert_eq!((reply.fault, &reply.structured["total"]), (None, &json!(0)));
        assert_eq!(reply.meta["correlation_id"].as_str().unwrap().len(), 36);
    }
    let arguments = Map::from_iter([("device".to_owned(), json!("nowhere"))]);
    let reply = client::call(&holder.path, "device.get", arguments, Speaker::Model, |_, _, _| {}).await.unwrap();
    assert_eq!(client::fault_of(&reply).unwrap().kind, Kind::NotFound);
}

#[tokio::test]
async fn a_model_cannot_reach_operator_verbs_and_an_operator_can() {
    let holder = Holder::new(rules(Rights::Everything)).await;
    let call = |speaker| client::call(&holder.path, "device.remove", Map::new(), speaker, |_, _, _| {});
    assert!(call(Speaker::Model).await.unwrap().unknown_tool);
    let operator = call(Speaker::Operator).await.unwrap();
    assert_eq!((operator.unknown_tool, operator.fault), (false, Some(Kind::BadInput)), "found, and its arguments checked");
}

#[tokio::test]
async fn operations_answer_fail_and_panic_each_for_themselves() {
    let holder = Holder::new(rules(Rights::Everything)).await;
    let arguments = Map::from_iter([("a".to_owned(), json!(1))]);
    assert_eq!(client::op(&holder.path, "echo", arguments.clone()).await.unwrap(), json!({"a": 1}));
    for (op, kind) in [("fail", Kind::Storage), ("panic", Kind::Bug), ("none", Kind::NotFound)] {
        let fault: Fault = client::op(&holder.path, op, Map::new()).await.unwrap_err().into();
        assert_eq!(fault.kind, kind, "{op}");
    }
    assert_eq!(client::op(&holder.path, "echo", arguments).await.unwrap(), json!({"a": 1}));
}

#[tokio::test]
async fn group_members_get_mcp_streams_only_and_others_nothing() {
    let member = Holder::new(rules(Rights::Mcp)).await;
    client::mcp_stream(&member.path).await.unwrap();
    client::hello(&member.path).await.unwrap();
    let call: Fault = client::call(&member.path, "device.list", Map::new(), Speaker::Model, |_, _, _| {}).await.unwrap_err().into();
    let op: Fault = client::op(&member.path, "echo", Map::new()).await.unwrap_err().into();
    assert_eq!((call.kind, op.kind), (Kind::Denied, Kind::Denied));
    let stranger = Holder::new(rules(Rights::Nothing)).await;
    let mcp: Fault = client::mcp_stream(&stranger.path).await.unwrap_err().into();
    let hello: Fault = client::hello(&stranger.path).await.unwrap_err().into();
    assert_eq!((mcp.kind, hello.kind), (Kind::Denied, Kind::Denied));
}

#[tokio::test]
async fn an_mcp_stream_is_a_session_and_stopping_ends_it() {
    let holder = Holder::new(rules(Rights::Mcp)).await;
    let mut stream = client::mcp_stream(&holder.path).await.unwrap();
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    stream.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
    let mut line = String::new();
    tokio::time::timeout(PATIENCE, stream.read_line(&mut line)).await.unwrap().unwrap();
    assert!(line.contains("\"protocolVersion\":\"2025-11-25\""), "{line}");
    holder.end().await;
    let mut rest = Vec::new();
    assert_eq!(tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap().unwrap(), 0);
    assert!(!holder.path.exists(), "the socket goes with its holder");
}

#[tokio::test]
async fn the_socket_is_ours_and_a_left_over_one_is_replaced() {
    let holder = Holder::idle();
    std::fs::create_dir_all(holder.path.parent().unwrap()).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&holder.path).unwrap());
    assert!(client::hello(&holder.path).await.unwrap_err().is_nobody());
    holder.bind(rules(Rights::Everything)).await.unwrap();
    let meta = std::fs::metadata(&holder.path).unwrap();
    assert!(meta.file_type().is_socket());
    assert_eq!(meta.permissions().mode() & 0o777, 0o660);
    assert!(matches!(holder.bind(rules(Rights::Everything)).await, Err(ControlError::Taken { .. })));
    client::hello(&holder.path).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_never_removed() {
    let holder = Holder::idle();
    std::fs::create_dir_all(holder.path.parent().unwrap()).unwrap();
    std::fs::write(&holder.path, "precious").unwrap();
    assert!(matches!(holder.bind(rules(Rights::Everything)).await, Err(ControlError::NoSocket { .. })));
    assert_eq!(std::fs::read_to_string(&holder.path).unwrap(), "precious");
}

#[tokio::test]
async fn a_successors_socket_is_not_removed_by_the_one_before() {
    let holder = Holder::new(rules(Rights::Everything)).await;
    std::fs::remove_file(&holder.path).unwrap();
    let _successor = std::os::unix::net::UnixListener::bind(&holder.path).unwrap();
    holder.end().await;
    assert!(holder.path.exists());
}

#[tokio::test]
async fn a_path_longer_than_a_socket_address_works() {
    let mut holder = Holder::idle();
    holder.path = holder.dir.path().join("d".repeat(90)).join("e".repeat(90)).join("control.sock");
    holder.bind(rules(Rights::Everything)).await.unwrap();
    assert!(holder.path.exists());
    client::hello(&holder.path).await.unwrap();
    let parent = std::fs::metadata(holder.path.parent().unwrap()).unwrap();
    assert_eq!(parent.permissions().mode() & 0o027, 0, "nobody else looks in");
}

#[tokio::test]
async fn bad_first_lines_are_refused_by_name() {
    let holder = Holder::new(rules(Rights::Everything)).await;
    let long = vec![b' '; 2 << 20];
    for (line, expected) in [
        (b"GET / HTTP/1.1\r\n".as_slice(), "bad_input"),
        (b"{\"open\":\"mcp\",\"version\":2}\n", "conflict"),
        (b"{\"open\":\"door\",\"version\":1}\n", "bad_input"),
        (&long, "bad_input"),
    ] {
        assert_eq!(kind(&told(holder.raw().await, line).await), expected);
    }
    client::hello(&holder.path).await.unwrap();
}

#[tokio::test]
async fn a_server_of_another_version_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let server = TaskTracker::new().spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"{\"ok\":true,\"version\":9,\"server\":\"9\",\"pid\":1,\"data_dir\":\"/\"}\n").await.unwrap();
        stream
    });
    let error = client::hello(&path).await.unwrap_err();
    assert!(matches!(error, ControlError::Version { theirs: 9, .. }), "{error}");
    assert_eq!(Fault::from(error).kind, Kind::Conflict);
    drop(server.await);
}

#[tokio::test]
async fn a_silent_peer_is_closed_and_too_many_are_refused() {
    let holder = Holder::new(Rules { handshake: Duration::from_millis(200), connections: 2, ..rules(Rights::Everything) }).await;
    let silent = holder.raw().await;
    assert_eq!(kind(&told(silent, b"").await), "bad_input", "closed by the deadline");
    let (_one, _two) = (client::mcp_stream(&holder.path).await.unwrap(), client::mcp_stream(&holder.path).await.unwrap());
    let third: Fault = client::hello(&holder.path).await.unwrap_err().into();
    assert_eq!(third.kind, Kind::Busy);
}

#[tokio::test]
async fn garbage_on_one_stream_leaves_the_others_alone() {
    let holder = Holder::new(rules(Rights::Mcp)).await;
    let mut good = client::mcp_stream(&holder.path).await.unwrap();
    let mut bad = client::mcp_stream(&holder.path).await.unwrap();
    bad.write_all(&[0xff; 100_000]).await.unwrap();
    bad.write_all(b"\n{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":1}\n").await.unwrap();
    drop(bad);
    good.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n").await.unwrap();
    let mut line = String::new();
    tokio::time::timeout(PATIENCE, good.read_line(&mut line)).await.unwrap().unwrap();
    assert!(line.contains("\"result\""), "{line}");
}

/// Lines of a client that ends its input after the last one.
async fn session(backend: Backend, lines: &str) -> Vec<String> {
    let (mut client, pipe) = tokio::io::duplex(1 << 20);
    let (input, output) = tokio::io::split(pipe);
    let reopen = || -> BoxFuture<'static, Result<Backend, Fault>> { Box::pin(async { Err(Fault::new(Kind::Busy, "no other")) }) };
    client.write_all(lines.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    let run = front::run(input, output, backend, reopen, tools::only_reads, Limits::default(), CancellationToken::new());
    tokio::time::timeout(PATIENCE, run).await.expect("ends in time").unwrap();
    let mut answers = String::new();
    client.read_to_string(&mut answers).await.unwrap();
    answers.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_bridged_session_gets_the_same_bytes_as_a_direct_one() {
    let holder = Holder::new(rules(Rights::Mcp)).await;
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let lines = format!("{hello}\n{}\n", json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let Handles { dispatch, stdio_principal, settings, .. } = holder.handles.clone();
    let direct = session(stdio::local(dispatch, stdio_principal, settings, &holder.tracker, holder.stop.clone()), &lines).await;
    let bridged = session(Backend::new(client::mcp_stream(&holder.path).await.unwrap()), &lines).await;
    assert_eq!((direct.len(), direct == bridged), (2, true));
}

#[tokio::test]
async fn a_bridge_carries_its_session_over_to_the_next_holder() {
    let first = Holder::new(rules(Rights::Mcp)).await;
    let next = Holder::idle();
    let (one, two) = (first.path.clone(), next.path.clone());
    let reopen = move || -> BoxFuture<'static, Result<Backend, Fault>> {
        let two = two.clone();
        Box::pin(async move { Ok(Backend::new(client::mcp_stream(&two).await?)) })
    };
    let (client, pipe) = tokio::io::duplex(1 << 20);
    let (input, output) = tokio::io::split(pipe);
    let backend = Backend::new(client::mcp_stream(&one).await.unwrap());
    let run = front::run(input, output, backend, reopen, tools::only_reads, Limits::default(), CancellationToken::new());
    let bridge = TaskTracker::new().spawn(run);
    let mut client = BufReader::new(client);
    let ask = async |client: &mut BufReader<tokio::io::DuplexStream>, message: Value| {
        client.write_all(format!("{message}\n").as_bytes()).await.unwrap();
        let mut line = String::new();
        tokio::time::timeout(PATIENCE, client.read_line(&mut line)).await.expect("an answer in time").unwrap();
        serde_json::from_str::<Value>(&line).unwrap()
    };
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    ask(&mut client, hello).await;
    let list = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "device.list", "arguments": {}}});
    assert_eq!(ask(&mut client, list(1)).await["result"]["isError"], false);
    first.end().await;
    // The bridge tries until the next holder is there.
    next.bind(rules(Rights::Mcp)).await.unwrap();
    let answer = ask(&mut client, list(2)).await;
    assert_eq!((&answer["id"], &answer["result"]["isError"]), (&json!(2), &json!(false)));
    drop(client);
    tokio::time::timeout(PATIENCE, bridge).await.expect("ends with its client").unwrap().unwrap();
}
