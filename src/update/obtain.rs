//! From where releases are to one that lies ready here: looking, fetching, trying out.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::host::outgoing::OutgoingError;
use crate::store::Space;
use crate::update::bundle::{self, MANIFEST, SIGNATURE};
use crate::update::error::UpdateError;
use crate::update::manifest::{Artifact, Release, Seen};
use crate::update::record::{Looked, Offer, Staged};
use crate::update::stage::{self, Copies};
use crate::update::updates::Updates;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where uploads wait, below `update/`.
pub const UPLOADS: &str = "uploads";

impl From<OutgoingError> for UpdateError {
    fn from(error: OutgoingError) -> UpdateError {
        let hint = "check update.url and the way out; nothing was changed. `update apply --file` needs no way out";
        UpdateError::not_now(error.to_string(), hint)
    }
}

/// Where a release comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The release endpoint.
    Endpoint,
    /// A bundle that was uploaded; the name [`Updates::upload`] gave it.
    Upload(String),
}

impl Updates {
    /// Looks for a newer version. `None` when there is none.
    ///
    /// Errs when nobody can be asked or what is answered is not to be believed; that is remembered too.
    pub async fn check(&self) -> Result<Option<Offer>, Fault> {
        let _turn = self.0.turn.lock().await;
        let mut state = self.state()?;
        let found = self.look(&mut state.seen).await;
        state.looked = Some(Looked { at: self.0.clock.wall(), failed: None });
        let answer = match found {
            Ok(release) => {
                state.offer = Some(Offer::of(&release));
                Ok(state.offer.clone())
            }
            Err(UpdateError::NotNewer { .. }) => {
                state.offer = None;
                Ok(None)
            }
            Err(error) => {
                let fault = Fault::from(error);
                state.looked = state.looked.map(|looked| Looked { failed: Some(fault.said.clone()), ..looked });
                Err(fault)
            }
        };
        self.0.meter.update_available(state.offer.is_some());
        self.keep(&state).await?;
        answer
    }

    /// The address of a file beside the manifest of our channel.
    fn address(&self, name: &str) -> Result<String, UpdateError> {
        let settings = &self.0.settings;
        let url = settings.url.as_deref();
        let url =
            url.ok_or_else(|| UpdateError::not_now("update.url is not set", "set it to where releases are, or use `update apply --file`"))?;
        Ok(format!("{}/{}/{name}", url.trim_end_matches('/'), settings.here.channel))
    }

    async fn look(&self, seen: &mut Seen) -> Result<Release, UpdateError> {
        let (manifest, signature) = self.head().await?;
        Release::open(&manifest, &signature, &self.0.settings.keys, seen, &self.0.settings.here)
    }

    /// Manifest and signature of the endpoint, unread.
    async fn head(&self) -> Result<(Vec<u8>, Vec<u8>), UpdateError> {
        if self.0.settings.keys.is_empty() {
            return Err(UpdateError::not_now("nobody's signature counts: this build has no key", "name one in update.public_keys"));
        }
        let mut files = Vec::new();
        for name in [MANIFEST, SIGNATURE] {
            let url = self.address(name)?;
            let answer = self.0.outgoing.get(&url).await?;
            if answer.status() != http::StatusCode::OK {
                let url = url.split(['?', '#']).next().unwrap_or_default().to_owned();
                return Err(OutgoingError::NoFile { url, status: answer.status().as_u16() }.into());
            }
            files.push(answer.into_body());
        }
        let signature = files.pop().unwrap_or_default();
        Ok((files.pop().unwrap_or_default(), signature))
    }

    /// A file to write a bundle into, and the name to stage it by. Earlier ones go.
    pub fn upload(&self) -> Result<(File, String), UpdateError> {
        self.ours()?;
        self.forget_upload();
        let dir = self.upload_dir();
        make_dir(&dir)?;
        let name = hex(&random::<8>());
        let path = dir.join(&name);
        Ok((new_file(&path)?, name))
    }

    /// Removes an upload that broke off.
    pub fn forget_part(&self, name: &str) {
        let _ = fs::remove_file(self.upload_dir().join(name));
    }

    /// Removes what was uploaded.
    fn forget_upload(&self) {
        let _ = fs::remove_dir_all(self.upload_dir());
    }

    /// Where an upload lies, for a program on this box that writes it itself.
    pub fn upload_dir(&self) -> PathBuf {
        self.0.settings.dir.join(UPLOADS)
    }

    /// Fetches a release, checks all of it and lets it start on copies. It then waits for a person, for a day.
    pub async fn stage(&self, source: Source) -> Result<Staged, Fault> {
        self.ours()?;
        let _turn = self.0.turn.lock().await;
        let mut state = self.state()?;
        if state.confirmed.is_some() {
            return Err(under_way());
        }
        state.staged = None;
        self.clean_staged();
        self.keep(&state).await?;
        let id = hex(&random::<8>());
        let dir = self.0.settings.dir.join("staged").join(&id);
        let done = self.fetch_and_try(&source, &dir, &mut state.seen).await;
        let _ = fs::remove_dir_all(dir.join("trial"));
        let _ = fs::remove_dir_all(dir.join("unpacked"));
        if let Source::Upload(_) = source {
            self.forget_upload();
        }
        let release = match done {
            Ok(release) => release,
            Err(error) => {
                self.clean_staged();
                // A key that was revoked stays so, whatever else was wrong.
                self.keep(&state).await?;
                return Err(error.into());
            }
        };
        let is_from_file = matches!(source, Source::Upload(_));
        let staged = Staged { id, offer: Offer::of(&release), at: self.0.clock.wall(), is_from_file };
        state.offer = Some(staged.offer.clone());
        state.staged = Some(staged.clone());
        self.0.meter.update_available(true);
        self.keep(&state).await?;
        Ok(staged)
    }

    async fn fetch_and_try(&self, source: &Source, dir: &Path, seen: &mut Seen) -> Result<Release, UpdateError> {
        let settings = &self.0.settings;
        make_dir(dir)?;
        let bundle = match source {
            Source::Endpoint => None,
            Source::Upload(name) if name.bytes().all(|byte| byte.is_ascii_hexdigit()) && !name.is_empty() => {
                Some(self.upload_dir().join(name))
            }
            Source::Upload(_) => return Err(UpdateError::refused("that is the name of no upload")),
        };
        if bundle.as_ref().is_some_and(|bundle| !bundle.is_file()) {
            return Err(UpdateError::not_now("there is no upload of that name", "send the bundle again: each is there once"));
        }
        let (manifest, signature) = match bundle.clone() {
            None => self.head().await?,
            Some(bundle) => blocking(move || bundle::head(&bundle)).await?,
        };
        let release = Release::open(&manifest, &signature, &settings.keys, seen, &settings.here)?;
        self.has_room(&release.artifact)?;
        let file = dir.join("artifact");
        match bundle {
            Some(bundle) => {
                let (artifact, file) = (release.artifact.clone(), file.clone());
                blocking(move || bundle::take(&bundle, &artifact, &file)).await?;
            }
            None => {
                let url = match release.artifact.url.contains("://") {
                    true => release.artifact.url.clone(),
                    false => self.address(&release.artifact.url)?,
                };
                self.0.outgoing.download(&url, release.artifact.size, new_file(&file)?).await?;
            }
        }
        let (artifact, unpacked) = (release.artifact.clone(), dir.join("unpacked"));
        let binary = blocking(move || {
            stage::check(&file, &artifact)?;
            stage::unpack(&file, &artifact, &unpacked)
        })
        .await?;
        let copies = self.copies(&dir.join("trial")).await?;
        stage::try_out(&binary, &release, &copies).await?;
        for (name, bytes) in [(MANIFEST, &manifest), (SIGNATURE, &signature)] {
            fs::write(dir.join(name), bytes).map_err(UpdateError::io("writing", dir))?;
        }
        Ok(release)
    }

    /// Three times the binary: fetched, unpacked, in place; and copies of the store to be tried with and to go back to.
    fn has_room(&self, artifact: &Artifact) -> Result<(), UpdateError> {
        let settings = &self.0.settings;
        let space = Space::at(&settings.dir).map_err(UpdateError::io("looking at", &settings.dir))?;
        let store = fs::metadata(&settings.store).map_or(0, |meta| meta.len());
        let needed = artifact.size * 2 + artifact.unpacked_size * 2 + store * 3;
        if space.free >= needed {
            return Ok(());
        }
        let mb = |bytes: u64| bytes.div_ceil(1_000_000);
        Err(UpdateError::not_now(
            format!("an update takes {} MB in {}, and {} MB are free", mb(needed), settings.dir.display(), mb(space.free)),
            "make room: older backups and archived audit segments may go elsewhere",
        ))
    }

    /// Copies for the new version to start on.
    async fn copies(&self, dir: &Path) -> Result<Copies, UpdateError> {
        let settings = &self.0.settings;
        make_dir(dir)?;
        let store = dir.join("store.redb");
        self.0.table.store().copy_to(&store).await?;
        if settings.key_file.exists() {
            let to = dir.join("master.key");
            fs::copy(&settings.key_file, &to).map_err(UpdateError::io("copying to", &to))?;
        }
        Ok(Copies { state: dir.to_owned(), store, config: settings.config.clone(), environment: settings.environment.clone() })
    }
}

/// One update at a time.
pub(super) fn under_way() -> Fault {
    Fault::new(Kind::Conflict, "an update is being switched to")
        .hint("`update status` tells how it goes; it is kept or taken back within minutes of its start")
}

pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, UpdateError> + Send + 'static) -> Result<T, UpdateError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(UpdateError::refused("looking at it failed")))
}

fn make_dir(path: &Path) -> Result<(), UpdateError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(UpdateError::io("making", path))
}

fn new_file(path: &Path) -> Result<File, UpdateError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(UpdateError::io("writing", path))
}
