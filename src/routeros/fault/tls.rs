//! Why there is no TLS session with a router, and what a person can do about it.

use std::fmt;

/// Why there is no TLS session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsTrouble {
    /// The certificate's time is over (`ca` only; a pin outlives its certificate's dates).
    Expired,
    /// The certificate's time has not begun.
    NotYetValid,
    /// No root we trust has signed it.
    UnknownIssuer,
    /// It is made out to another name.
    WrongName,
    /// It does not prove its own key, or cannot be read.
    BadCertificate(String),
    /// No common cipher or version; what RouterOS does without a certificate.
    Refused(String),
    /// The peer hung up during the handshake.
    ClosedEarly,
    /// Anything else, in the library's words.
    Other(String),
}

impl fmt::Display for TlsTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsTrouble::Expired => f.write_str("the certificate has expired"),
            TlsTrouble::NotYetValid => f.write_str("the certificate is not valid yet"),
            TlsTrouble::UnknownIssuer => f.write_str("the certificate is signed by nobody we trust"),
            TlsTrouble::WrongName => f.write_str("the certificate is made out to another name"),
            TlsTrouble::BadCertificate(why) => write!(f, "the certificate is bad: {why}"),
            TlsTrouble::Refused(why) => write!(f, "the TLS handshake was refused: {why}"),
            TlsTrouble::ClosedEarly => f.write_str("the connection was closed during the TLS handshake"),
            TlsTrouble::Other(why) => write!(f, "no TLS session: {why}"),
        }
    }
}

impl TlsTrouble {
    /// Whether the peer showed who it is and we do not trust that.
    pub(super) fn is_distrust(&self) -> bool {
        use TlsTrouble as T;
        matches!(self, T::Expired | T::NotYetValid | T::UnknownIssuer | T::WrongName | T::BadCertificate(_))
    }

    /// What a person can do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            TlsTrouble::Expired => "renew the certificate on the router, or pin its fingerprint instead",
            TlsTrouble::NotYetValid => "check this machine's clock and the certificate's dates",
            TlsTrouble::UnknownIssuer => "pin the router's fingerprint instead, or give it a certificate of a public authority",
            TlsTrouble::WrongName => "use the name in the certificate as the device's address, or pin the router's fingerprint instead",
            TlsTrouble::BadCertificate(_) => "make a new certificate on the router and set it on the www-ssl service",
            TlsTrouble::Refused(_) => "set a certificate on the router's www-ssl service: /ip/service/set www-ssl certificate=NAME",
            TlsTrouble::ClosedEarly => {
                "check that this is the www-ssl port, that the service has a certificate, and that it allows our address"
            }
            TlsTrouble::Other(_) => "check the router's www-ssl service",
        }
    }
}
