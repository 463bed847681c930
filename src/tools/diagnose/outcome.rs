//! How measurements end, and the router's ways to write a length of time.

use crate::base::fault::{Fault, Kind};
use crate::routeros::value;
use std::time::Duration;

/// The answer to a measurement that could not be made because of the network, not because of us: that is a result.
/// `None` for every other fault.
pub fn of(fault: &Fault) -> Option<&'static str> {
    (fault.kind == Kind::Rejected).then(|| word(&fault.said)).flatten()
}

/// What the router's words mean; `None` for words that tell nothing about the network.
pub fn word(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase();
    let has = |word: &str| said.contains(word);
    Some(match () {
        () if has("resolv") || has("dns") => "unresolved",
        () if has("no route") => "no_route",
        () if has("unreachable") => "unreachable",
        () if has("ttl exceeded") => "ttl_exceeded",
        () if has("timeout") || has("timed out") => "no_reply",
        () => return None,
    })
}

/// Milliseconds of `551us`, `12ms345us`, `0.5` (traceroute writes bare milliseconds) and `00:00:00.000551`.
pub fn ms(text: &str) -> Option<f64> {
    let ms = match text.parse::<f64>() {
        Ok(bare) if bare.is_finite() && bare >= 0.0 => bare,
        Ok(_) => return None,
        Err(_) => value::span(text)?.as_secs_f64() * 1_000.0,
    };
    Some(rounded(ms))
}

/// To a microsecond: what lies behind is the arithmetic's, not the router's.
pub fn rounded(ms: f64) -> f64 {
    (ms * 1_000.0).round() / 1_000.0
}

/// Cuts `seconds` into pieces of about `each`, none shorter than `least`.
pub fn pieces(seconds: u64, each: u64, least: u64) -> Vec<u64> {
    let mut pieces = Vec::new();
    let mut left = seconds;
    while left > 0 {
        let this = if left < each + least { left } else { each };
        pieces.push(this);
        left -= this;
    }
    pieces
}

/// A piece's length on the wire.
pub fn seconds(piece: u64) -> (String, Duration) {
    (format!("{piece}s"), Duration::from_secs(piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_milliseconds_in_every_spelling() {
        for (text, wanted) in [
            ("551us", Some(0.551)),
            ("12ms345us", Some(12.345)),
            ("1s20ms", Some(1_020.0)),
            ("0.5", Some(0.5)),
            ("0", Some(0.0)),
            ("00:00:00.000551", Some(0.551)),
            ("3ms", Some(3.0)),
            ("timeout", None),
            ("", None),
            ("-1", None),
            ("NaN", None),
        ] {
            assert_eq!(ms(text), wanted, "{text}");
        }
    }

    #[test]
    fn pieces_add_up_and_none_is_too_short() {
        for (seconds, wanted) in [(2, vec![2]), (3, vec![3]), (4, vec![4]), (5, vec![3, 2]), (10, vec![3, 3, 4]), (30, vec![3; 10])] {
            assert_eq!(pieces(seconds, 3, 2), wanted);
        }
        assert_eq!(pieces(0, 3, 2), Vec::<u64>::new());
    }

    #[test]
    fn refusals_about_the_network_are_results_and_no_others() {
        for (said, wanted) in [
            ("failure: could not resolve dns name", Some("unresolved")),
            ("host unreachable", Some("unreachable")),
            ("no route to host", Some("no_route")),
            ("timeout", Some("no_reply")),
            ("not enough permissions (9)", None),
            ("unknown parameter vrf", None),
        ] {
            assert_eq!(of(&Fault::new(Kind::Rejected, said)), wanted, "{said}");
        }
        assert_eq!(of(&Fault::new(Kind::Unreachable, "no answer, timeout")), None, "the router itself is away");
    }
}
