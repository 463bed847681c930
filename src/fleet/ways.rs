//! The two ways to one router: REST first, the console over SSH where REST cannot.
//!
//! SSH answers when the *connection* for REST fails (refused, unreachable, no TLS session), and for what REST has not: an
//! export, a file. It never answers instead of a refusal: a router that says no over REST, or shows another certificate,
//! is not asked again by a side door. Only reads come this way at all, since a lane asks nothing else.
//!
//! A web server on which REST is switched off altogether (403) is such a failure too: it refuses everybody, not this question.
//! A device that was taken in over SSH alone has no REST until its certificate is pinned; then SSH is all there is.
//!
//! A way that failed is left alone for a while, so that a router without REST does not cost a failed connection a read.
//! At most two connections stay open to one router: SSH hangs up as soon as REST answers.

use crate::base::clock::Clock;
use crate::fleet::counted::Counts;
use crate::fleet::wire::{Ask, Said, Via, Wire};
use crate::routeros::fault::{Denial, Stage};
use crate::routeros::rest::Endpoint as RestEndpoint;
use crate::routeros::ssh::Endpoint as SshEndpoint;
use crate::routeros::{Console, Rest, RouterError, Ssh};
use futures_util::future::{BoxFuture, FutureExt};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long REST is left alone after its connection failed, while SSH answers.
const REST_PAUSE: Duration = Duration::from_secs(20);
/// How long SSH is left alone after its connection failed.
const SSH_PAUSE: Duration = Duration::from_secs(20);
/// After SSH refused our login: each try is an alarm in the router's log. A change of the record starts afresh.
const DENIED_PAUSE: Duration = Duration::from_secs(600);

/// How to connect to a router.
#[derive(Debug, Clone)]
pub struct Dialled {
    /// REST, when there is a login for it and somebody to trust.
    pub rest: Option<RestEndpoint>,
    /// SSH, when its host key is pinned and a login is known to work.
    pub ssh: Option<SshEndpoint>,
    /// For one answer.
    pub timeout: Duration,
    /// Counts what is asked.
    pub counts: Counts,
}

/// Connects nothing yet.
pub(super) fn connect(dialled: Dialled, clock: Clock) -> Result<Arc<dyn Wire>, RouterError> {
    let counts = &dialled.counts;
    let rest = dialled.rest.map(Rest::new).transpose()?.map(|rest| counts.over(Via::Rest, Arc::new(rest)));
    let console = dialled.ssh.map(Ssh::new).transpose()?.map(|ssh| counts.over(Via::Ssh, Arc::new(Console::new(ssh, dialled.timeout))));
    match (rest, console) {
        (Some(rest), Some(console)) => Ok(Arc::new(Ways { rest, console, clock, state: Mutex::default() })),
        (Some(rest), None) => Ok(rest),
        (None, Some(console)) => Ok(console),
        (None, None) => Err(RouterError::argument("there is no way to this device")),
    }
}

struct Ways {
    rest: Arc<dyn Wire>,
    console: Arc<dyn Wire>,
    clock: Clock,
    state: Mutex<State>,
}

/// What stands against a way, and until when (monotonic) that is believed.
#[derive(Default)]
struct State {
    rest: Option<(RouterError, Duration)>,
    ssh: Option<(RouterError, Duration)>,
}

impl Wire for Ways {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<(Said, Via), RouterError>> {
        async move {
            match ask {
                Ask::File { .. } => self.over_ssh(ask).await,
                Ask::Export => self.export(ask).await,
                Ask::ExportByFile(_) | Ask::Write(_) => self.over_rest(ask).await,
                Ask::Print(..) | Ask::Count(..) | Ask::Run { .. } => self.read(ask).await,
            }
        }
        .boxed()
    }

    fn trouble(&self) -> Option<RouterError> {
        self.state().rest.as_ref().map(|(error, _)| error.clone())
    }

    fn let_go(&self) {
        self.console.let_go();
    }
}

impl Ways {
    async fn read(&self, ask: &Ask) -> Result<(Said, Via), RouterError> {
        if let Some(error) = self.rest_trouble() {
            // Known to be out of order a moment ago. If SSH fails as well, the next one tries REST again.
            return match self.over_ssh(ask).await {
                Err(failed) if is_connection_failure(&failed) => {
                    self.state().rest = None;
                    self.over_rest(ask).await
                }
                Err(failed @ RouterError::Denied { .. }) if is_ssh_login(&failed) => Err(error),
                answered => answered,
            };
        }
        let mut answered = self.over_rest(ask).await;
        if self.ssh_trouble().is_some() {
            return answered;
        }
        // A connection may break once without meaning anything; that costs less than a login over SSH.
        if matches!(&answered, Err(RouterError::Unreachable { .. })) {
            answered = self.over_rest(ask).await;
        }
        match answered {
            Err(error) if is_connection_failure(&error) || is_rest_off(&error) => self.instead(ask, error).await,
            answered => answered,
        }
    }

    /// After REST's connection failed. SSH's own failure is told only if it is one of trust.
    async fn instead(&self, ask: &Ask, error: RouterError) -> Result<(Said, Via), RouterError> {
        match self.over_ssh(ask).await {
            Err(failed) if is_connection_failure(&failed) || is_ssh_login(&failed) => Err(error),
            // A refusal is an answer too: the console let us in.
            answered => {
                self.state().rest = Some((error, self.clock.mono() + REST_PAUSE));
                answered
            }
        }
    }

    /// SSH first: the console prints exports without REST's limits of time and size, and where REST is plain HTTP it is the
    /// only way that proves who answers.
    async fn export(&self, ask: &Ask) -> Result<(Said, Via), RouterError> {
        if self.ssh_trouble().is_some() {
            return self.over_rest(ask).await;
        }
        match self.over_ssh(ask).await {
            Err(failed) if is_connection_failure(&failed) || is_ssh_login(&failed) => self.over_rest(ask).await,
            answered => answered,
        }
    }

    async fn over_rest(&self, ask: &Ask) -> Result<(Said, Via), RouterError> {
        let result = self.rest.ask(ask).await;
        if !matches!(&result, Err(error) if error.is_outage() || is_rest_off(error)) {
            let was_out = self.state().rest.take().is_some();
            if was_out {
                self.console.let_go();
            }
        }
        result
    }

    async fn over_ssh(&self, ask: &Ask) -> Result<(Said, Via), RouterError> {
        let result = self.console.ask(ask).await;
        let pause = match &result {
            Err(error) if is_ssh_login(error) => Some((error.clone(), DENIED_PAUSE)),
            Err(error) if is_connection_failure(error) => Some((error.clone(), SSH_PAUSE)),
            _ => None,
        };
        let now = self.clock.mono();
        let rest_works = {
            let mut state = self.state();
            state.ssh = pause.map(|(error, pause)| (error, now + pause));
            state.rest.is_none()
        };
        if rest_works && !matches!(ask, Ask::Print(..) | Ask::Count(..) | Ask::Run { .. }) {
            self.console.let_go();
        }
        result
    }

    fn rest_trouble(&self) -> Option<RouterError> {
        let now = self.clock.mono();
        self.state().rest.as_ref().filter(|(_, until)| now < *until).map(|(error, _)| error.clone())
    }

    fn ssh_trouble(&self) -> Option<RouterError> {
        let now = self.clock.mono();
        self.state().ssh.as_ref().filter(|(_, until)| now < *until).map(|(error, _)| error.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The router never got the question, as far as this way goes: there is no connection, or no session on it.
pub(super) fn is_connection_failure(error: &RouterError) -> bool {
    match error {
        RouterError::Unreachable { .. } | RouterError::Timeout { stage: Stage::Connect, .. } | RouterError::HostKey { .. } => true,
        // Distrust of a certificate is no outage; `is_outage` knows the difference.
        RouterError::Tls { .. } | RouterError::PlainOnTls { .. } | RouterError::TlsOnPlain { .. } => error.is_outage(),
        _ => false,
    }
}

/// What was asked never left us: there was no connection, nobody to trust on it, or it is nothing that can be asked.
pub(super) fn never_left(error: &RouterError) -> bool {
    match error {
        RouterError::Pin { .. } | RouterError::HostKeyChanged { .. } | RouterError::Tls { .. } => true,
        RouterError::Argument { .. } | RouterError::Closed { .. } => true,
        // What answers a plain request so has got it.
        RouterError::TlsOnPlain { .. } => false,
        error => is_connection_failure(error),
    }
}

/// REST is switched off in the web server, for everybody.
fn is_rest_off(error: &RouterError) -> bool {
    matches!(error, RouterError::Denied { denial: Denial::RestOff, .. })
}

/// There is no REST at all, as far as can be seen without a login: nobody listens, no TLS session comes about, or it is
/// switched off. Another service on its port is a slip of whoever named the port, and no such sign.
pub(super) fn is_absent(error: &RouterError) -> bool {
    let another_service = matches!(error, RouterError::PlainOnTls { .. } | RouterError::TlsOnPlain { .. });
    is_rest_off(error) || (is_connection_failure(error) && !another_service)
}

/// SSH does not let us in, or runs nothing for us; says nothing about REST.
fn is_ssh_login(error: &RouterError) -> bool {
    matches!(error, RouterError::Denied { denial: Denial::SshPassword | Denial::SshKey | Denial::SshExec, .. })
}
