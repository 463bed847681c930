//! Whose each session is, and how many one caller has.

use crate::access::person::Identity;
use crate::access::principal::{Limits, Principal};
use crate::access::role::Role;
use crate::base::clock::Clock;
use crate::http::fault::Refusal;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use rmcp::transport::streamable_http_server::SessionManager;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A session unused for so long makes room for a new one of the same caller: clients that crash say no goodbye.
const QUIET: Duration = Duration::from_secs(60);

/// The sessions there are.
pub struct Sessions {
    /// rmcp's.
    local: Arc<LocalSessionManager>,
    clock: Clock,
    most: usize,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    by_id: HashMap<String, Owned>,
    /// Being opened, by owner.
    opening: HashMap<String, usize>,
}

struct Owned {
    owner: String,
    /// What the owner was trusted with when it began: what runs in it still goes by that.
    power: Power,
    used_at: Duration,
}

/// Role and limits.
type Power = (Role, Limits);

/// Room for one session.
pub struct Place {
    known: Arc<Mutex<Known>>,
    owner: String,
    power: Power,
    clock: Clock,
}

impl Sessions {
    /// At most `most` of one caller.
    pub fn new(local: Arc<LocalSessionManager>, clock: Clock, most: usize) -> Sessions {
        Sessions { local, clock, most, known: Arc::default() }
    }

    /// Whether the session is there and the caller's, who is trusted with the same as when it began: a new token may say less.
    /// Notes that it is used.
    pub fn is_of(&self, id: &str, who: &Principal) -> bool {
        let now = self.clock.mono();
        match lock(&self.known).by_id.get_mut(id) {
            Some(session) if session.owner == owner(who) && session.power == power(who) => {
                session.used_at = now;
                true
            }
            _ => false,
        }
    }

    /// How many there are.
    pub async fn open(&self) -> usize {
        self.local.sessions.read().await.len()
    }

    /// The session has ended.
    pub fn forget(&self, id: &str) {
        lock(&self.known).by_id.remove(id);
    }

    /// Room for one more of the caller's, if need be that of one it has left alone.
    pub async fn place(&self, who: &Principal) -> Result<Place, Refusal> {
        let (owner, now) = (owner(who), self.clock.mono());
        let alive: HashSet<String> = self.local.sessions.read().await.keys().map(ToString::to_string).collect();
        let evicted = {
            let mut known = lock(&self.known);
            // One that was opened since is not among them.
            known.by_id.retain(|id, session| alive.contains(id) || session.used_at >= now);
            let mine = known.by_id.values().filter(|session| session.owner == owner).count();
            let opening = known.opening.get(&owner).copied().unwrap_or(0);
            let evicted = if mine + opening >= self.most {
                let is_quiet = |session: &Owned| session.owner == owner && now.saturating_sub(session.used_at) >= QUIET;
                let quiet = known.by_id.iter().filter(|(_, session)| is_quiet(session));
                let oldest = quiet.min_by_key(|(_, session)| session.used_at).map(|(id, _)| id.clone());
                Some(oldest.ok_or_else(|| self.full())?)
            } else {
                None
            };
            if let Some(id) = &evicted {
                known.by_id.remove(id);
            }
            *known.opening.entry(owner.clone()).or_default() += 1;
            evicted
        };
        let place = Place { known: self.known.clone(), owner, power: power(who), clock: self.clock.clone() };
        if let Some(id) = evicted {
            tracing::info!("a session that was left alone made room for a new one of its owner");
            if let Err(error) = self.local.close_session(&id.into()).await {
                tracing::warn!(%error, "session not closed");
            }
        }
        Ok(place)
    }

    fn full(&self) -> Refusal {
        let said = format!("you have {} sessions already", self.most);
        Refusal::of(StatusCode::TOO_MANY_REQUESTS, "sessions", said)
            .hint("end one with DELETE, or wait until one was unused for a minute")
            .with(header::RETRY_AFTER, HeaderValue::from(QUIET.as_secs()))
    }
}

impl Place {
    /// The session stands.
    pub fn taken(self, id: &str) {
        let session = Owned { owner: self.owner.clone(), power: self.power.clone(), used_at: self.clock.mono() };
        lock(&self.known).by_id.insert(id.to_owned(), session);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut known = lock(&self.known);
        if let Some(opening) = known.opening.get_mut(&self.owner) {
            *opening -= 1;
            if *opening == 0 {
                known.opening.remove(&self.owner);
            }
        }
    }
}

fn lock(known: &Mutex<Known>) -> std::sync::MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn owner(who: &Principal) -> String {
    Identity::of(who).to_string()
}

fn power(who: &Principal) -> Power {
    (who.role, who.limits.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Wall;

    async fn open(sessions: &Sessions, who: &Principal) -> Result<String, Refusal> {
        let place = sessions.place(who).await?;
        let (id, _transport) = sessions.local.create_session().await.unwrap();
        place.taken(&id);
        Ok(id.to_string())
    }

    #[tokio::test]
    async fn a_caller_has_so_many_sessions_and_one_left_alone_makes_room() {
        let (clock, hand) = Clock::by_hand(Wall(0));
        let sessions = Sessions::new(Arc::new(LocalSessionManager::default()), clock, 2);
        let (anna, bert) = (Principal::stdio(Role::Admin), Principal { subject: "bert".into(), ..Principal::stdio(Role::Admin) });
        let (first, second) = (open(&sessions, &anna).await.unwrap(), open(&sessions, &anna).await.unwrap());
        assert!(sessions.is_of(&first, &anna) && !sessions.is_of(&first, &bert) && !sessions.is_of("none", &anna));
        let less = Principal { role: Role::ReadOnly, ..anna.clone() };
        assert!(!sessions.is_of(&first, &less), "what began with more goes on with less in a session of its own");
        assert_eq!(open(&sessions, &anna).await.unwrap_err().status, StatusCode::TOO_MANY_REQUESTS);
        open(&sessions, &bert).await.unwrap();
        hand.advance(QUIET);
        assert!(sessions.is_of(&first, &anna), "in use again");
        let third = open(&sessions, &anna).await.unwrap();
        assert!(sessions.is_of(&first, &anna) && sessions.is_of(&third, &anna));
        assert!(!sessions.is_of(&second, &anna), "it was left alone for longest");
        assert!(!sessions.local.has_session(&second.into()).await.unwrap(), "and is gone for good");
    }

    #[tokio::test]
    async fn a_place_that_comes_to_nothing_is_given_back() {
        let (clock, _hand) = Clock::by_hand(Wall(0));
        let sessions = Sessions::new(Arc::new(LocalSessionManager::default()), clock, 1);
        let who = Principal::stdio(Role::Admin);
        let place = sessions.place(&who).await.unwrap_or_else(|_| panic!("there is room"));
        assert!(sessions.place(&who).await.is_err(), "one being opened counts");
        drop(place);
        assert!(sessions.place(&who).await.is_ok());
    }
}
