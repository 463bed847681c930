//! Whether a device may be changed at all, and by this author: asked of every inner edit before any router is.
//!
//! The generic plan has no more power than the specific tool: each edit is judged by policy with its own menu.

use super::command;
use super::{Drafting, Task};
use crate::access::policy::{self, Decision, Target, Verb};
use crate::base::fault::{Fault, Kind};
use crate::base::tier::{Effect, Tier};
use crate::fleet::{Capability, Device, Status};
use crate::menus::{self, Topic};
use crate::plan::edit::{Check, Edit, Op};
use std::net::IpAddr;

/// Whether this device takes changes now, as far as its record says.
pub(super) fn device(device: &Device) -> Result<(), Fault> {
    let named = |said: &str| format!("device \"{}\" {said}", device.name);
    match device.status {
        Status::Quarantined => {
            let why = device.last_error.as_deref().unwrap_or("it shows another key than the pinned one");
            return Err(Fault::new(Kind::Untrusted, named(&format!("is quarantined: {why}")))
                .hint(format!("check the router, and if the change was meant: routeros-mcp device pin {}", device.name)));
        }
        Status::Decommissioned => {
            return Err(Fault::new(Kind::Conflict, named("is decommissioned"))
                .hint("it is kept for the records only; add the router anew to use it"));
        }
        // One that was away may be back: the reads tell.
        Status::Unknown | Status::Reachable | Status::Unreachable => {}
    }
    if device.plain_http {
        return Err(Fault::denied(named(
            "is reached by plain HTTP, which is for reads only: nobody knows who else reads and writes there",
        ))
        .hint("set up www-ssl with a certificate on the router, then device update"));
    }
    if device.facts.flagged {
        return Err(Fault::denied(named("is flagged: RouterOS found traces of tampering when it started; nothing is changed there"))
            .hint("treat it as a security incident: check the router's whole configuration, then clear the flag on the router itself"));
    }
    Ok(())
}

/// Whether this author may make this edit there.
pub(super) fn edit(cx: &Drafting<'_>, device: &Device, task: &Task<'_>) -> Result<(), Fault> {
    let (edit, menu) = (task.edit, task.menu.as_str());
    let facts = menus::find(menu);
    let harmless = edit.op == Op::Run;
    let target = Target {
        tool: cx.origin,
        toolset: cx.toolset,
        tier: if harmless || only_comments(edit) { Tier::Basic } else { facts.map_or(Tier::Professional, |facts| facts.change) },
        effect: if cx.is_plan() { Effect::Plans } else { Effect::Changes },
        for_operators: false,
        device: Some(device.traits()),
        inner: Some((menu, Verb::Write)),
    };
    match policy::decide(cx.author, &target, cx.rules) {
        Decision::Allow => {}
        Decision::AllowLoosely(refusal) | Decision::Deny(refusal) => {
            // Another's device must look like none at all.
            let fault = if refusal.reason == "device" { Fault::not_found(refusal.said) } else { Fault::denied(refusal.said) };
            return Err(Fault { hint: refusal.hint, ..fault });
        }
    }
    let topic = facts.map_or(Topic::None, |facts| facts.topic).capability().filter(|_| cx.is_plan() && !harmless);
    let first = if cx.is_plan() { Capability::Professional } else { Capability::Writes };
    for wanted in [Some(first.as_str()), topic].into_iter().flatten() {
        if !device.capabilities.iter().any(|granted| granted.as_str() == wanted) {
            let said = format!("device \"{}\" is not opened for this: {menu} needs its capability {wanted}", device.name);
            return Err(Fault::denied(said).hint(format!(
                "an operator can grant it: routeros-mcp device update {} --capability {wanted} (with those it has)",
                device.name
            )));
        }
    }
    if harmless {
        return command::check(menu, task.command.as_deref().unwrap_or_default(), edit);
    }
    if facts.is_some_and(|facts| facts.read_only) {
        return Err(Fault::bad_input(format!("{menu} can only be read")));
    }
    Ok(())
}

/// A comment is a small thing in every menu.
fn only_comments(edit: &Edit) -> bool {
    edit.op == Op::Set && !edit.values.is_empty() && edit.values.keys().all(|name| name == "comment")
}

/// The checks that a plan is to hold afterwards: addresses only (a name could be answered by anybody), and devices this author knows.
///
/// # Errors
/// `BadInput` or `NotFound` naming the check.
pub fn verify_list(cx: &Drafting<'_>, checks: &[Check]) -> Result<(), Fault> {
    for (n, check) in checks.iter().enumerate() {
        if let Some(address) = &check.ping
            && address.parse::<IpAddr>().is_err()
        {
            let shown: String = address.chars().filter(|c| !c.is_control()).take(64).collect();
            return Err(Fault::bad_input(format!("verify[{n}]: ping takes an IP address, not {shown:?}")));
        }
        for name in [&check.from, &check.reach].into_iter().flatten() {
            let mine = |device: &Device| policy::within(&cx.author.limits.devices, &device.traits());
            let device =
                cx.fleet.find_among(name, mine).map_err(|fault| Fault { said: format!("verify[{n}]: {}", fault.said), ..fault })?;
            if device.environment != cx.rules.environment {
                return Err(Fault::bad_input(format!("verify[{n}]: device \"{}\" belongs to another environment", device.name)));
            }
            if device.status == Status::Decommissioned {
                return Err(Fault::bad_input(format!("verify[{n}]: device \"{}\" is decommissioned", device.name)));
            }
        }
    }
    Ok(())
}

/// Menus that need a feature of device-mode, by the beginning of the path.
///
/// Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/93749258/Device-mode>
const FEATURES: &[(&str, &str)] = &[
    ("/container", "container"),
    ("/interface/l2tp-client", "l2tp"),
    ("/interface/l2tp-server", "l2tp"),
    ("/interface/pptp-client", "pptp"),
    ("/interface/pptp-server", "pptp"),
    ("/ip/hotspot", "hotspot"),
    ("/ip/ipsec", "ipsec"),
    ("/ip/proxy", "proxy"),
    ("/ip/smb", "smb"),
    ("/ip/socks", "socks"),
    ("/partitions", "partitions"),
    ("/system/routerboard/settings", "routerboard"),
    ("/system/scheduler", "scheduler"),
    ("/tool/bandwidth-server", "bandwidth-test"),
    ("/tool/e-mail", "email"),
    ("/tool/fetch", "fetch"),
    ("/tool/romon", "romon"),
    ("/tool/sniffer", "sniffer"),
    ("/tool/traffic-gen", "traffic-gen"),
    ("/zerotier", "zerotier"),
];

/// The feature of device-mode without which RouterOS refuses this edit.
pub(super) fn feature(menu: &str, op: Op) -> Option<&'static str> {
    if matches!(op, Op::Remove | Op::Disable | Op::Move | Op::Run) {
        return None;
    }
    FEATURES.iter().find(|(path, _)| menu.starts_with(path)).map(|(_, feature)| *feature)
}
