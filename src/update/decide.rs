//! A person's word, and what follows: the switch, its keeping, the way back.

use crate::base::fault::{Fault, Kind};
use crate::update::disk::Real;
use crate::update::error::UpdateError;
use crate::update::install::Way;
use crate::update::obtain::{blocking, under_way};
use crate::update::record::{Confirmed, KEY, Staged, State};
use crate::update::root::{self, Act, REQUEST, Request};
use crate::update::swap::{Layout, Turn};
use crate::update::updates::{Status, Updates};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

/// Looked at so often.
const PAUSE: Duration = Duration::from_millis(100);
/// An answer is out by then, before this process makes way.
const ANSWERED: Duration = Duration::from_millis(500);
/// The shortest piece of a digest that names one.
const DIGEST_MIN: usize = 8;

/// What a person confirms.
#[derive(Debug, Clone)]
pub struct Word {
    /// The version, as they typed it.
    pub version: String,
    /// The digest they were shown, or its beginning.
    pub digest: Option<String>,
    /// Who.
    pub by: String,
    /// Whether a router could be reached within the last minutes.
    pub had_routers: bool,
}

impl Updates {
    /// Switches to what is staged. Whoever calls has made sure that a person says so, and that no plan is between two steps.
    ///
    /// Errs with `Conflict` when what was typed is not what lies ready, or it lay too long; nothing is switched then.
    /// `UnknownOutcome` when root was asked and did not answer in time. Goes on to its end whatever becomes of whoever asked.
    pub async fn apply(&self, word: Word) -> Result<Confirmed, Fault> {
        let updates = self.clone();
        to_its_end(async move { updates.apply_now(word).await }).await
    }

    async fn apply_now(&self, word: Word) -> Result<Confirmed, Fault> {
        self.ours()?;
        let _turn = self.0.turn.lock().await;
        let mut state = self.state()?;
        if state.confirmed.is_some() {
            return Err(under_way());
        }
        let staged = self.meant(&state, &word)?.clone();
        let runs = self.0.settings.here.clone();
        let confirmed = Confirmed {
            id: staged.id.clone(),
            from: runs.version,
            to: staged.offer.version.clone(),
            digest: staged.offer.digest.clone(),
            by: word.by,
            at: self.0.clock.wall(),
            had_routers: word.had_routers,
            schema_before: runs.store_schema,
            schema_after: staged.offer.store_schema,
        };
        self.note_place(&confirmed.id)?;
        // Before the snapshot, so that the version that gets it back knows what it was for.
        state.confirmed = Some(confirmed.clone());
        self.keep(&state).await?;
        let done = self.switch(&confirmed).await;
        match done {
            Ok(()) => Ok(confirmed),
            // It may still come: the notes of whoever switches tell how it ended.
            Err(error @ UpdateError::Unknown { .. }) => Err(error.into()),
            Err(error) if self.is_begun(&confirmed.id) => {
                // Neither done nor undone: the next start finds out, and needs the way back.
                Err(UpdateError::Unknown { said: format!("the switch was cut off: {error}") }.into())
            }
            Err(error) => {
                if let Err(left) = self.0.snapshots.drop(&confirmed.id) {
                    tracing::warn!(id = confirmed.id, cause = %left, "the snapshot of an update that did not happen is still there");
                }
                state.confirmed = None;
                self.keep(&state).await?;
                Err(error.into())
            }
        }
    }

    /// Whether a switch of this name stands half done.
    fn is_begun(&self, id: &str) -> bool {
        self.0.settings.way.layout().and_then(Layout::pending).is_some_and(|turn| turn.id == id)
    }

    fn meant<'s>(&self, state: &'s State, word: &Word) -> Result<&'s Staged, Fault> {
        let conflict = |said: String, hint: &str| Err(Fault::new(Kind::Conflict, said).hint(hint));
        let Some(staged) = &state.staged else {
            return conflict("no version lies ready".into(), "`update stage` fetches one and tries it out");
        };
        if staged.is_over(self.0.clock.wall()) {
            return conflict(format!("version {} lay ready for more than a day", staged.offer.version), "stage it again");
        }
        if word.version.trim() != staged.offer.version {
            return conflict(
                format!("version {} lies ready, and another was typed", staged.offer.version),
                "type the version that `update status` shows",
            );
        }
        match &word.digest {
            Some(digest) if digest.len() < DIGEST_MIN || !staged.offer.digest.starts_with(digest.as_str()) => {
                conflict("what lies ready is not what was looked at".into(), "look at it again: `update status`")
            }
            _ => Ok(staged),
        }
    }

    async fn switch(&self, confirmed: &Confirmed) -> Result<(), UpdateError> {
        let settings = &self.0.settings;
        self.0.snapshots.take(&confirmed.id, self.0.table.store(), settings.config.as_deref()).await?;
        let Confirmed { id, digest, to, by, .. } = confirmed.clone();
        self.hand_over(Request { act: Act::Apply, id, digest, version: to, by }).await
    }

    /// The version before again. Its own store, where the one that is in place is none it can read, or was used for minutes only.
    pub async fn roll_back(&self, by: &str) -> Result<(Turn, bool), Fault> {
        let (updates, by) = (self.clone(), by.to_owned());
        to_its_end(async move { updates.roll_back_now(&by).await }).await
    }

    async fn roll_back_now(&self, by: &str) -> Result<(Turn, bool), Fault> {
        self.ours()?;
        let _turn = self.0.turn.lock().await;
        let Status { back, loses, .. } = self.status()?;
        let Some(turn) = back else {
            return Err(
                UpdateError::not_now("there is no version to go back to", "the one before the last update is kept, no older one").into()
            );
        };
        if loses {
            self.0.snapshots.want(&turn.id)?;
        }
        self.hand_over(Request {
            act: Act::RollBack,
            id: turn.id.clone(),
            digest: String::new(),
            version: turn.from.clone(),
            by: by.to_owned(),
        })
        .await?;
        Ok((turn, loses))
    }

    /// The new version has proved itself. Its snapshot goes where the version before can read the store as it is.
    pub async fn commit(&self) -> Result<(), Fault> {
        {
            let _turn = self.0.turn.lock().await;
            // Root may have done it already, and its answer come too late: the rest is still to do.
            if let Some((layout, Turn { id, to: version, .. })) = self.pending() {
                let request = Request { act: Act::Commit, id, digest: String::new(), version, by: String::new() };
                match &self.0.settings.way {
                    Way::Own(_) => root::act(layout, &self.0.settings.dir, &self.0.settings.keys, &self.0.settings.here, &request)?,
                    _ => self.ask_root(&request).await?,
                }
            }
            // Only what was really kept: a person may have asked for the version before meanwhile.
            let kept = self.0.settings.way.layout().and_then(Layout::previous);
            if let Some(confirmed) = self.state()?.confirmed.filter(|of| kept.is_some_and(|turn| turn.id == of.id)) {
                let is_same = confirmed.schema_before == confirmed.schema_after;
                self.0.snapshots.keep_only((!is_same).then_some(confirmed.id.as_str()))?;
                // The way back is the snapshot.
                let store = &self.0.settings.store;
                crate::store::forget_kept(store).map_err(UpdateError::io("removing the store of before beside", store))?;
            }
        }
        self.settle().await
    }

    /// The new version did not prove itself.
    pub async fn take_back(&self, why: &str) -> Result<(), Fault> {
        let _turn = self.0.turn.lock().await;
        let Some((_, pending)) = self.pending() else { return Ok(()) };
        self.0.snapshots.want(&pending.id)?;
        let by = format!("the appliance itself: {why}");
        self.hand_over(Request { act: Act::RollBack, id: pending.id, digest: String::new(), version: pending.from, by }).await?;
        Ok(())
    }

    /// The switch that waits for this very version to prove itself.
    pub fn pending(&self) -> Option<(&Layout, Turn)> {
        let layout = self.0.settings.way.layout()?;
        let turn = layout.pending().filter(|turn| turn.to == self.0.settings.here.version)?;
        Some((layout, turn))
    }

    /// How long a version that has to prove itself has served: in this process, and in sessions that ended in order.
    pub fn stood(&self) -> Duration {
        let before = self.pending().map_or(Duration::ZERO, |(layout, turn)| layout.stood(&turn.id));
        before + self.0.clock.mono().saturating_sub(self.0.began)
    }

    /// A session ends because its client does, before the version was kept: that was no failed try, and its time counts. Clients
    /// come and go within minutes.
    pub fn end_in_order(&self) {
        let (Way::Own(_), Some((layout, turn))) = (&self.0.settings.way, self.pending()) else { return };
        if self.0.table.get(KEY).is_err() {
            return;
        }
        let noted = layout.note_stood(&mut Real, &turn.id, self.stood()).and_then(|()| layout.forgive_start(&mut Real, &turn.id));
        if let Err(error) = noted {
            tracing::warn!(%error, "this session counts as a try of the new version that failed");
        }
    }

    /// Done here where the versions are ours, else asked of root. This process makes way afterwards.
    async fn hand_over(&self, request: Request) -> Result<(), UpdateError> {
        match &self.0.settings.way {
            Way::Managed { .. } => self.ours(),
            Way::Unit(_) => self.ask_root(&request).await,
            Way::Own(layout) => {
                let (layout, settings) = (layout.clone(), self.0.settings.clone());
                blocking(move || root::act(&layout, &settings.dir, &settings.keys, &settings.here, &request)).await?;
                let restart = self.0.restart.clone();
                // Whoever asked hears the answer first.
                #[allow(clippy::disallowed_methods, reason = "it ends by itself, and what it does is to end everything")]
                tokio::spawn(async move {
                    tokio::time::sleep(ANSWERED).await;
                    restart.cancel();
                });
                Ok(())
            }
        }
    }

    /// Lays the request where root's unit finds it, and waits until it was taken and answered.
    async fn ask_root(&self, request: &Request) -> Result<(), UpdateError> {
        let path = self.0.settings.dir.join(REQUEST);
        let fresh = self.0.settings.dir.join("request.new");
        let write = || -> std::io::Result<()> {
            let _ = fs::remove_file(&fresh);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
            file.write_all(&serde_json::to_vec(request)?)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            crate::store::sync_parent(&path)
        };
        write().map_err(UpdateError::io("writing", &path))?;
        let patience = self.0.settings.root_answers;
        let deadline = tokio::time::Instant::now() + patience;
        while path.exists() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(PAUSE).await;
        }
        // Taken back, unless it is taken in this very moment.
        if fs::remove_file(&path).is_ok() {
            return Err(UpdateError::not_now(
                "root's update unit did not take the request",
                "on the box: systemctl enable --now routeros-mcp-update.path, then journalctl -u routeros-mcp-update",
            ));
        }
        // It says no within moments; a yes ends this process.
        let deadline = tokio::time::Instant::now() + patience;
        while tokio::time::Instant::now() < deadline {
            if let Some(no) = self.0.settings.way.layout().and_then(Layout::refused).filter(|no| no.id == request.id) {
                return Err(UpdateError::Refused(no.reason));
            }
            let is_done = self.0.settings.way.layout().is_some_and(|layout| match request.act {
                Act::Apply => layout.pending().is_some_and(|turn| turn.id == request.id),
                Act::Commit => layout.previous().is_some_and(|turn| turn.id == request.id),
                Act::RollBack => layout.rolled_back().is_some_and(|turn| turn.id == request.id),
            });
            if is_done {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(UpdateError::Unknown { said: "root's update unit took the request, and its answer was not seen".into() })
    }
}

/// Half a switch is worse than one that nobody waits for: it does not stop with its caller.
async fn to_its_end<T: Send + 'static>(work: impl Future<Output = Result<T, Fault>> + Send + 'static) -> Result<T, Fault> {
    #[allow(clippy::disallowed_methods, reason = "it ends by itself within minutes, and may outlive the call but not the process")]
    tokio::spawn(work).await.map_err(Fault::bug)?
}
