//! Carrying messages through one channel, the oldest first, again and later while it fails, until it is too late.
//!
//! At least once: a message that arrived just before a power cut goes out again, under the same id.

use crate::alert::channel::Channel;
use crate::alert::hub::Hub;
use crate::alert::queue::Queue;
use crate::alert::record::Queued;
use crate::base::clock::Wall;
use crate::base::ids::random;
use crate::store::Durability;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// After the first failure; doubles.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(600);
/// What could not be delivered for so long is not news any more.
const GIVE_UP: Duration = Duration::from_secs(24 * 3_600);

/// How a channel does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// What came of the last try.
    pub outcome: Option<&'static str>,
    /// In words.
    pub said: String,
    /// When it was.
    pub at: Option<Wall>,
    /// When it is tried again.
    pub next: Option<Wall>,
}

/// One way out, what waits for it, and how it does.
pub struct Line {
    /// The way.
    pub channel: Channel,
    /// What waits.
    pub queue: Queue,
    condition: Mutex<Condition>,
    /// It is tried at once.
    pub again: Notify,
}

impl Line {
    /// Over that queue.
    pub fn new(channel: Channel, queue: Queue) -> Line {
        Line { channel, queue, condition: Mutex::default(), again: Notify::new() }
    }

    /// How it does.
    pub fn condition(&self) -> Condition {
        self.held().clone()
    }

    /// Takes note of a try.
    pub fn note(&self, outcome: &'static str, said: &str, at: Wall, next: Option<Wall>) {
        *self.held() = Condition { outcome: Some(outcome), said: said.to_owned(), at: Some(at), next };
    }

    fn held(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries what waits for a line, for ever.
pub(super) async fn carry(hub: Arc<Hub>, line: Arc<Line>) {
    let mut failures = 0;
    loop {
        let came = line.queue.came.notified();
        tokio::pin!(came);
        // Listen before looking, or what comes in between waits for the next one.
        came.as_mut().enable();
        let Some((seq, queued)) = line.queue.front() else {
            came.await;
            continue;
        };
        match attempt(&hub, &line, &queued, failures).await {
            None => {
                failures = 0;
                if let Err(error) = hub.store.commit(line.queue.done(seq), Durability::Soon).await {
                    tracing::warn!(channel = line.channel.name(), %error, "a delivered alert may be delivered again after a restart");
                }
            }
            Some(pause) => {
                failures = failures.saturating_add(1);
                tokio::select! {
                    () = hub.clock.sleep(pause) => {}
                    () = line.again.notified() => {}
                }
            }
        }
    }
}

/// One try; how long to wait until the next one, or none when the message is off our hands.
async fn attempt(hub: &Hub, line: &Line, queued: &Queued, failures: u32) -> Option<Duration> {
    let (name, sent) = (line.channel.name(), hub.send(line, &queued.message).await);
    let now = hub.clock.wall();
    let (outcome, said) = match &sent {
        Ok(said) => ("delivered", said.as_str()),
        Err(failure) if !failure.is_final && is_late(queued, now) => ("expired", failure.said.as_str()),
        Err(failure) => (failure.outcome(), failure.said.as_str()),
    };
    hub.meter.delivery(name, outcome, 1);
    let pause = (outcome == "failed").then(|| pause(failures, random::<1>()[0]));
    line.note(outcome, said, now, pause.map(|pause| Wall(now.0 + pause.as_millis() as i64)));
    if outcome != "delivered" {
        tracing::warn!(
            channel = name,
            to = line.channel.to(),
            outcome,
            message = queued.message.summary,
            "an alert was not delivered: {said}"
        );
    }
    pause
}

/// Whether it is too old. A message from before the clock was set is as old as anything.
fn is_late(queued: &Queued, now: Wall) -> bool {
    queued.since.is_plausible() && now.0 - queued.since.0 > GIVE_UP.as_millis() as i64
}

/// After so many failures in a row; `dice` spreads it over half of it to one and a half.
fn pause(failures: u32, dice: u8) -> Duration {
    let whole = PAUSE.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(PAUSE_MAX);
    whole.mul_f64(0.5 + f64::from(dice) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::message::Message;

    #[test]
    fn pauses_grow_to_a_bound_and_are_never_all_the_same() {
        let middle: Vec<u64> = (0..10).map(|failures| pause(failures, 127).as_secs_f64().round() as u64).collect();
        assert_eq!(middle, [5, 10, 20, 40, 80, 160, 319, 599, 599, 599]);
        for failures in [0, 3, 31, 32, u32::MAX] {
            let (least, most) = (pause(failures, 0), pause(failures, 255));
            assert!(least * 3 == most && most <= PAUSE_MAX * 3 / 2, "{failures}: {least:?} to {most:?}");
        }
    }

    #[test]
    fn what_could_not_be_delivered_for_a_day_is_given_up_and_a_clock_that_was_set_gives_up_nothing() {
        let queued = |since: i64| Queued { message: Message::test(Wall(0)), since: Wall(since) };
        let now = Wall(1_790_000_000_000);
        assert!(!is_late(&queued(now.0 - 86_400_000), now) && is_late(&queued(now.0 - 86_400_001), now));
        assert!(!is_late(&queued(0), now));
    }
}
