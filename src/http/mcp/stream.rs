//! A stream that stays open only as long as its caller may be there: a token that is revoked or ends takes its streams with it.

use crate::access::Access;
use crate::access::principal::Principal;
use crate::base::clock::Wall;
use crate::host::metrics::Up;
use crate::http::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Interval, interval_at};

/// Between two looks at the caller's token.
const LOOK: Duration = Duration::from_secs(2);

/// The body of such a stream.
pub struct Watched {
    body: Body,
    access: Access,
    who: Arc<Principal>,
    expires_at: Option<Wall>,
    look: Interval,
    ended: bool,
    _open: Up,
}

impl Watched {
    /// Over a body that may take long; `open` counts it meanwhile.
    pub fn new(body: Body, access: Access, who: Arc<Principal>, expires_at: Option<Wall>, open: Up) -> Self {
        Watched { body, access, who, expires_at, look: interval_at(Instant::now() + LOOK, LOOK), ended: false, _open: open }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        while !self.ended && self.look.poll_tick(cx).is_ready() {
            if !self.access.still_open(&self.who, self.expires_at) {
                tracing::info!(who = self.who.name, "a stream ends with the token of its caller");
                self.ended = true;
            }
        }
        if self.ended { Poll::Ready(None) } else { Pin::new(&mut self.body).poll_frame(cx) }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
