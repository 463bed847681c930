//! The first run: a one-time token for whoever stands at this machine's terminal, with which they make the first
//! administrator.
//!
//! - 128 random bits, good for half an hour and for one use, and only while nobody can sign in. The store has its SHA-256;
//!   the token itself is in the memory of the process that made it, which alone takes it.
//! - It ends by whichever clock is first: the monotonic one stands while a machine sleeps, the wall clock steps. Where the
//!   date was not known when it was made (1970), the wall clock has no say: the time server is about to set it.
//! - Of several who bring it at once one wins: its record goes in the commit that makes the user. Any other way to make a user
//!   ends it too.

use crate::access::local::{Access, User};
use crate::access::role::Role;
use crate::access::token::digest;
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::random;
use crate::base::secret::Secret;
use crate::store::{Batch, Durability, Record, Table};
use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a token is good for.
pub const LASTS: Duration = Duration::from_secs(30 * 60);
/// What stands before it in an address.
pub const FRAGMENT: &str = "#setup=";
/// The one ticket there is.
const KEY: &str = "first";

/// A token's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Ticket {
    digest: [u8; 32],
    made_at: Wall,
}

impl Record for Ticket {
    const TABLE: &'static str = "setup_ticket";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Ticket);

/// The token that this process made.
#[derive(Default)]
pub(super) struct Open(Mutex<Option<Made>>);

struct Made {
    token: Secret,
    /// On the monotonic clock.
    at: Duration,
    /// Where else it is written.
    note: Option<PathBuf>,
}

impl Open {
    fn made(&self) -> MutexGuard<'_, Option<Made>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token is worth nothing any more; neither is what is written of it.
    pub(super) fn forget(&self) {
        if let Some(Made { note: Some(note), .. }) = self.made().take() {
            let _ = std::fs::remove_file(note);
        }
    }
}

/// A token that is good now.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The token. For a terminal or a file of its reader's own, never for a log.
    pub token: Secret,
    /// How much longer it is good.
    pub left: Duration,
}

impl Access {
    /// Whether somebody with the token could make the first administrator now.
    pub fn is_setup_open(&self) -> Result<bool, Fault> {
        Ok(!self.has_users()? && self.pass()?.is_some())
    }

    /// The token: the one there is while it is good, else a new one.
    ///
    /// Errs with `Conflict` once there is a user.
    pub async fn open_setup(&self) -> Result<Pass, Fault> {
        if self.has_users()? {
            return Err(over());
        }
        if let Some(pass) = self.pass()? {
            return Ok(pass);
        }
        let token = Secret::new(BASE32_NOPAD.encode(&random::<16>()).to_ascii_lowercase());
        let ticket = Ticket { digest: digest(token.expose()), made_at: self.now() };
        self.tickets().put(KEY, &ticket, Durability::Now).await?;
        *self.open().made() = Some(Made { token: token.clone(), at: self.clock().mono(), note: None });
        Ok(Pass { token, left: LASTS })
    }

    /// The token is also written in this file, which goes with it.
    pub fn note_setup(&self, note: PathBuf) {
        if let Some(made) = self.open().made().as_mut() {
            made.note = Some(note);
        }
    }

    /// Nobody takes the token any more.
    pub fn close_setup(&self) {
        self.open().forget();
    }

    /// Whether that is the token; `given` may be all of the address.
    ///
    /// Errs with `Unauthenticated` for a wrong, spent or late one, `Conflict` once there is a user.
    pub fn check_setup(&self, given: &Secret) -> Result<(), Fault> {
        self.ticket_of(given).map(drop)
    }

    /// Makes the first administrator.
    ///
    /// Errs as [`check_setup`](Access::check_setup), and with `BadInput` for a name or password against the rules; then the token
    /// is still good.
    pub async fn claim_setup(&self, given: &Secret, name: &str, password: Secret) -> Result<User, Fault> {
        let ticket = self.ticket_of(given)?;
        let batch = self.tickets().expect_into(Batch::new(), KEY, Some(&ticket));
        let made = self.add_with(batch, name, Role::Admin, password).await;
        made.map_err(|fault| if fault.kind == Kind::Conflict { over() } else { fault })
    }

    /// The batch, and with it the end of the first run.
    pub(super) fn setup_over(&self, batch: Batch) -> Batch {
        self.tickets().delete_into(batch, KEY)
    }

    fn ticket_of(&self, given: &Secret) -> Result<Ticket, Fault> {
        if self.has_users()? {
            return Err(over());
        }
        let wrong =
            |said: &str| Fault::new(Kind::Unauthenticated, said).hint("`routeros-mcp setup-token`, on this box, prints the address anew");
        let ticket = self.tickets().get(KEY)?;
        let given = digest(plain(given.expose()).expose());
        let ticket = ticket.filter(|ticket| bool::from(ticket.digest.ct_eq(&given)));
        let ticket = ticket.ok_or_else(|| wrong("this setup token is wrong, or is not the newest"))?;
        match self.left(&ticket) {
            Some(_) => Ok(ticket),
            None => Err(wrong("this setup token is too old")),
        }
    }

    /// The token while it is good.
    fn pass(&self) -> Result<Option<Pass>, Fault> {
        let Some(ticket) = self.tickets().get(KEY)? else { return Ok(None) };
        let Some(left) = self.left(&ticket) else { return Ok(None) };
        Ok(self.open().made().as_ref().map(|made| Pass { token: made.token.clone(), left }))
    }

    /// How much longer a ticket is good; nothing when it is not, or is another process's.
    fn left(&self, ticket: &Ticket) -> Option<Duration> {
        let made = self.open().made();
        let made = made.as_ref().filter(|made| digest(made.token.expose()) == ticket.digest)?;
        let by_mono = self.clock().mono().saturating_sub(made.at);
        let by_wall = if ticket.made_at.is_plausible() { self.now().0.abs_diff(ticket.made_at.0) } else { 0 };
        let left = LASTS.checked_sub(by_mono.max(Duration::from_millis(by_wall)))?;
        (!left.is_zero()).then_some(left)
    }

    fn tickets(&self) -> Table<Ticket> {
        Table::new(self.store().clone())
    }
}

/// What was typed or pasted, as it was made: all of the address is taken, upper case, and dashes and blanks in it.
fn plain(given: &str) -> Secret {
    let token = given.rsplit_once(FRAGMENT).map_or(given, |(_, token)| token);
    Secret::new(token.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).collect::<String>().to_ascii_lowercase())
}

fn over() -> Fault {
    Fault::new(Kind::Conflict, "the first administrator has been made: there is nothing left to set up")
        .hint("sign in; who has no account asks an administrator for one, or uses `routeros-mcp user add` on this box")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::local::tests::{access, good_password};
    use crate::base::clock::Clock;

    fn kind(made: Result<User, Fault>) -> Kind {
        made.unwrap_err().kind
    }

    #[tokio::test]
    async fn the_token_makes_one_administrator_and_is_then_spent() {
        let (access, ..) = access();
        assert!(!access.is_setup_open().unwrap(), "before anybody opened it");
        let pass = access.open_setup().await.unwrap();
        assert_eq!(BASE32_NOPAD.decode(pass.token.expose().to_ascii_uppercase().as_bytes()).unwrap().len(), 16);
        assert_eq!(access.open_setup().await.unwrap().token, pass.token, "the same while it is good");
        assert!(access.is_setup_open().unwrap());
        for bad in ["", "x", "#setup=", "aaaaaaaaaaaaaaaaaaaaaaaaaa", &pass.token.expose()[1..]] {
            assert_eq!(kind(access.claim_setup(&Secret::new(bad), "eve", good_password()).await), Kind::Unauthenticated, "{bad}");
        }
        assert_eq!(kind(access.claim_setup(&pass.token, "anna", Secret::new("short")).await), Kind::BadInput);
        assert!(access.is_setup_open().unwrap(), "a bad password spends nothing");
        let pasted = format!(" https://box:8443/admin/setup#setup={} ", pass.token.expose().to_ascii_uppercase());
        let anna = access.claim_setup(&Secret::new(pasted), "anna", good_password()).await.unwrap();
        assert_eq!(anna.role, Role::Admin);
        assert_eq!(kind(access.claim_setup(&pass.token, "eve", good_password()).await), Kind::Conflict);
        assert!(!access.is_setup_open().unwrap());
        assert_eq!(access.open_setup().await.unwrap_err().kind, Kind::Conflict);
    }

    #[tokio::test]
    async fn of_two_administrators_at_once_one_wins() {
        let (access, ..) = access();
        let pass = access.open_setup().await.unwrap();
        let claim = |name| access.claim_setup(&pass.token, name, good_password());
        let (one, other) = tokio::join!(claim("anna"), claim("eve"));
        let (won, lost) = if one.is_ok() { (one, other) } else { (other, one) };
        assert_eq!(access.users().unwrap(), [won.unwrap()]);
        assert_eq!(kind(lost), Kind::Conflict);
    }

    #[tokio::test]
    async fn a_user_made_otherwise_ends_the_first_run() {
        let (access, ..) = access();
        let pass = access.open_setup().await.unwrap();
        // Judged good before, committed after.
        let (added, claimed) =
            tokio::join!(access.add("bert", Role::ReadOnly, good_password()), access.claim_setup(&pass.token, "eve", good_password()));
        assert!(added.is_ok() != claimed.is_ok(), "one of them, never both");
        assert_eq!(access.users().unwrap().len(), 1);
        assert!(!access.is_setup_open().unwrap());
    }

    #[tokio::test]
    async fn a_token_ends_by_either_clock_and_a_new_one_voids_the_old() {
        let (access, hand, _dir) = access();
        let minutes = |n: u64| Duration::from_secs(60 * n);
        let old = access.open_setup().await.unwrap().token;
        hand.advance(minutes(29));
        assert_eq!(access.open_setup().await.unwrap().left, minutes(1));
        hand.advance(minutes(1));
        assert!(!access.is_setup_open().unwrap());
        assert_eq!(access.check_setup(&old).unwrap_err().said, "this setup token is too old");
        let new = access.open_setup().await.unwrap().token;
        assert_ne!(new, old);
        assert_eq!(access.check_setup(&old).unwrap_err().kind, Kind::Unauthenticated);
        // A machine that slept: only the wall clock knows.
        hand.step_wall(Wall(access.now().0 + minutes(31).as_millis() as i64));
        assert!(access.check_setup(&new).is_err());
        let third = access.open_setup().await.unwrap().token;
        hand.step_wall(Wall(access.now().0 - minutes(31).as_millis() as i64));
        assert!(access.check_setup(&third).is_err(), "nor does a clock that steps back make it last");
    }

    #[tokio::test]
    async fn a_box_that_boots_in_1970_keeps_its_token_when_the_date_comes() {
        let (access, hand, _dir) = access();
        hand.step_wall(Wall(30_000));
        let pass = access.open_setup().await.unwrap();
        hand.step_wall(Wall(1_790_000_000_000));
        access.check_setup(&pass.token).unwrap();
        hand.advance(LASTS);
        assert!(access.check_setup(&pass.token).is_err(), "the monotonic clock counts all the same");
    }

    #[tokio::test]
    async fn another_process_does_not_take_the_token_and_the_store_does_not_hold_it() {
        let (access, _, dir) = access();
        let pass = access.open_setup().await.unwrap();
        let note = dir.path().join("note");
        std::fs::write(&note, pass.token.expose()).unwrap();
        access.note_setup(note.clone());
        let other = Access::new(access.store().clone(), crate::store::Seal::new(&[7; 32]), Clock::system(), Default::default());
        assert!(!other.is_setup_open().unwrap());
        assert_eq!(kind(other.claim_setup(&pass.token, "eve", good_password()).await), Kind::Unauthenticated);
        let held = std::fs::read(dir.path().join("s.redb")).unwrap();
        assert!(!held.windows(26).any(|bytes| bytes == pass.token.expose().as_bytes()), "its digest alone");
        access.add("anna", Role::Admin, good_password()).await.unwrap();
        assert!(!note.exists(), "what was written of it goes with it");
    }
}
