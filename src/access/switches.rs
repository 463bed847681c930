//! Kill switches that people set while the appliance runs, beside those of the configuration. Whichever is stricter wins: one
//! that is set here only ever takes away, and what the configuration took away stays away.
//!
//! All parts share one set, so that a switch counts for the next thing anybody does, a call that runs included. They are kept
//! in the store, with who changed what and when.

use crate::access::person::{Actor, Identity};
use crate::access::principal::Principal;
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::shared::Shared;
use crate::store::{Durability, Record, Store, StoreError, Table};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The record.
const KEY: &str = "now";
/// Changes kept with it; the trail has all of them.
const CHANGES: usize = 50;
/// The longest reason, characters.
const REASON_MAX: usize = 200;

/// What is switched off. Nothing, unless somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Set {
    /// Nothing changes a router, by any route.
    pub read_only: bool,
    /// No plan is applied.
    pub no_plan_apply: bool,
    /// Models have no tools at all.
    pub no_tools: bool,
    /// Tool names and `category.*` that are off.
    pub tools: Vec<String>,
    /// Toolsets that are off.
    pub toolsets: Vec<String>,
}

/// Somebody set a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Wall,
    /// Who.
    pub by: Actor,
    /// What, in words: `read_only: on`.
    pub what: String,
    /// Why, as they put it.
    pub why: String,
}

/// The switches as they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kept {
    /// What is off.
    pub set: Set,
    /// How it came to be, the last one first.
    pub changes: Vec<Change>,
}

impl Record for Kept {
    const TABLE: &'static str = "switches";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Kept);

/// The set that all parts go by; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Switches(Arc<InForce>);

#[derive(Debug, Default)]
struct InForce {
    now: Shared<Set>,
    /// One change at a time, or the set in force could be older than the one kept.
    turn: Mutex<()>,
}

impl Switches {
    /// As the store has them.
    pub fn open(store: &Store) -> Result<Switches, Fault> {
        let switches = Switches::default();
        switches.put(Switches::kept(store)?.set);
        Ok(switches)
    }

    /// What is off now.
    pub fn now(&self) -> Arc<Set> {
        self.0.now.get()
    }

    /// What the store has: the set, and who made it so.
    pub fn kept(store: &Store) -> Result<Kept, Fault> {
        Ok(Table::new(store.clone()).get(KEY)?.unwrap_or_default())
    }

    /// Puts another set in force, durably; says what was changed, none when it was that already.
    pub async fn set(
        &self,
        store: &Store,
        by: Actor,
        at: Wall,
        why: &str,
        change: impl FnOnce(&mut Set) -> Result<(), Fault>,
    ) -> Result<Option<String>, Fault> {
        if why.chars().count() > REASON_MAX || why.chars().any(char::is_control) {
            return Err(Fault::new(Kind::BadInput, "a reason has at most 200 characters, on one line"));
        }
        let _turn = self.0.turn.lock().await;
        let mut kept = Switches::kept(store)?;
        let before = kept.set.clone();
        change(&mut kept.set)?;
        let Some(what) = difference(&before, &kept.set) else { return Ok(None) };
        kept.changes.insert(0, Change { at, by, what: what.clone(), why: why.trim().into() });
        kept.changes.truncate(CHANGES);
        // Meanwhile whatever one of the two stops is stopped: a caller who leaves now leaves a switch too many, never one too few.
        self.put(before.and(&kept.set));
        if let Err(error) = Table::new(store.clone()).put(KEY, &kept, Durability::Now).await {
            self.put(before);
            return Err(error.into());
        }
        self.put(kept.set);
        Ok(Some(what))
    }

    /// Takes what another store had switched off into this one, which takes its place: a restore gives nobody back what somebody
    /// took away since. Says what it added.
    pub async fn keep_stricter(of: &Store, store: &Store, at: Wall) -> Result<Option<String>, StoreError> {
        let kept = |store: &Store| Ok::<Kept, StoreError>(Table::new(store.clone()).get(KEY)?.unwrap_or_default());
        let (was, mut kept) = (kept(of)?, kept(store)?);
        let set = kept.set.and(&was.set);
        let Some(what) = difference(&kept.set, &set) else { return Ok(None) };
        let appliance = Principal::background();
        let by = Actor { identity: Identity::of(&appliance), person: None, name: appliance.name };
        kept.changes.insert(0, Change { at, by, what: what.clone(), why: "as it was before an older store was put back".into() });
        kept.changes.truncate(CHANGES);
        kept.set = set;
        Table::new(store.clone()).put(KEY, &kept, Durability::Now).await?;
        Ok(Some(what))
    }

    fn put(&self, set: Set) {
        self.0.now.put(set);
    }
}

impl Set {
    /// What either of the two stops.
    fn and(&self, other: &Set) -> Set {
        let both = |one: &[String], other: &[String]| {
            let mut all = one.to_vec();
            all.extend(other.iter().filter(|name| !one.contains(name)).cloned());
            all
        };
        Set {
            read_only: self.read_only || other.read_only,
            no_plan_apply: self.no_plan_apply || other.no_plan_apply,
            no_tools: self.no_tools || other.no_tools,
            tools: both(&self.tools, &other.tools),
            toolsets: both(&self.toolsets, &other.toolsets),
        }
    }

    /// Whether a tool is off by its name, its category or its toolset.
    pub fn stops(&self, tool: &str, toolset: &str) -> bool {
        names(&self.tools, tool) || self.toolsets.iter().any(|off| off == toolset)
    }
}

/// Whether a list of names and `category.*` has the tool, in either spelling.
pub fn names(list: &[String], tool: &str) -> bool {
    let category = tool.split('.').next().unwrap_or(tool);
    let is = |name: &String| name.replace('_', ".") == tool.replace('_', ".") || name.strip_suffix(".*") == Some(category);
    list.iter().any(is)
}

/// `read_only: on; tools off: dns.flush_cache`.
fn difference(before: &Set, after: &Set) -> Option<String> {
    let mut said = Vec::new();
    for (name, was, is) in [
        ("read only", before.read_only, after.read_only),
        ("no plan is applied", before.no_plan_apply, after.no_plan_apply),
        ("no tools for models", before.no_tools, after.no_tools),
    ] {
        if was != is {
            said.push(format!("{name}: {}", if is { "on" } else { "off" }));
        }
    }
    for (what, was, is) in [("", &before.tools, &after.tools), ("toolset ", &before.toolsets, &after.toolsets)] {
        said.extend(is.iter().filter(|name| !was.contains(name)).map(|name| format!("{what}{name} switched off")));
        said.extend(was.iter().filter(|name| !is.contains(name)).map(|name| format!("{what}{name} no longer switched off")));
    }
    (!said.is_empty()).then(|| said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Options;

    fn anna() -> Actor {
        Actor { identity: Identity::of_user("anna"), person: None, name: "anna".into() }
    }

    fn store() -> (Store, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        (Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap(), dir)
    }

    #[tokio::test]
    async fn a_caller_who_leaves_in_the_middle_leaves_no_switch_too_few() {
        let ((store, _dir), switches) = (store(), Switches::default());
        let turn = |on| {
            switches.set(&store, anna(), Wall(0), "", move |set| {
                set.read_only = on;
                Ok(())
            })
        };
        // Polled once, which hands the change to the store, and dropped.
        assert!(futures_util::FutureExt::now_or_never(turn(true)).is_none());
        assert!(switches.now().read_only);
        turn(true).await.unwrap();
        assert!(futures_util::FutureExt::now_or_never(turn(false)).is_none());
        assert!(switches.now().read_only, "what was not seen to be over goes on");
        turn(false).await.unwrap();
    }

    #[tokio::test]
    async fn a_switch_counts_at_once_for_everybody_and_after_a_restart() {
        let (store, _dir) = store();
        let switches = Switches::open(&store).unwrap();
        let other = switches.clone();
        let on = |set: &mut Set| {
            (set.read_only, set.tools) = (true, vec!["dns.*".into()]);
            Ok(())
        };
        let what = switches.set(&store, anna(), Wall(7), "something is odd", on).await.unwrap();
        assert_eq!(what.as_deref(), Some("read only: on; dns.* switched off"));
        assert!(other.now().read_only && other.now().stops("dns.flush_cache", "ip"));
        assert!(Switches::open(&store).unwrap().now().read_only);
        assert_eq!(switches.set(&store, anna(), Wall(8), "", on).await.unwrap(), None, "it was so already");
        let refused = switches.set(&store, anna(), Wall(9), "", |_| Err(Fault::bad_input("no"))).await;
        assert!(refused.is_err());
        let kept = Switches::kept(&store).unwrap();
        assert_eq!((kept.changes.len(), kept.changes[0].at, kept.changes[0].why.as_str()), (1, Wall(7), "something is odd"));
    }

    #[tokio::test]
    async fn changes_at_once_all_count_and_only_so_many_are_kept() {
        let (store, _dir) = store();
        let switches = Switches::open(&store).unwrap();
        let each = (0..60).map(|n| {
            let (switches, store) = (switches.clone(), store.clone());
            async move {
                let add = |set: &mut Set| {
                    set.tools.push(format!("x.{n}"));
                    Ok(())
                };
                switches.set(&store, anna(), Wall(n), "", add).await.unwrap();
            }
        });
        futures_util::future::join_all(each).await;
        assert_eq!((switches.now().tools.len(), Switches::kept(&store).unwrap().changes.len()), (60, CHANGES));
        assert!(switches.set(&store, anna(), Wall(0), "a\nb", |_| Ok(())).await.is_err());
    }

    #[test]
    fn a_tool_is_named_by_itself_its_category_or_its_toolset() {
        let set = Set { tools: vec!["dns.*".into(), "system_set_identity".into()], toolsets: vec!["vpn".into()], ..Set::default() };
        for (tool, toolset, off) in [
            ("dns.flush_cache", "ip", true),
            ("system.set_identity", "system", true),
            ("system.get_clock", "system", false),
            ("vpn.get_status", "vpn", true),
            ("dnsx.y", "ip", false),
        ] {
            assert_eq!(set.stops(tool, toolset), off, "{tool}");
        }
    }
}
