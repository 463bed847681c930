//! One queued request: its turn, the breaker, the rate, the connection, and what its outcome means for those after it.

use crate::base::fault::Fault;
use crate::fleet::breaker::{Admission, Outcome};
use crate::fleet::cache::Kept;
use crate::fleet::fault::{self, FleetError, unsent};
use crate::fleet::lane::Landed;
use crate::fleet::pace::Pace;
use crate::fleet::registry::Shared;
use crate::fleet::slot::{Connection, Flight, Slot, lock};
use crate::fleet::ways;
use crate::fleet::wire::{Ask, Said, Via, Wire};
use crate::routeros::RouterError;
use crate::routeros::fault::Stage;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};

/// How long a request waits for its turn, its share of the rate, and another's try: longer than a router's slowest
/// answers, shorter than an MCP client's patience.
const TURN_MAX: Duration = Duration::from_secs(30);
/// After a lost answer the router still works on it, and its web server may hand the next connection a wrong answer
/// (seen on 7.21.5 for 1 to 3 s): nothing is sent for so long.
const REST_AFTER_SILENCE: Duration = Duration::from_secs(2);

impl Slot {
    /// Serves one queued request; `None` when nobody wants its answer any more.
    pub async fn serve(
        &self,
        shared: &Shared,
        ask: &Ask,
        flight: Option<&Flight>,
        landed: &watch::Sender<Landed>,
    ) -> Option<Result<Kept, Fault>> {
        let turn = self.turn(flight, landed, shared).await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        let mut turn = match turn? {
            Ok(turn) => turn,
            Err(error) => return Some(Err(unsent(error.into()))),
        };
        let began = shared.clock.mono();
        let mut tries = 0;
        loop {
            tries += 1;
            let worth_repeating = self.rhythm().breaker.is_calm() || tries > 1;
            let error = match self.attempt(shared, ask).await {
                Ok(said) => return Some(Ok(kept(said, tries, shared))),
                Err(Failed::Before(fault)) => return Some(Err(unsent(fault))),
                Err(Failed::Router(error)) => error,
            };
            let pause = shared.settings.routeros.backoff(tries + 1);
            let again = worth_repeating && self.may_repeat(shared, ask, &error, tries, began, pause);
            if !again || landed.receiver_count() == 0 {
                let name = shared.name_of(&self.id);
                return Some(Err(fault::about(&name, ask.marked(&error, error.clone().into()))));
            }
            // Others may go meanwhile: whoever waits for better weather does not hold the door.
            drop(turn);
            tokio::time::sleep(pause).await;
            turn = match self.permit().await {
                Ok(turn) => turn,
                Err(error) => return Some(Err(self.no_turn(shared, error).into())),
            };
        }
    }

    /// Waits for a turn; `None` when everybody who wanted the answer has left before.
    async fn turn(
        &self,
        flight: Option<&Flight>,
        landed: &watch::Sender<Landed>,
        shared: &Shared,
    ) -> Option<Result<OwnedSemaphorePermit, FleetError>> {
        loop {
            tokio::select! {
                biased;
                () = landed.closed() => {}
                turn = self.permit() => return Some(turn.map_err(|error| self.no_turn(shared, error))),
            }
            // Under the flights' lock nobody can join between looking and leaving.
            let mut flights = self.flights();
            if landed.receiver_count() == 0 {
                if let Some(flight) = flight {
                    flights.remove(flight);
                }
                return None;
            }
        }
    }

    /// A turn at the router; at an eased pace one request takes them all.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, NoTurn> {
        let turns = if self.pace() == Pace::Full { 1 } else { self.in_flight_max };
        match tokio::time::timeout(TURN_MAX, self.turns.clone().acquire_many_owned(turns)).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(NoTurn::Closing),
            Err(_) => Err(NoTurn::TooLong),
        }
    }

    fn no_turn(&self, shared: &Shared, why: NoTurn) -> FleetError {
        match why {
            NoTurn::Closing => FleetError::Closing,
            NoTurn::TooLong => FleetError::NoTurn { name: shared.name_of(&self.id), after: TURN_MAX },
        }
    }

    /// One request, if the breaker lets it, at the bucket's pace.
    async fn attempt(&self, shared: &Shared, ask: &Ask) -> Result<(Said, Via), Failed> {
        // Again: while it waited the device may have been quarantined or retired.
        shared.admit(&self.id)?;
        self.pass_breaker(shared).await?;
        // From here on the breaker must hear of an outcome, also when this future is dropped.
        let mut verdict = Verdict { slot: self, shared, outcome: Outcome::NotTried };
        let now = shared.clock.mono();
        let pause = {
            let mut rhythm = self.rhythm();
            let pace = rhythm.governor.pace();
            rhythm.bucket.take(now, pace, TURN_MAX)
        };
        let pause = pause.ok_or_else(|| self.no_turn(shared, NoTurn::TooLong))?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let wire = self.wire(shared).await?;
        let began = shared.clock.mono();
        let result = wire.ask(ask).await;
        // A command that measures takes as long as it measures: that says nothing of how the router copes.
        let took = (!matches!(ask, Ask::Run { .. })).then(|| shared.clock.mono().saturating_sub(began));
        verdict.outcome = self.learn(shared, &result, took);
        drop(verdict);
        shared.note(&self.id, &result, wire.trouble().as_ref()).await;
        result.map_err(Failed::Router)
    }

    /// What an outcome means for the pace, the connection and the breaker.
    fn learn(&self, shared: &Shared, result: &Result<(Said, Via), RouterError>, took: Option<Duration>) -> Outcome {
        let mut rhythm = self.rhythm();
        match result {
            Err(error) if error.is_outage() => {
                if is_silence(error) {
                    rhythm.bucket.hold(shared.clock.mono() + REST_AFTER_SILENCE);
                }
                drop(rhythm);
                // Where no connection came about there is none to let go, and what was learnt of both ways stays known.
                if !ways::is_connection_failure(error) {
                    lock(&self.connection).take();
                }
                Outcome::Failed
            }
            // Ours, or distrust: says nothing about how the router is doing.
            Err(RouterError::Argument { .. } | RouterError::Closed { .. }) => Outcome::NotTried,
            _ => {
                if let Some(took) = took {
                    rhythm.governor.answered_in(took);
                }
                Outcome::Answered
            }
        }
    }

    async fn pass_breaker(&self, shared: &Shared) -> Result<(), Failed> {
        let waiting = async {
            loop {
                let moved = self.breaker_moved.notified();
                tokio::pin!(moved);
                // Listen before looking, or a move in between is missed.
                moved.as_mut().enable();
                match self.rhythm().breaker.admit(shared.clock.mono()) {
                    Admission::Go => return Ok(()),
                    Admission::Refused { retry_in } => return Err(shared.resting(&self.id, retry_in)),
                    Admission::Wait => {}
                }
                moved.await;
            }
        };
        let too_long = |_| self.no_turn(shared, NoTurn::TooLong);
        let admitted = tokio::time::timeout(TURN_MAX, waiting).await.map_err(too_long).and_then(|admitted| admitted);
        admitted.map_err(|error| Failed::Before(error.into()))
    }

    fn may_repeat(&self, shared: &Shared, ask: &Ask, error: &RouterError, tries: u32, began: Duration, pause: Duration) -> bool {
        let config = &shared.settings.routeros;
        let spent = shared.clock.mono().saturating_sub(began);
        ask.key().is_some()
            && is_free_to_repeat(error)
            && tries < config.retry_attempts
            && self.rhythm().breaker.is_closed()
            && spent + pause <= config.rest_timeout()
    }

    /// The connection, made anew when there is none for the record as it is now.
    async fn wire(&self, shared: &Shared) -> Result<Arc<dyn Wire>, Failed> {
        let (device, epoch) = shared.current(&self.id)?;
        let now = shared.clock.mono();
        if let Some(open) = lock(&self.connection).as_mut().filter(|open| open.epoch == epoch) {
            open.used = now;
            return Ok(open.wire.clone());
        }
        let wire = shared.dial(&device).await.map_err(Failed::Before)?;
        let mut connection = lock(&self.connection);
        match connection.as_mut().filter(|open| open.epoch == epoch) {
            // Somebody else was quicker; nothing has been connected yet.
            Some(open) => Ok(open.wire.clone()),
            None => {
                *connection = Some(Connection { epoch, wire: wire.clone(), used: now });
                Ok(wire)
            }
        }
    }
}

enum NoTurn {
    Closing,
    TooLong,
}

enum Failed {
    /// Nothing was sent.
    Before(Fault),
    /// The router, or the way to it.
    Router(RouterError),
}

impl From<FleetError> for Failed {
    fn from(error: FleetError) -> Self {
        Failed::Before(error.into())
    }
}

/// Tells the breaker what came of a request it let go.
struct Verdict<'a> {
    slot: &'a Slot,
    shared: &'a Shared,
    outcome: Outcome,
}

impl Drop for Verdict<'_> {
    fn drop(&mut self) {
        self.slot.rhythm().breaker.settle(self.outcome, self.shared.clock.mono());
        self.slot.breaker_moved.notify_waiters();
    }
}

/// The router never got the request, or hung up without a word: asking again costs it nothing.
fn is_free_to_repeat(error: &RouterError) -> bool {
    matches!(error, RouterError::Unreachable { .. } | RouterError::Timeout { stage: Stage::Connect, .. })
}

/// It got the request and is perhaps still at it.
fn is_silence(error: &RouterError) -> bool {
    matches!(error, RouterError::Timeout { .. }) && !is_free_to_repeat(error)
}

fn kept((said, via): (Said, Via), requests: u32, shared: &Shared) -> Kept {
    let kept = Kept {
        rows: Arc::default(),
        count: None,
        text: None,
        bytes: None,
        via,
        read_at: shared.clock.wall(),
        at: shared.clock.mono(),
        requests,
    };
    match said {
        Said::Rows(rows) => Kept { rows: Arc::new(rows), ..kept },
        Said::Count(count) => Kept { count: Some(count), ..kept },
        Said::Text(text) => Kept { text: Some(text.into()), ..kept },
        Said::Bytes(bytes) => Kept { bytes: Some(bytes.into()), ..kept },
    }
}
