//! What probes and clients ask before they are anybody: health, and the metadata of RFC 9728.

use crate::access::oidc::provider::State;
use crate::access::scope::Scope;
use crate::base::clock::Wall;
use crate::base::fault::Kind;
use crate::fleet::Status;
use crate::http::fault::{self, Refusal};
use crate::http::tls::Tls;
use crate::http::{Asked, Body, Edge, bearer, trouble};
use crate::store::{Batch, Durability, Store};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Health in one look.
const HEALTH: &str = "/health";
/// Whether the process turns.
const LIVE: &str = "/health/live";
/// Whether it can do its work.
const READY: &str = "/health/ready";

/// How long an outcome of writing to the store is believed.
const BELIEVED: Duration = Duration::from_secs(1);
/// Between two real writes: probes come all day, and flash wears out.
const WRITTEN: Duration = Duration::from_secs(60);
/// A store that does not answer for so long counts as broken.
const PATIENCE: Duration = Duration::from_secs(2);

/// A certificate that ends within this is worth a word.
const SOON: Duration = Duration::from_secs(14 * 86_400);

/// The table of what belongs to the appliance itself.
const BOX: &str = "appliance";

/// Whether the path is one of these, which any Host may ask for.
pub fn is_health(path: &str) -> bool {
    matches!(path, HEALTH | LIVE | READY)
}

/// What is known of the store.
#[derive(Default)]
pub struct Health {
    seen: Mutex<Seen>,
    /// One probe writes, the others wait for what it finds.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default, Clone, Copy)]
struct Seen {
    looked_at: Option<Duration>,
    wrote_at: Option<Duration>,
    is_writable: bool,
}

impl Health {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the store takes writes, as of a moment ago.
    async fn is_writable(&self, store: &Store, now: Duration) -> bool {
        let fresh = |seen: &Seen| seen.looked_at.is_some_and(|at| now.saturating_sub(at) < BELIEVED);
        let seen = *self.seen();
        if fresh(&seen) {
            return seen.is_writable;
        }
        let _looking = self.looking.lock().await;
        let seen = *self.seen();
        if fresh(&seen) {
            return seen.is_writable;
        }
        let writes = !seen.is_writable || seen.wrote_at.is_none_or(|at| now.saturating_sub(at) >= WRITTEN);
        // An empty batch finds out about a disk that refused what waits, and writes nothing itself.
        let batch = if writes { Batch::new().put(BOX, "health", now.as_millis().to_string().into_bytes()) } else { Batch::new() };
        let durability = if writes { Durability::Now } else { Durability::Soon };
        let outcome = tokio::time::timeout(PATIENCE, store.commit(batch, durability)).await;
        let is_writable = matches!(outcome, Ok(Ok(())));
        *self.seen() = Seen { looked_at: Some(now), wrote_at: if writes { Some(now) } else { seen.wrote_at }, is_writable };
        is_writable
    }
}

/// Answers one of the three.
pub async fn health<B>(edge: &Edge, path: &str, asked: &Asked, request: &Request<B>) -> Result<Response<Body>, Refusal> {
    fault::only_reads(request.method())?;
    if path == LIVE {
        return Ok(fault::json(StatusCode::OK, &json!({"status": "live"})));
    }
    let world = edge.dispatch.world();
    let draining = edge.stop.is_cancelled();
    let stores = !draining && edge.health.is_writable(&world.store, world.clock.mono()).await;
    // No audit, no change: a trail that takes no records is as good as a store that takes none.
    let writable = stores && !world.audit.is_failing();
    let fleet = Fleet::of(edge);
    if path == READY {
        let ready = writable && (fleet.total == 0 || fleet.reachable > 0);
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        return Ok(fault::json(status, &json!({"status": if ready { "ready" } else { "not_ready" }})));
    }
    let word = match (writable, fleet.unreachable) {
        (false, _) => "unhealthy",
        (true, 0) => "healthy",
        (true, _) => "degraded",
    };
    let mut document = json!({
        "status": word,
        "timestamp": world.clock.wall().rfc3339(),
        "version": env!("CARGO_PKG_VERSION"),
        "database": if stores || draining { "connected" } else { "unwritable" },
        "oidc": provider(edge),
    });
    if bearer::is_known(edge, asked, request.headers()).await {
        document["devices"] = json!({"total": fleet.total, "reachable": fleet.reachable, "unreachable": fleet.unreachable});
        let mut errors: Vec<String> = Vec::new();
        if draining {
            errors.push("shutting down".into());
        } else if !stores {
            errors.push("the store cannot be written".into());
        }
        errors.extend(trouble::of(edge));
        if let Some(tls) = &edge.tls {
            document["certificate"] = certificate(tls);
            errors.extend(ailing(tls, world.clock.wall()));
        }
        match edge.oidc.as_ref().map(|oidc| oidc.state()) {
            Some(State::Bad(_)) => errors.push("the identity provider cannot be used".into()),
            Some(State::NoClock) => errors.push("the clock does not know the date: tokens of the identity provider wait for it".into()),
            _ => {}
        }
        document["errors"] = json!(errors);
    }
    let status = if word == "unhealthy" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Ok(fault::json(status, &document))
}

/// The certificate in use, and how it stands with its authority.
fn certificate(tls: &Tls) -> Value {
    let mut shown = json!({
        "source": tls.source(),
        "fingerprint": tls.fingerprint(),
        "ends": tls.ends().map(Wall::rfc3339),
        "self_signed": tls.is_own(),
    });
    if let Some(acme) = tls.acme() {
        let status = acme.status();
        shown["acme"] = json!({"state": status.word, "said": status.said, "next_try": status.next.map(Wall::rfc3339)});
    }
    shown
}

impl Edge {
    /// Says when the certificate in use ends. One of our own making is made anew at each start and stands for nobody's name.
    pub fn tell_certificate(&self) {
        let ends = self.tls.as_ref().filter(|tls| tls.source() == "files" || !tls.is_own()).and_then(|tls| tls.ends());
        self.dispatch.world().alerts.certificate_ends(ends);
    }

    /// Writes to the log what is odd at a start, and no reason not to.
    pub fn warn(&self) {
        let (world, now) = (self.dispatch.world(), self.dispatch.world().clock.wall());
        let clock = (!now.is_plausible()).then(|| trouble::CLOCK.to_owned());
        let ends = self.tls.as_ref().and_then(|tls| ending(tls.ends(), now));
        let devices = world.fleet.list().is_empty().then(|| "no devices yet: add one with `routeros-mcp device add`".to_owned());
        clock.into_iter().chain(world.alerts.low_disk()).chain(ends).chain(devices).for_each(|said| tracing::warn!("{said}"));
    }
}

/// What is wrong with the certificate, or soon will be.
fn ailing(tls: &Tls, now: Wall) -> Vec<String> {
    let acme = tls.acme().map(|acme| acme.status()).filter(|status| status.word == "failing").and_then(|status| status.said);
    acme.into_iter().chain(ending(tls.ends(), now)).collect()
}

/// That a certificate has ended, or soon will.
pub fn ending(ends: Option<Wall>, now: Wall) -> Option<String> {
    match ends.map(|ends| ends.0 - now.0).filter(|_| now.is_plausible()) {
        Some(left) if left <= 0 => Some("the certificate in use has ended".to_owned()),
        Some(left) if left < SOON.as_millis() as i64 => Some(format!("the certificate in use ends within {} days", left / 86_400_000 + 1)),
        _ => None,
    }
}

/// How things stand with the identity provider. One that nobody has asked yet is not called unreachable.
fn provider(edge: &Edge) -> &'static str {
    match edge.oidc.as_ref().map(|oidc| oidc.state()) {
        None => "disabled",
        Some(State::Good | State::Fresh) => "configured",
        Some(State::Bad(_) | State::NoClock) => "unreachable",
    }
}

/// Active devices, by how they last answered.
struct Fleet {
    total: usize,
    reachable: usize,
    unreachable: usize,
}

impl Fleet {
    fn of(edge: &Edge) -> Fleet {
        let devices = edge.dispatch.world().fleet.list();
        let count = |wanted: &dyn Fn(Status) -> bool| devices.iter().filter(|device| wanted(device.status)).count();
        Fleet {
            total: count(&|status| status != Status::Decommissioned),
            reachable: count(&|status| status == Status::Reachable),
            unreachable: count(&|status| matches!(status, Status::Unreachable | Status::Quarantined)),
        }
    }
}

/// The document of RFC 9728. Without an identity provider there is no authorization server to name: tokens come from an
/// administrator. The provider need not be there: what is named is what is configured.
pub fn metadata(edge: &Edge, asked: &Asked, method: &Method) -> Result<Response<Body>, Refusal> {
    fault::only_reads(method)?;
    let Some(base) = edge.settings.base.as_deref() else {
        return Err(Refusal::of(StatusCode::NOT_FOUND, Kind::NotFound.as_str(), "MCP is not offered over HTTP here")
            .hint("set mcp.transport to http or both"));
    };
    let mut document = Map::new();
    document.insert("resource".into(), format!("{}{base}", asked.origin).into());
    if let Some(oidc) = &edge.oidc {
        document.insert("authorization_servers".into(), json!([oidc.settings().issuer]));
    }
    document.insert("resource_name".into(), edge.server_name.clone().into());
    document.insert("bearer_methods_supported".into(), json!(["header"]));
    document.insert("scopes_supported".into(), json!([Scope::Read.as_str(), Scope::Write.as_str(), Scope::Plan.as_str()]));
    Ok(fault::json(StatusCode::OK, &Value::Object(document)))
}
