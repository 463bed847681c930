//! [`Alerts`]: where everything is raised, and from where it is told.

use crate::access::principal::Principal;
use crate::alert::board::{Board, Now, Outcome};
use crate::alert::channel::Channel;
use crate::alert::deliver::{self, Line};
use crate::alert::kind::{Kind, Rule};
use crate::alert::life::Seen;
use crate::alert::message::{From, Subject, What};
use crate::alert::queue::Queue;
use crate::alert::record::{Past, Stands};
use crate::alert::syslog::{Syslog, Target};
use crate::alert::usage::{Peaks, Turn, Usage, Use};
use crate::alert::webhook::Webhook;
use crate::base::clock::{Clock, Wall};
use crate::base::events::{Bus, Event};
use crate::base::fault::{self, Fault};
use crate::base::secret::Secret;
use crate::base::tier::Effect;
use crate::host::metrics::Meter;
use crate::host::outgoing::Outgoing;
use crate::store::{Batch, Durability, Seal, Store, Table};
use rustls::pki_types::CertificateDer;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Alerts that are over and remembered.
const MOST_PAST: usize = 200;
/// The longest sleep of the task that tells.
const NAP: Duration = Duration::from_secs(3_600);
const HOUR_MS: u128 = 3_600_000;

/// The table of what belongs to the appliance itself.
pub(super) const BOX: &str = "appliance";
const PEAKS: &str = "callers";

/// `[alert]` in the config file.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// When each kind is told; those that are missing are not.
    pub rules: BTreeMap<Kind, Rule>,
    /// Where JSON is posted.
    pub webhook: Option<Secret>,
    /// What signs it, where that stands in the file.
    pub webhook_secret: Option<Secret>,
    /// Where lines go.
    pub syslog: Option<Target>,
    /// Authorities to believe beside those of the system.
    pub roots: Vec<CertificateDer<'static>>,
    /// http to this very machine is allowed.
    pub plain_loopback: bool,
    /// A certificate that ends within this is told.
    pub certificate_days: u32,
    /// Less room than this on the disk is told, of a hundred.
    pub disk_free_percent: u64,
    /// So many times a caller's busiest hour is unusual.
    pub unusual_factor: f64,
    /// Who tells.
    pub from: From,
}

/// What alerts stand on.
pub struct Parts {
    /// Keeps what was told and what is on its way.
    pub store: Store,
    /// Seals the secret.
    pub seal: Seal,
    /// Time.
    pub clock: Clock,
    /// Who counts.
    pub meter: Meter,
    /// Who hears that something was told.
    pub bus: Bus,
    /// What was configured.
    pub settings: Settings,
}

/// All alerts. Clones share them.
#[derive(Clone)]
pub struct Alerts(pub(super) Arc<Hub>);

pub(super) struct Hub {
    pub store: Store,
    pub seal: Seal,
    pub clock: Clock,
    pub meter: Meter,
    bus: Bus,
    pub settings: Settings,
    pub board: Mutex<Board>,
    usage: Mutex<Usage>,
    pub past: Mutex<VecDeque<(u64, Past)>>,
    certificate_ends: Mutex<Option<Wall>>,
    /// What is free where the store is, of a hundred, while that is too little.
    low: Mutex<Option<u64>>,
    pub lines: Vec<Arc<Line>>,
    /// The board is not what it was.
    changed: Notify,
}

fn low(percent: u64, least: u64) -> Option<String> {
    (percent < least).then(|| format!("{percent} % free"))
}

/// That the disk is nearly full, where less than `least` of a hundred is free.
pub fn low_disk(percent: u64, least: u64) -> Option<String> {
    low(percent, least).map(|free| format!("{}: {free}", Kind::DiskLow.begins("")))
}

impl Alerts {
    /// With what an earlier process told and left. Nothing is sent before [`Alerts::start`].
    pub fn open(parts: Parts) -> Result<Alerts, Fault> {
        let Parts { store, seal, clock, meter, bus, settings } = parts;
        let stands: Vec<Stands> = Table::<Stands>::new(store.clone()).all()?.into_iter().map(|(_, stood)| stood).collect();
        let past = Table::<Past>::new(store.clone()).all()?;
        let past = past.into_iter().filter_map(|(key, past)| Some((u64::from_str_radix(&key, 16).ok()?, past))).collect();
        let peaks = Table::<Peaks>::new(store.clone()).get(PEAKS)?.unwrap_or_default();
        let now = now(&clock);
        let unusual = stands.iter().filter(|stood| stood.kind == Kind::UnusualUse);
        let mut usage = Usage::new(settings.unusual_factor, peaks);
        unusual.for_each(|stood| usage.was_unusual(&stood.subject.id, &stood.subject.name));
        let (usage, board) = (Mutex::new(usage), Mutex::new(Board::new(settings.rules.clone(), stands, now)));
        let mut lines = Vec::new();
        for channel in channels(&settings) {
            let queue = Queue::open(channel.name(), &store)?;
            lines.push(Arc::new(Line::new(channel, queue)));
        }
        let (past, certificate_ends, low, changed) = (Mutex::new(past), Mutex::default(), Mutex::default(), Notify::new());
        Ok(Alerts(Arc::new(Hub { store, seal, clock, meter, bus, settings, board, usage, past, certificate_ends, low, lines, changed })))
    }

    /// Begins to tell; ends with `stop`.
    pub fn start(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        let (hub, until) = (self.0.clone(), stop.clone());
        tasks.spawn(async move { until.run_until_cancelled(tell(hub)).await });
        for line in &self.0.lines {
            let (hub, line, until) = (self.0.clone(), line.clone(), stop.clone());
            tasks.spawn(async move { until.run_until_cancelled(deliver::carry(hub, line)).await });
        }
    }

    /// Something is so, until [`Alerts::end`].
    pub fn raise(&self, kind: Kind, subject: &Subject, details: &str) {
        self.see(kind, subject, details, Seen::Is);
    }

    /// It is not so any more; fine when it never was.
    pub fn end(&self, kind: Kind, subject: &Subject) {
        self.see(kind, subject, "", Seen::IsNot);
    }

    /// Something happened.
    pub fn happened(&self, kind: Kind, subject: &Subject, details: &str) {
        self.see(kind, subject, details, Seen::Happens);
    }

    /// Of this kind exactly these are so.
    pub fn only(&self, kind: Kind, those: &[(Subject, String)]) {
        held(&self.0.board).only(kind, those, self.now());
        self.0.changed.notify_one();
    }

    /// A newer version is known, or none is: one line for whoever looks for updates.
    pub fn update_available(&self, version: Option<&str>) {
        self.of_appliance(Kind::UpdateAvailable, version);
    }

    /// The last backup failed, and why; or it did not: one line for whoever makes backups.
    pub fn backup_failed(&self, why: Option<&str>) {
        self.of_appliance(Kind::BackupFailed, why);
    }

    /// When the certificate in use ends; none while it is of our own making, which is made anew by itself.
    pub fn certificate_ends(&self, at: Option<Wall>) {
        *held(&self.0.certificate_ends) = at;
        self.look_at_certificate();
    }

    /// So much room is on the disk, of a hundred.
    pub fn disk_free(&self, percent: u64) {
        let low = low(percent, self.0.settings.disk_free_percent);
        *held(&self.0.low) = low.as_ref().map(|_| percent);
        self.of_appliance(Kind::DiskLow, low.as_deref());
    }

    /// That the disk is nearly full, in one sentence, as of the last look; whether that is told yet or not.
    pub fn low_disk(&self) -> Option<String> {
        (*held(&self.0.low)).and_then(|percent| low_disk(percent, self.0.settings.disk_free_percent))
    }

    /// Judges the certificate by the time it is now.
    pub fn look_at_certificate(&self) {
        let (ends, now) = (*held(&self.0.certificate_ends), self.0.clock.wall());
        let within = i64::from(self.0.settings.certificate_days) * 86_400_000;
        let soon = ends.filter(|ends| now.is_plausible() && ends.0 - now.0 < within);
        self.of_appliance(Kind::CertificateExpiring, soon.map(|ends| format!("it ends {}", ends.rfc3339())).as_deref());
    }

    fn of_appliance(&self, kind: Kind, details: Option<&str>) {
        match details {
            Some(details) => self.raise(kind, &Subject::appliance(), details),
            None => self.end(kind, &Subject::appliance()),
        }
    }

    /// A caller did something, or was denied to: counted, and told when it is far more than usual.
    pub fn used(&self, who: &Principal, effect: Effect, fault: Option<fault::Kind>) {
        let what = match fault {
            Some(fault::Kind::Denied) => Use::Denial,
            _ if effect == Effect::Reads => return,
            _ => Use::Write,
        };
        if !self.0.settings.rules.contains_key(&Kind::UnusualUse) || (who.issuer == "local" && who.subject == "background") {
            return;
        }
        let subject = Subject::new(What::Principal, &format!("{} {}", who.issuer, who.subject), &who.name);
        let turn = held(&self.0.usage).count(&subject.id, &who.name, what, self.hour());
        turn.into_iter().for_each(|turn| self.turned(turn));
    }

    /// A new hour, if it is one: who was unusual may be usual again.
    pub async fn roll(&self) {
        let (over, peaks) = {
            let mut usage = held(&self.0.usage);
            let (over, is_news) = usage.roll(self.hour());
            (over, is_news.then(|| usage.peaks()))
        };
        over.into_iter().for_each(|turn| self.turned(turn));
        if let Some(peaks) = peaks
            && let Err(error) = Table::new(self.0.store.clone()).put(PEAKS, &peaks, Durability::Soon).await
        {
            tracing::warn!(%error, "how much callers usually do was not stored");
        }
    }

    fn turned(&self, turn: Turn) {
        let subject = Subject::known(What::Principal, &turn.id, &turn.name);
        match turn.why {
            Some(why) => self.raise(Kind::UnusualUse, &subject, &why),
            None => self.end(Kind::UnusualUse, &subject),
        }
    }

    fn hour(&self) -> i64 {
        i64::try_from(self.0.clock.mono().as_millis() / HOUR_MS).unwrap_or(i64::MAX)
    }

    fn see(&self, kind: Kind, subject: &Subject, details: &str, seen: Seen) {
        held(&self.0.board).see(kind, subject, details, seen, self.now());
        self.0.changed.notify_one();
    }

    fn now(&self) -> Now {
        now(&self.0.clock)
    }
}

impl Hub {
    /// What was told now, on its way and written down.
    async fn take(&self, outcome: Outcome) {
        let now = self.clock.wall();
        let mut batch = Batch::new();
        let stands = Table::<Stands>::new(self.store.clone());
        for (kind, id) in &outcome.gone {
            batch = stands.delete_into(batch, &Stands::key(*kind, id));
        }
        for stood in &outcome.stands {
            batch = stands.put_into(batch, &Stands::key(stood.kind, &stood.subject.id), stood);
        }
        batch = self.remember(outcome.past, batch);
        for message in &outcome.messages {
            tracing::info!(
                kind = message.kind_word(),
                status = message.status.as_str(),
                count = message.count,
                "alert: {}",
                message.summary
            );
            for line in &self.lines {
                let (after, dropped) = line.queue.push(message, now, batch);
                batch = after;
                if dropped > 0 {
                    self.meter.delivery(line.channel.name(), "dropped", dropped);
                }
            }
        }
        // Told whether or not the disk takes it: that it does not may be the news.
        if let Err(error) = self.store.commit(batch, Durability::Now).await {
            tracing::warn!(%error, "alerts are told but not stored: a restart may tell them again");
        }
        self.lines.iter().for_each(|line| line.queue.came.notify_one());
    }

    fn remember(&self, past: Vec<Past>, mut batch: Batch) -> Batch {
        let table = Table::<Past>::new(self.store.clone());
        let key = |seq: u64| format!("{seq:016x}");
        let mut known = held(&self.past);
        for one in past {
            let seq = known.back().map_or(0, |(last, _)| last + 1);
            batch = table.put_into(batch, &key(seq), &one);
            known.push_back((seq, one));
        }
        while known.len() > MOST_PAST
            && let Some((oldest, _)) = known.pop_front()
        {
            batch = table.delete_into(batch, &key(oldest));
        }
        batch
    }
}

/// Tells what is to be told, for ever.
async fn tell(hub: Arc<Hub>) {
    loop {
        let changed = hub.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let now = now(&hub.clock);
        let (outcome, next) = {
            let mut board = held(&hub.board);
            let outcome = board.pass(now);
            board.firing().for_each(|(kind, count)| hub.meter.alerts(kind.as_str(), count));
            (outcome, board.next())
        };
        if !outcome.is_empty() {
            hub.take(outcome).await;
            hub.bus.tell(Event::Alert);
        }
        let nap = next.map_or(NAP, |next| Duration::from_millis(next.saturating_sub(now.ms).max(1).unsigned_abs()).min(NAP));
        tokio::select! {
            () = changed => {}
            () = hub.clock.sleep(nap) => {}
        }
    }
}

fn now(clock: &Clock) -> Now {
    Now { ms: i64::try_from(clock.mono().as_millis()).unwrap_or(i64::MAX), wall: clock.wall() }
}

fn channels(settings: &Settings) -> Vec<Channel> {
    let mut channels = Vec::new();
    if let Some(url) = &settings.webhook {
        let outgoing = Outgoing::new(settings.plain_loopback).with_roots(settings.roots.clone());
        channels.push(Channel::Webhook(Webhook::new(url.clone(), outgoing)));
    }
    if let Some(target) = &settings.syslog {
        channels.push(Channel::Syslog(Syslog::new(target.clone(), settings.roots.clone())));
    }
    channels
}

pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
