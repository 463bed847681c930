//! `demo`: a small simulated site and the whole appliance on loopback, with a throw-away store.

use crate::access::principal::Principal;
use crate::app::App;
use crate::base::clock::Clock;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::cli::args::Demo;
use crate::cli::{output, ready};
use crate::config::{self, Inputs};
use crate::control::client;
use crate::dispatch::Call;
use crate::fleet::Device;
use crate::host::paths::Places;
use crate::host::signal::Signals;
use crate::routeros::pin::format_fingerprint;
use crate::sim::profiles::Profile;
use crate::sim::{Options, Sim};
use crate::tools::spec::Audience;
use futures_util::stream::{self, StreamExt};
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Where the simulated routers are.
const LOOPBACK: &str = "127.0.0.1";

/// Devices taken in at once while the site comes up.
const AT_ONCE: usize = 16;

/// Brings the site up, shows one call through a real stdio client, and stays until a signal.
pub async fn run(inputs: Inputs, arguments: Demo, as_json: bool) -> Result<(), Fault> {
    let mut signals = Signals::listen().map_err(Fault::bug)?;
    let (dir, ours) = place(&inputs).await?;
    let loaded = config::load(&hermetic(&dir))?;
    let said = |line: &str| {
        if !as_json {
            output::text(line);
        }
    };
    said(&format!("starting {} simulated routers", arguments.devices));
    let app = App::build(&loaded).await?;
    let site = start(arguments.devices).await?;
    let devices = adopt(&app, &site).await?;
    let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    app.open_doors().await?;
    let command = std::env::current_exe().map_err(Fault::bug)?;
    let args = json!(["--data-dir", dir, "stdio"]);
    let line = json!({
        "ready": true, "data_dir": dir, "command": command, "args": args,
        "control": app.places.control_socket(), "pid": std::process::id(),
        "devices": devices.iter().zip(&site).map(|(device, (_, sim))| describe(device, sim)).collect::<Vec<_>>(),
    });
    let client = json!({"mcpServers": {"routeros": {"command": command, "args": args}}});
    if as_json {
        output::json(&line);
    }
    said(&format!("devices: {}", names.join(", ")));
    said("\nMCP client configuration, ready to paste (it works while this demo runs):\n");
    said(&serde_json::to_string_pretty(&client).map_err(Fault::bug)?);
    said("\nThe admin page and HTTP with tokens are not in this build yet; stdio is the way in.");
    let name = names.first().copied().unwrap_or_default().to_owned();
    said(&format!("\nA sample call, through a stdio client of its own: system.get_overview {{\"device\": \"{name}\"}}\n"));
    let (exe, state) = (command.clone(), dir.clone());
    let answer = tokio::task::spawn_blocking(move || sample(&exe, &state, &name)).await.map_err(Fault::bug)??;
    said(&answer);
    if let Some(fd) = arguments.ready_fd {
        ready::tell(fd, &line)?;
    }
    if !arguments.once {
        said("\nThe demo stays up until Ctrl-C.");
        signals.end().await;
    }
    app.close().await;
    for (_, sim) in site {
        sim.stop().await;
    }
    if ours {
        let _ = std::fs::remove_dir_all(&dir);
    }
    Ok(())
}

/// The throw-away state directory, or the one given; only the first is ours to delete.
async fn place(inputs: &Inputs) -> Result<(PathBuf, bool), Fault> {
    if let Some(dir) = &inputs.data_dir {
        let dir = std::path::absolute(dir).map_err(Fault::bug)?;
        if dir.join(MARK).exists() {
            if client::hello(&Places::find(Some(&dir), |_| None, false).map_err(Fault::bug)?.control_socket()).await.is_ok() {
                return Err(Fault::new(Kind::Conflict, format!("a demo is running in {}", dir.display()))
                    .hint("end it first, or name a new directory"));
            }
            // An earlier demo's: its routers are gone, so is the use of its records.
            for part in ["routeros-mcp.redb", "master.key"] {
                let _ = std::fs::remove_file(dir.join(part));
            }
            let _ = std::fs::remove_dir_all(dir.join("audit"));
        } else if dir.join("routeros-mcp.redb").exists() {
            let said = format!("{} holds a store already; a demo would put its routers among yours", dir.display());
            return Err(Fault::bad_input(said).hint("name a new directory, or leave --data-dir out"));
        }
        mark(&dir)?;
        return Ok((dir, false));
    }
    let dir = std::env::temp_dir().join(format!("routeros-mcp-demo-{}", hex(&random::<4>())));
    std::fs::create_dir_all(&dir).map_err(|error| Fault::new(Kind::Storage, format!("demo directory {}: {error}", dir.display())))?;
    Ok((dir, true))
}

/// The file that says that a directory is a demo's.
const MARK: &str = "routeros-mcp.demo";

fn mark(dir: &Path) -> Result<(), Fault> {
    let made = std::fs::create_dir_all(dir).and_then(|()| std::fs::write(dir.join(MARK), "a throw-away store\n"));
    made.map_err(|error| Fault::new(Kind::Storage, format!("demo directory {}: {error}", dir.display())))
}

/// The defaults of a lab, whatever this machine's own configuration says.
fn hermetic(dir: &Path) -> Inputs {
    let flags = vec![("store.volatile".to_owned(), "true".to_owned()), ("log.level".to_owned(), "WARN".to_owned())];
    Inputs { config_flag: None, data_dir: Some(dir.to_owned()), flags, env: vec![("ROUTEROS_MCP_CONFIG_FILE".into(), String::new())] }
}

/// Routers of every kind in turn, the office first.
async fn start(count: u32) -> Result<Vec<(String, Sim)>, Fault> {
    const KINDS: [(Profile, &str); 4] =
        [(Profile::Office, "office-gw"), (Profile::HomeAp, "home-ap"), (Profile::Chr, "cloud-chr"), (Profile::WispTower, "wisp-tower")];
    let mut site = Vec::new();
    for n in 0..count as usize {
        // The tower's thousands of rows are worth their memory once, not a thousand times.
        let (profile, base) = if n < KINDS.len() { KINDS[n] } else { KINDS[n % 3] };
        let name = if n < KINDS.len() { base.to_owned() } else { format!("{base}-{}", n + 1) };
        let options = Options { clock: Clock::system(), seed: n as u64 + 1, plain: false, ..Options::new(profile, &name) };
        site.push((name, Sim::start(options).await.map_err(Fault::bug)?));
    }
    Ok(site)
}

/// Takes every router into care as an operator would, trusting what it presents.
async fn adopt(app: &App, site: &[(String, Sim)]) -> Result<Vec<Arc<Device>>, Fault> {
    let add = |(name, sim): &(String, Sim)| {
        let name = name.clone();
        let mcp = sim.credentials().mcp;
        let arguments = json!({
            "name": name, "address": LOOPBACK, "rest_port": sim.https_port(), "ssh_port": sim.ssh_port(),
            "username": mcp.user, "password": mcp.password.expose(),
            "tls_fingerprint": format_fingerprint(&sim.fingerprint()), "ssh_fingerprint": sim.host_key(), "tags": ["site=demo"],
        });
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let call = Call::new("device.add", arguments, Arc::new(Principal::operator()), Audience::Operator);
        async move {
            let reply = app.dispatch.call(call).await;
            match reply.fault {
                None => app.dispatch.world().fleet.find(&name),
                Some(kind) => Err(Fault::new(kind, format!("device {name}: {}", reply.text))),
            }
        }
    };
    let added: Vec<Result<Arc<Device>, Fault>> = stream::iter(site.iter().map(add)).buffered(AT_ONCE).collect().await;
    added.into_iter().collect()
}

/// What a script needs to reach a simulated router itself. Its password is the demo's own, worth nothing elsewhere.
fn describe(device: &Device, sim: &Sim) -> Value {
    json!({
        "id": device.id.as_str(), "name": device.name, "address": device.address, "rest_port": device.rest_port, "ssh_port": device.ssh_port,
        "tls_fingerprint": format_fingerprint(&sim.fingerprint()), "ssh_fingerprint": sim.host_key(), "environment": device.environment.as_str(),
        "username": device.username, "password": sim.credentials().mcp.password.expose(),
    })
}

/// One call as an MCP client makes it: a child process, `initialize`, `tools/call`.
fn sample(command: &Path, dir: &Path, device: &str) -> Result<String, Fault> {
    let gone = |error: std::io::Error| Fault::new(Kind::Bug, "the sample client failed").cause(error);
    let mut child = Command::new(command)
        .arg("--data-dir")
        .arg(dir)
        .arg("stdio")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // What goes wrong is said where the demo runs; the log of a healthy client is noise there.
        .env("ROUTEROS_MCP_LOG_LEVEL", "ERROR")
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(gone)?;
    let (mut to, from) = (child.stdin.take(), child.stdout.take());
    let mut lines = from.map(BufReader::new).into_iter().flat_map(BufReader::lines);
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "routeros-mcp demo", "version": env!("CARGO_PKG_VERSION")}}});
    let begun = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let mut arguments = Map::new();
    arguments.insert("device".into(), device.into());
    let call =
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "system.get_overview", "arguments": arguments}});
    if let Some(to) = &mut to {
        write!(to, "{hello}\n{begun}\n{call}\n").map_err(gone)?;
    }
    let mut text = None;
    for line in lines.by_ref() {
        let answer: Value = serde_json::from_str(&line.map_err(gone)?).map_err(Fault::bug)?;
        if answer["id"] == 2 {
            text = answer["result"]["content"][0]["text"].as_str().map(str::to_owned);
            break;
        }
    }
    drop(to);
    let _ = child.wait();
    text.ok_or_else(|| Fault::new(Kind::Bug, "the sample client got no answer"))
}
