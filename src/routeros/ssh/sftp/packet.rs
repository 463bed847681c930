//! Packets of SFTP, version 3: put together, and taken apart without believing their lengths.

use crate::routeros::fault::{Denial, RouterError, spoken};

pub(super) const INIT: u8 = 1;
pub(super) const VERSION: u8 = 2;
pub(super) const OPEN: u8 = 3;
pub(super) const CLOSE: u8 = 4;
pub(super) const READ: u8 = 5;
pub(super) const WRITE: u8 = 6;
pub(super) const OPENDIR: u8 = 11;
pub(super) const READDIR: u8 = 12;
pub(super) const REMOVE: u8 = 13;
pub(super) const STATUS: u8 = 101;
pub(super) const HANDLE: u8 = 102;
pub(super) const DATA: u8 = 103;
pub(super) const NAME: u8 = 104;

pub(super) const FOR_READING: u32 = 1;
/// Write, create, truncate.
pub(super) const FOR_WRITING: u32 = 2 | 8 | 16;

pub(super) fn garbled() -> RouterError {
    RouterError::Garbage { why: "no SFTP answer to what was asked".into() }
}

/// One packet under construction: length, kind, and what follows.
pub(super) struct Packet(Vec<u8>);

impl Packet {
    pub(super) fn bare(kind: u8) -> Self {
        Packet(vec![0, 0, 0, 0, kind])
    }

    pub(super) fn number(mut self, n: u32) -> Self {
        self.0.extend_from_slice(&n.to_be_bytes());
        self
    }

    pub(super) fn long(mut self, n: u64) -> Self {
        self.0.extend_from_slice(&n.to_be_bytes());
        self
    }

    pub(super) fn text(self, bytes: &[u8]) -> Self {
        let mut with = self.number(bytes.len() as u32);
        with.0.extend_from_slice(bytes);
        with
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let length = (self.0.len() - 4) as u32;
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}

/// What is left of a packet that came.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], RouterError> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or_else(garbled)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn number(&mut self) -> Result<u32, RouterError> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().map_err(|_| garbled())?))
    }

    fn long(&mut self) -> Result<u64, RouterError> {
        Ok(u64::from_be_bytes(self.take(8)?.try_into().map_err(|_| garbled())?))
    }

    pub(super) fn text(&mut self) -> Result<&'a [u8], RouterError> {
        let length = self.number()? as usize;
        self.take(length)
    }

    /// Size and whether it is a directory, of a file's attributes.
    pub(super) fn attributes(&mut self) -> Result<(Option<u64>, Option<bool>), RouterError> {
        const S_IFMT: u32 = 0o170_000;
        const S_IFDIR: u32 = 0o040_000;
        let flags = self.number()?;
        let size = if flags & 1 != 0 { Some(self.long()?) } else { None };
        if flags & 2 != 0 {
            self.take(8)?;
        }
        let mode = if flags & 4 != 0 { Some(self.number()?) } else { None };
        if flags & 8 != 0 {
            self.take(8)?;
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..self.number()? {
                self.text()?;
                self.text()?;
            }
        }
        Ok((size, mode.filter(|mode| mode & S_IFMT != 0).map(|mode| mode & S_IFMT == S_IFDIR)))
    }
}

/// What a server's status means; `None` is the end of a file or list.
pub(super) fn status(at: &str, fields: &mut Fields<'_>) -> Result<Option<()>, RouterError> {
    let code = fields.number()?;
    let words = fields.text().map(|text| spoken(&String::from_utf8_lossy(text))).unwrap_or_default();
    match code {
        0 => Ok(Some(())),
        1 => Ok(None),
        2 => Err(RouterError::NotFound),
        3 => Err(RouterError::Denied { at: at.into(), denial: Denial::Policy }),
        code => Err(RouterError::Rejected { status: 400, detail: if words.is_empty() { format!("SFTP status {code}") } else { words } }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_any_shape_are_read_and_short_ones_refused() {
        let whole = Packet(Vec::new()).number(1 | 2 | 4 | 8).long(7).number(1).number(1).number(0o040_755).number(0).number(0);
        assert_eq!(Fields(&whole.0).attributes().unwrap(), (Some(7), Some(true)));
        assert_eq!(Fields(&Packet(Vec::new()).number(0).0).attributes().unwrap(), (None, None));
        for cut in 0..whole.0.len() {
            assert!(Fields(&whole.0[..cut]).attributes().is_err(), "{cut}");
        }
        let endless = Packet(Vec::new()).number(0x8000_0000).number(u32::MAX);
        assert!(Fields(&endless.0).attributes().is_err());
    }
}
