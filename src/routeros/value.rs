//! Typed values. Stand-in until the router part lands: the kinds alone.

/// How an attribute reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free text.
    Text,
    /// Name of this or another row.
    Name,
    /// `true` or `false`.
    Flag,
    /// Signed number.
    Int,
    /// Unsigned counter.
    Count,
    /// A number with a fraction.
    Real,
    /// Duration.
    Span,
    /// Bytes.
    Bytes,
    /// Bits a second.
    Rate,
    /// Upload and download rate.
    RatePair,
    /// Address.
    Address,
    /// Address with prefix length.
    Prefix,
    /// MAC address.
    Mac,
    /// List whose order has meaning.
    List,
    /// List whose order has none.
    Set,
    /// One of some words.
    Enum(&'static [&'static str]),
    /// Date and time.
    Time,
    /// Part of a hundred.
    Percent,
    /// Script body.
    Script,
    /// Row id.
    Id,
    /// As it came.
    Any,
}
