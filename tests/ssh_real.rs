//! The SSH transport against servers that others wrote: OpenSSH and dropbear. They speak no RouterOS; what is shown is keys,
//! logins, commands and files.

use crate::surroundings::{free_port, program};
use routeros_mcp::routeros::fault::Denial;
use routeros_mcp::routeros::ssh::{Endpoint, Key, Login, Ssh};
use routeros_mcp::routeros::{RouterError, probe_host_key};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

/// A server in a directory of its own, ended with this.
struct Server {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(program: &Path, args: &[&str]) {
    let done = Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(done.success(), "{} {args:?}", program.display());
}

fn whoami() -> String {
    let said = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// Somebody else may take the port between finding and using it: then another is tried.
async fn serve(start: impl Fn(&Path, u16) -> Command) -> Server {
    for _ in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let child = start(dir.path(), port).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut server = Server { child, port, dir };
        let deadline = Instant::now() + SOON;
        while Instant::now() < deadline && server.child.try_wait().unwrap().is_none() {
            if probe_host_key("127.0.0.1", port, Duration::from_secs(5)).await.is_ok() {
                return server;
            }
            tokio::task::yield_now().await;
        }
    }
    panic!("the server does not start");
}

/// OpenSSH that knows two keys of ours: `id_ed25519` and `id_rsa` (PEM) in its directory.
async fn openssh(more: &'static [&'static str]) -> Option<Server> {
    let (sshd, keygen) = (program("sshd")?, program("ssh-keygen")?);
    // Its helper wants this directory when it runs as root.
    if whoami() == "root" {
        let _ = std::fs::create_dir_all("/run/sshd");
    }
    let server = serve(|dir, port| {
        let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
        run(&keygen, &["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", &at("host")]);
        run(&keygen, &["-q", "-t", "ed25519", "-N", "", "-f", &at("id_ed25519")]);
        run(&keygen, &["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", &at("id_rsa")]);
        run(&keygen, &["-q", "-t", "ed25519", "-N", "", "-f", &at("stranger")]);
        let keys = ["id_ed25519.pub", "id_rsa.pub"].map(|name| std::fs::read_to_string(at(name)).unwrap()).concat();
        std::fs::write(at("authorized"), keys).unwrap();
        let mut config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n",
            at("host"),
            at("authorized")
        );
        config.extend(more.iter().flat_map(|line| [line, "\n"]));
        std::fs::write(at("config"), config).unwrap();
        let mut command = Command::new(&sshd);
        command.args(["-D", "-f", &at("config")]);
        command
    })
    .await;
    Some(server)
}

async fn client(server: &Server, key: &str) -> Ssh {
    let key = Key::parse(&std::fs::read_to_string(server.dir.path().join(key)).unwrap()).unwrap();
    let pin = probe_host_key("127.0.0.1", server.port, SOON).await.unwrap().fingerprint;
    Ssh::new(endpoint(server, pin, Login::Key(key))).unwrap()
}

fn endpoint(server: &Server, pin: String, login: Login) -> Endpoint {
    Endpoint { host: "127.0.0.1".into(), port: server.port, pin, user: whoami(), login, connect_timeout: SOON, max_answer_bytes: 8 << 20 }
}

#[tokio::test]
async fn openssh_lets_both_kinds_of_key_in_and_runs_commands() {
    let Some(server) = openssh(&[]).await else { return };
    for key in ["id_ed25519", "id_rsa"] {
        let ssh = client(&server, key).await;
        let said = ssh.exec("printf 'a\\r\\nb\\r\\n'; printf oops >&2; exit 3", SOON).await.unwrap();
        assert_eq!(
            (said.stdout.as_slice(), said.stderr.as_slice(), said.exit_status),
            (&b"a\r\nb\r\n"[..], &b"oops"[..], Some(3)),
            "{key}"
        );
    }
}

#[tokio::test]
async fn openssh_refuses_a_stranger_and_another_pin_is_told_before() {
    let Some(server) = openssh(&[]).await else { return };
    let stranger = client(&server, "stranger").await;
    assert!(matches!(stranger.connect().await, Err(RouterError::Denied { denial: Denial::SshKey, .. })));
    let key = Key::parse(&std::fs::read_to_string(server.dir.path().join("id_rsa")).unwrap()).unwrap();
    let other = Ssh::new(endpoint(&server, "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU".into(), Login::Key(key))).unwrap();
    assert!(matches!(other.connect().await, Err(RouterError::HostKeyChanged { .. })));
}

#[tokio::test]
async fn openssh_gives_large_output_whole_and_a_deadline_stops_the_command() {
    let Some(server) = openssh(&[]).await else { return };
    let ssh = client(&server, "id_ed25519").await;
    let said = ssh.exec("head -c 5000000 /dev/zero | tr '\\0' x", SOON).await.unwrap();
    assert_eq!(said.stdout.len(), 5_000_000);
    assert!(matches!(ssh.exec("yes", SOON).await, Err(RouterError::TooLarge { .. })));
    // It writes until somebody stops it: the end of its pipe is what the server closes.
    let at = |name: &str| server.dir.path().join(name);
    let (started, stopped) = (at("started"), at("stopped"));
    let line = format!("trap '' PIPE; touch {}; while echo x; do :; done; touch {}", started.display(), stopped.display());
    tokio::select! {
        ended = ssh.exec(&line, SOON) => panic!("it does not end by itself: {:?}", ended.map(|output| output.exit_status)),
        () = appears(&started) => {}
    }
    appears(&stopped).await;
}

async fn appears(file: &Path) {
    let deadline = Instant::now() + SOON;
    while !file.exists() {
        assert!(Instant::now() < deadline, "no {}", file.display());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn openssh_takes_and_gives_files() {
    let Some(server) = openssh(&[]).await else { return };
    let ssh = client(&server, "id_ed25519").await;
    let dir = server.dir.path().join("files");
    std::fs::create_dir(&dir).unwrap();
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let bytes: Vec<u8> = (0..200_001u32).map(|n| (n % 251) as u8).collect();
    ssh.upload(&at("backup.bin"), &bytes, SOON).await.unwrap();
    ssh.upload(&at("backup.bin"), &bytes[..100_000], SOON).await.unwrap();
    ssh.upload(&at("empty"), b"", SOON).await.unwrap();
    let read = ssh.download(&at("backup.bin"), 1 << 20, SOON).await.unwrap();
    assert!(read == bytes[..100_000], "written anew, not over");
    assert_eq!(ssh.download(&at("empty"), 1, SOON).await.unwrap(), b"");
    assert_eq!(ssh.download(&at("backup.bin"), 99_999, SOON).await, Err(RouterError::TooLarge { limit: 99_999 }));
    let mut names: Vec<(String, Option<u64>, Option<bool>)> =
        ssh.files(dir.to_str().unwrap(), SOON).await.unwrap().into_iter().map(|file| (file.name, file.size, file.is_directory)).collect();
    names.sort();
    assert_eq!(names, [("backup.bin".to_owned(), Some(100_000), Some(false)), ("empty".to_owned(), Some(0), Some(false))]);
    assert!(matches!(ssh.upload(&at("x.Auto.RSC"), b"/quit", SOON).await, Err(RouterError::Argument { .. })));
    assert!(!dir.join("x.Auto.RSC").exists());
    ssh.remove_file(&at("empty"), SOON).await.unwrap();
    assert_eq!(ssh.remove_file(&at("empty"), SOON).await, Err(RouterError::NotFound));
    assert_eq!(ssh.download(&at("gone"), 1, SOON).await, Err(RouterError::NotFound));
}

#[tokio::test]
async fn openssh_without_files_says_so() {
    let Some(server) = openssh(&["Subsystem none /bin/false"]).await else { return };
    let config = server.dir.path().join("config");
    assert!(std::fs::read_to_string(config).unwrap().contains("internal-sftp"), "this test is about the client's channel alone");
    let ssh = client(&server, "id_ed25519").await;
    assert!(ssh.files("/nowhere/at/all", SOON).await.is_err());
    assert!(ssh.exec("true", SOON).await.is_ok(), "the connection is still good, or made anew");
}

#[tokio::test]
async fn dropbear_shows_its_key_and_refuses_a_stranger() {
    let (Some(dropbear), Some(keygen)) = (program("dropbear"), program("dropbearkey")) else { return };
    let server = serve(|dir, port| {
        let key = dir.join("key").to_str().unwrap().to_owned();
        run(&keygen, &["-t", "ed25519", "-f", &key]);
        let mut command = Command::new(&dropbear);
        command.args(["-F", "-E", "-p", &format!("127.0.0.1:{port}"), "-r", &key, "-P", dir.join("pid").to_str().unwrap()]);
        command
    })
    .await;
    let shown = probe_host_key("127.0.0.1", server.port, SOON).await.unwrap();
    assert_eq!(shown.algorithm, "ssh-ed25519");
    let stranger = russh::keys::PrivateKey::from(russh::keys::ssh_key::private::Ed25519Keypair::from_seed(&[9; 32]));
    let key = Key::parse(&stranger.to_openssh(russh::keys::ssh_key::LineEnding::LF).unwrap()).unwrap();
    for (login, denial) in
        [(Login::Key(key), Denial::SshKey), (Login::Password(routeros_mcp::base::secret::Secret::new("not it")), Denial::SshPassword)]
    {
        let ssh = Ssh::new(endpoint(&server, shown.fingerprint.clone(), login)).unwrap();
        let error = ssh.connect().await.unwrap_err();
        assert!(matches!(error, RouterError::Denied { denial: said, .. } if said == denial), "{error}");
    }
}
