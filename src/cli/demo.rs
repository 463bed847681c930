//! `demo`: a small simulated site and the whole appliance on loopback, with a throw-away store.
//!
//! | file | holds |
//! |---|---|
//! | `client.rs` | the MCP client that makes its calls |
//! | `story.rs` | safe change, step by step |

use crate::access::principal::Principal;
use crate::access::role::Role;
use crate::access::token::{self, Wanted};
use crate::app::App;
use crate::base::clock::Clock;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::base::secret::Secret;
use crate::base::selector::Selector;
use crate::cli::args::Demo;
use crate::cli::demo::client::Client;
use crate::cli::demo::story::Stage;
use crate::cli::{output, ready};
use crate::config::{self, Inputs};
use crate::control;
use crate::dispatch::Call;
use crate::fleet::{Capability, Device};
use crate::host::paths::Places;
use crate::host::signal::Signals;
use crate::routeros::pin::format_fingerprint;
use crate::sim::profiles::Profile;
use crate::sim::{Options, Sim};
use crate::tools::spec::Audience;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod client;
mod story;

/// Where the simulated routers are.
const LOOPBACK: &str = "127.0.0.1";

/// Devices taken in at once while the site comes up.
const AT_ONCE: usize = 16;

/// Brings the site up, shows one call through a real stdio client and how a change stays safe, and stays until a signal.
///
/// Programs (`--json`, `--ready-fd`) get the site as it is: nothing is changed on their routers.
pub async fn run(inputs: Inputs, arguments: Demo, as_json: bool) -> Result<(), Fault> {
    let mut signals = Signals::listen().map_err(Fault::bug)?;
    let (dir, ours) = place(&inputs).await?;
    let loaded = config::load(&hermetic(&dir))?;
    let said = |line: &str| {
        if !as_json {
            output::text(line);
        }
    };
    said(&format!("Starting {} simulated routers.", arguments.devices));
    let (clock, tempo) = Clock::paced();
    let app = App::build_on(&loaded, clock.clone()).await?;
    let site = start(arguments.devices, &clock).await?;
    let devices = adopt(&app, &site).await?;
    let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    app.open_doors().await?;
    let web = Web::open(&app).await?;
    let command = std::env::current_exe().map_err(Fault::bug)?;
    let args = json!(["--data-dir", dir, "stdio"]);
    let line = json!({
        "ready": true, "data_dir": dir, "command": command, "args": args,
        "control": app.places.control_socket(), "pid": std::process::id(),
        "http": web.url, "user": USER, "password": web.password, "token": web.token,
        "devices": devices.iter().zip(&site).map(|(device, (_, sim))| describe(device, sim)).collect::<Vec<_>>(),
    });
    let client = json!({"mcpServers": {"routeros": {"command": command, "args": args}}});
    let pages = format!(
        "\nAdmin pages: {}/admin/ (user {USER}, password {})\nMCP over HTTP: {}/mcp (token {})",
        web.url, web.password, web.url, web.token
    );
    if as_json {
        output::json(&line);
    }
    said(&output::folded("", &format!("Devices: {}.", in_short(&names))));
    said(&pages);
    said("\nMCP client configuration, ready to paste (it works while this demo runs):\n");
    said(&serde_json::to_string_pretty(&client).map_err(Fault::bug)?);
    let name = names.first().copied().unwrap_or_default();
    said(&format!("\nA first question, through an MCP client: system.get_overview of {name}\n"));
    let assistant = Client::start(&command, &dir).await?;
    let overview = assistant.call("system.get_overview", json!({"device": name})).await?;
    said(overview["content"][0]["text"].as_str().unwrap_or_default());
    if let Some(fd) = arguments.ready_fd {
        ready::tell(fd, &line)?;
    }
    let mut over = false;
    if !as_json
        && arguments.ready_fd.is_none()
        && let Some((_, router)) = site.first()
    {
        let stage = Stage { app: &app, router, name, clock, tempo, assistant: assistant.clone() };
        tokio::select! {
            told = story::play(&stage) => told?,
            _ = signals.end() => over = true,
        }
    }
    if !arguments.once && !over {
        said("\nThe demo stays up until Ctrl-C.");
        signals.end().await;
    }
    drop(assistant);
    app.close().await;
    for (_, sim) in site {
        sim.stop().await;
    }
    if ours {
        let _ = std::fs::remove_dir_all(&dir);
    }
    Ok(())
}

/// Who signs in to the demo's admin pages.
const USER: &str = "demo";

/// The listener of the demo, and what opens it: made up for it, worth nothing elsewhere.
struct Web {
    url: String,
    password: String,
    token: String,
}

impl Web {
    async fn open(app: &App) -> Result<Web, Fault> {
        let access = &app.dispatch.world().access;
        let password = format!("demo-{}", hex(&random::<6>()));
        access.add(USER, Role::Admin, Secret::new(password.clone())).await?;
        let secret = token::make();
        let digest = token::digest(secret.expose());
        let wanted =
            Wanted { name: USER.into(), digest, role: Some(Role::OpsRw), devices: vec![Selector::All], owner: None, expires_at: None };
        access.add_token(wanted).await?;
        let listener = app.listen().await?;
        Ok(Web { url: listener.url, password, token: secret.expose().to_owned() })
    }
}

/// The first few names, and how many more there are.
fn in_short(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names[..names.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// The throw-away state directory, or the one given; only the first is ours to delete.
async fn place(inputs: &Inputs) -> Result<(PathBuf, bool), Fault> {
    if let Some(dir) = &inputs.data_dir {
        let dir = std::path::absolute(dir).map_err(Fault::bug)?;
        if dir.join(MARK).exists() {
            if control::client::hello(&Places::find(Some(&dir), |_| None, false).map_err(Fault::bug)?.control_socket()).await.is_ok() {
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
    // The routers are on this machine: they answer soon, however busy it is, or are meant not to.
    let flags = [
        ("store.volatile", "true"),
        ("log.level", "WARN"),
        ("mcp.transport", "both"),
        ("mcp.http_port", "0"),
        ("routeros.requests_per_second", "100"),
        ("routeros.connect_timeout_seconds", "1"),
        ("routeros.rest_timeout_seconds", "3"),
    ];
    let flags = flags.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Inputs { config_flag: None, data_dir: Some(dir.to_owned()), flags, env: vec![("ROUTEROS_MCP_CONFIG_FILE".into(), String::new())] }
}

/// Routers of every kind in turn, the office first.
async fn start(count: u32, clock: &Clock) -> Result<Vec<(String, Sim)>, Fault> {
    const KINDS: [(Profile, &str); 4] =
        [(Profile::Office, "office-gw"), (Profile::HomeAp, "home-ap"), (Profile::Chr, "cloud-chr"), (Profile::WispTower, "wisp-tower")];
    let mut site = Vec::new();
    for n in 0..count as usize {
        // The tower's thousands of rows are worth their memory once, not a thousand times.
        let (profile, base) = if n < KINDS.len() { KINDS[n] } else { KINDS[n % 3] };
        let name = if n < KINDS.len() { base.to_owned() } else { format!("{base}-{}", n + 1) };
        let options = Options { clock: clock.clone(), seed: n as u64 + 1, plain: false, ..Options::new(profile, &name) };
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
            "capabilities": Capability::ALL.map(Capability::as_str),
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
