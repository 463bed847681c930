//! Host and Origin: under which names we may be called, and from which pages.
//!
//! A page anywhere can make a browser call an address in its user's network, and a name can be made to point there (DNS
//! rebinding). So a Host header must name us, and an Origin must be one that an operator allowed.
//!
//! Source: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning>, RFC 9110 section 7.2

use crate::http::fault::Refusal;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::uri::Authority;
use hyper::{Request, StatusCode, Uri};
use std::net::{IpAddr, SocketAddr};

/// The names and origins that are let in.
#[derive(Debug)]
pub struct Hosts {
    /// Names with a port, or with any.
    names: Vec<(String, Option<u16>)>,
    origins: Vec<String>,
    /// The origin of `http.public_url`.
    public: Option<String>,
    is_loopback: bool,
}

impl Hosts {
    /// From what is configured: `bind` is the address as it was given, `local` where that turned out to be.
    pub fn new(bind: &str, local: IpAddr, public_url: Option<&str>, hosts: &[String], origins: &[String]) -> Hosts {
        let public = public_url.and_then(|url| url.parse::<Uri>().ok());
        let mut names: Vec<(String, Option<u16>)> = hosts.iter().filter_map(|host| name(host)).collect();
        names.extend(public.as_ref().and_then(Uri::host).and_then(name));
        if !local.is_unspecified() {
            names.extend(name(bind));
        }
        if local.is_loopback() {
            names.extend(["localhost", "127.0.0.1", "[::1]"].into_iter().filter_map(name));
        }
        let mut origins = origins.to_vec();
        let public = public.and_then(|url| Some(format!("{}://{}", url.scheme_str()?, url.authority()?)));
        origins.extend(public.clone());
        Hosts { names, origins, public, is_loopback: local.is_loopback() }
    }

    /// The host the request names, when both it and the page that sent it are let in.
    pub fn check<B>(&self, request: &Request<B>, local: SocketAddr) -> Result<String, Refusal> {
        let wrong = |said: &str| Refusal::of(StatusCode::BAD_REQUEST, "host", said).closing();
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (given, more) = (hosts.next(), hosts.next().is_some());
        let given = given.map(|host| host.to_str().unwrap_or_default().to_owned());
        // HTTP/2 has it in the address; HTTP/1.1 may repeat it there.
        let written = request.uri().authority().map(ToString::to_string);
        let host = match (written, given) {
            _ if more => return Err(wrong("there is more than one Host header")),
            (Some(written), Some(given)) if !written.eq_ignore_ascii_case(&given) => {
                return Err(wrong("the address and the Host header differ"));
            }
            (Some(host), _) | (None, Some(host)) => host,
            (None, None) => return Err(wrong("there is no Host header")),
        };
        if !self.is_ours(&host, local.ip()) {
            let hint = "name the host in http.public_url or http.allowed_hosts";
            return Err(Refusal::of(StatusCode::FORBIDDEN, "host", "this Host is not one of ours").hint(hint));
        }
        self.origin(request.headers(), &host)?;
        Ok(host)
    }

    fn is_ours(&self, host: &str, local: IpAddr) -> bool {
        let Some((name, port)) = name(host) else { return false };
        // An address that is ours cannot have been made to point at us by anybody's DNS.
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address == local.to_canonical());
        is_address || self.names.iter().any(|(known, on)| *known == name && on.is_none_or(|on| Some(on) == port))
    }

    fn origin(&self, headers: &HeaderMap, host: &str) -> Result<(), Refusal> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        let is_one = origins.next().is_none();
        let known = self.origins.iter().any(|known| known == origin);
        if is_one && (known || self.is_own(origin, host)) {
            return Ok(());
        }
        let hint = "pages that may call are named in http.allowed_origins";
        Err(Refusal::of(StatusCode::FORBIDDEN, "origin", "pages of this Origin may not call").hint(hint))
    }

    /// Whether an Origin is that of our own pages: under the name that this request was let in by, or the public one.
    pub fn is_own_page(&self, origin: &HeaderValue, host: Option<&str>) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        self.public.as_deref() == Some(origin) || host.is_some_and(|host| self.is_own(origin, host))
    }

    /// A page that came from this very listener. Over plain http that is this very machine; elsewhere whoever stands between
    /// could have served it.
    fn is_own(&self, origin: &str, host: &str) -> bool {
        match origin.split_once("://") {
            Some(("https", named)) => named == host,
            Some(("http", named)) => named == host && self.is_loopback,
            _ => false,
        }
    }
}

/// A host as it is compared, and its port.
fn name(host: &str) -> Option<(String, Option<u16>)> {
    let literal = if host.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() };
    let authority: Authority = literal.parse().ok()?;
    if literal.contains('@') || authority.host().is_empty() {
        return None;
    }
    let port = match literal[authority.host().len()..].strip_prefix(':') {
        None => None,
        Some(port) => Some(port.parse().ok()?),
    };
    Some((authority.host().trim_end_matches('.').to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri("/mcp");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn verdict(hosts: &Hosts, headers: &[(&str, &str)], local: &str) -> u16 {
        hosts.check(&ask(headers), local.parse().unwrap()).map_or_else(|refusal| refusal.status.as_u16(), |_| 200)
    }

    #[test]
    fn on_loopback_only_loopback_names_and_pages_of_ours_come_in() {
        let hosts = Hosts::new("127.0.0.1", "127.0.0.1".parse().unwrap(), None, &[], &["https://ui.example".into()]);
        for (host, status) in [
            ("localhost:8080", 200),
            ("127.0.0.1:8080", 200),
            ("LOCALHOST", 200),
            ("[::1]:8080", 200),
            ("localhost.", 200),
            ("evil.example", 403),
            ("localhost.evil.example", 403),
            ("127.0.0.1.evil.example", 403),
            ("user@localhost", 403),
            ("localhost:x", 403),
            ("192.0.2.1", 403),
            ("", 403),
        ] {
            assert_eq!(verdict(&hosts, &[("host", host)], "127.0.0.1:8080"), status, "{host}");
        }
        assert_eq!(verdict(&hosts, &[], "127.0.0.1:8080"), 400);
        assert_eq!(verdict(&hosts, &[("host", "localhost"), ("host", "localhost")], "127.0.0.1:8080"), 400);
        for (origin, status) in [
            ("http://localhost:8080", 200),
            ("https://ui.example", 200),
            ("https://ui.example:444", 403),
            ("http://ui.example", 403),
            ("https://evil.example", 403),
            ("http://localhost:9999", 403),
            ("null", 403),
            ("", 403),
        ] {
            assert_eq!(verdict(&hosts, &[("host", "localhost:8080"), ("origin", origin)], "127.0.0.1:8080"), status, "{origin}");
        }
        let two = [("host", "localhost"), ("origin", "https://ui.example"), ("origin", "https://ui.example")];
        assert_eq!(verdict(&hosts, &two, "127.0.0.1:8080"), 403);
    }

    #[test]
    fn on_every_address_the_one_reached_and_configured_names_come_in() {
        let public = Some("https://mcp.example:8443/");
        let hosts = Hosts::new("0.0.0.0", "0.0.0.0".parse().unwrap(), public, &["box.lan:9000".into()], &[]);
        for (host, status) in [
            ("192.0.2.7:8443", 200),
            ("mcp.example:8443", 200),
            ("mcp.example", 200),
            ("box.lan:9000", 200),
            ("box.lan:9001", 403),
            ("0.0.0.0", 403),
            ("192.0.2.8", 403),
            ("localhost", 403),
        ] {
            assert_eq!(verdict(&hosts, &[("host", host)], "192.0.2.7:8443"), status, "{host}");
        }
        let origin = [("host", "mcp.example:8443"), ("origin", "https://mcp.example:8443")];
        assert_eq!(verdict(&hosts, &origin, "192.0.2.7:8443"), 200);
    }
}
