//! The ways out.

use crate::alert::message::{From, Message, tidy};
use crate::alert::syslog::Syslog;
use crate::alert::webhook::Webhook;
use crate::base::clock::Wall;
use crate::base::secret::Secret;

/// Longest words about a try, in characters.
const SAID: usize = 200;

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct Failure {
    /// In words.
    pub said: String,
    /// No other try will do.
    pub is_final: bool,
}

impl Failure {
    /// Another try may do.
    pub fn again(said: impl AsRef<str>) -> Failure {
        Failure { said: tidy(said.as_ref(), SAID), is_final: false }
    }

    /// No other try will.
    pub fn for_good(said: impl AsRef<str>) -> Failure {
        Failure { is_final: true, ..Failure::again(said) }
    }

    /// The word used in answers and metrics.
    pub fn outcome(&self) -> &'static str {
        if self.is_final { "refused" } else { "failed" }
    }
}

/// What came of a try through one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// `webhook` or `syslog`.
    pub channel: &'static str,
    /// Where it went.
    pub to: String,
    /// Whether it was delivered.
    pub delivered: bool,
    /// What came back, in words.
    pub said: String,
    /// How long it took.
    pub took_ms: u64,
}

/// One way out.
pub enum Channel {
    /// JSON by POST.
    Webhook(Webhook),
    /// A line.
    Syslog(Syslog),
}

impl Channel {
    /// The word used in answers, metrics and keys.
    pub fn name(&self) -> &'static str {
        match self {
            Channel::Webhook(_) => "webhook",
            Channel::Syslog(_) => "syslog",
        }
    }

    /// Where it leads, without what may be secret.
    pub fn to(&self) -> String {
        match self {
            Channel::Webhook(webhook) => webhook.shown(),
            Channel::Syslog(syslog) => syslog.target().to_string(),
        }
    }

    /// Sends a message; `secret` signs it where this is done.
    pub async fn send(&self, message: &Message, from: &From, secret: Option<&Secret>, now: Wall) -> Result<String, Failure> {
        match self {
            Channel::Webhook(webhook) => {
                let secret =
                    secret.ok_or_else(|| Failure::again("nothing to sign with: set alert.webhook_secret, or put a secret on the page"))?;
                webhook.send(message, from, secret, now).await
            }
            Channel::Syslog(syslog) => syslog.send(message, now).await,
        }
    }
}
