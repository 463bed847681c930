//! The router's web server: listeners, connections, and one request of a user at a time.
//!
//! A request is worked on in a task of its own, so that one whose client went away keeps running and holds its user's queue, as on
//! the router. There is no pipelining: a second request that arrives in the same read is dropped.

mod auth;
mod execute;
mod front;
mod params;
mod print;
mod wire;

use super::agenda::clock::BoardClock;
use super::agenda::{self, Agenda};
use super::faults::{Fault, Faults, Line, Seen};
use super::hold;
use super::hooks::{Hooks, Verdict, When};
use super::lockout::{self, Gate};
use super::refusal::Refusal;
use super::tls::Identity;
use super::world::World;
use bytes::Bytes;
use front::{Answer, Asked};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use russh::keys::PrivateKey;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::{Body, OneAtATime};

/// Largest request body; the router's console takes 64 kB scripts.
const BODY_MAX: usize = 1024 * 1024;
/// A TLS handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Ports can be taken for a moment by somebody else while we refuse connections.
const REBIND: Duration = Duration::from_millis(20);

/// How often a router that is late looks at its clock, which a test may move.
const GLANCE: Duration = Duration::from_millis(5);

/// A router that reboots answers first, then goes down.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// What all connections of one router share.
#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    identity: Mutex<Identity>,
    pub faults: Faults,
    users: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    cut: watch::Sender<u64>,
    count: AtomicU64,
    host_key: Mutex<PrivateKey>,
    pub agenda: Agenda,
    pub hooks: Hooks,
}

impl Shared {
    pub fn new(world: World, identity: Identity, host_key: PrivateKey) -> Self {
        Shared {
            world: Mutex::new(world),
            identity: Mutex::new(identity),
            faults: Faults::default(),
            users: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            cut: watch::Sender::new(0),
            count: AtomicU64::new(0),
            host_key: Mutex::new(host_key),
            agenda: Agenda::default(),
            hooks: Hooks::default(),
        }
    }

    pub fn host_key(&self) -> PrivateKey {
        hold(&self.host_key).clone()
    }

    pub fn set_host_key(&self, key: PrivateKey) {
        *hold(&self.host_key) = key;
    }

    /// Runs until done or until the router stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Tells when all connections are cut.
    pub fn cut(&self) -> watch::Receiver<u64> {
        self.cut.subscribe()
    }

    /// A number for a new connection of any service.
    pub fn next_connection(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        hold(&self.world)
    }

    pub fn identity(&self) -> Identity {
        hold(&self.identity).clone()
    }

    pub fn set_identity(&self, identity: Identity) {
        *hold(&self.identity) = identity;
    }

    pub fn cut_connections(&self) {
        self.cut.send_modify(|n| *n += 1);
    }

    pub fn cancel(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.agenda.clear();
    }

    pub async fn stop(&self) {
        self.cancel();
        self.tasks.wait().await;
    }

    /// Calls the hooks of a request and does what they say to the router.
    pub fn hooked(self: &Arc<Self>, when: When, request: (&str, &str, &str)) -> Verdict {
        if !self.hooks.any() {
            return Verdict::Go;
        }
        agenda::settle(self);
        let verdict = self.hooks.call(when, request, &mut self.world());
        match verdict {
            Verdict::Go | Verdict::Close | Verdict::Silence => {}
            Verdict::CutLink => {
                self.faults.set_line(Line::Refuse);
                self.cut_connections();
            }
            Verdict::Reboot => {
                self.cut_connections();
                self.world().reboot();
            }
            Verdict::PowerCut => {
                self.cut_connections();
                self.world().power_cut(BoardClock::Kept);
            }
        }
        self.agenda.stir();
        verdict
    }

    /// The queue of this user.
    fn queue(&self, user: &str) -> Arc<tokio::sync::Mutex<()>> {
        hold(&self.users).entry(user.to_string()).or_default().clone()
    }
}

/// Serves a listener until the router stops.
pub(super) fn listen(shared: &Arc<Shared>, listener: TcpListener, secure: bool) {
    let here = shared.clone();
    shared.tasks.spawn(async move {
        let stop = here.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = accept(&here, listener, secure) => {}
        }
    });
}

async fn accept(shared: &Arc<Shared>, listener: TcpListener, secure: bool) {
    let Ok(address) = listener.local_addr() else { return };
    let mut line = shared.faults.line();
    let mut listener = Some(listener);
    loop {
        if *line.borrow_and_update() == Line::Refuse {
            listener = None;
            if line.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = &listener else {
            listener = TcpListener::bind(address).await.ok();
            if listener.is_none() {
                tokio::time::sleep(REBIND).await;
            }
            continue;
        };
        tokio::select! {
            _ = line.changed() => {}
            got = open.accept() => {
                if let Ok((stream, peer)) = got {
                    let here = shared.clone();
                    shared.tasks.spawn(async move { connection(here, stream, peer, address, secure).await });
                }
            }
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, address: SocketAddr, secure: bool) {
    // An answer's last piece must not wait 40 ms for an acknowledgement of the piece before.
    let _ = stream.set_nodelay(true);
    let id = shared.next_connection();
    let _open = shared.faults.connections.rise();
    let service = if secure { "www-ssl" } else { "www" };
    let mut cut = shared.cut.subscribe();
    cut.mark_unchanged();
    tokio::select! {
        () = shared.stop.cancelled() => {}
        _ = cut.changed() => {}
        () = async {
            let Some(stream) = lockout::admit(&shared, stream, service).await else { return };
            shared.world().open_connection(id, service, peer, address);
            talk(&shared, Gate::new(stream, shared.clone(), service), id, secure).await;
        } => {}
    }
    shared.world().connections.remove(&id);
}

async fn talk(shared: &Arc<Shared>, stream: Gate<TcpStream>, id: u64, secure: bool) {
    let mut line = shared.faults.line();
    let now = *line.borrow_and_update();
    match now {
        Line::HalfOpen => drop(line.wait_for(|l| *l != Line::HalfOpen).await),
        Line::PlainOnTls => serve(shared, stream, id, secure).await,
        _ if secure => {
            let acceptor = shared.identity().acceptor;
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                serve(shared, stream, id, secure).await;
            }
        }
        _ => serve(shared, stream, id, secure).await,
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(shared: &Arc<Shared>, stream: S, id: u64, secure: bool) {
    let service = service_fn(|request: Request<Incoming>| answer(shared.clone(), request, id, secure));
    let io = TokioIo::new(OneAtATime::new(stream));
    let server = hyper::server::conn::http1::Builder::new().timer(TokioTimer::new()).serve_connection(io, service);
    // A connection ends in many ways; none of them is this router's fault.
    drop(server.await);
}

/// Why a request gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Unanswered {
    /// The connection closes.
    #[error("closed without an answer")]
    Closed,
    /// The connection stays open.
    #[error("no answer")]
    Silent,
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>, connection: u64, secure: bool) -> Result<Response<Body>, Unanswered> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_MAX).collect().await.map_err(|_| Unanswered::Closed)?.to_bytes();
    let header = |name| head.headers.get(name).and_then(|v| v.to_str().ok()).map(String::from);
    let asked = Asked {
        method: head.method,
        target: head.uri.path_and_query().map(|p| p.as_str().to_string()).unwrap_or_default(),
        authorization: header(header::AUTHORIZATION),
        content_type: header(header::CONTENT_TYPE),
        body,
        secure,
    };
    let (tell, told) = oneshot::channel();
    let here = shared.clone();
    shared.tasks.spawn(async move {
        let stop = here.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            done = work(&here, asked, connection) => {
                if done.as_ref().is_err_and(|why| *why == Unanswered::Silent) {
                    std::future::pending::<()>().await;
                }
                if tell.send(done).is_err() && here.faults.count_aborted() {
                    here.cut_connections();
                }
            }
        }
    });
    told.await.unwrap_or(Err(Unanswered::Closed))
}

async fn work(shared: &Arc<Shared>, asked: Asked, connection: u64) -> Result<Response<Body>, Unanswered> {
    let _in_flight = shared.faults.in_flight.rise();
    let user = auth::named(asked.authorization.as_deref());
    shared.faults.see(Seen {
        method: asked.method.to_string(),
        target: asked.target.clone(),
        user: user.clone(),
        connection,
        body: String::from_utf8_lossy(&asked.body).into_owned(),
    });
    if asked.method == Method::OPTIONS {
        return Ok(wire::refused(&Refusal::bare(503)));
    }
    if asked.method == Method::HEAD {
        return Ok(wire::refused(&Refusal::bare(501)));
    }
    let queue = shared.queue(user.as_deref().unwrap_or_default());
    let _turn = queue.lock().await;
    let _working = shared.faults.working.rise();
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    let request = (asked.method.as_str(), asked.path(), body.as_str());
    unanswered(shared.hooked(When::Before, request))?;
    let struck = shared.faults.strike(asked.method.as_str(), asked.path());
    let limit = shared.faults.session_limit();
    for fault in &struck {
        match fault {
            Fault::CloseBefore => return Err(Unanswered::Closed),
            Fault::Hang => std::future::pending().await,
            Fault::ServerError => return Ok(wire::refused(&Refusal::server("std failure: internal error (1)"))),
            Fault::OthersAnswer => return Ok(wire::refused(&Refusal::bare(401))),
            Fault::Late(wait) => {
                let (clock, limit) = (shared.world().clock.clone(), *wait);
                let until = clock.mono() + limit;
                while clock.mono() < until {
                    tokio::time::sleep(GLANCE).await;
                }
            }
            Fault::Latency(wait) => {
                tokio::time::sleep((*wait).min(limit)).await;
                if *wait >= limit {
                    return Ok(wire::refused(&Refusal::bad("Session closed")));
                }
            }
            _ => {}
        }
    }
    agenda::settle(shared);
    let mut result = front::respond(&mut shared.world(), &asked, limit);
    shared.agenda.stir();
    if let Ok(Answer { script: Some(script), .. }) = &result {
        result = match tokio::time::timeout(limit, execute::execute(shared, script, limit)).await {
            Ok(ran) => ran,
            Err(_) => Err(Refusal::bad("Session closed")),
        };
    }
    if let Ok(Answer { hangs: true, .. }) = &result {
        tokio::time::sleep(limit).await;
        return Ok(wire::refused(&Refusal::bad("Session closed")));
    }
    if result.is_ok() && asked.method == Method::POST && asked.path() == "/system/reboot" {
        let here = shared.clone();
        shared.tasks.spawn(async move {
            tokio::time::sleep(LAST_WORDS).await;
            here.cut_connections();
        });
    }
    unanswered(shared.hooked(When::After, request))?;
    finish(shared, &asked, result, &struck)
}

fn unanswered(verdict: Verdict) -> Result<(), Unanswered> {
    match verdict {
        Verdict::Go => Ok(()),
        Verdict::Silence => Err(Unanswered::Silent),
        _ => Err(Unanswered::Closed),
    }
}

fn finish(shared: &Shared, asked: &Asked, result: Result<Answer, Refusal>, struck: &[Fault]) -> Result<Response<Body>, Unanswered> {
    if struck.contains(&Fault::CloseAfter) {
        return Err(Unanswered::Closed);
    }
    let mut answer = match result {
        Ok(_) if struck.contains(&Fault::DoneButRefused) => return Ok(wire::refused(&Refusal::bad("failure: internal error"))),
        Ok(answer) => answer,
        Err(refusal) => return Ok(wire::refused(&refusal)),
    };
    for fault in struck {
        match fault {
            Fault::EndlessJson => return Ok(wire::endless()),
            Fault::WrongBody => {
                let mut out = Vec::new();
                if let Some(row) = shared.world().rows("/system/resource").first() {
                    row.write(&mut out, |_| true);
                }
                answer.body = out;
            }
            Fault::InvalidUtf8 => wire::taint(&mut answer.body, b"\xe9\xff"),
            Fault::RawControl => wire::taint(&mut answer.body, b"\x07\x1b[31m\n"),
            Fault::CutJson => answer.body.truncate(answer.body.len() / 2),
            Fault::GarbageJson => answer.body = b"<html><body>{]\x00".to_vec(),
            Fault::BigTable(rows) => return Ok(wire::with_more_rows(answer.body, asked.path(), *rows)),
            _ => {}
        }
    }
    if let Some(more) = answer.more {
        return Ok(wire::with_more(answer.body, more));
    }
    let mut response = wire::json(answer.status, Bytes::from(answer.body));
    if let Some(Ok(location)) = answer.location.map(|l| l.parse()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}
