//! Syslog: RFC 5424 over UDP, TCP or TLS, and the traditional form on this machine's own socket.
//!
//! | address | what is sent |
//! |---|---|
//! | `udp://host:514` | one datagram a message (RFC 5426); nobody says whether it arrived |
//! | `tcp://host:514` | octet counting (RFC 6587, 3.4.1): no text can end a frame |
//! | `tls://host:6514` | the same over TLS (RFC 5425); the receiver's name has to be on its certificate |
//! | `unix:/dev/log` | `<PRI>Mmm dd hh:mm:ss tag[pid]: text`: what journald, rsyslog, syslog-ng and logd read there |
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc5424>, <https://www.rfc-editor.org/rfc/rfc5425>

pub mod line;
mod wire;

use crate::alert::channel::Failure;
use crate::alert::message::Message;
use crate::base::clock::Wall;
use crate::host::outgoing;
use line::Sender;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Datagrams.
    Udp(String, u16),
    /// A stream.
    Tcp(String, u16),
    /// A stream that is encrypted, to a receiver that proves its name.
    Tls(String, u16),
    /// A socket of this machine.
    Unix(PathBuf),
}

/// The port of syslog over UDP.
const PORT: u16 = 514;
/// The port of syslog over TLS.
const TLS_PORT: u16 = 6_514;

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be udp://host:514, tcp://host:514, tls://host:6514 or unix:/dev/log";
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.starts_with('/') && !path.contains('\0') { Ok(Target::Unix(path.into())) } else { Err(WRONG) };
        }
        let (scheme, rest) = text.split_once("://").ok_or(WRONG)?;
        let port = if scheme == "tls" { TLS_PORT } else { PORT };
        let (host, port) = host_and_port(rest.strip_suffix('/').unwrap_or(rest), port).ok_or(WRONG)?;
        match scheme {
            "udp" => Ok(Target::Udp(host, port)),
            "tcp" => Ok(Target::Tcp(host, port)),
            "tls" => Ok(Target::Tls(host, port)),
            _ => Err(WRONG),
        }
    }
}

fn host_and_port(text: &str, usual: u16) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':'))
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let port = port.map_or(Some(usual), |port| port.parse().ok().filter(|port| *port != 0))?;
    (!host.is_empty() && host.len() <= 253 && host.chars().all(is_name)).then(|| (host.to_owned(), port))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = match self {
            Target::Unix(path) => return write!(f, "unix:{}", path.display()),
            Target::Udp(host, port) => ("udp", host, port),
            Target::Tcp(host, port) => ("tcp", host, port),
            Target::Tls(host, port) => ("tls", host, port),
        };
        if host.contains(':') { write!(f, "{scheme}://[{host}]:{port}") } else { write!(f, "{scheme}://{host}:{port}") }
    }
}

/// A syslog receiver.
pub struct Syslog {
    target: Target,
    sender: Sender,
    roots: Vec<CertificateDer<'static>>,
    tls: OnceCell<Arc<ClientConfig>>,
}

impl Syslog {
    /// To that receiver, who is believed by the system's authorities and these.
    pub fn new(target: Target, roots: Vec<CertificateDer<'static>>) -> Syslog {
        Syslog { target, sender: Sender::here(), roots, tls: OnceCell::new() }
    }

    /// Where it is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Sends a message; answers what is known of it, in words.
    pub async fn send(&self, message: &Message, now: Wall) -> Result<String, Failure> {
        match &self.target {
            Target::Unix(path) => wire::unix(path, self.sender.local(message, now).as_bytes()).await,
            Target::Udp(host, port) => wire::udp(host, *port, self.sender.datagram(message).as_bytes()).await,
            Target::Tcp(host, port) => wire::tcp(host, *port, &framed(&self.sender.line(message))).await,
            Target::Tls(host, port) => wire::tls(host, *port, &framed(&self.sender.line(message)), self.tls().await?).await,
        }
    }

    /// Made when it is needed, on a thread of its own: the system's roots are read from some hundred files.
    async fn tls(&self) -> Result<Arc<ClientConfig>, Failure> {
        let failed = |error: &dyn fmt::Display| Failure::again(format!("no TLS client: {error}"));
        let make = || async {
            let roots = self.roots.clone();
            let made = tokio::task::spawn_blocking(move || outgoing::tls(&roots)).await.map_err(|error| failed(&error))?;
            made.map(Arc::new).map_err(|error| failed(&error))
        };
        self.tls.get_or_try_init(make).await.cloned()
    }
}

/// Octet counting: the length, a space, the message.
fn framed(line: &str) -> Vec<u8> {
    format!("{} {line}", line.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_shown_and_nothing_else_is() {
        for text in ["udp://logs.example:514", "tcp://192.0.2.1:601", "tls://[2001:db8::1]:6514", "unix:/dev/log"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert_eq!("tls://logs.example".parse(), Ok(Target::Tls("logs.example".into(), 6_514)));
        assert_eq!("udp://logs.example/".parse(), Ok(Target::Udp("logs.example".into(), 514)));
        assert_eq!("unix:///dev/log".parse(), Ok(Target::Unix("/dev/log".into())));
        for wrong in [
            "",
            "udp:",
            "udp://",
            "logs.example:514",
            "http://logs.example",
            "tcp://logs.example:0",
            "tcp://logs.example:99999",
            "udp://user@logs.example",
            "udp://a b",
            "udp://a/b",
            "unix:dev/log",
            "tls://[::1",
            "tls://[x]:1",
            "udp://a\n:514",
        ] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
