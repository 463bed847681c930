//! Words to the service manager: ready, reloading, stopping, still alive.
//!
//! Without `NOTIFY_SOCKET` every word goes nowhere, so callers never ask who started them.
//!
//! Source: <https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>

use sd_notify::NotifyState as Word;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

/// Speaks to whoever started us. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Notifier {
    to: Option<Arc<Manager>>,
    watchdog: Option<Duration>,
}

#[derive(Debug)]
struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Notifier {
    /// From this process's environment.
    pub fn from_process() -> Self {
        Notifier::from_env(|name| std::env::var(name).ok(), std::process::id())
    }

    /// From a given environment; `pid` is compared with `WATCHDOG_PID`.
    pub fn from_env(env: impl Fn(&str) -> Option<String>, pid: u32) -> Self {
        let to = env("NOTIFY_SOCKET").and_then(|name| manager(&name)).map(Arc::new);
        let watchdog = to.as_ref().and_then(|_| watchdog(&env, pid));
        Notifier { to, watchdog }
    }

    /// Start-up is finished: calls are answered. `status` is shown by `systemctl status`.
    pub fn ready(&self, status: &str) {
        self.say(&[Word::Ready, Word::Status(status)]);
    }

    /// The configuration is being read again; [`Notifier::ready`] ends it.
    pub fn reloading(&self) {
        // systemd wants the time too, so that it can tell this reload from an earlier one.
        match Word::monotonic_usec_now() {
            Ok(now) => self.say(&[Word::Reloading, now]),
            Err(_) => self.say(&[Word::Reloading]),
        }
    }

    /// Shutdown began.
    pub fn stopping(&self) {
        self.say(&[Word::Stopping]);
    }

    /// The event loop and the store both answered just now.
    pub fn alive(&self) {
        self.say(&[Word::Watchdog]);
    }

    /// Start or stop takes longer: do not kill us before `from_now`.
    pub fn extend_timeout(&self, from_now: Duration) {
        let usec = u32::try_from(from_now.as_micros()).unwrap_or(u32::MAX);
        self.say(&[Word::ExtendTimeoutUsec(usec)]);
    }

    /// What goes on, shown by `systemctl status`.
    pub fn status(&self, status: &str) {
        self.say(&[Word::Status(status)]);
    }

    /// How often [`Notifier::alive`] is expected: half of what the manager waits for. `None` when nobody watches.
    pub fn watchdog_every(&self) -> Option<Duration> {
        self.watchdog
    }

    /// A manager that does not listen is no reason to fail: it will act by its own timeouts.
    fn say(&self, words: &[Word<'_>]) {
        let Some(manager) = &self.to else { return };
        let text: String = words.iter().map(|word| format!("{word}\n")).collect();
        if let Err(error) = manager.socket.send_to_addr(text.as_bytes(), &manager.address) {
            tracing::debug!(%error, "the service manager did not take our word");
        }
    }
}

/// `@name` is an abstract socket, anything else a path.
fn manager(name: &str) -> Option<Manager> {
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    };
    let socket = UnixDatagram::unbound().ok()?;
    // A full queue must not stop the event loop.
    socket.set_nonblocking(true).ok()?;
    Some(Manager { socket, address: address.ok()? })
}

fn watchdog(env: &impl Fn(&str) -> Option<String>, pid: u32) -> Option<Duration> {
    let meant_for_us = env("WATCHDOG_PID").is_none_or(|wanted| wanted.parse() == Ok(pid));
    let usec: u64 = env("WATCHDOG_USEC")?.parse().ok()?;
    (meant_for_us && usec > 0).then(|| Duration::from_micros(usec) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{hex, random};

    fn heard(from: &UnixDatagram) -> String {
        from.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut buffer = [0; 256];
        let n = from.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    }

    #[test]
    fn says_each_word_as_systemd_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::from_env(|name| (name == "NOTIFY_SOCKET").then(|| path.display().to_string()), 1);
        notifier.ready("3 devices");
        assert_eq!(heard(&manager), "READY=1\nSTATUS=3 devices\n");
        notifier.reloading();
        let reloading = heard(&manager);
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        notifier.alive();
        assert_eq!(heard(&manager), "WATCHDOG=1\n");
        notifier.extend_timeout(Duration::from_secs(30));
        assert_eq!(heard(&manager), "EXTEND_TIMEOUT_USEC=30000000\n");
        notifier.stopping();
        assert_eq!(heard(&manager), "STOPPING=1\n");
    }

    #[test]
    fn an_abstract_socket_works_too() {
        let name = format!("routeros-mcp-test-{}", hex(&random::<8>()));
        let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Notifier::from_env(|key| (key == "NOTIFY_SOCKET").then(|| format!("@{name}")), 1).stopping();
        assert_eq!(heard(&manager), "STOPPING=1\n");
    }

    #[test]
    fn without_a_manager_nothing_happens() {
        let notifier = Notifier::from_env(|name| (name == "WATCHDOG_USEC").then(|| "30000000".into()), 1);
        notifier.ready("");
        assert_eq!(notifier.watchdog_every(), None);
    }

    #[test]
    fn the_watchdog_is_fed_twice_as_often_as_asked_and_only_when_meant_for_us() {
        let env = |pid: &'static str| {
            move |name: &str| match name {
                "NOTIFY_SOCKET" => Some("/nowhere".to_owned()),
                "WATCHDOG_USEC" => Some("30000000".to_owned()),
                "WATCHDOG_PID" => Some(pid.to_owned()),
                _ => None,
            }
        };
        assert_eq!(Notifier::from_env(env("7"), 7).watchdog_every(), Some(Duration::from_secs(15)));
        assert_eq!(Notifier::from_env(env("8"), 7).watchdog_every(), None);
    }
}
