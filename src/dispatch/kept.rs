//! Answers of reads, kept for callers who take older ones: resources.
//!
//! Only what was read from a router is kept, as the tool gave it: policy, shaping and the trail happen anew each time.
//! An answer is of no use any more once anything is told of its device: a write of ours, a change of its record or
//! of its health. That is seen by the number of the device's last event, so there is no moment in which an old answer
//! is given out after the event was told.

use crate::base::events::Bus;
use crate::base::ids::DeviceId;
use crate::shape::budget;
use crate::tools::context::{Cx, Notes};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What all kept answers may weigh together, bytes of JSON. One of a long log is about 10 kB.
const WEIGHT_MAX: usize = 4 << 20;

/// Kept answers, at most so many.
pub(super) struct Kept {
    most: usize,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    answers: HashMap<String, Answer>,
    weight: usize,
    uses: u64,
}

struct Answer {
    value: Value,
    notes: Notes,
    at: Duration,
    /// The last event told before the router was asked.
    before: u64,
    weight: usize,
    used: u64,
}

/// A kept answer and how long it has been kept.
pub(super) struct Found {
    pub value: Value,
    pub notes: Notes,
    pub age: Duration,
}

/// Names a question: who asks, with what role, which tool, and how. `serde_json` keeps arguments in the order they
/// were written; another order is another question, which costs no more than a miss.
pub(super) fn key(cx: &Cx, given: &Map<String, Value>) -> String {
    let who = &cx.principal;
    let arguments = Value::Object(given.clone());
    format!("{}\n{}\n{}\n{}\n{}\n{arguments}", who.issuer, who.subject, who.role.as_str(), cx.for_person, cx.tool.name)
}

impl Kept {
    /// Room for `most` answers.
    pub fn new(most: usize) -> Self {
        Kept { most, shelf: Mutex::default() }
    }

    /// An answer no older than `max_age`, if nothing happened to its device since.
    pub fn get(&self, key: &str, max_age: Duration, now: Duration, bus: &Bus) -> Option<Found> {
        let mut shelf = self.shelf();
        shelf.uses += 1;
        let used = shelf.uses;
        let answer = shelf.answers.get_mut(key)?;
        let age = now.saturating_sub(answer.at);
        let told = answer.notes.reading.map_or(0, |reading| reading.age_ms);
        let is_old = age + Duration::from_millis(told) > max_age;
        let happened = device(&answer.notes).is_none_or(|id| !bus.is_quiet(&id, answer.before));
        if is_old || happened {
            shelf.take(key);
            return None;
        }
        answer.used = used;
        Some(Found { value: answer.value.clone(), notes: answer.notes.clone(), age })
    }

    /// Keeps an answer that a router gave; `before` is the number of the last event before it was asked.
    pub fn put(&self, key: String, value: &Value, notes: Notes, at: Duration, before: u64) {
        let weight = key.len() + budget::json_bytes(value);
        if notes.reading.is_none() || notes.device.is_none() || weight > WEIGHT_MAX / 4 || self.most == 0 {
            return;
        }
        let mut shelf = self.shelf();
        shelf.take(&key);
        while shelf.answers.len() >= self.most || shelf.weight + weight > WEIGHT_MAX {
            let Some(least) = shelf.answers.iter().min_by_key(|(_, answer)| answer.used).map(|(key, _)| key.clone()) else { break };
            shelf.take(&least);
        }
        shelf.uses += 1;
        shelf.weight += weight;
        let answer = Answer { value: value.clone(), notes, at, before, weight, used: shelf.uses };
        shelf.answers.insert(key, answer);
    }

    /// Forgets all of them. How many those were.
    pub fn clear(&self) -> usize {
        let mut shelf = self.shelf();
        shelf.weight = 0;
        std::mem::take(&mut shelf.answers).len()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn take(&mut self, key: &str) {
        if let Some(answer) = self.answers.remove(key) {
            self.weight -= answer.weight;
        }
    }
}

fn device(notes: &Notes) -> Option<DeviceId> {
    notes.device.as_ref().map(|(id, ..)| DeviceId(id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Wall;
    use crate::base::events::Event;
    use crate::fleet::Via;
    use crate::tools::context::Reading;
    use serde_json::json;

    fn notes() -> Notes {
        let reading = Reading { read_at: Wall(0), age_ms: 0, cached: false, via: Via::Rest };
        Notes { device: Some(("dev_1".into(), "edge".into(), "lab".into())), reading: Some(reading), ..Notes::default() }
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_answer_is_given_until_it_is_old_or_its_device_is_told_of() {
        let (kept, bus) = (Kept::new(10), Bus::default());
        kept.put("q".into(), &json!({"a": 1}), notes(), s(10), bus.last());
        assert_eq!(kept.get("q", s(5), s(15), &bus).map(|found| found.age), Some(s(5)));
        bus.tell(Event::Health(DeviceId("dev_2".into())));
        assert!(kept.get("q", s(5), s(15), &bus).is_some(), "another device");
        assert!(kept.get("other", s(5), s(15), &bus).is_none());
        assert!(kept.get("q", s(5), s(16), &bus).is_none());
        kept.put("q".into(), &json!({"a": 1}), notes(), s(10), bus.last());
        bus.tell(Event::Config(DeviceId("dev_1".into())));
        assert!(kept.get("q", s(5), s(10), &bus).is_none());
    }

    #[test]
    fn an_answer_read_across_a_change_is_not_given_out() {
        let (kept, bus) = (Kept::new(10), Bus::default());
        let before = bus.last();
        bus.tell(Event::Config(DeviceId("dev_1".into())));
        kept.put("q".into(), &json!(1), notes(), s(0), before);
        assert!(kept.get("q", s(9), s(0), &bus).is_none());
    }

    #[test]
    fn what_no_router_said_is_not_kept_and_the_least_used_goes_first() {
        let (kept, bus) = (Kept::new(2), Bus::default());
        kept.put("ours".into(), &json!(1), Notes { reading: None, ..notes() }, s(0), 0);
        assert!(kept.get("ours", s(9), s(0), &bus).is_none());
        for key in ["a", "b"] {
            kept.put(key.into(), &json!(1), notes(), s(0), 0);
        }
        assert!(kept.get("a", s(9), s(0), &bus).is_some());
        kept.put("c".into(), &json!(1), notes(), s(0), 0);
        assert!(kept.get("b", s(9), s(0), &bus).is_none() && kept.get("a", s(9), s(0), &bus).is_some());
        kept.put("big".into(), &json!("x".repeat(WEIGHT_MAX)), notes(), s(0), 0);
        assert!(kept.get("big", s(9), s(0), &bus).is_none());
        assert!(kept.shelf().weight < 100);
    }
}
