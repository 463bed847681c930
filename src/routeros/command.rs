//! Console commands behind a POST: which only look, and how long they may.
//!
//! The router ends every REST request after 60 s, and one that we gave up keeps running until then and holds
//! its user's queue. So whatever can run for long is given its end along with the request.

use crate::routeros::{fault::RouterError, path};
use std::time::Duration;

/// The router's own limit for one REST request.
pub const ROUTER_LIMIT: Duration = Duration::from_secs(60);
/// Longest `duration` we ask for: leaves the router time to answer within its limit.
pub const MAX_DURATION: Duration = Duration::from_secs(55);

/// Commands that leave the configuration as it is; a lost answer of theirs may be asked for again.
const READS: &[&str] = &[
    "bandwidth-test",
    "cable-test",
    "check-for-updates",
    "find",
    "flood-ping",
    "freq-monitor",
    "get",
    "getall",
    "inspect",
    "ip-scan",
    "monitor",
    "monitor-traffic",
    "ping",
    "print",
    "profile",
    "read",
    "resolve",
    "scan",
    "snooper",
    "spectral-scan",
    "speed-test",
    "torch",
    "traceroute",
];

/// Whether the command only looks.
pub fn is_read(command: &str) -> bool {
    READS.binary_search(&command).is_ok()
}

/// # Errors
/// [`RouterError::Argument`] when no RouterOS command can be called so.
pub(crate) fn check(command: &str) -> Result<(), RouterError> {
    if command.len() <= 64 && path::is_word(command) {
        return Ok(());
    }
    Err(RouterError::argument("a command is made of lower-case letters, digits and hyphens, as in check-for-updates"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_no_write() {
        assert!(READS.is_sorted());
        for write in ["set", "add", "remove", "move", "enable", "execute", "reboot", "export", "fetch", "release", "unset", "sniffer"] {
            assert!(!is_read(write), "{write}");
        }
        assert!(is_read("print") && is_read("ping") && is_read("torch"));
    }

    #[test]
    fn commands_cannot_leave_their_menu() {
        for wrong in ["", "../x", "a/b", "a b", "A", "x?y", "*1"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        assert!(check("check-for-updates").is_ok());
    }
}
