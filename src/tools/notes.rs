//! What is odd about the things a tool shows, in words that a caller can ask for.

/// The words of the claims that hold, in their order.
pub(super) fn holding<const N: usize>(claims: [(bool, &'static str); N]) -> Vec<&'static str> {
    claims.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| word).collect()
}
