//! `/system/device-mode`: what a router may do at all, whoever asks.
//!
//! Commands of a feature that is off are refused. Scheduler entries are refused too, as measured on a router of mode `home`; rows of
//! other features are added and stay inactive with a note, as documented. A flagged router refuses to make or enable what malware likes.
//!
//! Source: <https://manual.mikrotik.com/docs/system-information-and-utilities/device-mode>

use super::agenda::timers;
use super::menus::{Menu, Shape};
use super::refusal::Refusal;
use super::row::Row;
use super::world::World;

const PATH: &str = "/system/device-mode";
pub(super) const MODES: [&str; 4] = ["home", "basic", "advanced", "rose"];
/// What `.about` says of a row that has no effect.
const INACTIVE: &str = "inactivated, not allowed by device-mode";
const FLAGGED: &str = "failure: configuration flagged, check all router configuration for unauthorized changes and update device-mode";
/// What a flagged router does not make or run.
const GUARDED: [&str; 9] = ["scheduler", "socks", "pptp", "l2tp", "ipsec", "proxy", "smb", "bandwidth-test", "sniffer"];
/// Features, and whether each of [`MODES`] has them.
const FEATURES: [(&str, [bool; 4]); 18] = [
    ("scheduler", [false, true, true, true]),
    ("fetch", [false, true, true, true]),
    ("email", [false, true, true, true]),
    ("sniffer", [false, true, true, true]),
    ("romon", [false, true, true, true]),
    ("bandwidth-test", [false, false, true, true]),
    ("hotspot", [false, false, true, true]),
    ("proxy", [false, false, true, true]),
    ("socks", [false, false, true, true]),
    ("zerotier", [false, false, true, true]),
    ("ipsec", [true; 4]),
    ("l2tp", [true; 4]),
    ("pptp", [true; 4]),
    ("smb", [true; 4]),
    ("container", [false, false, false, true]),
    ("traffic-gen", [false; 4]),
    ("partitions", [false; 4]),
    ("install-any-version", [false; 4]),
];
/// Menus whose rows (or whose object) belong to a feature.
const MENUS: [(&str, &str); 13] = [
    ("/system/scheduler", "scheduler"),
    ("/ip/socks", "socks"),
    ("/ip/proxy", "proxy"),
    ("/ip/smb", "smb"),
    ("/ip/hotspot", "hotspot"),
    ("/interface/l2tp-client", "l2tp"),
    ("/interface/l2tp-server/server", "l2tp"),
    ("/interface/pptp-client", "pptp"),
    ("/interface/pptp-server/server", "pptp"),
    ("/ip/ipsec/peer", "ipsec"),
    ("/tool/romon", "romon"),
    ("/tool/traffic-generator", "traffic-gen"),
    ("/container", "container"),
];

/// What becomes of scheduler entries that device-mode does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NotAllowed {
    /// They are refused, as measured.
    #[default]
    Refused,
    /// They are added and have no effect, as documented for some features.
    Inactive,
}

impl World {
    /// Puts the router into one of the modes `home`, `basic`, `advanced`, `rose`, with that mode's features. What is there and not
    /// allowed any more stays, without effect.
    pub fn set_device_mode(&mut self, mode: &str) {
        let Some(at) = MODES.iter().position(|m| *m == mode) else { return };
        self.put_single(PATH, "mode", mode);
        for (feature, has) in FEATURES {
            self.put_single(PATH, feature, &has[at].to_string());
        }
        timers::sync(self);
    }

    /// Switches one feature.
    pub fn set_device_feature(&mut self, feature: &str, allowed: bool) {
        self.put_single(PATH, feature, &allowed.to_string());
        timers::sync(self);
    }

    /// Whether the analysis at boot found something suspicious.
    pub fn set_flagged(&mut self, flagged: bool) {
        self.put_single(PATH, "flagged", &flagged.to_string());
    }
}

fn object(world: &mut World) -> Option<Row> {
    world.menu(PATH)?;
    world.table(PATH).rows.first().cloned()
}

/// Whether the feature may have an effect.
pub(super) fn allows(world: &mut World, feature: &str) -> bool {
    object(world).is_none_or(|mode| mode.get(feature) != Some("false"))
}

/// Refuses a command of a feature that is off.
pub(super) fn gate(world: &mut World, feature: &str) -> Result<(), Refusal> {
    gate_at(world, feature, "")
}

fn gate_at(world: &mut World, feature: &str, place: &str) -> Result<(), Refusal> {
    let Some(mode) = object(world) else { return Ok(()) };
    if mode.is("flagged") && GUARDED.contains(&feature) {
        return Err(Refusal::bad(FLAGGED));
    }
    match mode.get(feature) {
        Some("false") => Err(Refusal::bad(format!("failure: not allowed by device-mode{place}"))),
        _ => Ok(()),
    }
}

/// Whether a row or object may be written like this; `verb` is `add` or `set`.
pub(super) fn may_write(world: &mut World, menu: &Menu, row: &Row, verb: &str) -> Result<(), Refusal> {
    let Some((_, feature)) = MENUS.iter().find(|(path, _)| *path == menu.path) else { return Ok(()) };
    let on = match menu.shape {
        Shape::Single => row.is("enabled") || row.get("enabled") == Some("yes"),
        _ => !row.is("disabled"),
    };
    if !on {
        return Ok(());
    }
    let (scheduler, single) = (*feature == "scheduler", menu.shape == Shape::Single);
    let refused = scheduler && world.when_not_allowed == NotAllowed::Refused || single;
    let flagged = object(world).is_some_and(|mode| mode.is("flagged"));
    if !refused && !flagged {
        return Ok(());
    }
    let place = if scheduler { format!(" ({}/{verb}; line 1)", menu.path) } else { String::new() };
    match gate_at(world, feature, &place) {
        Err(refusal) if refused || refusal.detail.as_deref() == Some(FLAGGED) => Err(refusal),
        _ => Ok(()),
    }
}

/// Says of rows that they have no effect.
pub(super) fn note(world: &mut World, path: &str, rows: &mut [Row]) {
    let Some((_, feature)) = MENUS.iter().find(|(menu, _)| *menu == path) else { return };
    if rows.is_empty() || world.menu(path).is_none_or(|m| m.shape != Shape::List) || allows(world, feature) {
        return;
    }
    for row in rows.iter_mut().filter(|r| !r.is("disabled")) {
        row.put(".about", INACTIVE);
    }
}
