//! A way to a router whose requests are counted, by what came of them.
//!
//! Each way is counted by itself: where SSH answers after REST had no connection, that is a failed request and a good one.

use crate::base::ids::DeviceId;
use crate::fleet::wire::{Ask, Said, Via, Wire};
use crate::host::metrics::Meter;
use crate::routeros::RouterError;
use futures_util::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use std::time::Instant;

/// Whose requests are counted, and by whom.
#[derive(Debug, Clone)]
pub struct Counts {
    /// The device.
    pub device: DeviceId,
    /// Who counts.
    pub meter: Meter,
}

impl Counts {
    /// `wire`, counted as requests of this protocol.
    pub(super) fn over(&self, via: Via, wire: Arc<dyn Wire>) -> Arc<dyn Wire> {
        Arc::new(Counted { counts: self.clone(), via, wire })
    }
}

struct Counted {
    counts: Counts,
    via: Via,
    wire: Arc<dyn Wire>,
}

impl Counted {
    fn count<T>(&self, began: Instant, result: &Result<T, RouterError>) {
        let (outcome, trouble) = match result {
            Ok(_) => ("ok", None),
            // Nothing was sent.
            Err(RouterError::Argument { .. } | RouterError::Closed { .. }) => return,
            Err(error) => (outcome(error), Some(kind(error))),
        };
        self.counts.meter.router(self.counts.device.as_str(), self.via.as_str(), outcome, trouble, began.elapsed());
    }
}

impl Wire for Counted {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<(Said, Via), RouterError>> {
        async move {
            let began = Instant::now();
            let result = self.wire.ask(ask).await;
            self.count(began, &result);
            result
        }
        .boxed()
    }

    fn knock(&self) -> BoxFuture<'_, Result<(), RouterError>> {
        async move {
            let began = Instant::now();
            let result = self.wire.knock().await;
            self.count(began, &result);
            result
        }
        .boxed()
    }

    fn trouble(&self) -> Option<RouterError> {
        self.wire.trouble()
    }

    fn let_go(&self) {
        self.wire.let_go();
    }
}

/// What a failure means for whoever watches: the router was not there, said no, let us not in, or is another one.
fn outcome(error: &RouterError) -> &'static str {
    match error {
        RouterError::Pin { .. } | RouterError::HostKeyChanged { .. } => "untrusted",
        RouterError::Denied { .. } => "denied",
        RouterError::Rejected { .. } | RouterError::NoSuchMenu { .. } | RouterError::NotFound => "rejected",
        RouterError::Timeout { .. } => "timeout",
        RouterError::LostAnswer { .. } => "lost",
        RouterError::TooLarge { .. } | RouterError::Garbage { .. } | RouterError::NotRouterOs { .. } => "unreadable",
        _ => "unreachable",
    }
}

/// The failure itself.
fn kind(error: &RouterError) -> &'static str {
    match error {
        RouterError::Unreachable { .. } => "unreachable",
        RouterError::Timeout { .. } => "timeout",
        RouterError::Pin { .. } => "certificate_changed",
        RouterError::Tls { .. } => "tls",
        RouterError::PlainOnTls { .. } => "plain_on_tls",
        RouterError::TlsOnPlain { .. } => "tls_on_plain",
        RouterError::NotRouterOs { .. } => "not_routeros",
        RouterError::Denied { .. } => "denied",
        RouterError::Rejected { .. } => "rejected",
        RouterError::NoSuchMenu { .. } => "no_such_menu",
        RouterError::NotFound => "no_such_row",
        RouterError::TooLarge { .. } => "too_large",
        RouterError::Garbage { .. } => "garbage",
        RouterError::LostAnswer { .. } => "lost_answer",
        RouterError::HostKey { .. } => "host_key",
        RouterError::HostKeyChanged { .. } => "host_key_changed",
        RouterError::Argument { .. } => "argument",
        RouterError::Closed { .. } => "closed",
    }
}
