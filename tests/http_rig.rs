//! The listener over a whole appliance in this process, and a client that sends bytes as they are: no library would send
//! what an attacker does.

use crate::site::Site;
use routeros_mcp::access::token::{self, Wanted};
use routeros_mcp::access::{Bearer, Role};
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::base::selector::Selector;
use routeros_mcp::http::Listener;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Nothing here takes longer; a test that hangs fails instead.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What every MCP client sends with a message.
pub const JSON: &str = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n";

/// An appliance with its listener open.
pub struct Web {
    pub site: Site,
    pub listener: Listener,
}

/// One response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// 0: the connection was closed without one.
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Web {
    /// Without devices; MCP is mounted, on any free port.
    pub async fn open(flags: &[(&str, &str)]) -> Web {
        let usual = [("mcp.transport", "both"), ("mcp.http_port", "0")];
        Web::over(Site::bare(&[&usual[..], flags].concat()).await).await
    }

    /// The same, with its time moved by hand.
    pub async fn timed(flags: &[(&str, &str)]) -> (Web, Arc<Hand>) {
        let (clock, hand) = Clock::by_hand(Wall(1_790_000_000_000));
        let usual = [("mcp.transport", "both"), ("mcp.http_port", "0")];
        (Web::over(Site::bare_on(&[&usual[..], flags].concat(), clock).await).await, hand)
    }

    /// Over a site that was configured for it.
    pub async fn over(site: Site) -> Web {
        let listener = site.app.listen().await.unwrap();
        Web { site, listener }
    }

    pub fn at(&self) -> SocketAddr {
        self.listener.url.rsplit('/').next().unwrap().parse().unwrap()
    }

    /// A new token of that role.
    pub async fn token(&self, role: Role) -> String {
        self.token_as(Some(role), |_| {}).await
    }

    /// A new token, changed before it is kept.
    pub async fn token_as(&self, role: Option<Role>, change: impl FnOnce(&mut Wanted)) -> String {
        let secret = token::make();
        let digest = token::digest(secret.expose());
        let name = format!("web-{}", data_encoding::HEXLOWER.encode(&digest[..4]));
        let mut wanted = Wanted { name, digest, role, devices: vec![Selector::All], owner: None, expires_at: None };
        change(&mut wanted);
        self.site.app.dispatch.world().access.add_token(wanted).await.unwrap();
        secret.expose().to_owned()
    }

    pub fn now(&self) -> Wall {
        self.site.app.dispatch.world().clock.wall()
    }

    /// Whoever the token stands for.
    pub async fn bearer(&self, token: &str) -> Bearer {
        self.site.app.dispatch.world().access.bearer(token, Default::default()).await.unwrap()
    }

    /// Sends bytes on a connection of their own, and gives what comes back until it is closed.
    pub async fn raw(&self, bytes: impl AsRef<[u8]>) -> Answer {
        talk(TcpStream::connect(self.at()).await.unwrap(), bytes.as_ref()).await
    }

    /// One request; `headers` are lines with their ends.
    pub async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.raw(request(method, path, headers, body)).await
    }

    /// One message of a caller.
    pub async fn say(&self, token: &str, more: &str, message: &Value) -> Answer {
        self.ask("POST", "/mcp", &format!("{JSON}Authorization: Bearer {token}\r\n{more}"), &message.to_string()).await
    }

    /// One request without a session, as of 2026-07-28.
    pub async fn modern(&self, token: &str, method: &str, params: Value) -> Answer {
        self.say(token, &headers(method, &params), &modern(method, params)).await
    }

    /// A new session: its id.
    pub async fn session(&self, token: &str) -> String {
        let begun = self.say(token, "", &hello("2025-11-25")).await;
        assert_eq!(begun.status, 200, "{begun:?}");
        let id = begun.header("mcp-session-id").unwrap().to_owned();
        let told = self.say(token, &in_session(&id), &json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        assert_eq!(told.status, 202, "{told:?}");
        id
    }

    /// Calls that reached the spine through the listener, whatever became of them.
    pub async fn calls(&self) -> usize {
        let trail = self.site.operator("audit.get_events", json!({"limit": 200})).await;
        let rows = trail.structured["rows"].as_array().unwrap().clone();
        rows.iter().filter(|row| row["principal"] != "local operator").count()
    }

    /// Stops everything.
    pub async fn close(self) {
        self.site.close().await;
    }
}

impl Answer {
    /// A header, by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The JSON-RPC message in the body, or the last of a stream.
    pub fn message(&self) -> Value {
        let text = match self.header("content-type") {
            Some("text/event-stream") => {
                let data = self.body.lines().filter_map(|line| line.strip_prefix("data:"));
                data.map(str::trim).rfind(|data| !data.is_empty()).unwrap_or_default().to_owned()
            }
            _ => self.body.clone(),
        };
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A stream of events as it comes.
pub struct Events {
    stream: BufReader<TcpStream>,
    /// Of the body, without its chunks.
    text: String,
}

impl Events {
    /// A stream that only listens, or goes on where another broke off.
    pub async fn get(web: &Web, token: &str, more: &str) -> Events {
        let headers = format!("Accept: text/event-stream\r\nAuthorization: Bearer {token}\r\n{more}");
        Events::open(web, &request("GET", "/mcp", &headers, "")).await
    }

    /// The answer to a message.
    pub async fn post(web: &Web, token: &str, more: &str, message: &Value) -> Events {
        let headers = format!("{JSON}Authorization: Bearer {token}\r\n{more}");
        Events::open(web, &request("POST", "/mcp", &headers, &message.to_string())).await
    }

    /// The same for a request of 2026-07-28.
    pub async fn modern(web: &Web, token: &str, method: &str, params: Value) -> Events {
        Events::post(web, token, &headers(method, &params), &modern(method, params)).await
    }

    async fn open(web: &Web, request: &str) -> Events {
        let mut stream = BufReader::new(TcpStream::connect(web.at()).await.unwrap());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = tokio::time::timeout(PATIENCE, stream.read_line(&mut head)).await.expect("a head in time").unwrap();
            assert!(read > 0, "closed after {head:?}");
        }
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream") && head.contains("chunked"), "{head}");
        Events { stream, text: String::new() }
    }

    /// One more chunk; `false`: the stream ended.
    async fn more(&mut self) -> bool {
        let chunk = async {
            let mut size = String::new();
            self.stream.read_line(&mut size).await.ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok().filter(|size| *size > 0)?;
            let mut chunk = vec![0; size + 2];
            self.stream.read_exact(&mut chunk).await.ok()?;
            Some(String::from_utf8_lossy(&chunk[..size]).into_owned())
        };
        let chunk = tokio::time::timeout(PATIENCE, chunk).await.expect("more in time");
        self.text.push_str(chunk.as_deref().unwrap_or_default());
        chunk.is_some()
    }

    /// The lines up to the next empty one; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn next(&mut self) -> Option<(String, String)> {
        let began = Instant::now();
        loop {
            // Comments keep a stream open for ever.
            assert!(began.elapsed() < PATIENCE, "nothing but comments");
            let block = self.block().await?;
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
            if let Some(data) = field("data:") {
                return Some((field("id:").unwrap_or_default(), data));
            }
        }
    }

    /// The next event: its id and data.
    pub async fn event(&mut self) -> (String, String) {
        self.next().await.expect("one more event")
    }

    /// The next event that carries a message.
    pub async fn message(&mut self) -> Value {
        loop {
            let (_, data) = self.event().await;
            if !data.is_empty() {
                return serde_json::from_str(&data).unwrap();
            }
        }
    }

    /// The next comment, which keeps a stream alive; fails at the end, and when nothing comes in time.
    pub async fn comment(&mut self) {
        while !self.block().await.expect("a comment").starts_with(':') {}
    }

    /// Whether nothing comes any more.
    pub async fn ended(&mut self) -> bool {
        self.next().await.is_none()
    }
}

/// The header of a session.
pub fn in_session(id: &str) -> String {
    format!("Mcp-Session-Id: {id}\r\nMCP-Protocol-Version: 2025-11-25\r\n")
}

/// The headers of a request of 2026-07-28, which repeat what is in it.
pub fn headers(method: &str, params: &Value) -> String {
    let name = params.get("name").or(params.get("uri")).and_then(Value::as_str);
    let name = name.map_or_else(String::new, |name| format!("Mcp-Name: {name}\r\n"));
    format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n{name}")
}

pub fn hello(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}})
}

/// A request that carries everything itself.
pub fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    });
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

pub fn call(tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

/// A request that ends its connection.
pub fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let host = if headers.to_ascii_lowercase().contains("host:") { "" } else { "Host: localhost\r\n" };
    let length = if body.is_empty() && method != "POST" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\n{host}{headers}{length}Connection: close\r\n\r\n{body}")
}

/// Sends bytes and reads until the other side closes.
pub async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Answer {
    // Who refuses early may close before everything is sent.
    let _ = stream.write_all(bytes).await;
    let mut all = Vec::new();
    let read = async {
        let mut some = [0; 16_384];
        while let Ok(n) = stream.read(&mut some).await {
            if n == 0 {
                break;
            }
            all.extend_from_slice(&some[..n]);
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("an end in time");
    parsed(&all)
}

/// What came, as a response.
pub fn parsed(all: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(all);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Answer { status: 0, headers: Vec::new(), body: text.into() } };
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).unwrap_or(0);
    let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    let mut answer = Answer { status, headers: lines.filter_map(pair).collect(), body: body.to_owned() };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = dechunked(body);
    }
    answer
}

fn dechunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || rest.len() < size {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

/// One call of `device.list` over HTTP/2: its status.
pub async fn list_by_http2(client: &mut h2::client::SendRequest<bytes::Bytes>, authorization: &str) -> u16 {
    let message = modern("tools/call", json!({"name": "device.list", "arguments": {}})).to_string();
    let request = http::Request::post("https://localhost/mcp")
        .header("authorization", authorization)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "device.list");
    let (response, mut body) = client.send_request(request.body(()).unwrap(), false).unwrap();
    body.send_data(message.into(), true).unwrap();
    tokio::time::timeout(PATIENCE, response).await.unwrap().unwrap().status().as_u16()
}
