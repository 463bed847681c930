//! What happens by itself on a router: scheduler entries, scripts that wait, lost safe modes, clock corrections.
//!
//! Scripts are futures that only ever wait for the router's own clock, so they are polled here and nowhere else. Catching up takes the
//! events one after the other in the order of their times and sets the router's clock to each while it happens: an interval that passed
//! three times fires three times, and a delay of 5 s after one of 10 s ends at 15 s, however far a test moved the clock at once.
//! Nothing fires while nobody looks: every request and every look at the tables catches up first, and a task of the router's own does so
//! when the next thing is due by the machine's clock.
//!
//! | file | holds |
//! |---|---|
//! | `timers.rs` | when entries of `/system/scheduler` are due |
//! | `fire.rs` | what an entry does then |
//! | `clock.rs` | the router's clocks: steps, a power cut, NTP |

pub(in crate::sim) mod clock;
mod fire;
pub(in crate::sim) mod timers;

pub(in crate::sim) use fire::POLICIES;

use super::history;
use super::hold;
use super::shared::Shared;
use super::world::World;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::task::noop_waker;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

/// How often a clock that a test moves is looked at while somebody waits for it.
pub(in crate::sim) const GLANCE: Duration = Duration::from_millis(5);

/// Until when a script waits.
#[derive(Debug, Default)]
pub(in crate::sim) struct Pace(Mutex<Option<Duration>>);

impl Pace {
    /// Waits until the router's monotonic clock has come that far.
    pub async fn until(&self, shared: &Shared, moment: Duration) {
        poll_fn(|_| {
            let there = shared.world().mono() >= moment;
            *hold(&self.0) = (!there).then_some(moment);
            if there { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn wakes(&self) -> Option<Duration> {
        *hold(&self.0)
    }
}

/// A script that runs.
pub(in crate::sim) struct Job {
    pub work: BoxFuture<'static, ()>,
    pub pace: Arc<Pace>,
    /// Somebody removed it, or nobody waits for it any more.
    pub stop: CancellationToken,
    /// When its session ends, whatever it does.
    pub limit: Option<Duration>,
    /// How often the router had booted when it was started: a reboot ends it.
    pub boots: u32,
}

impl Job {
    fn wakes(&self) -> Option<Duration> {
        self.pace.wakes().into_iter().chain(self.limit).min()
    }

    /// Lets it go on; false once it is over.
    fn poll(&mut self, shared: &Shared) -> bool {
        let (now, boots) = {
            let world = shared.world();
            (world.mono(), world.boots)
        };
        if self.stop.is_cancelled() || self.boots != boots || self.limit.is_some_and(|limit| limit <= now) {
            return false;
        }
        let pending = self.work.as_mut().poll(&mut Context::from_waker(&noop_waker())).is_pending();
        pending && !self.stop.is_cancelled() && self.boots == shared.world().boots
    }
}

/// The scripts of one router.
#[derive(Default)]
pub(in crate::sim) struct Agenda {
    running: Mutex<Vec<Job>>,
    arrived: Mutex<Vec<Job>>,
    changed: Notify,
}

impl std::fmt::Debug for Agenda {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agenda").finish_non_exhaustive()
    }
}

impl Agenda {
    /// Takes a script in; it starts at the next [`settle`].
    pub fn add(&self, job: Job) {
        hold(&self.arrived).push(job);
    }

    /// Drops every script: they hold the router that holds them.
    pub fn clear(&self) {
        hold(&self.running).clear();
        hold(&self.arrived).clear();
    }

    /// Something may be due earlier than it was.
    pub fn stir(&self) {
        self.changed.notify_one();
    }
}

/// Does everything whose time has come.
pub(in crate::sim) fn settle(shared: &Arc<Shared>) {
    let mut running = hold(&shared.agenda.running);
    loop {
        let (now, due) = {
            let mut world = shared.world();
            timers::sync(&mut world);
            (world.clock.mono(), world.next_event())
        };
        let wakes = running.iter().filter_map(Job::wakes).min();
        let Some(at) = due.into_iter().chain(wakes).min().filter(|at| *at <= now) else {
            shared.world().moment = None;
            if admit(shared, &mut running) {
                continue;
            }
            break;
        };
        let fired = {
            let mut world = shared.world();
            // A clock that was stepped may make something due that lies before what was done already.
            let at = at.max(world.settled);
            (world.moment, world.settled) = (Some(at), at);
            happen(&mut world, shared)
        };
        for job in fired {
            shared.agenda.add(job);
        }
        let moment = shared.world().mono();
        running.retain_mut(|job| job.wakes().is_none_or(|wakes| wakes > moment) || job.poll(shared));
        while admit(shared, &mut running) {}
    }
    running.retain(|job| !job.stop.is_cancelled());
}

/// What the router itself does at this moment; gives the scripts that start.
fn happen(world: &mut World, shared: &Arc<Shared>) -> Vec<Job> {
    world.correct_clock();
    if let Some((session, _)) = world.lost.filter(|(_, at)| *at <= world.mono()) {
        world.lost = None;
        if world.safe.as_ref().is_some_and(|s| s.session == session) {
            history::unroll(world);
        }
    }
    let due = timers::due(world);
    due.into_iter().filter_map(|id| fire::fire(world, shared, id)).collect()
}

/// Starts what arrived; false when nothing did.
fn admit(shared: &Arc<Shared>, running: &mut Vec<Job>) -> bool {
    let arrived = std::mem::take(&mut *hold(&shared.agenda.arrived));
    let some = !arrived.is_empty();
    for mut job in arrived {
        if job.poll(shared) {
            running.push(job);
        }
    }
    some
}

impl World {
    fn next_event(&self) -> Option<Duration> {
        let lost = self.lost.map(|(_, at)| at);
        [timers::next(self), self.ntp_at, lost].into_iter().flatten().min()
    }
}

/// Runs a script that somebody waits for; `None` when its session's time is over or the router went down. Dropped, it ends the script.
pub(in crate::sim) async fn attend<T: Send + 'static>(
    shared: &Arc<Shared>,
    pace: Arc<Pace>,
    limit: Option<Duration>,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (tell, told) = oneshot::channel();
    let stop = CancellationToken::new();
    let _ends_with_us = stop.clone().drop_guard();
    let (limit, boots) = {
        let world = shared.world();
        (limit.map(|limit| world.mono() + limit), world.boots)
    };
    let work = Box::pin(async move { drop(tell.send(work.await)) });
    shared.agenda.add(Job { work, pace, stop, limit, boots });
    settle(shared);
    shared.agenda.stir();
    told.await.ok()
}

/// Catches up by itself when something is due, for as long as the router is on.
pub(in crate::sim) async fn keep(shared: Arc<Shared>) {
    loop {
        settle(&shared);
        let (clock, event, lost) = {
            let world = shared.world();
            (world.clock.clone(), world.next_event(), world.lost.is_some())
        };
        let wakes = hold(&shared.agenda.running).iter().filter_map(Job::wakes).min();
        let next = event.into_iter().chain(wakes).min();
        let by_hand = clock.is_by_hand();
        let nap = async {
            match next {
                // Nobody can say when a test moves its clock; with nobody waiting, its next look is soon enough.
                _ if by_hand && (wakes.is_some() || lost) => tokio::time::sleep(GLANCE).await,
                Some(at) if !by_hand => clock.sleep(at.saturating_sub(clock.mono())).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shared.agenda.changed.notified() => {}
            () = nap => {}
        }
    }
}
