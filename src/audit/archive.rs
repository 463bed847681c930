//! Archives: segments that are older than the operator keeps, each compressed in a file of its own beside the trail.
//!
//! ```text
//! archive/00000003.seg.gz = gzip of 00000003.seg, byte for byte (`gzip -dc` gives it back); its comment field is the label
//! label                   = JSON: which records, SHA-256 of the segment, hash before its first and of its last record, signature
//! signed text             = "routeros-mcp audit archive v1\nSEGMENT\nFIRST\nLAST\nBEFORE\nHASH\nBYTES\nSHA256\nNEWEST\n"
//! ```
//! The signature is by the box's own key, the one exports are signed with. Nobody here ever removes an archive.
//!
//! Source: RFC 1952 (gzip), section 2.3.1 for the comment.

use crate::audit::chain::{Frame, NoFrame};
use crate::audit::error::AuditError;
use crate::audit::record;
use crate::audit::segment::{self, Reader};
use crate::audit::sign;
use crate::base::clock::Wall;
use crate::base::ids::hex;
use crate::host::files;
use crate::store::sync_parent;
use flate2::bufread::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::fs::{DirBuilder, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Label {
    /// The segment's number.
    pub segment: u64,
    /// Its first record.
    pub first_seq: u64,
    /// Its last record.
    pub last_seq: u64,
    /// The hash of the record before its first, in hexadecimal.
    pub before: String,
    /// The hash of its last record.
    pub hash: String,
    /// The newest time in it, RFC 3339; for people.
    pub newest: String,
    /// Bytes of the segment.
    pub bytes: u64,
    /// SHA-256 of the segment.
    pub sha256: String,
    /// `ed25519`.
    pub algorithm: String,
    /// The public key in hexadecimal.
    pub public_key: String,
    /// The signature in hexadecimal.
    pub signature: String,
}

impl Label {
    /// Which records they are.
    fn of(&self) -> String {
        let Label { segment, first_seq, last_seq, before, hash, bytes, sha256, .. } = self;
        format!("{segment}\n{first_seq}\n{last_seq}\n{before}\n{hash}\n{bytes}\n{sha256}\n")
    }

    fn text(&self) -> String {
        format!("routeros-mcp audit archive v1\n{}{}\n", self.of(), self.newest)
    }

    /// Whether the signature is by the key it names. Whose key that is, the caller must know.
    pub fn is_signed(&self) -> bool {
        self.algorithm == sign::ED25519_WORD && sign::is_by(&self.public_key, &self.text(), &self.signature)
    }

    /// How many records.
    pub fn records(&self) -> u64 {
        (self.last_seq + 1).saturating_sub(self.first_seq)
    }

    /// Signed or not, the same records.
    fn is_of(&self, other: &Label) -> bool {
        self.of() == other.of()
    }
}

/// Directory of archives of a trail.
pub fn place(dir: &Path) -> PathBuf {
    dir.join("archive")
}

/// An archive's file.
pub(crate) fn path(dir: &Path, number: u64) -> PathBuf {
    place(dir).join(format!("{number:08}.seg.gz"))
}

/// The archives beside a trail by number, in order.
pub fn list(dir: &Path) -> Result<Vec<u64>, AuditError> {
    let failed = AuditError::io("listing the archives");
    let entries = match std::fs::read_dir(place(dir)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(&failed)?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(&failed)?.file_name();
        numbers.extend(name.to_str().and_then(|n| n.strip_suffix(".seg.gz")).and_then(|n| n.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Whether an archive's bytes are not what was compressed.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

/// The segment that was archived.
pub(crate) fn reader(dir: &Path, number: u64) -> Result<Reader, AuditError> {
    let opened = File::open(path(dir, number)).and_then(|file| Reader::on(Box::new(unpacked(file))));
    opened.map_err(|error| unreadable("reading an archive", 1, number, error))
}

/// All that `gzip -dc` gives, so that nothing can be put behind what was archived.
fn unpacked(file: File) -> MultiGzDecoder<BufReader<File>> {
    MultiGzDecoder::new(BufReader::new(file))
}

/// Bytes that are not what was written, or a disk that does not give them.
fn unreadable(reading: &'static str, seq: u64, number: u64, error: io::Error) -> AuditError {
    if is_damage(&error) {
        AuditError::broken(seq, format!("it cannot be read in segment {number}"))
    } else {
        AuditError::io(reading)(error)
    }
}

/// What stands in a segment, wherever its bytes come from.
pub(crate) struct Survey {
    pub(crate) label: Label,
    /// The newest time that can be true.
    pub(crate) newest: Option<Wall>,
    /// The time of the last record.
    pub(crate) last: Option<Wall>,
}

/// Reads a whole segment and checks each link within it. `until`: later times cannot be true.
pub(crate) fn survey(
    number: u64,
    bytes: Box<dyn Read>,
    until: Wall,
    each: &mut dyn FnMut(&Frame) -> Result<(), AuditError>,
) -> Result<Survey, AuditError> {
    const READING: &str = "reading a segment";
    let tap = Rc::new(RefCell::new((ring::digest::Context::new(&ring::digest::SHA256), 0_u64)));
    let mut reader = Reader::on(Box::new(Tap { bytes, tap: tap.clone() })).map_err(|error| unreadable(READING, 1, number, error))?;
    let header = reader.header.filter(|header| header.number == number);
    let before = header.ok_or_else(|| AuditError::broken(1, format!("segment {number} does not begin as it was written")))?.before;
    let (mut head, mut newest, mut last) = (before, None, None);
    loop {
        match reader.frame() {
            Ok((_, frame)) => {
                head.follow(&frame).map_err(|_| AuditError::broken(frame.seq, format!("it does not follow in segment {number}")))?;
                let time = record::time(&frame.payload);
                newest = newest.max(time.filter(|time| time.is_plausible() && *time <= until));
                last = time;
                each(&frame)?;
            }
            Err(NoFrame::End) => break,
            Err(NoFrame::Io(e)) => return Err(unreadable(READING, head.seq + 1, number, e)),
            Err(_) => return Err(AuditError::broken(head.seq + 1, format!("it cannot be read in segment {number}"))),
        }
    }
    drop(reader);
    let (digest, bytes) = Rc::into_inner(tap).map(RefCell::into_inner).ok_or(AuditError::Closed)?;
    let label = Label {
        segment: number,
        first_seq: before.seq + 1,
        last_seq: head.seq,
        before: hex(&before.hash),
        hash: hex(&head.hash),
        newest: newest.map(Wall::rfc3339).unwrap_or_default(),
        bytes,
        sha256: hex(digest.finish().as_ref()),
        ..Label::default()
    };
    Ok(Survey { label, newest, last })
}

/// Counts and hashes what is read through it.
struct Tap {
    bytes: Box<dyn Read>,
    tap: Rc<RefCell<(ring::digest::Context, u64)>>,
}

impl Read for Tap {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(into)?;
        let mut tap = self.tap.borrow_mut();
        tap.0.update(&into[..n]);
        tap.1 += n as u64;
        Ok(n)
    }
}

/// Opens an archive, checks it against its own label, and gives each record to `each`. Its signature is for the caller to judge.
///
/// Errs with `Broken` when it is not what was archived.
pub(crate) fn open(path: &Path, each: &mut dyn FnMut(&Frame) -> Result<(), AuditError>) -> Result<Label, AuditError> {
    const READING: &str = "reading an archive";
    let file = File::open(path).map_err(AuditError::io(READING))?;
    let decoder = unpacked(file);
    let comment = decoder.header().and_then(|header| header.comment()).unwrap_or_default();
    let label: Label =
        serde_json::from_slice(comment).map_err(|_| AuditError::broken(1, format!("{} is no archive of ours", path.display())))?;
    let found = survey(label.segment, Box::new(decoder), Wall(i64::MAX), each)?.label;
    if found.is_of(&label) { Ok(label) } else { Err(AuditError::broken(label.first_seq, "the archive is not what its label says")) }
}

/// Checks an archive on its own: that it is what its label says, and signed. Answers the label.
///
/// Errs with `Broken` otherwise.
pub fn verify_archive(path: &Path) -> Result<Label, AuditError> {
    let label = open(path, &mut |_| Ok(()))?;
    if label.is_signed() {
        Ok(label)
    } else {
        Err(AuditError::broken(label.first_seq, "the signature of the archive is not by the key it names"))
    }
}

/// What changes files; in tests something that is cut off.
pub(crate) trait Hands: Send + Sync {
    /// Makes a file (mode 0600) with what `fill` writes, on the disk when it returns.
    fn write(&self, path: &Path, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()>;
    /// Gives it its name, for good when it returns.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes it, for good when it returns.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The real ones.
pub(crate) struct Real;

impl Hands for Real {
    fn write(&self, path: &Path, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut file = BufWriter::new(files::unlinked().write(true).create(true).truncate(true).mode(0o600).open(path)?);
        fill(&mut file)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)?;
        sync_parent(to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)?;
        sync_parent(path)
    }
}

/// Archives a segment; the segment stays. What was written is read back before it has its name. One that is there already is
/// taken, if it holds the same.
pub(crate) fn make(dir: &Path, survey: &Survey, key: &[u8], hands: &dyn Hands) -> Result<Label, AuditError> {
    const MAKING: &str = "making an archive";
    let to = path(dir, survey.label.segment);
    if to.exists() {
        let there = verify_archive(&to)?;
        let said = || AuditError::broken(there.first_seq, format!("{} holds other records: move it away", to.display()));
        return if there.is_of(&survey.label) { Ok(there) } else { Err(said()) };
    }
    let mut label = survey.label.clone();
    label.algorithm = sign::ED25519_WORD.into();
    (label.public_key, label.signature) = sign::sign(key, &label.text())?;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(place(dir)).and_then(|()| sync_parent(&place(dir)));
    made.map_err(AuditError::io(MAKING))?;
    let part = to.with_extension("part");
    let mut fill = |into: &mut dyn Write| {
        let name = format!("{:08}.seg", label.segment);
        let comment = serde_json::to_vec(&label)?;
        let mut squeezed = GzBuilder::new().filename(name).comment(comment).write(into, Compression::default());
        io::copy(&mut File::open(segment::path(dir, label.segment))?, &mut squeezed)?;
        squeezed.finish().map(drop)
    };
    if let Err(error) = hands.write(&part, &mut fill) {
        // A full disk: half an archive helps nobody.
        let _ = std::fs::remove_file(&part);
        return Err(AuditError::io(MAKING)(error));
    }
    let back = verify_archive(&part)?;
    if back != label {
        return Err(AuditError::broken(label.first_seq, "the archive does not read back as it was written"));
    }
    hands.rename(&part, &to).map_err(AuditError::io(MAKING))?;
    Ok(label)
}

/// How much room archives take, and how many there are.
pub fn size(dir: &Path) -> Result<(u64, u64), AuditError> {
    let numbers = list(dir)?;
    let bytes = numbers.iter().filter_map(|number| std::fs::metadata(path(dir, *number)).ok()).map(|meta| meta.len()).sum();
    Ok((numbers.len() as u64, bytes))
}
