//! A terminal: prompt, line editing as far as a script needs it, safe mode.

use super::{crlf, send};
use crate::sim::agenda;
use crate::sim::console::{Machine, Stop};
use crate::sim::history::{self, Safe};
use crate::sim::row::from_bytes;
use crate::sim::shared::Shared;
use crate::sim::world::Login;
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelWriteHalf};
use std::sync::Arc;

/// Ctrl-C, Ctrl-D, Ctrl-X.
const CANCEL: u8 = 3;
const END: u8 = 4;
const SAFE: u8 = 24;
/// First version that announces safe mode in a sentence.
const NEW_WORDS: (u32, u32) = (7, 21);

/// One terminal.
struct Shell {
    shared: Arc<Shared>,
    session: u64,
    /// Away while a line runs.
    machine: Option<Machine>,
    menu: String,
    user: String,
    /// Waits for the answer to "who holds safe mode".
    asking: bool,
}

impl Shell {
    fn prompt(&self) -> String {
        let mut world = self.shared.world();
        let identity = world.rows("/system/identity").first().and_then(|r| r.get("name").map(String::from)).unwrap_or_default();
        let end = if world.safe.as_ref().is_some_and(|s| s.session == self.session) { "<SAFE> " } else { "> " };
        format!("[{}@{identity}] {}{end}", self.user, self.menu)
    }

    fn holds(&self) -> bool {
        self.shared.world().safe.as_ref().is_some_and(|s| s.session == self.session)
    }

    /// Ctrl-X: takes safe mode, or gives it back and keeps the changes.
    fn toggle(&mut self) -> String {
        let new = self.shared.world().model.version >= NEW_WORDS;
        if self.holds() {
            history::release(&mut self.shared.world());
            return if new { "\r\nReleasing Safe Mode session... Success!\r\n" } else { "\r\n[Safe Mode released]\r\n" }.to_string();
        }
        let mine = Safe { user: self.user.clone(), session: self.session };
        let taken = history::take(&mut self.shared.world(), mine);
        match (taken, new) {
            (true, true) => "\r\nTaking Safe Mode session... Success!\r\n".to_string(),
            (true, false) => "\r\n[Safe Mode taken]\r\n".to_string(),
            (false, true) => {
                self.asking = true;
                "\r\nSafe Mode is taken by current user in another session. Unroll, release or abort [u/r]?".to_string()
            }
            (false, false) => {
                self.asking = true;
                "\r\nHijacking Safe Mode from someone - unroll/release/don't take it [u/r/d]: ".to_string()
            }
        }
    }

    /// The answer about somebody else's safe mode.
    fn decide(&mut self, letter: u8) {
        self.asking = false;
        let mine = Safe { user: self.user.clone(), session: self.session };
        let mut world = self.shared.world();
        match letter {
            b'u' => history::unroll(&mut world),
            b'r' => history::release(&mut world),
            _ => return,
        }
        history::take(&mut world, mine);
    }
}

/// Serves a terminal until its channel ends.
pub(super) async fn serve(shared: Arc<Shared>, login: Login, channel: Channel<Msg>, session: u64) {
    let (mut read, write) = channel.split();
    let user = login.user.clone();
    let mut machine = Machine::new(&shared, login);
    machine.session = Some(session);
    let mut shell = Shell { shared, session, machine: Some(machine), menu: String::new(), user, asking: false };
    // What the router asks every terminal; nobody has to answer.
    let hello = format!("\r\n\r\n  MikroTik RouterOS\r\n\r\n\x1b[6n\x1bZ\x1b[c\r\n\r{}", shell.prompt());
    if send(&write, hello.as_bytes()).await.is_err() {
        return;
    }
    let mut line = Vec::new();
    loop {
        let bytes = match read.wait().await {
            Some(ChannelMsg::Data { data }) => data.to_vec(),
            Some(ChannelMsg::Eof | ChannelMsg::Close) | None => break,
            Some(_) => continue,
        };
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            at += 1;
            if shell.asking && byte.is_ascii_alphabetic() {
                shell.decide(byte);
                let said = format!("{}\r\n\r{}", char::from(byte), shell.prompt());
                if send(&write, said.as_bytes()).await.is_err() {
                    return;
                }
                continue;
            }
            let done = match byte {
                b'\r' | b'\n' => {
                    // CR LF is one end of line.
                    at += usize::from(byte == b'\r' && bytes.get(at) == Some(&b'\n'));
                    enter(&mut shell, &write, &std::mem::take(&mut line)).await
                }
                CANCEL => {
                    line.clear();
                    reply(&shell, &write, "^C\r\n").await
                }
                END => {
                    // Ends the session and takes back what was done in its safe mode.
                    if shell.holds() {
                        history::unroll(&mut shell.shared.world());
                    }
                    true
                }
                SAFE => {
                    let said = shell.toggle();
                    if shell.asking { send(&write, said.as_bytes()).await.is_err() } else { reply(&shell, &write, &said).await }
                }
                0x7f | 8 => {
                    line.pop();
                    false
                }
                // Answers to our questions, and keys that move a cursor we do not have.
                0x1b => {
                    at += bytes[at..].iter().position(|b| b.is_ascii_alphabetic()).map_or(0, |n| n + 1);
                    false
                }
                byte => {
                    line.push(byte);
                    send(&write, &[byte]).await.is_err()
                }
            };
            if done {
                let _ = write.eof().await;
                let _ = write.close().await;
                return;
            }
        }
    }
    let _ = write.close().await;
}

/// Writes and prompts anew; true when nobody reads any more.
async fn reply(shell: &Shell, write: &ChannelWriteHalf<Msg>, said: &str) -> bool {
    let text = format!("{said}\r{}", shell.prompt());
    send(write, text.as_bytes()).await.is_err()
}

/// Runs a line; true when the terminal ends.
async fn enter(shell: &mut Shell, write: &ChannelWriteHalf<Msg>, line: &[u8]) -> bool {
    let text = from_bytes(line);
    let Some(mut machine) = shell.machine.take() else { return true };
    let (pace, menu) = (machine.pace.clone(), shell.menu.clone());
    let ran = agenda::attend(&shell.shared, pace, None, async move {
        let ended = machine.line(&text, &menu).await;
        (machine, ended)
    });
    let Some((mut machine, ended)) = ran.await else { return true };
    let out = std::mem::take(&mut machine.out);
    shell.machine = Some(machine);
    match ended {
        Ok(menu) => shell.menu = menu,
        Err(Stop::Forever) => {}
        Err(_) => {
            // `/quit` in safe mode keeps what was done.
            if shell.holds() {
                history::release(&mut shell.shared.world());
            }
            let _ = send(write, b"\r\ninterrupted\r\n").await;
            return true;
        }
    }
    let mut bytes = b"\r\n".to_vec();
    bytes.extend(crlf(&out));
    if send(write, &bytes).await.is_err() {
        return true;
    }
    reply(shell, write, "").await
}

/// A connection is gone: if it held safe mode, the router takes everything back once it has noticed.
pub(super) fn gone(shared: &Arc<Shared>, session: u64, cleanly: bool) {
    {
        let mut world = shared.world();
        if world.safe.as_ref().is_none_or(|s| s.session != session) {
            return;
        }
        world.lost = Some((session, world.mono().saturating_add(shared.faults.notice_of_loss(cleanly))));
    }
    shared.agenda.stir();
}
