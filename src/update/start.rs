//! What happens before anything else at a start: a new version that never comes to its feet is taken back.
//!
//! Where root's guard counts, it has done so already. A lone file is the version before until the new one is kept: it counts the start
//! and becomes the new one, which may die as soon as it likes. In a directory of versions of our own without a guard the new version
//! counts itself: each binary was run on this machine before it was put in place, so it comes as far as here.

use crate::update::disk::Real;
use crate::update::error::UpdateError;
use crate::update::install::Way;
use crate::update::swap::{Layout, Turn, is_executable};

/// Starts that a new version gets.
const STARTS: u32 = 2;
/// Tells a new version that this start of it was counted: the id of the update.
pub const COUNTED: &str = "UPDATE_START_COUNTED";

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Go on.
    Go,
    /// Become what lies there: the new version has a try left, or this one did not stand and the one before takes its place.
    Become(Layout),
}

/// Looks at the notes; `version` is what runs.
pub fn at_start(way: &Way, version: &str) -> Result<Start, UpdateError> {
    let Way::Own(layout) = way else { return Ok(Start::Go) };
    let Some(turn) = layout.pending() else { return Ok(Start::Go) };
    let is_new = turn.to == version;
    // Told that it is the new one, and the version before all the same: what lies there is not what it was taken for.
    let is_starter = !is_told(&turn) && layout.copy.is_some() && turn.from == version && is_executable(&layout.binary(&turn.to));
    if !is_new && !is_starter {
        // The power failed before the new version was in place, or somebody put another one there by hand.
        layout.back(&mut Real, &format!("version {} was not in place when {version} started", turn.to))?;
        return Ok(Start::Go);
    }
    if let Some(back) = layout.rolled_back().filter(|back| back.id == turn.id) {
        // The power failed in the middle of going back: that decision stands.
        layout.back(&mut Real, &back.reason)?;
    } else if may_try(layout, &turn) {
        return Ok(if is_new { Start::Go } else { Start::Become(layout.clone()) });
    } else {
        layout.back(&mut Real, &format!("version {} did not stand after {STARTS} starts", turn.to))?;
    }
    Ok(if is_new { Start::Become(layout.clone()) } else { Start::Go })
}

/// Whether this process was started as the new version of this update, and counted.
fn is_told(turn: &Turn) -> bool {
    std::env::var(COUNTED).is_ok_and(|id| id == turn.id)
}

/// Counts the start of a version that is pending, unless somebody did; answers whether it has that try.
pub fn may_try(layout: &Layout, turn: &Turn) -> bool {
    if layout.is_guarded() || layout.is_proved(turn) || is_told(turn) {
        return true;
    }
    match layout.count_start(&mut Real, &turn.id) {
        Ok(starts) => starts <= STARTS,
        // A full disk: going back takes writing too. It starts, and its two minutes still have to be well.
        Err(error) => {
            tracing::error!(%error, "this start of a new version could not be counted");
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::manifest::Seen;
    use crate::update::samples::*;
    use std::fs;

    fn switched(copy: bool) -> (Site, Layout) {
        let site = Site::new();
        let lone = site.update.join("lone");
        fs::write(&lone, program("1.0.0")).unwrap();
        fs::set_permissions(&lone, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
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
    fn a_lone_file_stays_the_version_before_which_gives_the_new_one_two_starts_and_then_goes_on_itself() {
        let (_site, layout) = switched(true);
        let (way, lone) = (Way::Own(layout.clone()), layout.copy.clone().unwrap());
        for _ in 0..STARTS {
            assert!(fs::read(&lone).unwrap() == program("1.0.0"));
            assert_eq!(at_start(&way, "1.0.0").unwrap(), Start::Become(layout.clone()));
            assert_eq!(fs::read(layout.started()).unwrap(), program("1.1.0"));
        }
        assert_eq!(at_start(&way, "1.0.0").unwrap(), Start::Go);
        assert!(layout.rolled_back().unwrap().reason.contains("did not stand"));
        assert_eq!((layout.started(), layout.pending()), (lone.clone(), None));
        assert!(fs::read(&lone).unwrap() == program("1.0.0"));
    }

    #[test]
    fn a_lone_file_is_the_new_version_once_that_is_kept_and_the_one_before_when_it_is_taken_back() {
        let (_site, layout) = switched(true);
        let lone = layout.copy.clone().unwrap();
        layout.commit(&mut Real).unwrap();
        assert!(fs::read(&lone).unwrap() == program("1.1.0"));
        layout.back(&mut Real, "asked").unwrap();
        assert!(fs::read(&lone).unwrap() == program("1.0.0"));
    }

    #[test]
    fn a_lone_file_that_somebody_replaced_meanwhile_is_left_as_it_is() {
        let (_site, layout) = switched(true);
        let lone = layout.copy.clone().unwrap();
        fs::write(&lone, program("1.5.0")).unwrap();
        assert_eq!(at_start(&Way::Own(layout.clone()), "1.5.0").unwrap(), Start::Go);
        assert!(layout.pending().is_none() && layout.rolled_back().unwrap().reason.contains("was not in place"));
        assert!(fs::read(&lone).unwrap() == program("1.5.0"));
    }

    #[test]
    fn a_switch_that_the_power_cut_is_taken_for_one_that_did_not_happen() {
        let (_site, lone) = switched(true);
        fs::remove_dir_all(lone.binary("1.1.0").parent().unwrap()).unwrap();
        let (_other, versions) = switched(false);
        fs::remove_file(versions.root.join("current")).unwrap();
        std::os::unix::fs::symlink("versions/1.0.0", versions.root.join("current")).unwrap();
        for layout in [lone, versions] {
            assert_eq!(at_start(&Way::Own(layout.clone()), "1.0.0").unwrap(), Start::Go);
            assert!(layout.pending().is_none() && layout.current().as_deref() == Some("1.0.0"));
            assert!(layout.rolled_back().unwrap().reason.contains("was not in place"));
        }
    }

    #[test]
    fn a_decision_that_the_power_cut_in_the_middle_of_its_doing_stands() {
        let (_site, layout) = switched(true);
        let way = Way::Own(layout.clone());
        let notes = ["pending", "previous", "rolled_back"].map(|name| layout.root.join(name));
        // It had proved itself, and the file was not in its place yet: no start of it is a try.
        fs::copy(&notes[0], &notes[1]).unwrap();
        for _ in 0..5 {
            assert_eq!(at_start(&way, "1.0.0").unwrap(), Start::Become(layout.clone()));
        }
        fs::rename(&notes[1], &notes[2]).unwrap();
        assert_eq!(at_start(&way, "1.0.0").unwrap(), Start::Go);
        assert!(layout.pending().is_none());
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
