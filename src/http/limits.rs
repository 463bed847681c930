//! How much of everything one peer may have.
//!
//! Windows of our own rather than a crate: they are told in headers (limit, left, reset), run on the appliance's clock,
//! and forget whoever is quiet.

use crate::access::person::Identity;
use crate::access::principal::Principal;
use crate::access::role::Role;
use crate::base::clock::Clock;
use crate::base::shared::Shared;
use crate::http::fault::Refusal;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Callers remembered at once in one kind of window; of more, those whose window is over are forgotten.
const KEPT: usize = 4_096;

/// Sizes and times of the listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at one time.
    pub connections: usize,
    /// A TLS handshake takes no longer.
    pub handshake: Duration,
    /// The head of a request takes no longer; an idle connection is closed after it.
    pub head: Duration,
    /// A body takes no longer.
    pub body: Duration,
    /// The other end takes what is sent within this.
    pub taken: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Headers of a request.
    pub headers: usize,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// MCP sessions of one caller.
    pub sessions: usize,
    /// A session that nobody uses ends after.
    pub session_idle: Duration,
    /// Silence on a stream before a comment is sent, so that nothing between takes it for dead.
    pub keep_alive: Duration,
    /// Calls of each role in a window; 0 is unlimited, `None` no limits at all.
    pub rates: Option<Rates>,
    /// Bad tokens and requests without any of one address in a minute; as many tries of passwords and other one-time proofs beside.
    pub failures: u32,
}

/// Calls of each role in a window; 0 is unlimited.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// For `read_only`.
    pub read_only: u32,
    /// For `ops_rw`.
    pub ops_rw: u32,
    /// For `approver`.
    pub approver: u32,
    /// For `admin`.
    pub admin: u32,
    /// The window.
    pub window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 256,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            taken: Duration::from_secs(60),
            head_bytes: 32 * 1024,
            headers: 64,
            body_bytes: 1024 * 1024,
            sessions: 16,
            session_idle: Duration::from_secs(1_800),
            keep_alive: Duration::from_secs(15),
            rates: None,
            failures: 300,
        }
    }
}

/// What is left in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Of how many.
    pub limit: u32,
    /// How many more; `None`: one too many already.
    pub left: Option<u32>,
    /// When the window ends.
    pub resets_in: Duration,
}

impl Left {
    /// In headers.
    pub fn headers(&self) -> [(HeaderName, HeaderValue); 3] {
        let seconds = self.resets_in.as_millis().div_ceil(1_000) as u64;
        [
            (HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(self.limit)),
            (HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(self.left.unwrap_or(0))),
            (HeaderName::from_static("x-ratelimit-reset"), HeaderValue::from(seconds)),
        ]
    }

    fn refusal(&self, reason: &'static str, said: &str) -> Refusal {
        let seconds = self.resets_in.as_millis().div_ceil(1_000).max(1) as u64;
        let refusal = Refusal::of(StatusCode::TOO_MANY_REQUESTS, reason, said).hint(format!("try again in {seconds} s"));
        self.headers()
            .into_iter()
            .fold(refusal.with(header::RETRY_AFTER, HeaderValue::from(seconds)), |refusal, (name, value)| refusal.with(name, value))
    }
}

/// Counts by caller, in windows that begin with a caller's first request.
struct Windows<K> {
    clock: Clock,
    open: Mutex<HashMap<K, (Duration, u32)>>,
}

impl<K: Hash + Eq> Windows<K> {
    fn new(clock: Clock) -> Self {
        Windows { clock, open: Mutex::default() }
    }

    /// Counts `n` and says what is left; with 0 it only looks.
    fn take(&self, key: K, n: u32, limit: u32, window: Duration) -> Left {
        let now = self.clock.mono();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if n == 0 && !open.contains_key(&key) {
            return Left { limit, left: Some(limit), resets_in: window };
        }
        if open.len() >= KEPT && !open.contains_key(&key) {
            open.retain(|_, (began, _)| now.saturating_sub(*began) < window);
            if open.len() >= KEPT {
                // Too many at once: nobody new is counted, rather than one of them forgotten.
                return Left { limit, left: Some(0), resets_in: window };
            }
        }
        let (began, count) = open.entry(key).or_insert((now, 0));
        if now.saturating_sub(*began) >= window {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(n);
        let resets_in = window.saturating_sub(now.saturating_sub(*began));
        Left { limit, left: limit.checked_sub(*count), resets_in }
    }

    /// One of those that were counted should not have been.
    fn give_back(&self, key: &K) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = open.get_mut(key) {
            *count = count.saturating_sub(1);
        }
    }
}

/// Bad credentials, by address. Who has good ones passes, whatever else comes from the address: programs that forgot to stop, other
/// people behind the same router or proxy.
///
/// Tokens have 256 bits and are judged by a look-up, so that they are counted when they turn out to be bad. A password is guessed
/// far more easily, and costs a tenth of a second to judge: each try is counted before it is judged. The two are counted
/// apart: a program with an old token must not keep the administrator from signing in to revoke it.
pub struct Failures {
    tokens: Windows<IpAddr>,
    proofs: Windows<IpAddr>,
    limit: Shared<u32>,
}

/// The window they are counted in.
const FAILURES: Duration = Duration::from_secs(60);

/// A try that was counted as a bad one.
pub struct Try<'f> {
    proofs: &'f Windows<IpAddr>,
    network: IpAddr,
}

impl Try<'_> {
    /// It was none.
    pub fn is_good(self) {
        self.proofs.give_back(&self.network);
    }
}

impl Failures {
    /// At most so many a minute; 0 is unlimited.
    pub fn new(clock: Clock, limit: u32) -> Self {
        Failures { tokens: Windows::new(clock.clone()), proofs: Windows::new(clock), limit: Shared::new(limit) }
    }

    /// Whether the address showed too many bad tokens just now.
    pub fn is_spent(&self, client: IpAddr) -> bool {
        let limit = *self.limit.get();
        limit != 0 && self.tokens.take(network(client), 0, limit, FAILURES).left.is_none_or(|left| left == 0)
    }

    /// Counts a bad token, or none; errs when there were too many.
    pub fn count(&self, client: IpAddr) -> Result<(), Refusal> {
        counted(&self.tokens, network(client), *self.limit.get(), "too many requests without a good token from this address")
    }

    /// Counts a try of a password, or of another secret that is shown once; errs when there were too many, and then it is not judged.
    pub fn attempt(&self, client: IpAddr) -> Result<Try<'_>, Refusal> {
        let network = network(client);
        counted(&self.proofs, network, *self.limit.get(), "too many tries from this address")?;
        Ok(Try { proofs: &self.proofs, network })
    }

    /// From now on so many.
    pub fn allow(&self, limit: u32) {
        self.limit.put(limit);
    }
}

fn counted(windows: &Windows<IpAddr>, network: IpAddr, limit: u32, said: &str) -> Result<(), Refusal> {
    if limit == 0 {
        return Ok(());
    }
    let left = windows.take(network, 1, limit, FAILURES);
    if left.left.is_some() { Ok(()) } else { Err(left.refusal("address", said)) }
}

/// Whoever has one IPv6 address has 2^64 of them.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

/// Says how much is left of a caller's limit.
pub fn tell(headers: &mut HeaderMap, left: Option<Left>) {
    if let Some(left) = left {
        headers.extend(left.headers());
    }
}

/// Calls, by caller.
pub struct Calls {
    windows: Windows<String>,
    rates: Shared<Option<Rates>>,
    running: Arc<Mutex<HashMap<String, usize>>>,
}

/// Requests of one caller that may be worked on at one time. Lanes to routers are far narrower.
const AT_ONCE: usize = 128;

/// A request's share of its caller's, given back when it is answered.
pub struct Running {
    running: Arc<Mutex<HashMap<String, usize>>>,
    who: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.who);
            }
        }
    }
}

impl Calls {
    /// By role.
    pub fn new(clock: Clock, rates: Option<Rates>) -> Self {
        Calls { windows: Windows::new(clock), rates: Shared::new(rates), running: Arc::default() }
    }

    /// From now on so many; windows that are open go on.
    pub fn allow(&self, rates: Option<Rates>) {
        self.rates.put(rates);
    }

    /// Room for one more request of the caller beside those that run.
    pub fn enter(&self, who: &Principal) -> Result<Running, Refusal> {
        let who = Identity::of(who).to_string();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(who.clone()).or_default();
        if *count >= AT_ONCE {
            let said = format!("you have {AT_ONCE} requests running already");
            let refusal = Refusal::of(StatusCode::TOO_MANY_REQUESTS, "at_once", said).hint("wait for answers, then send it again");
            return Err(refusal.with(header::RETRY_AFTER, HeaderValue::from_static("1")));
        }
        *count += 1;
        Ok(Running { running: self.running.clone(), who })
    }

    /// Counts one call. `None`: there is no limit.
    pub fn take(&self, who: &Principal) -> Result<Option<Left>, Refusal> {
        let Some(rates) = *self.rates.get() else { return Ok(None) };
        let limit = match who.role {
            Role::ReadOnly => rates.read_only,
            Role::OpsRw => rates.ops_rw,
            Role::Approver => rates.approver,
            Role::Admin => rates.admin,
        };
        if limit == 0 {
            return Ok(None);
        }
        let left = self.windows.take(Identity::of(who).to_string(), 1, limit, rates.window);
        if left.left.is_none() {
            return Err(left.refusal("rate", "too many calls: the limit of your role is reached"));
        }
        Ok(Some(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Wall;

    #[test]
    fn a_window_fills_refuses_and_ends() {
        let (clock, hand) = Clock::by_hand(Wall(0));
        let rates = Rates { read_only: 2, ops_rw: 1, approver: 1, admin: 0, window: Duration::from_secs(60) };
        let calls = Calls::new(clock, Some(rates));
        let reader = Principal::stdio(Role::ReadOnly);
        assert_eq!(calls.take(&reader).unwrap().unwrap().left, Some(1));
        hand.advance(Duration::from_secs(59));
        assert_eq!(calls.take(&reader).unwrap().unwrap(), Left { limit: 2, left: Some(0), resets_in: Duration::from_secs(1) });
        let refusal = calls.take(&reader).unwrap_err();
        assert_eq!(refusal.status, StatusCode::TOO_MANY_REQUESTS);
        let other = Principal { subject: "other".into(), ..reader.clone() };
        assert!(calls.take(&other).is_ok(), "each for itself");
        hand.advance(Duration::from_secs(1));
        assert!(calls.take(&reader).is_ok());
        let admin = Principal::stdio(Role::Admin);
        assert!((0..100).all(|_| matches!(calls.take(&admin), Ok(None))), "0 is unlimited");
    }

    #[test]
    fn so_many_requests_of_a_caller_run_at_once() {
        let calls = Calls::new(Clock::by_hand(Wall(0)).0, None);
        let (who, other) = (Principal::stdio(Role::Admin), Principal { subject: "other".into(), ..Principal::stdio(Role::Admin) });
        let mut running: Vec<Running> = (0..AT_ONCE).map(|_| calls.enter(&who).unwrap_or_else(|_| panic!("there is room"))).collect();
        assert!(calls.enter(&who).is_err());
        assert!(calls.enter(&other).is_ok());
        running.pop();
        assert!(calls.enter(&who).is_ok());
        drop(running);
        assert!(calls.running.lock().unwrap().is_empty(), "nothing is left of callers that are done");
    }

    #[test]
    fn an_address_that_fails_too_often_waits_and_its_neighbours_do_not() {
        let (clock, hand) = Clock::by_hand(Wall(0));
        let failures = Failures::new(clock, 3);
        let at = |text: &str| -> IpAddr { text.parse().unwrap() };
        for left in [false, false, true] {
            failures.count(at("192.0.2.1")).unwrap();
            assert_eq!(failures.is_spent(at("192.0.2.1")), left);
        }
        assert!(failures.count(at("192.0.2.1")).is_err());
        assert!(failures.is_spent(at("::ffff:192.0.2.1")), "the same in another spelling");
        assert!(!failures.is_spent(at("192.0.2.2")));
        for n in 0..3 {
            failures.count(at(&format!("2001:db8::{n}"))).unwrap();
        }
        assert!(failures.is_spent(at("2001:db8::ffff")), "one network");
        hand.advance(FAILURES);
        assert!(failures.count(at("192.0.2.1")).is_ok());
        let kept = failures.tokens.open.lock().unwrap().len();
        for n in 0..100 {
            assert!(!failures.is_spent(at(&format!("198.51.100.{n}"))));
        }
        assert_eq!(failures.tokens.open.lock().unwrap().len(), kept, "who only asks is not remembered");
    }

    #[test]
    fn no_more_tries_are_judged_than_are_allowed_however_many_come_at_once_and_good_ones_do_not_count() {
        let (clock, _hand) = Clock::by_hand(Wall(0));
        let failures = Failures::new(clock, 3);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..10 {
            failures.attempt(address).unwrap_or_else(|_| panic!("good ones do not count")).is_good();
        }
        let at_once: Vec<_> = (0..10).filter_map(|_| failures.attempt(address).ok()).collect();
        assert_eq!(at_once.len(), 3);
        assert!(!failures.is_spent(address), "tokens are counted apart");
    }
}
