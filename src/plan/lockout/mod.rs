//! Could we still get in? The lock-out check of a plan, on the rows as they will be.
//!
//! Not words are judged but the planned state: every step is applied to the rows that were read, and after each one our own
//! packets are followed again, from their source by their interface through rules, services and login, and the answers back. What
//! decided before and decides still in the same way is no doubt; what cannot be decided is `unknown`, which counts as may cut.
//!
//! | file | holds |
//! |---|---|
//! | `touch.rs` | what one step changes |
//! | `bearing.rs` | which steps can concern our packets at all |
//! | `aside.rs` | the same for what is beside the way: queues, hotspots, what carries tunnels |
//! | `reads.rs` | which menus have to be read to tell |
//! | `state.rs` | the rows as they will be |
//! | `resolve.rs` | where routes lead then |
//! | `path.rs` | who we are to the router: sources, own addresses, interface |
//! | `link.rs` | below IP: interfaces on our way |
//! | `frames.rs` | bridges and VLANs: how frames are tagged |
//! | `login.rs` | services, certificate, user, group |
//! | `packets.rs` | firewall and routes: what becomes of our packets |
//! | `neighbours.rs` | whether neighbours of IPv6 still find each other |
//! | `timed.rs` | the same once entries of address lists have gone by themselves |
//! | `ground.rs` | the addresses we stand on, whatever the walk makes of others |
//! | `site.rs` | reads what is wanted from a router |

mod aside;
mod bearing;
mod frames;
mod ground;
mod link;
mod login;
mod neighbours;
mod packets;
mod path;
mod reads;
mod resolve;
pub mod site;
mod state;
mod timed;
mod touch;

use crate::plan::form::{Known, Pairs, get};
use crate::plan::record::{Cut, Step};
use bearing::{Bears, Subject};
use state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub use reads::{of_family, wanted};
pub(crate) use touch::Touch;

/// Most reasons that are told; the first ones say enough.
const MOST_REASONS: usize = 12;

/// Begins what is said where the rows and our being in do not go together.
const OUT_NOW: &str = "by the rows as read we should not get in now";

/// What was read of a router, and how we come to it.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Rows by menu, with what only the router writes. A menu the router lacks is empty.
    pub rows: BTreeMap<String, Vec<Pairs>>,
    /// How we come to it.
    pub path: ManagementPath,
    /// Menus that should have been read and could not be.
    pub unread: BTreeSet<String>,
}

impl Site {
    /// The group of our user, where it is known.
    pub fn group(&self) -> Option<String> {
        let user = self.rows.get("/user")?.iter().find(|row| get(row, "name") == Some(&self.path.user))?;
        get(user, "group").map(str::to_owned)
    }
}

/// How we come to a router.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManagementPath {
    /// Our address as the router sees it, where that is known for sure; else it is looked for among `/user/active` and the
    /// connections of `/ip/service`.
    pub source: Option<IpAddr>,
    /// Our own end of the connection; an address translator may stand between.
    pub own: Option<IpAddr>,
    /// The address we dial; may be another than the router's own.
    pub router: Option<IpAddr>,
    /// What we log in to.
    pub services: Vec<Service>,
    /// Who we are there.
    pub user: String,
}

/// A management service in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `www-ssl`, `www` or `ssh`.
    pub name: String,
    /// The port we dial.
    pub port: u16,
}

/// What the check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The worst of all moments.
    pub cut: Cut,
    /// Why, worst first.
    pub reasons: Vec<String>,
    /// Of each step.
    pub cuts: Vec<Cut>,
}

/// Something that would keep us out, or might.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Whether it would.
    cut: Cut,
    /// In a sentence.
    why: String,
}

impl Finding {
    fn yes(why: impl Into<String>) -> Finding {
        Finding { cut: Cut::Yes, why: why.into() }
    }

    fn unknown(why: impl Into<String>) -> Finding {
        Finding { cut: Cut::Unknown, why: why.into() }
    }

    /// By the rows we were out before too.
    fn old(why: &str) -> Finding {
        Finding::unknown(format!("{OUT_NOW} ({why}), so what this does cannot be told"))
    }

    fn is_old(&self) -> bool {
        self.why.starts_with(OUT_NOW)
    }
}

/// Checks steps one after another: a step that shuts the door is not made good by a later one, which would not get in.
pub(crate) fn check(site: &Site, steps: &[Step], known: &[Known]) -> Found {
    let mut before = State::of(site);
    let mut who = path::locate(site, &before);
    let mut after = before.clone();
    let mut findings: Vec<Finding> = Vec::new();
    let mut cuts = Vec::with_capacity(steps.len());
    for step in steps {
        let touch = Touch::of(step, known);
        after.admit(step, known);
        let bears = bearing::bears(&touch, &before, &who);
        after.apply(step, known);
        let found = match bears {
            Bears::No => Vec::new(),
            Bears::Unknown(why) => vec![Finding::unknown(why)],
            Bears::On(subjects) => judge_step(site, &touch, &subjects, &before, &after, &who),
        };
        // What an earlier step did is its own.
        let new: Vec<Finding> = found.into_iter().filter(|finding| !findings.contains(finding)).collect();
        cuts.push(new.iter().map(|finding| finding.cut).max().unwrap_or(Cut::No));
        // A mere new name is no change of what is: later steps are compared with rows that have it too.
        if new.is_empty() && touch.only(&["name"]) {
            before.apply(step, known);
            who = path::locate(site, &before);
        }
        findings.extend(new);
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.cut));
    Found {
        cut: findings.first().map_or(Cut::No, |finding| finding.cut),
        reasons: findings.into_iter().map(|finding| shown(&finding.why)).take(MOST_REASONS).collect(),
        cuts,
    }
}

fn judge_step(site: &Site, touch: &Touch<'_>, subjects: &[Subject], before: &State, after: &State, who: &path::Who) -> Vec<Finding> {
    let mut found = Vec::new();
    for menu in wanted(std::slice::from_ref(touch.step)) {
        let menu = of_family(menu, who.is_v6());
        if !reads::MAY_LACK.contains(&menu) && (site.unread.contains(menu) || !site.rows.contains_key(menu)) {
            found.push(Finding::unknown(format!("{menu} could not be read")));
        }
    }
    for subject in subjects {
        match subject {
            Subject::Link => {
                link::check(touch, before, after, who, &mut found);
                if found.is_empty() && !touch.only(&["name"]) {
                    packets::way_back(before, after, who, &mut found);
                }
            }
            Subject::Packets => packets::check(touch, before, after, who, &mut found),
            Subject::Services => {
                login::services(site, before, after, who, &mut found);
                if touch.menu() == "/certificate" {
                    login::certificate(touch, before, &mut found);
                }
            }
            Subject::User => login::user(site, touch, before, after, who, &mut found),
        }
    }
    found
}

/// A router's words may stand in a reason: on one line, and not for ever.
fn shown(why: &str) -> String {
    why.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

#[cfg(test)]
mod tests;
