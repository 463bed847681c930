//! Words about the things a tool shows: what is odd about them, what could not be read.

/// The words of the claims that hold, in their order.
pub(super) fn holding<const N: usize>(claims: [(bool, &'static str); N]) -> Vec<&'static str> {
    claims.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| word).collect()
}
