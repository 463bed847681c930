//! What signs messages of the webhook: in the file, or sealed in the store.

use crate::alert::channel::{Channel, Failure};
use crate::alert::deliver::Line;
use crate::alert::hub::{Alerts, BOX, Hub};
use crate::alert::message::Message;
use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::store::{Batch, Durability, Field, Name, Place};

const SECRET: Place<'static> = Place { purpose: "alert", table: BOX, key: "alert-webhook", field: "secret" };
/// What of it is sealed.
pub const SEALED: Field =
    Field { purpose: SECRET.purpose, table: BOX, field: Name::Is(SECRET.field), about: "keys of this appliance itself", row_stays: false };

impl Alerts {
    /// Seals what signs messages of the webhook in the store.
    ///
    /// Errs with `Conflict` where the file has one, or there is no webhook; `Storage` where credentials cannot be kept.
    pub async fn set_secret(&self, secret: &Secret) -> Result<(), Fault> {
        let hub = &self.0;
        if hub.settings.webhook_secret.is_some() {
            return Err(Fault::new(Kind::Conflict, "the secret stands in alert.webhook_secret").hint("change it there, or take it out"));
        }
        if hub.settings.webhook.is_none() {
            return Err(Fault::new(Kind::Conflict, "there is no webhook to sign for").hint("set alert.webhook_url first"));
        }
        if hub.store.is_volatile() {
            return Err(Fault::new(Kind::Storage, "state lies in RAM: no credentials are kept there").hint("set alert.webhook_secret"));
        }
        let sealed = hub.seal.seal(SECRET, secret.expose().as_bytes());
        hub.store.commit(Batch::new().put(BOX, SECRET.key, sealed), Durability::Now).await?;
        hub.lines.iter().for_each(|line| line.again.notify_one());
        Ok(())
    }
}

impl Hub {
    /// Sends a message through a line, now.
    pub async fn send(&self, line: &Line, message: &Message) -> Result<String, Failure> {
        let secret = match &line.channel {
            Channel::Webhook(_) => self.secret().map_err(|_| Failure::again("the secret that signs cannot be read"))?,
            Channel::Syslog(_) => None,
        };
        line.channel.send(message, &self.settings.from, secret.as_ref(), self.clock.wall()).await
    }

    /// The file's, else the store's.
    fn secret(&self) -> Result<Option<Secret>, Fault> {
        if let Some(secret) = &self.settings.webhook_secret {
            return Ok(Some(secret.clone()));
        }
        let Some(sealed) = self.store.get(BOX, SECRET.key)? else { return Ok(None) };
        let plain = self.seal.open(SECRET, &sealed)?;
        Ok(std::str::from_utf8(&plain).ok().map(Secret::new))
    }

    pub(super) fn where_secret_is(&self) -> Option<&'static str> {
        match (&self.settings.webhook_secret, self.store.get(BOX, SECRET.key)) {
            (Some(_), _) => Some("file"),
            (None, Ok(Some(_))) => Some("store"),
            (None, _) => None,
        }
    }
}
