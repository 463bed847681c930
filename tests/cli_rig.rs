//! The real program in a process of its own, beside simulated routers in this one.

use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Nothing here takes longer; a command that hangs is killed and fails its test.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One machine: a state directory, and what the program's environment holds there.
pub struct Rig {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Done {
    /// Exit code; 1000 and the signal when it died of one.
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Rig {
    /// An empty machine. Not in `/tmp`, which may be RAM, where the store refuses to live.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("cli-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let rig = Rig { dir, env: Vec::new() };
        // Short limits, no rate: a test about a dead router should not take long.
        rig.with("ROUTEROS_MCP_CONFIG_FILE", "")
            .with("ROUTEROS_MCP_MCP_HTTP_PORT", "0")
            .with("ROUTEROS_MCP_ROUTEROS_CONNECT_TIMEOUT_SECONDS", "1")
            .with("ROUTEROS_MCP_ROUTEROS_REST_TIMEOUT_SECONDS", "3")
            .with("ROUTEROS_MCP_ROUTEROS_RETRY_ATTEMPTS", "0")
            .with("ROUTEROS_MCP_ROUTEROS_REQUESTS_PER_SECOND", "1000")
            // The disk of whoever runs the tests may be rather full.
            .with("ROUTEROS_MCP_ALERT_DISK_FREE_PERCENT", "1")
    }

    /// With one more variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.into(), value.into()));
        self
    }

    /// A file's place on this machine.
    pub fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The state directory.
    pub fn state(&self) -> PathBuf {
        self.at("state")
    }

    /// A file with this text.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        std::fs::write(self.at(name), text).unwrap();
        self.at(name).to_string_lossy().into_owned()
    }

    /// A file with this line that only its owner reads.
    pub fn private(&self, name: &str, text: &str) -> String {
        let path = self.file(name, format!("{text}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The program with these arguments, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_routeros-mcp"));
        self.prepare(&mut command);
        command.arg("--data-dir").arg(self.state()).args(arguments);
        command
    }

    /// Another program on this machine, e.g. a shell around ours.
    pub fn prepare(&self, command: &mut Command) {
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.dir.path());
        command.envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Done {
        finish(self.command(arguments), "")
    }

    /// Runs it to its end with `text` on standard input.
    pub fn run_with(&self, arguments: &[&str], text: &str) -> Done {
        finish(self.command(arguments), text)
    }

    /// Runs it with `--json` and reads what it prints. Panics unless it succeeds.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[&["--json"], arguments].concat());
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("no JSON: {done:?}"))
    }

    /// Runs it with `--json`, expecting this exit code: the error object of the last line of standard error.
    #[track_caller]
    pub fn error(&self, arguments: &[&str], code: i32) -> Value {
        let done = self.run(&[&["--json"], arguments].concat());
        done.error(code)
    }

    /// The flags that add a router.
    pub fn adding(&self, name: &str, port: u16, password: &str) -> Vec<String> {
        let password = self.file(&format!("{name}.pass"), format!("{password}\n"));
        let port = port.to_string();
        ["device", "add", "--name", name, "--address", "127.0.0.1", "--rest-port", &port, "--ssh-port", "1", "--username", "mcp"]
            .into_iter()
            .chain(["--password-file", &password])
            .map(str::to_owned)
            .collect()
    }

    /// Adds a simulated router, trusting what it shows. Panics unless that works.
    pub fn add(&self, name: &str, sim: &Sim) -> Value {
        let flags = self.adding(name, sim.https_port(), sim.credentials().mcp.password.expose());
        self.json(&[&words(&flags)[..], &["--yes"]].concat())
    }

    /// Nothing of a device is here: no record, and no byte of the password in any file but the one we gave it in.
    #[track_caller]
    pub fn holds_no_device(&self, password: &str) {
        assert_eq!(self.json(&["device", "list"]), json!([]));
        self.holds_no_bytes(password);
    }

    /// No file below the state directory holds these bytes.
    #[track_caller]
    pub fn holds_no_bytes(&self, secret: &str) {
        let files = files(&self.state());
        assert!(files.iter().any(|file| file.ends_with("routeros-mcp.redb")), "{files:?}");
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "the password is in {}", file.display());
        }
    }

    /// Starts the daemon and waits until it says that it is ready.
    pub fn serve(&self) -> Running {
        let mut shell = Command::new("sh");
        self.prepare(&mut shell);
        // The ready line comes on descriptor 3, as a supervisor would have it.
        shell.args(["-c", "exec \"$0\" \"$@\" 3>&1 >/dev/null", env!("CARGO_BIN_EXE_routeros-mcp"), "--data-dir"]);
        shell.arg(self.state()).args(["serve", "--once-ready-fd", "3"]);
        Running::start(shell)
    }

    /// Starts the daemon by a command of the caller's making, and waits until it says that it is ready.
    pub fn serve_as(&self, command: Command) -> Running {
        Running::start(command)
    }

    /// Starts an MCP client's server and shakes hands.
    pub fn stdio(&self) -> Running {
        let mut running = Running::start(self.command(&["stdio"]));
        let hello = running.ask(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}));
        assert_eq!(hello["result"]["serverInfo"]["name"], "routeros-mcp", "{hello}");
        running.say(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        running
    }
}

impl Done {
    /// The error object, after checking the exit code, that nothing is on standard output and what an error is made of.
    #[track_caller]
    pub fn error(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        let whole: Value = serde_json::from_str(self.err.trim()).unwrap_or_else(|_| panic!("not one JSON object: {self:?}"));
        let keys: Vec<&String> = whole["error"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["kind", "message", "hint"], "{whole}");
        assert!(whole["error"]["message"].as_str().is_some_and(|said| !said.is_empty() && !said.ends_with('.')), "{whole}");
        whole["error"].clone()
    }
}

/// Owned words as arguments.
pub fn words(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

/// A part of an error says something.
#[track_caller]
pub fn says(part: &Value, what: &str) {
    assert!(part.as_str().is_some_and(|text| text.contains(what)), "no `{what}` in {part}");
}

/// All files below a directory, sockets left out.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

/// Runs a command to its end, feeding it `text`.
pub fn finish(mut command: Command, text: &str) -> Done {
    if !text.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().unwrap();
    if let Some(mut to) = child.stdin.take() {
        // It may not want to read it.
        let _ = to.write_all(text.as_bytes());
    }
    let pid = child.id();
    let (tell, told) = channel();
    std::thread::spawn(move || tell.send(child.wait_with_output()));
    let Ok(output) = told.recv_timeout(PATIENCE) else {
        kill(pid, rustix::process::Signal::KILL);
        panic!("{command:?} did not end within {PATIENCE:?}: {:?}", told.recv());
    };
    let Output { status, stdout, stderr } = output.unwrap();
    let code = status.code().unwrap_or_else(|| 1000 + std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code, out: text(stdout), err: text(stderr) }
}

/// Sends a signal.
pub fn kill(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, signal);
}

/// A process that stays up, and its lines.
pub struct Running {
    child: Child,
    to: Option<ChildStdin>,
    lines: Receiver<String>,
    ready: Value,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let serves = !format!("{command:?}").contains("\"stdio\"");
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let (tell, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut err = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = err.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let to = child.stdin.take();
        let mut running = Running { child, to, lines, ready: Value::Null, log: Some(log) };
        if serves {
            running.ready = running.hear();
        }
        running
    }

    /// What the daemon said when it was ready.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn say(&mut self, message: Value) {
        writeln!(self.to.as_mut().unwrap(), "{message}").unwrap();
    }

    /// The next line it prints.
    #[track_caller]
    pub fn hear(&mut self) -> Value {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}")),
            Err(error) => {
                kill(self.child.id(), rustix::process::Signal::KILL);
                panic!("no line: {error}; log: {}", self.log.take().unwrap().join().unwrap())
            }
        }
    }

    /// Says a request and hears its answer; notifications on the way are passed over.
    #[track_caller]
    pub fn ask(&mut self, message: Value) -> Value {
        let id = message["id"].clone();
        self.say(message);
        loop {
            let line = self.hear();
            if line["id"] == id {
                return line;
            }
        }
    }

    /// One tool call's result object.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask(
            json!({"jsonrpc": "2.0", "id": format!("{tool}-1"), "method": "tools/call", "params": {"name": tool, "arguments": arguments}}),
        );
        answer["result"].clone()
    }

    /// A number of `/proc/PID/status`, in kB: `VmHWM`, `VmRSS`.
    pub fn status_kb(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Closes its standard input and waits for its end.
    pub fn eof(mut self) -> Done {
        self.to.take();
        self.wait()
    }

    /// Sends a signal and waits for its end.
    pub fn end_with(mut self, signal: rustix::process::Signal) -> Done {
        kill(self.child.id(), signal);
        self.wait()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        kill(self.child.id(), signal);
    }

    fn wait(&mut self) -> Done {
        let (pid, (tell, told)) = (self.child.id(), channel::<()>());
        let watch = std::thread::spawn(move || {
            told.recv_timeout(PATIENCE)
                .is_err_and(|e| e == std::sync::mpsc::RecvTimeoutError::Timeout)
                .then(|| kill(pid, rustix::process::Signal::KILL))
        });
        let status = self.child.wait().unwrap();
        let _ = tell.send(());
        assert!(watch.join().unwrap().is_none(), "it did not end within {PATIENCE:?}");
        let code = status.code().unwrap_or_else(|| 1000 + std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0));
        Done { code, out: String::new(), err: self.log.take().unwrap().join().unwrap() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A simulated router.
pub async fn router(profile: Profile) -> Sim {
    Sim::start(Options::new(profile, "edge")).await.unwrap()
}

/// Nobody named a user to it.
#[track_caller]
pub fn saw_no_login(sim: &Sim) {
    let named: Vec<_> = sim.requests().into_iter().filter(|seen| seen.user.is_some()).collect();
    assert!(named.is_empty(), "{named:?}");
}
