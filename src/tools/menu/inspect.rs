//! What a router says about its own menus: `POST /rest/console/inspect`, asked lazily and kept.
//!
//! Three or four small requests a menu, kept in the store by version, architecture and packages, so that a second device of
//! the same build costs nothing and the answer is there while a router is away. Path words that hang RouterOS up to
//! 7.21.3 (`do`, `where`, `else`, `rule`, `command`, `on-error`) are not walked into there.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::hex;
use crate::fleet::{Device, Via};
use crate::routeros::query::Query;
use crate::routeros::version::Version;
use crate::store::{self, Batch, Durability, Record, StoreError, body_as};
use crate::tools::context::{Cx, Reading};
use crate::tools::router::{FRESH, Router, Seen, View};
use serde::{Deserialize, Serialize};

/// What a router knows of one menu.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Learnt {
    /// Names that `add` takes; empty where there is no `add`.
    pub(super) add: Vec<String>,
    /// Names that `set` takes.
    pub(super) set: Vec<String>,
    /// Names that can be read, where the router lists them.
    pub(super) get: Vec<String>,
    /// Commands other than those every menu has.
    pub(super) commands: Vec<String>,
    /// Menus below.
    pub(super) children: Vec<String>,
    /// When the router said so.
    at: Wall,
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

impl Learnt {
    /// Of a menu whose console is silent: what its rows have.
    pub(super) fn of_rows(get: Vec<String>) -> Self {
        Learnt { get, ..Learnt::default() }
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

/// What there is to know of a menu on a router.
pub(super) enum Told {
    /// It said, now or before.
    Known(Learnt),
    /// It has no such menu.
    Absent,
    /// It cannot be asked about this menu, but has it; its rows have these attributes.
    Silent(Vec<String>),
}

/// Words that make old versions hang when they stand in a path.
const HANGING: &[&str] = &["do", "where", "else", "rule", "command", "on-error"];

/// From this version on none of them does.
const HANGS_BELOW: (u32, u32) = (7, 22);

/// Rows looked at for their attributes where the console says nothing.
const SAMPLED: usize = 50;

/// Words of an attribute told at most; a time zone has 400.
const MOST_WORDS: usize = 100;

/// Arguments of commands that are not attributes of rows.
const NOT_ATTRIBUTES: &[&str] = &["copy-from", "place-before", "numbers", ".id"];

/// What is known of `menu` on this device's build: from the store, else from the router.
///
/// The cause of a router's silence is in the log.
pub(super) async fn learnt(cx: &Cx, router: &Router<'_>, menu: &str) -> Result<Told, Fault> {
    if let Some(learnt) = remembered(cx, &router.device, menu)? {
        return Ok(Told::Known(learnt));
    }
    let learnt = match ask(router, menu, cx.world.clock.wall()).await {
        Ok(Some(learnt)) => learnt,
        Ok(None) => return exists(router, menu).await,
        Err(fault) if matches!(fault.kind, Kind::Rejected | Kind::RouterDenied | Kind::NotFound) => {
            tracing::info!(menu, cause = fault.chain(), "the router does not describe this menu");
            return exists(router, menu).await;
        }
        Err(fault) => return Err(fault),
    };
    let key = format!("{}{menu}", build(&router.device));
    cx.world.store.commit(Batch::new().put(Learnt::TABLE, &key, store::encode(&learnt)), Durability::Soon).await?;
    Ok(Told::Known(learnt))
}

/// What is known of `menu` without asking the router.
pub(super) fn remembered(cx: &Cx, device: &Device, menu: &str) -> Result<Option<Learnt>, Fault> {
    let key = format!("{}{menu}", build(device));
    let Some(bytes) = cx.world.store.get(Learnt::TABLE, &key)? else { return Ok(None) };
    let learnt: Learnt = store::decode(&bytes)?;
    let age_ms = u64::try_from(cx.world.clock.wall().0 - learnt.at.0).unwrap_or(0);
    cx.read(Reading { read_at: learnt.at, age_ms, cached: true, via: Via::Rest });
    Ok(Some(learnt))
}

/// A menu that the console does not describe: one read tells whether it is there at all, and what its rows have.
async fn exists(router: &Router<'_>, menu: &str) -> Result<Told, Fault> {
    match router.rows(menu, Query::default(), FRESH).await {
        Err(fault) if fault.kind == Kind::NotFound => Ok(Told::Absent),
        Err(fault) if fault.kind == Kind::Unreachable => Err(fault),
        Ok(seen) => {
            let mut names: Vec<String> =
                seen.iter().take(SAMPLED).flat_map(|row| row.names().map(str::to_owned).collect::<Vec<_>>()).collect();
            names.sort();
            names.dedup();
            Ok(Told::Silent(names))
        }
        Err(_) => Ok(Told::Silent(Vec::new())),
    }
}

/// The words a router offers for an attribute, and what its console says of its values; asked anew each time, for some
/// are names of what is there now.
pub(super) async fn words(
    router: &Router<'_>,
    menu: &str,
    learnt: &Learnt,
    attribute: &str,
) -> Result<(Vec<String>, Option<String>), Fault> {
    let words: Vec<&str> = menu.trim_start_matches('/').split('/').collect();
    let command = match (learnt.add.iter().any(|name| name == attribute), learnt.set.iter().any(|name| name == attribute)) {
        (true, _) => "add",
        (false, true) => "set",
        (false, false) => return Ok((Vec::new(), None)),
    };
    if hangs(&router.device, words.iter().copied().chain([attribute])) {
        return Ok((Vec::new(), None));
    }
    let (input, path) = (format!("/{} {command} {attribute}=", words.join(" ")), format!("{},{command},{attribute}", words.join(",")));
    let (completion, syntax) = ([("request", "completion"), ("input", &*input)], [("request", "syntax"), ("path", &*path)]);
    let asked = (router.probe("/console", "inspect", &completion), router.probe("/console", "inspect", &syntax));
    let (offered, syntax) = futures_util::join!(asked.0, asked.1);
    // One that the console does not know is no fault of the caller; one that nobody answers is.
    let silent = |fault: Fault| if fault.kind == Kind::Unreachable { Err(fault) } else { Ok(None) };
    let offered = offered.map(Some).or_else(silent)?;
    let mut found: Vec<String> = offered
        .iter()
        .flat_map(|seen| seen.iter())
        .filter(|row| row.flag("show") != Some(false))
        .filter_map(|row| row.string("completion"))
        .collect();
    found.retain(|word| word.len() <= 64 && word != "!" && !word.chars().any(char::is_whitespace));
    found.dedup();
    found.truncate(MOST_WORDS);
    let syntax = syntax.map(Some).or_else(silent)?;
    let said = syntax.and_then(|seen| seen.iter().find_map(|row| row.string("text")));
    Ok((found, said.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect())))
}

/// Whether asking about these words would hang this version's console.
fn hangs<'a>(device: &Device, mut words: impl Iterator<Item = &'a str>) -> bool {
    let version = device.facts.version.as_deref().and_then(Version::parse);
    !version.is_some_and(|version| version.at_least(HANGS_BELOW.0, HANGS_BELOW.1)) && words.any(|word| HANGING.contains(&word))
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

async fn ask(router: &Router<'_>, menu: &str, at: Wall) -> Result<Option<Learnt>, Fault> {
    let words: Vec<&str> = menu.trim_start_matches('/').split('/').collect();
    if hangs(&router.device, words.iter().copied()) {
        return Ok(None);
    }
    let path = words.join(",");
    let here = child(router, &path).await?;
    let mut learnt = Learnt { at, ..Learnt::default() };
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
    let has = |name: &str| learnt.commands.iter().any(|command| command == name);
    let (adds, sets, gets) = (has("add"), has("set"), has("get"));
    if adds {
        let below = format!("{path},add");
        learnt.add = arguments(&child(router, &below).await?, &below);
    }
    if sets {
        let below = format!("{path},set");
        learnt.set = arguments(&child(router, &below).await?, &below);
    }
    if gets {
        // Older builds answer this with nothing; the facts and the rows themselves then have to do.
        let input = format!("/{} get value-name=", words.join(" "));
        if let Ok(words) = router.probe("/console", "inspect", &[("request", "completion"), ("input", &input)]).await {
            learnt.get = words.iter().filter_map(|row| row.string("completion")).filter(|name| is_name(name)).collect();
        }
    }
    Ok(Some(learnt))
}

async fn child(router: &Router<'_>, path: &str) -> Result<Seen, Fault> {
    router.probe("/console", "inspect", &[("request", "child"), ("path", path)]).await
}

/// `(name, node-type)` of each child. The first row is the node itself: `type` says `self`, or, where rows have no
/// `type`, it bears the last word of the path.
fn named(seen: &Seen, path: &str) -> Vec<(String, String)> {
    let own = path.rsplit(',').next();
    let is_self = |at: usize, row: &View<'_>| match row.text("type") {
        Some(kind) => kind == "self",
        None => at == 0 && row.text("name") == own,
    };
    let children = seen.iter().enumerate().filter(|(at, row)| !is_self(*at, row));
    children.filter_map(|(_, row)| Some((row.string("name")?, row.string("node-type")?))).collect()
}

fn arguments(seen: &Seen, path: &str) -> Vec<String> {
    let wanted = |(name, kind): &(String, String)| kind == "arg" && !NOT_ATTRIBUTES.contains(&name.as_str());
    named(seen, path).into_iter().filter(wanted).map(|(name, _)| name).collect()
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.len() <= 64 && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}
