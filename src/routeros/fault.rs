//! What can go wrong between us and one router.
//!
//! Words that come from the router itself are its console's error texts; they pass [`spoken`] first. Names,
//! subjects and page contents of whoever answers are never repeated.

mod tls;

use crate::base::fault::{Fault, Kind};
use crate::base::ids::hex;
use crate::base::span::Span;
use crate::base::unseen::is_unseen;
use std::{fmt, time::Duration};
pub use tls::TlsTrouble;

/// Longest text of the router's that is passed on, in characters.
const SPOKEN_CHARS: usize = 256;

/// What stands before a router's own words in an error: they are data there, whoever reads them.
pub const REFUSED: &str = "the router refused: ";

/// Why a router did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouterError {
    /// No connection, or it broke before anything could have happened.
    #[error("no connection to {at}: {why}")]
    Unreachable {
        /// `host:port`.
        at: String,
        /// `connection refused`.
        why: String,
    },
    /// Silence.
    #[error("no answer from {at} within {}{}", Span(*.after), .stage.words())]
    Timeout {
        /// `host:port`.
        at: String,
        /// How long we waited.
        after: Duration,
        /// What we waited for.
        stage: Stage,
    },
    /// Another certificate than the one trusted; nothing was sent.
    #[error("{at} shows the certificate sha256:{}, not the pinned one", hex(.presented))]
    Pin {
        /// `host:port`.
        at: String,
        /// SHA-256 of the certificate trusted.
        expected: [u8; 32],
        /// SHA-256 of the certificate shown.
        presented: [u8; 32],
    },
    /// No TLS session; nothing was sent.
    #[error("{at}: {trouble}")]
    Tls {
        /// `host:port`.
        at: String,
        /// What stood against it.
        trouble: TlsTrouble,
    },
    /// The port speaks, but not TLS.
    #[error("{at} does not speak TLS")]
    PlainOnTls {
        /// `host:port`.
        at: String,
    },
    /// A plain request was answered with something that is not HTTP.
    #[error("{at} does not speak plain HTTP")]
    TlsOnPlain {
        /// `host:port`.
        at: String,
    },
    /// Somebody answers, but no RouterOS REST.
    #[error("{at} is not a RouterOS REST service: {why}")]
    NotRouterOs {
        /// `host:port`.
        at: String,
        /// `it answers with a web page`.
        why: String,
    },
    /// The router refuses our login or our user's rights.
    #[error("{at}: {denial}")]
    Denied {
        /// `host:port`.
        at: String,
        /// What it refuses.
        denial: Denial,
    },
    /// The router answered no.
    #[error("{}{detail}", REFUSED)]
    Rejected {
        /// HTTP status; the console has none, and 400 stands for its refusals as it does for REST's.
        status: u16,
        /// The router's words, cleaned.
        detail: String,
    },
    /// This router has no such menu or command.
    #[error("this router has no menu or command `{word}`")]
    NoSuchMenu {
        /// The word it stumbled over.
        word: String,
    },
    /// No row with that `.id`.
    #[error("no such row on the router")]
    NotFound,
    /// The answer is longer than we take.
    #[error("the router's answer is longer than {limit} bytes")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// The answer cannot be read.
    #[error("the router's answer cannot be read: {why}")]
    Garbage {
        /// Where it stops making sense.
        why: String,
    },
    /// A write was sent and its answer did not come: it may have happened.
    #[error("{at}: the answer to a change was lost: {why}")]
    LostAnswer {
        /// `host:port`.
        at: String,
        /// What became of the answer.
        why: String,
    },
    /// No SSH host key was shown.
    #[error("no SSH host key from {at}: {why}")]
    HostKey {
        /// `host:port`.
        at: String,
        /// What happened instead.
        why: String,
    },
    /// Another SSH host key than the one trusted; no credential was sent.
    #[error("{at} shows the SSH host key {presented}, pinned is {expected}")]
    HostKeyChanged {
        /// `host:port`.
        at: String,
        /// The fingerprint trusted.
        expected: String,
        /// The fingerprint shown.
        presented: String,
    },
    /// We were asked for something no router can be asked.
    #[error("{why}")]
    Argument {
        /// What is wrong with it.
        why: String,
    },
    /// The client was closed.
    #[error("the connection to {at} is being closed")]
    Closed {
        /// `host:port`.
        at: String,
    },
}

/// What a silence interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Opening TCP and TLS.
    Connect,
    /// Waiting for the answer or its rest.
    Answer,
    /// The router ended the request at its 60 s limit.
    RouterLimit,
}

impl Stage {
    fn words(self) -> &'static str {
        match self {
            Stage::Connect => " (opening the connection)",
            Stage::Answer => "",
            Stage::RouterLimit => " (the router ended the request)",
        }
    }
}

/// What a router refuses us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// 401: wrong name or password, group without `rest-api`, or our address is not allowed for the user.
    Login,
    /// 403: REST is switched off in `/ip/service/webserver`.
    RestOff,
    /// 500 `not enough permissions (9)`: the user's group lacks a policy for the command.
    Policy,
    /// 500 `std failure: not allowed (9)`: the group has `rest-api` but not `api`.
    ApiPolicy,
    /// SSH: wrong name or password, group without `ssh`, our address not allowed, or the user has keys and must use one.
    SshPassword,
    /// SSH: the router does not know the public key of our private one.
    SshKey,
    /// SSH let us in, and runs no commands for us.
    SshExec,
}

impl Denial {
    /// Whether a fault says that it was this.
    pub fn is_why(self, fault: &Fault) -> bool {
        fault.kind == Kind::RouterDenied && fault.said.ends_with(&self.to_string())
    }

    fn hint(self) -> &'static str {
        match self {
            Denial::Login => {
                "check user name and password, that the user's group has the policies api and rest-api, and the user's allowed addresses"
            }
            Denial::RestOff => "set rest-secure=yes in /ip/service/webserver on the router",
            Denial::Policy => "add the missing policy to the user's group on the router",
            Denial::ApiPolicy => "add the policy api to the user's group on the router; rest-api needs it",
            Denial::SshPassword => {
                "check user name and password, that the user's group has the policy ssh, and the user's allowed addresses; a user with SSH keys may log in by password only with password-authentication=yes in /ip/ssh"
            }
            Denial::SshKey => {
                "add the public key to the user on the router (/user/ssh-keys; RSA, or Ed25519 from 7.12) and check that its group has the policy ssh"
            }
            Denial::SshExec => "check that the user's group has the policy ssh",
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Denial::Login => "the router refused our login",
            Denial::RestOff => "the router's web server does not allow REST here",
            Denial::Policy => "our user on the router lacks a policy for this command",
            Denial::ApiPolicy => "our user on the router lacks the policy `api`",
            Denial::SshPassword => "the router refused our login over SSH",
            Denial::SshKey => "the router refused our key over SSH",
            Denial::SshExec => "the SSH service runs no commands for our user",
        })
    }
}

impl RouterError {
    /// [`RouterError::Argument`].
    pub(crate) fn argument(why: impl Into<String>) -> Self {
        RouterError::Argument { why: why.into() }
    }

    /// Whether the router, or the way to it, is at fault rather than the request: what a circuit breaker counts.
    pub fn is_outage(&self) -> bool {
        use RouterError as E;
        match self {
            E::Unreachable { .. } | E::Timeout { .. } | E::PlainOnTls { .. } | E::TlsOnPlain { .. } => true,
            E::NotRouterOs { .. } | E::Garbage { .. } | E::LostAnswer { .. } | E::HostKey { .. } => true,
            E::Tls { trouble, .. } => !trouble.is_distrust(),
            _ => false,
        }
    }

    fn kind(&self) -> Kind {
        use RouterError as E;
        match self {
            E::Pin { .. } | E::HostKeyChanged { .. } => Kind::Untrusted,
            E::Tls { trouble, .. } if trouble.is_distrust() => Kind::Untrusted,
            E::Denied { .. } => Kind::RouterDenied,
            E::Rejected { .. } | E::TooLarge { .. } => Kind::Rejected,
            E::NoSuchMenu { .. } | E::NotFound => Kind::NotFound,
            E::LostAnswer { .. } => Kind::UnknownOutcome,
            E::Argument { .. } => Kind::BadInput,
            E::Unreachable { .. } | E::Timeout { .. } | E::Tls { .. } | E::PlainOnTls { .. } | E::TlsOnPlain { .. } => Kind::Unreachable,
            E::NotRouterOs { .. } | E::Garbage { .. } | E::HostKey { .. } | E::Closed { .. } => Kind::Unreachable,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        use RouterError as E;
        Some(match self {
            E::Unreachable { .. } => "check address and port, that the service is enabled on the router, and the firewalls between",
            E::Timeout { stage: Stage::RouterLimit, .. } => "the router allows a request 60 s: ask for less, or for a shorter duration",
            E::Timeout { .. } => "check that the router is up and not overloaded, and the firewalls between",
            E::Pin { .. } | E::HostKeyChanged { .. } => {
                "compare with the fingerprint on the router itself; when the change was meant, pin the device again"
            }
            E::Tls { trouble, .. } => trouble.hint(),
            E::PlainOnTls { .. } => {
                "enable www-ssl with a certificate on the router and use its port (443), or add the device with plain HTTP"
            }
            E::TlsOnPlain { .. } => "this may be a TLS port: leave out plain HTTP, or use the www service's port (80)",
            E::NotRouterOs { .. } => "check address and port: REST is served by www-ssl (443) of RouterOS 7.1 and newer",
            E::Denied { denial, .. } => denial.hint(),
            E::Rejected { detail, .. } => return rejected_hint(detail),
            E::NoSuchMenu { .. } => "the menu may need a package, other hardware or another RouterOS version",
            E::NotFound => "rows get new ids when they are made again: read the menu and look the row up",
            E::TooLarge { .. } => "ask for fewer attributes or rows",
            E::Garbage { .. } => "try again; seconds after a boot the router's answers can be wrong",
            E::LostAnswer { .. } => "read back what the router has now before repeating the change",
            E::HostKey { .. } => "check the SSH port and that the ssh service is enabled on the router",
            E::Argument { .. } | E::Closed { .. } => return None,
        })
    }
}

fn rejected_hint(detail: &str) -> Option<&'static str> {
    if detail.contains("device-mode") {
        Some("the router's device-mode forbids it; changing that needs a person at the router")
    } else if detail == "missing or invalid resource identifier" {
        Some("the row may be gone, or our user on the router lacks the policy `write`")
    } else {
        None
    }
}

impl From<RouterError> for Fault {
    fn from(error: RouterError) -> Fault {
        let mut fault = Fault::new(error.kind(), error.to_string());
        fault.hint = error.hint().map(Into::into);
        fault
    }
}

/// The router's words, fit for one line of prose: without characters nobody sees, and cut.
pub fn spoken(text: &str) -> String {
    let seen = text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c }).filter(|c| !is_unseen(*c));
    let line: String = seen.take(SPOKEN_CHARS + 1).collect();
    let line = line.trim();
    match line.char_indices().nth(SPOKEN_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(error: RouterError) -> Fault {
        error.into()
    }

    #[test]
    fn each_kind_of_trouble_has_its_kind_and_a_next_step() {
        let at = || "192.0.2.7:443".to_owned();
        for (error, kind) in [
            (RouterError::Unreachable { at: at(), why: "connection refused".into() }, Kind::Unreachable),
            (RouterError::Timeout { at: at(), after: Duration::from_secs(5), stage: Stage::Answer }, Kind::Unreachable),
            (RouterError::Pin { at: at(), expected: [0; 32], presented: [1; 32] }, Kind::Untrusted),
            (RouterError::Tls { at: at(), trouble: TlsTrouble::Expired }, Kind::Untrusted),
            (RouterError::Tls { at: at(), trouble: TlsTrouble::Refused("x".into()) }, Kind::Unreachable),
            (RouterError::Denied { at: at(), denial: Denial::Login }, Kind::RouterDenied),
            (RouterError::Denied { at: at(), denial: Denial::SshKey }, Kind::RouterDenied),
            (RouterError::HostKeyChanged { at: at(), expected: "SHA256:A".into(), presented: "SHA256:B".into() }, Kind::Untrusted),
            (RouterError::NoSuchMenu { word: "wifi".into() }, Kind::NotFound),
            (RouterError::LostAnswer { at: at(), why: "closed".into() }, Kind::UnknownOutcome),
            (RouterError::PlainOnTls { at: at() }, Kind::Unreachable),
        ] {
            let said = error.to_string();
            let fault = fault(error);
            assert_eq!(fault.kind, kind, "{said}");
            assert!(fault.hint.is_some(), "{said}");
            assert!(!said.ends_with('.') && !said.starts_with(char::is_uppercase), "{said}");
        }
    }

    #[test]
    fn silence_is_told_with_place_and_time() {
        let error = RouterError::Timeout { at: "192.0.2.7:443".into(), after: Duration::from_millis(5000), stage: Stage::Answer };
        assert_eq!(error.to_string(), "no answer from 192.0.2.7:443 within 5s");
    }

    #[test]
    fn the_routers_words_are_cleaned_and_cut() {
        assert_eq!(spoken("no\u{202e} such\u{1b}[31m\nitem\u{200b}"), "no such[31m item");
        let long = spoken(&"é".repeat(400));
        assert_eq!(long.chars().count(), 257);
        assert!(long.ends_with('…'));
    }
}
