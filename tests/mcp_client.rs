//! An MCP client on the whole edge over a site: the front, rmcp and the spine in this process, in any protocol version.

use crate::mcp_stdio::{PATIENCE, Talk, hello, request};
use crate::site::Site;
use futures_util::future::BoxFuture;
use routeros_mcp::access::Principal;
use routeros_mcp::base::fault::{Fault, Kind};
use routeros_mcp::control::client;
use routeros_mcp::mcp::backend::Backend;
use routeros_mcp::mcp::front::{self, Limits};
use routeros_mcp::mcp::{stdio, tools};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Versions with sessions.
pub(crate) const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// The version without.
pub(crate) const MODERN: &str = "2026-07-28";

pub(crate) fn versions() -> impl Iterator<Item = &'static str> {
    LEGACY.into_iter().chain([MODERN])
}

/// One client.
pub(crate) struct Client {
    talk: Talk,
    version: &'static str,
    next: u64,
    /// Notifications that came while something else was waited for.
    notices: VecDeque<Value>,
    pub stop: CancellationToken,
    front: JoinHandle<Result<(), Fault>>,
}

impl Client {
    /// As the local client.
    pub async fn open(site: &Site, version: &'static str) -> Client {
        Client::of(site, site.app.stdio_principal(), version).await
    }

    /// As anybody.
    pub async fn of(site: &Site, principal: Principal, version: &'static str) -> Client {
        let (app, stop) = (&site.app, site.app.stop.child_token());
        let backend = stdio::local(app.dispatch.clone(), Arc::new(principal), app.mcp(), &app.tasks, stop.clone());
        Client::behind(backend, stop, version).await
    }

    /// Through the control socket of a site whose doors are open.
    pub async fn bridged(site: &Site, version: &'static str) -> Client {
        let stream = client::mcp_stream(&site.app.places.control_socket()).await.unwrap();
        Client::behind(Backend::new(stream), CancellationToken::new(), version).await
    }

    async fn behind(backend: Backend, stop: CancellationToken, version: &'static str) -> Client {
        let (ours, pipe) = tokio::io::duplex(1 << 16);
        let (input, output) = tokio::io::split(pipe);
        let reopen = || -> BoxFuture<'static, Result<Backend, Fault>> { Box::pin(async { Err(Fault::new(Kind::Conflict, "no other")) }) };
        let limits = Limits { reopen: std::time::Duration::from_millis(50), ..Limits::default() };
        let run = front::run(input, output, backend, reopen, tools::only_reads, limits, stop.clone());
        let front = TaskTracker::new().spawn(run);
        let mut client = Client { talk: Talk::new(ours), version, next: 0, notices: VecDeque::new(), stop, front };
        if !client.is_modern() {
            client.talk.ask(hello(version)).await;
            client.talk.say(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        }
        client
    }

    pub fn is_modern(&self) -> bool {
        self.version == MODERN
    }

    /// Sends a request; gives its id.
    pub async fn send(&mut self, method: &str, mut params: Value) -> u64 {
        if self.is_modern() {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
            });
        }
        self.next += 1;
        self.talk.say(request(self.next, method, params)).await;
        self.next
    }

    /// The whole answer to a request.
    pub async fn answer(&mut self, id: u64) -> Value {
        loop {
            let message = self.talk.hear().await;
            match message.get("method") {
                Some(_) => self.notices.push_back(message),
                None if message["id"] == id => return message,
                None => panic!("an answer to something else: {message}"),
            }
        }
    }

    /// A request that must succeed; gives its result.
    pub async fn good(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params.clone()).await;
        let answer = self.answer(id).await;
        assert!(answer.get("error").is_none(), "{} {method} {params}: {answer}", self.version);
        assert_eq!(answer["result"].get("resultType").is_some(), self.is_modern(), "{} {method}: {answer}", self.version);
        answer["result"].clone()
    }

    /// A request that must be refused; gives its error.
    pub async fn bad(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params.clone()).await;
        let answer = self.answer(id).await;
        assert!(answer.get("error").is_some(), "{} {method} {params} was answered: {answer}", self.version);
        answer["error"].clone()
    }

    /// Takes a request back.
    pub async fn cancel(&mut self, id: u64) {
        self.talk.say(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})).await;
    }

    /// The next notification.
    pub async fn notice(&mut self) -> Value {
        if let Some(notice) = self.notices.pop_front() {
            return notice;
        }
        let message = self.talk.hear().await;
        assert!(message.get("method").is_some(), "no notification: {message}");
        message
    }

    /// Every item of a list, page by page.
    pub async fn all(&mut self, method: &str, key: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), None::<Value>);
        loop {
            let params = cursor.map_or(json!({}), |cursor| json!({"cursor": cursor}));
            let page = self.good(method, params).await;
            items.extend(page[key].as_array().unwrap().iter().cloned());
            cursor = page.get("nextCursor").cloned();
            if cursor.is_none() {
                return items;
            }
        }
    }

    /// A resource's only content.
    pub async fn read(&mut self, uri: &str) -> Value {
        let result = self.good("resources/read", json!({"uri": uri})).await;
        assert_eq!(result["contents"].as_array().unwrap().len(), 1, "{uri}");
        assert_eq!(result["contents"][0]["uri"], uri);
        result["contents"][0].clone()
    }

    /// Ends our side and waits until the front has gone.
    pub async fn leave(mut self) {
        self.talk.hang_up().await;
        tokio::time::timeout(PATIENCE, self.front).await.expect("ends in time").unwrap().unwrap();
    }
}
