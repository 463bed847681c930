//! Updates of this appliance: what they are made with, the start that looks at their notes, and how we see that we answer.

use super::places;
use crate::base::clock::Clock;
use crate::base::events::Bus;
use crate::base::fault::{Fault, Kind};
use crate::base::tier::Environment;
use crate::config::Loaded;
use crate::control;
use crate::host::metrics::Meter;
use crate::host::outgoing::Outgoing;
use crate::routeros;
use crate::store::{self, Store};
use crate::update::disk::Real;
use crate::update::install::Way;
use crate::update::manifest::Here;
use crate::update::signature::Keys;
use crate::update::snapshot::Snapshots;
use crate::update::start::{self, Start};
use crate::update::swap::{Layout, is_executable};
use crate::update::{self, Updates, install};
use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Root's unit copies, verifies and unpacks a binary within, on a slow card.
const ROOT_ANSWERS: Duration = Duration::from_secs(60);
/// Our own listener answers within.
const ANSWERS: Duration = Duration::from_secs(5);
/// What of the environment a new version is tried with, beside our own settings.
const PASSED_ON: &[&str] = &["CREDENTIALS_DIRECTORY", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Parts that stand already.
pub(super) struct Base {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) meter: Meter,
    pub(super) bus: Bus,
}

/// The updates of this appliance.
pub(super) fn open(loaded: &Loaded, base: Base) -> Result<Updates, Fault> {
    let Base { store, clock, meter, bus } = base;
    let outgoing = Outgoing::new(loaded.config.environment == Environment::Lab);
    // Whoever laid something there for the process before did not come back for it, or was cut off.
    let _ = std::fs::remove_dir_all(upload_dir(loaded));
    Ok(Updates::open(update::Parts { store, clock, meter, bus, outgoing, settings: settings(loaded)? }))
}

/// Before the store is opened: puts back the one of the version before, where a newer one was taken back.
pub(super) async fn put_back(loaded: &Loaded) -> Result<(), Fault> {
    let Some(layout) = way(loaded).layout().cloned() else { return Ok(()) };
    let store = &loaded.config.store.path;
    let snapshots = Snapshots::beside(store);
    if let Some(turn) = snapshots.put_back(&layout, store, &places(loaded).epoch()).await? {
        let aside = snapshots.set_aside(&turn.id);
        tracing::error!(version = turn.to, why = turn.reason, aside = %aside.display(), "an update was taken back: the store of before it is in place, the newer one is beside");
    }
    Ok(())
}

/// How a start went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtStart {
    /// Somebody serves already: this start says nothing of any version.
    Served,
    /// It counts as one of this version, where that has to prove itself.
    Counted,
    /// Become what lies there.
    Becomes(Layout),
}

/// Before anything else of whoever may serve: a version that has to prove itself is tried, one that does not stand makes way.
pub async fn at_start(loaded: &Loaded) -> Result<AtStart, Fault> {
    let is_counted = std::env::var_os(start::COUNTED).is_some();
    if !is_counted && control::client::hello(&places(loaded).control_socket()).await.is_ok() {
        return Ok(AtStart::Served);
    }
    match start::at_start(&way(loaded), env!("CARGO_PKG_VERSION"))? {
        Start::Go => Ok(AtStart::Counted),
        Start::Become(layout) => Ok(AtStart::Becomes(layout)),
    }
}

/// This start was no try after all: somebody else serves.
pub fn forgive_start(loaded: &Loaded) {
    let way = way(loaded);
    let Way::Own(layout) = &way else { return };
    if let Some(turn) = layout.pending().filter(|turn| turn.to == env!("CARGO_PKG_VERSION"))
        && let Err(error) = layout.forgive_start(&mut Real, &turn.id)
    {
        tracing::warn!(%error, "a start that was no try of the new version counts as one");
    }
}

/// Where another version than this one lies that has to prove itself.
pub fn next_version(loaded: &Loaded) -> Option<Layout> {
    let layout = way(loaded).layout().cloned()?;
    let turn = layout.pending()?;
    (turn.to != env!("CARGO_PKG_VERSION") && is_executable(&layout.binary(&turn.to))).then_some(layout)
}

/// How this program was installed.
pub fn way(loaded: &Loaded) -> install::Way {
    let exe = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("routeros-mcp"));
    let exe = install::placed(&exe);
    install::find(Path::new("/"), &exe, &dir(loaded).join("versions"))
}

/// Where the command line lays a bundle.
pub fn upload_dir(loaded: &Loaded) -> PathBuf {
    dir(loaded).join(update::UPLOADS)
}

fn dir(loaded: &Loaded) -> PathBuf {
    places(loaded).state.join("update")
}

fn settings(loaded: &Loaded) -> Result<update::Settings, Fault> {
    let from = &loaded.config.update;
    let dir = dir(loaded);
    DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(update::UpdateError::io("making", &dir))?;
    let passed = |name: &str| name.starts_with("ROUTEROS_MCP_") || PASSED_ON.contains(&name);
    let environment = std::env::vars().filter(|(name, _)| passed(name)).collect();
    let here = Here {
        version: env!("CARGO_PKG_VERSION").into(),
        target: self_update::get_target().into(),
        channel: from.channel.clone(),
        store_schema: store::SCHEMA,
    };
    Ok(update::Settings {
        url: from.url.clone(),
        keys: Keys::built_in()?
            .with(&from.public_keys)
            .map_err(|error| Fault::new(Kind::Config, format!("update.public_keys: {}", error.why())))?,
        here,
        way: way(loaded),
        dir,
        store: loaded.config.store.path.clone(),
        key_file: places(loaded).master_key(),
        config: loaded.view.files.first().cloned(),
        environment,
        root_answers: ROOT_ANSWERS,
    })
}

/// Whether our listener answers, through its own front door.
pub(super) async fn answers(url: String) -> bool {
    let Some((scheme, at)) = url.split_once("://") else { return false };
    let Ok(at) = at.parse::<SocketAddr>() else { return false };
    if scheme == "https" {
        return routeros::probe_tls(&at.ip().to_string(), at.port(), ANSWERS).await.is_ok();
    }
    let asked = async {
        let mut stream = TcpStream::connect(at).await?;
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        std::io::Result::Ok(head.ends_with(b" 200"))
    };
    tokio::time::timeout(ANSWERS, asked).await.is_ok_and(|answered| answered.unwrap_or(false))
}
