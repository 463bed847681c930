//! Bodies of requests on their way in. Whoever refuses a request drops its body unread; the door reads past it then, before the answer
//! goes out: a connection that is closed, or an HTTP/2 stream that is reset, on a body still on its way takes the answer with it.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::{Request, header};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;

/// The most that is read past, bytes.
const SKIPPED: usize = 1 << 20;
/// It comes within.
const SKIPPED_TIME: Duration = Duration::from_secs(1);

/// The body of a request.
pub struct Inflow {
    body: Option<Incoming>,
    left: Option<oneshot::Sender<Incoming>>,
}

/// What nobody read of a body.
pub(super) struct Unread(oneshot::Receiver<Incoming>);

/// A request, and what will be unread of its body once it is answered.
pub(super) fn watched(request: Request<Incoming>) -> (Request<Inflow>, Unread) {
    let (left, unread) = oneshot::channel();
    // Who asks first whether to send it hears the answer instead.
    let left = (!request.headers().contains_key(header::EXPECT)).then_some(left);
    (request.map(|body| Inflow { body: Some(body), left }), Unread(unread))
}

impl Unread {
    /// Reads past it, if there is any.
    pub(super) async fn skip(mut self) {
        let Ok(mut body) = self.0.try_recv() else { return };
        let past = async {
            let mut bytes = 0;
            while let Some(Ok(frame)) = body.frame().await {
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > SKIPPED {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(SKIPPED_TIME, past).await;
    }
}

impl Body for Inflow {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.body.as_mut().map_or(Poll::Ready(None), |body| Pin::new(body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Inflow {
    fn drop(&mut self) {
        if let (Some(body), Some(left)) = (self.body.take().filter(|body| !body.is_end_stream()), self.left.take()) {
            // Nobody waits for it where the connection is gone.
            let _ = left.send(body);
        }
    }
}
