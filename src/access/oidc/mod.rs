//! Callers that an identity provider vouches for: access tokens over HTTP, and people who sign in through it.
//!
//! A caller is `issuer|subject`. Its role comes from a claim that the operator maps; nobody without a mapped value has any
//! access. An identity that is linked to a local user is that user's person, and out when that user is disabled.
//!
//! Source: RFC 9068, <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>

pub mod claims;
pub mod jwt;
pub mod keys;
pub mod provider;
pub mod sign_in;

use crate::access::local::Access;
use crate::access::person::Identity;
use crate::access::principal::{Client, Limits, Principal};
use crate::access::role::Role;
use crate::access::token::{Bearer, Refused};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::host::outgoing::Outgoing;
use jwt::{Jwt, Rules};
use provider::{Found, Provider, State};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tokens whose signature is remembered as good: it costs more to check than all the rest of a call.
const REMEMBERED: usize = 512;

/// The provider and what its tokens mean, `[oidc]` in the config file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The issuer, exactly as in its tokens.
    pub issuer: String,
    /// Our client there.
    pub client_id: String,
    /// Its secret; without one we are a public client.
    pub client_secret: Option<Secret>,
    /// Whom access tokens must be for.
    pub audience: String,
    /// Scopes asked for at sign-in.
    pub scopes: Vec<String>,
    /// Where people come back to; `None`: our own callback.
    pub redirect_uri: Option<String>,
    /// The claim that roles come from.
    pub role_claim: String,
    /// Its values.
    pub role_map: BTreeMap<String, Role>,
    /// The claim that limits a caller to devices.
    pub device_claim: Option<String>,
    /// How far clocks may differ.
    pub skew: Duration,
}

/// The identity provider; clones share it.
#[derive(Clone)]
pub struct Oidc(Arc<Inner>);

struct Inner {
    settings: Settings,
    provider: Arc<Provider>,
    outgoing: Outgoing,
    access: Access,
    clock: Clock,
    signed: Mutex<Signed>,
}

/// SHA-256 of tokens whose signature was good, by the keys it was checked with.
#[derive(Default)]
struct Signed {
    keys: Option<Arc<Found>>,
    tokens: HashSet<[u8; 32]>,
}

impl Oidc {
    /// Asks nobody yet.
    pub fn new(settings: Settings, access: Access, outgoing: Outgoing, clock: Clock) -> Self {
        let provider = Arc::new(Provider::new(settings.issuer.clone(), outgoing.clone(), clock.clone()));
        Oidc(Arc::new(Inner { settings, provider, outgoing, access, clock, signed: Mutex::default() }))
    }

    /// Keeps what is known of the provider fresh, in the background.
    pub fn start(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        tasks.spawn(self.0.provider.clone().watch(stop.clone()));
    }

    /// How it is set up.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What a session that began under these settings was judged by: with others it ends.
    pub fn terms(&self) -> String {
        let Settings { issuer, client_id, role_claim, role_map, device_claim, .. } = &self.0.settings;
        let roles: Vec<_> = role_map.iter().map(|(value, role)| (value, role.as_str())).collect();
        let terms = serde_json::json!([issuer, client_id, role_claim, roles, device_claim]).to_string();
        crate::base::ids::hex(ring::digest::digest(&ring::digest::SHA256, terms.as_bytes()).as_ref())
    }

    /// How things stand.
    pub fn state(&self) -> State {
        self.0.provider.state()
    }

    /// Asks the provider now; errs with what is wrong with it, for operators.
    pub async fn look(&self) -> Result<(), String> {
        self.0.provider.newer(None).await;
        match self.state() {
            State::Good => Ok(()),
            State::Bad(why) => Err(why),
            State::NoClock => Err("the clock of this machine does not know the date".into()),
            State::Fresh => Err("not asked yet".into()),
        }
    }

    /// Whoever presents this access token. One signed with a key that is not known yet waits until the keys are fetched anew, seconds
    /// at most.
    pub async fn bearer(&self, token: &str, client: Client) -> Result<Bearer, Refused> {
        self.judged(token, client, true).await
    }

    /// The same by the keys that are known: nothing is fetched for the sake of this token once there are any.
    pub async fn bearer_by_known_keys(&self, token: &str, client: Client) -> Result<Bearer, Refused> {
        self.judged(token, client, false).await
    }

    async fn judged(&self, token: &str, client: Client, asks: bool) -> Result<Bearer, Refused> {
        let settings = &self.0.settings;
        let now = self.0.clock.wall();
        let jwt = Jwt::parse(token)?;
        let rules = Rules { issuer: &settings.issuer, audience: &settings.audience, skew: settings.skew };
        if !now.is_plausible() {
            // What has run out cannot be told from what has not.
            return Err(Refused::Provider);
        }
        let checked = jwt.check(&rules, now).inspect_err(|refused| {
            if matches!(refused, Refused::Issuer) {
                let found: String = jwt.issuer().chars().filter(|c| !c.is_control()).take(200).collect();
                tracing::info!(found, expected = settings.issuer, "a token of another issuer");
            }
        })?;
        self.is_signed(token, &jwt, asks).await?;
        let claims = jwt.into_claims();
        let principal = self.principal(&checked.subject, &claims, client)?;
        let scopes = claims::scopes(&claims, principal.role);
        Ok(Bearer { principal, scopes, expires_at: Some(checked.expires_at) })
    }

    /// Who the claims are about, and what they may do here.
    fn principal(&self, subject: &str, claims: &Map<String, Value>, client: Client) -> Result<Principal, Refused> {
        let settings = &self.0.settings;
        let identity = Identity { issuer: settings.issuer.clone(), subject: subject.to_owned() };
        let is_out = self.0.access.is_disabled(&identity).map_err(|error| {
            tracing::error!("{}", error.chain());
            Refused::Store
        })?;
        if is_out {
            return Err(Refused::Owner);
        }
        let role = claims::role(claims, &settings.role_claim, &settings.role_map).ok_or(Refused::Role)?;
        let mut limits = Limits::of_role(role);
        if let Some(claim) = &settings.device_claim {
            limits.devices = claims::devices(claims, claim);
        }
        let name = claims::name(claims, subject);
        Ok(Principal { issuer: identity.issuer, subject: identity.subject, name, role, limits, client })
    }

    /// Whether the provider signed the token; with a key that is not known yet, if need be.
    async fn is_signed(&self, token: &str, jwt: &Jwt<'_>, asks: bool) -> Result<(), Refused> {
        let mut found = self.0.provider.ready().await.ok_or(Refused::Provider)?;
        if asks && !jwt.has_key(&found.keys) {
            found = self.0.provider.newer(Some(&found)).await.unwrap_or(found);
        }
        let digest = crate::access::token::digest(token);
        if self.signed().is_good(&found, &digest) {
            return Ok(());
        }
        jwt.is_signed(&found.keys)?;
        self.signed().add(found, digest);
        Ok(())
    }

    fn signed(&self) -> std::sync::MutexGuard<'_, Signed> {
        self.0.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signed {
    fn is_good(&self, keys: &Arc<Found>, token: &[u8; 32]) -> bool {
        self.keys.as_ref().is_some_and(|known| Arc::ptr_eq(known, keys)) && self.tokens.contains(token)
    }

    fn add(&mut self, keys: Arc<Found>, token: [u8; 32]) {
        let is_same = self.keys.as_ref().is_some_and(|known| Arc::ptr_eq(known, &keys));
        if !is_same || self.tokens.len() >= REMEMBERED {
            self.tokens.clear();
        }
        self.keys = Some(keys);
        self.tokens.insert(token);
    }
}
