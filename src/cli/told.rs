//! Files that whoever holds the store tells of. Root's command line works on them, and the service may have been taken over: only
//! its own files in directories of ours are believed, and what it puts there meanwhile is not followed.

use crate::base::fault::{Fault, Kind};
use crate::cli::reach::Way;
use crate::config::Loaded;
use crate::host::files::{self, HeldDir};
use serde_json::Value;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file that was told of.
#[derive(Debug)]
pub struct Told {
    dir: HeldDir,
    name: OsString,
    owner: u32,
    path: PathBuf,
}

impl Told {
    /// The file of `dir`, which whoever made it owns: the service, or we ourselves where nobody held the store.
    ///
    /// Errs with `Denied` for a path that leads anywhere else.
    pub fn of(way: &Way, loaded: &Loaded, dir: &Path, told: &Value) -> Result<Told, Fault> {
        let owner = match way {
            Way::Own(_) => files::own_uid(),
            Way::Holder(_) => owner_of(&loaded.state_dir).map_err(|error| failed(&loaded.state_dir, &error))?,
        };
        let path = PathBuf::from(told.as_str().unwrap_or_default());
        let (Some(name), Some(above)) = (path.file_name(), path.parent()) else { return Err(elsewhere(dir, told)) };
        if !is_same(dir, above) {
            return Err(elsewhere(dir, told));
        }
        let held = HeldDir::open(dir).map_err(|error| failed(dir, &error))?;
        Ok(Told { dir: held, name: name.to_owned(), owner, path: path.clone() })
    }

    /// Opens it.
    ///
    /// Errs with `Denied` for what is no plain file of its maker's.
    pub fn read(&self) -> Result<File, Fault> {
        self.dir.read(&self.name, self.owner).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                Fault::denied(format!("{} is no file of the appliance's: it was not touched", self.path.display()))
                    .hint("look who laid it there, before you trust this appliance again")
            }
            _ => failed(&self.path, &error),
        })
    }

    /// Removes it.
    pub fn remove(&self) -> io::Result<()> {
        self.dir.remove(&self.name)
    }

    /// Where it is, for people.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether `dir` itself was told.
///
/// Errs with `Denied` otherwise.
pub fn this(dir: &Path, told: &Value) -> Result<(), Fault> {
    if is_same(dir, Path::new(told.as_str().unwrap_or_default())) { Ok(()) } else { Err(elsewhere(dir, told)) }
}

/// Two spellings of one place, over links too. Where that is can change the next moment: what is done there goes by who owns it.
fn is_same(dir: &Path, told: &Path) -> bool {
    dir == told || matches!((dir.canonicalize(), told.canonicalize()), (Ok(ours), Ok(theirs)) if ours == theirs)
}

/// Whose state it is; a link to it that root laid is root's word.
fn owner_of(state: &Path) -> io::Result<u32> {
    let itself = state.symlink_metadata()?;
    if itself.is_symlink() && itself.uid() == 0 { Ok(state.metadata()?.uid()) } else { Ok(itself.uid()) }
}

fn failed(path: &Path, error: &io::Error) -> Fault {
    Fault::new(Kind::Storage, format!("{}: {}", path.display(), crate::cli::fault::io_words(error)))
}

fn elsewhere(dir: &Path, told: &Value) -> Fault {
    let told: String = told.as_str().unwrap_or("nothing").chars().filter(|c| !c.is_control()).take(200).collect();
    Fault::denied(format!("the appliance names {told}, and not {}: nothing was touched there", dir.display()))
        .hint("use the --data-dir, --config and variables that it was started with; what it made stays where it says")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_place_has_several_spellings_and_no_other_place_is_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, link) = (dir.path().join("backups"), dir.path().join("link"));
        std::fs::create_dir(&ours).unwrap();
        std::os::unix::fs::symlink(&ours, &link).unwrap();
        for told in [&ours, &link, &dir.path().join("link/../backups")] {
            assert!(this(&ours, &json!(told)).is_ok(), "{}", told.display());
        }
        for told in [json!("/etc"), json!(dir.path()), json!(ours.join("deeper")), json!(""), json!(null), json!(7)] {
            assert!(this(&ours, &told).is_err(), "{told}");
        }
    }
}
