//! Works out what a plan does on one device: reads its router, changes nothing.
//!
//! Policy is asked about every edit before the router is; then each menu the plan touches is read once, as it is now, and the edits are
//! worked through in order, each against the rows as those before it leave them. What comes out names every row by attributes that no
//! other row has, holds its whole content from before, and no secret.
//!
//! Rows the router made (`dynamic`) are never changed, named as neighbours or counted as places: who looks rows up again by a
//! [`Find`](crate::plan::record::Find) prefers the one that is not dynamic.
//!
//! | file | holds |
//! |---|---|
//! | `admit.rs` | may this device be changed, and by this author |
//! | `sheet.rs` | a menu on this device: attributes by the router's own word, rows |
//! | `find.rs` | which row is meant, and what tells it from all others |
//! | `value.rs`, `written.rs` | values: spelling, kinds, secrets |
//! | `refer.rs` | what other rows forbid |
//! | `command.rs` | what `run` may run |
//! | `work.rs` | the edits |

mod admit;
mod command;
mod find;
mod refer;
mod sheet;
mod used;
mod value;
mod work;
mod written;

#[cfg(test)]
mod tests;

pub use admit::verify_list;
pub(crate) use value::is_rule_menu;

use crate::access::policy::Rules;
use crate::access::principal::Principal;
use crate::base::clock::Clock;
use crate::base::fault::{Fault, Kind};
use crate::base::tier::Environment;
use crate::fleet::absent::menu_path;
use crate::fleet::{Device, Fleet, Lane, Read};
use crate::plan::edit::{Edit, Op, about, makes_plans};
use crate::plan::form::Known;
use crate::plan::inverse::{self, Letters};
use crate::plan::lockout::{ManagementPath, Service, site, site::Through};
use crate::plan::record::{Cut, Draft, Find, Observed, PlanId, Risk, Step};
use crate::plan::risk::{self, Judgement};
use crate::routeros::{MenuPath, Row};
use crate::store::Store;
use sheet::Sheet;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// Most wire operations on one device: a person has to read them.
const MOST_STEPS: usize = 500;
/// How old what the lock-out check reads may be: a plan drafted right after another costs no more reads.
const FACTS_AGE: Duration = Duration::from_secs(30);
/// How old device-mode may be: it changes by a press of a button and a restart.
const STEADY: Duration = Duration::from_secs(30);

/// What drafting works with.
pub struct Drafting<'a> {
    /// The devices and the lanes to them.
    pub fleet: &'a Fleet,
    /// Where what routers say of their menus is kept.
    pub store: &'a Store,
    /// Time.
    pub clock: &'a Clock,
    /// The operator's switches.
    pub rules: &'a Rules,
    /// Who asks.
    pub author: &'a Principal,
    /// The tool they ask by: `plan.create`, `firewall.plan_rule`; any other writes directly.
    pub origin: &'a str,
    /// The toolset of that tool.
    pub toolset: &'a str,
    /// When the call began that may have looked already; none where everything is read anew.
    pub begun: Option<Duration>,
    /// Hears all rows that were read: text of theirs may stand in a fault.
    pub hear: &'a (dyn Fn(&Arc<Vec<Row>>) + Sync),
}

impl Drafting<'_> {
    /// Whether a plan is made, rather than a small change at once.
    fn is_plan(&self) -> bool {
        makes_plans(self.origin)
    }
}

/// One edit, with its menu as the router spells it.
struct Task<'a> {
    n: usize,
    edit: &'a Edit,
    menu: String,
    command: Option<String>,
}

/// Everything on the table while a device's part of a plan is worked out.
struct Desk<'a> {
    device: &'a Device,
    lane: Lane,
    sheets: BTreeMap<String, Sheet>,
    /// Names in menus the plan does not touch; nothing where the router does not show them.
    beside: BTreeMap<&'static str, Option<Vec<String>>>,
    steps: Vec<Step>,
    absent: Vec<(String, Find)>,
    letters: Letters,
}

/// Works out what these edits do on this device. A draft without steps says that all is as asked already.
///
/// # Errors
/// `Denied` for what policy or the device's record does not allow, `BadInput` and `NotFound` naming the edit and what would be right,
/// and what a lane's read errs with.
pub async fn draft(cx: &Drafting<'_>, plan: &PlanId, device: &Device, edits: &[Edit]) -> Result<Draft, Fault> {
    let tasks = edits.iter().enumerate().map(|(n, edit)| task(n, edit)).collect::<Result<Vec<_>, _>>()?;
    for task in &tasks {
        admit::edit(cx, device, task).map_err(|fault| about(task.n, fault))?;
    }
    admit::device(device)?;
    let mut desk = Desk::open(cx, device, &tasks).await?;
    for task in &tasks {
        desk.work(task).await.map_err(|fault| about(task.n, fault))?;
        if desk.steps.len() > MOST_STEPS {
            return Err(about(task.n, Fault::bad_input(format!("the plan takes more than {MOST_STEPS} changes on one device"))));
        }
    }
    let lane = desk.lane.clone();
    let letters = std::mem::take(&mut desk.letters);
    judged(cx, device, &lane, desk.draft(plan), &letters).await
}

fn task(n: usize, edit: &Edit) -> Result<Task<'_>, Fault> {
    let path = menu_path(&edit.menu).map_err(|fault| about(n, fault))?;
    let (menu, command) = command::split(edit, path.as_str());
    Ok(Task { n, edit, menu, command })
}

impl<'a> Desk<'a> {
    /// Reads every menu the edits touch, once.
    async fn open(cx: &'a Drafting<'_>, device: &'a Device, tasks: &[Task<'_>]) -> Result<Desk<'a>, Fault> {
        let lane = cx.fleet.lane(device);
        modes(cx, device, &lane, tasks).await?;
        let mut wanted: Vec<(usize, &str)> = Vec::new();
        for task in tasks.iter().filter(|task| task.edit.op != Op::Run || !task.edit.which.is_empty()) {
            if !wanted.iter().any(|(_, menu)| *menu == task.menu) {
                wanted.push((task.n, &task.menu));
            }
        }
        let reads = wanted.iter().map(|(n, menu)| {
            let lane = &lane;
            async move { Sheet::read(cx, device, lane, menu).await.map_err(|fault| about(*n, fault)) }
        });
        let mut sheets = BTreeMap::new();
        for sheet in futures_util::future::join_all(reads).await {
            let sheet = sheet?;
            sheets.insert(sheet.menu.clone(), sheet);
        }
        if sheets.is_empty() {
            // Nothing to look up, but a plan for a router that does not answer helps nobody.
            lane.read(Read { max_age: STEADY, ..Read::fresh(MenuPath::parse("/system/identity")?) }).await?;
        }
        Ok(Desk { device, lane, sheets, beside: BTreeMap::new(), steps: Vec::new(), absent: Vec::new(), letters: Letters::new() })
    }

    /// What was worked out, before anybody judged it.
    fn draft(self, plan: &PlanId) -> Draft {
        let Desk { device, sheets, steps, absent, .. } = self;
        let known: Vec<Known> = sheets.values().map(|sheet| sheet.known.clone()).collect();
        let observed = sheets.values().flat_map(observed).collect();
        Draft {
            plan: plan.clone(),
            device: device.id.clone(),
            name: device.name.clone(),
            serial: device.facts.serial.clone(),
            pins: device.pins.clone(),
            version: device.facts.version.clone(),
            known,
            observed,
            absent,
            steps,
            risk: Risk::Low,
            cut: Cut::No,
            cut_reasons: Vec::new(),
            settle_s: 0,
            inverse: String::new(),
        }
    }
}

/// The rows a plan rests on, as they were read. A neighbour that nothing tells apart is left out: it could not be recognised.
fn observed(sheet: &Sheet) -> Vec<Observed> {
    let content = |at: usize| sheet.known.content_of(sheet.was[at].iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let next = |at: usize| (at + 1..sheet.was.len()).find(|at| !sheet.is_dynamic(&sheet.was[*at]));
    let mut rows = Vec::new();
    for at in &sheet.touched {
        if sheet.known.singleton {
            rows.push(Observed { menu: sheet.menu.clone(), find: None, row: content(*at), next: None });
        } else if let Some(find) = sheet.find_as_read(*at) {
            let next =
                next(*at).filter(|_| sheet.known.ordered).map(|next| sheet.find_as_read(next).unwrap_or_else(|| sheet.loosely(next)));
            rows.push(Observed { menu: sheet.menu.clone(), find: Some(find), row: content(*at), next });
        }
    }
    rows
}

/// Whether device-mode lets RouterOS do it; read only for menus that it guards.
async fn modes(cx: &Drafting<'_>, device: &Device, lane: &Lane, tasks: &[Task<'_>]) -> Result<(), Fault> {
    let guarded: Vec<(&Task<'_>, &str)> = tasks.iter().filter_map(|task| Some((task, admit::feature(&task.menu, task.edit.op)?))).collect();
    if guarded.is_empty() || device.facts.device_mode.is_none() {
        return Ok(());
    }
    let rows = match lane.read(Read { max_age: STEADY, ..Read::fresh(MenuPath::parse("/system/device-mode")?) }).await {
        Ok(answer) => answer.rows,
        // It may not be ours to read; the router says no itself.
        Err(fault) if matches!(fault.kind, Kind::NotFound | Kind::RouterDenied | Kind::Rejected) => return Ok(()),
        Err(fault) => return Err(fault),
    };
    (cx.hear)(&rows);
    let says = |name: &str, word: &str| rows.first().and_then(|row| row.get(name)).is_some_and(|text| text == word);
    for (task, feature) in guarded {
        if says(feature, "false") || says(feature, "no") {
            let said =
                format!("device \"{}\": device-mode does not allow {feature} there, so {} cannot be changed so", device.name, task.menu);
            let hint = format!("a person at the router can allow it: /system/device-mode/update {feature}=yes, then a press of its button");
            return Err(about(task.n, Fault::denied(said).hint(hint)));
        }
    }
    Ok(())
}

/// Adds how much harm it can do, whether we could still get in, and what undoes it.
async fn judged(cx: &Drafting<'_>, device: &Device, lane: &Lane, mut draft: Draft, letters: &Letters) -> Result<Draft, Fault> {
    if draft.steps.is_empty() {
        return Ok(draft);
    }
    let path = management_path(device);
    let site = site::read(&Through(lane, FACTS_AGE), path, &draft.steps).await?;
    let judgement = risk::judge(&site, &draft.steps, &draft.known, cx.rules.environment);
    for (step, gives_access) in draft.steps.iter_mut().zip(&judgement.gives_access) {
        step.gives_access = *gives_access;
    }
    let inverse = inverse::script(&draft.plan, &draft.steps, &draft.known, letters)?;
    let Judgement { risk, cut, mut cut_reasons, settle_s, .. } = judgement;
    if cut != Cut::No && !device.facts.can.schedule {
        // Whoever approves it has to know: the router's own undo does not outlive a restart of the router.
        let said = "as far as is known the router lets us have no scheduler (device-mode): a guard that is a waiting job alone is lost by a reboot";
        cut_reasons.push(said.to_owned());
    }
    Ok(Draft { risk, cut, cut_reasons, settle_s, inverse, ..draft })
}

/// Whether these steps could cut our access to the router as it is now, and why.
pub(super) async fn cut_now(lane: &Lane, device: &Device, draft: &Draft, environment: Environment) -> Result<(Cut, Vec<String>), Fault> {
    let site = site::read(&Through(lane, Duration::ZERO), management_path(device), &draft.steps).await?;
    let judgement = risk::judge(&site, &draft.steps, &draft.known, environment);
    Ok((judgement.cut, judgement.cut_reasons))
}

/// The address of ours that packets to this one leave from, as the kernel would choose it; nothing is sent.
fn own_end(router: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if router.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((router, 443)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// How we reach a device: what is dialled, and as whom. Where we come from is for the router to say.
fn management_path(device: &Device) -> ManagementPath {
    let rest = Service { name: if device.plain_http { "www" } else { "www-ssl" }.to_owned(), port: device.rest_port };
    let ssh = Service { name: "ssh".to_owned(), port: device.ssh_port };
    let services = if device.facts.can.ssh { vec![rest, ssh] } else { vec![rest] };
    let router = device.address.parse().ok();
    ManagementPath { source: None, own: router.and_then(own_end), router, services, user: device.username.clone() }
}
