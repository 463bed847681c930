//! Files of a router over SFTP, version 3: list, read, write, remove. The few packets this takes are in `packet`.
//!
//! Names: RouterOS imports an uploaded `*.auto.rsc` at once, as commands, so no such name is ever written; steps up a path
//! and control characters are refused everywhere. Sizes are bounded, in both directions.
//!
//! Source: draft-ietf-secsh-filexfer-02, <https://help.mikrotik.com/docs/spaces/ROS/pages/132350014/SSH>

mod packet;

use crate::routeros::fault::RouterError;
use crate::routeros::ssh::client::{Running, Ssh};
use packet::{
    CLOSE, DATA, FOR_READING, FOR_WRITING, Fields, HANDLE, INIT, NAME, OPEN, OPENDIR, Packet, READ, READDIR, REMOVE, STATUS, VERSION,
    WRITE, garbled, status,
};
use russh::{ChannelMsg, ChannelReadHalf};
use std::time::Duration;

/// Bytes asked for or sent at once; every server takes 32 kB.
const PIECE: u32 = 32 * 1024;
/// Longest packet taken.
const MAX_PACKET_BYTES: usize = 256 * 1024;
/// Most files listed of one directory.
const MAX_FILES: usize = 10_000;
/// Longest path.
const MAX_PATH_BYTES: usize = 255;

/// One file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Without its directory. What is no UTF-8 in it is repaired, so it may not name the file any more.
    pub name: String,
    /// Bytes, if the server says.
    pub size: Option<u64>,
    /// If the server says.
    pub is_directory: Option<bool>,
}

impl Ssh {
    /// The files of a directory (`/` or `flash`), without `.` and `..`.
    pub async fn files(&self, directory: &str, within: Duration) -> Result<Vec<File>, RouterError> {
        check_path(directory)?;
        self.bounded(async { self.sftp().await?.list(directory).await }, within).await
    }

    /// A file's bytes. Errs with `NotFound`, and `TooLarge` beyond `max_bytes`.
    pub async fn download(&self, path: &str, max_bytes: usize, within: Duration) -> Result<Vec<u8>, RouterError> {
        check_path(path)?;
        self.bounded(async { self.sftp().await?.read(path, max_bytes).await }, within).await
    }

    /// Writes a file anew. The caller bounds the size: flash is small.
    ///
    /// # Errors
    /// [`RouterError::Argument`] for a name the router would run; [`RouterError::LostAnswer`] when it may be written in part.
    pub async fn upload(&self, path: &str, bytes: &[u8], within: Duration) -> Result<(), RouterError> {
        check_path(path)?;
        check_upload(path)?;
        let lost = |error| match error {
            RouterError::Unreachable { at, why } => RouterError::LostAnswer { at, why },
            error @ RouterError::Timeout { .. } => RouterError::LostAnswer { at: self.at().to_owned(), why: error.to_string() },
            other => other,
        };
        self.bounded(async { self.sftp().await?.write(path, bytes).await }, within).await.map_err(lost)
    }

    /// Removes a file. Errs with `NotFound` when there is none.
    pub async fn remove_file(&self, path: &str, within: Duration) -> Result<(), RouterError> {
        check_path(path)?;
        self.bounded(async { self.sftp().await?.remove(path).await }, within).await
    }

    async fn sftp(&self) -> Result<Sftp<'_>, RouterError> {
        let (read, running) = self.open().await?;
        running.channel().request_subsystem(true, "sftp").await.map_err(|_| self.cut_off())?;
        let mut sftp = Sftp { ssh: self, read, running, buffer: Vec::new(), next: 0 };
        sftp.send(Packet::bare(INIT).number(3)).await?;
        let (kind, _) = sftp.packet().await?;
        if kind == VERSION { Ok(sftp) } else { Err(garbled()) }
    }
}

/// # Errors
/// [`RouterError::Argument`] for what is no plain path.
fn check_path(path: &str) -> Result<(), RouterError> {
    let climbs = path.split(['/', '\\']).any(|part| part == "..");
    if path.is_empty() || path.len() > MAX_PATH_BYTES || climbs || path.chars().any(char::is_control) {
        let why = format!("a file's path has 1 to {MAX_PATH_BYTES} bytes, no `..` and no control characters");
        return Err(RouterError::argument(why));
    }
    Ok(())
}

/// # Errors
/// [`RouterError::Argument`] for `*.auto.rsc` in any spelling: RouterOS would run it.
fn check_upload(path: &str) -> Result<(), RouterError> {
    // Blanks, dots and slashes at the end could be dropped by whatever stores it.
    let name = path.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '/' | '\\')).to_lowercase();
    if name.ends_with(".auto.rsc") || name.contains(".auto.rsc/") {
        return Err(RouterError::argument("a file named *.auto.rsc would be run by the router the moment it is written"));
    }
    if path.ends_with(['/', '\\']) {
        return Err(RouterError::argument("a file's path ends with its name"));
    }
    Ok(())
}

/// A subsystem that is running; requests go one by one.
struct Sftp<'a> {
    ssh: &'a Ssh,
    read: ChannelReadHalf,
    running: Running,
    buffer: Vec<u8>,
    next: u32,
}

impl Sftp<'_> {
    async fn list(mut self, directory: &str) -> Result<Vec<File>, RouterError> {
        let handle = self.handle(OPENDIR, |packet| packet.text(directory.as_bytes())).await?;
        let mut files = Vec::new();
        loop {
            let (kind, body) = self.ask(READDIR, |packet| packet.text(&handle)).await?;
            let mut fields = Fields(&body);
            match kind {
                NAME => {
                    for _ in 0..fields.number()? {
                        let name = String::from_utf8_lossy(fields.text()?).into_owned();
                        fields.text()?;
                        let (size, is_directory) = fields.attributes()?;
                        if !matches!(name.as_str(), "." | "..") {
                            files.push(File { name, size, is_directory });
                        }
                    }
                    if files.len() > MAX_FILES {
                        return Err(RouterError::TooLarge { limit: MAX_FILES });
                    }
                }
                STATUS => match status(self.ssh.at(), &mut fields)? {
                    None => break,
                    Some(()) => return Err(garbled()),
                },
                _ => return Err(garbled()),
            }
        }
        self.close(&handle).await?;
        Ok(files)
    }

    async fn read(mut self, path: &str, max_bytes: usize) -> Result<Vec<u8>, RouterError> {
        let handle = self.handle(OPEN, |packet| packet.text(path.as_bytes()).number(FOR_READING).number(0)).await?;
        let mut bytes = Vec::new();
        loop {
            let offset = bytes.len() as u64;
            let (kind, body) = self.ask(READ, |packet| packet.text(&handle).long(offset).number(PIECE)).await?;
            let mut fields = Fields(&body);
            match kind {
                DATA => {
                    let piece = fields.text()?;
                    if bytes.len() + piece.len() > max_bytes {
                        return Err(RouterError::TooLarge { limit: max_bytes });
                    }
                    if piece.is_empty() {
                        break;
                    }
                    bytes.extend_from_slice(piece);
                }
                STATUS => match status(self.ssh.at(), &mut fields)? {
                    None => break,
                    Some(()) => return Err(garbled()),
                },
                _ => return Err(garbled()),
            }
        }
        self.close(&handle).await?;
        Ok(bytes)
    }

    async fn write(mut self, path: &str, bytes: &[u8]) -> Result<(), RouterError> {
        let handle = self.handle(OPEN, |packet| packet.text(path.as_bytes()).number(FOR_WRITING).number(0)).await?;
        for (n, piece) in bytes.chunks(PIECE as usize).enumerate() {
            let offset = n as u64 * u64::from(PIECE);
            self.done(WRITE, |packet| packet.text(&handle).long(offset).text(piece)).await?;
        }
        self.close(&handle).await
    }

    async fn remove(mut self, path: &str) -> Result<(), RouterError> {
        self.done(REMOVE, |packet| packet.text(path.as_bytes())).await
    }

    async fn close(&mut self, handle: &[u8]) -> Result<(), RouterError> {
        self.done(CLOSE, |packet| packet.text(handle)).await
    }

    async fn handle(&mut self, kind: u8, fill: impl FnOnce(Packet) -> Packet) -> Result<Vec<u8>, RouterError> {
        let (kind, body) = self.ask(kind, fill).await?;
        let mut fields = Fields(&body);
        match kind {
            HANDLE => Ok(fields.text()?.to_vec()),
            STATUS => Err(status(self.ssh.at(), &mut fields).err().unwrap_or_else(garbled)),
            _ => Err(garbled()),
        }
    }

    async fn done(&mut self, kind: u8, fill: impl FnOnce(Packet) -> Packet) -> Result<(), RouterError> {
        match self.ask(kind, fill).await? {
            (STATUS, body) => status(self.ssh.at(), &mut Fields(&body))?.ok_or_else(garbled),
            _ => Err(garbled()),
        }
    }

    /// One request and the answer to it.
    async fn ask(&mut self, kind: u8, fill: impl FnOnce(Packet) -> Packet) -> Result<(u8, Vec<u8>), RouterError> {
        self.next += 1;
        let id = self.next;
        self.send(fill(Packet::bare(kind).number(id))).await?;
        let (kind, body) = self.packet().await?;
        let mut fields = Fields(&body);
        if fields.number()? != id {
            return Err(garbled());
        }
        Ok((kind, fields.0.to_vec()))
    }

    async fn send(&mut self, packet: Packet) -> Result<(), RouterError> {
        self.running.channel().data_bytes(packet.finish()).await.map_err(|_| self.ssh.cut_off())
    }

    async fn packet(&mut self) -> Result<(u8, Vec<u8>), RouterError> {
        loop {
            if let Some(length) = self.buffer.first_chunk::<4>().map(|head| u32::from_be_bytes(*head) as usize) {
                if length == 0 || length > MAX_PACKET_BYTES {
                    return Err(garbled());
                }
                if self.buffer.len() >= 4 + length {
                    let body = self.buffer[5..4 + length].to_vec();
                    let kind = self.buffer[4];
                    self.buffer.drain(..4 + length);
                    return Ok((kind, body));
                }
            }
            match self.read.wait().await {
                Some(ChannelMsg::Data { data }) => self.buffer.extend_from_slice(&data),
                Some(ChannelMsg::Failure) => return Err(self.ssh.denied()),
                None | Some(ChannelMsg::Close | ChannelMsg::Eof) => return Err(self.ssh.cut_off()),
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_a_name_the_router_would_run_is_written() {
        for bad in [
            "x.auto.rsc",
            "X.AUTO.RSC",
            "flash/y.Auto.Rsc",
            "a.auto.rsc.",
            "a.auto.rsc ",
            "a.auto.rsc/",
            "a.auto.rsc/b.txt",
            ".auto.rsc",
            "dir/",
        ] {
            assert!(check_upload(bad).is_err(), "{bad}");
        }
        for good in ["x.rsc", "auto.rsc", "flash/backup.backup", "x.auto.rsc.txt", "my auto.rsc"] {
            assert!(check_upload(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn paths_do_not_climb() {
        for bad in ["", "..", "../x", "a/../b", "a\\..\\b", "a\0b", "a\nb", &"x".repeat(256)] {
            assert!(check_path(bad).is_err(), "{bad:?}");
        }
        for good in ["/", "flash/x.rsc", "a..b", "скрипт.rsc", "a b"] {
            assert!(check_path(good).is_ok(), "{good}");
        }
    }
}
