//! The first run, as people meet it: the address with which the first administrator is made, where it can be reached from,
//! and the file it is written in.
//!
//! The token in it goes to a terminal and to a file of the owner's own, never to a log: logs leave the box.

use crate::access::local::Access;
use crate::access::setup::{FRAGMENT, Pass};
use crate::base::fault::{Fault, Kind};
use crate::config::Config;
use crate::host::paths::Places;
use crate::http::Listener;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// The page that takes the token.
const PAGE: &str = "/admin/setup";
/// The file, in the runtime directory.
const NOTE: &str = "setup-address";

/// Where the pages are reached.
#[derive(Debug, Clone)]
pub struct Door {
    /// Where this machine itself reaches it.
    local: String,
    /// `https://192.168.88.5:8443`, as a browser takes it.
    origin: String,
    /// How to come to it from elsewhere, where it is this machine's own.
    tunnel: Option<String>,
    fingerprint: Option<String>,
    /// Every address that we listen on.
    at: Vec<SocketAddr>,
}

/// In place of an address that this machine does not know.
const UNKNOWN: &str = "THIS-BOX";

impl Door {
    /// Of a listener.
    pub fn of(listener: &Listener, config: &Config) -> Door {
        let local: Option<SocketAddr> = listener.url.rsplit('/').next().and_then(|at| at.parse().ok());
        let local = local.unwrap_or(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0));
        let is_tls = listener.url.starts_with("https:");
        Door {
            fingerprint: listener.fingerprint(),
            at: listener.at.clone(),
            ..Door::at(local, is_tls, config.http.public_url.as_deref(), own_address())
        }
    }

    fn at(local: SocketAddr, is_tls: bool, public_url: Option<&str>, own: Option<IpAddr>) -> Door {
        let host = match own {
            Some(own) if local.ip().is_unspecified() => SocketAddr::new(own, local.port()).to_string(),
            _ if local.ip().is_unspecified() => format!("{UNKNOWN}:{}", local.port()),
            _ => local.to_string(),
        };
        let scheme = if is_tls { "https" } else { "http" };
        let origin = public_url.map_or_else(|| format!("{scheme}://{host}"), |url| url.trim_end_matches('/').to_owned());
        let is_far = public_url.is_some() || (is_tls && !local.ip().is_loopback());
        let own = own.map_or_else(|| UNKNOWN.to_owned(), |own| own.to_string());
        let tunnel = (!is_far).then(|| format!("ssh -L {0}:{local} USER@{own}", local.port()));
        let here = match local {
            SocketAddr::V4(at) if at.ip().is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), at.port()),
            SocketAddr::V6(at) if at.ip().is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), at.port()),
            at => at,
        };
        Door { local: format!("{scheme}://{here}"), origin, tunnel, fingerprint: None, at: vec![local] }
    }

    /// Every address that we listen on.
    pub fn all(&self) -> &[SocketAddr] {
        &self.at
    }

    /// `https://192.168.88.5:8443`, where people reach it; `None` where that is not known.
    pub fn origin(&self) -> Option<&str> {
        Some(self.origin.as_str()).filter(|origin| !origin.contains(UNKNOWN))
    }

    /// Where this machine itself reaches it.
    pub fn local(&self) -> &str {
        &self.local
    }
}

/// What is told to whoever stands at the terminal.
#[derive(Clone, Serialize, Deserialize)]
pub struct FirstRun {
    /// The whole address, token and all.
    pub address: String,
    /// Run first, from elsewhere.
    pub tunnel: Option<String>,
    /// SHA-256 of our certificate.
    pub fingerprint: Option<String>,
    /// Minutes it is good for.
    pub minutes: u64,
    /// Where it is written.
    pub file: PathBuf,
}

impl FirstRun {
    /// Opens the first run, or shows again what is open.
    ///
    /// Errs with `Conflict` once there is a user.
    pub async fn open(access: &Access, door: &Door, places: &Places) -> Result<FirstRun, Fault> {
        let pass = access.open_setup().await?;
        let shown = FirstRun::new(&pass, door, places.runtime.join(NOTE));
        shown.note().map_err(|error| Fault::new(Kind::Storage, format!("{}: {error}", shown.file.display())))?;
        access.note_setup(shown.file.clone());
        Ok(shown)
    }

    fn new(pass: &Pass, door: &Door, file: PathBuf) -> FirstRun {
        FirstRun {
            address: format!("{}{PAGE}{FRAGMENT}{}", door.origin, pass.token.expose()),
            tunnel: door.tunnel.clone(),
            fingerprint: door.fingerprint.clone(),
            minutes: pass.left.as_secs().div_ceil(60),
            file,
        }
    }

    /// For people.
    pub fn words(&self) -> String {
        let mut said =
            format!("Nobody can sign in yet. Within {} min, open this address and make the first administrator:\n", self.minutes);
        if let Some(tunnel) = &self.tunnel {
            let _ = write!(said, "\nFrom another machine, first: {tunnel}\n");
        }
        let _ = write!(said, "\n  {}\n", self.address);
        if let Some(fingerprint) = &self.fingerprint {
            let _ = write!(said, "\nThe browser does not know our certificate. Go on if its SHA-256 fingerprint is\n  {fingerprint}\n");
        }
        said
    }

    /// Writes it where only its owner reads it.
    fn note(&self) -> std::io::Result<()> {
        // Made anew: whatever stands there, a link perhaps, is not written through.
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file)?;
        file.write_all(self.words().as_bytes())
    }
}

/// The address this machine would go out by. Choosing a way sends nothing.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // TEST-NET-1, RFC 5737: nobody's.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|at| at.ip()).filter(|ip| !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_one_that_can_be_reached_or_the_tunnel_to_it_is_told() {
        let own = Some("192.168.88.5".parse().unwrap());
        for (local, is_tls, public, own, origin, tunnel) in [
            ("127.0.0.1:8080", false, None, own, "http://127.0.0.1:8080", Some("ssh -L 8080:127.0.0.1:8080 USER@192.168.88.5")),
            ("127.0.0.1:8443", true, None, None, "https://127.0.0.1:8443", Some("ssh -L 8443:127.0.0.1:8443 USER@THIS-BOX")),
            ("[::1]:8080", false, None, own, "http://[::1]:8080", Some("ssh -L 8080:[::1]:8080 USER@192.168.88.5")),
            ("0.0.0.0:8443", true, None, own, "https://192.168.88.5:8443", None),
            ("0.0.0.0:8443", true, None, None, "https://THIS-BOX:8443", None),
            ("10.0.0.2:443", true, None, own, "https://10.0.0.2:443", None),
            ("127.0.0.1:8080", false, Some("https://mcp.example/"), own, "https://mcp.example", None),
        ] {
            let door = Door::at(local.parse().unwrap(), is_tls, public, own);
            assert_eq!((door.origin.as_str(), door.tunnel.as_deref()), (origin, tunnel), "{local}");
        }
    }
}
