//! Segment files and the head file beside them.
//!
//! ```text
//! 00000001.seg  = "RMCPAUD1" | number u64 | first seq u64 | previous hash [32] | crc32c u32 | frames …
//! head          = "SEQ(20 digits) HASH(64 hex)\n": the last record known to be on the disk, written after each flush
//! archive/…     = segments that are older than the operator keeps (`archive.rs`)
//! *.torn        = what a crash left half-written, kept as evidence
//! ```
//! The head may lag behind the records (it is not flushed with them) but never runs ahead, so a trail that ends
//! before its head has lost records, and what a crash tore always lies after it.

use crate::audit::chain::{Frame, Hash, Head, NoFrame};
use crate::audit::error::AuditError;
use crate::base::ids::hex;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"RMCPAUD1";
/// Bytes before the first frame.
pub(crate) const HEADER_BYTES: u64 = 60;
/// The head file's name.
pub(crate) const HEAD: &str = "head";
const HEAD_BYTES: usize = 86;

/// How a segment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u64,
    /// Where the chain stood before its first record.
    pub(crate) before: Head,
}

impl Header {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.number.to_le_bytes());
        bytes.extend((self.before.seq + 1).to_le_bytes());
        bytes.extend(self.before.hash);
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    fn parse(bytes: &[u8; HEADER_BYTES as usize]) -> Option<Header> {
        let (content, check) = bytes.split_last_chunk::<4>()?;
        let number = u64::from_le_bytes(content[8..16].try_into().ok()?);
        let first = u64::from_le_bytes(content[16..24].try_into().ok()?);
        let hash: Hash = content[24..].try_into().ok()?;
        let whole = crc32c::crc32c(content) == u32::from_le_bytes(*check) && content.starts_with(MAGIC);
        whole.then_some(Header { number, before: Head { seq: first.checked_sub(1)?, hash } })
    }
}

/// A segment's file.
pub(crate) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:08}.seg"))
}

/// The segments of a directory by number, in order.
pub(crate) fn list(dir: &Path) -> Result<Vec<u64>, AuditError> {
    let failed = AuditError::io("listing the segments");
    let mut numbers = Vec::new();
    let entries = match std::fs::read_dir(dir) {
        // Nothing was ever recorded here.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(numbers),
        entries => entries.map_err(&failed)?,
    };
    for entry in entries {
        let name = entry.map_err(&failed)?.file_name();
        if let Some(number) = name.to_str().and_then(|n| n.strip_suffix(".seg")) {
            numbers.extend(number.parse::<u64>().ok());
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads a segment from its first frame on.
pub(crate) struct Reader {
    /// `None` when the header is cut short or damaged; there are no frames then.
    pub(crate) header: Option<Header>,
    /// Where the next frame begins.
    pub(crate) offset: u64,
    file: BufReader<Box<dyn Read>>,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> io::Result<Reader> {
        Reader::on(Box::new(File::open(path)?))
    }

    /// Over the bytes of a segment, wherever they come from.
    pub(crate) fn on(bytes: Box<dyn Read>) -> io::Result<Reader> {
        let mut file = BufReader::with_capacity(64 << 10, bytes);
        let mut bytes = [0; HEADER_BYTES as usize];
        let header = match file.read_exact(&mut bytes) {
            Ok(()) => Header::parse(&bytes),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(e) => return Err(e),
        };
        Ok(Reader { header, offset: HEADER_BYTES, file })
    }

    /// The next frame and where it begins. After an error nothing more can be read.
    pub(crate) fn frame(&mut self) -> Result<(u64, Frame), NoFrame> {
        let frame = Frame::read(&mut self.file)?;
        let at = self.offset;
        self.offset += frame.len();
        Ok((at, frame))
    }
}

/// Reads the frames of one stretch of a segment, as far as they can be read.
pub(crate) fn stretch(path: &Path, from: u64, to: u64) -> io::Result<Vec<Frame>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(to - from).read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    let mut frames = Vec::new();
    while let Ok(frame) = Frame::read(&mut rest) {
        frames.push(frame);
    }
    Ok(frames)
}

/// What the head file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SavedHead {
    /// There is none.
    Missing,
    /// Nothing was written to it yet.
    Empty,
    /// It holds something else.
    Unreadable,
    /// The trail reached at least this record.
    At(Head),
}

impl SavedHead {
    /// The least the trail must reach.
    pub(crate) fn reached(self) -> Head {
        if let SavedHead::At(head) = self { head } else { Head::default() }
    }
}

/// The head file's content.
pub(crate) fn head_line(head: Head) -> String {
    format!("{:020} {}\n", head.seq, hex(&head.hash))
}

/// Reads the head file. Repeats until two looks agree: a writer may be at it, and such reads are not atomic.
pub(crate) fn saved_head(dir: &Path) -> Result<SavedHead, AuditError> {
    let mut seen = look_at_head(dir)?;
    for _ in 0..HEAD_LOOKS {
        let again = look_at_head(dir)?;
        if again == seen {
            break;
        }
        seen = again;
    }
    Ok(seen)
}

/// A writer flushes some hundred times a second at most; a look takes microseconds.
const HEAD_LOOKS: usize = 5;

fn look_at_head(dir: &Path) -> Result<SavedHead, AuditError> {
    let mut line = String::new();
    match File::open(dir.join(HEAD)).and_then(|file| file.take(2 * HEAD_BYTES as u64).read_to_string(&mut line)) {
        Ok(0) => Ok(SavedHead::Empty),
        Ok(_) => Ok(parse_head(&line).map_or(SavedHead::Unreadable, SavedHead::At)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(SavedHead::Missing),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => Ok(SavedHead::Unreadable),
        Err(e) => Err(AuditError::io("reading the head")(e)),
    }
}

fn parse_head(line: &str) -> Option<Head> {
    let (seq, hash) = line.strip_suffix('\n')?.split_once(' ')?;
    let hash = data_encoding::HEXLOWER.decode(hash.as_bytes()).ok()?;
    let head = Head { seq: seq.parse().ok()?, hash: hash.try_into().ok()? };
    // A number can be spelt in other ways; a changed byte is a changed file.
    (head_line(head) == line).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_head_read_back_and_notice_damage() {
        let header = Header { number: 3, before: Head { seq: 41, hash: [5; 32] } };
        let bytes: [u8; HEADER_BYTES as usize] = header.bytes().try_into().unwrap();
        assert_eq!(Header::parse(&bytes), Some(header));
        for at in 0..bytes.len() {
            let mut bad = bytes;
            bad[at] ^= 1;
            assert_eq!(Header::parse(&bad), None, "byte {at}");
        }
        let line = head_line(header.before);
        assert_eq!((line.len(), parse_head(&line)), (HEAD_BYTES, Some(header.before)));
        for changed in [line[..80].to_owned(), line[1..].to_owned(), line.replacen('0', "+", 1)] {
            assert_eq!(parse_head(&changed), None, "{changed}");
        }
    }
}
