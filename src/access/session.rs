//! Sessions of people in the admin pages: who signed in, since when, and when they last proved it.
//!
//! - The browser holds 256 random bits in a cookie; the store holds their SHA-256. A store that is read opens nothing.
//! - A session ends by itself after `auth.session_idle` without a request and after `auth.session_max` in any case, and
//!   with its user: disabled, removed, or given another password since.
//! - Proving again who one is gives the session new bits, so that those of before are worth nothing.
//! - What a local user may do is looked up at each request; what an identity provider said holds as long as the session.

use crate::access::local::{Access, Proof};
use crate::access::person::{Actor, Identity, PersonId};
use crate::access::principal::{Client, Limits, Principal};
use crate::access::role::Role;
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::base::secret::Secret;
use crate::base::selector::Selector;
use crate::store::{Batch, Durability, Record, Table};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Bits of a session's secret, as characters of base64url.
const CHARS: usize = 43;
/// Requests within so long are one: each note costs a write.
const SEEN_EVERY_MS: u64 = 60_000;
/// Sessions of one holder; the one unused for longest makes room.
const MOST_OF_ONE: usize = 16;
/// Characters of a browser's name that are kept.
const AGENT_MAX: usize = 120;

/// How long sessions last: `auth.session_idle` and `auth.session_max`.
#[derive(Debug, Clone, Copy)]
pub struct Spans {
    /// Without a request.
    pub idle: Duration,
    /// In any case.
    pub most: Duration,
}

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// A local user, by name.
    User(String),
    /// Somebody an identity provider vouched for, with what it said of them.
    Vouched {
        /// Issuer and subject.
        identity: Identity,
        /// For people to read.
        name: String,
        /// By `oidc.role_map`.
        role: Role,
        /// By `oidc.device_claim`.
        devices: Vec<Selector>,
    },
}

/// One session, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    digest: [u8; 32],
    /// Whose.
    pub holder: Holder,
    /// When it began.
    pub created_at: Wall,
    /// The last request, to the minute.
    pub seen_at: Wall,
    /// When its holder last proved who they are.
    pub proved_at: Wall,
    /// Where it began.
    pub address: String,
    /// The browser, as it names itself.
    pub agent: String,
}

impl Record for Session {
    const TABLE: &'static str = "session";
    const VERSION: u8 = 1;
}

/// A session that is open now, and whoever is in it.
#[derive(Debug, Clone)]
pub struct Open {
    /// The record.
    pub session: Session,
    /// As a caller.
    pub principal: Principal,
    /// What they proved, and when.
    pub proof: Proof,
    /// The latest moment it ends, if nothing is asked any more before.
    pub ends_at: Wall,
}

/// Sessions, over the users of this box.
#[derive(Clone)]
pub struct Sessions {
    access: Access,
    spans: Spans,
}

impl Sessions {
    /// Over the users.
    pub fn new(access: Access, spans: Spans) -> Sessions {
        Sessions { access, spans }
    }

    /// How long a session lasts at most.
    pub fn most(&self) -> Duration {
        self.spans.most
    }

    /// Begins a session for somebody who proved just now who they are, and gives its secret.
    pub async fn begin(&self, holder: Holder, client: &Client) -> Result<Secret, Fault> {
        let now = self.access.now();
        let (secret, session) = fresh(holder, now, now, client);
        let mut batch = self.table().put_batch(&session, &key(&session.digest));
        let mut same = Vec::new();
        for (key, other) in self.table().all()? {
            if self.holder_of(&other, now).is_err_and(|fault| is_over(&fault)) {
                batch = self.table().delete_into(batch, &key);
            } else if other.holder == session.holder {
                same.push((other.seen_at, key));
            }
        }
        same.sort();
        for (_, key) in same.iter().take((same.len() + 1).saturating_sub(MOST_OF_ONE)) {
            batch = self.table().delete_into(batch, key);
        }
        self.access.store().commit(batch, Durability::Now).await?;
        Ok(secret)
    }

    /// Whoever holds this secret; nothing when it opens no session any more.
    pub async fn find(&self, secret: &str, client: Client) -> Result<Option<Open>, Fault> {
        let Some(session) = self.stored(secret)? else { return Ok(None) };
        let now = self.access.now();
        let (principal, actor) = match self.holder_of(&session, now) {
            Ok(holder) => holder,
            Err(fault) if is_over(&fault) => {
                tracing::debug!("{}", fault.said);
                self.table().delete(&key(&session.digest)).await?;
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        if now.0.abs_diff(session.seen_at.0) >= SEEN_EVERY_MS {
            let seen = Session { seen_at: now, ..session.clone() };
            // Ended meanwhile: then it stays ended.
            let batch = self.table().expect_into(self.table().put_batch(&seen, &key(&seen.digest)), &key(&seen.digest), Some(&session));
            if let Err(error) = self.access.store().commit(batch, Durability::Soon).await {
                tracing::debug!(%error, "use of a session not noted");
            }
        }
        let (idle, most) = (after(now, self.spans.idle), after(session.created_at, self.spans.most));
        let proof = Proof { actor, role: principal.role, at: session.proved_at };
        Ok(Some(Open { principal: Principal { client, ..principal }, proof, ends_at: idle.min(most), session }))
    }

    /// Whether a session is still open, for streams that were begun in it. That is no use of it.
    pub fn is_open(&self, secret: &str) -> bool {
        let session = self.stored(secret).ok().flatten();
        session.is_some_and(|session| self.holder_of(&session, self.access.now()).is_ok())
    }

    /// New bits for a session whose holder has just proved again who they are; those of before open nothing any more.
    pub async fn proved(&self, open: &Open) -> Result<Secret, Fault> {
        let (old, now) = (&open.session, self.access.now());
        let client = Client { address: old.address.clone(), name: old.agent.clone(), ..Client::default() };
        let (secret, session) = fresh(old.holder.clone(), now, old.created_at, &client);
        let batch = self.table().put_batch(&session, &key(&session.digest));
        let batch = self.table().delete_into(batch, &key(&old.digest));
        self.access.store().commit(batch, Durability::Now).await?;
        Ok(secret)
    }

    /// Ends one session.
    pub async fn end(&self, secret: &str) -> Result<(), Fault> {
        if let Some(session) = self.stored(secret)? {
            self.table().delete(&key(&session.digest)).await?;
        }
        Ok(())
    }

    /// Ends every session of a holder, and says how many there were.
    pub async fn end_all(&self, holder: &Holder) -> Result<usize, Fault> {
        let keys: Vec<String> = self.table().all()?.into_iter().filter(|(_, one)| one.holder == *holder).map(|(key, _)| key).collect();
        let batch = keys.iter().fold(Batch::new(), |batch, key| self.table().delete_into(batch, key));
        self.access.store().commit(batch, Durability::Now).await?;
        Ok(keys.len())
    }

    fn stored(&self, secret: &str) -> Result<Option<Session>, Fault> {
        if secret.len() != CHARS || BASE64URL_NOPAD.decode(secret.as_bytes()).is_err() {
            return Ok(None);
        }
        let digest = digest(secret);
        let found = self.table().get(&key(&digest))?;
        Ok(found.filter(|session| bool::from(session.digest.ct_eq(&digest))))
    }

    /// The holder as a caller, while the session is open.
    fn holder_of(&self, session: &Session, now: Wall) -> Result<(Principal, Actor), Fault> {
        let over = |why: &str| Fault::new(Kind::Unauthenticated, format!("the session is over: {why}"));
        if apart(now, session.created_at) >= self.spans.most {
            return Err(over("its time is up"));
        }
        if apart(now, session.seen_at) >= self.spans.idle {
            return Err(over("nothing was asked for long"));
        }
        match &session.holder {
            Holder::User(name) => {
                let user = self.access.user(name)?;
                if user.disabled {
                    return Err(over("the user is disabled"));
                }
                if user.password_at > session.created_at {
                    return Err(over("the password was changed since"));
                }
                let Identity { issuer, subject } = Identity::of_user(&user.name);
                let limits = Limits::of_role(user.role);
                let principal = Principal { issuer, subject, name: user.name.clone(), role: user.role, limits, client: Client::default() };
                let actor = self.access.actor(&principal)?;
                Ok((principal, actor))
            }
            Holder::Vouched { identity, name, role, devices } => {
                let limits = Limits { devices: devices.clone(), ..Limits::of_role(*role) };
                let Identity { issuer, subject } = identity.clone();
                let principal = Principal { issuer, subject, name: name.clone(), role: *role, limits, client: Client::default() };
                if let Some(person) = self.access.person(identity)?
                    && self.is_disabled(&person)?
                {
                    return Err(over("the person's local user is disabled"));
                }
                let actor = self.access.actor(&principal)?;
                Ok((principal, actor))
            }
        }
    }

    /// Whoever is kept out as a local user is kept out however they come.
    fn is_disabled(&self, person: &PersonId) -> Result<bool, Fault> {
        Ok(self.access.users()?.iter().any(|user| user.person == *person && user.disabled))
    }

    fn table(&self) -> Table<Session> {
        Table::new(self.access.store().clone())
    }
}

/// Whether it ends the session; a store that cannot be read does not.
fn is_over(fault: &Fault) -> bool {
    matches!(fault.kind, Kind::Unauthenticated | Kind::NotFound)
}

fn fresh(holder: Holder, now: Wall, created_at: Wall, client: &Client) -> (Secret, Session) {
    let secret = BASE64URL_NOPAD.encode(&random::<32>());
    let agent = client.name.chars().filter(|c| !c.is_control()).take(AGENT_MAX).collect();
    let session =
        Session { digest: digest(&secret), holder, created_at, seen_at: now, proved_at: now, address: client.address.clone(), agent };
    (Secret::new(secret), session)
}

fn digest(secret: &str) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, secret.as_bytes()).as_ref());
    digest
}

fn key(digest: &[u8; 32]) -> String {
    format!("ses_{}", hex(&digest[..16]))
}

/// A stepped clock makes sessions older, never younger.
fn apart(one: Wall, other: Wall) -> Duration {
    Duration::from_millis(one.0.abs_diff(other.0))
}

fn after(at: Wall, span: Duration) -> Wall {
    Wall(at.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
