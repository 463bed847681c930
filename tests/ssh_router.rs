//! A small SSH server that answers as a RouterOS console would, from a script: what the SSH tests talk to. It knows
//! nothing of RouterOS itself; each test says which line is answered with what.

use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{HashAlg, PrivateKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Response, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What a line is answered with.
#[derive(Clone)]
pub(crate) enum Reply {
    /// This, with exit status 0 as RouterOS has it even for errors.
    Says(Vec<u8>),
    /// This, and then the connection breaks.
    Breaks(Vec<u8>),
    /// The same again and again, until the channel is closed.
    Endless(Vec<u8>),
    /// Nothing, until the channel is closed.
    Silent,
    /// No commands are run.
    Refuses,
}

impl From<&str> for Reply {
    /// With the console's line ends.
    fn from(text: &str) -> Self {
        Reply::Says(format!("{}\r\n", text.replace('\n', "\r\n")).into_bytes())
    }
}

type Script = dyn Fn(&str) -> Reply + Send + Sync;

/// How the one user proves itself.
#[derive(Clone)]
pub(crate) enum Proof {
    Nobody,
    Password(String),
    /// Keyboard-interactive alone.
    Answer(String),
    /// No password at all.
    None,
    /// The fingerprint of the public key.
    Key(String),
}

struct State {
    proof: Mutex<Proof>,
    script: Mutex<Arc<Script>>,
    lines: Mutex<Vec<String>>,
    answering: Mutex<JoinSet<()>>,
    tries: AtomicUsize,
    connections: AtomicUsize,
    open_now: AtomicUsize,
    /// Commands whose channel and connection are open.
    running: AtomicUsize,
}

pub(crate) struct SshRouter {
    pub port: u16,
    pub fingerprint: String,
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

impl SshRouter {
    /// With the host key of that seed, and nobody let in.
    pub async fn start(seed: u8) -> Self {
        let state = State {
            proof: Mutex::new(Proof::Nobody),
            script: Mutex::new(Arc::new(|_| Reply::from("bad command name x (line 1 column 1)"))),
            lines: Mutex::default(),
            answering: Mutex::default(),
            tries: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            open_now: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
        };
        SshRouter::on(seed, TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::new(state))
    }

    fn on(seed: u8, listener: TcpListener, state: Arc<State>) -> Self {
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]));
        let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
        // A refusal need not be slow: nobody guesses passwords here.
        let config = Config {
            keys: vec![key],
            auth_rejection_time: std::time::Duration::ZERO,
            auth_rejection_time_initial: Some(std::time::Duration::ZERO),
            ..Config::default()
        };
        let (config, port) = (Arc::new(config), listener.local_addr().unwrap().port());
        let mut tasks = JoinSet::new();
        let shared = state.clone();
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (config, state) = (config.clone(), shared.clone());
                state.connections.fetch_add(1, Ordering::SeqCst);
                state.open_now.fetch_add(1, Ordering::SeqCst);
                sessions.spawn(async move {
                    if let Ok(session) =
                        russh::server::run_stream(config, stream, Peer { state: state.clone(), asked: false, running: 0 }).await
                    {
                        let _ = session.await;
                    }
                    state.open_now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        SshRouter { port, fingerprint, state, _tasks: tasks }
    }

    /// The same user and script behind another key on the same port, as after a reset.
    pub async fn change_key(self, seed: u8) -> Self {
        let SshRouter { port, state, _tasks: mut tasks, .. } = self;
        tasks.shutdown().await;
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        SshRouter::on(seed, TcpListener::from_std(listener).unwrap(), state)
    }

    /// Nobody listens any more.
    pub async fn stop(&mut self) {
        self._tasks.shutdown().await;
    }

    pub fn lets_in(&self, proof: Proof) {
        *self.state.proof.lock().unwrap() = proof;
    }

    pub fn answers(&self, script: impl Fn(&str) -> Reply + Send + Sync + 'static) {
        *self.state.script.lock().unwrap() = Arc::new(script);
    }

    /// Every command line so far.
    pub fn lines(&self) -> Vec<String> {
        self.state.lines.lock().unwrap().clone()
    }

    /// How often somebody tried to log in.
    pub fn tries(&self) -> usize {
        self.state.tries.load(Ordering::SeqCst)
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Waits until nobody is connected.
    pub async fn is_left_alone(&self) {
        while self.state.open_now.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until so many commands run.
    pub async fn runs(&self, commands: usize) {
        while self.state.running.load(Ordering::SeqCst) != commands {
            tokio::task::yield_now().await;
        }
    }
}

struct Peer {
    state: Arc<State>,
    asked: bool,
    running: usize,
}

impl Drop for Peer {
    /// Commands end with their connection.
    fn drop(&mut self) {
        self.state.running.fetch_sub(self.running, Ordering::SeqCst);
    }
}

impl Peer {
    fn judge(&self, accepted: bool, methods: &[MethodKind]) -> Auth {
        self.state.tries.fetch_add(1, Ordering::SeqCst);
        if accepted {
            return Auth::Accept;
        }
        Auth::Reject { proceed_with_methods: Some(MethodSet::from(methods)), partial_success: false }
    }

    fn proof(&self) -> Proof {
        self.state.proof.lock().unwrap().clone()
    }
}

impl Handler for Peer {
    type Error = russh::Error;

    async fn auth_none(&mut self, _user: &str) -> Result<Auth, russh::Error> {
        Ok(self.judge(matches!(self.proof(), Proof::None), &[MethodKind::Password]))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(match self.proof() {
            Proof::Answer(_) => self.judge(false, &[MethodKind::KeyboardInteractive]),
            Proof::Password(right) => {
                self.judge(user == "mcp" && password == right, &[MethodKind::Password, MethodKind::KeyboardInteractive])
            }
            _ => self.judge(false, &[MethodKind::PublicKey]),
        })
    }

    async fn auth_publickey(&mut self, _user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        let shown = key.public_key.fingerprint(HashAlg::Sha256).to_string();
        Ok(self.judge(matches!(self.proof(), Proof::Key(right) if right == shown), &[MethodKind::Password]))
    }

    async fn auth_keyboard_interactive<'a>(&'a mut self, _: &str, _: &str, response: Option<Response<'a>>) -> Result<Auth, russh::Error> {
        let Proof::Answer(right) = self.proof() else { return Ok(self.judge(false, &[MethodKind::Password])) };
        if !std::mem::replace(&mut self.asked, true) {
            let prompts = vec![("Name: ".into(), true), ("Password: ".into(), false)];
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() });
        }
        let answers: Vec<Vec<u8>> = response.into_iter().flatten().map(|answer| answer.to_vec()).collect();
        // What is shown on the screen must not be the password.
        Ok(self.judge(answers == [Vec::new(), right.into_bytes()], &[MethodKind::KeyboardInteractive]))
    }

    async fn channel_open_session(&mut self, _: Channel<Msg>, reply: ChannelOpenHandle, _: &mut Session) -> Result<(), russh::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, channel: ChannelId, line: &[u8], session: &mut Session) -> Result<(), russh::Error> {
        let line = String::from_utf8_lossy(line).into_owned();
        self.state.lines.lock().unwrap().push(line.clone());
        let script = self.state.script.lock().unwrap().clone();
        let reply = script(&line);
        if matches!(reply, Reply::Refuses) {
            return session.channel_failure(channel);
        }
        session.channel_success(channel)?;
        self.running += 1;
        self.state.running.fetch_add(1, Ordering::SeqCst);
        // In a task: what is sent waits for the client's window.
        self.state.answering.lock().unwrap().spawn(answer(session.handle(), channel, reply));
        Ok(())
    }

    async fn channel_close(&mut self, _: ChannelId, _: &mut Session) -> Result<(), russh::Error> {
        if self.running > 0 {
            self.running -= 1;
            self.state.running.fetch_sub(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

async fn answer(session: Handle, channel: ChannelId, reply: Reply) {
    match reply {
        Reply::Says(bytes) => {
            for piece in bytes.chunks(30_000) {
                let _ = session.data(channel, piece.to_vec()).await;
            }
            let _ = session.exit_status_request(channel, 0).await;
            let _ = session.eof(channel).await;
            let _ = session.close(channel).await;
        }
        Reply::Breaks(bytes) => {
            let _ = session.data(channel, bytes).await;
            let _ = session.disconnect(russh::Disconnect::ByApplication, String::new(), String::new()).await;
        }
        Reply::Endless(bytes) => while session.data(channel, bytes.clone()).await.is_ok() {},
        Reply::Silent | Reply::Refuses => {}
    }
}
