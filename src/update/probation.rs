//! When a new version has proved itself. Pure.

use std::time::Duration;

/// It is watched for so long before it is kept.
pub const PROBATION: Duration = Duration::from_secs(120);
/// What is not well then may become well until here; then it goes back.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// What is seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// The store answers.
    pub store: bool,
    /// Our own listener answers.
    pub listener: bool,
    /// Whether a router could be reached before; a network that was down already is no fault of the new version.
    pub had_routers: bool,
    /// Whether one can be reached now.
    pub has_routers: bool,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Look again.
    Wait,
    /// It stays.
    Keep,
    /// It goes, and why.
    Back(&'static str),
}

/// What follows from what is seen, so long after the start.
pub fn judge(since: Duration, signs: Signs) -> Verdict {
    let wrong = if !signs.store {
        Some("its store does not answer")
    } else if !signs.listener {
        Some("its listener does not answer")
    } else if signs.had_routers && !signs.has_routers {
        Some("it reaches no router, and the version before did")
    } else {
        None
    };
    match wrong {
        None if since >= PROBATION => Verdict::Keep,
        Some(why) if since >= PATIENCE => Verdict::Back(why),
        _ => Verdict::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Signs = Signs { store: true, listener: true, had_routers: true, has_routers: true };

    #[test]
    fn a_version_is_kept_after_two_minutes_in_which_everything_is_well_and_not_before() {
        assert_eq!(judge(Duration::ZERO, WELL), Verdict::Wait);
        assert_eq!(judge(PROBATION - Duration::from_millis(1), WELL), Verdict::Wait);
        assert_eq!(judge(PROBATION, WELL), Verdict::Keep);
    }

    #[test]
    fn whatever_is_wrong_may_mend_for_a_while_and_then_takes_it_back() {
        for wrong in [Signs { store: false, ..WELL }, Signs { listener: false, ..WELL }, Signs { has_routers: false, ..WELL }] {
            assert_eq!(judge(PROBATION, wrong), Verdict::Wait, "{wrong:?}");
            assert!(matches!(judge(PATIENCE, wrong), Verdict::Back(_)), "{wrong:?}");
        }
    }

    #[test]
    fn a_network_that_was_down_before_is_no_reason_to_go_back() {
        let down = Signs { had_routers: false, has_routers: false, ..WELL };
        assert_eq!(judge(PROBATION, down), Verdict::Keep);
    }
}
