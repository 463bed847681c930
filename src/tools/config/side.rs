//! What a caller compares or looks at: a snapshot by id, the newest, the baseline, or the running configuration.

use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::fleet::absent::no_menu;
use crate::fleet::{Device, Via};
use crate::history::config::{Reason, Snapshot, SnapshotId, Taken};
use crate::menus;
use crate::routeros::export::Export;
use crate::tools::arguments::shown;
use crate::tools::config::show::is_below;
use crate::tools::context::{Cx, Reading};
use crate::tools::router::{FRESH, Router};
use schemars::JsonSchema;
use serde::Serialize;

/// One configuration of a device.
pub struct Side {
    /// What it holds.
    pub export: Export,
    /// How it is told in answers.
    pub shown: Shown,
    /// The snapshot it is, or for the running configuration the one that equals it.
    pub snapshot: Option<Snapshot>,
}

/// One configuration, in an answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Shown {
    /// Its id, or `live`.
    pub snapshot: String,
    /// When it was read from the router; of a snapshot also when it was last seen unchanged.
    pub taken_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<bool>,
    /// What the router could not export; rows missing there are not counted as removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<String>,
}

/// Errs for a path that is no menu: unknown to us, and with nothing at or below it in any of these.
pub fn check_menu(device: &Device, menu: &str, sides: &[&Export]) -> Result<(), Fault> {
    let is_known = menus::all().iter().any(|known| is_below(known.path, menu));
    let holds = |export: &&Export| export.sections.iter().any(|section| is_below(&section.menu, menu));
    if is_known || sides.iter().any(holds) { Ok(()) } else { Err(no_menu(device, menu)) }
}

/// Finds what a word names: `live`, `baseline`, `latest` or a snapshot id.
pub async fn find(cx: &Cx, device: &str, word: &str) -> Result<Side, Fault> {
    if word == "live" {
        return live(cx, &cx.router(device)?).await;
    }
    let device = cx.device(device)?;
    let shelf = &cx.world.configs;
    let found = match word {
        "baseline" => shelf.baseline(&device.id)?,
        "latest" => shelf.latest(&device.id)?,
        id => shelf.get(&device.id, number(&device, id)?)?,
    };
    let snapshot = found.ok_or_else(|| missing(&device, word))?;
    kept(cx, &device, snapshot)
}

/// The running configuration; one that differs from the newest snapshot becomes a snapshot itself, so that nothing that
/// was looked at is lost.
pub async fn live(cx: &Cx, router: &Router<'_>) -> Result<Side, Fault> {
    let running = router.configuration(FRESH).await?;
    let known = cx.world.configs.latest(&router.device.id)?;
    let whole = running.export.gaps.is_empty() && running.export.unread().next().is_none();
    let snapshot = if whole || known.is_none() {
        let taken = Taken { export: running.export.clone(), version: running.version, at: running.at, reason: Reason::Comparison };
        Some(cx.world.keep(&router.device.id, taken).await?.snapshot)
    } else {
        None
    };
    let shown = Shown {
        snapshot: "live".into(),
        taken_at: running.at.rfc3339(),
        seen_at: None,
        baseline: None,
        incomplete: incomplete(&running.export),
    };
    Ok(Side { export: running.export, shown, snapshot })
}

/// A snapshot, read back.
fn kept(cx: &Cx, device: &Device, snapshot: Snapshot) -> Result<Side, Fault> {
    let export = cx.world.configs.read(&device.id, &snapshot)?;
    let is_baseline = cx.world.configs.baseline(&device.id)?.is_some_and(|baseline| baseline.number == snapshot.number);
    let shown = Shown {
        snapshot: id(device, &snapshot),
        taken_at: snapshot.taken_at.rfc3339(),
        seen_at: (snapshot.seen_at != snapshot.taken_at).then(|| snapshot.seen_at.rfc3339()),
        baseline: is_baseline.then_some(true),
        incomplete: incomplete(&export),
    };
    note(cx, snapshot.seen_at);
    Ok(Side { export, shown, snapshot: Some(snapshot) })
}

/// The answer is as old as what it was read from.
pub fn note(cx: &Cx, read_at: Wall) {
    let age_ms = cx.world.clock.wall().0.saturating_sub(read_at.0).max(0) as u64;
    cx.read(Reading { read_at, age_ms, cached: true, via: Via::Rest });
}

/// A snapshot's id.
pub fn id(device: &Device, snapshot: &Snapshot) -> String {
    SnapshotId { device: device.id.clone(), number: snapshot.number }.to_string()
}

/// The number of a snapshot of this device.
fn number(device: &Device, id: &str) -> Result<u32, Fault> {
    let read: SnapshotId = id.parse().map_err(|_| {
        Fault::bad_input(format!("`{}` is no snapshot", shown(id)))
            .hint("a snapshot is an id of config.list_snapshots, or live, baseline, latest")
    })?;
    // Another device's snapshot is as good as none.
    if read.device == device.id { Ok(read.number) } else { Err(missing(device, id)) }
}

/// What there is not.
pub fn missing(device: &Device, word: &str) -> Fault {
    let fault = Fault::not_found(format!("device \"{}\" has no snapshot {word}", device.name));
    match word {
        "baseline" | "latest" => fault.hint("none was taken yet; config.diff or config.get_drift with live takes the first"),
        _ => fault.hint("config.list_snapshots shows those that are kept"),
    }
}

/// What an export lacks, in words.
pub fn incomplete(export: &Export) -> Vec<String> {
    let mut said: Vec<String> = export.gaps.iter().map(|gap| format!("not exported: {gap}")).collect();
    let unread = export.unread().count();
    if unread > 0 {
        let mut menus: Vec<&str> = export.unread().collect();
        menus.dedup();
        said.push(format!("{unread} lines could not be read, in {}", menus.join(", ")));
    }
    said
}
