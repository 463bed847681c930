//! MCP over a pipe: our front alone against a server we play, and the whole edge over the real spine.

use futures_util::future::BoxFuture;
use routeros_mcp::access::{Principal, Role, Rules};
use routeros_mcp::alert::{self, Alerts};
use routeros_mcp::audit::{self, Audit};
use routeros_mcp::backup::{self, Backups};
use routeros_mcp::base::clock::Clock;
use routeros_mcp::base::events::Bus;
use routeros_mcp::base::fault::{Fault, Kind};
use routeros_mcp::base::tier::Environment;
use routeros_mcp::dispatch::Dispatch;
use routeros_mcp::fleet::{self, Fleet, Parts};
use routeros_mcp::history::series::History;
use routeros_mcp::host::outgoing::Outgoing;
use routeros_mcp::mcp::backend::Backend;
use routeros_mcp::mcp::front::{self, Limits};
use routeros_mcp::mcp::{Settings, stdio};
use routeros_mcp::plan;
use routeros_mcp::store::seal::Seal;
use routeros_mcp::store::{self, Store};
use routeros_mcp::tools::plan::Live;
use routeros_mcp::tools::world::{self, World};
use routeros_mcp::update::install::Way;
use routeros_mcp::update::manifest::Here;
use routeros_mcp::update::{self, Updates};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod servers;
mod whole;

/// Nothing here takes longer; a test that hangs fails instead.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

fn backups(dir: &Path, store: &Store, clock: &Clock) -> Backups {
    let parts = backup::Parts {
        store: store.clone(),
        seal: Arc::new(Seal::new(&[7; 32])),
        clock: clock.clone(),
        meter: Default::default(),
        audit_dir: dir.join("audit"),
        environment: "lab".into(),
        config: String::new(),
        left_out: Vec::new(),
    };
    Backups::new(parts, backup::Settings { dir: dir.join("backups"), keep: 7, recipients: Vec::new() })
}

/// The spine over an empty appliance in `dir`.
pub fn spine(dir: &Path) -> Arc<Dispatch> {
    let options = store::Options { volatile_ok: true, ..store::Options::at(dir.join("store.redb")) };
    let (store, clock) = (Store::open(options).unwrap(), Clock::system());
    let settings = fleet::Settings::new(Environment::Lab);
    let parts = Parts { store: store.clone(), seal: Seal::new(&[7; 32]), clock: clock.clone(), bus: Bus::default(), settings };
    let fleet = Fleet::open(parts).unwrap();
    let audit = Audit::open(&dir.join("audit"), clock.clone(), audit::Options::default()).unwrap();
    let (rules, vault) = (Rules::open(Environment::Lab), store::Vault::new(store.clone(), Seal::new(&[7; 32]), clock.clone()));
    let live = Live { fleet: fleet.clone(), store: store.clone(), clock: clock.clone(), rules: rules.clone(), vault };
    let plans = plan::Engine::open(plan::Parts {
        store: store.clone(),
        fleet: fleet.clone(),
        audit: audit.clone(),
        clock: clock.clone(),
        rules,
        seal: Seal::new(&[7; 32]),
        settings: plan::Settings::default(),
        tasks: TaskTracker::new(),
        stop: CancellationToken::new(),
        drafter: Arc::new(live),
        store_rolled_back: false,
    });
    Arc::new(Dispatch::new(Arc::new(World {
        fleet,
        audit,
        plans: plans.unwrap(),
        history: History::new(store.clone()),
        configs: routeros_mcp::history::config::Shelf::new(store.clone(), 30),
        access: routeros_mcp::access::Access::new(store.clone(), Seal::new(&[7; 32]), clock.clone(), Default::default()),
        vault: store::Vault::new(store.clone(), Seal::new(&[7; 32]), clock.clone()),
        backups: backups(dir, &store, &clock),
        updates: updates(dir, &store, &clock),
        alerts: alerts(&store, &clock),
        store,
        clock,
        rules: Rules::open(Environment::Lab),
        diagnostics: Default::default(),
        settings: world::Settings::default(),
    })))
}

/// Updates of nothing.
fn updates(dir: &Path, store: &Store, clock: &Clock) -> Updates {
    let here = Here { version: "0.1.0".into(), target: "none".into(), channel: "stable".into(), store_schema: store::SCHEMA };
    let settings = update::Settings {
        url: None,
        keys: Default::default(),
        here,
        way: Way::Managed { by: "a test".into(), command: "none".into() },
        dir: dir.join("update"),
        store: dir.join("store.redb"),
        key_file: dir.join("master.key"),
        config: None,
        environment: Vec::new(),
        root_answers: PATIENCE,
    };
    let (clock, outgoing) = (clock.clone(), Outgoing::new(false));
    Updates::open(update::Parts { store: store.clone(), clock, meter: Default::default(), bus: Bus::default(), outgoing, settings })
}

/// Alerts that go nowhere.
fn alerts(store: &Store, clock: &Clock) -> Alerts {
    let (seal, settings) = (Seal::new(&[7; 32]), alert::Settings::default());
    let parts = alert::Parts { store: store.clone(), seal, clock: clock.clone(), meter: Default::default(), bus: Bus::default(), settings };
    Alerts::open(parts).unwrap()
}

/// One end of a conversation in lines of JSON.
pub struct Talk {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: Option<WriteHalf<DuplexStream>>,
}

impl Talk {
    pub(crate) fn new(stream: DuplexStream) -> Self {
        let (read, write) = tokio::io::split(stream);
        Talk { lines: BufReader::new(read).lines(), write: Some(write) }
    }

    /// Sends text as it is.
    pub(crate) async fn raw(&mut self, text: impl AsRef<[u8]>) {
        let write = self.write.as_mut().expect("not closed");
        tokio::time::timeout(PATIENCE, write.write_all(text.as_ref())).await.expect("taken in time").unwrap();
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.raw(format!("{message}\n")).await;
    }

    /// The next line; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("a line in time").unwrap()
    }

    pub(crate) async fn hear(&mut self) -> Value {
        let line = self.line().await.expect("a line, not the end");
        serde_json::from_str(&line).unwrap()
    }

    pub(crate) async fn ask(&mut self, message: Value) -> Value {
        self.say(message).await;
        self.hear().await
    }

    /// Ends our side; the other may go on talking.
    pub(crate) async fn hang_up(&mut self) {
        if let Some(mut write) = self.write.take() {
            write.shutdown().await.unwrap();
        }
    }
}

/// A client, our front, and the servers we play behind it.
struct Rig {
    client: Talk,
    server: Talk,
    /// Each further server the front opened.
    next: mpsc::UnboundedReceiver<Talk>,
    stop: CancellationToken,
    front: JoinHandle<Result<(), Fault>>,
}

fn reads(tool: &str) -> bool {
    tool.contains("get") || tool.contains("list")
}

impl Rig {
    fn new(limits: Limits) -> Self {
        let (more, next) = mpsc::unbounded_channel();
        let reopen = move || -> BoxFuture<'static, Result<Backend, Fault>> {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let opened = more.send(Talk::new(theirs)).map_err(|_| Fault::new(Kind::Conflict, "no more servers"));
            Box::pin(async move { opened.map(|()| Backend::new(ours)) })
        };
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (client, pipe) = tokio::io::duplex(1 << 16);
        let stop = CancellationToken::new();
        let (input, output) = tokio::io::split(pipe);
        let run = front::run(input, output, Backend::new(ours), reopen, reads, limits, stop.clone());
        Rig { client: Talk::new(client), server: Talk::new(theirs), next, stop, front: TaskTracker::new().spawn(run) }
    }

    /// The server leaves; the front's next one takes its place.
    async fn replace_server(&mut self) {
        self.server.hang_up().await;
        self.server = tokio::time::timeout(PATIENCE, self.next.recv()).await.expect("a server in time").expect("the front runs");
    }

    async fn end(self) -> Result<(), Fault> {
        tokio::time::timeout(PATIENCE, self.front).await.expect("the front ends in time").unwrap()
    }
}

pub(crate) fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

fn call(id: impl Into<Value>, tool: &str) -> Value {
    request(id, "tools/call", json!({"name": tool, "arguments": {}}))
}

fn result(id: &Value, result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

pub(crate) fn hello(version: &str) -> Value {
    let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
    request(0, "initialize", params)
}

/// Client and server greet each other in `version`.
async fn greet(rig: &mut Rig, version: &str) {
    rig.client.say(hello(version)).await;
    let asked = rig.server.hear().await;
    rig.server.say(result(&asked["id"], json!({"protocolVersion": version}))).await;
    assert_eq!(rig.client.hear().await["id"], 0);
    rig.client.say(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    assert_eq!(rig.server.hear().await["method"], "notifications/initialized");
}

#[tokio::test]
async fn broken_lines_are_answered_and_the_session_lives_on() {
    let mut rig = Rig::new(Limits::default());
    let deep = format!("{{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"m\",\"params\":{{\"a\":{}{}}}}}", "[".repeat(500), "]".repeat(500));
    for (line, code, id) in [
        ("this is not JSON", -32700, Value::Null),
        ("[]", -32600, Value::Null),
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600, Value::Null),
        ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600, Value::Null),
        ("{\"jsonrpc\":\"1.0\",\"id\":5,\"method\":\"ping\"}", -32600, json!(5)),
        ("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"tools/call\",\"params\":[1]}", -32602, json!("x")),
        (&deep, -32600, json!(9)),
    ] {
        rig.client.raw(format!("{line}\r\n\r\n\n")).await;
        let answer = rig.client.hear().await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{line:.60}");
    }
    rig.client.say(request(1, "ping", json!({}))).await;
    assert_eq!(rig.server.hear().await["method"], "ping");
}

#[tokio::test]
async fn a_twenty_megabyte_line_is_refused_and_skipped() {
    let mut rig = Rig::new(Limits::default());
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..20 {
        rig.client.raw(&chunk).await;
    }
    rig.client.raw("\n").await;
    let answer = rig.client.hear().await;
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &Value::Null));
    assert!(answer["error"]["message"].as_str().unwrap().contains("4194304"), "{answer}");
    rig.client.say(request(1, "ping", json!({}))).await;
    assert_eq!(rig.server.hear().await["id"], 1);
}

#[tokio::test]
async fn every_id_comes_back_as_it_was_written() {
    let mut rig = Rig::new(Limits::default());
    for id in [json!(1), json!(-1), json!("1"), json!(""), json!("\u{e4}\"\\"), json!(1.5), json!(u64::MAX), json!(1e3)] {
        rig.client.say(request(id.clone(), "ping", json!({}))).await;
        let asked = rig.server.hear().await;
        assert!(asked["id"].is_string() || asked["id"].is_i64(), "rmcp repeats only these: {asked}");
        rig.server.say(result(&asked["id"], json!({}))).await;
        assert_eq!(rig.client.hear().await["id"], id);
    }
}

#[tokio::test]
async fn an_ended_stream_still_gets_its_answers() {
    let mut rig = Rig::new(Limits::default());
    rig.client.raw(call(1, "set.a").to_string()).await;
    rig.client.hang_up().await;
    let asked = rig.server.hear().await;
    assert_eq!(asked["params"]["name"], "set.a", "the last line needs no newline");
    rig.server.say(result(&asked["id"], json!({"ok": true}))).await;
    assert_eq!(rig.client.hear().await["result"]["ok"], true);
    assert_eq!(rig.client.line().await, None);
    rig.end().await.unwrap();
}

#[tokio::test]
async fn told_to_stop_an_idle_session_ends_at_once_and_a_busy_one_answers_first() {
    let idle = Rig::new(Limits::default());
    idle.stop.cancel();
    idle.end().await.unwrap();
    let mut busy = Rig::new(Limits::default());
    busy.client.say(call(1, "get.a")).await;
    let asked = busy.server.hear().await;
    busy.stop.cancel();
    busy.server.say(result(&asked["id"], json!({}))).await;
    assert_eq!(busy.client.hear().await["id"], 1);
    busy.end().await.unwrap();
}

#[tokio::test]
async fn what_is_not_answered_in_the_drain_time_is_answered_by_us() {
    let mut rig = Rig::new(Limits { drain: Duration::from_millis(50), ..Limits::default() });
    rig.client.say(call(1, "set.a")).await;
    rig.server.hear().await;
    rig.stop.cancel();
    let answer = rig.client.hear().await;
    assert_eq!(answer["result"]["structuredContent"]["error"]["kind"], "unknown_outcome");
    rig.end().await.unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_stop_us_from_reading_it() {
    let mut rig = Rig::new(Limits::default());
    // Far more answers than the pipe holds.
    for n in 0..2000 {
        rig.client.say(json!({"jsonrpc": "1.0", "id": n, "method": "x".repeat(100)})).await;
    }
    rig.client.say(request(1, "ping", json!({}))).await;
    assert_eq!(rig.server.hear().await["id"], 1);
    for n in 0..2000 {
        assert_eq!(rig.client.hear().await["id"], n);
    }
}

#[tokio::test]
async fn a_client_in_a_hurry_is_slowed_down_not_refused() {
    let mut rig = Rig::new(Limits::default());
    let many = 2000;
    let mut burst = String::new();
    for n in 0..many {
        burst += &format!("{}\n", request(n, "ping", json!({})));
    }
    let Rig { client, server, .. } = &mut rig;
    let answer = async {
        let mut first = Vec::new();
        for n in 0..many {
            // The first ones are held back, as a slow server would.
            first.push(server.hear().await["id"].clone());
            if n >= 200 {
                server.say(result(&first.remove(0), json!({}))).await;
            }
        }
        for id in first {
            server.say(result(&id, json!({}))).await;
        }
    };
    let write = client.write.as_mut().unwrap();
    let lines = &mut client.lines;
    let send = async { write.write_all(burst.as_bytes()).await.unwrap() };
    let read = async {
        for n in 0..many {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&answer["id"], answer.get("error")), (&json!(n), None));
        }
    };
    tokio::join!(send, answer, read);
}

#[tokio::test]
async fn permissive_mode_reads_an_empty_list_as_an_empty_object() {
    let odd = || request(1, "tools/call", json!({"name": "get.a", "arguments": []}));
    let mut strict = Rig::new(Limits::default());
    strict.client.say(odd()).await;
    assert_eq!(strict.server.hear().await["params"]["arguments"], json!([]));
    let mut permissive = Rig::new(Limits { permissive: true, ..Limits::default() });
    permissive.client.say(odd()).await;
    assert_eq!(permissive.server.hear().await["params"]["arguments"], json!({}));
}
