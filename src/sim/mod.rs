//! A RouterOS router in memory, for tests and `demo`: REST over HTTPS and HTTP, and SSH, on loopback.
//!
//! It is written from what is known of RouterOS, never from our client: it has its own menus, its own value syntax and its own
//! JSON writer. Tests read and edit its tables through [`Sim::world`] and break it through [`Sim::faults`].
//!
//! | file | holds |
//! |---|---|
//! | `options.rs`, `profiles.rs`, `profiles/*.txt`, `generate.rs` | what to simulate: four routers and their rows |
//! | `menus.rs`, `menus/*.txt`, `schema.rs` | which menus and attributes there are |
//! | `row.rs`, `value.rs`, `query.rs` | rows, values as the router writes them, which rows an answer holds |
//! | `world.rs`, `write.rs`, `rules.rs`, `live.rs`, `routes.rs` | one router's state, what changes it, what moves by itself |
//! | `access.rs`, `refusal.rs` | users, policies, what of a row a user sees; what is answered instead |
//! | `agenda/`, `scripts.rs` | time: the scheduler, waiting scripts, clocks, power |
//! | `device_mode.rs` | what the router may do at all |
//! | `shared.rs`, `listen.rs`, `tls.rs` | what all connections share, listeners, certificates |
//! | `rest/` | the web server: verbs, one request of a user at a time |
//! | `ssh/` | the SSH server: commands, terminals with safe mode, files |
//! | `console/` | the scripting language both of them and stored scripts run in; exports |
//! | `commands.rs`, `measure.rs`, `inspect.rs` | commands that are not about rows: measuring, monitors, the command tree |
//! | `history.rs`, `files.rs` | what can be taken back; files |
//! | `lockout/` | whether our packets still reach its services and log in there |
//! | `plant.rs` | strings and secrets planted all over, for tests of what leaves |
//! | `faults.rs` | what can go wrong, and counters |
//! | `hooks.rs`, `hand.rs` | what a test does at a request; edits as a person makes them |
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579162/REST+API>

mod access;
mod agenda;
mod commands;
mod console;
mod device_mode;
pub mod faults;
mod files;
mod generate;
pub mod hand;
mod history;
pub mod hooks;
mod inspect;
mod listen;
mod live;
pub mod lockout;
mod measure;
pub mod menus;
mod options;
mod plant;
pub mod profiles;
mod query;
mod refusal;
mod rest;
mod routes;
pub mod row;
mod rules;
mod schema;
mod scripts;
mod shared;
mod ssh;
mod tls;
pub mod value;
pub mod world;
mod write;

use crate::base::secret::Secret;
pub use agenda::clock::BoardClock;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use console::one_text;
pub use device_mode::NotAllowed;
pub use options::{Options, TlsOption};
pub use plant::Planted;

use faults::{Faults, Line, Seen, SshSeen};
use hooks::{Step, Verdict, When};
use lockout::Lockout;
use menus::Definitions;
use shared::Shared;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use world::World;

/// Why a router could not be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// No port on loopback.
    #[error("cannot listen on 127.0.0.1")]
    Listen(#[source] std::io::Error),
    /// The certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
}

/// A user of the router.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Its name.
    pub user: &'static str,
    /// Its password.
    pub password: Secret,
}

/// The users every simulated router has.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Group `full`.
    pub admin: Credential,
    /// Group `mcp`: read, write, test, api, rest-api, ssh, ftp, reboot, sensitive; not `policy`.
    pub mcp: Credential,
    /// Group `monitor`: read, api, rest-api; sees no secrets.
    pub monitor: Credential,
}

/// A running simulated router; stops when told to, or when dropped.
#[derive(Debug)]
pub struct Sim {
    shared: Arc<Shared>,
    https_port: u16,
    http_port: u16,
    ssh_port: u16,
}

impl Sim {
    /// Starts a router on free ports of 127.0.0.1, in the runtime that calls.
    pub async fn start(options: Options) -> Result<Self, SimError> {
        let model = match options.version {
            None => options.profile.model(),
            Some(version) => options.profile.model_as(version),
        };
        let definitions = options.definitions.unwrap_or_else(Definitions::own);
        let world = World::new(model, definitions, options.clock, options.seed, &options.name);
        let identity = tls::identity(options.tls, &options.name)?;
        let shared = Arc::new(Shared::new(world, identity, ssh::host_key()));
        let (secure, https_port) = free_port().await?;
        let mut http_port = 0;
        if options.plain {
            let (plain, port) = free_port().await?;
            http_port = port;
            rest::listen(&shared, plain, false);
        }
        shared.world().ports = (https_port, if http_port == 0 { 80 } else { http_port });
        rest::listen(&shared, secure, true);
        let mut ssh_port = 0;
        if options.ssh {
            let (listener, port) = free_port().await?;
            ssh_port = port;
            shared.world().ssh_port = ssh_port;
            ssh::listen(&shared, listener);
        }
        let here = shared.clone();
        shared.spawn(async move { agenda::keep(here).await });
        Ok(Sim { shared, https_port, http_port, ssh_port })
    }

    /// The port of `ssh`; 0 when it was not asked for.
    pub fn ssh_port(&self) -> u16 {
        self.ssh_port
    }

    /// SHA-256 of the host key shown now, as OpenSSH writes it: `SHA256:…`.
    pub fn host_key(&self) -> String {
        ssh::fingerprint(&self.shared.host_key())
    }

    /// Shows a new host key from the next connection on.
    pub fn change_host_key(&self) {
        self.shared.set_host_key(ssh::host_key());
    }

    /// What came over SSH so far, oldest first: commands, terminals, file sessions.
    pub fn commands(&self) -> Vec<SshSeen> {
        self.shared.faults.ssh_seen()
    }

    /// The port of `www-ssl`.
    pub fn https_port(&self) -> u16 {
        self.https_port
    }

    /// The port of `www`; 0 when it was not asked for.
    pub fn http_port(&self) -> u16 {
        self.http_port
    }

    /// SHA-256 of the certificate shown now.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.shared.identity().fingerprint
    }

    /// The certificate shown now, DER.
    pub fn certificate(&self) -> Vec<u8> {
        self.shared.identity().certificate
    }

    /// Shows a new key and certificate from the next connection on.
    pub fn change_certificate(&self) -> Result<(), SimError> {
        self.shared.set_identity(tls::make("changed", false)?);
        Ok(())
    }

    /// Shows a certificate that ran out in 2025 from the next connection on.
    pub fn expire_certificate(&self) -> Result<(), SimError> {
        self.shared.set_identity(tls::make("expired", true)?);
        Ok(())
    }

    /// Names and passwords of its users.
    pub fn credentials(&self) -> Credentials {
        let of = |user, password: &str| Credential { user, password: Secret::new(password) };
        Credentials { admin: of("admin", "sim-admin-pass"), mcp: of("mcp", "sim-mcp-pass"), monitor: of("monitor", "sim-monitor-pass") }
    }

    /// Requests so far, oldest first.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.faults.seen()
    }

    /// Empties [`Sim::requests`] and the counters by path.
    pub fn forget_requests(&self) {
        self.shared.faults.forget_seen();
    }

    /// What goes wrong, and counters.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Does everything whose time has come, in the order of its times. Every request and every [`Sim::world`] does so first.
    pub fn settle(&self) {
        agenda::settle(&self.shared);
    }

    /// The router's tables, caught up with its clock. Do not keep it over an await, and do not ask for it in a hook.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.settle();
        self.shared.world()
    }

    /// Looks at the tables without catching up: what did the router do by itself?
    pub fn quietly<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.shared.world())
    }

    /// Steps the router's wall clock; its monotonic time and everybody else's clocks stay as they are.
    pub fn step_clock(&self, by_ms: i64) {
        self.world().step_clock(by_ms);
        self.settle();
        self.shared.agenda.stir();
    }

    /// Cuts and restores the router's power: open connections die, what is written survives, jobs, globals and logins are lost.
    pub fn power_cut(&self, clock: BoardClock) {
        self.settle();
        self.shared.cut_connections();
        self.shared.world().power_cut(clock);
        self.shared.agenda.stir();
    }

    /// Calls this before and after every request over REST and command over SSH, with the router's tables.
    pub fn hook(&self, act: impl FnMut(&Step, &mut World) -> Verdict + Send + 'static) {
        self.shared.hooks.add(act);
    }

    /// Edits the router once, right before or after the first request like that.
    pub fn edit_at(&self, when: When, method: &str, path: &str, edit: impl FnOnce(&mut World) + Send + 'static) {
        let (method, path, mut edit) = (method.to_string(), path.to_string(), Some(edit));
        self.hook(move |step, world| {
            if step.when == when
                && step.method == method
                && step.path.starts_with(&path)
                && let Some(edit) = edit.take()
            {
                edit(world);
            }
            Verdict::Go
        });
    }

    /// Edits the router once, right before or after the request with that number, counted from 1 from now on.
    pub fn edit_at_request(&self, when: When, number: usize, edit: impl FnOnce(&mut World) + Send + 'static) {
        let mut edit = Some(edit);
        self.hook(move |step, world| {
            if (step.when, step.number) == (when, number)
                && let Some(edit) = edit.take()
            {
                edit(world);
            }
            Verdict::Go
        });
    }

    /// Takes all hooks away.
    pub fn unhook(&self) {
        self.shared.hooks.clear();
    }

    /// Whether our packets still reach each service and log in there as `mcp` with the password that user came with, and why not.
    pub fn lockout(&self) -> Lockout {
        lockout::report(&self.world(), "mcp", None)
    }

    /// As [`Sim::lockout`], for another user or another password.
    pub fn lockout_as(&self, user: &str, password: &str) -> Lockout {
        lockout::report(&self.world(), user, Some(password))
    }

    /// Restarts the router: open connections are cut, logins and uptime start anew.
    pub fn reboot(&self) {
        self.settle();
        self.shared.cut_connections();
        self.shared.world().reboot();
        self.shared.agenda.stir();
    }

    /// Restarts the router; as seen seconds after boot, the next `answers` over REST hold the body of `/system/resource`.
    pub fn reboot_unready(&self, answers: u32) {
        self.reboot();
        self.shared.faults.inject(faults::Rule::always(faults::Fault::WrongBody).times(answers));
    }

    /// Cuts all open connections; new ones are served.
    pub fn cut_connections(&self) {
        self.shared.cut_connections();
    }

    /// Switches it off and waits until its ports are closed.
    pub async fn stop(self) {
        self.shared.faults.set_line(Line::Open);
        self.shared.stop().await;
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.shared.cancel();
    }
}

async fn free_port() -> Result<(TcpListener, u16), SimError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(SimError::Listen)?;
    let port = listener.local_addr().map_err(SimError::Listen)?.port();
    Ok((listener, port))
}

/// A lock whose holder never panics half-way: the worst after one is a half-told story in a test that failed anyway.
fn hold<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
