//! How much may be measured at once: one measurement a router, a few a principal, and no endless row of them.
//!
//! All diagnostics share one [`Limits`]. A place is given back when its [`Place`] is dropped, also when the call is cancelled.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Measurements one principal may have under way.
const MOST_AT_ONCE: usize = 4;
/// Measurements one principal may begin within [`WINDOW`]: a person looking for a fault needs a handful.
const MOST_IN_WINDOW: usize = 60;
/// How long a begun measurement counts.
const WINDOW: Duration = Duration::from_secs(60);

/// Who measures what right now; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    now: Arc<Mutex<Now>>,
}

#[derive(Debug, Default)]
struct Now {
    devices: HashSet<DeviceId>,
    principals: HashMap<String, usize>,
    begun: HashMap<String, VecDeque<Duration>>,
}

/// The right to measure on some devices.
#[derive(Debug)]
pub struct Place {
    limits: Limits,
    devices: Vec<DeviceId>,
    principal: String,
}

impl Limits {
    /// Takes a place, or says `Busy` and when to try again.
    pub fn enter(&self, devices: &[(&DeviceId, &str)], principal: &str, at: Duration) -> Result<Place, Fault> {
        let mut now = self.now();
        if let Some((_, name)) = devices.iter().find(|(id, _)| now.devices.contains(id)) {
            return Err(busy(format!("device \"{name}\": another measurement is under way there"), 5));
        }
        if now.principals.get(principal).is_some_and(|running| *running >= MOST_AT_ONCE) {
            return Err(busy(format!("you have {MOST_AT_ONCE} measurements under way already"), 5));
        }
        now.begun.retain(|_, begun| {
            begun.retain(|then| at.saturating_sub(*then) < WINDOW);
            !begun.is_empty()
        });
        let begun = now.begun.entry(principal.to_owned()).or_default();
        if begun.len() >= MOST_IN_WINDOW {
            let wait = begun.front().map_or(WINDOW, |first| WINDOW.saturating_sub(at.saturating_sub(*first)));
            return Err(busy(format!("you began {MOST_IN_WINDOW} measurements within a minute"), wait.as_secs() + 1));
        }
        begun.push_back(at);
        *now.principals.entry(principal.to_owned()).or_default() += 1;
        let devices: Vec<DeviceId> = devices.iter().map(|(id, _)| (*id).clone()).collect();
        now.devices.extend(devices.iter().cloned());
        Ok(Place { limits: self.clone(), devices, principal: principal.to_owned() })
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut now = self.limits.now();
        for id in &self.devices {
            now.devices.remove(id);
        }
        if let Some(running) = now.principals.get_mut(&self.principal) {
            *running -= 1;
            if *running == 0 {
                now.principals.remove(&self.principal);
            }
        }
    }
}

fn busy(said: String, seconds: u64) -> Fault {
    Fault::new(Kind::Busy, said).hint(format!("try again in {seconds} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_router_measures_one_thing_at_a_time() {
        let limits = Limits::default();
        let (a, b) = (DeviceId::random(), DeviceId::random());
        let place = limits.enter(&[(&a, "a")], "x", at(0)).unwrap();
        let refused = limits.enter(&[(&b, "b"), (&a, "a")], "y", at(0)).unwrap_err();
        assert_eq!(refused.kind, Kind::Busy);
        assert!(refused.said.contains("\"a\"") && refused.hint.unwrap().contains("5 s"));
        limits.enter(&[(&b, "b")], "y", at(0)).unwrap();
        drop(place);
        limits.enter(&[(&a, "a")], "y", at(0)).unwrap();
    }

    #[test]
    fn a_principal_has_four_at_once_and_sixty_a_minute() {
        let limits = Limits::default();
        let ids: Vec<DeviceId> = (0..5).map(|_| DeviceId::random()).collect();
        let mut places: Vec<Place> = ids[..4].iter().map(|id| limits.enter(&[(id, "d")], "x", at(0)).unwrap()).collect();
        assert_eq!(limits.enter(&[(&ids[4], "d")], "x", at(0)).unwrap_err().kind, Kind::Busy);
        limits.enter(&[(&ids[4], "d")], "y", at(0)).unwrap();
        places.clear();
        for _ in 4..MOST_IN_WINDOW {
            limits.enter(&[(&ids[0], "d")], "x", at(10)).unwrap();
        }
        let refused = limits.enter(&[(&ids[0], "d")], "x", at(20)).unwrap_err();
        assert!(refused.hint.unwrap().contains("41 s"));
        limits.enter(&[(&ids[0], "d")], "x", at(61)).unwrap();
        assert!(limits.now().devices.is_empty() && limits.now().principals.is_empty());
    }
}
