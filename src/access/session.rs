//! Sessions of people who signed in: 256 random bits in a cookie, of which the store knows the SHA-256.
//!
//! - A session is of one user or identity. It ends when nobody used it for a while, after a time in any case, when it is ended, when
//!   its user is disabled or gets another password or role, and when what it was judged by is configured differently.
//! - What ends sessions of a user removes them, in the same commit: a user who is let in again signs in anew.
//! - A local user's role is looked up at each use; who came through an identity provider keeps the role of the sign-in.
//! - Proving again who one is gives a new session in place of the old one; it does not make it last longer.

mod kept;

use crate::access::local::Access;
use crate::access::oidc::Oidc;
use crate::access::person::{Actor, Identity, PersonId};
use crate::access::principal::{Client, Limits, Principal};
use crate::access::proof::{Proven, is_fresh};
use crate::access::role::Role;
use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::ids::{hex, random};
use crate::base::secret::Secret;
use crate::store::{Batch, Durability, Table};
use data_encoding::BASE64URL_NOPAD;
use kept::{Kept, Use};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Characters of an id: 32 bytes in base64url.
const CHARS: usize = 43;
/// Sessions of one identity; one more ends the one unused for longest.
const EACH: usize = 16;
/// Uses within so long are one use: each costs a write.
const USE_EVERY_MS: u64 = 60_000;

/// How somebody signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// As a local user, with a password.
    Local,
    /// Through the identity provider.
    Oidc,
}

impl Way {
    /// `local` or `oidc`.
    pub fn as_str(self) -> &'static str {
        match self {
            Way::Local => "local",
            Way::Oidc => "oidc",
        }
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What the store knows it by; no secret.
    pub key: String,
    /// What they signed in as.
    pub identity: Identity,
    /// Whose that is.
    pub person: Option<PersonId>,
    /// For people to read.
    pub name: String,
    /// How they came in.
    pub way: Way,
    /// What they are trusted with now.
    pub role: Role,
    /// What they are kept to.
    pub limits: Limits,
    /// When they signed in.
    pub began_at: Wall,
    /// When they last proved who they are; `None` where the provider did not say.
    pub authenticated_at: Option<Wall>,
    /// When it ends if nobody uses it.
    pub idle_ends_at: Wall,
    /// When it ends in any case.
    pub ends_at: Wall,
    /// The browser, as it named itself when they signed in.
    pub client: String,
    /// Where it was then.
    pub address: String,
    /// When it was last used, to the minute.
    pub used_at: Wall,
}

impl Session {
    /// Whether the proof still counts where a fresh one is asked for.
    pub fn is_fresh(&self, now: Wall) -> bool {
        self.authenticated_at.is_some_and(|at| is_fresh(at, now))
    }

    /// What decisions of this person rest on; nothing where the provider did not say when they proved who they are.
    pub fn proven(&self) -> Option<Proven> {
        Some(Proven { actor: self.actor(), role: self.role, at: self.authenticated_at? })
    }

    /// For records: plans, approvals.
    pub fn actor(&self) -> Actor {
        Actor { identity: self.identity.clone(), person: self.person.clone(), name: self.name.clone() }
    }

    /// As a caller.
    pub fn principal(&self, client: Client) -> Principal {
        let Identity { issuer, subject } = self.identity.clone();
        Principal { issuer, subject, name: self.name.clone(), role: self.role, limits: self.limits.clone(), client }
    }
}

/// Somebody who just proved who they are.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Who, and what they may do.
    pub principal: Principal,
    /// How.
    pub way: Way,
    /// When, as far as that is known.
    pub at: Option<Wall>,
}

/// All sessions; clones share them.
#[derive(Clone)]
pub struct Sessions {
    access: Access,
    oidc: Option<Oidc>,
    idle: Duration,
    most: Duration,
}

impl Sessions {
    /// They end unused after `idle`, and in any case after `most`.
    pub fn new(access: Access, oidc: Option<Oidc>, idle: Duration, most: Duration) -> Self {
        Sessions { access, oidc, idle, most }
    }

    /// A new session, and its id, which is shown once.
    pub async fn begin(&self, proof: &Proof) -> Result<(Secret, Session), Fault> {
        self.put(proof, self.access.now(), None).await
    }

    /// The same person proved again who they are: a new session in the place of the old one, with the same end.
    pub async fn renew(&self, old: &Session, proof: &Proof) -> Result<(Secret, Session), Fault> {
        self.put(proof, old.began_at, Some(&old.key)).await
    }

    /// The session with this id, if it lasts; notes that it is used.
    pub async fn find(&self, id: &str) -> Result<Option<Session>, Fault> {
        if id.len() != CHARS || BASE64URL_NOPAD.decode(id.as_bytes()).is_err() {
            return Ok(None);
        }
        let key = key(id);
        let found = self.with_key(&key)?;
        if found.is_some() {
            self.note_use(&key).await;
        }
        Ok(found)
    }

    /// The session the store knows by this, if it lasts.
    pub fn with_key(&self, key: &str) -> Result<Option<Session>, Fault> {
        match self.kept().get(key)? {
            Some(kept) => self.judge(key, kept),
            None => Ok(None),
        }
    }

    /// Ends one.
    pub async fn end(&self, session: &Session) -> Result<(), Fault> {
        Ok(self.access.store().commit(self.without(Batch::new(), &session.key), Durability::Now).await?)
    }

    /// Those of the same person, whatever they signed in as; the last used first.
    pub fn of_person(&self, one: &Session) -> Result<Vec<Session>, Fault> {
        let mut mine = Vec::new();
        for (key, kept) in self.kept().all()? {
            if let Some(session) = self.judge(&key, kept)?
                && (session.identity == one.identity || (one.person.is_some() && session.person == one.person))
            {
                mine.push(session);
            }
        }
        mine.sort_by_key(|session| std::cmp::Reverse((session.used_at, session.began_at)));
        Ok(mine)
    }

    /// Ends all of the same person; says how many there were.
    pub async fn end_all_of(&self, one: &Session) -> Result<usize, Fault> {
        let mine = self.of_person(one)?;
        let batch = mine.iter().fold(Batch::new(), |batch, session| self.without(batch, &session.key));
        self.access.store().commit(batch, Durability::Now).await?;
        Ok(mine.len())
    }

    /// Ends all, such as after an older store was put back.
    pub async fn end_all(&self) -> Result<(), Fault> {
        let all = self.kept().all()?;
        let batch = all.iter().fold(Batch::new(), |batch, (key, _)| self.without(batch, key));
        Ok(self.access.store().commit(batch, Durability::Now).await?)
    }

    async fn put(&self, proof: &Proof, began_at: Wall, instead: Option<&str>) -> Result<(Secret, Session), Fault> {
        let Principal { issuer, subject, name, role, limits, client } = proof.principal.clone();
        let id = Secret::new(BASE64URL_NOPAD.encode(&random::<32>()));
        let key = key(id.expose());
        let kept = Kept {
            identity: Identity { issuer, subject },
            name,
            way: proof.way,
            role,
            devices: limits.devices,
            terms: self.terms(proof.way).unwrap_or_default(),
            began_at,
            proved_at: proof.at,
            client: client.name,
            address: client.address,
        };
        let batch = self.kept().put_batch(&kept, &key);
        let batch = self.uses().put_into(batch, &key, &Use { at: self.access.now() });
        let over = self.over(&kept.identity, instead)?;
        let batch = over.iter().fold(batch, |batch, key| self.without(batch, key));
        self.access.store().commit(batch, Durability::Now).await?;
        let Some(session) = self.judge(&key, kept)? else {
            self.access.store().commit(self.without(Batch::new(), &key), Durability::Now).await?;
            return Err(Fault::denied("you were signed out at the same time").hint("sign in again"));
        };
        Ok((id, session))
    }

    /// Those that end when this identity gets another: what it replaces, what is over, and what is too many.
    fn over(&self, identity: &Identity, instead: Option<&str>) -> Result<Vec<String>, Fault> {
        let (mut over, mut mine) = (Vec::new(), Vec::new());
        for (key, kept) in self.kept().all()? {
            let is_mine = kept.identity == *identity;
            match self.judge(&key, kept)? {
                Some(session) if Some(key.as_str()) != instead && is_mine => mine.push((session.idle_ends_at, key)),
                Some(_) if Some(key.as_str()) != instead => {}
                _ => over.push(key),
            }
        }
        mine.sort();
        let many = (mine.len() + 1).saturating_sub(EACH);
        over.extend(mine.into_iter().take(many).map(|(_, key)| key));
        Ok(over)
    }

    /// What there is of a session now: nothing when it is over, for whatever reason.
    fn judge(&self, key: &str, kept: Kept) -> Result<Option<Session>, Fault> {
        let now = self.access.now();
        let used_at = self.uses().get(key)?.map_or(kept.began_at, |used| used.at);
        let is_within = |since: Wall, span: Duration| now.0.abs_diff(since.0) < span.as_millis() as u64;
        // A clock that steps far ends sessions, it never keeps them.
        if !is_within(kept.began_at, self.most) || !is_within(used_at, self.idle) || self.terms(kept.way).as_ref() != Some(&kept.terms) {
            return Ok(None);
        }
        let person = self.access.person(&kept.identity)?;
        if self.access.is_disabled(&kept.identity)? {
            return Ok(None);
        }
        let (role, limits) = match kept.way {
            Way::Oidc => (kept.role, Limits { devices: kept.devices, ..Limits::of_role(kept.role) }),
            Way::Local => match self.access.user_of(&kept.identity)? {
                // Who sets a new password does so because somebody else may know the old one.
                Some(user) if user.password_at <= kept.began_at.max(kept.proved_at.unwrap_or(kept.began_at)) => {
                    (user.role, Limits::of_role(user.role))
                }
                _ => return Ok(None),
            },
        };
        let after = |since: Wall, span: Duration| Wall(since.0.saturating_add(span.as_millis() as i64));
        Ok(Some(Session {
            key: key.to_owned(),
            identity: kept.identity,
            person,
            name: kept.name,
            way: kept.way,
            role,
            limits,
            began_at: kept.began_at,
            authenticated_at: kept.proved_at,
            idle_ends_at: after(used_at, self.idle),
            ends_at: after(kept.began_at, self.most),
            client: kept.client,
            address: kept.address,
            used_at,
        }))
    }

    /// What a sign-in of this way is judged by; nothing where it is switched off.
    fn terms(&self, way: Way) -> Option<String> {
        match way {
            Way::Local => Some(String::new()),
            Way::Oidc => self.oidc.as_ref().map(Oidc::terms),
        }
    }

    async fn note_use(&self, key: &str) {
        let (now, uses) = (self.access.now(), self.uses());
        let last = uses.get(key).ok().flatten();
        if last.is_some_and(|last| now.0.abs_diff(last.at.0) < USE_EVERY_MS) {
            return;
        }
        if let Err(error) = uses.put(key, &Use { at: now }, Durability::Soon).await {
            tracing::warn!(%error, "use of a session not noted");
        }
    }

    fn without(&self, batch: Batch, key: &str) -> Batch {
        self.access.without_session(batch, key)
    }

    fn kept(&self) -> Table<Kept> {
        self.access.sessions_kept()
    }

    fn uses(&self) -> Table<Use> {
        Table::new(self.access.store().clone())
    }
}

impl Access {
    /// The batch, and with it the end of all sessions of a person, whatever they signed in as.
    pub(super) fn without_sessions(&self, mut batch: Batch, of: &PersonId) -> Result<Batch, Fault> {
        for (key, kept) in self.sessions_kept().all()? {
            if self.person(&kept.identity)?.as_ref() == Some(of) {
                batch = self.without_session(batch, &key);
            }
        }
        Ok(batch)
    }

    fn without_session(&self, batch: Batch, key: &str) -> Batch {
        let uses: Table<Use> = Table::new(self.store().clone());
        uses.delete_into(self.sessions_kept().delete_into(batch, key), key)
    }

    fn sessions_kept(&self) -> Table<Kept> {
        Table::new(self.store().clone())
    }
}

fn key(id: &str) -> String {
    hex(&crate::access::token::digest(id))
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
