//! Frames and the chain through them.
//!
//! ```text
//! frame   = length u32 | crc32c u32 | seq u64 | previous hash [32] | payload [length]      (little endian)
//! crc32c  over seq, previous hash and payload
//! hash    = SHA-256(seq | previous hash | payload); the next frame carries it as previous hash
//! ```
//! Record 1 follows the hash of zeros. The CRC finds what a disk does, the chain what a person does.

use std::io::{self, Read};

/// A link of the chain: the hash of one frame.
pub type Hash = [u8; 32];

/// Bytes before the payload.
pub(crate) const HEAD_BYTES: usize = 48;
/// Largest payload; a record is bounded far below.
pub(crate) const MAX_PAYLOAD: usize = 64 << 10;

/// One record as it stands in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) seq: u64,
    pub(crate) previous: Hash,
    pub(crate) payload: Vec<u8>,
}

/// Why bytes are not a frame.
#[derive(Debug)]
pub(crate) enum NoFrame {
    /// Nothing follows.
    End,
    /// They end in the middle.
    Short,
    /// They are not what was written.
    Wrong(&'static str),
    /// They cannot be read at all.
    Io(io::Error),
}

impl Frame {
    pub(crate) fn hash(&self) -> Hash {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        context.update(&self.seq.to_le_bytes());
        context.update(&self.previous);
        context.update(&self.payload);
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        hash
    }

    /// Bytes in the segment.
    pub(crate) fn len(&self) -> u64 {
        (HEAD_BYTES + self.payload.len()) as u64
    }

    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        to.extend((self.payload.len() as u32).to_le_bytes());
        to.extend(self.crc().to_le_bytes());
        to.extend(self.seq.to_le_bytes());
        to.extend(self.previous);
        to.extend(&self.payload);
    }

    pub(crate) fn read(from: &mut impl Read) -> Result<Frame, NoFrame> {
        let mut head = [0; HEAD_BYTES];
        match fill(from, &mut head)? {
            0 => return Err(NoFrame::End),
            HEAD_BYTES => {}
            _ => return Err(NoFrame::Short),
        }
        let (length, crc) = (u32_at(&head, 0) as usize, u32_at(&head, 4));
        if length > MAX_PAYLOAD {
            return Err(NoFrame::Wrong("its length is impossible"));
        }
        let mut payload = vec![0; length];
        if fill(from, &mut payload)? < length {
            return Err(NoFrame::Short);
        }
        let mut previous = [0; 32];
        previous.copy_from_slice(&head[16..]);
        let seq = u64::from(u32_at(&head, 8)) | u64::from(u32_at(&head, 12)) << 32;
        let frame = Frame { seq, previous, payload };
        if frame.crc() == crc { Ok(frame) } else { Err(NoFrame::Wrong("its checksum does not match")) }
    }

    fn crc(&self) -> u32 {
        let crc = crc32c::crc32c(&self.seq.to_le_bytes());
        let crc = crc32c::crc32c_append(crc, &self.previous);
        crc32c::crc32c_append(crc, &self.payload)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Reads until full or at the end; says how much.
fn fill(from: &mut impl Read, into: &mut [u8]) -> Result<usize, NoFrame> {
    let mut have = 0;
    while have < into.len() {
        match from.read(&mut into[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(NoFrame::Io(e)),
        }
    }
    Ok(have)
}

/// Where the chain stands: the last record, and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The last record; 0 before the first.
    pub seq: u64,
    /// Its hash; zeros before the first.
    pub hash: Hash,
}

impl Head {
    /// Takes the next frame in, or says why it does not follow.
    pub(crate) fn follow(&mut self, frame: &Frame) -> Result<(), Misfit> {
        if frame.seq != self.seq + 1 {
            return Err(Misfit::Sequence);
        }
        if frame.previous != self.hash {
            return Err(Misfit::Previous);
        }
        *self = Head { seq: frame.seq, hash: frame.hash() };
        Ok(())
    }
}

/// How a frame does not follow the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// Another number was due: records were removed or moved.
    Sequence,
    /// It follows another record than the one that stands before it: that one was changed.
    Previous,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_byte_makes_a_frame_unreadable_or_another_one() {
        let frame = Frame { seq: 7, previous: [1; 32], payload: b"what happened".to_vec() };
        let mut good = Vec::new();
        frame.write(&mut good);
        assert_eq!(Frame::read(&mut good.as_slice()).unwrap(), frame);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert!(Frame::read(&mut bad.as_slice()).is_err(), "byte {at}");
            assert!(matches!(Frame::read(&mut &good[..at]), Err(NoFrame::Short | NoFrame::End)), "cut at {at}");
        }
    }
}
