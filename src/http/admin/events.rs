//! `events`: what happens, as it happens, for pages that are open and programs that follow. Ids only; whoever wants more asks for it.

use crate::access::policy;
use crate::access::principal::Limits;
use crate::access::scope::Scope;
use crate::access::session::Sessions;
use crate::base::events::Event;
use crate::base::selector::Selector;
use crate::http::admin::api::may;
use crate::http::admin::routes::Need;
use crate::http::admin::signed::Signed;
use crate::http::fault::Refusal;
use crate::http::{Asked, Body, Edge};
use crate::plan::record::PlanId;
use crate::tools::world::World;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;

/// Between two comments on a quiet stream, and between two looks at whether its session is still open.
const QUIET: Duration = Duration::from_secs(15);
/// After so long the browser asks again, which also shows that somebody is there.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// Lines that wait for a slow browser; then its stream ends, and it asks again.
const BACKLOG: usize = 64;

/// One for each kind of page, for whoever missed some: those that hear `health` or `config` hear `device` as well.
const MISSED: &[u8] = b"event: device\ndata: {}\n\nevent: plan\ndata: {}\n\nevent: job\ndata: {}\n\nevent: alert\ndata: {}\n\nevent: client\ndata: {}\n\nevent: settings\ndata: {}\n\nevent: update\ndata: {}\n\n";

/// Below the API.
pub const PATH: &str = "/events";
/// What a token must be good for.
pub const SCOPE: Scope = Scope::Read;

/// A stream of events for whoever may read.
pub async fn answer<B>(edge: &Edge, asked: &Asked, request: &Request<B>) -> Result<Response<Body>, Refusal> {
    if request.method() != Method::GET {
        return Err(Refusal::method("GET"));
    }
    let signed = Signed::of(edge, asked, request).await?;
    let share = (edge.enter(signed.principal())?, edge.meter().stream());
    edge.take(signed.principal())?;
    may(edge, asked, Need { token: Some(SCOPE), proof: false }, &signed)?;
    signed.shown()?;
    let (told, mut lines) = mpsc::channel(BACKLOG);
    let world = edge.dispatch.world().clone();
    let ear = Ear { heard: world.fleet.bus().listen(), world, sessions: edge.admin.sessions.clone(), signed };
    let following = follow(ear, told, edge.stop.clone());
    edge.tasks.spawn(async move {
        following.await;
        drop(share);
    });
    let frames = stream::poll_fn(move |cx| lines.poll_recv(cx).map(|line| line.map(|line| Ok::<_, Infallible>(Frame::data(line)))));
    let mut response = Response::new(StreamBody::new(frames).boxed());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// What one caller hears.
struct Ear {
    heard: Receiver<Event>,
    world: Arc<World>,
    sessions: Sessions,
    signed: Signed,
}

impl Ear {
    /// What the caller is kept to now; `None`: their session is over, or their token.
    fn limits(&self) -> Option<Limits> {
        match &self.signed {
            Signed::Person { session, .. } => self.sessions.with_key(&session.key).ok().flatten().map(|session| session.limits),
            Signed::Bearer { principal, expires_at, .. } => {
                self.world.access.still_open(principal, *expires_at).then(|| principal.limits.clone())
            }
        }
    }

    fn sees(&self, limits: &Limits, event: &Event) -> bool {
        let Some(id) = event.device() else { return true };
        match self.world.fleet.get(id) {
            Ok(device) => policy::within(&limits.devices, &device.traits()),
            // Gone: nobody can say any more whose it was.
            Err(_) => limits.devices.contains(&Selector::All),
        }
    }

    /// Whether a plan has been started: then it is a job as well.
    fn is_job(&self, plan: &str) -> bool {
        self.world.plans.head(&PlanId(plan.to_owned())).is_ok_and(|plan| plan.started_at.is_some())
    }

    fn written(&self, event: &Event) -> Bytes {
        match event {
            Event::Plan(id) | Event::Fired(id) if self.is_job(id) => Bytes::from([line("plan", id), line("job", id)].concat()),
            _ => Bytes::from(written(event)),
        }
    }
}

/// Tells what happens, as far as the caller may see it, until nobody reads it, their session or token is over, or we stop.
async fn follow(mut ear: Ear, told: mpsc::Sender<Bytes>, stop: CancellationToken) {
    let mut quiet = interval_at(Instant::now() + QUIET, QUIET);
    let ends = Instant::now() + LONGEST;
    let mut line = Some(Bytes::from_static(b"retry: 3000\n\n"));
    loop {
        if line.take().is_some_and(|line| told.try_send(line).is_err()) {
            return;
        }
        line = tokio::select! {
            () = stop.cancelled() => return,
            () = told.closed() => return,
            event = ear.heard.recv() => match event {
                // Whose session is over hears no more.
                Ok(event) => match ear.limits() {
                    Some(limits) => ear.sees(&limits, &event).then(|| ear.written(&event)),
                    None => return,
                },
                // Whatever was missed: the page is made anew.
                Err(RecvError::Lagged(_)) => Some(Bytes::from_static(MISSED)),
                Err(RecvError::Closed) => return,
            },
            _ = quiet.tick() => {
                if Instant::now() > ends || ear.limits().is_none() {
                    return;
                }
                Some(Bytes::from_static(b":\n\n"))
            }
        };
    }
}

fn written(event: &Event) -> String {
    let (kind, id) = match event {
        Event::Device(id) => ("device", id.0.as_str()),
        Event::Health(id) => ("health", id.0.as_str()),
        Event::Config(id) => ("config", id.0.as_str()),
        Event::Plan(id) | Event::Fired(id) => ("plan", id.as_str()),
        Event::Alert => ("alert", ""),
        Event::Client(id) => ("client", id.as_str()),
        Event::Update => ("update", ""),
        Event::Switches => ("settings", "switches"),
    };
    line(kind, id)
}

fn line(kind: &str, id: &str) -> String {
    format!("event: {kind}\ndata: {}\n\n", json!({"id": id}))
}
