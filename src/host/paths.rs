//! Where the appliance keeps its state and its socket.
//!
//! The environment is an argument, so that a test can be any machine and any user.

use crate::base::fault::{Fault, Kind};
use std::fs::{DirBuilder, Metadata};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// State directory of root, and of the systemd service.
const SYSTEM_STATE: &str = "/var/lib/routeros-mcp";
/// Runtime directory that goes with [`SYSTEM_STATE`].
const SYSTEM_RUNTIME: &str = "/run/routeros-mcp";
/// Configuration file that is read when nobody names one and it exists.
pub const SYSTEM_CONFIG: &str = "/etc/routeros-mcp/config.toml";

/// Name of our directory below `$XDG_STATE_HOME`.
const NAME: &str = "routeros-mcp";
/// Only the owner may enter: the state holds credentials and the master key.
const PRIVATE: u32 = 0o700;
/// The bit that would let anybody replace our files. The group is left to the operator: many systems give each user one.
const WRITABLE_BY_ALL: u32 = 0o002;

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    /// Neither a flag nor the environment says where state belongs.
    #[error("no place for state: $HOME, $XDG_STATE_HOME and $STATE_DIRECTORY are not set")]
    Homeless,
    /// The directory cannot be made or looked at.
    #[error("{what} directory {path}: cannot be created")]
    Create {
        /// `state` or `runtime`.
        what: &'static str,
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// Something else stands there.
    #[error("{what} directory {path}: is not a directory")]
    NotADirectory {
        /// `state` or `runtime`.
        what: &'static str,
        /// Where it should be.
        path: PathBuf,
    },
    /// Others may write into it.
    #[error("{what} directory {path}: mode {mode:o} lets other users write there")]
    Open {
        /// `state` or `runtime`.
        what: &'static str,
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl From<PathsError> for Fault {
    fn from(error: PathsError) -> Fault {
        let hint = match &error {
            PathsError::Homeless => "name a directory with --data-dir".to_owned(),
            PathsError::Create { .. } | PathsError::NotADirectory { .. } => "name another with --data-dir".to_owned(),
            PathsError::Open { path, .. } => format!("chmod o-w {}", path.display()),
        };
        Fault::new(Kind::Config, error.to_string()).hint(hint).cause(error)
    }
}

/// Both directories of one appliance, absolute; nothing is created by looking them up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Store, audit, master key, backups.
    pub state: PathBuf,
    /// The control socket.
    pub runtime: PathBuf,
}

impl Places {
    /// Finds both: `data_dir` is the `--data-dir` flag, `env` looks a variable up, `root` says whether we are uid 0.
    ///
    /// # Errors
    /// `Homeless` when neither flag nor environment name a place.
    pub fn find(data_dir: Option<&Path>, env: impl Fn(&str) -> Option<String>, root: bool) -> Result<Places, PathsError> {
        let state = absolute(state_dir(data_dir, &env, root)?);
        let runtime = absolute(runtime_dir(&state, &env, root));
        Ok(Places { state, runtime })
    }

    /// Creates both, 0700, and refuses ones that anybody can write to.
    ///
    /// # Errors
    /// What stands in the way, with the path.
    pub fn create(&self) -> Result<(), PathsError> {
        private_dir("state", &self.state)?;
        private_dir("runtime", &self.runtime)
    }

    /// The control socket, the way in for the command line.
    pub fn control_socket(&self) -> PathBuf {
        self.runtime.join("control.sock")
    }

    /// The number that tells an older store put back.
    pub fn epoch(&self) -> PathBuf {
        self.state.join("epoch")
    }

    /// How far the audit trail reached.
    pub fn audit_mark(&self) -> PathBuf {
        self.state.join("trail.reached")
    }

    /// The generated master key, where no other source gives one.
    pub fn master_key(&self) -> PathBuf {
        self.state.join("master.key")
    }
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn state_dir(data_dir: Option<&Path>, env: &impl Fn(&str) -> Option<String>, root: bool) -> Result<PathBuf, PathsError> {
    if let Some(dir) = data_dir {
        return Ok(dir.to_owned());
    }
    if let Some(dir) = systemd_dir(env("STATE_DIRECTORY")) {
        return Ok(dir);
    }
    if root {
        return Ok(SYSTEM_STATE.into());
    }
    // The XDG specification says a relative path there is to be ignored.
    let xdg = env("XDG_STATE_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let home = env("HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let base = xdg.or_else(|| home.map(|dir| dir.join(".local/state"))).ok_or(PathsError::Homeless)?;
    Ok(base.join(NAME))
}

fn runtime_dir(state: &Path, env: &impl Fn(&str) -> Option<String>, root: bool) -> PathBuf {
    if let Some(dir) = systemd_dir(env("RUNTIME_DIRECTORY")) {
        return dir;
    }
    if root && state == Path::new(SYSTEM_STATE) {
        return SYSTEM_RUNTIME.into();
    }
    state.join("run")
}

/// systemd separates several directories by colons; ours is the first.
fn systemd_dir(value: Option<String>) -> Option<PathBuf> {
    let first = value?.split(':').next()?.to_owned();
    (!first.is_empty()).then(|| first.into())
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn private_dir(what: &'static str, path: &Path) -> Result<(), PathsError> {
    let failed = |cause| PathsError::Create { what, path: path.to_owned(), cause };
    match std::fs::metadata(path) {
        Ok(found) => return usable(what, path, &found),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    DirBuilder::new().recursive(true).mode(PRIVATE).create(path).map_err(failed)
}

fn usable(what: &'static str, path: &Path, found: &Metadata) -> Result<(), PathsError> {
    let mode = found.mode() & 0o7777;
    if !found.is_dir() {
        return Err(PathsError::NotADirectory { what, path: path.to_owned() });
    }
    if mode & WRITABLE_BY_ALL != 0 {
        return Err(PathsError::Open { what, path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn find(data_dir: Option<&str>, env: &[(&str, &str)], root: bool) -> Result<(String, String), PathsError> {
        let look = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let places = Places::find(data_dir.map(Path::new), look, root)?;
        Ok((places.state.display().to_string(), places.runtime.display().to_string()))
    }

    #[test]
    fn each_rule_of_the_contract_gives_its_directories() {
        let home = ("HOME", "/home/u");
        let state = ("STATE_DIRECTORY", "/var/lib/x:/var/lib/y");
        for (flag, env, root, want_state, want_runtime) in [
            (Some("/d"), &[state, home][..], true, "/d", "/d/run"),
            (None, &[state, home][..], true, "/var/lib/x", "/var/lib/x/run"),
            (None, &[home][..], true, "/var/lib/routeros-mcp", "/run/routeros-mcp"),
            (Some("/var/lib/routeros-mcp"), &[home][..], true, "/var/lib/routeros-mcp", "/run/routeros-mcp"),
            (Some("/var/lib/routeros-mcp"), &[home][..], false, "/var/lib/routeros-mcp", "/var/lib/routeros-mcp/run"),
            (None, &[home][..], false, "/home/u/.local/state/routeros-mcp", "/home/u/.local/state/routeros-mcp/run"),
            (None, &[home, ("XDG_STATE_HOME", "/s")][..], false, "/s/routeros-mcp", "/s/routeros-mcp/run"),
            (
                None,
                &[home, ("XDG_STATE_HOME", "rel")][..],
                false,
                "/home/u/.local/state/routeros-mcp",
                "/home/u/.local/state/routeros-mcp/run",
            ),
            (None, &[home, ("RUNTIME_DIRECTORY", "/run/r:/run/s")][..], true, "/var/lib/routeros-mcp", "/run/r"),
        ] {
            assert_eq!(find(flag, env, root).unwrap(), (want_state.into(), want_runtime.into()), "{flag:?} {env:?} {root}");
        }
        assert!(matches!(find(None, &[], false), Err(PathsError::Homeless)));
    }

    #[test]
    fn a_relative_data_dir_becomes_absolute() {
        let (state, _) = find(Some("here"), &[], false).unwrap();
        assert!(Path::new(&state).is_absolute() && state.ends_with("/here"), "{state}");
    }

    #[test]
    fn new_directories_are_private_and_open_ones_are_refused() {
        let tmp = tempfile::tempdir().unwrap();
        let places = Places { state: tmp.path().join("a/b"), runtime: tmp.path().join("a/b/run") };
        places.create().unwrap();
        places.create().unwrap();
        for dir in [&places.state, &places.runtime] {
            assert_eq!(dir.metadata().unwrap().mode() & 0o777, 0o700, "{}", dir.display());
        }
        std::fs::set_permissions(&places.state, PermissionsExt::from_mode(0o777)).unwrap();
        assert!(matches!(places.create(), Err(PathsError::Open { mode: 0o777, .. })));
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let tmp = tempfile::tempdir().unwrap();
        let state = tmp.path().join("state");
        std::fs::write(&state, "").unwrap();
        let fault = Fault::from(Places { runtime: state.join("run"), state }.create().unwrap_err());
        assert_eq!(fault.kind, Kind::Config);
        assert!(fault.said.contains("is not a directory"), "{fault}");
    }
}
