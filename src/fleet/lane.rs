//! The one way to a device's router.
//!
//! A lane promises: at most `max_concurrent_per_device` requests in flight and a bounded number waiting; equal reads
//! at the same time cost one request; a read may be answered from a short cache; after repeated failures the router
//! is left alone for a moment; a caller who gives up does not abort a request that is under way (an aborted request
//! can poison the router's next connection), though one still waiting for its turn is dropped. Only reads are
//! repeated, and only when the connection failed. A quarantined device is sent nothing.
//!
//! A lane costs nothing while its device is idle: no task, and its connection is let go (`slot.rs`).

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{DeviceId, hex, random};
use crate::fleet::cache::Kept;
use crate::fleet::fault::{self, FleetError};
use crate::fleet::foreign::{is_of_another_menu, of_another_menu};
use crate::fleet::registry::Shared;
use crate::fleet::slot::{Flight, Slot};
use crate::fleet::wire::{Ask, Via, Write};
use crate::routeros::{MenuPath, Query, Row, command};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What to read, and how old the answer may be.
#[derive(Debug, Clone)]
pub struct Read {
    /// The menu.
    pub path: MenuPath,
    /// Which rows and attributes.
    pub query: Query,
    /// An answer this old will do; zero asks the router.
    pub max_age: Duration,
}

impl Read {
    /// All of a menu, as it is now.
    pub fn fresh(path: MenuPath) -> Self {
        Read { path, query: Query::new(), max_age: Duration::ZERO }
    }
}

/// Rows, and how we came by them.
#[derive(Debug, Clone)]
pub struct Answer {
    /// In the router's order.
    pub rows: Arc<Vec<Row>>,
    /// When the router said so.
    pub read_at: Wall,
    /// How long ago that was, milliseconds.
    pub age_ms: u64,
    /// Whether it was here already.
    pub cached: bool,
    /// Which way it came.
    pub via: Via,
    /// Router requests this call caused (0 when cached or when another caller's request answered it too).
    pub requests: u32,
}

/// Printed text, and how we came by it.
#[derive(Debug, Clone)]
pub struct Printed {
    /// As the router printed it.
    pub text: Arc<str>,
    /// When the router said so.
    pub read_at: Wall,
    /// How long ago that was, milliseconds.
    pub age_ms: u64,
    /// Whether it was here already.
    pub cached: bool,
    /// Which way it came.
    pub via: Via,
}

/// A number of rows, and how we came by it.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// How many.
    pub count: u64,
    /// When the router said so.
    pub read_at: Wall,
    /// How long ago that was, milliseconds.
    pub age_ms: u64,
    /// Whether it was here already.
    pub cached: bool,
    /// Router requests this call caused.
    pub requests: u32,
}

/// The way to one device's router; clones share it.
#[derive(Clone)]
pub struct Lane {
    pub(super) shared: Arc<Shared>,
    pub(super) slot: Arc<Slot>,
}

/// Everybody who waits for one request gets its end.
pub(super) type Landed = Option<Result<Kept, Arc<Fault>>>;

/// How an answer came about.
enum Source {
    Cache,
    Joined,
    Asked,
}

impl Lane {
    /// The device it leads to.
    pub fn device_id(&self) -> &DeviceId {
        &self.slot.id
    }

    /// Reads rows.
    ///
    /// Errs with what the router said, or `Unreachable`, `Untrusted` (quarantined), `Busy` (queue full),
    /// `Conflict` (decommissioned), `Denied` (another environment).
    pub async fn read(&self, read: Read) -> Result<Answer, Fault> {
        let (kept, source) = self.ask(Ask::Print(read.path, read.query), read.max_age).await?;
        Ok(self.answer(kept, source))
    }

    /// As `read`, of this menu and no other's: an answer of another (`foreign.rs`) is asked for again at once, then `Unreachable`.
    pub async fn read_own(&self, mut read: Read) -> Result<Answer, Fault> {
        for _ in 0..2 {
            let answer = self.read(read.clone()).await?;
            if !is_of_another_menu(&read.path, &read.query, &answer.rows) {
                return Ok(answer);
            }
            read.max_age = Duration::ZERO;
        }
        Err(of_another_menu(&self.shared.name_of(&self.slot.id), &read.path))
    }

    /// The whole configuration as text, one command a line, without secrets. Errs as `read`.
    pub async fn export(&self, max_age: Duration) -> Result<Printed, Fault> {
        let (kept, source) = self.ask(Ask::Export, max_age).await?;
        Ok(self.printed(kept, source))
    }

    /// A file's bytes, over SSH. Errs as `read`, with `NotFound` when there is no such file, `Rejected` beyond `max_bytes`, and
    /// `BadInput` for a device without SSH.
    pub async fn read_file(&self, path: &str, max_bytes: usize) -> Result<Arc<[u8]>, Fault> {
        let (kept, _) = self.ask(Ask::File { path: path.to_owned(), max_bytes }, Duration::ZERO).await?;
        Ok(kept.bytes.unwrap_or_default())
    }

    /// As `export`, through a file on the router, for routers that do not print it: a change of the router, however small.
    pub async fn export_by_file(&self) -> Result<Printed, Fault> {
        let name = format!("mcp-export-{}", hex(&random::<4>()));
        let (kept, source) = self.ask(Ask::ExportByFile(name), Duration::ZERO).await?;
        Ok(self.printed(kept, source))
    }

    /// Counts rows without reading them. Errs as `read`.
    pub async fn count(&self, read: Read) -> Result<Counted, Fault> {
        let (kept, source) = self.ask(Ask::Count(read.path, read.query), read.max_age).await?;
        let (age_ms, requests) = (self.age_ms(&kept), requests(&kept, &source));
        Ok(Counted {
            count: kept.count.unwrap_or_default(),
            read_at: kept.read_at,
            age_ms,
            cached: matches!(source, Source::Cache),
            requests,
        })
    }

    /// Runs a command that changes nothing and ends by itself (`monitor once`, `ping count=4`) `within` so long; never
    /// repeated, never shared. Errs as `read`, and with `BadInput` for a command that may change something.
    pub async fn run(&self, path: MenuPath, command: &str, args: &[(&str, &str)], within: Duration) -> Result<Answer, Fault> {
        if !command::is_read(command) {
            return Err(Fault::bad_input(format!("{path} {command} may change the router; it is not run as a read")));
        }
        let args = args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let ask = Ask::Run { path, command: command.to_owned(), args, within };
        let (kept, source) = self.ask(ask, Duration::ZERO).await?;
        Ok(self.answer(kept, source))
    }

    /// Changes the router, over REST alone; answers the rows the router shows, if any. Never repeated. Kept answers are forgotten,
    /// whatever came of it.
    ///
    /// Errs as `read`, and with `UnknownOutcome` when the answer was lost. A refusal is no proof that nothing changed: read back.
    /// Policy is the caller's to have judged.
    pub async fn write(&self, write: Write) -> Result<Answer, Fault> {
        let asked = self.ask(Ask::Write(write), Duration::ZERO).await;
        self.forget();
        let (kept, source) = asked?;
        Ok(self.answer(kept, source))
    }

    /// Our own rows among the active users, where the router told them less than `within` ago.
    pub fn ourselves(&self, within: Duration) -> Option<Vec<Row>> {
        self.slot.ourselves(self.shared.clock.mono().saturating_sub(within))
    }

    /// Keeps them for a while: a change of the router does not make us another, one of its record may.
    pub fn know_ourselves(&self, rows: Vec<Row>) {
        self.slot.know_ourselves(self.shared.clock.mono(), rows);
    }

    /// Forgets kept answers: something on the router was changed. Reads under way are not given to later callers.
    pub fn forget(&self) {
        self.slot.next_generation();
        self.shared.cache.forget(&self.slot.id);
    }

    /// Errs with `Unreachable` when questions are answered over SSH because REST does not work: then no change can be sent. REST that was
    /// given up a moment ago is tried once more: what kept us out may have been a change that the router has undone since.
    pub async fn takes_changes(&self) -> Result<(), Fault> {
        if self.slot.trouble().is_some() {
            self.slot.drop_connection();
            self.read(Read::fresh(MenuPath::parse("/system/identity")?)).await?;
        }
        let Some(trouble) = self.slot.trouble() else { return Ok(()) };
        let name = self.shared.name_of(&self.slot.id);
        let said = format!("device \"{name}\": changes are made over REST, which does not work there now: {trouble}; nothing was changed");
        Err(Fault::new(Kind::Unreachable, said)
            .hint("enable www-ssl with a certificate on the router, and let it through the firewalls between; then ask again"))
    }

    /// How much slower than configured this router wants to be asked: 1, 2 or 4.
    pub fn pace_factor(&self) -> u32 {
        self.slot.pace().factor()
    }

    fn answer(&self, kept: Kept, source: Source) -> Answer {
        Answer {
            read_at: kept.read_at,
            age_ms: self.age_ms(&kept),
            cached: matches!(source, Source::Cache),
            via: kept.via,
            requests: requests(&kept, &source),
            rows: kept.rows,
        }
    }

    fn printed(&self, kept: Kept, source: Source) -> Printed {
        Printed {
            read_at: kept.read_at,
            age_ms: self.age_ms(&kept),
            cached: matches!(source, Source::Cache),
            via: kept.via,
            text: kept.text.unwrap_or_default(),
        }
    }

    fn age_ms(&self, kept: &Kept) -> u64 {
        kept.age(self.shared.clock.mono()).as_millis() as u64
    }

    async fn ask(&self, ask: Ask, max_age: Duration) -> Result<(Kept, Source), Fault> {
        self.shared.admit(&self.slot.id)?;
        let (mut landed, source) = match ask.key() {
            None => (self.depart(ask, None)?, Source::Asked),
            Some(key) => match self.join(ask, key, max_age)? {
                Joined::Kept(kept) => return Ok((kept, Source::Cache)),
                Joined::Flight(landed, source) => (landed, source),
            },
        };
        let result = landed.wait_for(Option::is_some).await.map_err(|_| Fault::from(FleetError::Closing))?;
        match result.as_ref().expect("waited for it") {
            Ok(kept) => Ok((kept.clone(), source)),
            Err(shared) => Err(fault::copy(shared)),
        }
    }

    /// From the cache, onto an equal read under way, or off on a new one; decided under one lock, so that a read that
    /// ends this moment is found in one place or the other.
    fn join(&self, ask: Ask, key: Arc<str>, max_age: Duration) -> Result<Joined, Fault> {
        let flight = (self.slot.generation(), key);
        let mut flights = self.slot.flights();
        if let Some(kept) = self.shared.cache.get(&self.slot.id, &flight.1, max_age, self.shared.clock.mono()) {
            return Ok(Joined::Kept(kept));
        }
        if let Some(under_way) = flights.get(&flight) {
            return Ok(Joined::Flight(under_way.subscribe(), Source::Joined));
        }
        let (sender, landed) = watch::channel(None);
        self.slot.enqueue(&self.shared)?;
        flights.insert(flight.clone(), sender.clone());
        drop(flights);
        self.shared.tracker.spawn(self.clone().fly(ask, Some(flight), sender));
        Ok(Joined::Flight(landed, Source::Asked))
    }

    fn depart(&self, ask: Ask, flight: Option<Flight>) -> Result<watch::Receiver<Landed>, Fault> {
        let (sender, landed) = watch::channel(None);
        self.slot.enqueue(&self.shared)?;
        self.shared.tracker.spawn(self.clone().fly(ask, flight, sender));
        Ok(landed)
    }

    /// One request from queue to answer, in its own task: callers may leave, it lands all the same.
    async fn fly(self, ask: Ask, flight: Option<Flight>, landed: watch::Sender<Landed>) {
        // Also when this task panics: nobody may wait for a flight that is no more.
        let under_way = UnderWay { slot: self.slot.clone(), flight, landed };
        let flight = under_way.flight.as_ref();
        let Some(result) = self.slot.serve(&self.shared, &ask, flight, &under_way.landed).await else { return };
        if let (Ok(kept), Some((generation, key))) = (&result, flight)
            && *generation == self.slot.generation()
        {
            self.shared.cache.put(&self.slot.id, key, kept.clone());
        }
        under_way.land(result.map_err(Arc::new));
        self.shared.store_status(&self.slot.id).await;
    }
}

enum Joined {
    Kept(Kept),
    Flight(watch::Receiver<Landed>, Source),
}

fn requests(kept: &Kept, source: &Source) -> u32 {
    if matches!(source, Source::Asked) { kept.requests } else { 0 }
}

/// A flight on the board; off it when this goes, whatever the reason.
struct UnderWay {
    slot: Arc<Slot>,
    flight: Option<Flight>,
    landed: watch::Sender<Landed>,
}

impl UnderWay {
    fn land(self, result: Result<Kept, Arc<Fault>>) {
        let landed = self.landed.clone();
        // Off the board first: who comes now finds the answer in the cache, or asks anew.
        drop(self);
        landed.send_replace(Some(result));
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(flight) = &self.flight {
            self.slot.strike(flight, &self.landed);
        }
    }
}
