//! `check`: the start-up checks, without serving.
//!
//! `--preflight` does only what needs no network and no bind, on a copy of the store: it is what a new build runs before
//! it may replace the old one.

use crate::alert;
use crate::app::App;
use crate::audit;
use crate::base::clock::Clock;
use crate::base::fault::{Fault, Kind};
use crate::cli::args::Check;
use crate::cli::fault::io_words;
use crate::cli::output;
use crate::config::sections::Transport;
use crate::config::{self, Inputs, Loaded, Problem, Problems, Weight};
use crate::control::client;
use crate::fleet::Status;
use crate::http::{ops, trouble};
use crate::store::Space;
use serde_json::{Map, json};
use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Devices asked whether they can be reached.
const DEVICES_ASKED: usize = 5;

/// Runs the checks; warnings fail only with `--strict`.
pub fn run(inputs: Inputs, arguments: &Check, as_json: bool) -> Result<(), Fault> {
    let loaded = config::load(&inputs)?;
    let mut warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    known_tools(&loaded)?;
    let now = Clock::system().wall();
    warnings.extend(ops::ending(crate::app::check_certificate(&loaded)?, now));
    if !now.is_plausible() {
        warnings.push(trouble::CLOCK.to_owned());
    }
    warnings.extend(room(&loaded));
    if !arguments.preflight {
        warnings.extend(backup_path(&loaded));
    }
    crate::cli::block_on(async {
        let socket = crate::app::places(&loaded).control_socket();
        if client::hello(&socket).await.is_ok() {
            warnings.push("a running appliance holds the store; it was not opened here".into());
            if !arguments.preflight {
                binds(&loaded, &listens_at(&socket).await, &mut warnings).await?;
            }
        } else if arguments.preflight {
            preflight(&loaded).await?;
        } else {
            open(&loaded, &mut warnings).await?;
        }
        Ok(())
    })?;
    report(&warnings, arguments.strict, as_json)
}

/// Refuses names in `mcp.disable_tools` that are no tool, all of them at once: a start only warns of a switch that switches nothing.
pub(super) fn known_tools(loaded: &Loaded) -> Result<(), Problems> {
    let is_unknown = |problem: &Problem| problem.key.as_deref() == Some(config::DISABLE_TOOLS);
    let (unknown, others): (Vec<Problem>, Vec<Problem>) = loaded.warnings.iter().cloned().partition(is_unknown);
    if unknown.is_empty() {
        return Ok(());
    }
    let errors = unknown.into_iter().map(|problem| Problem { weight: Weight::Error, ..problem });
    Err(Problems { list: errors.chain(others).collect(), view: Box::new(loaded.view.clone()) })
}

/// That the disk below the store is nearly full. Before the first start it is the one the state directory will be on.
fn room(loaded: &Loaded) -> Option<String> {
    let there = loaded.config.store.path.ancestors().find(|path| path.exists())?;
    alert::low_disk(Space::at(there).ok()?.free_percent(), loaded.config.alert.disk_free_percent)
}

/// That backups of the schedule will have no place. The directory itself is left to whoever makes the first one, and owns it then.
fn backup_path(loaded: &Loaded) -> Option<String> {
    let backup = &loaded.config.backup;
    let there = backup.path.ancestors().find(|path| path.exists()).filter(|_| backup.enabled)?;
    let probe = there.join(format!(".check-{}", crate::base::ids::hex(&crate::base::ids::random::<6>())));
    let error = DirBuilder::new().mode(0o700).create(&probe).and_then(|()| std::fs::remove_dir(&probe)).err()?;
    let at = loaded.view.entries.iter().find(|entry| entry.key == "backup.path").map(|entry| entry.source.clone());
    let said = format!("no backup can be written to {}: {}", backup.path.display(), io_words(&error));
    Some(Problem::warning(at, "backup.path", said).to_string())
}

/// Where the running appliance listens; nowhere when it speaks stdio alone.
async fn listens_at(socket: &Path) -> Vec<SocketAddr> {
    let said = client::op(socket, "listener", Map::new()).await.unwrap_or_default();
    said["at"].as_array().into_iter().flatten().filter_map(|at| at.as_str()?.parse().ok()).collect()
}

/// Whether the listener can be had. Whoever serves MCP on stdio alone starts without it, and is only told.
async fn binds(loaded: &Loaded, held: &[SocketAddr], warnings: &mut Vec<String>) -> Result<(), Fault> {
    match crate::app::check_listener(loaded, held).await {
        Err(fault) if loaded.config.mcp.transport == Transport::Stdio => {
            warnings.push(format!("`serve` would not start: {}", fault.chain()));
            Ok(())
        }
        checked => checked,
    }
}

/// Opens everything as a start would, then asks the first devices.
async fn open(loaded: &Loaded, warnings: &mut Vec<String>) -> Result<(), Fault> {
    let app = App::build(loaded).await?;
    if let Err(fault) = binds(loaded, &[], warnings).await {
        app.close().await;
        return Err(fault);
    }
    let places = crate::app::places(loaded);
    if let Err(error) = audit::reaches_by_its_head(&places.audit_mark(), &crate::app::audit_dir(&places)) {
        warnings.push(error.to_string());
    }
    if app.store_is_older() {
        warnings.push(trouble::OLDER.to_owned());
    }
    let fleet = &app.dispatch.world().fleet;
    let devices: Vec<_> = fleet.list().into_iter().filter(|device| device.status != Status::Decommissioned).collect();
    if let Some(oidc) = app.oidc()
        && let Err(why) = oidc.look().await
    {
        warnings.push(format!("the identity provider {} cannot be used: {why}", oidc.settings().issuer));
    }
    if devices.is_empty() {
        warnings.push("no devices yet: add one with `routeros-mcp device add`".into());
    }
    let mut reached = devices.is_empty();
    for device in devices.iter().take(DEVICES_ASKED) {
        reached = reached || fleet.poll(&device.id).await.is_ok();
    }
    if !reached {
        warnings.push("none of the first devices can be reached".into());
    }
    app.close().await;
    Ok(())
}

/// The same on a copy of the state, so that a newer build may try it without touching it.
async fn preflight(loaded: &Loaded) -> Result<(), Fault> {
    let copy = std::env::temp_dir().join(format!("routeros-mcp-preflight-{}", crate::base::ids::hex(&crate::base::ids::random::<6>())));
    let done = match copy_state(loaded, &copy) {
        Ok(copied) => match App::build(&copied).await {
            Ok(app) => {
                app.close().await;
                Ok(())
            }
            Err(fault) => Err(fault),
        },
        Err(error) => Err(Fault::new(Kind::Storage, format!("copying the state: {error}"))),
    };
    let _ = std::fs::remove_dir_all(&copy);
    done
}

/// The store and the key, in a directory of their own.
fn copy_state(loaded: &Loaded, to: &Path) -> std::io::Result<Loaded> {
    // Anybody may look into what lies beside it; and nobody can have made it before us.
    DirBuilder::new().mode(0o700).create(to)?;
    let mut copied = loaded.clone();
    copied.state_dir = to.to_owned();
    copied.runtime_dir = to.join("run");
    copied.config.store.path = to.join("copy.redb");
    // The copy lies where the system keeps what may be lost; it is only looked at.
    copied.config.store.volatile = true;
    let (from, into) = (crate::app::places(loaded), crate::app::places(&copied));
    for (from, into) in [(loaded.config.store.path.clone(), copied.config.store.path.clone()), (from.master_key(), into.master_key())] {
        if from.exists() {
            std::fs::copy(from, into)?;
        }
    }
    Ok(copied)
}

/// Says what the checks found; with `strict` a warning is a failure.
pub fn report(warnings: &[String], strict: bool, as_json: bool) -> Result<(), Fault> {
    let fails = strict && !warnings.is_empty();
    let count = match warnings.len() {
        1 => "1 warning".to_owned(),
        n => format!("{n} warnings"),
    };
    if !as_json {
        warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    }
    if fails {
        let fault = Fault::new(Kind::Config, format!("{count}, and --strict makes that a failure"));
        return Err(if as_json { fault.hint(warnings.join("; ")) } else { fault });
    }
    if as_json {
        output::json(&json!({"ok": true, "warnings": warnings}));
    } else if warnings.is_empty() {
        output::text("all checks passed");
    } else {
        output::text(&format!("no check failed, {count}"));
    }
    Ok(())
}
