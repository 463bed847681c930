//! What is known of the identity provider: its metadata and keys, fetched when needed and kept.
//!
//! - Asked for in the background at start and from time to time, and in between when a token names a key that is not known;
//!   by one request at a time, and not more often than every few seconds, however many tokens want it. A caller whose token
//!   comes too soon after another one's waits for that, within bounds: the key may be new.
//! - What was good last is kept while the provider is away or talks nonsense: tokens go on working, and so do we.
//! - With a clock that stands in 1970 nobody is asked: no certificate would be valid.
//!
//! Source: OpenID Connect Discovery 1.0, RFC 8414, RFC 9207

use crate::access::oidc::keys::Keys;
use crate::base::clock::Clock;
use crate::host::outgoing::Outgoing;
use openidconnect::core::CoreProviderMetadata;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Between two requests that tokens cause.
const BETWEEN: Duration = Duration::from_secs(5);
/// Callers that may wait for the next of them; more are refused at once.
const WAITING: usize = 64;
/// None waits longer for its turn.
const TURN: Duration = Duration::from_secs(15);
/// Between two looks in the background while all is well.
const STEADY: Duration = Duration::from_secs(15 * 60);
/// The first and the longest pause while it is not.
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// What one look at the provider found.
#[derive(Debug)]
pub struct Found {
    /// Its addresses.
    pub metadata: CoreProviderMetadata,
    /// Its answers to a sign-in name the issuer (RFC 9207).
    pub names_issuer: bool,
    /// Its keys.
    pub keys: Keys,
}

/// How things stand with the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nobody has asked it yet.
    Fresh,
    /// The last look was good.
    Good,
    /// The last look was not; for operators.
    Bad(String),
    /// Our clock does not know the date.
    NoClock,
}

/// The provider of one issuer.
pub struct Provider {
    issuer: String,
    outgoing: Outgoing,
    clock: Clock,
    seen: Mutex<Seen>,
    /// Whoever has it asks.
    turn: tokio::sync::Mutex<()>,
    waiting: Semaphore,
}

struct Seen {
    found: Option<Arc<Found>>,
    state: State,
    /// Looks begun, whoever wanted them.
    looks: u64,
    /// When a token last caused one.
    asked_at: Option<Duration>,
}

impl Provider {
    /// Asks nothing yet.
    pub fn new(issuer: String, outgoing: Outgoing, clock: Clock) -> Self {
        let seen = Seen { found: None, state: State::Fresh, looks: 0, asked_at: None };
        Provider { issuer, outgoing, clock, seen: Mutex::new(seen), turn: tokio::sync::Mutex::default(), waiting: Semaphore::new(WAITING) }
    }

    /// What was found last, if anything was.
    pub fn known(&self) -> Option<Arc<Found>> {
        self.seen().found.clone()
    }

    /// How the last look went.
    pub fn state(&self) -> State {
        if self.clock.wall().is_plausible() { self.seen().state.clone() } else { State::NoClock }
    }

    /// What is known; asks when nothing is.
    pub async fn ready(&self) -> Option<Arc<Found>> {
        match self.known() {
            Some(found) => Some(found),
            None => self.newer(None).await,
        }
    }

    /// Something newer than `than`, or the same again where a look that began after this call found nothing newer.
    pub async fn newer(&self, than: Option<&Arc<Found>>) -> Option<Arc<Found>> {
        let Ok(_place) = self.waiting.try_acquire() else { return self.known() };
        let looks = self.seen().looks;
        let Ok(_turn) = tokio::time::timeout(TURN, self.turn.lock()).await else { return self.known() };
        let known = self.known();
        let is_newer = match (&known, than) {
            (Some(known), Some(than)) => !Arc::ptr_eq(known, than),
            (Some(_), None) => true,
            (None, _) => false,
        };
        // Who had the turn meanwhile asked for all that waited.
        if is_newer || self.seen().looks > looks || !self.clock.wall().is_plausible() {
            return known;
        }
        let asked_at = self.seen().asked_at;
        let left = asked_at.and_then(|at| BETWEEN.checked_sub(self.clock.mono().saturating_sub(at))).filter(|left| !left.is_zero());
        match left {
            // Without any keys there is nothing to compare: who asks for them comes back.
            Some(_) if known.is_none() => return None,
            Some(left) => self.clock.sleep(left).await,
            None => {}
        }
        self.seen().asked_at = Some(self.clock.mono());
        self.look().await;
        self.known()
    }

    /// Looks from time to time until the end.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut pause = RETRY.0;
        loop {
            if self.clock.wall().is_plausible() {
                let turn = self.turn.lock().await;
                tokio::select! {
                    () = self.look() => {}
                    () = stop.cancelled() => return,
                }
                drop(turn);
            }
            pause = match self.state() {
                State::Good => STEADY,
                State::NoClock | State::Fresh => RETRY.0,
                State::Bad(_) if pause == STEADY => RETRY.0,
                State::Bad(_) => (pause * 2).min(RETRY.1),
            };
            tokio::select! {
                () = self.clock.sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// One look, by whoever has the turn.
    async fn look(&self) {
        self.seen().looks += 1;
        let found = self.fetch().await;
        let mut seen = self.seen();
        match found {
            Ok(found) => {
                if seen.state != State::Good {
                    tracing::info!(issuer = self.issuer, "the identity provider is there");
                }
                let same = seen.found.as_ref().is_some_and(|known| known.keys == found.keys && known.metadata == found.metadata);
                if !same {
                    seen.found = Some(Arc::new(found));
                }
                seen.state = State::Good;
            }
            Err(why) => {
                let has_keys = seen.found.is_some();
                if !matches!(seen.state, State::Bad(_)) {
                    tracing::warn!(issuer = self.issuer, why, has_keys, "the identity provider cannot be used; local users can sign in");
                }
                seen.state = State::Bad(why);
            }
        }
    }

    async fn fetch(&self) -> Result<Found, String> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let document = self.document(&url).await?;
        let value: Value = serde_json::from_slice(&document).map_err(|_| "its metadata is not JSON".to_owned())?;
        // Before the rest is read: whoever answers for another issuer has nothing to say here.
        if value.get("issuer").and_then(Value::as_str) != Some(self.issuer.as_str()) {
            return Err("its metadata is of another issuer: oidc.provider_url must be exactly its `issuer`".into());
        }
        let metadata: CoreProviderMetadata =
            serde_json::from_value(value.clone()).map_err(|error| format!("its metadata lacks something: {error}"))?;
        let keys = Keys::parse(&self.document(metadata.jwks_uri().as_str()).await?)?;
        let names_issuer = value.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true));
        Ok(Found { metadata, names_issuer, keys })
    }

    async fn document(&self, url: &str) -> Result<Vec<u8>, String> {
        let answer = self.outgoing.get(url).await.map_err(|error| error.to_string())?;
        match answer.status().as_u16() {
            200 => Ok(answer.into_body()),
            status => Err(format!("{url} answered {status}")),
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
