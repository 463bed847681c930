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

use super::agenda;
use super::faults::{Fault, Line, Seen};
use super::hooks::{Verdict, When};
use super::listen::{self, Arrival};
use super::lockout::{self, Gate};
use super::refusal::Refusal;
use super::shared::Shared;
use bytes::Bytes;
use front::{Answer, Asked};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wire::{Body, OneAtATime};

/// Largest request body; the router's console takes 64 kB scripts.
const BODY_MAX: usize = 1024 * 1024;
/// A TLS handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A router that reboots answers first, then goes down.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Serves a listener until the router stops.
pub(super) fn listen(shared: &Arc<Shared>, listener: TcpListener, secure: bool) {
    let here = shared.clone();
    listen::serve(shared, listener, shared.faults.line(), move |arrival| connection(here.clone(), arrival, secure));
}

async fn connection(shared: Arc<Shared>, arrival: Arrival, secure: bool) {
    let Arrival { stream, peer, at } = arrival;
    let id = shared.next_connection();
    let _open = shared.faults.connections.rise();
    let service = if secure { "www-ssl" } else { "www" };
    let mut cut = shared.cut();
    tokio::select! {
        _ = cut.changed() => {}
        () = async {
            let Some(stream) = lockout::admit(&shared, stream, service).await else { return };
            shared.world().open_connection(id, service, peer, at);
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
    shared.spawn(async move {
        let done = work(&here, asked, connection).await;
        if done.as_ref().is_err_and(|why| *why == Unanswered::Silent) {
            std::future::pending::<()>().await;
        }
        if tell.send(done).is_err() {
            here.faults.count_aborted();
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
    if let Some(answer) = instead(shared, &struck, limit).await? {
        return Ok(answer);
    }
    let result = respond(shared, &asked, limit).await;
    if let Ok(Answer { hangs: true, .. }) = &result {
        tokio::time::sleep(limit).await;
        return Ok(wire::refused(&Refusal::session_closed()));
    }
    if result.is_ok() && asked.method == Method::POST && asked.path() == "/system/reboot" {
        let here = shared.clone();
        shared.spawn(async move {
            tokio::time::sleep(LAST_WORDS).await;
            here.cut_connections();
        });
    }
    unanswered(shared.hooked(When::After, request))?;
    finish(shared, &asked, result, &struck)
}

/// What goes wrong before a request is worked on; some faults have an answer of their own.
async fn instead(shared: &Shared, struck: &[Fault], limit: Duration) -> Result<Option<Response<Body>>, Unanswered> {
    for fault in struck {
        let refusal = match fault {
            Fault::CloseBefore => return Err(Unanswered::Closed),
            Fault::Hang => std::future::pending::<Refusal>().await,
            Fault::ServerError => Refusal::server("std failure: internal error (1)"),
            Fault::OthersAnswer => Refusal::bare(401),
            Fault::Late(by) => {
                let clock = shared.world().clock.clone();
                let until = clock.mono() + *by;
                while clock.mono() < until {
                    tokio::time::sleep(agenda::GLANCE).await;
                }
                continue;
            }
            Fault::Latency(wait) => {
                tokio::time::sleep((*wait).min(limit)).await;
                if *wait < limit {
                    continue;
                }
                Refusal::session_closed()
            }
            _ => continue,
        };
        return Ok(Some(wire::refused(&refusal)));
    }
    Ok(None)
}

/// Does what is asked, in the console if it has to, for as long as a session lasts.
async fn respond(shared: &Arc<Shared>, asked: &Asked, limit: Duration) -> Result<Answer, Refusal> {
    agenda::settle(shared);
    let answered = front::respond(&mut shared.world(), asked, limit);
    shared.agenda.stir();
    let answer = answered?;
    let Some(script) = &answer.script else { return Ok(answer) };
    tokio::time::timeout(limit, execute::execute(shared, script, limit)).await.unwrap_or_else(|_| Err(Refusal::session_closed()))
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
