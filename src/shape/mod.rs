//! What may leave: secrets out, hostile text tamed, long answers in pages, text short.
//!
//! Pure: values in, values out. The spine applies it to every answer, so no tool can forget.

pub mod budget;
pub mod filter;
pub mod page;
pub mod redact;
pub mod table;
pub mod untrusted;

use crate::base::fault::Fault;

/// Why an answer cannot be shaped as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A `limit` out of range.
    #[error("limit {0} is out of range: 1 to {most}", most = page::MOST_ROWS)]
    Limit(u64),
    /// A cursor nobody here made.
    #[error("cursor is damaged")]
    Cursor,
    /// A cursor of other arguments.
    #[error("cursor is from another query")]
    ForeignCursor,
    /// A condition that is neither text, number nor boolean.
    #[error("where: the value of `{0}` is not text, a number or a boolean")]
    Condition(String),
    /// Too many conditions, or one too long.
    #[error("where: {0}")]
    Where(&'static str),
    /// A condition on a secret: its answer would tell the secret bit by bit.
    #[error("where: `{0}` is a secret and cannot be searched")]
    SecretCondition(String),
}

impl From<ShapeError> for Fault {
    fn from(error: ShapeError) -> Fault {
        let hint = match &error {
            ShapeError::Limit(_) => Some("leave limit out for 50 rows, or page with next_cursor"),
            ShapeError::Cursor | ShapeError::ForeignCursor => {
                Some("repeat the call with the same arguments and the next_cursor of its last answer, or without cursor")
            }
            ShapeError::Condition(_) => Some("write {\"address\": \"192.0.2.1/24\", \"comment~\": \"iot\"}: exact, or contains with ~"),
            ShapeError::Where(_) | ShapeError::SecretCondition(_) => None,
        };
        let fault = Fault::bad_input(error.to_string());
        match hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fault::Kind;

    #[test]
    fn every_error_is_the_callers_to_mend() {
        for error in [
            ShapeError::Limit(9000),
            ShapeError::Cursor,
            ShapeError::ForeignCursor,
            ShapeError::Condition("a".to_owned()),
            ShapeError::Where("at most 16 conditions"),
            ShapeError::SecretCondition("password".to_owned()),
        ] {
            // The last two say all there is in their own words.
            let speaks_for_itself = matches!(error, ShapeError::Where(_) | ShapeError::SecretCondition(_));
            let fault = Fault::from(error);
            assert_eq!((fault.kind, fault.hint.is_none()), (Kind::BadInput, speaks_for_itself), "{fault}");
        }
    }
}
