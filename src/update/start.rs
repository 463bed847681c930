//! What happens before anything else at a start: a new version that never comes to its feet is taken back.
//!
//! Where root's guard counts, it has done so already. Elsewhere the versions are ours, and the version that starts counts itself:
//! each binary was run on this machine before it was put in place, so it comes as far as here.

use crate::update::disk::Real;
use crate::update::error::UpdateError;
use crate::update::install::Way;
use crate::update::swap::Layout;

/// Starts that a new version gets.
const STARTS: u32 = 2;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Go on.
    Go,
    /// This version did not stand: become the one before.
    Become(Layout),
}

/// Looks at the notes; `version` is what runs.
pub fn at_start(way: &Way, version: &str) -> Result<Start, UpdateError> {
    let Way::Own(layout) = way else { return Ok(Start::Go) };
    let Some(turn) = layout.pending() else { return Ok(Start::Go) };
    if turn.to != version {
        // The power failed before the new version was in place, or somebody put the old one back by hand.
        layout.back(&mut Real, &format!("version {} was not in place when {version} started", turn.to))?;
        return Ok(Start::Go);
    }
    if layout.is_guarded() {
        return Ok(Start::Go);
    }
    let starts = match layout.count_start(&mut Real, &turn.id) {
        Ok(starts) => starts,
        // A full disk: going back takes writing too. It starts, and its two minutes still have to be well.
        Err(error) => {
            tracing::error!(%error, "this start of a new version could not be counted");
            return Ok(Start::Go);
        }
    };
    if starts <= STARTS {
        return Ok(Start::Go);
    }
    layout.back(&mut Real, &format!("version {version} did not stand after {STARTS} starts"))?;
    Ok(Start::Become(layout.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::manifest::Seen;
    use crate::update::samples::*;
    use crate::update::swap::Turn;
    use std::fs;

    fn switched(copy: bool) -> (Site, Layout) {
        let site = Site::new();
        let lone = site.update.join("lone");
        fs::write(&lone, program("1.0.0")).unwrap();
        let layout = Layout { copy: copy.then_some(lone), ..site.layout.clone() };
        let fresh = site.update.join("new");
        fs::write(&fresh, program("1.1.0")).unwrap();
        let turn = Turn { from: "1.0.0".into(), to: "1.1.0".into(), id: ID.into(), reason: String::new() };
        layout.adopt(&mut Real, "1.0.0").unwrap();
        layout.switch(&mut Real, &fresh, &turn, &Seen::default()).unwrap();
        (site, layout)
    }

    #[test]
    fn the_third_start_of_a_version_that_never_proved_itself_is_the_one_before() {
        for copy in [false, true] {
            let (_site, layout) = switched(copy);
            let way = Way::Own(layout.clone());
            assert_eq!(fs::read(layout.started()).unwrap(), program("1.1.0"));
            for _ in 0..STARTS {
                assert_eq!(at_start(&way, "1.1.0").unwrap(), Start::Go);
            }
            assert_eq!(at_start(&way, "1.1.0").unwrap(), Start::Become(layout.clone()));
            assert_eq!(fs::read(layout.started()).unwrap(), program("1.0.0"));
            assert!(layout.rolled_back().unwrap().reason.contains("did not stand"));
            assert_eq!(at_start(&way, "1.0.0").unwrap(), Start::Go);
        }
    }

    #[test]
    fn a_switch_that_the_power_cut_is_taken_for_one_that_did_not_happen() {
        let (_site, layout) = switched(true);
        fs::write(layout.copy.as_ref().unwrap(), program("1.0.0")).unwrap();
        assert_eq!(at_start(&Way::Own(layout.clone()), "1.0.0").unwrap(), Start::Go);
        assert!(layout.pending().is_none() && layout.current().as_deref() == Some("1.0.0"));
        assert!(layout.rolled_back().unwrap().reason.contains("was not in place"));
    }

    #[test]
    fn a_version_that_was_kept_starts_as_often_as_it_likes() {
        let (_site, layout) = switched(false);
        let way = Way::Own(layout.clone());
        assert_eq!(at_start(&way, "1.1.0").unwrap(), Start::Go);
        layout.commit(&mut Real).unwrap();
        for _ in 0..5 {
            assert_eq!(at_start(&way, "1.1.0").unwrap(), Start::Go);
        }
    }
}
