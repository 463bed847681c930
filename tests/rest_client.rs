//! The RouterOS client against small servers of its own: raw bytes on sockets, so that every way a router can
//! answer wrongly is written out here. The simulated router is not used: it and the client must not agree by accident.

mod export;
mod http;
mod samples;
mod server;
mod ssh;
mod tls;

use routeros_mcp::base::fault::{Fault, Kind};
use routeros_mcp::base::secret::Secret;
use routeros_mcp::routeros::{Endpoint, MenuPath, Rest, RouterError, Trust};
use std::time::Duration;

/// A plain endpoint on this machine with short deadlines.
fn plain(port: u16) -> Endpoint {
    let mut endpoint = Endpoint::new("127.0.0.1", port, "mcp", Secret::new("hunter2"), Trust::Off);
    endpoint.plain = true;
    endpoint.connect_timeout = Duration::from_secs(5);
    endpoint.timeout = Duration::from_secs(5);
    endpoint
}

fn rest(endpoint: Endpoint) -> Rest {
    Rest::new(endpoint).unwrap()
}

fn menu(path: &str) -> MenuPath {
    MenuPath::parse(path).unwrap()
}

fn kind(error: &RouterError) -> Kind {
    Fault::from(error.clone()).kind
}
