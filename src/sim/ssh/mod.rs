//! The router's SSH server: one command a channel, terminals, files.
//!
//! Output comes on standard output with CR LF, and the exit status is 0 whatever went wrong. Users, keys, policies, the service's
//! address list and its switch are those of the tables REST serves.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/132350014/SSH>

mod login;
mod sftp;
mod shell;

use super::agenda;
use super::console::{Machine, Stop};
use super::faults::{Line, SshFault, SshSeen};
use super::hooks::{Verdict, When};
use super::listen::{self, Arrival};
use super::lockout::{self, Gate};
use super::row::{from_bytes, to_bytes};
use super::shared::Shared;
use super::world::Login;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{HashAlg, PrivateKey, key::safe_rng};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session as Link, VerifiedPublicKey, run_stream};
use russh::{Channel, ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A refused login answers a little late, as everywhere; a test does not want to wait a second.
const REFUSAL: Duration = Duration::from_millis(20);
/// Bytes written at once.
const PIECE: usize = 16 * 1024;

/// A new host key: Ed25519, quick to make. RouterOS has RSA unless that is changed; its client is tested against a server of its own.
pub(super) fn host_key() -> PrivateKey {
    Ed25519Keypair::random(&mut safe_rng()).into()
}

/// `SHA256:…` of a host key.
pub(super) fn fingerprint(key: &PrivateKey) -> String {
    key.public_key().fingerprint(HashAlg::Sha256).to_string()
}

/// Serves a listener until the router stops.
pub(super) fn listen(shared: &Arc<Shared>, listener: TcpListener) {
    let here = shared.clone();
    listen::serve(shared, listener, shared.faults.ssh_line(), move |arrival| connection(here.clone(), arrival));
}

async fn connection(shared: Arc<Shared>, arrival: Arrival) {
    let Arrival { stream, peer, at } = arrival;
    let id = shared.next_connection();
    let _open = shared.faults.ssh_connections.rise();
    let mut cut = shared.cut();
    let admitted = tokio::select! {
        _ = cut.changed() => None,
        admitted = lockout::admit(&shared, stream, "ssh") => admitted,
    };
    let Some(stream) = admitted else { return };
    shared.world().open_connection(id, "ssh", peer, at);
    let mut stream = Gate::new(stream, shared.clone(), "ssh");
    let mut cleanly = true;
    let mut line = shared.faults.ssh_line();
    let now = *line.borrow_and_update();
    match now {
        Line::HalfOpen => drop(line.wait_for(|l| *l != Line::HalfOpen).await),
        // Something else listens there.
        Line::PlainOnTls => {
            let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await;
            let _ = stream.read(&mut [0; 256]).await;
        }
        _ => {
            let config = Arc::new(Config {
                server_id: russh::SshId::Standard("SSH-2.0-ROSSSH".into()),
                keys: vec![shared.host_key()],
                auth_rejection_time: REFUSAL,
                auth_rejection_time_initial: Some(Duration::ZERO),
                inactivity_timeout: None,
                ..Config::default()
            });
            let session = Session { shared: shared.clone(), id, login: None, channels: HashMap::new() };
            if let Ok(mut running) = run_stream(config, stream, session).await {
                let handle = running.handle();
                tokio::select! {
                    _ = &mut running => {}
                    _ = cut.changed() => {
                        cleanly = false;
                        let _ = handle.disconnect(russh::Disconnect::ByApplication, String::new(), String::new()).await;
                        let _ = tokio::time::timeout(Duration::from_secs(1), running).await;
                    }
                }
            }
        }
    }
    {
        let mut world = shared.world();
        world.connections.remove(&id);
        if let Some(login) = world.sessions.remove(&id) {
            world.log("system,info,account", &format!("user {} logged out from {} via ssh", login.user, login.from));
        }
    }
    shell::gone(&shared, id, cleanly);
}

/// One connection.
struct Session {
    shared: Arc<Shared>,
    id: u64,
    login: Option<Login>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Session {
    fn settle(&mut self, login: Option<Login>) -> Auth {
        match login {
            Some(login) => {
                self.shared.world().sessions.insert(self.id, login.clone());
                self.login = Some(login);
                Auth::Accept
            }
            None => Auth::reject(),
        }
    }

    fn start(&mut self, id: ChannelId) -> Option<(Arc<Shared>, Login, Channel<Msg>)> {
        Some((self.shared.clone(), self.login.clone()?, self.channels.remove(&id)?))
    }
}

impl Handler for Session {
    type Error = russh::Error;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, Self::Error> {
        let login = login::without(&mut self.shared.world(), user);
        Ok(self.settle(login))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let login = login::by_password(&mut self.shared.world(), user, password);
        Ok(self.settle(login))
    }

    async fn auth_publickey_offered(&mut self, user: &str, offer: russh::server::PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        let known = login::knows(&mut self.shared.world(), user, offer.public_key);
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let login = login::by_key(&mut self.shared.world(), user, key.public_key);
        Ok(self.settle(login))
    }

    async fn channel_open_session(&mut self, channel: Channel<Msg>, reply: ChannelOpenHandle, _link: &mut Link) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(russh::Pty, u32)],
        link: &mut Link,
    ) -> Result<(), Self::Error> {
        link.channel_success(channel)
    }

    async fn shell_request(&mut self, id: ChannelId, link: &mut Link) -> Result<(), Self::Error> {
        let Some((shared, login, channel)) = self.start(id) else { return link.channel_failure(id) };
        link.channel_success(id)?;
        shared.faults.see_ssh(SshSeen { user: login.user.clone(), kind: "shell", text: String::new() });
        let (here, session) = (shared.clone(), self.id);
        shared.spawn(async move { shell::serve(here, login, channel, session).await });
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, data: &[u8], link: &mut Link) -> Result<(), Self::Error> {
        let Some((shared, login, channel)) = self.start(id) else { return link.channel_failure(id) };
        link.channel_success(id)?;
        let text = from_bytes(data);
        shared.faults.see_ssh(SshSeen { user: login.user.clone(), kind: "exec", text: text.clone() });
        let here = shared.clone();
        shared.spawn(async move { exec(here, login, channel, text).await });
        Ok(())
    }

    async fn subsystem_request(&mut self, id: ChannelId, name: &str, link: &mut Link) -> Result<(), Self::Error> {
        let allowed = self.login.as_ref().is_some_and(|l| l.may("ftp"));
        let Some((shared, login, channel)) = self.start(id).filter(|_| name == "sftp" && allowed) else {
            return link.channel_failure(id);
        };
        link.channel_success(id)?;
        shared.faults.see_ssh(SshSeen { user: login.user.clone(), kind: "sftp", text: String::new() });
        let here = shared.clone();
        shared.spawn(async move { sftp::serve(here, login, channel).await });
        Ok(())
    }
}

/// The first line of what an exec request holds: the console takes no second one outside brackets and quotes.
fn first_line(text: &str) -> &str {
    let (mut depth, mut quoted, mut escaped) = (0i32, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' | '(' if !quoted => depth += 1,
            '}' | ']' | ')' if !quoted => depth -= 1,
            '\n' if !quoted && depth <= 0 => return &text[..at],
            _ => {}
        }
    }
    text
}

/// Until the client closes the channel.
async fn closed(read: &mut ChannelReadHalf) {
    loop {
        match read.wait().await {
            None | Some(ChannelMsg::Close) => return,
            Some(_) => {}
        }
    }
}

/// Output as a terminal gets it.
fn crlf(text: &str) -> Vec<u8> {
    to_bytes(&text.replace("\r\n", "\n").replace('\n', "\r\n"))
}

async fn exec(shared: Arc<Shared>, login: Login, channel: Channel<Msg>, text: String) {
    let _running = shared.faults.ssh_running.rise();
    let (mut read, write) = channel.split();
    match shared.hooked(When::Before, ("exec", &text, "")) {
        Verdict::Go => {}
        Verdict::Silence => return closed(&mut read).await,
        _ => return drop(write.close().await),
    }
    let faults = shared.faults.strike_ssh(&text);
    if faults.contains(&SshFault::Silent) {
        return closed(&mut read).await;
    }
    let mut machine = Machine::new(&shared, login);
    let line = first_line(&text).to_string();
    let ran = agenda::attend(&shared, machine.pace.clone(), None, async move {
        let ended = machine.line(&line, "").await;
        (machine.out, matches!(ended, Err(Stop::Forever)))
    });
    let (said, forever) = tokio::select! {
        ran = ran => match ran {
            Some(ran) => ran,
            None => return,
        },
        () = closed(&mut read) => return,
    };
    match shared.hooked(When::After, ("exec", &text, "")) {
        Verdict::Go => {}
        Verdict::Silence => return closed(&mut read).await,
        _ => return drop(write.close().await),
    }
    if answer(&shared, &write, crlf(&said), &faults, forever).await.is_ok() && forever {
        closed(&mut read).await;
    }
}

/// Sends what a command wrote and, unless it runs until its session ends, its exit status.
async fn answer(
    shared: &Shared,
    write: &ChannelWriteHalf<Msg>,
    mut out: Vec<u8>,
    faults: &[SshFault],
    forever: bool,
) -> Result<(), russh::Error> {
    if faults.contains(&SshFault::Garbage) {
        out = b"\x1b[6n\x00\xff\xfe garbage \x07\r\n".to_vec();
    }
    if faults.contains(&SshFault::DropMidAnswer) {
        let _ = send(write, &out[..out.len() / 2]).await;
        shared.cut_connections();
        return Ok(());
    }
    send(write, &out).await?;
    if forever {
        return Ok(());
    }
    if !faults.contains(&SshFault::NoExitStatus) {
        let _ = write.exit_status(0).await;
    }
    let _ = write.eof().await;
    let _ = write.close().await;
    Ok(())
}

async fn send(write: &ChannelWriteHalf<Msg>, bytes: &[u8]) -> Result<(), russh::Error> {
    for piece in bytes.chunks(PIECE) {
        write.data_bytes(piece.to_vec()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_counts_outside_brackets() {
        assert_eq!(first_line(":put 1\n:put 2"), ":put 1");
        assert_eq!(first_line(":do {\n:put 1\n}"), ":do {\n:put 1\n}");
        assert_eq!(first_line(":put \"a\nb\""), ":put \"a\nb\"");
    }
}
