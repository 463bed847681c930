//! Local users: who they are, their passwords, and proving it.
//!
//! - A password is proved one at a time: a proof takes 19 MiB and, on a small box, a good part of a second.
//! - An attempt counts as failed before it is judged, and stops counting when it was right: a caller who hangs up half-way
//!   has no attempt for free, and neither has one who tries many at once.
//! - Names that nobody has cost and answer the same as wrong passwords, lock-out included.
//! - Hashes stand sealed in the store, bound to their user's row.

use crate::access::lockout::{Failures, Lockout};
use crate::access::password::{self, Hash};
use crate::access::person::PersonId;
use crate::access::proof::Authenticated;
use crate::access::role::Role;
use crate::access::seen::Contacts;
use crate::access::setup::Open;
use crate::base::clock::{Clock, Wall};
use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::host::metrics::Meter;
use crate::store::{Batch, Durability, Field, Name, Place, Record, Seal, Store, Table, body_as};
use serde::{Deserialize, Serialize};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long an attempt waits for those before it.
const QUEUE_WAIT: Duration = Duration::from_secs(15);
/// Names with failures that are remembered; of more, the oldest that nobody has are forgotten.
const FAILURES_KEPT: usize = 256;
/// So often another proof of the same user may come first.
const SAME_MOMENT: u32 = 16;
/// The longest user name, bytes.
const NAME_MAX: usize = 64;

/// A local user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// As it was given; found in any case.
    pub name: String,
    /// The person it is.
    pub person: PersonId,
    /// What it is trusted with.
    pub role: Role,
    /// Nobody gets in with it.
    pub disabled: bool,
    /// Sealed [`Hash`].
    password: Vec<u8>,
    /// When it was made.
    pub created_at: Wall,
    /// When the password was last set.
    pub password_at: Wall,
    /// When its password was last proved.
    pub seen_at: Option<Wall>,
}

impl Record for User {
    const TABLE: &'static str = "local_user";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(User);

/// Users and persons, over the store; clones share it.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    store: Store,
    seal: Seal,
    clock: Clock,
    lockout: Lockout,
    meter: Meter,
    /// One proof at a time.
    turn: Arc<Semaphore>,
    /// The token of the first run, while there is one.
    open: Open,
    /// Programs that were here.
    contacts: Contacts,
}

impl Access {
    /// Over a store, with what seals its passwords.
    pub fn new(store: Store, seal: Seal, clock: Clock, lockout: Lockout) -> Self {
        let (turn, open, contacts) = (Arc::new(Semaphore::new(1)), Open::default(), Contacts::default());
        Access(Arc::new(Inner { store, seal, clock, lockout, meter: Meter::off(), turn, open, contacts }))
    }

    /// With who counts failures. For an access that nobody has a clone of yet.
    #[must_use]
    pub fn with_meter(mut self, meter: Meter) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.meter = meter;
        }
        self
    }

    /// All users, by name.
    pub fn users(&self) -> Result<Vec<User>, Fault> {
        Ok(self.table().all()?.into_iter().map(|(_, user)| user).collect())
    }

    /// The user of that name, in any case; errs with `NotFound`.
    pub fn user(&self, name: &str) -> Result<User, Fault> {
        self.find(name)?.ok_or_else(|| Fault::not_found(format!("no user \"{}\"", shown(name))).hint("`user list` shows them"))
    }

    /// How much longer a user is locked out, if it is.
    pub fn locked_for(&self, user: &User) -> Result<Option<Duration>, Fault> {
        let failures = self.failures().get(&folded(&user.name))?;
        Ok(failures.and_then(|failures| failures.locked_for(self.now(), self.0.lockout)))
    }

    /// Makes a user, who is a new person.
    ///
    /// Errs with `BadInput` for a name or password against the rules, `Conflict` when the name is taken.
    pub async fn add(&self, name: &str, role: Role, password: Secret) -> Result<User, Fault> {
        self.add_with(Batch::new(), name, role, password).await
    }

    /// The same, refused where `batch` does not hold.
    pub(super) async fn add_with(&self, batch: Batch, name: &str, role: Role, password: Secret) -> Result<User, Fault> {
        check_name(name)?;
        password::check(name, &password)?;
        let taken = || Fault::new(Kind::Conflict, format!("user \"{name}\" exists")).hint("`user password` sets another password");
        if self.find(name)?.is_some() {
            return Err(taken());
        }
        let (sealed, now) = (self.sealed(name, password).await?, self.now());
        let user = User {
            name: name.into(),
            person: PersonId::random(),
            role,
            disabled: false,
            password: sealed,
            created_at: now,
            password_at: now,
            seen_at: None,
        };
        // Whatever was tried under the name before somebody had it.
        let batch = self.failures().delete_into(self.table().put_into(batch, &folded(name), &user), &folded(name));
        let batch = self.table().expect_into(batch, &folded(name), None);
        // Whoever is first, the first run is over.
        self.0.store.commit(self.setup_over(batch), Durability::Now).await?;
        self.0.open.forget();
        Ok(user)
    }

    /// Gives a user another role, and ends their sessions.
    pub async fn set_role(&self, name: &str, role: Role) -> Result<User, Fault> {
        self.edit(name, Batch::new(), |user| user.role = role).await
    }

    /// Keeps a user out, or lets it in again; sessions end either way.
    pub async fn set_disabled(&self, name: &str, disabled: bool) -> Result<User, Fault> {
        self.edit(name, Batch::new(), |user| user.disabled = disabled).await
    }

    /// Sets a password, and ends a lock-out and all sessions.
    pub async fn set_password(&self, name: &str, password: Secret) -> Result<User, Fault> {
        let user = self.user(name)?;
        password::check(&user.name, &password)?;
        let (sealed, now) = (self.sealed(&user.name, password).await?, self.now());
        let forgiven = self.failures().delete_into(Batch::new(), &folded(name));
        self.edit(name, forgiven, |user| (user.password, user.password_at) = (sealed, now)).await
    }

    /// Proves that this is the user's password.
    ///
    /// Errs with `Unauthenticated` for a wrong name or password and during a lock-out, `Denied` for a disabled user whose
    /// password is right, `Busy` when too many wait.
    pub async fn authenticate(&self, name: &str, password: Secret) -> Result<Authenticated, Fault> {
        let turn = self.turn().await?;
        let (key, now) = (folded(name), self.now());
        let user = self.find(name)?;
        let mut counted = self.failures().get(&key)?.unwrap_or_default();
        if let Some(left) = counted.locked_for(now, self.0.lockout) {
            self.0.meter.auth_failed("locked");
            return Err(locked(left));
        }
        counted.known = user.is_some();
        counted.add(now, self.0.lockout);
        let full = counted.locked_for(now, self.0.lockout);
        if is_name(name) {
            self.remember(&key, &counted, now).await?;
        }
        let hash = user.as_ref().map(|user| self.opened(user)).transpose()?.unwrap_or_else(Hash::of_nobody);
        let right = on_a_thread(turn, move || hash.matches(&password)).await?;
        let Some(user) = user.filter(|_| right) else {
            tracing::warn!(user = if counted.known { key.as_str() } else { "(nobody)" }, locked = full.is_some(), "wrong password");
            self.0.meter.auth_failed("password");
            return Err(full.map_or_else(wrong, locked));
        };
        self.welcome(user, now).await
    }

    /// A right password: failures are forgotten, whatever the user may do with it.
    async fn welcome(&self, user: User, now: Wall) -> Result<Authenticated, Fault> {
        if user.disabled {
            let forgiven = self.failures().delete_into(Batch::new(), &folded(&user.name));
            self.0.store.commit(forgiven, Durability::Now).await?;
            tracing::warn!(user = user.name, "a disabled user tried to get in");
            self.0.meter.auth_failed("disabled");
            return Err(Fault::denied(format!("user \"{}\" is disabled", user.name)).hint("an administrator can enable it again"));
        }
        let user = self.seen(user, now).await?;
        Ok(Authenticated { person: user.person, user: user.name, role: user.role, at: now })
    }

    /// Notes that a user was here. Refused when the user was changed while its password was judged; that the same person came in by
    /// another door at the same moment is no change.
    async fn seen(&self, mut user: User, now: Wall) -> Result<User, Fault> {
        for _ in 0..SAME_MOMENT {
            let forgiven = self.failures().delete_into(Batch::new(), &folded(&user.name));
            let conflict = match self.replace(&user, forgiven, |user| user.seen_at = Some(now)).await {
                Err(fault) if fault.kind == Kind::Conflict => fault,
                done => return done,
            };
            let newer = self.user(&user.name)?;
            if (User { seen_at: user.seen_at, ..newer.clone() }) != user {
                return Err(conflict);
            }
            user = newer;
        }
        Err(Fault::new(Kind::Busy, "too many sign-ins of this user at once").hint("try again"))
    }

    /// Changes what a user may do or prove: whatever was opened before is closed.
    async fn edit(&self, name: &str, with: Batch, change: impl FnOnce(&mut User)) -> Result<User, Fault> {
        let user = self.user(name)?;
        let with = self.without_sessions(with, &user.person)?;
        self.replace(&user, with, change).await
    }

    async fn replace(&self, old: &User, with: Batch, change: impl FnOnce(&mut User)) -> Result<User, Fault> {
        let (mut user, key) = (old.clone(), folded(&old.name));
        change(&mut user);
        let batch = self.table().put_into(with, &key, &user);
        self.0.store.commit(self.table().expect_into(batch, &key, Some(old)), Durability::Now).await?;
        Ok(user)
    }

    /// Writes failures down, durably: a restart is no second chance.
    async fn remember(&self, key: &str, counted: &Failures, now: Wall) -> Result<(), Fault> {
        let failures = self.failures();
        let mut batch = failures.put_batch(counted, key);
        let mut others = failures.all()?;
        others.retain(|(other, _)| other != key);
        if others.len() >= FAILURES_KEPT {
            others.sort_by_key(|(_, seen)| (seen.known, seen.last()));
            let over = others.len() + 1 - FAILURES_KEPT;
            // A user's lock-out is never pushed out by names that somebody made up.
            let forgotten =
                |(at, (_, seen)): &(usize, (String, Failures))| seen.is_over(now, self.0.lockout) || (*at < over && !seen.known);
            for (_, (other, _)) in others.into_iter().enumerate().filter(forgotten) {
                batch = failures.delete_into(batch, &other);
            }
        }
        Ok(self.0.store.commit(batch, Durability::Now).await?)
    }

    async fn sealed(&self, name: &str, password: Secret) -> Result<Vec<u8>, Fault> {
        let hash = on_a_thread(self.turn().await?, move || Hash::of(&password)).await?;
        let plain = zeroize::Zeroizing::new(postcard::to_allocvec(&hash).map_err(Fault::bug)?);
        Ok(self.0.seal.seal(place(&folded(name)), &plain))
    }

    fn opened(&self, user: &User) -> Result<Hash, Fault> {
        let plain = self.0.seal.open(place(&folded(&user.name)), &user.password)?;
        Ok(body_as(User::TABLE, User::VERSION, &plain)?)
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Fault> {
        match tokio::time::timeout(QUEUE_WAIT, self.0.turn.clone().acquire_owned()).await {
            Ok(turn) => turn.map_err(Fault::bug),
            Err(_) => Err(Fault::new(Kind::Busy, "too many passwords wait to be checked").hint("try again in a moment")),
        }
    }

    pub(super) fn find(&self, name: &str) -> Result<Option<User>, Fault> {
        if is_name(name) { Ok(self.table().get(&folded(name))?) } else { Ok(None) }
    }

    pub(super) fn now(&self) -> Wall {
        self.0.clock.wall()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn open(&self) -> &Open {
        &self.0.open
    }

    pub(super) fn contacts_kept(&self) -> &Contacts {
        &self.0.contacts
    }

    /// Whether there is any user.
    pub fn has_users(&self) -> Result<bool, Fault> {
        Ok(!self.table().scan(Bound::Unbounded, 1)?.is_empty())
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    fn table(&self) -> Table<User> {
        Table::new(self.0.store.clone())
    }

    fn failures(&self) -> Table<Failures> {
        Table::new(self.0.store.clone())
    }
}

/// Work that takes long, on a thread made for it; the turn ends with the work, even when nobody waits for it any more.
async fn on_a_thread<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    });
    done.await.map_err(Fault::bug)?
}

/// What of a local user is sealed.
pub const SEALED: Field = Field {
    purpose: "local password",
    table: User::TABLE,
    field: Name::Is("password"),
    about: "passwords of local users",
    row_stays: true,
};

fn place(key: &str) -> Place<'_> {
    Place { purpose: "local password", table: User::TABLE, key, field: "password" }
}

/// Names are told apart without regard to case.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b))
}

fn check_name(name: &str) -> Result<(), Fault> {
    if is_name(name) {
        return Ok(());
    }
    Err(Fault::bad_input("a user name has 1 to 64 letters, digits, dots, dashes, underscores or @, and begins with a letter or digit")
        .hint("such as anna, or anna@example.net"))
}

/// A name somebody asked for, as it may be repeated.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect()
}

fn wrong() -> Fault {
    Fault::new(Kind::Unauthenticated, "the user name or the password is wrong")
        .hint("`user list` shows the names; `user password` sets a new one")
}

fn locked(left: Duration) -> Fault {
    let seconds = left.as_millis().div_ceil(1_000) as u64;
    let left = if seconds > 90 { format!("{} min", seconds.div_ceil(60)) } else { format!("{seconds} s") };
    Fault::new(Kind::Unauthenticated, format!("too many wrong passwords: locked for another {left}"))
        .hint("wait, or let an administrator set a new password, which ends it")
}

#[cfg(test)]
#[path = "local_tests.rs"]
pub(super) mod tests;
