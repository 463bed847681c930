//! What stands at each router's door: it deals the blows at their moments, and notes every change that comes in together with how far the
//! audit trail had come by then.

use super::disk;
use super::faults::{Blow, Kind, Planned};
use crate::plan_rig::{Death, Router};
use routeros_mcp::audit::{Audit, Filter};
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::sim::Sim;
use routeros_mcp::sim::faults::{Line, Rule};
use routeros_mcp::sim::hooks::{Step, Verdict, When};
use routeros_mcp::sim::world::World;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// A change that a router was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub router: usize,
    pub what: String,
    /// The last record in the trail when it came.
    pub seq: u64,
}

/// What all routers' doors share.
pub struct Witness {
    pub death: Arc<Death>,
    pub clock: Clock,
    pub hand: Arc<Hand>,
    /// The trail of the process that runs.
    trail: Mutex<Option<Audit>>,
    sent: Mutex<Vec<Sent>>,
    struck: Mutex<Vec<(Kind, String)>>,
    heals: Mutex<Vec<(usize, Duration)>>,
}

impl Witness {
    pub fn new(clock: Clock, hand: Arc<Hand>) -> Arc<Witness> {
        let (trail, sent, struck, heals) = (Mutex::default(), Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Witness { death: Arc::default(), clock, hand, trail, sent, struck, heals })
    }

    /// The trail to look into from now on. None before its process lets go of it: whoever reads it keeps it open.
    pub fn follow(&self, trail: Option<Audit>) {
        *self.trail.lock().unwrap() = trail;
    }

    /// Stands at the door, with these blows to deal.
    pub fn stand(self: &Arc<Self>, number: usize, router: &Router, blows: &[Planned]) {
        router.sim.unhook();
        let (here, sim) = (self.clone(), Arc::downgrade(&router.sim));
        let mut blows: Vec<Planned> = blows.iter().filter(|planned| planned.router == number).copied().collect();
        let mut disk_until = None;
        router.sim.hook(move |step, world| here.at_the_door(number, &sim, step, world, &mut blows, &mut disk_until));
    }

    fn at_the_door(
        &self,
        number: usize,
        sim: &Weak<Sim>,
        step: &Step,
        world: &mut World,
        blows: &mut Vec<Planned>,
        disk_until: &mut Option<usize>,
    ) -> Verdict {
        if self.death.is_here() {
            return Verdict::Close;
        }
        if step.when == When::Before && is_change(step) {
            let what = told(step, world);
            // The trail is asked first: what is not in it by now was not written before.
            let seq = self.last_seq();
            self.sent.lock().unwrap().push(Sent { router: number, what, seq });
        }
        if disk_until.is_some_and(|until| step.number >= until) {
            *disk_until = None;
            disk::allow();
        }
        let mut verdict = Verdict::Go;
        blows.retain(|planned| {
            if (planned.at, planned.side) != (step.number, step.when) {
                return true;
            }
            let Some(sim) = sim.upgrade() else { return false };
            // One request can end in one way alone: another blow on it waits for the next one.
            if verdict != Verdict::Go && matches!(planned.blow, Blow::Verdict(..)) {
                return true;
            }
            let said = self.deal(planned, &sim, world, step.number, disk_until);
            self.strike(planned.kind, format!("router {number}, {:?} request {} ({} {})", step.when, step.number, step.method, step.path));
            if verdict == Verdict::Go {
                verdict = said;
            }
            false
        });
        verdict
    }

    fn deal(&self, planned: &Planned, sim: &Arc<Sim>, world: &mut World, at: usize, disk_until: &mut Option<usize>) -> Verdict {
        match planned.blow {
            Blow::Verdict(verdict, heals) => {
                if verdict == Verdict::CutLink {
                    self.heal_after(planned.router, heals);
                }
                return verdict;
            }
            Blow::Answer(fault) => sim.faults().inject(Rule::once(fault)),
            Blow::Line(line, heals) => {
                sim.faults().set_line(line);
                sim.cut_connections();
                self.heal_after(planned.router, heals);
            }
            Blow::RouterClock(hours) => world.step_clock(hours * 3_600_000),
            Blow::OurClock(hours) => self.hand.step_wall(Wall(self.clock.wall().0 + hours * 3_600_000)),
            Blow::DeadTimers => sim.faults().set_scheduler_dead(true),
            Blow::Kill => {
                self.death.come();
                return Verdict::Close;
            }
            Blow::Disk(requests) => {
                *disk_until = Some(at + requests);
                disk::refuse();
            }
        }
        Verdict::Go
    }

    fn heal_after(&self, router: usize, span: Duration) {
        self.heals.lock().unwrap().push((router, self.clock.mono() + span));
    }

    /// Links whose time has come are there again.
    pub fn heal(&self, routers: &[Router]) {
        let now = self.clock.mono();
        self.heals.lock().unwrap().retain(|(router, at)| {
            if *at <= now {
                routers[*router].sim.faults().set_line(Line::Open);
            }
            *at > now
        });
    }

    /// Nothing is wrong any more, and only the witness stands at the doors.
    pub fn calm(self: &Arc<Self>, routers: &[Router]) {
        self.heals.lock().unwrap().clear();
        disk::allow();
        for (number, router) in routers.iter().enumerate() {
            self.stand(number, router, &[]);
            router.sim.faults().clear();
            // What was asked before says nothing any more, and takes memory.
            router.sim.forget_requests();
        }
    }

    /// Takes note that a fault struck.
    pub fn strike(&self, kind: Kind, at: String) {
        self.struck.lock().unwrap().push((kind, at));
    }

    /// What struck since the last time this was asked.
    pub fn struck(&self) -> Vec<(Kind, String)> {
        std::mem::take(&mut self.struck.lock().unwrap())
    }

    /// What routers were sent since the last time this was asked.
    pub fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }

    /// The last record of the trail.
    pub fn last_seq(&self) -> u64 {
        let trail = self.trail.lock().unwrap();
        let last = trail.as_ref().and_then(|trail| trail.recent(&Filter::default(), None, 1).ok());
        last.and_then(|rows| rows.first().map(|row| row.seq)).unwrap_or(0)
    }
}

/// Whether it changes the router, as far as a request alone says.
fn is_change(step: &Step) -> bool {
    matches!(step.method.as_str(), "PUT" | "PATCH" | "DELETE" | "POST") && !step.looks()
}

/// The request, and the row it is about as it was.
fn told(step: &Step, world: &mut World) -> String {
    let row = step.path.rsplit_once('/').filter(|(_, id)| id.starts_with('*')).and_then(|(menu, id)| world.find(menu, id));
    let row = row.map_or_else(String::new, |row| row.iter().map(|(name, value)| format!(" {name}={value}")).collect());
    format!("{} {} {}{row}", step.method, step.path, step.body)
}
