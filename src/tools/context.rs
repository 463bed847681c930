//! One call's surroundings: who asks, the one way to a router, and the notes a tool leaves for the spine.

use crate::access::policy::{self, Decision, Target, Verb};
use crate::access::principal::Principal;
use crate::access::proof::Proven;
use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::ids::CorrelationId;
use crate::base::selector::{Selector, Traits};
use crate::fleet::{Device, Status, Via};
use crate::history::look::{Depth, Look};
use crate::plan::record::Plan;
use crate::routeros::Row;
use crate::shape::page;
use crate::tools::list::Page;
use crate::tools::router::Router;
use crate::tools::spec::Tool;
use crate::tools::world::World;
use serde::Serialize;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Hears how far a long call is.
pub trait Progress: Send + Sync {
    /// `done` of `total` (if known), in whatever the tool counts, with a word for people.
    fn tell(&self, done: f64, total: Option<f64>, message: &str);
}

/// One call's surroundings.
pub struct Cx {
    /// The parts.
    pub world: Arc<World>,
    /// The tool that runs.
    pub tool: &'static Tool,
    /// Who called.
    pub principal: Arc<Principal>,
    /// The call's thread.
    pub correlation_id: CorrelationId,
    /// Fires when nobody waits any more.
    pub cancel: CancellationToken,
    /// Where progress goes.
    pub progress: Option<Arc<dyn Progress>>,
    /// What the caller proved before the call, if anything.
    pub proven: Option<Proven>,
    /// A person reads the answer, and sees all of it.
    pub for_person: bool,
    /// When the call began, by the clock that runs on.
    pub begun: Duration,
    pulse: Mutex<Pulse>,
    notes: Mutex<Notes>,
    heard: Mutex<Vec<Arc<Vec<Row>>>>,
    so_far: Mutex<Option<Value>>,
}

/// How far a call is, counted in seconds whoever tells it: the tool and the spine speak in turn, and progress only rises.
struct Pulse {
    began: Instant,
    /// When the tool last spoke.
    spoke: Option<Instant>,
    /// The last number told.
    done: f64,
    total_seconds: f64,
}

/// What a run leaves for the spine besides its answer.
#[derive(Debug, Default, Clone)]
pub struct Notes {
    /// The device the call was about: id, name and environment.
    pub device: Option<(String, String, String)>,
    /// The plan the call was about: id and risk.
    pub plan: Option<(String, String)>,
    /// The oldest reading it used.
    pub reading: Option<Reading>,
    /// Untrusted fields found on the way.
    pub untrusted: Vec<String>,
    /// How its list can be cut shorter.
    pub paged: Option<Paged>,
}

/// When rows were read from a router.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// When.
    pub read_at: Wall,
    /// How long ago.
    pub age_ms: u64,
    /// Whether no request was needed.
    pub cached: bool,
    /// Which way it came.
    pub via: Via,
}

/// Where each row of the answered page stands, so that the spine can end it earlier.
#[derive(Debug, Clone)]
pub struct Paged {
    /// Names the list and its conditions.
    pub query: page::Query,
    /// Position of the page's first row.
    pub start: usize,
    /// The key of each row on the page.
    pub keys: Vec<String>,
    /// Rows in all.
    pub total: usize,
    /// Of a list that only grows: the number that each row has for good, which stands for its position.
    pub places: Option<Vec<usize>>,
}

impl Paged {
    /// The cursor that goes on after the first `shown` rows of this page; none at the end of the list.
    pub fn next(&self, shown: usize) -> Option<String> {
        let end = self.start + shown;
        let keys = self.keys.get(..shown).filter(|keys| !keys.is_empty())?;
        let place = self.places.as_ref().map_or(Some(end), |places| places.get(shown.checked_sub(1)?).copied())?;
        (end < self.total).then(|| page::Cursor::after(self.query, place, keys).encode())
    }
}

impl Cx {
    /// Errs where the caller is limited to some devices: what touches users gives the use of all.
    pub fn has_every_device(&self) -> Result<(), Fault> {
        if self.principal.limits.devices.contains(&Selector::All) {
            return Ok(());
        }
        Err(Fault::denied("users may use every device, and you may not").hint("ask an administrator who may"))
    }

    /// For one run of `tool`.
    pub fn new(
        world: Arc<World>,
        tool: &'static Tool,
        principal: Arc<Principal>,
        correlation_id: CorrelationId,
        cancel: CancellationToken,
        progress: Option<Arc<dyn Progress>>,
    ) -> Self {
        let pulse = Pulse { began: Instant::now(), spoke: None, done: 0.0, total_seconds: tool.timeout.0.as_secs_f64() };
        Cx {
            begun: world.clock.mono(),
            world,
            tool,
            principal,
            correlation_id,
            cancel,
            progress,
            proven: None,
            for_person: false,
            pulse: Mutex::new(pulse),
            notes: Mutex::default(),
            heard: Mutex::default(),
            so_far: Mutex::default(),
        }
    }

    /// Names among selectors that no device has: it may come later, and may be a slip.
    pub fn unmatched(&self, selectors: &[Selector]) -> Vec<String> {
        let devices = self.world.fleet.list();
        let is_there = |name: &str| devices.iter().any(|device| device.id.as_str() == name || device.name == name);
        let named = selectors.iter().filter_map(|selector| match selector {
            Selector::Named(name) => Some(name),
            _ => None,
        });
        named.filter(|name| !is_there(name)).cloned().collect()
    }

    /// What the call would answer if it ended now. Only for tools whose answer has `complete` and `stopped`: should nobody
    /// wait for the whole, the spine answers this.
    pub fn so_far(&self, answer: &impl Serialize) -> Result<(), Fault> {
        let answer = serde_json::to_value(answer).map_err(Fault::bug)?;
        *self.so_far.lock().expect("no holder of the answer panics") = Some(answer);
        Ok(())
    }

    /// The answer of a call that was ended early, and why; none when it had nothing to tell yet.
    pub fn cut_short(&self, why: &str) -> Option<Value> {
        let mut answer = self.so_far.lock().expect("no holder of the answer panics").take()?;
        let members = answer.as_object_mut()?;
        members.insert("complete".into(), false.into());
        members.insert("stopped".into(), why.into());
        Some(answer)
    }

    /// The device of that id or name, if this principal may use it here.
    pub fn device(&self, name: &str) -> Result<Arc<Device>, Fault> {
        let visible = |device: &Device| policy::within(&self.principal.limits.devices, &device.traits());
        let device = self.world.fleet.find_among(name, visible)?;
        let decision = policy::decide(&self.principal, &self.target(Some(device.traits()), None), &self.world.rules);
        self.obey(decision)?;
        self.about(&device);
        Ok(device)
    }

    /// Every device this principal may see, by name.
    pub fn devices(&self) -> Vec<Arc<Device>> {
        let mut devices = self.world.fleet.list();
        devices.retain(|device| policy::within(&self.principal.limits.devices, &device.traits()));
        devices.sort_by(|a, b| a.name.cmp(&b.name));
        devices
    }

    /// The call turned out to be about this device.
    pub fn about(&self, device: &Device) {
        let told = (device.id.to_string(), device.name.clone(), device.environment.as_str().to_owned());
        self.note(|notes| notes.device = Some(told));
    }

    /// The call turned out to be about this plan.
    pub fn about_plan(&self, plan: &Plan) {
        let told = (plan.id.to_string(), plan.risk.as_str().to_owned());
        self.note(|notes| notes.plan = Some(told));
    }

    /// The person behind the caller, where one is known.
    pub fn person(&self) -> Result<Option<String>, Fault> {
        Ok(self.world.access.actor(&self.principal)?.person.map(|person| person.to_string()))
    }

    /// The one way to a router.
    pub fn router(&self, name: &str) -> Result<Router<'_>, Fault> {
        let device = self.device(name)?;
        if device.status == Status::Decommissioned {
            return Err(Fault::denied(format!("device \"{}\" is decommissioned", device.name))
                .hint("its records and audit trail can still be read"));
        }
        Ok(Router::new(self, device))
    }

    /// Takes over what an earlier run left, if this principal may still use the device it was about.
    ///
    /// Errs as [`Cx::router`].
    pub fn recall(&self, mut earlier: Notes, older_by: Duration) -> Result<(), Fault> {
        if let Some((id, ..)) = &earlier.device {
            self.router(id)?;
        }
        if let Some(reading) = &mut earlier.reading {
            reading.age_ms += older_by.as_millis() as u64;
            reading.cached = true;
        }
        self.note(|notes| *notes = earlier);
        Ok(())
    }

    /// What the run left so far, for a run that may be taken over.
    pub fn noted(&self) -> Notes {
        self.notes.lock().expect("no holder of the notes panics").clone()
    }

    /// Judges what is about to be done to a menu on a router.
    pub(super) fn judge(&self, device: &Device, menu: &str, verb: Verb) -> Result<(), Fault> {
        let decision = policy::decide(&self.principal, &self.target(Some(device.traits()), Some((menu, verb))), &self.world.rules);
        self.obey(decision)
    }

    fn target<'a>(&self, device: Option<Traits<'a>>, inner: Option<(&'a str, Verb)>) -> Target<'a> {
        Target { device, inner, ..self.tool.target() }
    }

    fn obey(&self, decision: Decision) -> Result<(), Fault> {
        match decision {
            Decision::Allow => Ok(()),
            Decision::AllowLoosely(refusal) => {
                tracing::warn!(tool = self.tool.name, reason = refusal.reason, "would be denied in strict mode");
                Ok(())
            }
            Decision::Deny(refusal) => {
                self.world.meter().denied(self.principal.role.as_str(), refusal.reason);
                // Another's device must look like none at all.
                let fault = if refusal.reason == "device" { Fault::not_found(refusal.said) } else { Fault::denied(refusal.said) };
                Err(match refusal.hint {
                    Some(hint) => fault.hint(hint),
                    None => fault,
                })
            }
        }
    }

    /// A field of the answer holds text that outsiders can write: a JSON pointer, `*` for any index.
    pub fn untrusted(&self, pointer: impl Into<String>) {
        let pointer = pointer.into();
        self.note(|notes| {
            if !notes.untrusted.contains(&pointer) {
                notes.untrusted.push(pointer);
            }
        });
    }

    pub(super) fn read(&self, reading: Reading) {
        self.note(|notes| {
            notes.reading = Some(match notes.reading {
                None => reading,
                Some(before) => Reading {
                    read_at: before.read_at.min(reading.read_at),
                    age_ms: before.age_ms.max(reading.age_ms),
                    cached: before.cached && reading.cached,
                    // Whoever reads it must hear of the unusual way.
                    via: if before.via == Via::Ssh { before.via } else { reading.via },
                },
            });
        });
    }

    pub(super) fn paged(&self, paged: Paged) {
        self.note(|notes| notes.paged = Some(paged));
    }

    /// The page of rows whose keys `paged` was told, with the cursor of the next one.
    pub(super) fn page<T>(&self, rows: Vec<T>, total: usize) -> Page<T> {
        let mut next_cursor = None;
        self.note(|notes| next_cursor = notes.paged.as_ref().and_then(|paged| paged.next(paged.keys.len())));
        Page { rows, total: total as u64, next_cursor }
    }

    /// A thorough look at the router now, kept in the history; a router that is away reads as silent.
    ///
    /// Errs when the router answers and refuses us, or is not the one we trust: that is no state of its health.
    pub async fn look(&self, device: &Device) -> Result<Look, Fault> {
        let look = self.world.look(&device.id, Depth::Thorough).await?;
        self.read(Reading { read_at: look.sample.at, age_ms: 0, cached: false, via: Via::Rest });
        Ok(look)
    }

    /// A router said this during the call.
    pub(super) fn hear(&self, rows: &Arc<Vec<Row>>) {
        self.heard.lock().expect("no holder of the rows panics").push(rows.clone());
    }

    /// All that routers said during the call, and nothing of it a second time.
    pub fn take_heard(&self) -> Vec<Arc<Vec<Row>>> {
        std::mem::take(&mut *self.heard.lock().expect("no holder of the rows panics"))
    }

    /// The oldest reading used so far.
    pub(super) fn reading(&self) -> Option<Reading> {
        self.notes.lock().expect("no holder of the notes panics").reading
    }

    /// What the run left behind, once it has ended.
    pub fn take_notes(&self) -> Notes {
        std::mem::take(&mut *self.notes.lock().expect("no holder of the notes panics"))
    }

    /// The call is to take about this long from now; otherwise its tool's limit stands for it.
    pub fn expect(&self, lasts: Duration) {
        let mut pulse = self.pulse.lock().expect("no holder of the pulse panics");
        pulse.total_seconds = (pulse.began.elapsed() + lasts).as_secs_f64();
    }

    /// Tells a caller that asked for progress what there is so far. Never text that others wrote on a router.
    pub fn say(&self, message: &str) {
        let mut pulse = self.pulse.lock().expect("no holder of the pulse panics");
        pulse.spoke = Some(Instant::now());
        let passed = pulse.began.elapsed().as_secs_f64();
        self.tell(&mut pulse, passed, message);
    }

    /// Tells how many whole seconds passed, unless the tool spoke less than `quiet` ago.
    pub fn beat(&self, quiet: Duration, message: &str) {
        let mut pulse = self.pulse.lock().expect("no holder of the pulse panics");
        if pulse.spoke.is_none_or(|spoke| spoke.elapsed() >= quiet) {
            let passed = pulse.began.elapsed().as_secs_f64().floor();
            self.tell(&mut pulse, passed, message);
        }
    }

    fn tell(&self, pulse: &mut Pulse, done: f64, message: &str) {
        let Some(progress) = self.progress.as_ref().filter(|_| done > pulse.done) else { return };
        pulse.done = done;
        progress.tell(done, Some(pulse.total_seconds.max(done)), message);
    }

    fn note(&self, change: impl FnOnce(&mut Notes)) {
        change(&mut self.notes.lock().expect("no holder of the notes panics"));
    }
}
