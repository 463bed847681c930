//! The simulated router's SSH server: logins, commands, terminals with safe mode, files.
//!
//! The client is russh used plainly: a test that used ours would only show that the two agree.

mod sftp;

use crate::sim_rest::until;
use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::sim::faults::{Line, SshFault, SshRule};
use routeros_mcp::sim::profiles::{Profile, Version};
use routeros_mcp::sim::{Options, Sim};
use russh::client::{self, AuthResult, Handle};
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate, key::safe_rng};
use russh::{Channel, ChannelMsg};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A router under load may be slow; one that hangs must not hang the test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Trusts everyone and notes the key.
#[derive(Default, Clone)]
pub(crate) struct Trusting(Arc<Mutex<Option<String>>>);

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = shown {
            *self.0.lock().unwrap() = Some(key.fingerprint(HashAlg::Sha256).to_string());
        }
        Ok(true)
    }
}

pub(crate) async fn connect(sim: &Sim) -> Result<(Handle<Trusting>, String), russh::Error> {
    let handler = Trusting::default();
    let seen = handler.0.clone();
    let handle = client::connect(Arc::new(client::Config::default()), ("127.0.0.1", sim.ssh_port()), handler).await?;
    let key = seen.lock().unwrap().clone().unwrap_or_default();
    Ok((handle, key))
}

pub(crate) async fn login(sim: &Sim, user: &str, password: &str) -> Handle<Trusting> {
    let (mut handle, _) = connect(sim).await.unwrap();
    assert!(handle.authenticate_password(user, password).await.unwrap().success(), "{user} was not let in");
    handle
}

pub(crate) async fn admin(sim: &Sim) -> Handle<Trusting> {
    login(sim, "admin", "sim-admin-pass").await
}

/// Standard output, standard error and the exit status of one command.
pub(crate) async fn run(handle: &Handle<Trusting>, command: &str) -> (Vec<u8>, Vec<u8>, Option<u32>) {
    let mut channel = handle.channel_open_session().await.unwrap();
    channel.exec(true, command).await.unwrap();
    let (mut out, mut err, mut status) = (Vec::new(), Vec::new(), None);
    tokio::time::timeout(PATIENCE, async {
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => out.extend(data.to_vec()),
                ChannelMsg::ExtendedData { data, .. } => err.extend(data.to_vec()),
                ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
                _ => {}
            }
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{command:?} did not end; so far {}", String::from_utf8_lossy(&out)));
    (out, err, status)
}

/// Standard output as text, without its last line end.
pub(crate) async fn said(handle: &Handle<Trusting>, command: &str) -> String {
    String::from_utf8_lossy(&run(handle, command).await.0).trim_end_matches("\r\n").to_string()
}

async fn sim(profile: Profile) -> Sim {
    Sim::start(Options::new(profile, "")).await.unwrap()
}

#[tokio::test]
async fn output_has_cr_lf_and_errors_come_on_stdout_with_status_zero() {
    let sim = sim(Profile::Office).await;
    let handle = admin(&sim).await;
    let cases = [
        (":put hello; :put \"two words\"", "hello\r\ntwo words\r\n"),
        ("foo", "bad command name foo (line 1 column 1)\r\n"),
        ("/ip/foo/print", "bad command name foo (line 1 column 5)\r\n"),
        ("/ip/address/print nothing", "expected end of command (line 1 column 19)\r\n"),
        ("/ip/address/remove *FFFF", "no such item\r\n"),
        ("/ip/service/set www-ssl certificate=no-such-thing tls-version=9", "input does not match any value of tls-version\r\n"),
        ("/ip/firewall/address-list/add list=mgmt address=10.20.99.0/24", "failure: already have such entry\r\n"),
        (":put \"open", "expected closing quote (line 1 column 6)\r\n"),
        (":put one\n:put two", "one\r\n"),
    ];
    for (command, want) in cases {
        let (out, err, status) = run(&handle, command).await;
        assert_eq!((String::from_utf8_lossy(&out).as_ref(), err.len(), status), (want, 0, Some(0)), "{command}");
    }
    assert_eq!(sim.commands().len(), cases.len());
    assert_eq!(sim.commands()[1].text, "foo");
}

#[tokio::test]
async fn policies_count_over_ssh_as_over_rest() {
    let sim = sim(Profile::HomeAp).await;
    let (mut handle, _) = connect(&sim).await.unwrap();
    let monitor = handle.authenticate_password("monitor", "sim-monitor-pass").await.unwrap();
    assert!(!monitor.success(), "monitor's group has no ssh policy");
    let mcp = login(&sim, "mcp", "sim-mcp-pass").await;
    assert_eq!(said(&mcp, "/user/add name=x group=full password=y").await, "not enough permissions (9)");
    assert_eq!(said(&mcp, "/system/scheduler/add name=x").await, "failure: not allowed by device-mode (/system/scheduler/add; line 1)");
    let active = sim.world().rows("/user/active");
    assert!(active.iter().any(|r| (r.get("name"), r.get("via")) == (Some("mcp"), Some("ssh"))));
    let log = sim.world().rows("/log");
    assert!(
        log.iter()
            .any(|r| r.get("message").is_some_and(|m| m.starts_with("login failure for user monitor from") && m.ends_with("via ssh")))
    );
    assert!(log.iter().any(|r| r.get("message").is_some_and(|m| m.starts_with("user mcp logged in from") && m.ends_with("via ssh"))));
}

#[tokio::test]
async fn keys_let_in_and_shut_the_password_out() {
    for (version, old) in [(Version::V7_20, true), (Version::V7_24, false)] {
        let sim = Sim::start(Options { version: Some(version), ..Options::new(Profile::Office, "") }).await.unwrap();
        let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
        let text = key.public_key().to_openssh().unwrap();
        let handle = admin(&sim).await;
        assert_eq!(said(&handle, &format!("/user/ssh-keys/add user=admin key=\"{text}\"")).await, "");
        let (mut by_key, _) = connect(&sim).await.unwrap();
        let with = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        assert!(by_key.authenticate_publickey("admin", with).await.unwrap().success());
        let (mut stranger, _) = connect(&sim).await.unwrap();
        let other = PrivateKeyWithHashAlg::new(Arc::new(PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap()), None);
        assert!(!stranger.authenticate_publickey("admin", other).await.unwrap().success());
        let password = || async {
            let (mut handle, _) = connect(&sim).await.unwrap();
            matches!(handle.authenticate_password("admin", "sim-admin-pass").await.unwrap(), AuthResult::Success)
        };
        assert!(!password().await, "a user with a key cannot use its password");
        let switch = if old { "always-allow-password-login=yes" } else { "password-authentication=yes" };
        assert_eq!(said(&by_key, &format!("/ip/ssh/set {switch}")).await, "");
        assert!(password().await, "{switch}");
        assert!(said(&by_key, "/user/ssh-keys/add user=admin key=\"ecdsa-sha2-nistp256 AAAA\"").await.contains("wrong format"));
    }
}

#[tokio::test]
async fn an_empty_password_needs_none_and_terminal_options_are_no_part_of_the_name() {
    let sim = sim(Profile::Chr).await;
    sim.world().set("/user", "admin", "password", "");
    let (mut handle, _) = connect(&sim).await.unwrap();
    assert!(handle.authenticate_none("admin+cte200w").await.unwrap().success());
}

#[tokio::test]
async fn the_service_can_be_off_elsewhere_or_show_another_key() {
    let sim = sim(Profile::Office).await;
    let (_, first) = connect(&sim).await.unwrap();
    assert_eq!(first, sim.host_key());
    sim.change_host_key();
    let (_, second) = connect(&sim).await.unwrap();
    assert!(second == sim.host_key() && first != second);
    sim.world().set("/ip/service", "ssh", "address", "192.0.2.0/24");
    assert!(connect(&sim).await.is_err(), "we are not in the address list");
    sim.world().set("/ip/service", "ssh", "address", "");
    sim.world().set("/ip/service", "ssh", "disabled", "true");
    assert!(connect(&sim).await.is_err());
    sim.world().set("/ip/service", "ssh", "disabled", "false");
    sim.faults().set_ssh_line(Line::PlainOnTls);
    assert!(connect(&sim).await.is_err(), "something else listens there");
    sim.faults().clear();
    assert!(connect(&sim).await.is_ok());
}

#[tokio::test]
async fn faults_strike_commands() {
    let sim = sim(Profile::Office).await;
    let handle = admin(&sim).await;
    sim.faults().inject_ssh(SshRule::once(SshFault::Garbage));
    assert!(run(&handle, ":put a").await.0.starts_with(b"\x1b[6n\x00\xff"));
    sim.faults().inject_ssh(SshRule::once(SshFault::NoExitStatus).on("/ip"));
    assert_eq!(run(&handle, ":put a").await.2, Some(0));
    assert_eq!(run(&handle, "/ip/address/print count-only").await, (b"10\r\n".to_vec(), Vec::new(), None));
    sim.faults().inject_ssh(SshRule::once(SshFault::Silent));
    let silent = handle.channel_open_session().await.unwrap();
    silent.exec(true, ":put a").await.unwrap();
    assert_eq!(said(&handle, ":put b").await, "b", "other channels go on");
    sim.faults().inject_ssh(SshRule::once(SshFault::DropMidAnswer));
    let (out, _, status) = run(&handle, ":put 123456").await;
    assert!(out.len() < 8 && status.is_none(), "{out:?}");
}

#[tokio::test]
async fn bytes_that_are_no_utf8_go_in_and_out_as_they_are() {
    let sim = sim(Profile::Office).await;
    let handle = admin(&sim).await;
    let mut channel = handle.channel_open_session().await.unwrap();
    channel.exec(true, &b"/ip/dns/static/add name=x.example type=A address=192.0.2.9 comment=\"caf\xe9 \\C3\\A9\""[..]).await.unwrap();
    while channel.wait().await.is_some() {}
    let (out, ..) = run(&handle, ":put [/ip/dns/static/get [find name=\"x.example\"] comment]").await;
    assert_eq!(out, b"caf\xe9 \xc3\xa9\r\n");
}

/// A terminal, read until what is wanted has come.
pub(crate) struct Terminal {
    channel: Channel<client::Msg>,
    seen: String,
}

impl Terminal {
    pub(crate) async fn open(handle: &Handle<Trusting>) -> Self {
        let channel = handle.channel_open_session().await.unwrap();
        channel.request_pty(true, "xterm", 10_000, 50, 0, 0, &[]).await.unwrap();
        channel.request_shell(true).await.unwrap();
        Terminal { channel, seen: String::new() }
    }

    pub(crate) async fn until(&mut self, want: &str) -> String {
        tokio::time::timeout(PATIENCE, async {
            while !self.seen.contains(want) {
                match self.channel.wait().await {
                    Some(ChannelMsg::Data { data }) => self.seen.push_str(&String::from_utf8_lossy(&data)),
                    Some(_) => {}
                    None => panic!("ended without {want:?}: {:?}", self.seen),
                }
            }
        })
        .await
        .unwrap_or_else(|_| panic!("no {want:?} in {:?}", self.seen));
        let at = self.seen.find(want).unwrap() + want.len();
        let before = self.seen[..at].to_string();
        self.seen.drain(..at);
        before
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.channel.data_bytes(text.as_bytes().to_vec()).await.unwrap();
    }
}

fn comments(sim: &Sim) -> Vec<String> {
    sim.world().rows("/ip/firewall/address-list").iter().filter_map(|r| r.get("comment").map(String::from)).collect()
}

const ADD: &str = "/ip/firewall/address-list/add list=t address=192.0.2.77 comment=in-safe-mode\r";

#[tokio::test]
async fn a_terminal_has_a_prompt_a_menu_and_safe_mode() {
    for (version, taken) in [(Version::V7_20, "[Safe Mode taken]\r\n"), (Version::V7_23, "Taking Safe Mode session... Success!\r\n")] {
        let sim = Sim::start(Options { version: Some(version), ..Options::new(Profile::Office, "gw") }).await.unwrap();
        sim.faults().set_notice_of_loss(Duration::ZERO);
        let handle = admin(&sim).await;
        let mut terminal = Terminal::open(&handle).await;
        terminal.until("\x1b[6n").await;
        terminal.until("[admin@gw] > ").await;
        terminal.send("/ip/route\r").await;
        terminal.until("[admin@gw] /ip/route> ").await;
        terminal.send("print count-only\r").await;
        let routes = sim.world().rows("/ip/route").len();
        terminal.until(&format!("\r\n{routes}\r\n")).await;
        terminal.send("/\r").await;
        terminal.until("[admin@gw] > ").await;
        terminal.send("\x18").await;
        terminal.until(taken).await;
        terminal.until("[admin@gw] <SAFE> ").await;
        terminal.send(ADD).await;
        terminal.until("<SAFE> ").await;
        assert!(comments(&sim).contains(&"in-safe-mode".to_string()));
        // Ctrl-D takes everything back.
        terminal.send("\x04").await;
        while terminal.channel.wait().await.is_some() {}
        assert!(!comments(&sim).contains(&"in-safe-mode".to_string()));
        // Ctrl-X twice keeps it.
        let mut terminal = Terminal::open(&handle).await;
        terminal.until("> ").await;
        terminal.send("\x18").await;
        terminal.until("<SAFE> ").await;
        terminal.send(ADD).await;
        terminal.until("<SAFE> ").await;
        terminal.send("\x18").await;
        terminal.until("[admin@gw] > ").await;
        assert!(comments(&sim).contains(&"in-safe-mode".to_string()));
    }
}

#[tokio::test]
async fn safe_mode_has_one_holder_and_ends_with_its_connection() {
    let (clock, hand) = Clock::by_hand(Wall::parse("2026-11-25").unwrap());
    let sim = Sim::start(Options { clock, version: Some(Version::V7_24), ..Options::new(Profile::Office, "gw") }).await.unwrap();
    let first = admin(&sim).await;
    let mut holder = Terminal::open(&first).await;
    holder.until("> ").await;
    holder.send("\x18").await;
    holder.until("<SAFE> ").await;
    holder.send(ADD).await;
    holder.until("<SAFE> ").await;
    let second = admin(&sim).await;
    let mut other = Terminal::open(&second).await;
    other.until("> ").await;
    other.send("\x18").await;
    other.until("Safe Mode is taken by current user in another session. Unroll, release or abort [u/r]?").await;
    other.send("a").await;
    other.until("[admin@gw] > ").await;
    // The holder's connection goes; the router notices two seconds later, by its own clock.
    first.disconnect(russh::Disconnect::ByApplication, "", "").await.unwrap();
    until(|| sim.faults().ssh_connections().now() == 1).await;
    assert!(comments(&sim).contains(&"in-safe-mode".to_string()));
    hand.advance(Duration::from_secs(3));
    until(|| !comments(&sim).contains(&"in-safe-mode".to_string())).await;
}

#[tokio::test]
async fn too_many_actions_end_safe_mode_and_keep_everything() {
    let sim = Sim::start(Options { version: Some(Version::V7_23), ..Options::new(Profile::Office, "gw") }).await.unwrap();
    let handle = admin(&sim).await;
    let mut terminal = Terminal::open(&handle).await;
    terminal.until("> ").await;
    terminal.send("\x18").await;
    terminal.until("<SAFE> ").await;
    terminal.send(":for i from=1 to=101 do={ /ip/firewall/address-list/add list=many address=(\"192.0.2.\" . $i) }\r").await;
    terminal.until("[admin@gw] > ").await;
    assert_eq!(said(&handle, "/ip/firewall/address-list/print count-only where list=many").await, "101");
}
