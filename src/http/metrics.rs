//! `GET /metrics`: what was counted, for Prometheus.
//!
//! For a token with the scope `metrics`, and without one for a program on this very machine. Whether it is on this machine is
//! not taken for granted where a proxy stands before us: a client that a trusted proxy names is judged by its own address, and a
//! request that carries word of another client, or comes from a proxy that tells of none, is nobody's.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use crate::access::scope::Scope;
use crate::fleet::Status;
use crate::host::metrics::{Page, Vitals};
use crate::http::fault::{self, Refusal};
use crate::http::{Asked, Body, Edge, Peer, bearer};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};

/// Where they are.
pub const PATH: &str = "/metrics";

/// The type of the text.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Where metrics are offered, `[metrics]` in the config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offered {
    /// Nowhere.
    No,
    /// On the listener, beside everything else.
    Here,
    /// On a listener of their own.
    Apart {
        /// Address or name to listen on.
        host: String,
        /// Port; 0 takes any free one.
        port: u16,
    },
}

/// Which listener a connection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// The one for everything.
    All,
    /// The one for metrics alone.
    Metrics,
}

impl Offered {
    /// Whether they are at this listener.
    pub fn at(&self, face: Face) -> bool {
        match self {
            Offered::No => false,
            Offered::Here => face == Face::All,
            Offered::Apart { .. } => face == Face::Metrics,
        }
    }
}

/// Answers a request for them.
pub async fn answer<B>(edge: &Edge, peer: Peer, asked: &Asked, request: &Request<B>) -> Result<Response<Body>, Refusal> {
    fault::only_reads(request.method())?;
    if request.headers().contains_key(header::AUTHORIZATION) || !is_here(edge, peer, asked) {
        let caller = bearer::caller(edge, asked, request.headers()).await?;
        edge.take(&caller.principal)?;
        if !caller.scopes.contains(&Scope::Metrics) {
            edge.meter().denied(caller.principal.role.as_str(), "scope");
            return Err(bearer::insufficient(edge, asked, &[Scope::Metrics]));
        }
    }
    let text = edge.meter().page(&page(edge).await);
    let mut response = fault::text(StatusCode::OK, text);
    response.headers_mut().insert(header::CONTENT_TYPE, TEXT);
    Ok(response)
}

/// Whether a program on this machine asks: itself, or by the word of a proxy that is believed.
fn is_here(edge: &Edge, peer: Peer, asked: &Asked) -> bool {
    let is_told = edge.is_proxy(peer) && asked.client != peer.address.ip().to_canonical();
    asked.is_here || (is_told && asked.client.is_loopback())
}

async fn page(edge: &Edge) -> Page {
    let world = edge.dispatch.world();
    let mut devices = world.fleet.list();
    devices.retain(|device| device.status != Status::Decommissioned);
    let vitals = devices.iter().map(|device| {
        let health = world.health(&device.id);
        let (sample, verdict) = (health.as_ref().map(|(sample, _)| sample), health.as_ref().map(|(_, verdict)| verdict));
        let ratio = |percent: Option<u8>| percent.map(|percent| f64::from(percent) / 100.0);
        Vitals {
            device: device.id.to_string(),
            reachable: match device.status {
                Status::Reachable => Some(true),
                Status::Unreachable | Status::Quarantined => Some(false),
                _ => None,
            },
            score: verdict.map(|verdict| verdict.score),
            cpu: ratio(sample.and_then(|sample| sample.cpu_percent)),
            memory: ratio(sample.and_then(|sample| sample.memory_percent)),
            uptime: sample.and_then(|sample| sample.uptime_seconds),
        }
    });
    let devices = vitals.collect();
    let sessions = match &edge.mcp {
        Some(mcp) => mcp.open_sessions().await,
        None => 0,
    };
    Page { devices, sessions, subscriptions: edge.watchers.open() }
}

/// The path as metrics have it: a fixed set, whatever is asked for.
pub fn route(path: &str, base: Option<&str>) -> &'static str {
    match path {
        path if Some(path) == base => "mcp",
        PATH => "metrics",
        "/health" | "/health/live" | "/health/ready" => "health",
        path if path.starts_with(crate::http::METADATA) => "oauth_metadata",
        path if path.starts_with("/.well-known/acme-challenge/") => "acme",
        path if path.starts_with(crate::http::admin::api::BASE) => "admin_api",
        path if path == "/admin" || path.starts_with("/admin/") => "admin",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_whoever_is_one_of_a_few_routes() {
        for (path, name) in [
            ("/mcp", "mcp"),
            ("/mcp/x", "other"),
            ("/metrics", "metrics"),
            ("/health/ready", "health"),
            ("/admin/api/v1/devices/edge-7", "admin_api"),
            ("/admin/app.js", "admin"),
            ("/.well-known/oauth-protected-resource/mcp", "oauth_metadata"),
            ("/wp-login.php", "other"),
        ] {
            assert_eq!(route(path, Some("/mcp")), name, "{path}");
        }
        assert_eq!(route("/mcp", None), "other");
    }
}
