//! How much harm a change can do, and what that asks for. Pure.
//!
//! The contract's table is [`level`]; the lock-out check (`lockout/`) raises whatever may cut our own access to high.
//! `prod` takes everything one step more seriously.

mod code;

use crate::base::tier::Environment;
use crate::menus;
use crate::plan::form::{Known, get};
use crate::plan::lockout::{self, Site, Touch};
use crate::plan::record::{Change, Cut, Risk, Step};

pub use code::{code_in, sends_out};

/// What is thought of a device's steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The worst of the steps.
    pub risk: Risk,
    /// Whether our own access may be cut, on the way or at the end.
    pub cut: Cut,
    /// Why, one sentence each.
    pub cut_reasons: Vec<String>,
    /// How long the router needs until the change has settled, seconds.
    pub settle_s: u32,
    /// Of each step: undoing it gives back access that doing it may take.
    pub gives_access: Vec<bool>,
}

/// Judges what was worked out for one device.
pub fn judge(site: &Site, steps: &[Step], known: &[Known], environment: Environment) -> Judgement {
    let found = lockout::check(site, steps, known);
    let touches: Vec<Touch<'_>> = steps.iter().map(|step| Touch::of(step, known)).collect();
    let levels = touches.iter().enumerate().map(|(at, touch)| {
        let base = level(site, touch, known);
        let base = if found.cuts[at] == Cut::No { base } else { base.max(Risk::High) };
        raised(base, environment)
    });
    let risk = levels.max().unwrap_or(Risk::Low);
    Judgement {
        risk: if found.cut == Cut::No { risk } else { risk.max(Risk::High) },
        cut: found.cut,
        cut_reasons: found.reasons,
        settle_s: touches.iter().map(settle_s).max().unwrap_or(0),
        gives_access: found.cuts.iter().map(|cut| *cut != Cut::No).collect(),
    }
}

/// In `prod` low is medium and medium is high.
fn raised(risk: Risk, environment: Environment) -> Risk {
    match (environment, risk) {
        (Environment::Prod, Risk::Low) => Risk::Medium,
        (Environment::Prod, Risk::Medium) => Risk::High,
        (_, risk) => risk,
    }
}

/// Menus where a change is small and cuts nobody off, though the menu as a whole can.
const SMALL: &[&str] = &["/ip/address", "/ipv6/address", "/ip/route", "/ipv6/route"];
/// Menus without a hold on our access where a change still opens doors or breaks what people use.
const GRAVE: &[&str] = &[
    "/file",
    "/ip/cloud",
    "/ip/proxy",
    "/ip/smb",
    "/ip/socks",
    "/ip/traffic-flow/target",
    "/ip/upnp",
    "/ppp/aaa",
    "/radius/incoming",
    "/snmp/community",
    "/system/device-mode",
    "/system/package",
    "/system/package/update",
    "/system/routerboard/settings",
    "/system/watchdog",
    "/tool/mac-server",
    "/tool/mac-server/mac-winbox",
    "/tool/netwatch",
    "/tool/romon",
];
/// Commands that undo nothing and break nothing.
const HARMLESS: &[&str] =
    &["clear", "flush", "make-static", "renew", "reset-counters", "reset-counters-all", "reset-mac-counters", "wol", "check-for-updates"];
/// Where log lines may go without leaving the router.
const LOCAL_LOGS: &[&str] = &["memory", "disk", "echo"];

/// The contract's table, for one step and no matter where.
fn level(site: &Site, touch: &Touch<'_>, known: &[Known]) -> Risk {
    let menu = touch.menu();
    if let Change::Run { command, .. } = &touch.step.change {
        return if HARMLESS.contains(&command.as_str()) && !code::is_code(menu) { Risk::Low } else { Risk::Extreme };
    }
    if is_ourselves(site, touch) {
        return Risk::Extreme;
    }
    let stranger = menus::find(menu).is_none() || known.iter().any(|known| known.menu == menu && known.stranger);
    if touch.is_note() && !code::is_code(menu) {
        return if stranger { Risk::High } else { Risk::Low };
    }
    if is_code(touch) {
        return Risk::Extreme;
    }
    if stranger {
        return Risk::High;
    }
    if menu == "/system/identity" || is_own_list(touch) {
        return Risk::Low;
    }
    // Routes of last resort and routing around them are never small, even where they are not ours.
    let is_default = SMALL[2..].contains(&menu) && touch.values("dst-address").any(|net| matches!(net, "0.0.0.0/0" | "::/0"));
    let is_small = SMALL.contains(&menu) && !is_default;
    let cuts = menus::find(menu).is_some_and(|facts| facts.cuts_access);
    let logs_away = menu == "/system/logging" && touch.values("action").any(|action| !LOCAL_LOGS.contains(&action));
    if (cuts && !is_small) || GRAVE.contains(&menu) || logs_away { Risk::High } else { Risk::Medium }
}

/// An entry of one of our own address lists, before and after.
fn is_own_list(touch: &Touch<'_>) -> bool {
    matches!(touch.menu(), "/ip/firewall/address-list" | "/ipv6/firewall/address-list") && touch.is_of_own_list()
}

/// The user we run as, its group, its keys. Where nobody can tell which they are, every one of them may be.
fn is_ourselves(site: &Site, touch: &Touch<'_>) -> bool {
    let user = site.path.user.as_str();
    match touch.menu() {
        "/user" => touch.names("name", user),
        "/user/ssh-keys" | "/user/ssh-keys/private" => touch.names("user", user) || touch.values("user").next().is_none(),
        "/user/group" => match site.group() {
            Some(group) => touch.names("name", &group),
            None => true,
        },
        _ => false,
    }
}

/// Code, or a way out for what only the router should see.
fn is_code(touch: &Touch<'_>) -> bool {
    let menu = touch.menu();
    if code::is_code(menu) {
        return true;
    }
    if menu == "/file" && touch.values("name").any(|name| name.contains(".auto.")) {
        return true;
    }
    let goes = touch.after.is_none();
    let writes = |name: &str| match (menu, name) {
        // A row that goes takes its script with it; an empty script or a place on the router itself is none.
        _ if goes => false,
        ("/system/logging/action", "target") => {
            touch.after.as_ref().and_then(|row| get(row, name)).is_some_and(|to| !LOCAL_LOGS.contains(&to))
        }
        _ => code_in(menu, name) && !is_empty(touch, name),
    };
    touch.changed.iter().any(|name| writes(name)) || is_switched_on(touch)
}

/// Whether an attribute ends up without anything in it, or switched off.
fn is_empty(touch: &Touch<'_>, name: &str) -> bool {
    let off = touch.after.as_ref().and_then(|row| get(row, name)).is_some_and(|value| matches!(value, "no" | "false" | "none" | "0.0.0.0"));
    off || !touch.fills(name)
}

/// A row that holds code is put into use: the same as writing it.
fn is_switched_on(touch: &Touch<'_>) -> bool {
    let (was, is) = touch.in_use();
    let holds = touch
        .after
        .iter()
        .flatten()
        .any(|(name, value)| code_in(touch.menu(), name) && !matches!(value.as_str(), "" | "no" | "false" | "none" | "0.0.0.0"));
    !was && is && touch.before.is_some() && holds
}

/// Seconds until what a step does has settled: spanning tree and DHCP after bridge changes, clients after wireless ones.
fn settle_s(touch: &Touch<'_>) -> u32 {
    let menu = touch.menu();
    if touch.is_note() || matches!(touch.step.change, Change::Run { .. }) {
        return 0;
    }
    let begins =
        |starts: &[&str]| starts.iter().any(|start| menu == *start || menu.strip_prefix(start).is_some_and(|rest| rest.starts_with('/')));
    if begins(&[
        "/interface/bridge",
        "/interface/vlan",
        "/interface/bonding",
        "/interface/ethernet/switch",
        "/ip/dhcp-client",
        "/ipv6/dhcp-client",
    ]) {
        return 45;
    }
    if begins(&["/interface/wifi", "/interface/wireless", "/caps-man"]) {
        return 20;
    }
    if begins(&["/interface/list"]) {
        return 1;
    }
    if begins(&["/interface", "/zerotier"]) {
        return 10;
    }
    if begins(&[
        "/ip/route",
        "/ipv6/route",
        "/routing",
        "/ip/address",
        "/ipv6/address",
        "/ip/vrf",
        "/ip/settings",
        "/ipv6/settings",
        "/ip/ipsec",
    ]) {
        return 3;
    }
    if begins(&["/ip/firewall", "/ipv6/firewall", "/ip/service", "/ip/ssh", "/user", "/certificate"]) {
        return 1;
    }
    0
}

#[cfg(test)]
mod tests;
