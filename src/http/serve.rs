//! The open listener: everything that stands behind it is put together here, in the order in which it is needed.

use crate::base::fault::Fault;
use crate::http::acme;
use crate::http::admin::Admin;
use crate::http::door::Door;
use crate::http::ears::{self, Ears};
use crate::http::hosts::Hosts;
use crate::http::limits::{Calls, Failures, Rates};
use crate::http::mcp::Mcp;
use crate::http::metrics;
use crate::http::ops::Health;
use crate::http::plain::Plain;
use crate::http::tls::{self, Tls};
use crate::http::{Edge, Parts, Settings};
use crate::mcp::provider::{Ends, Provider};
use hyper::Uri;
use rustls::pki_types::CertificateDer;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The open listener.
pub struct Listener {
    /// Where it is: `https://127.0.0.1:41233`.
    pub url: String,
    /// Where metrics are, when they have a listener of their own: `http://127.0.0.1:9436/metrics`.
    pub metrics_url: Option<String>,
    /// Every address that we listen on, the plain port's and the metrics' too.
    pub at: Vec<SocketAddr>,
    edge: Arc<Edge>,
}

impl Listener {
    /// Opens the listener and serves it in `tasks` until `stop` fires. MCP is answered by `provider`.
    ///
    /// Errs with `Unreachable` when the address cannot be had, `Config` when the certificate cannot be used.
    pub async fn bind(
        provider: impl Provider,
        parts: Parts,
        mut settings: Settings,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Listener, Fault> {
        let world = parts.dispatch.world().clone();
        tls::check(&settings.tls)?;
        let ears = ears::open(&settings, &parts.sockets).await?;
        let plain = Plain::open(&settings, &parts.sockets).await?;
        let local = ears.local()?;
        let names = names(&settings, local.ip());
        let tls = Tls::new(settings.tls.clone(), names, &world.store, &parts.seal, &world.clock).await?.map(Arc::new);
        let hosts =
            Hosts::new(&settings.host, local.ip(), settings.public_url.as_deref(), &settings.allowed_hosts, &settings.allowed_origins);
        let (end, ends) = (CancellationToken::new(), Ends { over: stop.clone(), late: CancellationToken::new() });
        let late = ends.late.clone();
        let mcp = settings.base.as_ref().map(|_| {
            let spine = (parts.dispatch.clone(), parts.mcp.clone());
            Mcp::new(provider, spine, &settings.limits, tasks.clone(), ends, end.clone())
        });
        let apart = ears::for_metrics(&mut settings, &parts.sockets).await?;
        let at = ears.all().chain(plain.iter().flat_map(Plain::all)).chain(apart.iter().flat_map(Ears::all)).collect();
        let calls = Calls::new(world.clock.clone(), settings.limits.rates);
        let failures = Failures::new(world.clock.clone(), settings.limits.failures);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{local}");
        let callback = parts.oidc.as_ref().and_then(|oidc| oidc.settings().redirect_uri.as_deref());
        let callback = callback.and_then(|url| url.parse::<Uri>().ok()).map(|url| url.path().to_owned());
        let admin = Admin { sessions: parts.sessions, seal: parts.seal.clone(), secure: !settings.plain_cookies, callback };
        let edge = Arc::new(Edge {
            settings,
            dispatch: parts.dispatch,
            server_name: parts.mcp.server_name.clone(),
            hosts,
            failures,
            calls,
            oidc: parts.oidc,
            admin,
            mcp,
            watchers: parts.mcp.watchers.clone(),
            health: Health::default(),
            tls: tls.clone(),
            stop: stop.clone(),
            tasks: tasks.clone(),
        });
        if let Some(tls) = &tls {
            if let Some(plain) = plain {
                tasks.spawn(plain.serve(edge.clone(), stop.clone()));
            }
            tasks.spawn(tls.clone().keep_up(stop));
        }
        let door = Door::new(edge.clone(), late, end);
        let metrics_url = match apart {
            Some(apart) => {
                let url = format!("{scheme}://{}{}", apart.local()?, metrics::PATH);
                tasks.spawn(door.for_metrics().serve(apart));
                Some(url)
            }
            None => None,
        };
        tasks.spawn(door.serve(ears));
        Ok(Listener { url, metrics_url, at, edge })
    }

    /// SHA-256 of the certificate in use; nothing for plain HTTP.
    pub fn fingerprint(&self) -> Option<String> {
        self.edge.tls.as_ref().map(|tls| tls.fingerprint())
    }

    /// The certificate in use, DER; nothing for plain HTTP.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.edge.tls.as_ref()?.certificate()
    }

    /// Whether that certificate only stands in until an authority gives one.
    pub fn is_provisional(&self) -> bool {
        self.edge.tls.as_ref().is_some_and(|tls| tls.acme().is_some() && tls.is_own())
    }

    /// How it stands with the authority, if certificates come from one.
    pub fn acme(&self) -> Option<acme::Status> {
        self.edge.tls.as_ref()?.acme().map(|acme| acme.status())
    }

    /// From now on callers may do so much; see `rate_limit` in the configuration.
    pub fn allow(&self, rates: Option<Rates>, failures: u32) {
        self.edge.calls.allow(rates);
        self.edge.failures.allow(failures);
    }

    /// Reads the certificate's files again; whether there are any.
    pub fn reload(&self) -> Result<bool, Fault> {
        self.edge.tls.as_ref().map_or(Ok(false), |tls| tls.reload())
    }
}

/// The names on a certificate of our own.
fn names(settings: &Settings, local: IpAddr) -> Vec<String> {
    let bare = |host: &str| host.trim_matches(['[', ']']).to_owned();
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    if let tls::Source::Acme(acme) = &settings.tls {
        names.extend(acme.domains.iter().cloned());
    }
    names.extend(settings.public_url.as_deref().and_then(|url| url.parse::<Uri>().ok()).and_then(|url| url.host().map(bare)));
    names.extend(settings.allowed_hosts.iter().filter_map(|host| host.parse::<Uri>().ok()?.host().map(bare)));
    if local.is_unspecified() {
        names.extend(std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_ascii_lowercase()));
    } else {
        names.push(bare(&settings.host));
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| !name.is_empty() && name.is_ascii() && seen.insert(name.clone()));
    names
}
