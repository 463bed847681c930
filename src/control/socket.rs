//! The socket file: made, found stale, removed.
//!
//! The store's lock decides who may serve; the socket only follows it. So a file nobody answers at is left over from a
//! crash and is replaced, one that answers is never touched, and at the end only our own is removed.

use crate::control::fault::ControlError;
use crate::control::peer;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};

/// Longest path the kernel takes in a socket address, in bytes.
const MAX_PATH_BYTES: usize = 107;

/// How long a listener may take to accept; one that is too busy for it is alive.
const CONNECT_WAIT: Duration = Duration::from_secs(2);

/// A bound socket that knows its own file.
pub struct Bound {
    /// Takes connections.
    pub listener: UnixListener,
    path: PathBuf,
    inode: (u64, u64),
}

impl Bound {
    /// Binds `path`, making its directory, replacing a socket nobody answers at.
    ///
    /// # Errors
    /// [`ControlError::Taken`] when somebody answers there, [`ControlError::NoSocket`] when it is another kind of
    /// file, [`ControlError::Io`] for the rest.
    pub async fn new(path: &Path) -> Result<Bound, ControlError> {
        let group = peer::group_id();
        make_parent(path, group)?;
        clear(path).await?;
        let (listener, _dir) = with_short(path, |short| UnixListener::bind(short)).map_err(|e| ControlError::io("bind", path, e))?;
        let told = |e| ControlError::io("set the mode of", path, e);
        fs::set_permissions(path, Permissions::from_mode(0o660)).map_err(told)?;
        share(path, group);
        let meta = fs::symlink_metadata(path).map_err(told)?;
        Ok(Bound { listener, path: path.into(), inode: (meta.dev(), meta.ino()) })
    }

    /// Removes the file, unless somebody else has put another one there.
    pub fn remove(&self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|meta| (meta.dev(), meta.ino()) == self.inode);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "could not remove the control socket");
        }
    }
}

/// Connects to whoever serves `path`.
///
/// # Errors
/// [`ControlError::Nobody`] when there is no socket or nobody behind it, [`ControlError::Silent`] when it does not
/// accept, [`ControlError::Io`] for the rest (no permission).
pub async fn connect(path: &Path) -> Result<UnixStream, ControlError> {
    let (short, _dir) = short(path).map_err(|error| no_connection(path, error))?;
    match tokio::time::timeout(CONNECT_WAIT, UnixStream::connect(short)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(no_connection(path, error)),
        Err(_) => Err(ControlError::Silent { path: path.into(), seconds: CONNECT_WAIT.as_secs() }),
    }
}

fn no_connection(path: &Path, error: io::Error) -> ControlError {
    match error.kind() {
        // No directory: whoever opens the state directory next says that better.
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory => {
            ControlError::Nobody { path: path.into() }
        }
        _ => ControlError::io("connect to", path, error),
    }
}

/// Takes a left-over socket away.
async fn clear(path: &Path) -> Result<(), ControlError> {
    let Ok(meta) = fs::symlink_metadata(path) else { return Ok(()) };
    if !meta.file_type().is_socket() {
        return Err(ControlError::NoSocket { path: path.into() });
    }
    match connect(path).await {
        Err(ControlError::Nobody { .. }) => fs::remove_file(path).map_err(|e| ControlError::io("remove the left-over", path, e)),
        _ => Err(ControlError::Taken { path: path.into() }),
    }
}

/// The directory: ours alone, or for the group to look into where there is one.
fn make_parent(path: &Path, group: Option<u32>) -> Result<(), ControlError> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
    if parent.is_dir() {
        return Ok(());
    }
    let mode = if group.is_some() { 0o750 } else { 0o700 };
    DirBuilder::new().recursive(true).mode(mode).create(parent).map_err(|e| ControlError::io("create", parent, e))?;
    share(parent, group);
    Ok(())
}

/// Gives a file to the group. Who is not allowed to keeps it to himself, which is the stricter way.
fn share(path: &Path, group: Option<u32>) {
    if let Some(gid) = group
        && let Err(error) = std::os::unix::fs::chown(path, None, Some(gid))
    {
        tracing::debug!(path = %path.display(), %error, "could not give the control socket to group {}", peer::GROUP);
    }
}

/// A name of the path short enough for a socket address. The directory must stay open while it is used.
fn short(path: &Path) -> io::Result<(PathBuf, Option<OwnedFd>)> {
    if path.as_os_str().len() <= MAX_PATH_BYTES {
        return Ok((path.into(), None));
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(io::ErrorKind::InvalidInput.into()) };
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    let dir = rustix::fs::open(parent, flags, rustix::fs::Mode::empty())?;
    // State directories may be deeper than a socket address is long; through an open directory any depth fits.
    Ok((Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string()).join(name), Some(dir)))
}

fn with_short<T>(path: &Path, work: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<(T, Option<OwnedFd>)> {
    let (short, dir) = short(path)?;
    Ok((work(&short)?, dir))
}
