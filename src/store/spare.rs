//! A file that takes no writes, as something that can be opened: what is written stays in memory and is gone with it.
//!
//! redb writes a few bytes into a file when it opens it. On a disk that is full, broken or read-only it could not be opened at all, not
//! even to be read.

use redb::StorageBackend;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Reads from the file below, and what was written since over it.
#[derive(Debug)]
pub(crate) struct Spare<B> {
    below: B,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    len: u64,
    /// How much of the file below is still seen.
    seen: u64,
    /// Oldest first. Opening writes a handful.
    written: Vec<(u64, Vec<u8>)>,
}

impl<B: StorageBackend> Spare<B> {
    pub(crate) fn over(below: B) -> io::Result<Spare<B>> {
        let len = below.len()?;
        Ok(Spare { below, state: Mutex::new(State { len, seen: len, written: Vec::new() }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: StorageBackend> StorageBackend for Spare<B> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let end = offset + out.len() as u64;
        if end > state.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.fill(0);
        if offset < state.seen {
            let here = (state.seen.min(end) - offset) as usize;
            self.below.read(offset, &mut out[..here])?;
        }
        for (at, bytes) in &state.written {
            let (from, to) = (offset.max(*at), end.min(at + bytes.len() as u64));
            if from < to {
                let piece = &bytes[(from - at) as usize..(to - at) as usize];
                out[(from - offset) as usize..(to - offset) as usize].copy_from_slice(piece);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.seen = state.seen.min(len);
        state.written.retain_mut(|(at, bytes)| {
            bytes.truncate(len.saturating_sub(*at) as usize);
            !bytes.is_empty()
        });
        state.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.len = state.len.max(offset + data.len() as u64);
        state.written.push((offset, data.to_vec()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::backends::InMemoryBackend;

    #[test]
    fn what_is_written_is_read_back_and_never_reaches_the_file() {
        let file = InMemoryBackend::new();
        file.set_len(8).unwrap();
        file.write(0, b"abcdefgh").unwrap();
        let spare = Spare::over(file).unwrap();
        spare.write(2, b"XY").unwrap();
        spare.write(3, b"Z").unwrap();
        spare.set_len(6).unwrap();
        spare.set_len(10).unwrap();
        spare.write(8, b"!").unwrap();
        let mut seen = [0; 10];
        spare.read(0, &mut seen).unwrap();
        assert_eq!(&seen, b"abXZef\0\0!\0");
        assert!(spare.read(5, &mut [0; 6]).is_err(), "past its end");
        let mut below = [0; 8];
        spare.below.read(0, &mut below).unwrap();
        assert_eq!(&below, b"abcdefgh");
    }
}
