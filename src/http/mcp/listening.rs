//! Open subscriptions of 2026-07-28 (`subscriptions/listen`), as bodies that cost little.
//!
//! rmcp judges the request, acknowledges it and words its result, all in a moment; what comes between the two we tell
//! ourselves. A stream may stay open for days, and rmcp keeps two tasks and three queues for each that is.

use crate::http::Body;
use crate::http::limits::Running;
use crate::mcp::news::{Handover, Tell};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Between two comments, which say that the stream is alive.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// The body of such a stream.
pub struct Listening {
    /// rmcp's, until it has said everything.
    body: Option<Body>,
    handover: Handover,
    /// What is heard; never polled by two at once.
    news: Option<Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    told: Told,
    /// The result, for the end.
    last: Option<Bytes>,
    over: Pin<Box<WaitForCancellationFutureOwned>>,
    silence: Pin<Box<Sleep>>,
    keep_alive: Duration,
    /// It counts among what its caller has running.
    _running: Arc<Running>,
}

impl Listening {
    /// Over rmcp's answer to a request that carried `handover`; `over` asks for the end.
    pub fn new(body: Body, handover: Handover, over: CancellationToken, keep_alive: Duration, running: Arc<Running>) -> Self {
        Listening {
            body: Some(body),
            handover,
            news: None,
            told: Told::default(),
            last: None,
            over: Box::pin(over.cancelled_owned()),
            silence: Box::pin(tokio::time::sleep(keep_alive)),
            keep_alive,
            _running: running,
        }
    }

    /// A frame of rmcp's: passed on, unless it is the result of a subscription that goes on here.
    fn passed(&mut self, frame: Frame<Bytes>) -> Option<Frame<Bytes>> {
        let Some(event) = frame.data_ref().filter(|event| is_result(event)) else { return Some(frame) };
        let Some(subscription) = self.handover.take() else { return Some(frame) };
        self.last = Some(event.clone());
        self.body = None;
        self.told.id = subscription.id.clone();
        let told = self.told.clone();
        self.news = Some(Mutex::new(Box::pin(async move { subscription.news.pass_on(&told).await })));
        None
    }

    fn heard(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(news) = &mut self.news else { return Poll::Ready(None) };
        let ended = news.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(cx).is_ready();
        if let Some(event) = self.told.next() {
            self.silence.as_mut().reset(Instant::now() + self.keep_alive);
            return Poll::Ready(Some(event));
        }
        if ended || self.over.as_mut().poll(cx).is_ready() {
            self.news = None;
            return Poll::Ready(self.last.take());
        }
        std::task::ready!(self.silence.as_mut().poll(cx));
        self.silence.as_mut().reset(Instant::now() + self.keep_alive);
        Poll::Ready(Some(COMMENT))
    }
}

impl HttpBody for Listening {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        while let Some(body) = &mut self.body {
            match std::task::ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Some(frame) = self.passed(frame) {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                None => return Poll::Ready(None),
            }
        }
        self.heard(cx).map(|event| event.map(|event| Ok(Frame::data(event))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_some_and(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// Whether an event of rmcp's is the answer to its request.
fn is_result(event: &[u8]) -> bool {
    let data = event.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"data:"));
    data.and_then(|data| serde_json::from_slice::<Value>(data).ok()).is_some_and(|message| message.get("result").is_some())
}

/// Events on their way, as the protocol writes them.
#[derive(Clone, Default)]
struct Told {
    /// Of the request, which is the subscription's.
    id: Value,
    events: Arc<Mutex<VecDeque<Bytes>>>,
}

impl Told {
    fn next(&self) -> Option<Bytes> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn tell(&self, method: &str, mut params: Value) {
        params["_meta"] = json!({"io.modelcontextprotocol/subscriptionId": self.id});
        let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        let event = Bytes::from(format!("data: {message}\n\n"));
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
    }
}

impl Tell for Told {
    async fn updated(&self, uri: String) -> bool {
        self.tell("notifications/resources/updated", json!({"uri": uri}));
        true
    }

    async fn list_changed(&self) -> bool {
        self.tell("notifications/resources/list_changed", json!({}));
        true
    }

    async fn tools_changed(&self) -> bool {
        self.tell("notifications/tools/list_changed", json!({}));
        true
    }
}
