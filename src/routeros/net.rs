//! The way to a router: `host:port`, TCP with a deadline, and what an I/O error means in words.

use crate::base::address::forbidden_among;
use crate::routeros::fault::{RouterError, Stage};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::net::{TcpStream, lookup_host};

/// Longest host name DNS allows.
const MAX_HOST_BYTES: usize = 253;

/// `192.0.2.7:443`, `[2001:db8::1]:443`.
pub fn place(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// # Errors
/// [`RouterError::Argument`] when `host` is neither an IP address (without brackets or zone) nor a DNS name.
pub fn check_host(host: &str) -> Result<(), RouterError> {
    let inside = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let name = !host.is_empty() && host.len() <= MAX_HOST_BYTES && host.bytes().all(inside);
    // The URL rules read names that end in a number as IPv4, in forms such as 0x7f.1 too.
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or("");
    let numeric = last.starts_with(|c: char| c.is_ascii_digit()) && last.bytes().all(|b| b.is_ascii_hexdigit() || b == b'x' || b == b'X');
    if host.parse::<IpAddr>().is_ok() || (name && !numeric && !host.starts_with(['.', '-'])) {
        return Ok(());
    }
    Err(RouterError::argument("an address is an IP address or a host name"))
}

/// A TCP connection within a deadline that covers name resolution.
pub(crate) async fn connect(host: &str, port: u16, within: Duration) -> Result<TcpStream, RouterError> {
    check_host(host)?;
    let at = place(host, port);
    let unreachable = |why: String| RouterError::Unreachable { at: at.clone(), why };
    let opening = async {
        let addresses = found(host, port).await.map_err(|error| unreachable(unresolved(&error)))?;
        let mut last = unreachable("the name has no address".into());
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => last = unreachable(io_words(&error)),
            }
        }
        Err(last)
    };
    let late = |_| RouterError::Timeout { at: at.clone(), after: within, stage: Stage::Connect };
    tokio::time::timeout(within, opening).await.map_err(late)?
}

/// Where a name is. What it resolves to is judged here again, at the moment that counts: whoever answers for it may have said
/// something else before. Errs for places no router may be at.
async fn found(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    judged(host, lookup_host((host, port)).await?.collect())
}

fn judged(host: &str, found: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    match forbidden_among(found.iter().map(SocketAddr::ip)) {
        Some(why) => Err(io::Error::other(Elsewhere(format!("{host} is at a {why} address")))),
        None => Ok(found),
    }
}

/// A name that leads to a place no router may be at.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Elsewhere(String);

/// Why a name led nowhere.
pub(crate) fn unresolved(error: &(dyn Error + 'static)) -> String {
    find_cause::<Elsewhere>(error).map_or_else(|| "the name does not resolve".into(), ToString::to_string)
}

/// The same for an HTTP client.
pub(crate) struct Judged;

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move { Ok(Box::new(found(name.as_str(), 0).await?.into_iter()) as Addrs) })
    }
}

/// `connection refused`, not `Connection refused (os error 111)`.
pub(crate) fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection was closed".into(),
        io::ErrorKind::TimedOut => "the connection timed out".into(),
        kind => kind.to_string(),
    }
}

/// An error and its causes, also inside I/O errors, whose `source` skips what they wrap.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// The first cause of type `T`.
pub(crate) fn find_cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The innermost I/O error: the outer ones only wrap it and know no kind.
pub(crate) fn find_io<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    causes(error).filter_map(|cause| cause.downcast_ref()).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_changed_its_mind_since_it_was_checked_is_not_connected_to() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert_eq!(judged("edge", vec![at("192.0.2.7:443"), at("127.0.0.1:443")]).unwrap().len(), 2);
        for bad in ["169.254.169.254:443", "[fe80::1]:443", "[::ffff:169.254.169.254]:443", "0.0.0.0:443"] {
            let error = judged("edge", vec![at("192.0.2.7:443"), at(bad)]).unwrap_err();
            assert!(unresolved(&error).starts_with("edge is at a "), "{bad}: {error}");
        }
        let error = connect("169.254.169.254", 443, Duration::from_secs(5)).await.unwrap_err();
        assert!(error.to_string().contains("metadata"), "{error}");
        let name: Name = "localhost".parse().unwrap();
        assert!(Judged.resolve(name).await.unwrap().all(|at| at.ip().is_loopback()));
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for host in ["192.0.2.7", "2001:db8::1", "router.example.net", "edge-7", "a_b", "1and1.example", "10.0.0.1.nip.io"] {
            assert!(check_host(host).is_ok(), "{host}");
        }
        for host in [
            "",
            "a b",
            "a/b",
            "user@host",
            "host:80",
            "[::1]",
            "fe80::1%eth0",
            "0x7f.1",
            "127.1",
            "2130706433",
            "a?b",
            "-a",
            "é",
            "1.2.3.4.",
        ] {
            assert!(check_host(host).is_err(), "{host}");
        }
        assert_eq!(place("2001:db8::1", 443), "[2001:db8::1]:443");
    }

    #[test]
    fn causes_are_found_inside_io_errors() {
        let deep = io::Error::other(io::Error::other(rustls::Error::DecryptError));
        assert_eq!(find_cause::<rustls::Error>(&deep), Some(&rustls::Error::DecryptError));
        assert_eq!(find_cause::<rustls::Error>(&io::Error::other("x")), None);
        let wrapped = io::Error::other(io::Error::from(io::ErrorKind::UnexpectedEof));
        assert_eq!(find_io(&wrapped).map(io::Error::kind), Some(io::ErrorKind::UnexpectedEof));
    }
}
