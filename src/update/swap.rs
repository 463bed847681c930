//! One version in another's place, so that at every moment there is a whole executable to start.
//!
//! ```text
//! versions/0.9.1/routeros-mcp     current -> versions/0.9.2
//! versions/0.9.2/routeros-mcp     pending     from= to= tries= id=   until the new one has proved itself
//!                                 rolled_back from= to= id= reason=  what the guard, or a person, took back
//!                                 starts      id and number, where no guard counts
//!                                 stood       id and seconds that it did well in sessions which are over
//!                                 lone        where the lone file is, if the program was put down as one
//! ```
//!
//! `pending` stands before `current` is flipped: a new version never runs without a way back. The guard
//! (`systemd/routeros-mcp-guard`) counts its starts there and flips back.
//!
//! Nothing guards a lone file, and whatever lies there is what starts after a power cut. So the version before stays in that place
//! until the new one is kept: it counts the starts and starts the new one from its directory (`start.rs`).

use crate::update::disk::Disk;
use crate::update::error::UpdateError;
use crate::update::manifest::Seen;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where versions are, where root keeps them.
pub const SYSTEM_VERSIONS: &str = "/var/lib/routeros-mcp-bin";
/// The name of the executable in each.
pub const BINARY: &str = "routeros-mcp";
/// Copied at a time.
const PIECE: usize = 64 * 1024;

/// The directory of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// It.
    pub root: PathBuf,
    /// A lone executable elsewhere that is a copy of the last version that was kept, where the program was put down as one file.
    pub copy: Option<PathBuf>,
}

/// One change of version, as `pending` and `rolled_back` say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turn {
    /// The version before.
    pub from: String,
    /// The version after.
    pub to: String,
    /// Ties it to the service's own notes.
    pub id: String,
    /// Why it was taken back, if it was.
    pub reason: String,
}

impl Layout {
    /// Where a directory of versions is.
    pub fn at_root(root: impl Into<PathBuf>) -> Layout {
        Layout { root: root.into(), copy: None }
    }

    /// The executable that runs next: what a supervisor starts, or what that starts in its turn.
    pub fn started(&self) -> PathBuf {
        match &self.copy {
            None => self.root.join("current").join(BINARY),
            Some(lone) => self.pending().map_or_else(|| lone.clone(), |turn| self.binary(&turn.to)),
        }
    }

    /// The lone file whose versions lie here, as it was written down when there was one.
    pub fn noted_lone(&self) -> Option<PathBuf> {
        let mut path = Vec::new();
        fs::File::open(self.at("lone")).ok()?.take(4_096).read_to_end(&mut path).ok()?;
        Some(PathBuf::from(OsString::from_vec(path))).filter(|path| path.is_absolute())
    }

    /// The executable of a version.
    pub fn binary(&self, version: &str) -> PathBuf {
        self.root.join("versions").join(version).join(BINARY)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The version that `current` names.
    pub fn current(&self) -> Option<String> {
        let target = fs::read_link(self.at("current")).ok()?;
        Some(target.file_name()?.to_str()?.to_owned())
    }

    /// A switch that has not proved itself yet.
    pub fn pending(&self) -> Option<Turn> {
        self.turn("pending")
    }

    /// The last switch that was taken back.
    pub fn rolled_back(&self) -> Option<Turn> {
        self.turn("rolled_back")
    }

    /// The last switch that was kept, and can be taken back.
    pub fn previous(&self) -> Option<Turn> {
        self.turn("previous")
    }

    /// Why root did not do what was asked last: the id and the reason.
    pub fn refused(&self) -> Option<Turn> {
        self.turn("refused")
    }

    fn turn(&self, name: &str) -> Option<Turn> {
        let mut text = String::new();
        fs::File::open(self.at(name)).ok()?.take(4_096).read_to_string(&mut text).ok()?;
        let fields: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
        let field = |name: &str| fields.get(name).map(|value| (*value).to_owned());
        Some(Turn { from: field("from")?, to: field("to")?, id: field("id")?, reason: field("reason").unwrap_or_default() })
    }

    /// Whether it has proved itself, and the power failed before that was done with.
    pub fn is_proved(&self, turn: &Turn) -> bool {
        self.previous().is_some_and(|kept| kept.id == turn.id)
    }

    /// What root has seen of releases. A file that cannot be read stops every update: nobody forgets by breaking it.
    pub fn seen(&self) -> Result<Seen, UpdateError> {
        let path = self.at("ratchet.json");
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| UpdateError::refused(format!("{} cannot be read", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Seen::default()),
            Err(error) => Err(UpdateError::io("reading", &path)(error)),
        }
    }

    /// A lone executable becomes the first of the versions, so that there is one to go back to.
    pub fn adopt(&self, disk: &mut impl Disk, version: &str) -> io::Result<()> {
        let Some(lone) = &self.copy else { return Ok(()) };
        disk.make_dir(&self.at("versions"))?;
        // A version that runs from its directory finds the file by it.
        if self.noted_lone().as_ref() != Some(lone) {
            self.write(disk, "lone", lone.as_os_str().as_bytes())?;
        }
        if self.current().as_deref() == Some(version) && is_executable(&self.binary(version)) {
            return Ok(());
        }
        self.install(disk, lone, version)?;
        self.point(disk, version)
    }

    /// Counts a start of a version that is pending, where no guard counts; answers how many there were.
    pub fn count_start(&self, disk: &mut impl Disk, id: &str) -> io::Result<u32> {
        let starts = u32::try_from(self.number("starts", id)).unwrap_or(u32::MAX).saturating_add(1);
        self.write(disk, "starts", format!("{id} {starts}\n").as_bytes())?;
        Ok(starts)
    }

    /// Takes one start back that was no try: others served, or it ended in order.
    pub fn forgive_start(&self, disk: &mut impl Disk, id: &str) -> io::Result<()> {
        let starts = self.number("starts", id).saturating_sub(1);
        self.write(disk, "starts", format!("{id} {starts}\n").as_bytes())
    }

    /// How long a version that is pending did well before the process that asks began.
    pub fn stood(&self, id: &str) -> Duration {
        Duration::from_secs(self.number("stood", id))
    }

    /// Writes that down, all told.
    pub fn note_stood(&self, disk: &mut impl Disk, id: &str, all: Duration) -> io::Result<()> {
        self.write(disk, "stood", format!("{id} {}\n", all.as_secs()).as_bytes())
    }

    /// The number that a note has for an update, 0 where it is of another.
    fn number(&self, name: &str, id: &str) -> u64 {
        let text = fs::read_to_string(self.at(name)).unwrap_or_default();
        text.trim().strip_prefix(id).and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
    }

    /// Whether the guard outside counts the starts of what is pending.
    pub fn is_guarded(&self) -> bool {
        let text = fs::read_to_string(self.at("pending")).unwrap_or_default();
        text.lines().any(|line| line.strip_prefix("tries=").is_some_and(|tries| tries != "0"))
    }

    /// Puts a version in place and makes it the one that starts next.
    pub fn switch(&self, disk: &mut impl Disk, binary: &Path, turn: &Turn, seen: &Seen) -> io::Result<()> {
        self.install(disk, binary, &turn.to)?;
        self.keep(disk, seen)?;
        disk.remove(&self.at("rolled_back"))?;
        disk.remove(&self.at("refused"))?;
        disk.remove(&self.at("starts"))?;
        disk.remove(&self.at("stood"))?;
        self.note(disk, "pending", turn, "tries=0\n")?;
        self.point(disk, &turn.to)?;
        self.ask_for_restart(disk)
    }

    /// Root's ratchet.
    pub fn keep(&self, disk: &mut impl Disk, seen: &Seen) -> io::Result<()> {
        self.write(disk, "ratchet.json", &serde_json::to_vec(seen)?)
    }

    /// The new version has proved itself.
    pub fn commit(&self, disk: &mut impl Disk) -> io::Result<()> {
        let Some(turn) = self.pending() else { return Ok(()) };
        self.note(disk, "previous", &turn, "")?;
        if let Some(lone) = &self.copy {
            self.lay(disk, &turn.to, lone)?;
        }
        disk.remove(&self.at("pending"))?;
        disk.sync(&self.root)?;
        self.prune(disk, &[&turn.from, &turn.to])
    }

    /// Back to the version before the last switch.
    pub fn back(&self, disk: &mut impl Disk, reason: &str) -> Result<Turn, UpdateError> {
        let pending = self.pending();
        let is_pending = pending.is_some();
        let Some(turn) = pending.or_else(|| self.previous()) else {
            return Err(UpdateError::not_now("there is no version to go back to", "the one before the last update is kept, no older one"));
        };
        let turn = Turn { reason: reason.to_owned(), ..turn };
        if !is_executable(&self.binary(&turn.from)) {
            return Err(UpdateError::not_now(format!("version {} is not here any more", turn.from), "install it by hand"));
        }
        let mut done = || -> io::Result<()> {
            self.note(disk, "rolled_back", &turn, "")?;
            self.point(disk, &turn.from)?;
            // One that is not there yet, or that somebody else put there meanwhile, is not this update's to replace.
            if let Some(lone) =
                self.copy.as_ref().filter(|lone| !is_pending || is_same(lone, &self.binary(&turn.to)) || !is_executable(lone))
            {
                self.lay(disk, &turn.from, lone)?;
            }
            disk.remove(&self.at("pending"))?;
            // Of one that never proved itself nothing was kept: the version before still has its own way back.
            if !is_pending || self.is_proved(&turn) {
                disk.remove(&self.at("previous"))?;
            }
            disk.sync(&self.root)?;
            self.ask_for_restart(disk)
        };
        done().map_err(UpdateError::io("switching back in", &self.root))?;
        Ok(turn)
    }

    /// Writes down why nothing was done.
    pub fn refuse(&self, disk: &mut impl Disk, id: &str, why: &str) -> io::Result<()> {
        let why: String = why.chars().filter(|c| !c.is_control()).take(500).collect();
        let turn = Turn { from: String::new(), to: String::new(), id: id.to_owned(), reason: why };
        self.note(disk, "refused", &turn, "")
    }

    fn ask_for_restart(&self, disk: &mut impl Disk) -> io::Result<()> {
        self.write(disk, "restart", b"")
    }

    /// A whole copy under its name, or none.
    fn install(&self, disk: &mut impl Disk, from: &Path, version: &str) -> io::Result<()> {
        let versions = self.at("versions");
        let (fresh, place) = (versions.join(format!(".{version}.new")), versions.join(version));
        disk.remove_dir(&fresh)?;
        disk.make_dir(&fresh)?;
        copy(disk, from, &fresh.join(BINARY))?;
        disk.sync(&fresh)?;
        // One that was taken back may still lie there; nothing runs it.
        disk.remove_dir(&place)?;
        disk.rename(&fresh, &place)?;
        disk.sync(&versions)
    }

    /// Lets `current` name it.
    fn point(&self, disk: &mut impl Disk, version: &str) -> io::Result<()> {
        let fresh = self.at("current.new");
        disk.remove(&fresh)?;
        disk.link(&Path::new("versions").join(version), &fresh)?;
        disk.rename(&fresh, &self.at("current"))?;
        disk.sync(&self.root)
    }

    /// Lays a version in the place of the lone file.
    fn lay(&self, disk: &mut impl Disk, version: &str, lone: &Path) -> io::Result<()> {
        let Some(dir) = lone.parent().filter(|_| !is_same(lone, &self.binary(version))) else { return Ok(()) };
        let fresh = dir.join(format!(".{BINARY}.new"));
        disk.remove(&fresh)?;
        copy(disk, &self.binary(version), &fresh)?;
        disk.rename(&fresh, lone)?;
        disk.sync(dir)
    }

    fn note(&self, disk: &mut impl Disk, name: &str, turn: &Turn, more: &str) -> io::Result<()> {
        let Turn { from, to, id, reason } = turn;
        self.write(disk, name, format!("from={from}\nto={to}\n{more}id={id}\nreason={reason}\n").as_bytes())
    }

    /// All of a file or what was there before.
    fn write(&self, disk: &mut impl Disk, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (fresh, place) = (self.at(&format!("{name}.new")), self.at(name));
        disk.remove(&fresh)?;
        disk.append(&fresh, bytes)?;
        disk.sync(&fresh)?;
        disk.rename(&fresh, &place)?;
        disk.sync(&self.root)
    }

    fn prune(&self, disk: &mut impl Disk, keep: &[&str]) -> io::Result<()> {
        for entry in fs::read_dir(self.at("versions"))?.flatten() {
            if !keep.iter().any(|kept| entry.file_name() == **kept) {
                disk.remove_dir(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// Whether two files have the same bytes; not, where one cannot be read.
fn is_same(one: &Path, other: &Path) -> bool {
    let compared = || -> io::Result<bool> {
        let (one, other) = (fs::File::open(one)?, fs::File::open(other)?);
        if one.metadata()?.len() != other.metadata()?.len() {
            return Ok(false);
        }
        let (mut one, mut other) = (BufReader::with_capacity(PIECE, one), BufReader::with_capacity(PIECE, other));
        loop {
            let (left, right) = (one.fill_buf()?, other.fill_buf()?);
            let both = left.len().min(right.len());
            if left[..both] != right[..both] {
                return Ok(false);
            }
            if both == 0 {
                return Ok(left.len() == right.len());
            }
            one.consume(both);
            other.consume(both);
        }
    };
    compared().unwrap_or(false)
}

/// All of an executable, on the disk when it returns.
fn copy(disk: &mut impl Disk, from: &Path, to: &Path) -> io::Result<()> {
    let mut source = fs::File::open(from)?;
    let mut piece = vec![0; PIECE];
    loop {
        match source.read(&mut piece)? {
            0 => break,
            read => disk.append(to, &piece[..read])?,
        }
    }
    disk.set_mode(to, 0o755)?;
    disk.sync(to)
}

/// Whether the system would start it here: machine code for this machine, or a script that names its interpreter. Of anything else
/// `exec` of a C library and of a shell makes commands for a shell (`execvp(3)`, `ENOEXEC`).
pub fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let has_bit = fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    has_bit && head(path).is_ok_and(|head| head.starts_with(b"#!") || (head.starts_with(b"\x7fELF") && is_for_this_machine(&head)))
}

/// Word size, byte order and machine of an ELF file are those of this process.
fn is_for_this_machine(one: &[u8]) -> bool {
    // Where nobody knows, the start will tell.
    let Ok(ours) = head(Path::new("/proc/self/exe")) else { return true };
    [4..6, 18..20].into_iter().all(|at| one.get(at.clone()) == ours.get(at))
}

/// The first bytes of a file, up to the machine of an ELF header.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    fs::File::open(path)?.take(20).read_to_end(&mut head)?;
    Ok(head)
}
