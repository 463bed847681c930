//! What tests find on the machine they run on: programs that others wrote, free ports, the reference beside the checkout.

use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

/// An installed program, or a word about its absence.
pub fn program(name: &str) -> Option<PathBuf> {
    let dirs = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/sbin", "/bin"];
    let found = dirs.iter().map(|dir| Path::new(dir).join(name)).find(|path| path.exists());
    if found.is_none() {
        eprintln!("ABSENT: {name} is not installed: nothing was tested against it");
    }
    found
}

/// A port that is free now, and that nobody is handed by chance in the next minutes: below those given out for port 0.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let from = 20_000 + (std::process::id() % 1_000) as u16 * 10;
    loop {
        let port = from + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A file or folder of the reference, which is beside the checkout or where `ROUTEROS_SHARED` says; or a word about its absence.
pub fn shared(path: &str) -> Option<PathBuf> {
    let named = std::env::var_os("ROUTEROS_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let found = named.into_iter().chain([beside]).map(|place| place.join(path)).find(|path| path.exists());
    if found.is_none() {
        eprintln!(
            "ABSENT: no {path} in ../shared beside the checkout (ROUTEROS_SHARED names another place): nothing was tested against it"
        );
    }
    found
}
