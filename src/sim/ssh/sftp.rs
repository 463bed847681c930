//! Files over SFTP, version 3: list, read, write, remove. A `*.auto.rsc` runs as soon as it is complete.
//!
//! Source: draft-ietf-secsh-filexfer-02.

use crate::sim::agenda;
use crate::sim::console::{Machine, Stop};
use crate::sim::files::{self, FileError};
use crate::sim::live;
use crate::sim::row::{Row, from_bytes, to_bytes};
use crate::sim::shared::Shared;
use crate::sim::world::{Login, World};
use russh::Channel;
use russh::server::Msg;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Largest packet; larger ones end the session.
const PACKET_MAX: u32 = 256 * 1024;
/// Largest file somebody may write.
const FILE_MAX: usize = 32 * 1024 * 1024;
/// Open handles of a session.
const HANDLES_MAX: usize = 64;

/// Kinds of packets.
mod kind {
    pub const INIT: u8 = 1;
    pub const VERSION: u8 = 2;
    pub const OPEN: u8 = 3;
    pub const CLOSE: u8 = 4;
    pub const READ: u8 = 5;
    pub const WRITE: u8 = 6;
    pub const LSTAT: u8 = 7;
    pub const FSTAT: u8 = 8;
    pub const SETSTAT: u8 = 9;
    pub const FSETSTAT: u8 = 10;
    pub const OPENDIR: u8 = 11;
    pub const READDIR: u8 = 12;
    pub const REMOVE: u8 = 13;
    pub const MKDIR: u8 = 14;
    pub const RMDIR: u8 = 15;
    pub const REALPATH: u8 = 16;
    pub const STAT: u8 = 17;
    pub const RENAME: u8 = 18;
    pub const STATUS: u8 = 101;
    pub const HANDLE: u8 = 102;
    pub const DATA: u8 = 103;
    pub const NAME: u8 = 104;
    pub const ATTRS: u8 = 105;
}

/// Codes of a status.
const OK: u32 = 0;
const EOF: u32 = 1;
const NO_FILE: u32 = 2;
const DENIED: u32 = 3;
const FAILURE: u32 = 4;
const UNSUPPORTED: u32 = 8;

/// Something open.
enum Handle {
    File { path: String, bytes: Vec<u8>, writes: bool },
    Folder { names: Vec<(String, Row)> },
}

struct Files {
    shared: Arc<Shared>,
    login: Login,
    handles: HashMap<u32, Handle>,
    next: u32,
}

/// Reads fields of a packet.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*head))
    }

    fn long(&mut self) -> Option<u64> {
        let (head, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*head))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.number()? as usize;
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn text(&mut self) -> Option<String> {
        self.bytes().map(from_bytes)
    }

    fn handle(&mut self) -> Option<u32> {
        self.bytes()?.try_into().ok().map(u32::from_be_bytes)
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
}

/// How an answer to the packet with that id starts.
fn head(kind: u8, id: u32) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend(id.to_be_bytes());
    out
}

fn status(id: u32, code: u32) -> Vec<u8> {
    let said: &[u8] = match code {
        OK => b"Success",
        EOF => b"End of file",
        NO_FILE => b"No such file",
        DENIED => b"Permission denied",
        UNSUPPORTED => b"Operation unsupported",
        _ => b"Failure",
    };
    let mut out = head(kind::STATUS, id);
    out.extend(code.to_be_bytes());
    put(&mut out, said);
    put(&mut out, b"");
    out
}

fn attrs(row: Option<&Row>) -> Vec<u8> {
    let folder = row.is_none_or(files::is_folder);
    let size: u64 = row.and_then(|r| r.get("size")).and_then(|s| s.parse().ok()).unwrap_or(0);
    let made = row.and_then(|r| live::read_date_time(r.get("last-modified")?));
    let time = made.map_or(0, |ms| (ms / 1_000).clamp(0, i64::from(u32::MAX)) as u32);
    let mut out = 0x0000_000D_u32.to_be_bytes().to_vec();
    out.extend(size.to_be_bytes());
    out.extend(if folder { 0o040_755_u32 } else { 0o100_644 }.to_be_bytes());
    out.extend(time.to_be_bytes());
    out.extend(time.to_be_bytes());
    out
}

/// Serves one channel.
pub(super) async fn serve(shared: Arc<Shared>, login: Login, channel: Channel<Msg>) {
    let mut stream = channel.into_stream();
    let mut files = Files { shared, login, handles: HashMap::new(), next: 1 };
    while let Some(packet) = packet(&mut stream).await {
        let Some(answer) = files.answer(&packet).await else { return };
        if write(&mut stream, &answer).await.is_err() {
            return;
        }
    }
}

async fn packet<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Vec<u8>> {
    let len = stream.read_u32().await.ok().filter(|len| (1..=PACKET_MAX).contains(len))?;
    let mut packet = vec![0; len as usize];
    stream.read_exact(&mut packet).await.ok()?;
    Some(packet)
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, answer: &[u8]) -> std::io::Result<()> {
    let mut out = (answer.len() as u32).to_be_bytes().to_vec();
    out.extend(answer);
    stream.write_all(&out).await?;
    stream.flush().await
}

impl Files {
    /// The answer to a packet; `None` for one that makes no sense.
    async fn answer(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let (first, rest) = packet.split_first()?;
        if *first == kind::INIT {
            return Some([&[kind::VERSION][..], &3_u32.to_be_bytes()].concat());
        }
        let mut fields = Fields(rest);
        let id = fields.number()?;
        let code = |code| Some(status(id, code));
        match *first {
            kind::OPEN => {
                let (path, flags) = (fields.text()?, fields.number()?);
                match self.open(&path, flags) {
                    Ok(handle) => Some(handled(id, handle)),
                    Err(refused) => code(refused),
                }
            }
            kind::CLOSE => {
                let handle = fields.handle()?;
                let Some(closed) = self.handles.remove(&handle) else { return code(FAILURE) };
                code(self.close(closed).await)
            }
            kind::READ => self.read(id, &mut fields),
            kind::WRITE => self.write(&mut fields).and_then(code),
            kind::LSTAT | kind::STAT => {
                let path = fields.text()?;
                match self.stat(&path) {
                    Some(row) => Some(with_attrs(id, row.as_ref())),
                    None => code(NO_FILE),
                }
            }
            kind::FSTAT => {
                let handle = fields.handle()?;
                match self.handles.get(&handle) {
                    Some(Handle::File { bytes, .. }) => {
                        let row = Row::new(None).with("size", bytes.len().to_string()).with("type", "file");
                        Some(with_attrs(id, Some(&row)))
                    }
                    Some(Handle::Folder { .. }) => Some(with_attrs(id, None)),
                    None => code(FAILURE),
                }
            }
            kind::SETSTAT | kind::FSETSTAT => code(OK),
            kind::OPENDIR => {
                let path = fields.text()?;
                if self.stat(&path).is_none() {
                    return code(NO_FILE);
                }
                let names = files::list(&mut self.shared.world(), &path);
                match self.keep(Handle::Folder { names }) {
                    Some(handle) => Some(handled(id, handle)),
                    None => code(FAILURE),
                }
            }
            kind::READDIR => {
                let handle = fields.handle()?;
                match self.handles.get_mut(&handle) {
                    Some(Handle::Folder { names }) if !names.is_empty() => Some(listed(id, &std::mem::take(names))),
                    Some(Handle::Folder { .. }) => code(EOF),
                    _ => code(FAILURE),
                }
            }
            kind::REMOVE | kind::RMDIR => {
                let path = fields.text()?;
                code(self.change(|world| files::remove(world, &path)))
            }
            kind::MKDIR => {
                let path = fields.text()?;
                code(self.change(|world| {
                    world.add("/file", &[("name", &files::tidy(&path)), ("type", "directory")]);
                    Ok(())
                }))
            }
            kind::REALPATH => {
                let path = to_bytes(&format!("/{}", files::tidy(&fields.text()?)));
                let mut out = head(kind::NAME, id);
                out.extend(1_u32.to_be_bytes());
                put(&mut out, &path);
                put(&mut out, &path);
                out.extend(0_u32.to_be_bytes());
                Some(out)
            }
            kind::RENAME => {
                let (from, to) = (fields.text()?, fields.text()?);
                code(self.change(|world| {
                    let bytes = files::read(world, &from)?;
                    files::write(world, &to, &bytes)?;
                    files::remove(world, &from)
                }))
            }
            _ => code(UNSUPPORTED),
        }
    }

    /// A piece of an open file.
    fn read(&self, id: u32, fields: &mut Fields<'_>) -> Option<Vec<u8>> {
        let (handle, from, len) = (fields.handle()?, fields.long()? as usize, fields.number()? as usize);
        let Some(Handle::File { bytes, .. }) = self.handles.get(&handle) else { return Some(status(id, FAILURE)) };
        if from >= bytes.len() {
            return Some(status(id, EOF));
        }
        let mut out = head(kind::DATA, id);
        put(&mut out, &bytes[from..bytes.len().min(from.saturating_add(len.min(PACKET_MAX as usize / 2)))]);
        Some(out)
    }

    /// Writes a piece of an open file; gives the code of its status.
    fn write(&mut self, fields: &mut Fields<'_>) -> Option<u32> {
        let (handle, from, piece) = (fields.handle()?, fields.long()? as usize, fields.bytes()?);
        let Some(Handle::File { bytes, writes: true, .. }) = self.handles.get_mut(&handle) else { return Some(DENIED) };
        let end = from.checked_add(piece.len()).filter(|end| *end <= FILE_MAX)?;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[from..end].copy_from_slice(piece);
        Some(OK)
    }

    fn keep(&mut self, handle: Handle) -> Option<u32> {
        if self.handles.len() >= HANDLES_MAX {
            return None;
        }
        self.next += 1;
        self.handles.insert(self.next, handle);
        Some(self.next)
    }

    /// `None`: nothing there. `Some(None)`: the root.
    fn stat(&mut self, path: &str) -> Option<Option<Row>> {
        let name = files::tidy(path);
        if name.is_empty() {
            return Some(None);
        }
        self.shared.world().find("/file", &name).map(Some)
    }

    fn open(&mut self, path: &str, flags: u32) -> Result<u32, u32> {
        const WRITE: u32 = 2;
        const CREATE: u32 = 8;
        const TRUNCATE: u32 = 16;
        let writes = flags & WRITE != 0;
        if !self.login.may(if writes { "write" } else { "read" }) {
            return Err(DENIED);
        }
        let there = files::read(&mut self.shared.world(), path);
        let bytes = match there {
            Ok(_) if flags & TRUNCATE != 0 => Vec::new(),
            Ok(bytes) => bytes,
            Err(_) if writes && flags & CREATE != 0 => Vec::new(),
            Err(_) => return Err(NO_FILE),
        };
        self.keep(Handle::File { path: files::tidy(path), bytes, writes }).ok_or(FAILURE)
    }

    fn change(&mut self, change: impl FnOnce(&mut World) -> Result<(), FileError>) -> u32 {
        if !self.login.may("write") {
            return DENIED;
        }
        match change(&mut self.shared.world()) {
            Ok(()) => OK,
            Err(FileError::Missing) => NO_FILE,
            Err(FileError::Full) => FAILURE,
        }
    }

    async fn close(&mut self, handle: Handle) -> u32 {
        let Handle::File { path, bytes, writes: true } = handle else { return OK };
        let written = self.change(|world| files::write(world, &path, &bytes));
        if written == OK
            && let Some(name) = path.strip_suffix(".auto.rsc")
        {
            self.run_at_once(name, &from_bytes(&bytes)).await;
        }
        written
    }

    /// What makes `*.auto.rsc` dangerous: it runs as its owner, and its words go to `*.auto.log`.
    async fn run_at_once(&mut self, name: &str, text: &str) {
        let mut machine = Machine::new(&self.shared, self.login.clone());
        let text = text.replace("\r\n", "\n");
        let ran = agenda::attend(&self.shared, machine.pace.clone(), None, async move {
            match machine.file(&text).await {
                Err(Stop::Error(said)) => format!("{}{said}\n", machine.out),
                _ => machine.out,
            }
        });
        let said = ran.await.unwrap_or_default();
        let mut world = self.shared.world();
        let _ = files::write(&mut world, &format!("{name}.auto.log"), &to_bytes(&said));
        world.log("system,info", &format!("{name}.auto.rsc executed"));
    }
}

fn handled(id: u32, handle: u32) -> Vec<u8> {
    let mut out = head(kind::HANDLE, id);
    put(&mut out, &handle.to_be_bytes());
    out
}

fn with_attrs(id: u32, row: Option<&Row>) -> Vec<u8> {
    let mut out = head(kind::ATTRS, id);
    out.extend(attrs(row));
    out
}

fn listed(id: u32, names: &[(String, Row)]) -> Vec<u8> {
    let mut out = head(kind::NAME, id);
    out.extend((names.len() as u32).to_be_bytes());
    for (name, row) in names {
        let kind = if files::is_folder(row) { "drwxr-xr-x" } else { "-rw-r--r--" };
        let long = format!("{kind} 1 0 0 {:>10} {} {name}", row.get("size").unwrap_or("0"), row.get("last-modified").unwrap_or_default());
        put(&mut out, &to_bytes(name));
        put(&mut out, &to_bytes(&long));
        out.extend(attrs(Some(row)));
    }
    out
}
