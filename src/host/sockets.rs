//! Sockets that a service manager opened for us: port 443 without a privilege, and no moment without a listener while we restart.
//!
//! Each has a name (`FileDescriptorName=` of its unit): `https`, `http` or `metrics`; several may have one name. Whoever
//! needs a socket takes those of its name, and opens its own when there are none.
//!
//! Source: <https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>

use listenfd::ListenFd;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Names that mean something here.
pub const NAMES: [&str; 3] = ["https", "http", "metrics"];

/// What was passed and nobody has taken yet. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Sockets(Arc<Mutex<Vec<(String, TcpListener)>>>);

impl Sockets {
    /// Those passed to this process; a second call finds none of them again.
    pub fn from_process() -> Self {
        static TAKEN: std::sync::Once = std::sync::Once::new();
        let mut found = Sockets::default();
        TAKEN.call_once(|| {
            let env = |name: &str| std::env::var(name).ok();
            if is_for(&env, std::process::id()) {
                found = Sockets::named(ListenFd::from_env(), &env("LISTEN_FDNAMES").unwrap_or_default());
            }
        });
        found
    }

    fn named(mut passed: ListenFd, names: &str) -> Self {
        let mut names = names.split(':');
        let mut sockets = Vec::new();
        for at in 0..passed.len() {
            let name = names.next().unwrap_or_default();
            if !NAMES.contains(&name) {
                let known = NAMES.join(", ");
                tracing::warn!(
                    name,
                    known,
                    "a socket was passed under a name that means nothing here: set FileDescriptorName= in its unit"
                );
                continue;
            }
            let taken = passed.take_tcp_listener(at).and_then(|socket| socket.map(|s| s.set_nonblocking(true).map(|()| s)).transpose());
            match taken {
                Ok(socket) => sockets.extend(socket.map(|socket| (name.to_owned(), socket))),
                Err(error) => {
                    tracing::warn!(name, %error, "a socket was passed that no connection comes from: it must be a listening TCP socket")
                }
            }
        }
        Sockets(Arc::new(Mutex::new(sockets)))
    }

    /// Those of this name, ready for tokio; from now on they are the caller's.
    pub fn take(&self, name: &str) -> Vec<TcpListener> {
        let mut sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.extract_if(.., |(known, _)| known.as_str() == name).map(|(_, socket)| socket).collect()
    }

    /// Names of what nobody took.
    pub fn left(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(name, _)| name.clone()).collect()
    }
}

/// Whether systemd listens on this port, and so passes the socket to whatever it starts then. Root alone can see that.
pub fn is_with_systemd(port: u16) -> bool {
    if !Path::new("/run/systemd/system").exists() {
        return false;
    }
    let tables: String = ["/proc/net/tcp", "/proc/net/tcp6"].iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let sockets: Vec<String> = listening(&tables, port).map(|inode| format!("socket:[{inode}]")).collect();
    let open = std::fs::read_dir("/proc/1/fd").into_iter().flatten().flatten();
    open.filter_map(|fd| std::fs::read_link(fd.path()).ok()).any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
}

/// Inodes of the sockets that listen on a port, from the kernel's tables: `0: 0100007F:1F90 00000000:0000 0A … UID TIMEOUT INODE`.
fn listening(tables: &str, port: u16) -> impl Iterator<Item = &str> {
    const LISTENS: &str = "0A";
    let at = format!(":{port:04X}");
    tables.lines().filter_map(move |line| {
        let mut words = line.split_whitespace();
        let (local, state) = (words.nth(1)?, words.nth(1)?);
        (local.ends_with(&at) && state == LISTENS).then(|| words.nth(5)).flatten()
    })
}

/// Whether the variables are meant for this process, and not left over from one that started it.
fn is_for(env: &impl Fn(&str) -> Option<String>, pid: u32) -> bool {
    env("LISTEN_PID").and_then(|wanted| wanted.parse().ok()) == Some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_for_another_process_are_not_ours() {
        let env = |pid: &'static str| move |name: &str| (name == "LISTEN_PID").then(|| pid.to_owned());
        assert!(is_for(&env("7"), 7));
        assert!(!is_for(&env("8"), 7) && !is_for(&env("x"), 7) && !is_for(&|_: &str| None, 7));
    }

    #[test]
    fn sockets_that_listen_on_a_port_are_found_in_the_kernels_tables() {
        let tables = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 24680 1 0000 100 0 0 10 0\n\
               1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 13579 1 0000 100 0 0 10 0\n\
               0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0000 100 0 0 10 0\n";
        assert_eq!(listening(tables, 8080).collect::<Vec<_>>(), ["24680"]);
        assert_eq!(listening(tables, 443).collect::<Vec<_>>(), ["777"]);
        assert_eq!(listening(tables, 80).count(), 0);
        let own = TcpListener::bind("127.0.0.1:0").unwrap();
        let kernels = std::fs::read_to_string("/proc/net/tcp").unwrap();
        assert_eq!(listening(&kernels, own.local_addr().unwrap().port()).count(), 1);
    }

    #[test]
    fn sockets_are_taken_once_and_by_name() {
        let open = || TcpListener::bind("127.0.0.1:0").unwrap();
        let sockets = Sockets(Arc::new(Mutex::new(["https", "http", "https"].map(|name| (name.to_owned(), open())).into())));
        assert_eq!(sockets.take("https").len(), 2);
        assert_eq!((sockets.take("https").len(), sockets.left()), (0, vec!["http".to_owned()]));
        assert_eq!(sockets.clone().take("http").len(), 1);
        assert!(sockets.left().is_empty());
    }
}
