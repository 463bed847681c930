//! `events`: what happens, as it happens, for pages that are open. Ids only; whoever wants more asks for it.

use crate::access::policy;
use crate::access::principal::Client;
use crate::access::session::{Session, Sessions};
use crate::base::events::Event;
use crate::base::selector::Selector;
use crate::http::fault::Refusal;
use crate::http::{Body, Edge};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use std::convert::Infallible;
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
const MISSED: &[u8] = b"event: device\ndata: {}\n\nevent: plan\ndata: {}\n\nevent: alert\ndata: {}\n\nevent: client\ndata: {}\n\nevent: settings\ndata: {}\n\nevent: update\ndata: {}\n\n";

/// A stream of events for whoever is signed in.
pub async fn answer(edge: &Edge, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
    let session = edge.admin.session(headers).await?;
    let principal = session.principal(Client::default());
    let share = (edge.enter(&principal)?, edge.meter().stream());
    let (told, mut lines) = mpsc::channel(BACKLOG);
    let heard = edge.dispatch.world().fleet.bus().listen();
    let world = edge.dispatch.world().clone();
    let sees = move |session: &Session, event: &Event| {
        let Some(id) = event.device() else { return true };
        match world.fleet.get(id) {
            Ok(device) => policy::within(&session.limits.devices, &device.traits()),
            // Gone: nobody can say any more whose it was.
            Err(_) => session.limits.devices.contains(&Selector::All),
        }
    };
    let following = follow(heard, sees, told, edge.admin.sessions.clone(), session.key, edge.stop.clone());
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

/// Tells what happens, as far as the session may see it, until nobody reads it, the session is over, or we stop.
async fn follow(
    mut heard: Receiver<Event>,
    sees: impl Fn(&Session, &Event) -> bool,
    told: mpsc::Sender<Bytes>,
    sessions: Sessions,
    key: String,
    stop: CancellationToken,
) {
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
            event = heard.recv() => match event {
                // Whose session is over hears no more.
                Ok(event) => match sessions.with_key(&key) {
                    Ok(Some(session)) => sees(&session, &event).then(|| written(&event)),
                    _ => return,
                },
                // Whatever was missed: the page is made anew.
                Err(RecvError::Lagged(_)) => Some(Bytes::from_static(MISSED)),
                Err(RecvError::Closed) => return,
            },
            _ = quiet.tick() => {
                if Instant::now() > ends || !lasts(&sessions, &key) {
                    return;
                }
                Some(Bytes::from_static(b":\n\n"))
            }
        };
    }
}

fn lasts(sessions: &Sessions, key: &str) -> bool {
    sessions.with_key(key).is_ok_and(|session| session.is_some())
}

fn written(event: &Event) -> Bytes {
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
    Bytes::from(format!("event: {kind}\ndata: {}\n\n", json!({"id": id})))
}
