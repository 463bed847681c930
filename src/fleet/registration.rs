//! Routers that add themselves to a list, for a person to take in.
//!
//! An operator asks for a registration and pastes its script on a router. The script makes our user with a password that we
//! know already, and tells us what certificate the router shows. What is sent is worth nothing to whoever listens: a token
//! that is good for one report, and facts that the router shows everybody. So it does not matter that a router cannot check
//! our certificate: somebody between us can spoil the report, and a person sees that, for the script prints the fingerprint on
//! the router's own terminal and nothing is trusted before they compared the two.
//!
//! - A token is random, used once, good for an hour, and kept as its SHA-256.
//! - The password is sealed for the one row, and wiped once the router is taken in, the registration revoked or its time over.
//! - A report makes nothing but a row that waits; it opens no connection.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::base::secret::Secret;
use crate::fleet::bootstrap::{self, Bootstrap};
use crate::fleet::device::Device;
use crate::fleet::enroll::Ready;
use crate::fleet::naming::check_name;
use crate::fleet::registry::Fleet;
use crate::routeros::pin::parse_fingerprint;
use crate::store::{Batch, Durability, Field, Name, Place, Record, StoreError, Table};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// What tokens begin with.
const PREFIX: &str = "rmcpreg_";
/// A token is good for so long: time to walk to a router.
const GOOD_MS: i64 = 3_600_000;
/// What was reported waits for a person so long.
const WAITS_MS: i64 = 7 * 86_400_000;
/// Rows of what is over are kept so long.
const KEPT_MS: i64 = 30 * 86_400_000;
/// Open at one time.
const OPEN_MAX: usize = 200;
/// The longest report, bytes.
pub const REPORT_MAX: usize = 2_048;
/// The longest value in it, characters.
const VALUE_MAX: usize = 64;

/// One router that may report itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// `reg_` and 16 hexadecimal digits.
    pub id: String,
    digest: [u8; 32],
    /// What the device is to be called.
    pub name: String,
    /// Our user there.
    pub username: String,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub created_at: Wall,
    /// When it was revoked.
    pub revoked_at: Option<Wall>,
    /// What the router said.
    pub report: Option<Report>,
    /// The device it became.
    pub device: Option<String>,
    password: Option<Vec<u8>>,
}

impl Record for Registration {
    const TABLE: &'static str = "registration";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Registration);

/// What a router says of itself: hearsay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// When it came.
    pub at: Wall,
    /// Where it came from; none where a person pasted it.
    pub from: Option<String>,
    /// The certificate of its REST.
    pub tls: [u8; 32],
    /// The port of its REST.
    pub rest_port: u16,
    /// Its name.
    pub identity: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its board.
    pub board: Option<String>,
    /// Its RouterOS.
    pub version: Option<String>,
}

impl Report {
    /// From lines of `key value`, and the token in them. What is not known is passed over.
    ///
    /// Errs with `BadInput` when there is no fingerprint.
    pub fn parse(text: &str, at: Wall, from: Option<String>) -> Result<(Report, Option<Secret>), Fault> {
        let wrong = |why: &str| Fault::bad_input(format!("the report {why}")).hint("paste what the script printed, all of it");
        if text.len() > REPORT_MAX {
            return Err(wrong("is longer than any of ours"));
        }
        let line = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.trim().split_once(' '));
            lines.find(|(key, _)| *key == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty() && *value != "-")
        };
        let plain = |name: &str| {
            let value: String = line(name)?.chars().filter(|c| !c.is_control()).take(VALUE_MAX).collect();
            Some(value)
        };
        let tls = line("fingerprint").and_then(parse_fingerprint).ok_or_else(|| wrong("names no certificate"))?;
        let rest_port =
            line("port").map_or(Ok(443), str::parse).ok().filter(|port| *port > 0).ok_or_else(|| wrong("has a port that is none"))?;
        let (identity, serial, board, version) = (plain("identity"), plain("serial"), plain("board"), plain("version"));
        Ok((Report { at, from, tls, rest_port, identity, serial, board, version }, line("token").map(Secret::new)))
    }
}

impl Registration {
    /// Until when a router may report under it.
    pub fn expires_at(&self) -> Wall {
        Wall(self.created_at.0 + GOOD_MS)
    }

    /// `waiting` for the router, `pending` for a person, `added`, `revoked` or `expired`.
    pub fn state(&self, now: Wall) -> &'static str {
        match self {
            Registration { device: Some(_), .. } => "added",
            Registration { revoked_at: Some(_), .. } => "revoked",
            Registration { report: Some(_), .. } if now.0 < self.created_at.0 + WAITS_MS => "pending",
            Registration { report: None, .. } if now < self.expires_at() => "waiting",
            _ => "expired",
        }
    }

    fn is_open(&self, now: Wall) -> bool {
        matches!(self.state(now), "pending" | "waiting")
    }
}

/// What an operator gets, once.
pub struct Made {
    /// The row.
    pub registration: Registration,
    /// To paste on the router: the token and the password stand in it, and nowhere else.
    pub script: String,
}

/// What of it is sealed.
pub const SEALED: Field = Field {
    purpose: "registration",
    table: Registration::TABLE,
    field: Name::Is("password"),
    about: "logins of routers that registered themselves",
    row_stays: false,
};

fn sealed_at(id: &str) -> Place<'_> {
    Place { purpose: "registration", table: Registration::TABLE, key: id, field: "password" }
}

fn digest(token: &str) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref());
    digest
}

fn id_of(digest: &[u8; 32]) -> String {
    format!("reg_{}", hex(&digest[..8]))
}

/// Every way of being no good looks the same.
pub fn refused() -> Fault {
    Fault::new(Kind::Unauthenticated, "this report is not taken").hint("make a new registration in the admin pages")
}

impl Fleet {
    fn table(&self) -> Table<Registration> {
        Table::new(self.shared.store.clone())
    }

    /// Opens a registration; the script reports to `url`.
    ///
    /// Errs with `BadInput` for a name that no device may have, `Conflict` when it is taken, `Busy` when many are open.
    pub async fn register(&self, name: &str, user: Bootstrap, url: &str, by: &str) -> Result<Made, Fault> {
        check_name(name)?;
        user.check()?;
        self.shared.check_name_free(name, None)?;
        let now = self.shared.clock.wall();
        if self.registrations()?.iter().filter(|one| one.is_open(now)).count() >= OPEN_MAX {
            return Err(Fault::new(Kind::Busy, format!("{OPEN_MAX} registrations are open")).hint("revoke those nobody needs"));
        }
        let (token, password) = (Secret::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&random::<32>()))), bootstrap::password());
        let digest = digest(token.expose());
        let id = id_of(&digest);
        let registration = Registration {
            password: Some(self.shared.seal.seal(sealed_at(&id), password.expose().as_bytes())),
            digest,
            name: name.to_owned(),
            username: user.username.clone(),
            by: by.to_owned(),
            created_at: now,
            revoked_at: None,
            report: None,
            device: None,
            id,
        };
        let table = self.table();
        let batch = table.expect_into(table.put_batch(&registration, &registration.id), &registration.id, None);
        table.store().commit(batch, Durability::Now).await?;
        Ok(Made { script: user.registering(&password, url, &token), registration })
    }

    /// All of them, the newest first.
    pub fn registrations(&self) -> Result<Vec<Registration>, Fault> {
        let mut all: Vec<Registration> = self.table().all()?.into_iter().map(|(_, one)| one).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.created_at));
        Ok(all)
    }

    /// Wipes passwords that nobody can use any more, and forgets what is long over.
    pub async fn sweep_registrations(&self) -> Result<(), Fault> {
        let (now, table) = (self.shared.clock.wall(), self.table());
        for (id, one) in table.all()?.into_iter().filter(|(_, one)| !one.is_open(now)) {
            let batch = Batch::new();
            let batch = match one.created_at.0 + KEPT_MS < now.0 {
                true => table.delete_into(batch, &id),
                false if one.password.is_some() => table.put_into(batch, &id, &Registration { password: None, ..one.clone() }),
                false => continue,
            };
            match table.store().commit(table.expect_into(batch, &id, Some(&one)), Durability::Now).await {
                // It changed just now: next time.
                Err(StoreError::Expectation { .. }) => {}
                done => done?,
            }
        }
        Ok(())
    }

    /// One of them. Errs with `NotFound`.
    pub fn registration(&self, id: &str) -> Result<Registration, Fault> {
        let none = || Fault::not_found("there is no such registration").hint("`registration.list` shows them");
        if !id.starts_with("reg_") || id.len() > 64 {
            return Err(none());
        }
        self.table().get(id)?.ok_or_else(none)
    }

    /// Ends one; a report that comes later is refused.
    pub async fn revoke_registration(&self, id: &str) -> Result<Registration, Fault> {
        let before = self.registration(id)?;
        let mut one = before.clone();
        if one.device.is_none() {
            one.revoked_at.get_or_insert(self.shared.clock.wall());
        }
        one.password = None;
        self.swap(&before, one).await
    }

    /// Takes a report in from whoever has its token: once, in its time.
    ///
    /// Errs with `Unauthenticated`, always in the same words.
    pub async fn take_report(&self, report: Report, token: &Secret) -> Result<Registration, Fault> {
        let digest = digest(token.expose());
        // Looked up by a digest: how far a guess agrees with one says nothing. It is compared whole all the same.
        let found = self.table().get(&id_of(&digest))?.filter(|one| bool::from(one.digest.ct_eq(&digest)));
        let before = found.filter(|one| one.state(self.shared.clock.wall()) == "waiting").ok_or_else(refused)?;
        let after = Registration { report: Some(report), ..before.clone() };
        self.swap(&before, after).await.map_err(|fault| if fault.kind == Kind::Conflict { refused() } else { fault })
    }

    /// Takes a report in that a person brought. Errs with `Conflict` when it waits for none.
    pub async fn paste_report(&self, id: &str, report: Report) -> Result<Registration, Fault> {
        let before = self.registration(id)?;
        let state = before.state(self.shared.clock.wall());
        // It arrived, and the router did not hear so.
        if state == "pending" && before.report.as_ref().is_some_and(|known| known.tls == report.tls) {
            return Ok(before);
        }
        if state != "waiting" {
            return Err(Fault::new(Kind::Conflict, format!("this registration is {state}: it waits for no report")).hint("make a new one"));
        }
        let after = Registration { report: Some(report), ..before.clone() };
        self.swap(&before, after).await
    }

    /// What takes the router in: its report, and the password that the script gave our user.
    ///
    /// Errs with `Conflict` unless a report waits for a person.
    pub fn registered(&self, id: &str) -> Result<(Registration, Report, Secret), Fault> {
        let one = self.registration(id)?;
        let state = one.state(self.shared.clock.wall());
        match (&one.report, &one.password) {
            (Some(report), Some(sealed)) if state == "pending" => {
                let password = self.shared.seal.open_text(sealed_at(&one.id), sealed)?;
                Ok((one.clone(), report.clone(), password))
            }
            _ => Err(Fault::new(Kind::Conflict, format!("this registration is {state}"))
                .hint("only one that a router reported under can be taken in")),
        }
    }

    /// It becomes a device, both or neither. Errs with `Conflict` when it was revoked meanwhile, and as `take_in`.
    pub async fn take_in_registered(&self, before: &Registration, ready: Ready) -> Result<Arc<Device>, Fault> {
        let after = Registration { device: Some(ready.id().to_string()), password: None, ..before.clone() };
        let table = self.table();
        let batch = table.expect_into(table.put_batch(&after, &after.id), &after.id, Some(before));
        self.take_in_one(ready, batch).await
    }

    async fn swap(&self, before: &Registration, after: Registration) -> Result<Registration, Fault> {
        let table = self.table();
        let batch = table.expect_into(table.put_batch(&after, &after.id), &after.id, Some(before));
        table.store().commit(batch, Durability::Now).await?;
        Ok(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINT: &str = "aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899";

    #[test]
    fn a_report_is_read_and_what_is_strange_in_it_is_cut() {
        let long = "x".repeat(200);
        let text =
            format!("token rmcpreg_x\nfingerprint {PRINT}\nport 8443\nserial -\nboard RB5009\nodd thing\nidentity edge\u{1b}[31m {long}\n");
        let (report, token) = Report::parse(&text, Wall(5), None).unwrap();
        assert_eq!((report.rest_port, hex(&report.tls)), (8443, PRINT.to_owned()));
        assert_eq!((report.serial, report.board.as_deref(), token.unwrap().expose()), (None, Some("RB5009"), "rmcpreg_x"));
        let identity = report.identity.unwrap();
        assert!(identity.starts_with("edge[31m") && identity.chars().count() == VALUE_MAX, "{identity:?}");
        for bad in [
            "",
            "fingerprint",
            "fingerprint abc",
            &format!("fingerprint {PRINT}\nport 0"),
            &format!("fingerprint {PRINT}\nport 70000"),
            &"x".repeat(3_000),
        ] {
            assert_eq!(Report::parse(bad, Wall(5), None).unwrap_err().kind, Kind::BadInput, "{bad}");
        }
    }

    #[test]
    fn a_registration_ends_by_itself() {
        let mut one = Registration {
            id: "reg_1".into(),
            digest: [0; 32],
            name: "edge".into(),
            username: "mcp".into(),
            by: "anna".into(),
            created_at: Wall(0),
            revoked_at: None,
            report: None,
            device: None,
            password: None,
        };
        assert_eq!((one.state(Wall(GOOD_MS - 1)), one.state(Wall(GOOD_MS))), ("waiting", "expired"));
        one.report = Some(Report::parse(&format!("fingerprint {PRINT}"), Wall(1), None).unwrap().0);
        assert_eq!((one.state(Wall(GOOD_MS)), one.state(Wall(WAITS_MS))), ("pending", "expired"));
        one.revoked_at = Some(Wall(2));
        assert_eq!(one.state(Wall(3)), "revoked");
        one.device = Some("dev_1".into());
        assert_eq!(one.state(Wall(3)), "added");
    }
}
