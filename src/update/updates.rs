//! The updates of this appliance: one release at a time, from being found to having proved itself.

use crate::base::clock::{Clock, Wall};
use crate::base::events::{Bus, Event};
use crate::base::fault::Fault;
use crate::host::metrics::Meter;
use crate::host::outgoing::Outgoing;
use crate::store::{Durability, Store, Table};
use crate::update::disk::{Disk, Real};
use crate::update::error::UpdateError;
use crate::update::install::Way;
use crate::update::manifest::Here;
use crate::update::record::{Confirmed, Ended, How, KEY, Staged, State};
use crate::update::root::{self, REQUEST};
use crate::update::signature::Keys;
use crate::update::snapshot::Snapshots;
use crate::update::swap::{Layout, Turn};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What is staged waits for so long.
pub const STAGED_FOR: Duration = Duration::from_secs(24 * 3_600);

/// What root was asked for counts as asked for no longer than this.
const ASKED_FOR: Duration = Duration::from_secs(600);
/// Says, in `update/`, where the notes of the last switch are: several copies of the program may be started on one state.
const PLACE: &str = "place";

/// What updates are made with.
pub struct Parts {
    /// Where their state is kept, and what is copied before a switch.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// Counts whether there is one.
    pub meter: Meter,
    /// Tells the pages.
    pub bus: Bus,
    /// Asks where releases are.
    pub outgoing: Outgoing,
    /// Choices.
    pub settings: Settings,
}

/// What the configuration and the installation choose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where releases are.
    pub url: Option<String>,
    /// Whose signature counts.
    pub keys: Keys,
    /// For whom a release has to be.
    pub here: Here,
    /// How this appliance was installed.
    pub way: Way,
    /// `update/` in the state directory.
    pub dir: PathBuf,
    /// The store's file.
    pub store: PathBuf,
    /// The file with the master key, where there is one.
    pub key_file: PathBuf,
    /// The configuration file, where there is one.
    pub config: Option<PathBuf>,
    /// What a new version is tried with: settings and credentials that come by environment.
    pub environment: Vec<(String, String)>,
    /// Root's unit takes a request within, and answers it within as much again: it copies and verifies a whole binary.
    pub root_answers: Duration,
}

/// Finds, stages, switches. Clones share it.
#[derive(Clone)]
pub struct Updates(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) table: Table<State>,
    pub(super) clock: Clock,
    pub(super) meter: Meter,
    pub(super) bus: Bus,
    pub(super) outgoing: Outgoing,
    pub(super) settings: Settings,
    pub(super) snapshots: Snapshots,
    /// One at a time: looking, staging, switching.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Cancelled when this process has to make way for another version.
    pub(super) restart: CancellationToken,
    /// Whether this process does so by itself.
    makes_way: AtomicBool,
    /// When this process began.
    pub(super) began: Duration,
}

/// Where an update stands, for who decides.
#[derive(Debug, Clone)]
pub struct Status {
    /// What the store knows.
    pub state: State,
    /// A switch that has not proved itself yet.
    pub pending: Option<Turn>,
    /// The switch that can be taken back.
    pub back: Option<Turn>,
    /// Whether going back puts an older store in place.
    pub loses: bool,
}

impl Status {
    /// What can be done now, in one word: the steps of an update in their order.
    pub fn word(&self, now: Wall) -> &'static str {
        match &self.state {
            _ if self.pending.is_some() => "probation",
            State { confirmed: Some(_), .. } => "switching",
            State { staged: Some(staged), .. } if !staged.is_over(now) => "awaiting_confirmation",
            State { offer: Some(_), .. } => "available",
            _ => "idle",
        }
    }
}

impl Staged {
    /// Whether it waited too long, or the clock went elsewhere.
    pub fn is_over(&self, now: Wall) -> bool {
        u128::from(now.0.abs_diff(self.at.0)) >= STAGED_FOR.as_millis()
    }
}

impl Updates {
    /// Over an open store. Looks at nothing yet.
    pub fn open(parts: Parts) -> Updates {
        let Parts { store, clock, meter, bus, outgoing, settings } = parts;
        let snapshots = Snapshots::beside(&settings.store);
        let (table, restart, began) = (Table::new(store), CancellationToken::new(), clock.mono());
        let (turn, makes_way) = (tokio::sync::Mutex::default(), AtomicBool::default());
        Updates(Arc::new(Inner { table, clock, meter, bus, outgoing, settings, snapshots, turn, restart, makes_way, began }))
    }

    /// Choices.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Cancelled when this process has to make way for another version.
    pub fn restart(&self) -> &CancellationToken {
        &self.0.restart
    }

    /// The same, for a process that makes way by itself then.
    pub fn makes_way(&self) -> &CancellationToken {
        self.0.makes_way.store(true, Ordering::Relaxed);
        &self.0.restart
    }

    /// Whether this process makes way by itself. Elsewhere whoever started it has to start it anew.
    pub fn restarts(&self) -> bool {
        self.0.makes_way.load(Ordering::Relaxed)
    }

    /// Where it stands.
    pub fn status(&self) -> Result<Status, Fault> {
        let state = self.state()?;
        let layout = self.0.settings.way.layout();
        let pending = layout.and_then(|layout| layout.pending());
        let back = pending.clone().or_else(|| layout.and_then(|layout| layout.previous()));
        let loses = back.as_ref().is_some_and(|turn| self.0.snapshots.has(&turn.id));
        Ok(Status { state, pending, back, loses })
    }

    pub(super) fn state(&self) -> Result<State, Fault> {
        Ok(self.0.table.get(KEY)?.unwrap_or_default())
    }

    pub(super) async fn keep(&self, state: &State) -> Result<(), Fault> {
        self.0.table.put(KEY, state, Durability::Now).await?;
        self.0.bus.tell(Event::Update);
        Ok(())
    }

    /// Errs where others see to the version of this program.
    pub(super) fn ours(&self) -> Result<(), UpdateError> {
        match &self.0.settings.way {
            Way::Managed { by, command } => {
                Err(UpdateError::not_now(format!("this program belongs to {by}, which updates it"), format!("on the box: {command}")))
            }
            Way::Unit(_) | Way::Own(_) => Ok(()),
        }
    }

    /// What became of what a person confirmed, from the notes beside the versions. Called at a start, and before anybody looks;
    /// while something is being staged or switched there is nothing to find out.
    pub async fn settle(&self) -> Result<(), Fault> {
        let Ok(_turn) = self.0.turn.try_lock() else { return Ok(()) };
        let before = self.state()?;
        // Another copy of the program on the same state: what became of it stands where this one does not look.
        if before.confirmed.as_ref().is_some_and(|of| self.is_elsewhere(&of.id)) {
            return Ok(());
        }
        let mut state = before.clone();
        self.note_end(&mut state);
        if let (Some(of), None, Some(How::Failed)) = (&before.confirmed, &state.confirmed, state.last.as_ref().map(|last| last.how))
            && let Err(left) = self.0.snapshots.drop(&of.id)
        {
            tracing::warn!(id = of.id, cause = %left, "the snapshot of an update that did not happen is still there");
        }
        let runs = &self.0.settings.here.version;
        state.offer = state.offer.filter(|offer| is_newer(&offer.version, runs));
        let now = self.0.clock.wall();
        if state.staged.as_ref().is_some_and(|staged| staged.is_over(now) || !is_newer(&staged.offer.version, runs)) {
            state.staged = None;
        }
        // A process that ended in the middle leaves copies of store and key behind.
        if state.staged.is_none() {
            self.clean_staged();
        }
        self.0.meter.update_available(state.offer.is_some());
        if state != before { self.keep(&state).await } else { Ok(()) }
    }

    fn note_end(&self, state: &mut State) {
        let Some(layout) = self.0.settings.way.layout() else { return };
        let now = self.0.clock.wall();
        let named = |turn: Option<Turn>, id: &str| turn.filter(|turn| turn.id == id);
        let ended = |of: Confirmed, how, why| Some(Ended { of, how, why, at: now, is_told: false });
        if let Some(of) = state.confirmed.clone() {
            let runs = &self.0.settings.here.version;
            // Before the notes are read: root writes them, and only then has it answered.
            let is_asking = of.from == *runs && self.is_asking(layout, &of);
            state.last = if let Some(turn) = named(layout.rolled_back(), &of.id) {
                ended(of, How::RolledBack, Some(turn.reason))
            } else if let Some(turn) = named(layout.refused(), &of.id) {
                ended(of, How::Failed, Some(turn.reason))
            } else if named(layout.pending(), &of.id).is_some() || is_asking {
                return;
            } else if named(layout.previous(), &of.id).is_some() {
                ended(of, How::Kept, None)
            } else {
                ended(of, How::Failed, Some("the switch was cut off before it began".into()))
            };
            state.confirmed = None;
            // Tried again it is another update, with a name of its own.
            state.staged = None;
        } else if let Some(last) = state.last.as_ref().filter(|last| last.how == How::Kept)
            && let Some(turn) = named(layout.rolled_back(), &last.of.id)
        {
            state.last = ended(last.of.clone(), How::RolledBack, Some(turn.reason));
        }
    }

    /// Whether root has not answered yet: the request lies there, or root is at it. Not for ever: its unit may not run.
    fn is_asking(&self, layout: &Layout, of: &Confirmed) -> bool {
        let is_open = self.0.settings.dir.join(REQUEST).exists() || root::is_busy(layout);
        is_open && u128::from(self.0.clock.wall().0.abs_diff(of.at.0)) < ASKED_FOR.as_millis()
    }

    /// Writes down whose notes tell how an update goes: of a lone file, or of a directory of versions.
    pub(super) fn note_place(&self, id: &str) -> Result<(), UpdateError> {
        let (dir, Some(place)) = (&self.0.settings.dir, self.place()) else { return Ok(()) };
        let (fresh, path) = (dir.join("place.new"), dir.join(PLACE));
        let write = || -> std::io::Result<()> {
            Real.remove(&fresh)?;
            Real.append(&fresh, &[id.as_bytes(), b"\n", place.as_os_str().as_encoded_bytes()].concat())?;
            Real.sync(&fresh)?;
            Real.rename(&fresh, &path)?;
            Real.sync(dir)
        };
        write().map_err(UpdateError::io("writing", &path))
    }

    /// Whether the notes of an update are another installation's.
    fn is_elsewhere(&self, id: &str) -> bool {
        let noted = std::fs::read(self.0.settings.dir.join(PLACE)).unwrap_or_default();
        let place = noted.strip_prefix(id.as_bytes()).and_then(|rest| rest.strip_prefix(b"\n"));
        place.is_some_and(|place| self.place().is_none_or(|ours| ours.as_os_str().as_encoded_bytes() != place))
    }

    fn place(&self) -> Option<&Path> {
        let layout = self.0.settings.way.layout()?;
        Some(layout.copy.as_deref().unwrap_or(&layout.root))
    }

    /// How the last one went, as long as the audit trail does not have it.
    pub fn news(&self) -> Result<Option<Ended>, Fault> {
        Ok(self.state()?.last.filter(|last| !last.is_told))
    }

    /// The audit trail has it.
    pub async fn told(&self) -> Result<(), Fault> {
        let _turn = self.0.turn.lock().await;
        let mut state = self.state()?;
        match state.last.as_mut() {
            Some(last) => last.is_told = true,
            None => return Ok(()),
        }
        self.keep(&state).await
    }

    pub(super) fn clean_staged(&self) {
        let dir = self.0.settings.dir.join("staged");
        if let Err(error) = std::fs::remove_dir_all(&dir)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a staged update could not be removed");
        }
    }
}

/// Whether a version is above another.
pub(super) fn is_newer(version: &str, than: &str) -> bool {
    self_update::version::bump_is_greater(than, version).unwrap_or(false)
}
