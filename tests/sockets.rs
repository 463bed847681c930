//! Sockets that a service manager opened for us, in the real program: systemd's protocol, and systemd's own tool.

use crate::cli_rig::{PATIENCE, Rig, Running};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

fn socket(at: &str) -> (TcpListener, SocketAddr) {
    let socket = TcpListener::bind(at).unwrap();
    let at = socket.local_addr().unwrap();
    (socket, at)
}

/// The daemon with two sockets under these names, as descriptors 3 and 4. Its ready line comes on the standard error.
fn with_sockets(rig: &Rig, names: &str, sockets: [TcpListener; 2]) -> Command {
    let mut shell = Command::new("sh");
    rig.prepare(&mut shell);
    // Whatever starts us has the sockets as its input and output; the shell puts them where systemd does.
    let line = "exec 3<&0 4>&1 0</dev/null 1>/dev/null; LISTEN_PID=$$ LISTEN_FDS=2 exec \"$0\" \"$@\" --once-ready-fd 2";
    shell.args(["-c", line, env!("CARGO_BIN_EXE_routeros-mcp"), "--data-dir"]).arg(rig.state()).arg("serve");
    let [first, second] = sockets.map(OwnedFd::from);
    shell.env("LISTEN_FDNAMES", names).stdin(Stdio::from(first)).stdout(Stdio::from(second));
    shell
}

/// Starts it and reads its log until the line that says it is ready: the process and those lines.
fn ready(mut command: Command) -> (std::process::Child, Vec<String>) {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    for line in lines.by_ref() {
        seen.push(line.unwrap());
        if seen.last().is_some_and(|line| line.contains("\"ready\":true")) {
            break;
        }
    }
    // Somebody must go on reading.
    std::thread::spawn(move || lines.for_each(drop));
    (child, seen)
}

fn get(at: SocketAddr, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

#[test]
fn passed_sockets_are_served_by_their_names_and_others_are_warned_about() {
    let rig = Rig::new().with("ROUTEROS_MCP_LOG_FORMAT", "text").with("ROUTEROS_MCP_LOG_TARGET", "stderr");
    let ((http, at), (other, _)) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let (mut child, log) = ready(with_sockets(&rig, "http:ftp", [http, other]));
    assert!(get(at, "/health/live", "x").starts_with("HTTP/1.1 200"), "{log:?}");
    let log = log.join("\n");
    assert!(log.contains(&format!("\"http\":\"http://{at}\"")), "{log}");
    assert!(log.contains("a name that means nothing here") && log.contains("ftp"), "{log}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn with_tls_the_socket_https_is_the_listener_and_http_sends_people_there() {
    let rig = Rig::new().with("ROUTEROS_MCP_HTTP_TLS", "self-signed").with("ROUTEROS_MCP_HTTP_PUBLIC_URL", "https://mcp.example");
    let ((https, tls_at), (http, at)) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let (mut child, log) = ready(with_sockets(&rig, "https:http", [https, http]));
    assert!(log.join("\n").contains(&format!("\"http\":\"https://{tls_at}\"")), "{log:?}");
    assert!(!get(tls_at, "/health/live", "x").starts_with("HTTP/1.1"), "this one speaks TLS");
    let sent_on = get(at, "/admin/?a=1", "evil.example");
    assert!(sent_on.starts_with("HTTP/1.1 308") && sent_on.contains("location: https://mcp.example/admin/?a=1\r\n"), "{sent_on}");
    assert!(get(at, "/.well-known/acme-challenge/x", "mcp.example").starts_with("HTTP/1.1 308"), "nothing is being proven");
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(b"POST /mcp HTTP/1.1\r\nHost: mcp.example\r\nAuthorization: Bearer rmcp_x\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    let mut said = String::new();
    let _ = stream.read_to_string(&mut said);
    assert!(said.starts_with("HTTP/1.1 404"), "{said}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn one_name_may_have_several_sockets() {
    let rig = Rig::new();
    let ((one, at), (two, also_at)) = (socket("127.0.0.1:0"), socket("127.0.0.2:0"));
    let (mut child, log) = ready(with_sockets(&rig, "http:http", [one, two]));
    for at in [at, also_at, at, also_at] {
        assert!(get(at, "/health/live", "x").starts_with("HTTP/1.1 200"), "{at}: {log:?}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_passed_socket_for_metrics_has_them_to_itself_without_any_setting() {
    let rig = Rig::new();
    let ((http, at), (metrics, metrics_at)) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let (mut child, log) = ready(with_sockets(&rig, "http:metrics", [http, metrics]));
    assert!(get(metrics_at, "/metrics", "localhost").starts_with("HTTP/1.1 200"), "{log:?}");
    assert!(get(metrics_at, "/health/live", "localhost").starts_with("HTTP/1.1 404"), "nothing else is there");
    assert!(get(at, "/metrics", "localhost").starts_with("HTTP/1.1 404"), "and they are nowhere else");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_plain_socket_that_others_reach_is_refused_as_the_setting_would_be() {
    let rig = Rig::new();
    let ((http, _), (other, _)) = (socket("0.0.0.0:0"), socket("127.0.0.1:0"));
    let done = crate::cli_rig::finish(with_sockets(&rig, "http:metrics", [http, other]), "");
    assert_eq!(done.code, 78, "{done:?}");
    assert!(done.err.contains("the passed socket http is not on loopback"), "{done:?}");
    let ((http, _), (metrics, _)) = (socket("127.0.0.1:0"), socket("0.0.0.0:0"));
    let done = crate::cli_rig::finish(with_sockets(&rig, "http:metrics", [http, metrics]), "");
    assert_eq!(done.code, 78, "{done:?}");
    assert!(done.err.contains("the passed socket metrics is not on loopback"), "{done:?}");
}

#[test]
fn variables_for_another_process_are_left_alone() {
    let rig = Rig::new().with("LISTEN_PID", "1").with("LISTEN_FDS", "1").with("LISTEN_FDNAMES", "http");
    let running: Running = rig.serve();
    assert!(running.ready()["http"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{}", running.ready());
}

#[test]
fn systemds_own_activator_starts_us_on_the_first_connection() {
    let activator = Path::new("/usr/bin/systemd-socket-activate");
    if !activator.exists() {
        eprintln!("ABSENT: systemd-socket-activate is not installed: nothing was tested against it");
        return;
    }
    let rig = Rig::new();
    let (held, at) = socket("127.0.0.1:0");
    drop(held);
    let mut command = Command::new(activator);
    rig.prepare(&mut command);
    command.args([
        "-l",
        &at.to_string(),
        "--fdname=http",
        "-E",
        "ROUTEROS_MCP_CONFIG_FILE=",
        env!("CARGO_BIN_EXE_routeros-mcp"),
        "--data-dir",
    ]);
    command.arg(rig.state()).arg("serve").stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let listens = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("Listening on")));
    assert!(listens.is_some(), "it listens before we run");
    std::thread::spawn(move || lines.for_each(drop));
    assert!(get(at, "/health/live", "x").starts_with("HTTP/1.1 200"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_shipped_socket_units_are_clean() {
    let analyze = Path::new("/usr/bin/systemd-analyze");
    if !analyze.exists() {
        eprintln!("ABSENT: systemd-analyze is not installed: the units were not verified");
        return;
    }
    let (from, dir) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd"), tempfile::tempdir().unwrap());
    let mut units = Vec::new();
    for entry in std::fs::read_dir(&from).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name.ends_with(".socket") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            // Hands connections to processes of their own; the daemon never sees it.
            if text.contains("Accept=yes") {
                continue;
            }
            let socket = text.lines().find_map(|line| line.strip_prefix("FileDescriptorName=")).unwrap_or_default();
            assert!(routeros_mcp::host::sockets::NAMES.contains(&socket), "{name}: {socket:?}");
            std::fs::write(dir.path().join(&name), text).unwrap();
            units.push(dir.path().join(name));
        }
    }
    assert_eq!(units.len(), 3, "{units:?}");
    // A socket is nothing without its service; what that one is made of is not the matter here.
    let service = dir.path().join("routeros-mcp.service");
    std::fs::write(&service, "[Unit]\nDescription=x\n[Service]\nType=notify\nExecStart=/bin/true\n").unwrap();
    let said = Command::new(analyze)
        .arg("verify")
        .args(&units)
        .arg(&service)
        .env("SYSTEMD_UNIT_PATH", format!("{}:", dir.path().display()))
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&said.stderr).into_owned();
    let ours: Vec<&str> = complaints.lines().filter(|line| line.contains("routeros-mcp")).collect();
    assert!(said.status.success() && ours.is_empty(), "{complaints}");
}
