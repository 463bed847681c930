//! What a router says about its own menus: `POST /rest/console/inspect`, asked lazily and kept.
//!
//! A few small requests a menu, kept in the store by version, architecture and packages, so that a second device of
//! the same build costs nothing and the answer is there while a router is away. Path words that hang RouterOS up to
//! 7.21.3 (`do`, `where`, `else`, `rule`, `command`, `on-error`) are not walked into there.
//!
//! Who asks brings the console (`Inspect`): a tool's goes through its gate, a draft's straight down the lane.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::hex;
use crate::fleet::device::Device;
use crate::fleet::lane::Lane;
use crate::routeros::{MenuPath, Row, version::Version};
use crate::store::{self, Batch, Durability, Record, Store, StoreError, body_as};
use futures_util::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// A console that can be asked about its own commands.
pub trait Inspect: Sync {
    /// One `/console/inspect`.
    fn inspect<'a>(&'a self, arguments: &'a [(&'a str, &'a str)]) -> BoxFuture<'a, Result<Arc<Vec<Row>>, Fault>>;
}

/// How long an inspection may take; it answers at once or, on a word it dislikes, after half a minute.
const PROBE: Duration = Duration::from_secs(10);

impl Inspect for Lane {
    fn inspect<'a>(&'a self, arguments: &'a [(&'a str, &'a str)]) -> BoxFuture<'a, Result<Arc<Vec<Row>>, Fault>> {
        async move { Ok(self.run(MenuPath::parse("/console")?, "inspect", arguments, PROBE).await?.rows) }.boxed()
    }
}

/// What a router knows of one menu.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Learnt {
    /// Names that `add` takes; empty where there is no `add`.
    pub add: Vec<String>,
    /// Names that `set` takes.
    pub set: Vec<String>,
    /// Names that can be read, where the router lists them.
    pub get: Vec<String>,
    /// Commands other than those every menu has.
    pub commands: Vec<String>,
    /// Menus below.
    pub children: Vec<String>,
    /// When the router said so.
    pub at: Wall,
}

impl Record for Learnt {
    const TABLE: &'static str = "menu_learnt";
    const VERSION: u8 = 2;

    /// v1 did not say when.
    fn upgrade(version: u8, body: &[u8]) -> Result<Self, StoreError> {
        let v1::Learnt { add, set, get, commands, children } = body_as(Self::TABLE, version, body)?;
        Ok(Learnt { add, set, get, commands, children, at: Wall(0) })
    }
}

#[cfg(test)]
crate::store::golden!(Learnt);

impl Learnt {
    /// Of a menu whose console is silent: what its rows have.
    pub fn of_rows(get: Vec<String>) -> Self {
        Learnt { get, ..Learnt::default() }
    }

    /// Whether it has this command.
    pub fn has(&self, command: &str) -> bool {
        self.commands.iter().any(|known| known == command)
    }
}

mod v1 {
    #[derive(serde::Deserialize)]
    pub(super) struct Learnt {
        pub(super) add: Vec<String>,
        pub(super) set: Vec<String>,
        pub(super) get: Vec<String>,
        pub(super) commands: Vec<String>,
        pub(super) children: Vec<String>,
    }
}

/// How much of a menu is learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything: four requests.
    Whole,
    /// What `add` and `set` take and which commands there are, of rows whose shape is known: three requests.
    Rows,
    /// What `set` takes of a menu known to be without rows: one request.
    Single,
}

impl Extent {
    /// What stands behind the menu in the key of a record that does not hold everything.
    fn mark(self) -> &'static str {
        match self {
            Extent::Whole => "",
            Extent::Rows => "#list",
            Extent::Single => "#single",
        }
    }
}

/// Words that make old versions hang when they stand in a path.
const HANGING: &[&str] = &["do", "where", "else", "rule", "command", "on-error"];

/// From this version on none of them does.
const HANGS_BELOW: (u32, u32) = (7, 22);

/// Words of an attribute told at most; a time zone has 400.
const MOST_WORDS: usize = 100;

/// Arguments of commands that are not attributes of rows.
const NOT_ATTRIBUTES: &[&str] = &["copy-from", "place-before", "numbers", ".id"];

/// What is known of `menu` on this device's build without asking: everything, or at least as much as wanted.
pub fn remembered(store: &Store, device: &Device, menu: &str, extent: Extent) -> Result<Option<Learnt>, Fault> {
    for extent in [Extent::Whole, extent] {
        if let Some(bytes) = store.get(Learnt::TABLE, &key(device, menu, extent))? {
            return Ok(Some(store::decode(&bytes)?));
        }
    }
    Ok(None)
}

/// Asks the router and keeps what it says; nothing where its console does not describe the menu.
///
/// Errs when the router did not answer; what it said when it refused is in the log.
pub async fn learn(
    store: &Store,
    device: &Device,
    menu: &str,
    extent: Extent,
    at: Wall,
    console: &dyn Inspect,
) -> Result<Option<Learnt>, Fault> {
    let asked = match extent {
        Extent::Whole => whole(device, menu, console).await,
        Extent::Rows | Extent::Single => writes(device, menu, extent, console).await,
    };
    let learnt = match asked {
        Ok(Some(learnt)) => Learnt { at, ..learnt },
        Ok(None) => return Ok(None),
        Err(fault) if matches!(fault.kind, Kind::Rejected | Kind::RouterDenied | Kind::NotFound) => {
            tracing::info!(menu, cause = fault.chain(), "the router does not describe this menu");
            return Ok(None);
        }
        Err(fault) => return Err(fault),
    };
    store.commit(Batch::new().put(Learnt::TABLE, key(device, menu, extent), store::encode(&learnt)), Durability::Soon).await?;
    Ok(Some(learnt))
}

/// The words a router offers for an attribute, and what its console says of its values; asked anew each time, for some
/// are names of what is there now.
pub async fn words(
    device: &Device,
    menu: &str,
    learnt: &Learnt,
    attribute: &str,
    console: &dyn Inspect,
) -> Result<(Vec<String>, Option<String>), Fault> {
    let words: Vec<&str> = menu.trim_start_matches('/').split('/').collect();
    let command = match (learnt.add.iter().any(|name| name == attribute), learnt.set.iter().any(|name| name == attribute)) {
        (true, _) => "add",
        (false, true) => "set",
        (false, false) => return Ok((Vec::new(), None)),
    };
    if hangs(device, words.iter().copied().chain([attribute])) {
        return Ok((Vec::new(), None));
    }
    let path = format!("{},{command},{attribute}", words.join(","));
    let syntax = [("request", "syntax"), ("path", &*path)];
    let (offered, syntax) = futures_util::join!(offered(menu, command, attribute, console), console.inspect(&syntax));
    let syntax = syntax.map(Some).or_else(silent)?;
    let said = syntax.and_then(|rows| rows.iter().find_map(|row| row.get("text").filter(|text| !text.is_empty()).map(str::to_owned)));
    Ok((offered?, said.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect())))
}

/// The words alone: one request.
pub async fn offered(menu: &str, command: &str, attribute: &str, console: &dyn Inspect) -> Result<Vec<String>, Fault> {
    let input = format!("/{} {command} {attribute}=", menu.trim_start_matches('/').replace('/', " "));
    let completion = [("request", "completion"), ("input", &*input)];
    let rows = console.inspect(&completion).await.map(Some).or_else(silent)?;
    let shown = |row: &&Row| !matches!(row.get("show"), Some("false" | "no"));
    let words = rows.iter().flat_map(|rows| rows.iter()).filter(shown).filter_map(|row| row.get("completion").map(str::to_owned));
    let mut words: Vec<String> =
        words.filter(|word| !word.is_empty() && word.len() <= 64 && word != "!" && !word.chars().any(char::is_whitespace)).collect();
    words.dedup();
    words.truncate(MOST_WORDS);
    Ok(words)
}

/// A question that the console does not know is no fault of the caller; one that nobody answers is.
fn silent<T>(fault: Fault) -> Result<Option<T>, Fault> {
    if fault.kind == Kind::Unreachable { Err(fault) } else { Ok(None) }
}

/// Whether asking about these words would hang this version's console.
pub fn hangs<'a>(device: &Device, mut words: impl Iterator<Item = &'a str>) -> bool {
    let version = device.facts.version.as_deref().and_then(Version::parse);
    !version.is_some_and(|version| version.at_least(HANGS_BELOW.0, HANGS_BELOW.1)) && words.any(|word| HANGING.contains(&word))
}

fn key(device: &Device, menu: &str, extent: Extent) -> String {
    format!("{}{menu}{}", build(device), extent.mark())
}

/// Version, architecture and packages, short enough for a key.
fn build(device: &Device) -> String {
    let facts = &device.facts;
    let mut packages: Vec<&str> = facts.packages.iter().map(|package| package.name.as_str()).collect();
    packages.sort();
    let digest = ring::digest::digest(&ring::digest::SHA256, packages.join(",").as_bytes());
    let version = facts.version.as_deref().unwrap_or("?").split(' ').next().unwrap_or("?");
    format!("{version}|{}|{}|", facts.architecture.as_deref().unwrap_or("?"), &hex(digest.as_ref())[..12])
}

async fn whole(device: &Device, menu: &str, console: &dyn Inspect) -> Result<Option<Learnt>, Fault> {
    let words: Vec<&str> = menu.trim_start_matches('/').split('/').collect();
    if hangs(device, words.iter().copied()) {
        return Ok(None);
    }
    let path = words.join(",");
    let here = child(console, &path).await?;
    let mut learnt = Learnt::default();
    for (name, kind) in named(&here, &path) {
        match kind.as_str() {
            "dir" | "path" => learnt.children.push(name),
            "cmd" => learnt.commands.push(name),
            _ => {}
        }
    }
    if learnt.commands.is_empty() && learnt.children.is_empty() {
        return Ok(None);
    }
    if learnt.has("add") {
        learnt.add = arguments(console, &format!("{path},add")).await?;
    }
    if learnt.has("set") {
        learnt.set = arguments(console, &format!("{path},set")).await?;
    }
    if learnt.has("get") {
        // Older builds answer this with nothing; the facts and the rows themselves then have to do.
        let input = format!("/{} get value-name=", words.join(" "));
        if let Ok(words) = console.inspect(&[("request", "completion"), ("input", &input)]).await {
            let names = words.iter().filter_map(|row| row.get("completion").map(str::to_owned));
            learnt.get = names.filter(|name| is_name(name)).collect();
        }
    }
    Ok(Some(learnt))
}

async fn writes(device: &Device, menu: &str, extent: Extent, console: &dyn Inspect) -> Result<Option<Learnt>, Fault> {
    let words: Vec<&str> = menu.trim_start_matches('/').split('/').collect();
    if hangs(device, words.iter().copied()) {
        return Ok(None);
    }
    let path = words.join(",");
    let (add, set) = (format!("{path},add"), format!("{path},set"));
    let has_rows = extent == Extent::Rows;
    let add = async { if has_rows { arguments(console, &add).await } else { Ok(Vec::new()) } };
    // Whether an attribute can be taken away again (`unset`) decides how a change of it is undone.
    let here = async { if has_rows { child(console, &path).await.map(|here| commands(&here, &path)) } else { Ok(Vec::new()) } };
    let (here, add, set) = futures_util::join!(here, add, arguments(console, &set));
    let learnt = Learnt { commands: here?, add: add?, set: set?, ..Learnt::default() };
    Ok((!learnt.add.is_empty() || !learnt.set.is_empty()).then_some(learnt))
}

fn commands(here: &[Row], path: &str) -> Vec<String> {
    named(here, path).into_iter().filter(|(_, kind)| kind == "cmd").map(|(name, _)| name).collect()
}

/// What stands below a place. Seconds after boot the answer can be another menu's, which would be kept for every router of this build.
async fn child(console: &dyn Inspect, path: &str) -> Result<Arc<Vec<Row>>, Fault> {
    let rows = console.inspect(&[("request", "child"), ("path", path)]).await?;
    match rows.iter().all(|row| row.get("node-type").is_some()) {
        true => Ok(rows),
        false => Err(Fault::new(Kind::Unreachable, "the router answers, but not what it was asked of its menus; it may be starting")
            .hint("try again in half a minute")),
    }
}

/// `(name, node-type)` of each child. The first row is the node itself: `type` says `self`, or, where rows have no
/// `type`, it bears the last word of the path.
fn named(rows: &[Row], path: &str) -> Vec<(String, String)> {
    let own = path.rsplit(',').next();
    let is_self = |at: usize, row: &Row| match row.get("type") {
        Some(kind) => kind == "self",
        None => at == 0 && row.get("name") == own,
    };
    let text = |row: &Row, name: &str| row.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let children = rows.iter().enumerate().filter(|(at, row)| !is_self(*at, row));
    children.filter_map(|(_, row)| Some((text(row, "name")?, text(row, "node-type")?))).collect()
}

async fn arguments(console: &dyn Inspect, path: &str) -> Result<Vec<String>, Fault> {
    let rows = child(console, path).await?;
    let wanted = |(name, kind): &(String, String)| kind == "arg" && !NOT_ATTRIBUTES.contains(&name.as_str());
    Ok(named(&rows, path).into_iter().filter(wanted).map(|(name, _)| name).collect())
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.len() <= 64 && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}
