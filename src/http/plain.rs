//! The plain port beside TLS: shows an authority the proofs of http-01, and sends everybody else to https.
//!
//! Nothing is served here and nobody is anybody: no token is looked at, no body is read, and whoever sends a token over an
//! open line gets no redirect that would make it look right.

use crate::base::fault::Fault;
use crate::host::sockets::Sockets;
use crate::http::acme::Proof;
use crate::http::patience::Patient;
use crate::http::tls::Source;
use crate::http::{Body, Edge, Settings, ears, fault, well_formed};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections at one time: an authority looks from a handful of places.
const CONNECTIONS: usize = 64;
/// A connection is over after this, whatever it did.
const MOST: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD: usize = 16 * 1024;

/// The open port.
pub struct Plain {
    sockets: Vec<TcpListener>,
}

impl Plain {
    /// Opens it, where there is something to do for it: proofs of http-01, or a passed socket `http` beside TLS.
    pub async fn open(settings: &Settings, passed: &Sockets) -> Result<Option<Plain>, Fault> {
        if settings.tls == Source::Off {
            return Ok(None);
        }
        let mut sockets = ears::adopt(passed.take("http"))?;
        if let Source::Acme(acme) = &settings.tls
            && acme.proof == Proof::Http01
            && sockets.is_empty()
        {
            sockets.push(ears::bind(&settings.host, acme.http_port, "acme.http_port").await?);
        }
        Ok((!sockets.is_empty()).then_some(Plain { sockets }))
    }

    /// Where it is.
    pub(super) fn all(&self) -> impl Iterator<Item = SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok())
    }

    /// Serves it until `stop` fires.
    pub(super) async fn serve(self, edge: Arc<Edge>, stop: CancellationToken) {
        let (seats, tasks) = (Arc::new(Semaphore::new(CONNECTIONS)), TaskTracker::new());
        let each = self.sockets.into_iter().map(|socket| listen(socket, edge.clone(), seats.clone(), tasks.clone()));
        tokio::select! {
            () = stop.cancelled() => {}
            _ = futures_util::future::join_all(each) => {}
        }
    }
}

async fn listen(socket: TcpListener, edge: Arc<Edge>, seats: Arc<Semaphore>, tasks: TaskTracker) {
    loop {
        let accepted = socket.accept().await;
        match accepted {
            Ok((stream, _)) => {
                let Ok(seat) = seats.clone().try_acquire_owned() else { continue };
                let edge = edge.clone();
                tasks.spawn(async move {
                    let _ = tokio::time::timeout(MOST, connection(stream, edge)).await;
                    drop(seat);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection taken on the plain port");
                tokio::time::sleep(ears::BREATH).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, edge: Arc<Edge>) {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(MOST).max_buf_size(HEAD).keep_alive(false);
    let service = service_fn(|request| {
        let response = answer(&edge, &request);
        async move { Ok::<_, Infallible>(response) }
    });
    if let Err(error) = http.serve_connection(TokioIo::new(Patient::new(stream, MOST)), service).await {
        tracing::debug!(%error, "connection on the plain port ended");
    }
}

fn answer(edge: &Edge, request: &Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let proof = edge.proof(path).filter(|_| is_reading);
    let mut response = match (proof, target(edge.settings.public_url.as_deref(), request)) {
        (Some(proof), _) => proof,
        (None, Some(target)) if is_reading => {
            let mut response = fault::empty(StatusCode::PERMANENT_REDIRECT);
            response.headers_mut().insert(header::LOCATION, target);
            response
        }
        _ => fault::text(StatusCode::NOT_FOUND, "there is nothing here over plain HTTP\n".into()),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The same at our public https address, if we have one and the request is one that may be repeated there.
fn target<B>(public_url: Option<&str>, request: &Request<B>) -> Option<HeaderValue> {
    let public: Uri = public_url?.parse().ok()?;
    let is_fit =
        public.scheme_str() == Some("https") && well_formed(request).is_ok() && !request.headers().contains_key(header::AUTHORIZATION);
    let rest = request.uri().path_and_query().filter(|_| is_fit)?;
    HeaderValue::from_str(&format!("https://{}{rest}", public.authority()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_without_secrets_are_sent_on_and_only_to_our_own_address() {
        let target = |public: Option<&str>, uri: &str, more: Option<&str>| {
            let mut request = Request::builder().uri(uri).header("host", "evil.example");
            if let Some(more) = more {
                request = request.header("authorization", more);
            }
            target(public, &request.body(()).unwrap()).map(|target| target.to_str().unwrap().to_owned())
        };
        let ours = Some("https://mcp.example:8443/");
        assert_eq!(target(ours, "/mcp?a=1", None).as_deref(), Some("https://mcp.example:8443/mcp?a=1"));
        assert_eq!(target(ours, "http://evil.example/x", None).as_deref(), Some("https://mcp.example:8443/x"));
        assert_eq!(target(ours, "//evil.example/x", None).as_deref(), Some("https://mcp.example:8443//evil.example/x"));
        assert_eq!(target(ours, "/mcp", Some("Bearer rmcp_x")), None);
        assert_eq!(target(ours, "/mcp?access_token=x", None), None);
        assert_eq!(target(Some("http://mcp.example"), "/mcp", None), None);
        assert_eq!(target(None, "/mcp", None), None);
    }
}
