//! One connection: keys exchanged, the host key compared with the pin, and only then a login.
//!
//! Logins, in this order and never another: with a key, that key alone (RSA signs with SHA-2, never SHA-1); else the
//! password, by keyboard-interactive where the server wants it so; an empty password means RouterOS's `none` first.

use crate::base::secret::Secret;
use crate::routeros::fault::{Denial, RouterError, Stage};
use crate::routeros::net;
use crate::routeros::ssh::key::Key;
use crate::routeros::ssh::{self, HostKey};
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse as Interactive};
use russh::keys::{HashAlg, PublicKeyOrCertificate};
use russh::{Channel, MethodKind, MethodSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A connection on which nothing comes or goes for so long is closed; longer than any command may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(75);
/// How long a login may take: an RSA signature and a password hash on a slow board.
const LOGIN_MAX: Duration = Duration::from_secs(10);
/// Rounds of questions answered in one keyboard-interactive login.
const ROUNDS_MAX: usize = 3;

/// A router's SSH service and how to talk to it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// IP address or host name.
    pub host: String,
    /// 22 unless changed.
    pub port: u16,
    /// The host key it must show, as [`HostKey::fingerprint`].
    pub pin: String,
    /// Name of our user on the router.
    pub user: String,
    /// How that user proves itself.
    pub login: Login,
    /// For TCP; the exchange of keys may take three times that.
    pub connect_timeout: Duration,
    /// Longest output taken.
    pub max_answer_bytes: usize,
}

/// How a user proves itself.
#[derive(Debug, Clone)]
pub enum Login {
    /// By password; RouterOS allows an empty one.
    Password(Secret),
    /// By this key alone.
    Key(Key),
}

/// A connection that is logged in.
pub(super) struct Session {
    handle: Handle<Gate>,
}

impl Session {
    /// Connects, compares, logs in; each within its own limit.
    ///
    /// # Errors
    /// Unreachable or timeout, [`RouterError::HostKeyChanged`], [`RouterError::Denied`].
    pub(super) async fn open(endpoint: &Endpoint) -> Result<Session, RouterError> {
        check_user(&endpoint.user)?;
        let stream = net::connect(&endpoint.host, endpoint.port, endpoint.connect_timeout).await?;
        let at = net::place(&endpoint.host, endpoint.port);
        let shown = Arc::new(Mutex::new(None));
        let gate = Gate { pin: endpoint.pin.clone(), shown: shown.clone() };
        let exchange = client::connect_stream(ssh::config(SILENCE_MAX), stream, gate);
        let limit = endpoint.connect_timeout * ssh::EXCHANGE_TIMES;
        let outcome = tokio::time::timeout(limit, exchange).await;
        let shown: Option<HostKey> = shown.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut handle = match (outcome, shown) {
            (_, Some(key)) if key.fingerprint != endpoint.pin => {
                return Err(RouterError::HostKeyChanged { at, expected: endpoint.pin.clone(), presented: key.fingerprint });
            }
            (Ok(Ok(handle)), Some(_)) => handle,
            (Ok(Ok(_)), None) => return Err(RouterError::HostKey { at, why: "the exchange ended without a key".into() }),
            (Ok(Err(error)), _) => return Err(RouterError::HostKey { at, why: ssh::words(&error).into() }),
            (Err(_), _) => return Err(RouterError::Timeout { at, after: limit, stage: Stage::Connect }),
        };
        let login = log_in(&mut handle, &endpoint.user, &endpoint.login);
        let accepted = match tokio::time::timeout(LOGIN_MAX, login).await {
            Ok(Ok(accepted)) => accepted,
            Ok(Err(error)) => return Err(RouterError::Unreachable { at, why: ssh::words(&error).into() }),
            Err(_) => return Err(RouterError::Timeout { at, after: LOGIN_MAX, stage: Stage::Connect }),
        };
        match (accepted, &endpoint.login) {
            (true, _) => Ok(Session { handle }),
            // The library calls a connection that ends meanwhile a refusal too.
            (false, _) if handle.is_closed() => {
                Err(RouterError::Unreachable { at, why: "it closed the connection during the login".into() })
            }
            (false, Login::Key(_)) => Err(RouterError::Denied { at, denial: Denial::SshKey }),
            (false, Login::Password(_)) => Err(RouterError::Denied { at, denial: Denial::SshPassword }),
        }
    }

    /// Whether it is known to be gone.
    pub(super) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// A channel for one command or subsystem. Nothing was sent on it when this errs.
    pub(super) async fn channel(&self) -> Result<Channel<client::Msg>, russh::Error> {
        self.handle.channel_open_session().await
    }
}

/// A name that SSH can carry. RouterOS reads what follows a `+` as options of a terminal, which we never ask for.
fn check_user(user: &str) -> Result<(), RouterError> {
    if user.is_empty() || user.chars().any(char::is_control) {
        return Err(RouterError::argument("a user's name is not empty and has no control characters"));
    }
    Ok(())
}

async fn log_in(handle: &mut Handle<Gate>, user: &str, login: &Login) -> Result<bool, russh::Error> {
    match login {
        Login::Key(key) => by_key(handle, user, key).await,
        Login::Password(password) => by_password(handle, user, password).await,
    }
}

async fn by_key(handle: &mut Handle<Gate>, user: &str, key: &Key) -> Result<bool, russh::Error> {
    let hashes: &[Option<HashAlg>] = match key.is_rsa() {
        false => &[None],
        // A server that names no algorithms takes one or the other; SHA-1 is not offered to anybody.
        true => match handle.best_supported_rsa_hash().await? {
            Some(Some(HashAlg::Sha256)) => &[Some(HashAlg::Sha256)],
            Some(Some(_)) => &[Some(HashAlg::Sha512)],
            Some(None) | None => &[Some(HashAlg::Sha512), Some(HashAlg::Sha256)],
        },
    };
    for hash in hashes {
        if handle.is_closed() || handle.authenticate_publickey(user, key.with(*hash)).await?.success() {
            return Ok(!handle.is_closed());
        }
    }
    Ok(false)
}

async fn by_password(handle: &mut Handle<Gate>, user: &str, password: &Secret) -> Result<bool, russh::Error> {
    if password.is_empty() && handle.authenticate_none(user).await?.success() {
        return Ok(true);
    }
    // The library keeps a copy of its own until it is sent.
    match handle.authenticate_password(user, password.expose()).await? {
        AuthResult::Success => Ok(true),
        AuthResult::Failure { remaining_methods, .. } if asks_instead(&remaining_methods) => by_answers(handle, user, password).await,
        AuthResult::Failure { .. } => Ok(false),
    }
}

/// Passwords are taken as answers only. A server that takes them both ways has just refused this one.
fn asks_instead(methods: &MethodSet) -> bool {
    methods.contains(&MethodKind::KeyboardInteractive) && !methods.contains(&MethodKind::Password)
}

/// Answers hidden questions with the password, and nothing that would be shown.
async fn by_answers(handle: &mut Handle<Gate>, user: &str, password: &Secret) -> Result<bool, russh::Error> {
    let mut said = handle.authenticate_keyboard_interactive_start(user, None).await?;
    for _ in 0..ROUNDS_MAX {
        let prompts = match said {
            Interactive::Success => return Ok(true),
            Interactive::Failure { .. } => return Ok(false),
            Interactive::InfoRequest { prompts, .. } => prompts,
        };
        let answers = prompts.iter().map(|asked| if asked.echo { String::new() } else { password.expose().to_owned() }).collect();
        said = handle.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Ok(matches!(said, Interactive::Success))
}

/// Lets the pinned key pass and no other.
pub(super) struct Gate {
    pin: String,
    shown: Arc<Mutex<Option<HostKey>>>,
}

impl client::Handler for Gate {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = ssh::host_key(shown);
        let passes = key.as_ref().is_some_and(|key| key.fingerprint == self.pin);
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(passes)
    }
}
